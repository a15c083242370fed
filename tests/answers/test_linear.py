"""Steps of solving for one unknown: which change the solution, and which are no steps."""

import pytest

from understudy.answers import algebra_slips, slips

FALSE = [  # text, the false steps
    ("3S + 5 = 2S + 10; 5 = 2S + 10 - 3S -> 5 = 7S", ["5 = 2S + 10 - 3S -> 5 = 7S"]),
    ("2x + 23 = 80.\nSubtracting 23 from both sides, we get 2x = 77.", ["2x + 23 = 80 -> 2x = 77"]),
    ("3x = 33. Dividing both sides by 3, we get x = 17", ["3x = 33 -> x = 17"]),
    ("x+3x+12+3x=341\n5x+15=341", ["x+3x+12+3x=341 -> 5x+15=341"]),
    ("71 - x + 38 = 116. So x = 116 - 71 - 38", ["71 - x + 38 = 116 -> x = 116 - 71 - 38"]),
    ("\\( 2C = 50 \\)\n\n\\( C = 20 \\)", ["2C = 50 -> C = 20"]),
    ("4x = 36 \u21d2 x = 8", ["4x = 36 -> x = 8"]),
    ("2x = 75 + 25 = 100\nx = 40", ["2x = 75 + 25 -> x = 40"]),
    ("B - 2 = 38 - 10 - 2 = <<38-10-2=26>>26 left.\nThus, B = 26 + 36", ["B - 2 = 38 - 10 - 2 -> B = 26 + 36"]),
    ("2x = 75 + 25 = 110\nx = 40", ["2x = 75 + 25 = 110 -> x = 40"]),  # the chain is false, and its end goes on
    ("2y = 9 apples, so y = 5.5 apples", ["2y = 9 -> y = 5.5"]),
    ("B - 2 = 26 bandages left.\nThus, the nurses started with B = 52", ["B - 2 = 26 -> B = 52"]),
    ("(10 - 1.5x) / 2 = 2\nSolving for x:\n10 - 1.5x = 2", ["(10 - 1.5x) / 2 = 2 -> 10 - 1.5x = 2"]),
    ("x=<<9*2=18>>18 and so on. 5x = 100\nx = <<30=30>>30", ["5x = 100 -> x = 30"]),
]
FINE = [
    "3S + 5 = 2S + 10; 5 = 2S + 10 - 3S -> 5 = 10 - S -> S = 5",
    "2x + 23 = 80.\nSubtracting 23 from both sides, we get 2x = 57.\nDividing both sides by 2, x = 28.5",
    "x + y = 10\nx - y = 4",  # two unknowns
    "2x + 3y = 12, so x = 6",
    "x = 5. Then 2x = 12",  # already solved
    "The first number satisfies 2x = 10. The second plant has x = 7 leaves",  # set up from the story
    "Let x be the age of Ann: 2x = 10\nLet x be the age of Ben: 3x = 30",
    "Case 1: x + 1 = 5\nCase 2: x - 1 = 5",
    "2x = 10 and 3x = 30",
    "x^2 = 9\nx = 2",  # not linear
    "3x = 10\nx = 3",  # rounded
    "3x = 10\nx = 3.33",
    "3x = 1 hour\nThus 3x = 60 minutes",
    "205+x/10=30\n205+x=300",  # may be (205 + x)/10
    "2*3*x = 6*x apple candies.\n10*x = 80",  # true for every x
    "She spent 6W = 30 feet / 2, so W = 2.5",
    "x * 75% = 30\nx = 22.5",  # a percentage, and of what
    "f(x) = 2x + 1\nf(x) = 5",
    "16X = $6,000\nX = 375",
    "a = 4, a = 5",
    "for i = 1 to 5: i = 2",
    "Ann's age + 4 = 28\nAnn's age = 20",
]


@pytest.mark.parametrize(("text", "expected"), FALSE)
def test_a_step_that_changes_the_solution_is_told(text, expected):
    assert [s.equation for s in algebra_slips(text)] == expected


@pytest.mark.parametrize("text", FINE)
def test_what_follows_or_is_no_step_is_left_alone(text):
    assert algebra_slips(text) == ()


def test_a_step_knows_its_place_and_kind_and_is_no_slip_of_arithmetic():
    text = "We know that 2x + 4 = 10.\nSo 2x = 14."
    (step,) = algebra_slips(text)
    assert text[step.start : step.end] == "2x + 4 = 10.\nSo 2x = 14" and step.kind == "algebra"
    assert slips(text) == ()


def test_one_wrong_step_is_told_once():
    steps = algebra_slips("5x = 100\nx + x = 80\n2x = 80\nx = 40")
    assert [s.equation for s in steps] == ["5x = 100 -> x + x = 80"]
