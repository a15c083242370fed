"""Formulas are exact, and nothing but arithmetic."""

from fractions import Fraction

import pytest

from understudy.errors import UserError
from understudy.sources.formula import worth

NAMES = {"x": Fraction(7), "half": Fraction(1, 2), "day": "Monday", "days": ["Monday", "Friday"]}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("0.1 + 0.2 == 0.3", True),
        ("x / 2", Fraction(7, 2)),
        ("x // 2 + x % 2", Fraction(4)),
        ("int(-x / 2)", Fraction(-3)),
        ("round(2.5)", Fraction(2)),
        ("2 ** 10", Fraction(1024)),
        ("1 < x <= 7 and not divides(x, 2)", True),
        ("is_int(x * half) or day == 'Monday'", True),
        ("7 if day in days else 30", Fraction(7)),
        ("[1, 2] * 2", [1, 2, 1, 2]),
        ("days[1]", "Friday"),
        ("days[:1]", ["Monday"]),
        ("half[1] * 4", Fraction(2)),
    ],
)
def test_a_formula_comes_to_what_it_says_exactly(formula, expected):
    assert worth(formula, NAMES) == expected


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('true')",
        "x.numerator",
        "(lambda: 1)()",
        "[y for y in days]",
        "open('x')",
        "9 ** 9 ** 9",
        "x / 0",
        "y + 1",
        "x +",
        "1 if",
        "(" * 500 + "x" + ")" * 500,
    ],
)
def test_what_is_no_arithmetic_is_refused(formula):
    with pytest.raises(UserError, match="cannot be worked out"):
        worth(formula, NAMES)
