"""Labelled answer forms: what we and others make of each of them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from _grading.clients import Failed, Worker, told
from _grading.place import Data, Place, labels, rows
from _grading.table import Row, missing, show

from understudy.answers import Judgement, judge
from understudy.records import Kind, Option, Stop, Verdict

OURS = "understudy"
OWN = ("forms", "more_forms", "kept_back_forms")
CONFORMANCE = "conformance page"
TO_REACH = "100 %, no false positive"


def verdict(row: Data) -> Judgement:
    """Ours on a labelled row."""
    choices = tuple(Option(**choice) for choice in row.get("choices", ()))
    kind, stop = Kind(row.get("kind", "number")), Stop(row.get("stop", "end"))
    return judge(row["text"], row["gold"], kind, stop, choices=choices)


def forms(place: Place) -> Iterator[Row]:
    """Ours, by the whole verdict."""
    found = rows(place.shared / "conformance" / "answers.jsonl") if place.shared else []
    what = f"answer forms, {CONFORMANCE}"
    yield figure(what, found) if found else missing(what, TO_REACH)
    for name in OWN:
        yield figure(f"answer forms, tests/answers/{name}.jsonl", labels(f"answers/{name}"))
    yield unseen()


def unseen() -> Row:
    """Forms of readers who never saw the grader. At their first run 318 of 320 had their verdict; one was mended."""
    row = figure("answer forms, unseen when they were written", labels("answers/unseen_forms"))
    right = (row.n or 0) - len(row.amiss)
    false = " 0 false" in row.measured
    return row._replace(to_reach=">= 97 %, no false positive", reached=right >= 0.97 * (row.n or 0) and false)


def figure(what: str, found: Sequence[Data]) -> Row:
    said = [verdict(row) for row in found]
    pairs = list(zip(found, said, strict=True))
    amiss = [
        f"{row['text'][-120:]!r}, gold {row['gold']!r}, is {row['verdict']} "
        f"({row.get('reason') or row.get('tag') or '–'}); judged {one.verdict}: {one.why}"
        for row, one in pairs
        if one.verdict != row["verdict"]
    ]  # fmt: skip
    right, false = len(found) - len(amiss), sum(is_false(row, one) for row, one in pairs)
    said_so = f"{right} ({100 * right / len(found):.1f} %), {false} false positives"
    return Row(what, len(found), TO_REACH, said_so, not amiss, tuple(amiss))


def is_false(row: Data, one: Judgement) -> bool:
    """A positive that is none."""
    return one.verdict is Verdict.RIGHT and row["verdict"] != "right"


def beside(place: Place) -> Iterator[Row]:
    """Every grader on the same rows: only right or not right is asked, as others know no other verdict."""
    sets = {f"tests/answers/{name}.jsonl": labels(f"answers/{name}") for name in (OWN if place.full else OWN[:1])}
    if place.shared:
        sets = {CONFORMANCE: rows(place.shared / "conformance" / "answers.jsonl"), **sets}
    calls = {OURS: {name: [verdict(row).verdict is Verdict.RIGHT for row in found] for name, found in sets.items()}}
    for grader in place.graders:
        try:
            with Worker(grader) as worker:
                calls[f"{grader.label} ({worker.version})".replace(" ()", "")] = {
                    name: [bool(said) for said in worker.said([(row["text"], row["gold"]) for row in found])]
                    for name, found in sets.items()
                }
        except Failed as error:
            told(str(error))
    for name, found in sets.items():
        show(
            f"Right or not right, {name}: {len(found)} rows, {sum(is_right(row) for row in found)} of them right",
            ("", "called as labelled", "called right and are not", "right and not called so", *kinds(found)),
            [(label, *told_of(found, said[name])) for label, said in calls.items()],
        )
    best = {name: max(map(sum, others(calls, found, name)), default=0) for name, found in sets.items()}
    for name, found in sets.items():
        mine = sum(map(agrees, found, calls[OURS][name]))
        yield Row(f"right or not right, {name}", len(found), "–", f"{mine}; the best other grader {best[name]}", None)


def others(calls: dict[str, dict[str, list[bool]]], found: Sequence[Data], name: str) -> list[list[bool]]:
    return [list(map(agrees, found, said[name])) for label, said in calls.items() if label != OURS]


def is_right(row: Data) -> bool:
    return bool(row["verdict"] == "right")


def agrees(row: Data, said: bool) -> bool:
    return is_right(row) == said


def kinds(found: Sequence[Data]) -> list[str]:
    """The columns of one sort of answer each, with how many there are."""
    counts = Counter(row.get("kind", "number") for row in found)
    return [f"{kind} ({counts[kind]})" for kind in Kind if counts[kind]]


def told_of(found: Sequence[Data], said: Sequence[bool]) -> list[str]:
    """A line of the table."""
    pairs = list(zip(found, said, strict=True))
    by_kind = Counter(row.get("kind", "number") for row, one in pairs if agrees(row, one))
    false = sum(one and not is_right(row) for row, one in pairs)
    missed = sum(not one and is_right(row) for row, one in pairs)
    good = len(pairs) - false - missed
    present = [kind for kind in Kind if any(row.get("kind", "number") == kind for row in found)]
    share = f"{good} ({100 * good / len(pairs):.1f} %)"
    return [share, str(false), str(missed), *(str(by_kind[kind]) for kind in present)]
