"""What other graders say of the same replies, by their own rules: for comparison, not for use."""

import re
from collections.abc import Callable
from typing import NamedTuple

from understudy.answers import symbolic
from understudy.errors import UserError
from understudy.grading.names import Grader
from understudy.records import Verdict


class Opinion(NamedTuple):
    """What another grader says of one reply."""

    verdict: Verdict
    answer: str | None
    rule: str | None
    why: str


STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
CLOSING = re.compile(r"\.$")
READS_IN = 5.0
"""Seconds that Math-Verify has for one reply, as it takes them itself."""


def lm_eval_strict(text: str, gold: str | None) -> Opinion:
    """The first number behind #### and a blank, compared as text."""
    m = STRICT.search(text)
    return compared(m[1] if m else None, gold, "strict")


def lm_eval_flexible(text: str, gold: str | None) -> Opinion:
    """The last number, compared as text."""
    found = [m.group().strip() for m in FLEXIBLE.finditer(text)]
    return compared(found[-1] if found else None, gold, "flexible")


def compared(answer: str | None, gold: str | None, rule: str) -> Opinion:
    if gold is None:
        return Opinion(Verdict.UNGRADED, answer, rule, "there is no gold answer")
    if answer is None:
        return Opinion(Verdict.NO_ANSWER, None, None, "nothing matches")
    equal = stripped(answer) == stripped(gold)
    return Opinion(
        Verdict.RIGHT if equal else Verdict.WRONG, answer, rule, f"{answer!r} is {'' if equal else 'not '}{gold[:60]!r}"
    )


def stripped(text: str) -> str:
    """As exact_match compares it: without commas, dollars, what stands before "#### ", and a closing stop."""
    text = text.replace(",", "").replace("$", "").rpartition("#### ")[2]
    return CLOSING.sub("", text).lower()


def math_verify(text: str, gold: str | None) -> Opinion:
    """`verify(parse(gold), parse(text))`. What it cannot decide in time is `failed`."""
    if not symbolic.available():
        raise UserError("Math-Verify is not installed. Install it: pip install 'understudy[math]'")
    if gold is None:
        return Opinion(Verdict.UNGRADED, None, None, "there is no gold answer")
    opinion, answer = symbolic.graded(text, gold, READS_IN)
    if opinion.equal is None:
        return Opinion(Verdict.FAILED, answer, None, opinion.why)
    verdict = Verdict.RIGHT if opinion.equal else Verdict.WRONG if answer is not None else Verdict.NO_ANSWER
    return Opinion(verdict, answer, "math-verify" if answer is not None else None, f"Math-Verify says {opinion.equal}")


OTHERS: dict[Grader, Callable[[str, str | None], Opinion]] = {
    Grader.LM_EVAL_STRICT: lm_eval_strict,
    Grader.LM_EVAL_FLEXIBLE: lm_eval_flexible,
    Grader.MATH_VERIFY: math_verify,
}
