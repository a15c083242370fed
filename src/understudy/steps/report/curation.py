"""What the teacher was asked, what curation keeps of easy and hard questions, and what it finds of planted faults."""

from collections.abc import Iterable

from understudy.records import Metric, Prompt
from understudy.steps.report.inputs import Inputs
from understudy.steps.report.markup import Html, count, cut, el, fold, note, percent, row, table
from understudy.steps.report.plots import bar

TOGETHER = 8
"""Sets of rules that refuse together, shown."""


def asked(inputs: Inputs) -> list[Html]:
    """The first problem as the teacher was asked it, in each style."""
    prompts = list(inputs.prompts)
    if not prompts:
        return []
    many = f"{len(prompts)} styles in turn; the" if len(prompts) > 1 else "The"
    words = f"{many} first problem, word for word. Each trace has the hash of what it was asked."
    return [fold("What the teacher was asked", note(words), *map(_prompt, prompts))]


def _prompt(prompt: Prompt) -> Html:
    turns = [
        el("div", el("div", el("b", m.role), class_="who"), el("pre", cut(m.content), class_="said", dir="auto"))
        for m in prompt.messages
    ]
    return el("div", *turns, class_="card")


def ledger(inputs: Inputs) -> list[Html]:
    """Tables of what curation keeps and why; nothing where no ledger is on record."""
    found = list(inputs.ledger)
    return [*_difficulty(found), *_together(found), *_planted(found)]


def _of(found: Iterable[Metric], name: str, prefix: str = "", suite: str = "curation") -> list[Metric]:
    return [m for m in found if m.name == name and m.suite == suite and m.slice.startswith(prefix)]


def _difficulty(found: list[Metric]) -> list[Html]:
    """By how often the teacher solves a problem: filtering by answers loses the hard ones first."""
    kept = _of(found, "kept_problems", "pass_rate=")
    if len(kept) < 2:
        return []
    rows = [
        row(m.slice.partition("=")[2], count(m.n), percent(m.value or 0), _interval(m), bar(0.0, m.value or 0, "good"))
        for m in kept
    ]
    head = ("share of samples that are right", "problems", "with a kept trace", "95 %", "")
    words = (
        "Filtering by answers keeps easy questions and loses hard ones. Questions that were never solved "
        "are kept apart, for reinforcement learning: pool.jsonl."
    )
    return [table("What is kept of hard and easy questions", head, rows, drawn=4), note(words)]


def _together(found: list[Metric]) -> list[Html]:
    """Sets of rules that refuse the same traces."""
    sets = [m for m in _of(found, "refused_together", "rules=") if "+" in m.slice][:TOGETHER]
    if not sets:
        return []
    names = [m.slice.partition("=")[2].replace("+", " and ").replace("_", " ") for m in sets]
    rows = [row(name, count((m.value or 0) * m.n), percent(m.value or 0)) for name, m in zip(names, sets, strict=True)]
    return [fold("Rules that refuse the same traces", table("By exactly these", ("rules", "traces", "of all"), rows))]


def _planted(found: list[Metric]) -> list[Html]:
    """Recall and precision where the teacher's faults are known."""
    recalls = _of(found, "recall", suite="planted")
    if not recalls:
        return []
    precision = {m.slice: m for m in _of(found, "precision", suite="planted")}
    rows = []
    for m in recalls:
        p = precision.get(m.slice)
        name = "all of them" if m.slice == "all" else m.slice.partition("=")[2].replace("_", " ")
        shown = (percent(p.value or 0), _interval(p), count(p.n)) if p else ("\u2013", "", "")
        rows.append(row(name, percent(m.value or 0), _interval(m), count(m.n), *shown))
    head = ("planted fault", "found", "95 %", "n", "rightly dropped", "95 %", "n")
    f1 = next((m.value for m in found if m.name == "f1" and m.suite == "planted"), None)
    words = f"This teacher's faults are known. Over all of them F1 is {f1:.3f}." if f1 is not None else ""
    return [table("Curation against faults that were planted", head, rows), note(words)]


def _interval(m: Metric) -> str:
    return "" if m.low is None or m.high is None else f"[{100 * m.low:.1f}, {100 * m.high:.1f}]"
