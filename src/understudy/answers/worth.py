"""Plain sums and products of plain numbers to exact values: the arithmetic that most equations are made of."""

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from operator import add, mul, sub

TWO = re.compile(r"(\d{1,12})([-+*/])(\d{1,12})")
NUMBER = re.compile(r"\d{0,30}\.\d{1,30}")
MAX_LENGTH = 200
MAX_DEPTH = 20
PART = re.compile(r"\d+(?:\.\d+)?|\.\d+|[-+*/()]")


class Unplain(Exception):
    """Not plain arithmetic, or without a value."""


def quotient(a: Fraction | int, b: Fraction | int) -> Fraction | int | None:
    """As a whole number where it is one: those are faster."""
    if not b:
        return None
    if isinstance(a, int) and isinstance(b, int):
        return Fraction(a, b) if a % b else a // b
    return Fraction(a) / b


OPERATIONS: dict[str, Callable[[int, int], Fraction | int | None]] = {"+": add, "-": sub, "*": mul, "/": quotient}


@lru_cache(maxsize=1 << 14)
def worth(arithmetic: str) -> Fraction | int | None:
    """The value of digits, points, + - * / and brackets without blanks; None if it is anything else or has no value.

    >>> worth("(1+2)*4/8")
    Fraction(3, 2)
    """
    if m := TWO.fullmatch(arithmetic):
        return OPERATIONS[m[2]](int(m[1]), int(m[3]))
    if arithmetic.isdigit() and len(arithmetic) < 16:
        return int(arithmetic)
    if NUMBER.fullmatch(arithmetic):
        return amount(arithmetic)
    parts = PART.findall(arithmetic) if len(arithmetic) <= MAX_LENGTH else []
    if "".join(parts) != arithmetic:
        return None
    try:
        value, end = added(parts, 0, 0)
    except (Unplain, IndexError):
        return None
    return value if end == len(parts) else None


def added(parts: list[str], at: int, depth: int) -> tuple[Fraction | int, int]:
    """The sum that begins at one part, and where it ends."""
    total: Fraction | int = 0
    value, at = factor(parts, at, depth)
    while at < len(parts) and (sign := parts[at]) in OPERATIONS:
        other, at = factor(parts, at + 1, depth)
        if sign == "*":
            value = value * other
        elif sign == "/":
            share = quotient(value, other)
            if share is None:
                raise Unplain
            value = share
        else:
            total = total + value if total else value
            value = other if sign == "+" else -other
    return total + value if total else value, at


def factor(parts: list[str], at: int, depth: int) -> tuple[Fraction | int, int]:
    part = parts[at]
    if part not in "+-*/()":
        return amount(part), at + 1
    if part == "(":
        if depth == MAX_DEPTH:
            raise Unplain
        value, at = added(parts, at + 1, depth + 1)
        if parts[at] != ")":
            raise Unplain
        return value, at + 1
    if part != "-" or at and parts[at - 1] != "(":
        raise Unplain
    value, at = factor(parts, at + 1, depth)
    return -value, at


@lru_cache(maxsize=1 << 14)
def amount(digits: str) -> Fraction | int:
    """The value of a plain number: 12, 3.50, .5."""
    whole, point, part = digits.partition(".")
    if not point:
        return int(whole)
    value = Fraction(int(whole + part), 10 ** len(part))
    return value.numerator if value.denominator == 1 else value
