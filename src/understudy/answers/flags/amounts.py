"""The flag of amounts that cannot be: parts of people, fewer than none, an age of 5/7."""

import re
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from understudy.answers.flags.facts import MEASURES, WHOLES
from understudy.answers.flags.seen import Seen
from understudy.answers.value import value
from understudy.records import Kind


class Asked(StrEnum):
    """What a question asks for."""

    AGE = "age"
    WHOLE = "whole"
    """Things that are never counted in parts."""
    AMOUNT = "amount"
    """Never fewer than none."""


WORD = re.compile(r"[a-z]+")
HOW_MANY = "how many"
NOUN_WITHIN = 4
"""Words in which the thing comes that is counted."""
NEGATIVE = re.compile(r"degree|temperature|integer|number|elevation|balance|point|score|yard|profit|dollar|\bnet\b")
"""What may be below zero."""
SHARED = re.compile(r"\bper\b|average|\bmean\b|expect|percent|\btimes\b|\ba (?:day|week|month|year|hour|minute)\b")
"""Of a rate or mean, a part of a person is as good as any."""
MONTHS = 12
"""Parts of a year that an age is told in."""
SOLVED = re.compile(r"(?<![\w.])[A-Za-z] ?= ?(\d{1,6}) ?/ ?(\d{1,6})(?![\d.]|\s*[*/+(-])")


def implausible_value(seen: Seen) -> bool:
    """The answer cannot be such an amount: two thirds of a child, minus three cows; an age on the way is 5/7."""
    if seen.kind is not Kind.NUMBER:
        return False
    answer = seen.judged.answer
    if answer is not None and not answer.isdigit() and impossible(answer, asked_for(seen.question)):
        return True
    if "old" not in seen.question or "/" not in seen.text or asked_for(seen.question) is not Asked.AGE:
        return False
    ages = ((int(over), int(under)) for over, under in SOLVED.findall(seen.text))
    return any(under and MONTHS % Fraction(over, under).denominator for over, under in ages)


def impossible(answer: str, asked: Asked | None) -> bool:
    """Such an amount of what is asked for there is not."""
    found = value(answer, Kind.NUMBER) if asked else None
    if found is None or found.percent or not isinstance(found.key, Fraction):
        return False
    if asked is Asked.AGE:
        return found.key < 0 or MONTHS % found.key.denominator != 0
    return found.key < 0 or asked is Asked.WHOLE and found.key.denominator > 1


@lru_cache(maxsize=1024)
def asked_for(question: str) -> Asked | None:
    """What is asked for last; None if it is neither how many nor how old."""
    lower = question.lower()
    at = max(lower.rfind(HOW_MANY), lower.rfind("how old"))
    if at < 0 or NEGATIVE.search(lower, at):
        return None
    if lower.startswith("how old", at):
        return Asked.AGE
    if SHARED.search(lower, at):
        return Asked.AMOUNT
    for word in WORD.findall(lower, at + len(HOW_MANY))[:NOUN_WITHIN]:
        if word in WHOLES:
            return Asked.WHOLE
        if word in MEASURES:
            break
    return Asked.AMOUNT
