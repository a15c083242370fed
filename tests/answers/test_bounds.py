"""Hostile texts take no time, in threads too; threads change nothing; and replies are judged fast."""

from concurrent.futures import ThreadPoolExecutor
from time import process_time, thread_time

import pytest

from understudy.answers import Policy, flags, judge, same, slips, value
from understudy.records import Kind, Stop

SIZE = 16_384
PIECES = [
    "\\boxed{", "(", "9^", "9**", "1/", "a=1 ", "= ", "1+", "<think>", "</think>5", "The answer is ", "\\frac{1}{", " ",
    "\n", "1 ", "1,", "1,000,", "x", "1", "$", "**", "-", "not 5 ", ", which ", "after ", "5: ", "1 to ", "three ",
    "two hundred and ", "\\sqrt{999983}+", "(a+b)(c+d)", "(x+1)*", "<<1=2>>", "<<", "`", "```", "Q: ", "#### 5\n",
    "<answer>", "\\boxed{5} or ", "5 apples = ", "\\text{", "1 1/2 ", "=1", "30!=", "5%", "if ", "so 5 ", "Dr. ",
    "is 5 more ", "yes or no ", "A or B ", "[(1,2),", "{", "2 hours and 30 ", "1:2:3:4:5:6 ", "| 5 | 6 |\n", ". ",
    ".\n", "ans ", "the result is ", "Answer:\n", "5, ", "1'000", "1_000", "0.(3)", "0.333...", "\\overline{3}", "A, ",
    "(A) ", "is B ", "and a half ", "...", "minus ", "half past 3 ", "between 5 and 6 ", "</", "<|end|>", "<|im_end|>",
    "<|channel|>analysis<|message|>", "[THINK]", "\x1b[31m", "\x1b]", "\u200b", "Problem:", ":", "wait, no ", "know ",
    "I can't ", "\\boxed ", "}{", "\\", "; but ", "5 - x ", "x = 5, ", "May 5, ", "1/2/2024 ", "isn't true ",
    "choose B ", "\u7b54\u6848\u662f", "5\u00b2", "3\u0305", "\U0001f600",
]  # fmt: skip
WHOLE = {
    "tower": "\\boxed{9^{9^{9^{9^9}}}}", "deep tower": "\\boxed{" + "9^{" * 3000 + "9" + "}" * 3000 + "}",
    "brackets": "\\boxed{" + "(" * 5000 + "1" + ")" * 5000 + "}", "braces": "\\boxed{" + "{" * 5000 + "}" * 5000 + "}",
    "digits": "The answer is " + "9" * 100_000, "decimals": "0." + "3" * 100_000 + "...", "equations": "1 = " * 30_000,
    "no blanks": "x" * 100_000 + "5", "long line": "a " * 50_000 + "5", "phrases": "answer is " * 1600,
    "negated": "The answer is not 5. " * 800, "supposed": "If the answer is 5, " * 800, "list": "1," * 8000 + "000",
    "tags": "<think>" * 5000 + "</think>" * 5000 + "5", "thoughts": "<think>a</think>" * 3000 + "5",
    "factorial": "\\boxed{" + "9" * 400 + "!}", "exponent": "\\boxed{1e999}", "power": "10^100000",
    "signs": "-" * 50_000 + "5", "words": "one hundred " * 1500, "boxes": "\\boxed{5} or " * 1000 + "\\boxed{6}",
}  # fmt: skip
WORST = 0.2  # seconds of one core
SLACK = 5  # machines that run tests are busy
EXACT = Policy(symbolic=False)


@pytest.mark.parametrize("text", [(p * SIZE)[:SIZE] for p in PIECES] + list(WHOLE.values()), ids=[*PIECES, *WHOLE])
def test_a_hostile_text_is_done_in_time(text):
    for run in (
        lambda: judge(text, "5"), lambda: judge(text, "5", stop=Stop.LENGTH), lambda: judge(text, "B", Kind.CHOICE),
        lambda: judge("\\boxed{5}", text, Kind.MATH, policy=EXACT), lambda: judge(f"<think>{text}</think>{text}", "5"),
        lambda: value(f"\\boxed{{{text}}}", Kind.MATH),
    ):  # fmt: skip
        start = process_time()
        run()
        assert process_time() - start < WORST * SLACK


@pytest.mark.parametrize("text", [(p * SIZE)[:SIZE] for p in PIECES[::3]], ids=PIECES[::3])
def test_a_hostile_text_is_searched_for_slips_and_behaviours_in_time(text):
    for run in (lambda: slips(text), lambda: flags(text, "question")):
        start = process_time()
        run()
        assert process_time() - start < WORST * SLACK


def test_hostile_texts_are_done_in_time_from_threads():
    def seconds(text: str) -> float:
        start = thread_time()
        judge(text, "5")
        return thread_time() - start

    with ThreadPoolExecutor(4) as pool:
        assert max(pool.map(seconds, WHOLE.values())) < WORST * SLACK


def test_a_tower_of_powers_is_refused_at_once():
    assert judge("\\boxed{9^{9^{9^9}}}", "9").verdict == "wrong"
    assert not same("(1+x)^{5000}", "1", Kind.MATH)


def test_threads_see_the_same_verdicts():
    replies = [f"<think>{n} * 2 = {2 * n}</think>The answer is \\boxed{{{2 * n}}}." for n in range(200)]
    alone = [judge(r, str(2 * n)) for n, r in enumerate(replies)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda p: judge(p[1], str(2 * p[0])), enumerate(replies))) == alone


STORY = "He buys {n} boxes of 12 eggs, so he has {n} * 12 = {p} eggs in his shop. Some of them are brown.\n"
FAST = [  # reply, replies a second
    ("The answer is \\boxed{{{n}}}.", 60_000),
    ("\\boxed{{\\frac{{{n}}}2}}", 60_000),
    (STORY * 4 + "\nSo he has {p} eggs in {n} boxes.", 25_000),
    (STORY * 4 + "#### {p}", 25_000),
    ("<think>" + STORY * 160 + "</think>\nThe answer is \\boxed{{{p}}}.", 5_000),
]


@pytest.mark.parametrize(("form", "rate"), FAST)
def test_replies_are_judged_fast(form, rate):
    replies = [form.format(n=n, p=12 * n) for n in range(2, 202)]
    start = process_time()
    for reply in replies:
        judge(reply, "24")
    assert len(replies) / (process_time() - start) > rate / SLACK
