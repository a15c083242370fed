"""Do the steps hang together? A score that needs no gold answer, and what a trace's path through a problem is."""

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from understudy import answers

LEAST_STEPS = 2
ALONE = 2
"""Words of a line that holds nothing but an answer: "#### 5", "Answer: 5"."""
ROUNDED, EXACT = 0.5, 1e-9
"""Units of the last digit by which a rounded number is off; share by which binary fractions are."""
LEAST_QUANTITIES = 2
"""On the left of an equation that is a step."""
CONSTANTS = frozenset(map(float, (
    0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7, 8, 10, 12, 14, 16, 24, 25, 28, 30, 31, 36, 48, 50, 52,
    60, 90, 100, 120, 180, 360, 365, 366, 1000, 1440, 1760, 2000, 3600, 5280,
)))  # fmt: skip
"""What nobody needs to be told: factors between units, halves and quarters, percentages of the whole."""
SIGNS = ("=", "\u2248", "\\approx")
NUMBER = re.compile(r"\d[\d,]*\.?\d*|\.\d+")
PLAIN = bytes(c if chr(c) in "0123456789.=\n" else ord("x") if chr(c) in ",\\" or c > 127 else 32 for c in range(256))
"""Numbers, signs and line breaks; x for what makes them hard to read, and blanks for the rest."""
FOLLOWED = re.compile(
    r"(\d[\d,]*\.?\d*|\.\d+)(?:\s?/\s?(\d+)|\s?(%|percent)|\s?(hundred|thousand|million|billion|k)\b)?"
)
"""A number, and one of: what it is divided by, percent, a scale."""
SPACED = bytes.maketrans(b".,;:!?()-'\"", b" " * 11)
UNITS = dict(zip(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split(), map(float, range(1, 20)), strict=True,
))  # fmt: skip
TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
SCALES = {"hundred": 100.0, "thousand": 1000.0, "million": 1e6, "billion": 1e9, "k": 1000.0}
SPOKEN = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(TENS)})[ -](?P<unit>{'|'.join(UNITS)})"
    rf"|(?P<count>{'|'.join([*UNITS, *TENS])}|a) (?P<scale>hundred|thousand|million|billion))\b"
)
JOINED = frozenset(map(str.encode, (*TENS, *SCALES)))
"""Words that make one number with others."""
NAMED: dict[str, tuple[float, ...]] = {word: (n,) for word, n in (UNITS | TENS).items()} | {
    "half": (2, 0.5), "halves": (2, 0.5), "twice": (2,), "double": (2,), "doubles": (2,), "doubled": (2,),
    "couple": (2,), "pair": (2,), "pairs": (2,), "both": (2,), "third": (3, 1 / 3), "thirds": (3, 1 / 3),
    "triple": (3,), "tripled": (3,), "thrice": (3,), "quarter": (4, 0.25), "quarters": (4, 0.25), "fourth": (4, 0.25),
    "quadruple": (4,), "fifth": (5, 0.2), "fifths": (5, 0.2), "sixth": (6,), "seventh": (7,), "eighth": (8, 0.125),
    "ninth": (9,), "tenth": (10, 0.1), "tenths": (10, 0.1), "dozen": (12,), "dozens": (12,), "score": (20,),
    "weekdays": (5,), "weekend": (2,), "february": (28, 29),
}  # fmt: skip
"""Words that stand for a quantity."""
NAMES = frozenset(map(str.encode, NAMED))


class Structure(NamedTuple):
    """How far the steps of a trace hang together."""

    score: float
    """Mean of three parts, 0 to 1: two steps or more (one counts half), the share of steps whose quantities are known,
    and whether the last step yields the answer (an earlier one counts half).
    """
    why: str
    """The first thing amiss; "" where nothing is."""
    arrives: float
    """1: the last step yields the answer; 0.5: an earlier one does."""


