"""Curation against what is known: the oracle's planted faults, labels of real traces, the tests' questions."""

from collections.abc import Iterator, Mapping, Sequence

from _grading.equations import cell
from _grading.place import Data, Place, labels, real
from _grading.table import Row, missing, share, show

from understudy import sources
from understudy.engines.oracle import Oracle
from understudy.recipe import Counts, Curate, Source
from understudy.records import Judged, Kind, Metric, Option, Problem, Prompt, Sample, Sampling, Split, Trace
from understudy.sources import overlap, word_problems
from understudy.steps.curate import curate, with_ledger

F1 = 0.95
PROBLEMS, EACH = 750, 4
MESSY = 0.37
WORDS = 13
"""In a run that two questions share."""


def silent(line: str) -> None:
    """Nobody watches."""


# --- the oracle -------------------------------------------------------------------------------------------------------


def oracle(place: Place) -> Iterator[Row]:
    """Traces with hidden faults: which rules find them, and how many clean ones they take for faulty."""
    counts = Counts(train=PROBLEMS, test=0, dev=0, calibration=0)
    made = word_problems.problems(Source(name="word_problems", counts=counts), place.seed)
    problems = {problem.id: problem for problem in made}
    teacher = Oracle(problems, MESSY)
    prompts = [Prompt(id=key, messages=()) for key in problems]
    drawn = teacher.sample(prompts, Sampling(n=EACH, seed=place.seed))
    traces = [trace(prompts[one.prompt].id, one.number, one.sample) for one in drawn]
    book = with_ledger(
        curate(traces, problems, Curate(), silent), problems, silent,
        lambda t: teacher.fault(t.problem, int(t.id.rpartition("#")[2]), place.seed),
    )  # fmt: skip
    found = {(m.name, m.slice): m for m in book if isinstance(m, Metric) and m.suite == "planted"}
    faults = [slice for name, slice in found if name == "recall" and slice != "all"]
    lines = [
        (slice.removeprefix("fault="), told(found.get(("recall", slice))), told(found.get(("precision", slice))))
        for slice in [*faults, "all"]
    ]
    show(
        f"Planted faults in {len(traces):,} traces of the oracle", ("fault", "recall", "precision of its rules"), lines
    )
    reached = found["f1", "all"].value or 0.0
    yield Row("messy teacher, oracle: F1", len(traces), f">= {F1}", f"{reached:.4f}", reached >= F1)


def trace(problem: str, number: int, sample: Sample) -> Trace:
    return Trace(
        id=f"{problem}#{number}", problem=problem, teacher="t", prompt_hash="p", sampling_hash="s", sample=sample
    )


def told(metric: Metric | None) -> str:
    return "–" if metric is None or metric.value is None else share(round(metric.value * metric.n), metric.n)


# --- real traces ------------------------------------------------------------------------------------------------------

OPEN = ("think_style_mixed/humor", "distill_audit_traces/students", "s1k_sample/sample")
"""Talk, essays and proofs: there is no short gold answer."""
SIGNS = {
    "ungrounded": ("ungrounded_quantity",),
    "tags": ("tags", "unclosed_thought", "cut_off"),
    "several_answers": ("several_answers", "two_answers"),
    "repeats": ("repeats", "degenerate_list"),
}
"""Label to the rules and flags that say the same; any other label is the rule of that name."""


def signs(label: str) -> tuple[str, ...]:
    return SIGNS.get(label, (label,))


def labelled(place: Place) -> Iterator[Row]:
    """Traces that were read and labelled: what the rules and flags say of each."""
    found, what = labels("steps/labelled_traces"), "messy teacher, real traces"
    sets = {name: real(place, name) for name in {label["set"] for label in found}}
    if not found or not all(sets.values()):
        yield missing(what, "reported")
        return
    said = [*judged(found, sets)]
    names = sorted({fault for label in found for fault in label["faults"]})
    calls = {name: [not seen.isdisjoint(signs(name)) for seen in said] for name in names}
    truth = {name: [name in label["faults"] for label in found] for name in names}
    lines = [(name, *detected(truth[name], calls[name])) for name in names]
    show("Real traces, by label", ("label", "labelled", "of these found", "called so", "of these labelled"), lines)
    amiss = tuple(
        f"{label['set']}:{label['line']} is {'' if true else 'not '}{name}; "
        f"rules and flags: {', '.join(sorted(seen)) or 'none'}"
        for name in names
        for label, seen, true, called in zip(found, said, truth[name], calls[name], strict=True)
        if true != called
    )
    over_all = f1([t for name in names for t in truth[name]], [c for name in names for c in calls[name]])
    yield Row(f"{what}: F1 over all labels", len(found), "reported", f"{over_all:.3f}", None, amiss)
    faulty, dropped = (
        [any(of) for of in zip(*truth.values(), strict=True)],
        [any(of) for of in zip(*calls.values(), strict=True)],
    )
    figure = f"{f1(faulty, dropped):.3f} ({sum(faulty)} faulty, {sum(dropped)} called so)"
    yield Row(f"{what}: F1 of faulty or not", len(found), "reported", figure, None)


