"""Plain arithmetic: the value of what is plain, and nothing else."""

from fractions import Fraction

import pytest

from understudy.answers.worth import worth

VALUES = [
    ("12", 12), ("3+4", 7), ("3-4*2", -5), ("10/4", Fraction(5, 2)), ("10/5", 2), ("2*(3+4)", 14), ("(1+2)*(3-1)", 6),
    ("-3+5", 2), ("2*(-3)", -6), ("0.1+0.2", Fraction(3, 10)), (".5*4", 2), ("100-20-30", 50), ("64/8/2", 4),
    ("7.50", Fraction(15, 2)), ("((((5))))", 5),
]  # fmt: skip
NOTHING = [
    "", "3+", "*3", "3**4", "3--4", "(3", "3)", "2(3)", "1/0", "0/(1-1)", "3 + 4", "1,000", "1e5", "x", "1.2.3", "5.",
    "()", "9" * 300, "(" * 50 + "1" + ")" * 50,
]  # fmt: skip


@pytest.mark.parametrize(("arithmetic", "value"), VALUES)
def test_plain_arithmetic_has_its_exact_value(arithmetic, value):
    assert worth(arithmetic) == value


@pytest.mark.parametrize("text", NOTHING)
def test_anything_else_has_none(text):
    assert worth(text) is None
