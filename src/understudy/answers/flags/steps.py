"""Flags of the steps: which kind of slip, and what became of it."""

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

from understudy.answers.equation import Equation, SlipKind
from understudy.answers.expression import SAME
from understudy.answers.flags.seen import Seen
from understudy.answers.linear import algebra_slips
from understudy.answers.value import value
from understudy.answers.worth import amount
from understudy.records import Kind, Verdict

SOUND = frozenset(("exact", "rounded"))
NUMBER = re.compile(r"\d(?:[\d,]{0,30}\d)?(?:\.\d{1,30})?|\.\d{1,30}")
ABOUT = re.compile(r"~|\u2248|\\approx")
UNKNOWN = re.compile(
    r"(?<![A-Za-z'\u2019])[B-HJ-Zb-z](?![A-Za-z'\u2019])\s*[=+*/-]|[=+*/(-]\s*\d*[B-HJ-Zb-z](?![A-Za-z'])|\d[A-Za-z](?![A-Za-z])"
)
"""A letter beside an operator or a number; "a" and "I" are words."""
BESIDE = re.compile(r"[$\s\\]|[A-Za-z]{2,}")


def slip(seen: Seen) -> bool:
    """An equation is false."""
    return bool(seen.slips)


def fraction_slip(seen: Seen) -> bool:
    """A fraction is written as a wrong decimal: 3/4 = 0.85, also within 288 * 3/4 = 288 * 0.85."""
    return any(e.kind is SlipKind.FRACTION for e in seen.slips)


def product_slip(seen: Seen) -> bool:
    """A product is wrong: 288 * 0.85 = 256."""
    return any(e.kind is SlipKind.PRODUCT for e in seen.slips)


def step_rounds_to_int(seen: Seen) -> bool:
    """A quotient is made a whole number: 15/7 = 2."""
    return any(e.kind is SlipKind.ROUNDED_TO_INT for e in seen.slips)


def algebra_step(seen: Seen) -> bool:
    """A step of solving for one unknown changes the solution: 5 = 2S + 10 - 3S, so 5 = 7S."""
    unclear = sum([e.status == "unchecked" for e in seen.equations])  # as every equation with a letter in it is
    if unclear < 2 or len([*islice(UNKNOWN.finditer(seen.text), 2)]) < 2:
        return False
    return bool(algebra_slips(seen.text))


def error_propagated(seen: Seen) -> bool:
    """The wrong answer is what follows when the value that a false equation prints is calculated with.

    Where that is certain only: the value stands neither in the question nor as the result of a true equation.
    """
    if not seen.slips or seen.kind is not Kind.NUMBER or seen.judged.verdict is Verdict.RIGHT:
        return False
    found = value(seen.judged.answer, Kind.NUMBER) if seen.judged.answer is not None else None
    return found is not None and found.key in followed(seen)


def followed(seen: Seen) -> set[Fraction | int]:
    """The results that rest on a false one, and on nothing else."""
    sound = set(numbers(seen.question))
    false: set[Fraction | int] = set()
    found: set[Fraction | int] = set()
    for e in seen.equations:
        left, right = sides(e)
        if not NUMBER.fullmatch(right) or e.status == "unchecked":
            continue
        result = exact(right)
        if e.status == "slip":
            false |= {result} - sound
        elif not false.isdisjoint(numbers(left)):
            false |= {result} - sound
            found |= {result} - sound
        else:
            sound.add(result)
            found.discard(result)
    return found


def sides(e: Equation) -> tuple[str, str]:
    """Both sides, the right one without blanks, units and currency signs."""
    text = e.text if e.text.isascii() else e.text.translate(SAME)
    left, sign, right = text.rpartition("=")
    if not sign:
        *_, left, right = "", *ABOUT.split(text)
    return left, BESIDE.sub("", right)


def numbers(text: str) -> Iterator[Fraction | int]:
    return map(exact, NUMBER.findall(text))


def exact(number: str) -> Fraction | int:
    """The value of a match of NUMBER."""
    return amount(number.replace(",", ""))


def error_independent(seen: Seen) -> bool:
    """The answer is wrong, and is the result of a true equation in a text without any false or unclear one."""
    if seen.kind is not Kind.NUMBER or seen.judged.verdict is not Verdict.WRONG or seen.judged.answer is None:
        return False
    if not SOUND.issuperset([e.status for e in seen.equations]):
        return False
    found = value(seen.judged.answer, Kind.NUMBER)
    for e in reversed(seen.equations if found else ()):
        right = NUMBER.fullmatch(e.text.rpartition("=")[2].strip(" $\\"))
        if right and found and exact(right.group()) == found.key:
            return True
    return False
