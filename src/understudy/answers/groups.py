"""What mathematical answers are made of beside numbers: ends without end, intervals and points, matrices, equations."""

import re
from collections.abc import Hashable
from fractions import Fraction
from typing import NamedTuple

from understudy.answers.algebra import Monomial, Sum

SIDES = {"(": (")", "]"), "[": ("]", ")"), "\\{": ("\\}",), "{": ("}",)}
"""Which brackets may close what was opened."""
MARK = re.compile(r"\\[{}]|[()\[\]{}]|,|;")
THOUSANDS = re.compile(r",\d{3}(?!\d)")
MAX_DEPTH = 24


class Infinity(NamedTuple):
    """Without end."""

    sign: int
    """1 or -1"""


class Based(NamedTuple):
    """Digits in a base that is named."""

    digits: str
    base: int


class Group(NamedTuple):
    """A point or an interval: what stands in brackets, in its order."""

    opening: str
    closing: str
    members: tuple[Hashable, ...]


class Matrix(NamedTuple):
    """Rows of cells."""

    rows: tuple[tuple[Hashable, ...], ...]


class Named(NamedTuple):
    """One of several unknowns: x = 1 in "x = 1, y = 2"."""

    name: str
    value: Hashable


class Relation(NamedTuple):
    """An equation, as a sum that is zero; its first coefficient is 1."""

    terms: tuple[tuple[Monomial, Fraction], ...]


def outside(text: str) -> list[str]:
    """The parts between commas or semicolons outside brackets; at a comma of thousands only if there is no other."""
    for last in (False, True):
        out, depth, at = [], 0, 0
        for m in MARK.finditer(text):
            if m.group() not in (",", ";"):
                depth += 1 if m.group()[-1] in "([{" else -1
            elif depth == 0 and (last or not THOUSANDS.match(text, m.start())):
                out.append(text[at : m.start()])
                at = m.end()
        if out:
            break
    return [part for part in (*out, text[at:]) if part.strip()]


def depth(text: str) -> int:
    """How deep brackets are nested."""
    deepest = now = 0
    for c in text:
        now += (c in "([{") - (c in ")]}")
        deepest = max(deepest, now)
    return deepest


def settled(key: Hashable) -> bool:
    """Exact and in one form only: unlike keys of this sort are unlike answers."""
    if isinstance(key, Group):
        return all(map(settled, key.members))
    if isinstance(key, Matrix):
        return all(settled(cell) for row in key.rows for cell in row)
    if isinstance(key, frozenset):  # of groups, it is a union: (0, 1] and (1, 2) make one interval
        return all(settled(member) and not isinstance(member, Group) for member in key)
    return isinstance(key, (Fraction, Sum, Infinity, Based))