def detected(truth: Sequence[bool], called: Sequence[bool]) -> tuple[str, str, str, str]:
    """Labelled and found, called so and labelled."""
    both = sum(t and c for t, c in zip(truth, called, strict=True))
    return str(sum(truth)), share(both, sum(truth)), str(sum(called)), share(both, sum(called))


def f1(truth: Sequence[bool], called: Sequence[bool]) -> float:
    both = sum(t and c for t, c in zip(truth, called, strict=True))
    return 2 * both / max(sum(truth) + sum(called), 1)


def judged(found: Sequence[Data], sets: Mapping[str, Sequence[Data]]) -> Iterator[frozenset[str]]:
    """Of each label's trace, the rules against it and the flags it shows.

    The trace is the labelled text alone; but whether it differs from the teacher's answer, kept in a column of its own,
    is asked of both together.
    """
    alone, whole, problems = list[Trace](), list[Trace](), dict[str, Problem]()
    for number, label in enumerate(found):
        row = sets[label["set"]][label["line"] - 1]
        problem = asked(label, row, number)
        problems[problem.id] = problem
        text = str(cell(row, label["field"]))
        alone.append(trace(problem.id, 0, Sample(text=text)))
        answer = cell(row, "meta.teacher_label")
        reply = Sample(text=f"<think>\n{text}\n</think>\n\nThe answer is {answer}.") if answer else Sample(text=text)
        whole.append(trace(problem.id, 0, reply))
    both = zip(seen(alone, problems), seen(whole, problems), strict=True)
    for one, other in both:
        yield one | (other & {"mismatch"})


def seen(traces: Sequence[Trace], problems: Mapping[str, Problem]) -> Iterator[frozenset[str]]:
    one: Judged
    for one in curate(traces, problems, Curate(), silent):
        yield frozenset((*one.against, *one.flags))


def asked(label: Data, row: Data, number: int) -> Problem:
    """The problem of a labelled trace."""
    choices = tuple(Option(**choice) for choice in row.get("choices") or ())
    kind = Kind.OPEN if label["set"] in OPEN else Kind.CHOICE if choices else Kind.NUMBER
    return Problem(
        id=f"{label['set']}/{number:03}", question=row["question"], kind=kind, choices=choices, source=label["set"],
        answer=None if kind is Kind.OPEN else str(row["answer"]), split=Split.TRAIN,
    )  # fmt: skip


# --- what tests ask ---------------------------------------------------------------------------------------------------

PAIRS = (
    ("svamp", (("distilling_step_by_step/svamp_train.jsonl", "train"), ("svamp/test.jsonl", "test")), 100, 269),
    ("gsm8k", (("gsm8k/train.jsonl", "train"), ("gsm8k/test.jsonl", "test")), 0, 4),
)
"""Set, its two files, questions that are a test's, and those that share a run of words with one."""


def contamination(place: Place) -> Iterator[Row]:
    """Training questions that a test asks too, each with its evidence."""
    for name, files, same, shared in PAIRS:
        yield from overlaps(place, name, files, same, shared)


def overlaps(place: Place, name: str, files: Sequence[tuple[str, str]], same: int, shared: int) -> Iterator[Row]:
    what = f"decontamination, {name}"
    paths = [(place.shared / "data" / path, split) for path, split in files] if place.shared else []
    if not paths or not all(path.exists() for path, _ in paths):
        yield missing(f"{what}: the same question or nearly", str(same))
        yield missing(f"{what}: {WORDS} words in a row shared", str(shared))
        return
    given = [Source(name=f"{name}_{split}", path=str(path), split=split) for path, split in paths]
    rows = overlap.marked(lambda: sources.load(given, place.seed), WORDS)
    marked = [row for row in rows if isinstance(row, Problem) and (row.overlap or row.resembles)]
    alike = [row for row in marked if row.overlap and row.overlap.startswith(("same", "nearly"))]
    dropped = sum(row.overlap is not None for row in marked)
    bare = [row.id for row in marked if not evidence(row.overlap or row.resembles or "")]
    yield Row(f"{what}: the same question or nearly", None, str(same), str(len(alike)), len(alike) == same)
    said = f"{len(marked)}, of which {dropped} are dropped by default; {len(bare)} without evidence"
    yield Row(f"{what}: {WORDS} words in a row shared", None, str(shared), said, len(marked) == shared and not bare)


def evidence(why: str) -> bool:
    """It names the test question."""
    return "/test/" in why
