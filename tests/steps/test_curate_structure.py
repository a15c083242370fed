"""The structure of a solution is read as a person would read it: where quantities come from, and where they lead."""

import pytest

from understudy import answers
from understudy.steps.curate.structure import path, quantities, structure

EGGS = "A box holds 12 eggs and a farmer fills 3 boxes and then adds 4 more eggs. How many eggs are there?"
SALE = "Tom sells half of his twenty-five $1,200 lamps at 20% off. How much is that in two hundred days?"


@pytest.mark.parametrize(
    ("text", "answer", "score", "why"),
    [
        ("12 * 3 = 36. 36 + 4 = 40.", "40", 1, ""),
        ("12*3=<<12*3=36>>36 and 36+4=<<36+4=40>>40", "$40.00", 1, ""),
        ("12 * 3 + 4 = 36 + 4 = 40", "40 eggs", 1, ""),
        ("12 * 3 = 36. 36 + 4 = 40. Check: 40 - 4 = 36.", "40", 5 / 6, "the last step gives 36, not the answer"),
        ("12 * 3 = 36. 36 + 4 = 40.", "41", 2 / 3, "the last step gives 40, not the answer"),
        ("12 * 3 + 4 = 40", "40", 5 / 6, "1 step"),
        ("12 * 17 = 204. 36 + 4 = 40.", "40", 5 / 6, "17 in '12 * 17 = 204' comes from nowhere"),
        ("12 * 3 = 36. 36 + 9 = 45.", "45", 1 / 3 + 1 / 6 + 1 / 3, "9 in '36 + 9 = 45' comes from nowhere"),
        ("Three boxes hold thirty-six, and four more make forty.", "40", 0, "0 steps"),
        ("12 * 3 = 36. 36 + 4 = 40.", None, 2 / 3, "the last step gives 40, not the answer"),
        ("12 * 3 = 36. 40 + 0 = 40.", "(36 + 4)", 5 / 6, "40 in '40 + 0 = 40' comes from nowhere"),
    ],
)
def test_a_score_says_what_is_amiss(text, answer, score, why):
    found = structure(text, answers.equations(text), quantities(EGGS), answer)
    assert found.score == pytest.approx(score) and found.why == why


def test_algebra_that_is_not_read_has_no_structure():
    text = "Let x = y + z. Then 2x = y."
    assert structure(text, (), frozenset(), "40") is None


@pytest.mark.parametrize("number", [2, 0.5, 25, 1200, 20, 0.2, 0.8, 1.2, 80, 120, 200])
def test_a_question_names_quantities_in_every_spelling(number):
    assert any(abs(number - found) < 1e-9 for found in quantities(SALE))


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("3/4 of it", 0.75),
        ("3/4 of it", 0.25),
        ("a dozen", 12),
        ("$350k", 350_000),
        ("5 thousand", 5000),
        ("$.50", 0.5),
    ],
)
def test_fractions_and_scales_are_quantities(question, number):
    assert number in quantities(question)


def test_what_a_question_does_not_name_is_none_of_its_quantities():
    assert quantities(EGGS) == {12, 3, 4}


@pytest.mark.parametrize("text", ["9" * 5000, "1/0", "0/0", "1e999 9/0.0", "." * 100, "%" * 50, "\u0664 \u00b2"])
def test_hostile_questions_have_some_quantities_or_none(text):
    quantities(text)
    structure(f"{text} = {text}", answers.equations(f"{text} = 1"), quantities(text), text)


def test_a_path_is_its_equations_whatever_the_spacing():
    ways = ["12 * 3 = $36, and 36 + 4 = 40", "12*3=36 36+4=40"]
    assert len({path(answers.equations(way)) for way in ways}) == 1
    assert path(answers.equations("36+4=40 12*3=36")) != path(answers.equations(ways[1]))
