"""What is known of an equation in a text."""

from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple


class Status(StrEnum):
    """What an equation is, its operands taken as exact."""

    EXACT = "exact"
    ROUNDED = "rounded"
    """The right side is the left side correctly rounded to at least one decimal."""
    SLIP = "slip"
    UNCHECKED = "unchecked"
    """It has unknowns, is no arithmetic, is out of bounds, or the words around it may explain the difference."""


class SlipKind(StrEnum):
    """How an equation is false."""

    SLIP = "slip"
    """Any way that has no name of its own."""
    FRACTION = "fraction"
    """A fraction is written as another decimal: 3/4 = 0.85, also within 288 * 3/4 = 288 * 0.85."""
    PRODUCT = "product"
    """Numbers are multiplied to another product: 288 * 0.85 = 256."""
    ROUNDED_TO_INT = "rounded_to_int"
    """A quotient is cut to one of the whole numbers beside it: 15/7 = 2."""
    ALGEBRA = "algebra"
    """A step of solving for one unknown changes the solution: 5 = 2S + 10 - 3S, so 5 = 7S."""


class Equation(NamedTuple):
    """One equation as printed."""

    text: str
    start: int
    end: int
    status: Status
    kind: SlipKind | None = None
    """How it is false, if it is a slip."""


class Slip(NamedTuple):
    """A false equation, or a false step from one equation to the next."""

    equation: str
    start: int
    end: int
    kind: SlipKind


class Read(NamedTuple):
    """An equation with the values of its sides."""

    equation: Equation
    left: Fraction | int | None
    right: Fraction | int | None
    decimals: int = 0
    """Of a plain number on the right side."""
    percent: bool = False
    """The right side is a percentage."""
    chained: bool = False
    """Its left side is the right side of the equation before."""