def structure(
    text: str, equations: Sequence[answers.Equation], given: frozenset[float], answer: str | None
) -> Structure | None:
    """The structure of a solution; None where its equations are of a kind that is not read, such as algebra.

    A step is an equation with something to reckon on its left. A quantity is known if the question (`given`) or the
    right side of an earlier equation has it, or if everybody knows it (`CONSTANTS`).
    """
    goal, known = goal_of(answer), set(CONSTANTS)
    known |= given
    steps = sound = 0
    last, nowhere, reached = None, "", False
    for equation, (left, right) in zip(equations, _sides([e.text for e in equations]), strict=True):
        if len(left) >= LEAST_QUANTITIES:
            steps += 1
            if known.issuperset(left):
                sound += 1
            else:
                strange = next(n for n in left if n not in known)
                nowhere = nowhere or f"{strange:g} in '{equation.text[:60]}' comes from nowhere"
        if right:
            known.update(right)
            last, reached = right[-1], reached or goal in right
    if not steps and "=" in text:
        return None
    arrives = 0.0 if goal is None else 1.0 if last == goal else 0.5 if reached else 0.0
    score = (min(steps, LEAST_STEPS) / LEAST_STEPS + (sound / steps if steps else 0.0) + arrives) / 3
    if steps < LEAST_STEPS:
        nowhere = f"{steps} step{'' if steps == 1 else 's'}"
    why = nowhere or ("" if arrives == 1 else f"the last step gives {_told(last)}, not the answer")
    return Structure(score, why, arrives)


def unsaid(text: str, answer: str | None) -> str | None:
    """A last line that holds the answer alone ("A: 5"), if nothing before says that number; None = there is no such.

    A decimal may be rounded, and anything be told in percent or cents. That there is nothing (0) is said in words.
    """
    before, _, last = text.rstrip().rpartition("\n")
    goal, tokens = goal_of(answer), NUMBER.findall(last)
    if not goal or len(tokens) != 1 or _number(tokens[0]) != goal or len(last.split()) > ALONE or not before.strip():
        return None
    digits = len(tokens[0].partition(".")[2])
    near = max(ROUNDED / 10**digits if goal % 1 else 0.0, EXACT * goal)
    said = (n * factor for n in quantities(before) for factor in (1, 100, 0.01))
    return None if any(abs(n - goal) <= near for n in said) else last.strip()


def path(equations: Sequence[answers.Equation]) -> tuple[str, ...]:
    """A trace's way through a problem: its equations without spacing and currency, in order."""
    return tuple("".join(e.text.replace("$", "").split()) for e in equations)


def quantities(question: str) -> frozenset[float]:
    """Every quantity that a question names, in digits or words; a fraction and its rest, a percentage, rest and sum."""
    low = question.lower()
    found: set[float] = set()
    for digits, divisor, percent, scale in FOLLOWED.findall(low):
        n = _number(digits)
        found.add(n)
        if percent:
            found.update((n / 100, 1 - n / 100, 1 + n / 100, 100 - n, 100 + n))
        elif divisor and (over := float(divisor)):
            found.update((over, n / over, 1 - n / over))
        elif scale:
            found.add(n * SCALES[scale])
    words = low.encode("utf-8", "surrogatepass").translate(SPACED).split()
    for word in NAMES.intersection(words):
        found.update(NAMED[word.decode()])
    if not JOINED.isdisjoint(words):
        found.update(map(_spoken, SPOKEN.finditer(low)))
    return frozenset(found)


def _spoken(m: re.Match[str]) -> float:
    """Twenty-five, three hundred."""
    if m["tens"]:
        return TENS[m["tens"]] + UNITS[m["unit"]]
    return (UNITS | TENS).get(m["count"], 1.0) * SCALES[m["scale"]]


@lru_cache(maxsize=1024)
def goal_of(answer: str | None) -> float | None:
    """The number that an answer comes down to."""
    found = _numbers(answer or "")
    if len(found) < 2:
        return found[0] if found else None
    read = answers.value(answer or "")  # (84 / 2)
    return float(read.key) if read is not None and isinstance(read.key, Fraction) else found[0]


def _sides(equations: Sequence[str]) -> list[tuple[list[float], list[float]]]:
    """Of each the numbers before the last sign and behind it."""
    lines = "\n".join(equations).encode("utf-8", "surrogatepass").translate(PLAIN).split(b"\n")
    if len(lines) != len(equations):  # one goes on in the next line, or there is none
        return [_halves(equation) for equation in equations]
    found = []
    for line, equation in zip(lines, equations, strict=True):
        left, _, right = line.rpartition(b"=")
        try:
            found.append(([*map(float, left.split())], [*map(float, right.split())]))
        except ValueError:  # thousands, signs in words, other digits
            found.append(_halves(equation))
    return found


def _halves(equation: str) -> tuple[list[float], list[float]]:
    at = max(0, *map(equation.rfind, SIGNS))
    return _numbers(equation[:at]), _numbers(equation[at:])


def _numbers(text: str) -> list[float]:
    return [float(token) if "," not in token else _number(token) for token in NUMBER.findall(text)]


def _number(token: str) -> float:
    return float(token.replace(",", ""))


def _told(number: float | None) -> str:
    return "nothing" if number is None else f"{number:g}"
