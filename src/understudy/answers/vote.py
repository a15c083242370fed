"""The answer that most samples give, by what it means."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from understudy.answers.numeric import Value
from understudy.answers.same import alike
from understudy.answers.value import value
from understudy.records import Kind


class Vote(NamedTuple):
    """The winning answer."""

    answer: str | None
    """As the first sample of the winning class spells it."""
    agreement: float
    """Share of all samples that give it, 0 to 1; 0 if none was found."""
    winner: int | None
    """Index of that first sample."""


def vote(answers: Sequence[str | None], kind: Kind = Kind.NUMBER) -> Vote:
    """The commonest answer; of equals, the one seen first. None never wins, but counts among the samples.

    >>> vote(["72", None, "72", "32"])
    Vote(answer='72', agreement=0.5, winner=0)
    """
    counts = Counter(c for c in classes(answers, kind) if c is not None)
    if not counts:
        return Vote(None, 0.0, None)
    winner, votes = counts.most_common(1)[0]
    return Vote(answers[winner], votes / len(answers), winner)


def classes(answers: Sequence[str | None], kind: Kind = Kind.NUMBER) -> list[int | None]:
    """Of each sample the index of the first one that says the same; None has no class.

    >>> classes(["72", None, "72.0", "32"])
    [0, None, 0, 3]
    """
    known: list[tuple[Value | str, int]] = []
    found: list[int | None] = []
    for i, answer in enumerate(answers):
        mine = None if answer is None else value(answer, kind) or answer
        same = None if mine is None else next((at for first, at in known if matches(mine, first)), i)
        if mine is not None and same == i:
            known.append((mine, i))
        found.append(same)
    return found


def matches(a: Value | str, b: Value | str) -> bool:
    """The two samples say the same; what has no value is compared as text."""
    if isinstance(a, Value) and isinstance(b, Value):
        return a == b or alike(a, b) or alike(b, a)
    return a == b
