"""The answer that most samples give, by what it means."""

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
    classes: list[tuple[Value | str, list[int]]] = []
    for i, answer in enumerate(answers):
        if answer is None:
            continue
        mine = value(answer, kind) or answer
        members = next((members for first, members in classes if matches(mine, first)), None)
        if members is None:
            classes.append((mine, [i]))
        else:
            members.append(i)
    if not classes:
        return Vote(None, 0.0, None)
    winners = max((members for _, members in classes), key=len)
    return Vote(answers[winners[0]], len(winners) / len(answers), winners[0])


def matches(a: Value | str, b: Value | str) -> bool:
    """The two samples say the same; what has no value is compared as text."""
    if isinstance(a, Value) and isinstance(b, Value):
        return a == b or alike(a, b) or alike(b, a)
    return a == b
