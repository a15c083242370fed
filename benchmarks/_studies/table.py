"""A study's figures as a table that can be read, in Markdown."""

from collections.abc import Iterable, Sequence

from _studies.files import Figure, Study

NAMES = {
    "right": "right, %",
    "thinks": "thinks, %",
    "two_answers": "thought and reply name two answers, %",
    "cut_off": "cut off, %",
    "no_answer": "no answer, %",
    "boxes_in_talk": "boxes in conversation, %",
    "tokens": "tokens of a reply",
    "nats_on_talk": "surprise at small talk, nats/token",
    "nats_on_solutions": "surprise at solutions of the test, nats/token",
    "follows": "answers that a false number in the thought changes, %",
    "follows_on": "… where the student thinks on from there, %",
    "dev_accuracy": "right on dev, %",
    "learned_tokens": "tokens learned",
    "steps": "optimizer steps",
}
PERCENT = (
    "right", "thinks", "two_answers", "cut_off", "no_answer", "boxes_in_talk", "follows", "follows_on", "dev_accuracy",
)  # fmt: skip


LESS = ("learned_tokens", "steps", "tokens", "cut_off", "no_answer", "boxes_in_talk")
"""Measures whose differences are on record and not in the tables."""


def told(study: Study, figures: Sequence[Figure], slices: bool = False) -> str:
    """The study's question, then a table for every measure that is not 0 throughout; `slices` = of all parts."""
    lines = [
        f"## {study.study}",
        "",
        f"{study.question} Expected: {study.expected}",
        f"Problems, base and teacher: {'as below' if study.seed is None else f'seed {study.seed}'}; "
        f"mix and training: seeds {', '.join(map(str, study.seeds))}.",
    ]
    shown = [f for f in figures if slices or f.slice == "all" or f.suite == "dev"]
    for measure in sorted({f.measure for f in shown}, key=lambda m: list(NAMES).index(m) if m in NAMES else len(NAMES)):
        mine = [f for f in shown if f.measure == measure and not (measure in LESS and " - " in f.arm)]
        if any(f.value for f in mine):
            lines += ["", *_table(measure, mine)]
    return "\n".join(lines)


def _table(measure: str, figures: Iterable[Figure]) -> list[str]:
    rows = [
        f"| {NAMES.get(measure, measure)} | where | mean [95 %] | each seed | n |",
        "| --- | --- | --- | --- | --- |",
    ]
    for f in figures:
        where = ", ".join(part for part in (f.suite, f.strategy, f.slice if f.slice != "all" else "") if part)
        ends = f" [{_number(f, f.low)}, {_number(f, f.high)}]" if f.low is not None and f.high is not None else ""
        each = " / ".join(_number(f, value) for value in f.seeds.values())
        rows.append(f"| {f.arm} | {where} | {_number(f, f.value)}{ends} | {each} | {f.n or ''} |")
    return rows


def _number(f: Figure, value: float | None) -> str:
    sign = "+" if " - " in f.arm else ""
    if value is None:
        return ""
    if f.measure in PERCENT:
        return f"{100 * value:{sign}.1f}"
    if f.measure in ("learned_tokens", "steps"):
        return f"{value:,.0f}"
    return f"{value:{sign}.3f}" if f.measure.startswith("nats") else f"{value:{sign}.1f}"
