"""Values: equal spellings have equal values, and nothing else has."""

from fractions import Fraction

import pytest

from understudy.answers import same, value
from understudy.records import Kind

NUMBERS = [
    ("1,250.50", Fraction(2501, 2)),
    ("-$3", Fraction(-3)),
    ("$-3", Fraction(-3)),
    (".75", Fraction(3, 4)),
    ("2 3/4 hours", Fraction(11, 4)),
    ("\\frac 59", Fraction(5, 9)),
    ("\\frac{9}7", Fraction(9, 7)),
    ("1\\frac{4}{5}", Fraction(9, 5)),
    ("2 million", Fraction(2_000_000)),
    ("seventy-five", Fraction(75)),
    ("three hundred and seven", Fraction(307)),
    ("two thirds", Fraction(2, 3)),
    ("one and a half", Fraction(3, 2)),
    ("3 dollars and 5 cents", Fraction(61, 20)),
    ("2 * (3 + 4)", Fraction(14)),
    ("\\sqrt{49}", Fraction(7)),
    ("25% of 80", Fraction(20)),
    ("11,\\! 111", Fraction(11111)),
    ("5 cm\u00b2", Fraction(5)),
    ("\uff11\uff12", Fraction(12)),
    ("1'250'000", Fraction(1_250_000)),
    ("1_000", Fraction(1000)),
    ("12,34,567", Fraction(1_234_567)),
    ("1.234,50", Fraction(2469, 2)),
    ("1.234.567", Fraction(1_234_567)),
    ("Rs.500", Fraction(500)),
    ("$1.2M", Fraction(1_200_000)),
    ("5k", Fraction(5000)),
    ("0.1(6)", Fraction(1, 6)),
    ("0.\\overline{12}", Fraction(4, 33)),
    ("0.1666...", Fraction(1, 6)),
    ("two and two-thirds", Fraction(8, 3)),
    ("two point five", Fraction(5, 2)),
    ("half of 18", Fraction(9)),
    ("two thirds of 27", Fraction(18)),
    ("twice 9", Fraction(18)),
    ("18 plus 3", Fraction(21)),
    ("18 minus 3", Fraction(15)),
    ("2 and a half", Fraction(5, 2)),
    ("1h30m", Fraction(3, 2)),
    ("none", Fraction(0)),
    ("5!", Fraction(120)),
]


@pytest.mark.parametrize(("text", "key"), NUMBERS)
def test_each_spelling_has_one_exact_value(text, key):
    found = value(text)
    assert found is not None
    assert found.key == key
    assert hash(found) == hash(value(text))


@pytest.mark.parametrize("text", ["9^{9^{9^{9}}}", "10^{5000}", "1/0", "(" * 40 + "1" + ")" * 40])
def test_what_is_out_of_bounds_has_no_value(text):
    assert value(text) is None


@pytest.mark.parametrize(
    "text", ["160 - y", "2x", "x > 5", "5 or 6", "between 5 and 6", "\\pm 5", "x = 5, y = 6", "5:6"]
)
def test_what_is_no_single_number_is_none(text):
    assert not any(same(text, str(n)) for n in (2, 5, 6, 160))


DAYS = [
    "3 May 2024", "May 3, 2024", "May 3rd, 2024", "Friday, May 3, 2024", "05/03/2024", "5/3/2024", "2024-05-03",
    "the 3rd of May, 2024", "3 may 2024.",
]  # fmt: skip


@pytest.mark.parametrize("text", DAYS)
def test_a_day_is_one_value_in_every_spelling(text):
    assert same(text, "05/03/2024", Kind.TEXT)
    assert not same(text, "05/04/2024", Kind.TEXT)
    assert not same(text, "05/03/2025", Kind.TEXT)


def test_what_is_no_day_is_text():
    assert not same("May 2024", "05/03/2024", Kind.TEXT)
    assert not same("13/13/2024", "01/13/2024", Kind.TEXT)
    assert same("May 3", "3 May", Kind.TEXT)
    assert not same("May 3", "May 3, 2024", Kind.TEXT)


def test_a_dozen_is_twelve_and_a_unit():
    assert same("3 dozen eggs", "36")
    assert same("3 dozen eggs", "3")
    assert not same("3 dozen eggs", "12")


def test_numbers_are_compared_whole():
    assert not same("25", "5")  # "25".endswith("5"), yet 25 is not 5


def test_rounding_is_allowed_in_the_reply_only():
    assert same("0.67", "2/3")
    assert not same("2/3", "0.67")
    assert not same("0.66", "2/3")
    assert not same("0.13", "1/8")


def test_a_percent_sign_is_read_either_way_unless_both_have_one():
    assert same("35%", "35")
    assert same("35%", "0.35")
    assert same("0.35", "35%")
    assert not same("0.35", "35")
    assert not same("35%", "0.35%")


def test_a_quantity_in_two_units_is_read_in_either():
    assert same("1 hour and 30 minutes", "1.5")
    assert same("1 hour and 30 minutes", "90")
    assert not same("1 hour and 30 minutes", "1")
    assert not same("3 dollars and 5 cents", "305")


def test_one_answer_given_twice_is_one_answer():
    assert same("1/2 or 50%", "0.5")
    assert same("90 minutes or 1 hour 30 minutes", "90")
    assert not same("1/2 or 60%", "0.5")


def test_a_pair_is_no_number():
    assert not same("(3, 4)", "3")
    assert same("(3, 4)", "(3,4)")


def test_formulas_are_compared_as_values():
    assert same("(x-1)(x+1)", "x^2 - 1", Kind.MATH)
    assert same("\\frac{6}{\\sqrt{2}}", "3\\sqrt{2}", Kind.MATH)
    assert not same("[1,2)", "(1,2)", Kind.MATH)
    assert same("\\left(-\\infty, 2\\right)", "(-\\infty,2)", Kind.MATH)
