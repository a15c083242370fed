"""Hostile texts take no time, threads change nothing, and short replies are judged fast."""

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import pytest

from understudy.answers import flags, judge, same, slips, value
from understudy.records import Kind

SIZE = 16_384
PIECES = [
    "\\boxed{", "(", "9^", "9**", "1/", "a=1 ", "= ", "1+", "<think>", "</think>5", "The answer is ", "\\frac{1}{", " ",
    "\n", "1 ", "1,", "1,000,", "x", "1", "$", "**", "-", "not 5 ", ", which ", "after ", "5: ", "1 to ", "three ",
    "two hundred and ", "\\sqrt{999983}+", "(a+b)(c+d)", "(x+1)*", "<<1=2>>", "<<", "`", "```", "Q: ", "#### 5\n",
    "<answer>", "\\boxed{5} or ", "5 apples = ", "\\text{", "1 1/2 ", "=1", "30!=", "5%", "if ", "so 5 ", "Dr. ",
    "is 5 more ", "yes or no ", "A or B ", "[(1,2),", "{", "2 hours and 30 ", "1:2:3:4:5:6 ", "| 5 | 6 |\n", ". ",
    ".\n",
]  # fmt: skip
WORST = 0.2  # seconds
SLACK = 5  # machines that run tests are busy


@pytest.mark.parametrize("piece", PIECES)
def test_a_hostile_text_is_done_in_time(piece):
    text = (piece * SIZE)[:SIZE]
    for run in (
        lambda: judge(text, "5"), lambda: judge("\\boxed{5}", text, Kind.MATH), lambda: slips(text),
        lambda: flags(text, "question"), lambda: value(f"\\boxed{{{text}}}", Kind.MATH),
    ):  # fmt: skip
        start = perf_counter()
        run()
        assert perf_counter() - start < WORST * SLACK


def test_a_tower_of_powers_is_refused_at_once():
    assert judge("\\boxed{9^{9^{9^9}}}", "9").verdict == "wrong"
    assert not same("(1+x)^{5000}", "1", Kind.MATH)


def test_threads_see_the_same_verdicts():
    replies = [f"<think>{n} * 2 = {2 * n}</think>The answer is \\boxed{{{2 * n}}}." for n in range(200)]
    alone = [judge(r, str(2 * n)) for n, r in enumerate(replies)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda p: judge(p[1], str(2 * p[0])), enumerate(replies))) == alone


def test_short_boxed_replies_are_judged_by_the_thousand():
    start = perf_counter()
    for _ in range(2000):
        judge("The answer is \\boxed{72}.", "72")
    assert 2000 / (perf_counter() - start) > 10_000 / SLACK
