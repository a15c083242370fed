"""Mathematical answers by their exact values alone: every spelling of an answer is that answer, and nothing else is."""

import pytest

from understudy.answers import Policy, judge, same, value
from understudy.answers.maths import undecided
from understudy.records import Kind, Verdict

EXACT = Policy(symbolic=False)

SPELLINGS = [  # one answer, and other spellings of it
    ("\\frac{7}{4}", ["\\frac74", "7/4", "1.75", "1\\frac{3}{4}", "\\dfrac{7}{4}", "x = \\frac{7}{4}"]),
    ("12,\\!345", ["12345", "12,345", "12{,}345", "\\$12,345"]),
    ("5\\sqrt{7}", ["\\sqrt{175}", "\\frac{35}{\\sqrt7}", "5 \\cdot 7^{1/2}", "5\\sqrt7 \\text{ cm}"]),
    ("2+\\sqrt{3}", ["\\frac{1}{2-\\sqrt{3}}", "\\sqrt{3}+2"]),
    ("\\frac{1}{\\sqrt2+\\sqrt3+\\sqrt5}", ["\\frac{3\\sqrt2+2\\sqrt3-\\sqrt{30}}{12}"]),
    ("3-4i", ["-4i+3", "3-4\\mathrm{i}", "\\frac{25}{3+4i}", "z = 3 - 4i"]),
    ("n^3-1", ["(n-1)(n^2+n+1)", "-1+n^3", "\\frac{n^4-n}{n}", "\\frac{(n^3-1)(n+7)}{n+7}", "f(n) = n^3 - 1"]),
    ("(2,9]", ["\\left(2, 9\\right]", "]2, 9]", "2 < x \\le 9", "9 \\geq t > 2", "x \\in (2,9]"]),
    ("(2,9]", ["\\{x \\mid 2 < x \\leq 9\\}", "(2; 9]"]),
    ("(-\\infty, 4)", ["x < 4", "4 > x", "]-\\infty, 4[", "(-\u221e, 4)"]),
    ("[6,\\infty)", ["y \\ge 6", "[6, +\\infty)"]),
    ("(1,3) \\cup (5,8)", ["(5,8) \\cup (1,3)", "1 < x < 3 \\text{ or } 5 < x < 8", "x \\in (5,8)\\cup(1,3)"]),
    ("(12,345)", ["(12, 345)", "\\left(12, 345\\right)"]),
    ("2 \\pm \\sqrt{3}", ["2+\\sqrt3, 2-\\sqrt3", "\\{2-\\sqrt3, 2+\\sqrt3\\}", "x = \\frac{4 \\pm 2\\sqrt{3}}{2}"]),
    ("\\{-4, 9, 11\\}", ["9, 11, -4", "11, 9 \\text{ and } -4", "x = 9, x = 11, x = -4"]),
    ("a=2, b=5", ["b=5, a=2"]),
    ("(x,y) = (8, -3)", ["(8,-3)"]),
    ("\\begin{pmatrix} 1/2 \\\\ 3 \\end{pmatrix}", [
        "\\begin{bmatrix} \\frac12 \\\\ 3 \\end{bmatrix}", "\\frac{1}{2}\\begin{pmatrix} 1 \\\\ 6 \\end{pmatrix}",
        "\\left(\\begin{array}{c} 0.5 \\\\ 3 \\end{array}\\right)", "-\\begin{pmatrix}-1/2\\\\-3\\end{pmatrix}",
    ]),
    ("3x - 2y + 7 = 0", ["3x - 2y = -7", "2y - 3x - 7 = 0", "6x + 14 = 4y"]),
    ("73_8", ["73_{8}", "73_{\\text{eight}}", "73_{(8)}"]),
    ("-\\infty", ["- \\infty", "-\u221e"]),
    ("65^\\circ", ["65", "65^{\\circ}", "65\u00b0", "65 \\text{ degrees}", "\\angle ABC = 65^\\circ"]),
    ("\\text{(D)}", ["D", "(D)", "\\textbf{D}"]),
    ("9:4", ["18:8"]),
    ("\\emptyset", ["\\varnothing", "\\{\\}"]),
    ("\\text{no solution}", ["No solution."]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("gold", "reply"), [(gold, reply) for gold, replies in SPELLINGS for reply in (gold, *replies)]
)
def test_every_spelling_is_the_same_answer(gold, reply):
    assert judge(f"\\boxed{{{reply}}}", gold, Kind.MATH, policy=EXACT).verdict is Verdict.RIGHT


UNLIKE = [
    ("\\frac{7}{4}", "\\frac{4}{7}"), ("12,\\!345", "12, 345"), ("12,\\!345", "1,2345"), ("5\\sqrt{7}", "7\\sqrt{5}"),
    ("3-4i", "3+4i"), ("n^3-1", "n^3+1"), ("n^3-1", "m^3-1"), ("n^2", "\\frac{n^4-n}{n}"), ("(2,9]", "[2,9)"),
    ("(2,9]", "2 \\le x \\le 9"), ("(2,9)", "\\{2,9\\}"), ("(2,9)", "(9,2)"), ("x < 4", "x > 4"),
    ("(1,3) \\cup (5,8)", "(1,8)"), ("(1,3) \\cup (5,8)", "(1,3] \\cup (5,8)"), ("2 \\pm \\sqrt{3}", "2+\\sqrt{3}"),
    ("x=9, x=-4", "-4"), ("-4", "x=9, x=-4"), ("a=2, b=5", "a=5, b=2"), ("\\{-4, 9\\}", "\\{-4, 9, 11\\}"),
    ("\\begin{pmatrix} 8 \\\\ 21 \\end{pmatrix}", "\\begin{pmatrix} 821 \\end{pmatrix}"),
    ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "\\begin{pmatrix} 1 & 3 \\\\ 2 & 4 \\end{pmatrix}"),
    ("\\begin{pmatrix} 1 & 2 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}"),
    ("3x - 2y + 7 = 0", "3x - 2y - 7 = 0"), ("73_8", "73_9"), ("73_8", "73"), ("\\infty", "-\\infty"),
    ("x = 5", "2x = 10"), ("5", "5 \\text{ or } 6"), ("D", "(E)"), ("\\text{odd}", "\\text{even}"), ("10 km", "10^3"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "reply"), UNLIKE)
