"""Equations: which are called false, against labels."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from _grading.place import Data, Place, labels, real, rows
from _grading.table import Row, missing, share

from understudy.answers import algebra_slips, slips

LONGEST = 3000
"""Characters of a text that are labelled."""
PRECISION, RECALL = 0.98, 0.90
BARE = str.maketrans("", "", " $")
UNIT = re.compile(r"(?<=[\d)%])[A-Za-z/]+$")
"""Behind the last number: part of the equation for some readers, and not for others."""


def equations(place: Place) -> Iterator[Row]:
    """The conformance page's, and those of real traces."""
    what, to_reach = "slips, conformance page", "every text"
    found = rows(place.shared / "conformance" / "slips.jsonl") if place.shared else []
    if found:
        amiss = tuple(
            f"{row['text']!r}: labelled {row['slips']}, found {said}"
            for row in found
            if (said := [s.equation for s in slips(row["text"])]) != row["slips"]
        )
        yield Row(what, len(found), to_reach, f"{len(found) - len(amiss)} texts as labelled", not amiss, amiss)
    else:
        yield missing(what, to_reach)
    yield from traced(place)


class Tally:
    """Equations that are false and called so, called so alone, and false alone."""

    def __init__(self) -> None:
        self.both = self.called = self.false = 0
        self.amiss: list[str] = []

    def enter(self, where: str, said: Counter[str], truth: Counter[str]) -> None:
        self.both += (said & truth).total()
        self.called += said.total()
        self.false += truth.total()
        self.amiss += [f"{where}: {one} is called false" for one in (said - truth).elements()]
        self.amiss += [f"{where}: {one} is false and not found" for one in (truth - said).elements()]


def traced(place: Place) -> Iterator[Row]:
    found = labels("answers/real_slips")
    sets = {name: real(place, name) for name in {label["set"] for label in found}}
    if not found or not all(sets.values()):
        yield missing("slips, real traces: precision", f">= {PRECISION:.0%}")
        yield missing("slips, real traces: recall", f">= {RECALL:.0%}")
        return
    plain, algebra, n = Tally(), Tally(), 0
    for label in found:
        text = str(cell(sets[label["set"]][label["line"] - 1], label["field"]))[:LONGEST]
        where, n = f"{label['set']}:{label['line']}", n + label["equations"]
        open_ones = {bare(one) for one in label.get("open", ())}
        plain.enter(where, counted((s.equation for s in slips(text)), open_ones), counted(label["slips"], open_ones))
        steps = counted((s.equation for s in algebra_slips(text)), set(), tight)
        algebra.enter(where, steps, counted(label.get("algebra", ()), set(), tight))
    right, back = share(plain.both, plain.called), share(plain.both, plain.false)
    reached = plain.called > 0 and plain.both / plain.called >= PRECISION
    n_told = f"{len(found)} texts, {n} equations"
    amiss = tuple(plain.amiss)
    yield Row(f"slips, real traces ({n_told}): precision", plain.called, f">= {PRECISION:.0%}", right, reached, amiss)
    reached = plain.false > 0 and plain.both / plain.false >= RECALL
    yield Row("slips, real traces: recall", plain.false, f">= {RECALL:.0%}", back, reached)
    told = f"{algebra.both} found, {algebra.called - algebra.both} called so that are none"
    yield Row("… steps of algebra (second level)", algebra.false, "–", told, None, tuple(algebra.amiss))


def cell(row: Data, path: str) -> object:
    """What stands there; dots reach inside, also by number."""
    found: object = row
    for part in path.split("."):
        found = found[int(part)] if isinstance(found, list) else found.get(part) if isinstance(found, dict) else None
    return found


def tight(equation: str) -> str:
    """Without spaces and currency."""
    return equation.translate(BARE)


def bare(equation: str) -> str:
    """The same without the unit at its end."""
    return UNIT.sub("", tight(equation))


def counted(found: Iterable[str], without: set[str], spelled: Callable[[str], str] = bare) -> Counter[str]:
    """How often each equation stands there, but for those that the page does not settle."""
    return Counter(one for equation in found if (one := spelled(equation)) not in without)
