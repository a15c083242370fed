"""Real solutions of GSM8K's test: our verdict and others' against labels."""

from collections.abc import Iterator, Sequence
from functools import partial

from _grading.clients import SLOW, Failed, Worker, told
from _grading.place import Data, Place, labels, real
from _grading.table import Row, brief, missing, show

from understudy.answers import Judgement, judge
from understudy.records import Verdict

PUBLISHED = "gsm8k_model_solutions/test_6b"
READ = ("gsm8k_test_traces/mixtral-8x7b-instruct", "gsm8k_test_traces/gpt-4-1106-preview")
MOST = 1
"""Errors in all of them."""


def solutions(place: Place) -> Iterator[Row]:
    """The 6B model's against the published flags, the other two against labels adjudicated where graders differ."""
    what, found = f"real solutions, {PUBLISHED}", real(place, PUBLISHED)
    if found:
        said = [judge(row["solution"], row["answer"]) for row in found]
        truth = [row["is_correct"] for row in found]
        amiss = differing(PUBLISHED, found, said, truth, "solution")
        agree = f"{len(found) - len(amiss)} verdicts as the published flag"
        yield Row(what, len(found), "every row", agree, not amiss, amiss)
    else:
        yield missing(what, "every row")
    yield from read(place)


def read(place: Place) -> Iterator[Row]:
    """Against the labels where graders differ; everywhere else all agree with the published flag."""
    sets = {name: real(place, name) for name in READ}
    what, to_reach = "real solutions, mixtral and gpt-4", f"<= {MOST} error"
    if not all(sets.values()):
        yield missing(what, to_reach)
        return
    truth = {name: truth_of(name, found) for name, found in sets.items()}
    said = {name: [judge(row["rationale"], row["answer"]) for row in found] for name, found in sets.items()}
    amiss = [line for name in READ for line in differing(name, sets[name], said[name], truth[name], "rationale")]
    n, judged = sum(map(len, sets.values())), len(labels("answers/adjudicated"))
    yield Row(what, n, to_reach, f"{len(amiss)} errors ({judged} rows adjudicated)", len(amiss) <= MOST, tuple(amiss))
    yield verdicts({name: dict(enumerate(one, 1)) for name, one in said.items()})
    compare(place, sets, truth, said)


def truth_of(name: str, found: Sequence[Data]) -> list[bool]:
    read = {
        label["line"]: label["verdict"] == "right" for label in labels("answers/adjudicated") if label["set"] == name
    }
    return [read.get(number, bool(row["is_correct"])) for number, row in enumerate(found, 1)]


def verdicts(said: dict[str, dict[int, Judgement]]) -> Row:
    """Of the adjudicated rows the whole verdict: a refusal is no wrong answer."""
    found = [label for label in labels("answers/adjudicated") if label["set"] in said]
    amiss = [
        f"{label['set']}:{label['line']} is {label['verdict']} ({label['reason']}); judged {one.verdict}: {one.why}"
        for label in found
        if (one := said[label["set"]][label["line"]]).verdict != label["verdict"]
    ]
    agree = f"{len(found) - len(amiss)} verdicts as labelled"
    return Row("… the adjudicated rows alone, whole verdict", len(found), "–", agree, None, tuple(amiss))


def differing(
    name: str, found: Sequence[Data], said: Sequence[Judgement], truth: Sequence[bool], field: str
) -> tuple[str, ...]:
    """The rows that are judged otherwise, by their line."""
    return tuple(
        f"{name}:{number} is {'right' if right else 'not right'}, gold {row['answer']}; "
        f"judged {one.verdict}: {one.why}; it ends: {brief(row[field])}"
        for number, (row, one, right) in enumerate(zip(found, said, truth, strict=True), 1)
        if (one.verdict is Verdict.RIGHT) != right
    )  # fmt: skip


def compare(
    place: Place, sets: dict[str, list[Data]], truth: dict[str, list[bool]], ours: dict[str, list[Judgement]]
) -> None:
    """The table of graders."""
    right = [t for name in READ for t in truth[name]]
    pairs = [(row["rationale"], row["answer"]) for name in READ for row in sets[name]]
    calls = {"understudy": [one.verdict is Verdict.RIGHT for name in READ for one in ours[name]]}
    for grader in place.graders:
        if grader.label in SLOW and not place.full:
            continue  # two minutes
        try:
            with Worker(grader) as worker:
                calls[grader.label] = list(map(bool, worker.said(pairs)))
        except Failed as error:
            told(str(error))
    half, share = len(sets[READ[0]]), partial("{:.2f} %".format)
    show(
        f"Right or not right, {len(pairs):,} real solutions of GSM8K's test (accuracy by the labels: mixtral "
        f"{share(100 * sum(right[:half]) / half)}, gpt-4 {share(100 * sum(right[half:]) / (len(right) - half))})",
        ("", "mixtral", "gpt-4", "called right and are not", "right and not called so", "as labelled"),
        [line(label, said, right, half) for label, said in calls.items()],
    )


def line(label: str, said: Sequence[bool], right: Sequence[bool], half: int) -> list[str]:
    false = sum(s and not r for s, r in zip(said, right, strict=True))
    missed = sum(r and not s for s, r in zip(said, right, strict=True))
    parts = (said[:half], said[half:])
    return [
        label, *(f"{100 * sum(part) / len(part):.2f} %" for part in parts), str(false), str(missed),
        f"{100 * (1 - (false + missed) / len(said)):.2f} %",
    ]  # fmt: skip