def test_what_differs_is_not(gold, reply):
    for policy in (EXACT, Policy()):
        assert judge(f"\\boxed{{{reply}}}", gold, Kind.MATH, policy=policy).verdict is Verdict.WRONG


DECIDED = [
    ("x^2", "x^3"),
    ("(1,2)", "(1,3)"),
    ("(1,2)", "[1,2]"),
    ("\\sqrt2", "1.5"),
    ("odd", "\\tan x"),
    ("3", "\\{3,4\\}"),
]
OPEN = [("\\tan x", "\\cot x"), ("\\ln 2", "0.7"), ("(\\ln 2, 1)", "(1, \\ln 2)"), ("[0,1)\\cup[1,2]", "[0,2]")]


@pytest.mark.parametrize(("a", "b"), DECIDED + OPEN)
def test_whether_exact_values_decide(a, b):
    x, y = value(a, Kind.MATH), value(b, Kind.MATH)
    assert undecided(x, y) == undecided(y, x) == ((a, b) in OPEN)


def test_an_equation_of_more_terms_than_are_kept_is_words():
    left, right = ("+".join(f"{name}^{{{n}}}" for n in range(1, 60)) for name in "xy")
    assert judge(f"\\boxed{{{left} = {right}}}", "3", Kind.MATH, policy=EXACT).verdict is Verdict.WRONG
    assert judge(f"\\boxed{{{left} = {right}}}", f"{left} = {right}", Kind.MATH, policy=EXACT).verdict is Verdict.RIGHT


HOSTILE = ["(", "((x+1)*", "(1,", "[", "\\{", "{1,", "x=", "1 \\pm ", "x < ", "\\cup(1,2)", "a ", "aa ",
           "and ", "1 and ", "\\begin{pmatrix}", "\\begin{pmatrix}1&", "12,345,", "\\text{and}", "1_", "]", "f(",
           "\\frac", "=1", "or "]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_answers_are_read_without_a_fall(piece):
    text = (piece * 2000)[:2000]
    for hostile in (text, text + ")", "(" + text, "(" + text + ")", "x \\in " + text):
        same(hostile, "(1,2)", Kind.MATH, EXACT)
