"""Equations in a text, each checked as printed: exact, rounded, a slip, or unchecked when in doubt."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

from understudy.answers.algebra import Sum
from understudy.answers.compare import near, slip_kind, status
from understudy.answers.equation import Equation, Read, Slip, Status
from understudy.answers.glance import Row, glance, place
from understudy.answers.prepare import NOTE, SIGN, blank, compares, prepared, printed
from understudy.answers.sides import Side, left_side, right_side

GLANCES = True
"""Tests switch it off to compare."""
FIRST, LAST = 2000, 1000
"""Equals signs of one text that are looked at: of more, those at its beginning and those at its end."""
FIRST_PARSED, LAST_PARSED = 400, 200
"""The same of equations that `glance` leaves open, in notes, and as many around them."""
UNWRITTEN = re.compile(r"[^\d.+*/()=^-]")
"""What two spellings of an equation may differ in."""
EQUALS = re.compile("=")
BESIDE = 8
"""Characters between an equation and a note on its right side."""


def slips(text: str) -> tuple[Slip, ...]:
    """The equations that are false, each counted once.

    >>> [s.equation for s in slips("7 * 6 = 42, then 42 / 4 = 10")]
    ['42 / 4 = 10']
    """
    return tuple([Slip(e.text, e.start, e.end, e.kind) for e in equations(text) if e.kind])


@lru_cache(maxsize=8)
def equations(text: str) -> tuple[Equation, ...]:
    """Every equation in order; a chain is read pair by pair, a note <<a=b>> and the same around it count once.

    An equation stands at a sign: = or one of about equal. What is about equal is a slip only if it is off by more than
    a twentieth; words ("is equal to") are no sign.
    """
    if "=" not in text and "\uff1d" not in text and "\u2248" not in text and "\\approx" not in text:
        return ()
    plain = ends(prepared(text))
    noted: Sequence[Row]
    around: Sequence[Row]
    noted, around, settled = glance(text, plain) if GLANCES else ([], [], set())
    if len(settled) < plain.count("=") or not text.isascii() and "\u2248" in plain or "\\approx" in plain:
        noted, around = parsed(text, plain, noted, around, settled)
    found = sorted((*noted, *around), key=place) if noted and around else noted or around
    return tuple([row[0] for row in found])


def ends(plain: str) -> str:
    """The text, of very many equals signs only the first and the last ones; places stay places."""
    if plain.count("=") <= FIRST + LAST:
        return plain
    signs = [m.start() for m in EQUALS.finditer(plain)]
    first, last = signs[FIRST], signs[-LAST - 1] + 1  # at signs, so that no side is cut
    return plain[:first] + " " * (last - first) + plain[last:]


def few(places: Sequence[int]) -> Container[int]:
    """Of very many places all but the first and the last ones: what is passed over."""
    return frozenset(places[FIRST_PARSED:-LAST_PARSED]) if len(places) > FIRST_PARSED + LAST_PARSED else ()


def parsed(
    text: str, plain: str, in_notes: list[Row], others: list[Row], settled: set[int]
) -> tuple[Sequence[Row], Sequence[Row]]:
    """Equations in notes and around them, those that are not settled yet among them."""
    noted, around = [*map(Read._make, in_notes)], [*map(Read._make, others)]
    notes = [
        m for m in NOTE.finditer(plain) if plain.find("=", m.start(1), m.end(1)) not in settled or m[1].count("=") > 1
    ]
    passed = few([m.start() for m in notes])
    for m in notes:
        if m.start() not in passed:
            noted.extend(read(text, plain, m.start(1), m.end(1), settled))
    if "<<" in plain:
        plain = NOTE.sub(blank, plain)
    around.extend(read(text, plain, 0, len(plain), settled))
    noted.sort(key=place)
    around.sort(key=place)
    return noted, [*unlike_notes(around, noted)] if noted else around


def read(text: str, plain: str, start: int, end: int, settled: set[int]) -> list[Read]:
    """Equations between two places of `plain`, which is the text made ready, at signs that are not settled."""
    signs = [m for m in SIGN.finditer(plain, start, end) if m.start() in settled or not compares(plain, m)]
    passed = few([m.start() for m in signs if m.start() not in settled])
    until = [*(m.start() for m in signs[1:]), end]
    out: list[Read] = []
    lowest = start
    whole: bool | None = False
    for n, sign in enumerate(signs):
        closed = n + 1 < len(signs)
        if sign.start() in settled or sign.start() in passed:
            whole, lowest = None, sign.end()
            continue
        left, right = left_side(plain, lowest, sign.start()), right_side(plain, sign.end(), until[n], closed=closed)
        if whole is None and left is not None and left.whole:
            last = right_side(plain, lowest, sign.start(), closed=True)
            whole = last is not None and last.whole
        chained = left is not None and left.whole and whole is True
        if left is not None or right is not None:
            found = equation(text, plain, left, right, sign, chained)
            out.append(Read(found, value(left), value(right), *form(right), chained))
        whole = right is not None and right.whole
        lowest = sign.end()
    return out


def value(side: Side | None) -> Fraction | int | None:
    exact = side.value if side is not None else None
    return exact.approximate() if isinstance(exact, Sum) else exact


def form(right: Side | None) -> tuple[int, bool]:
    return (right.decimals or 0, right.percent) if right is not None else (0, False)


def equation(
    text: str, plain: str, left: Side | None, right: Side | None, sign: re.Match[str], chained: bool
) -> Equation:
    if left is None or right is None:
        start, end = left.start if left else sign.start(), right.end if right else sign.end()
        return Equation(printed(text, start, end), start, end, Status.UNCHECKED)
    start, end = begin(text, plain, left, right), right.end
    stands = status(plain, left, right, chained=chained, about=sign.group() != "=")
    kind = slip_kind(left, right) if stands is Status.SLIP else None
    return Equation(printed(text, start, end), start, end, stands, kind)


def begin(text: str, plain: str, left: Side, right: Side) -> int:
    """The currency sign or \\left before the left side belongs to it; a maths delimiter does not."""
    at = left.start
    inside_maths = plain[right.end : right.end + 1] == "$"
    if at and plain[at - 1] == "$" and not inside_maths:
        at -= 1
        if at and plain[at - 1] == "\\":
            at -= 1
    return at - 5 if at >= 5 and text.startswith("\\left", at - 5) else at


def unlike_notes(around: list[Read], noted: list[Read]) -> Iterator[Read]:
    """Equations of the text that say something else than the notes in the same chain of equals signs."""
    places = [note.equation.start for note in noted]
    for chain in chains(around):
        first = bisect_left(places, chain[0].equation.start)
        last = bisect_right(places, chain[-1].equation.end + BESIDE)
        if first == last:
            yield from chain
            continue
        texts = {UNWRITTEN.sub("", note.equation.text) for note in noted[first:last]}
        for r in chain:
            here = r.equation
            until = bisect_right(places, here.end + (BESIDE if r.right is None else 0))
            inside = noted[bisect_left(places, here.start) : until]
            if UNWRITTEN.sub("", here.text) not in texts and not any(says_the_same(r, note) for note in inside):
                yield r


def chains(around: list[Read]) -> Iterator[list[Read]]:
    chain: list[Read] = []
    for r in around:
        if chain and not r.chained:
            yield chain
            chain = []
        chain.append(r)
    if chain:
        yield chain


def says_the_same(around: Read, note: Read) -> bool:
    """An equation is what the note in it says, with units or more rounded, or cannot be checked beside it."""
    if around.equation.status is Status.UNCHECKED:
        return True
    a, b, x, y = around.left, around.right, note.left, note.right
    if a is None or b is None or x is None or y is None:
        return False
    if (a, b) == (x, y) or (100 * a, 100 * b) == (x, y):
        return True
    # "are 3 - 5 = <<3-5=-2>>2 fewer": what stands behind a note tells how many, and may leave the sign out.
    return a == x and (
        b == -y or around.percent and 100 * b == y or around.decimals > 0 and near(y, b, around.decimals)
    )
