"""Numbers, ratios, times and lists: what an answer means as a quantity."""

import re
from collections.abc import Hashable
from fractions import Fraction
from math import gcd
from typing import NamedTuple

from understudy.answers.algebra import Sum, Unclear
from understudy.answers.expression import FRACTIONS, SAME, Parser, Token, tokens
from understudy.answers.words import SCALES, compound, spoken


class Clock(NamedTuple):
    """A time of day."""

    hour: int
    minute: int
    half: str | None
    """a, p, or None where neither am nor pm is said"""


class Value(NamedTuple):
    """What an answer means. Equal spellings have equal values; `same` knows the exceptions."""

    shape: str
    """number, several, list, ratio, clock, choice, bool, text"""
    key: Hashable
    others: tuple[Fraction, ...] = ()
    """Further readings of a number: 60% is 3/5, and also 60."""
    percent: bool = False
    decimals: int | None = None
    """Digits after the point of a plain decimal; None if it is anything else."""


NUMBERS = frozenset({"num", "mixed", "vulgar"})
OPENERS = FRACTIONS | {"\\sqrt", "(", "\\pi", "\u221a", "\u03c0"}
MAX_LENGTH = 2000
"""Longer answers are compared as text only."""
PLAIN = re.compile(r"(?:\\?\$)? ?(-?) ?(?:\\?\$)? ?(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d{0,12}))? ?(?:\\?\$)?\.?")
WRAPPED = re.compile(
    r"\\(?:text|textbf|textit|mathrm|mathbf|mbox|emph|operatorname|textrm|boxed|fbox|mathit)\s*\{([^{}]*)\}"
)
DECORATION = re.compile(r"\*\*(?!\s*\d)|(?<!\d)\*\*|__|`|\$\$|\\[()\[\]]|(?<!\\)\$(?=\s*$)")
SPACED = re.compile(r"(?<![\d.,/])\d{1,3}(?: \d{3})+(?![\d/.]|,\d)")
MINUS = re.compile(r"\b(?:negative|minus)\s(?=\$?\d)", re.IGNORECASE)
NEGATED = re.compile(
    r"[(,]?\s*\b(?:not|rather than|instead of|and not)\s+(?:\\?\$)?-?\d[\d,.]*\s*\w*\)?", re.IGNORECASE
)
DEGREES = re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)|\u00b0")
BASE = re.compile(r"\s*(\d+)_\{?(\d+)\}?\s*")
CLOCK = re.compile(
    r"(?<![\d:.])(\d{1,2})(?::([0-5]\d))?(?::([0-5]\d))?\s*([ap])\.?\s?m\b\.?|(?<![\d:.])(\d{1,2}):([0-5]\d)(?![\d:])",
    re.IGNORECASE,
)
RATIO = re.compile(r"(?<![\d:.])(\d{1,9}(?:\.\d{1,6})?)((?:\s*:\s*\d{1,9}(?:\.\d{1,6})?){1,5})(?![\d:])")
RATIO_WORDS = re.compile(r"(?<![\d.])(\d{1,9})\s+to\s+(\d{1,9})(?![\d.])")
EITHER = re.compile(r"\s*[,(]?\s*(?:or|\\text\s*\{\s*or\s*\}|\bou\b|\boder\b)\s+", re.IGNORECASE)
EQUALS = re.compile(r"(?:(?<![<>!=])=(?!=)|\\approx|\\in\b|~)")
BLANKS = re.compile(r"\s+")
QUOTES = " \t\n\"'`*_$"


def unwrapped(text: str) -> str:
    """Without \\text{...}, markdown marks, maths delimiters and closing punctuation."""
    for _ in range(4):
        text, n = WRAPPED.subn(r" \1 ", text)
        if not n:
            break
    return DECORATION.sub(" ", text).strip()


def numeric(text: str) -> Value | None:
    """The quantity that an answer names."""
    text = text.strip()
    m = PLAIN.fullmatch(text) if len(text) < 40 else None
    if m:
        sign, whole, part = m.groups()
        digits = whole.replace(",", "") + (part or "")
        q = Fraction(int(digits), 10 ** len(part)) if part else Fraction(int(digits))
        return Value("number", -q if sign else q, decimals=len(part or ""))
    text = BLANKS.sub(" ", text[:MAX_LENGTH])
    text = MINUS.sub("-", NEGATED.sub(" ", unwrapped(text.translate(SAME))))
    text = SPACED.sub(lambda m: m.group().replace(" ", ""), DEGREES.sub(" degrees ", text))
    sides = EQUALS.split(text)
    for side in reversed(sides):
        found = several(side) or quantity(side)
        if found is not None:
            return found
    return None


def several(text: str) -> Value | None:
    """Two different answers joined by "or" or plus-minus, or a bare list of numbers."""
    if "\\pm" in text or "\u00b1" in text:
        return Value("several", text)
    if "or" not in text:
        return listed(text) if "," in text or "and" in text else None
    values = [v for part in EITHER.split(text) if (v := quantity(part)) is not None]
    if len(values) < 2:
        return None
    return values[0] if all(meet(values[0], v) for v in values[1:]) else Value("several", text)


def meet(a: Value, b: Value) -> bool:
    """One answer in two spellings: 1/2 or 50%, 90 minutes or 1 hour 30 minutes."""
    if a.percent and b.percent:
        return a.key == b.key
    return a.shape == b.shape and not {a.key, *a.others}.isdisjoint({b.key, *b.others})


def listed(text: str) -> Value | None:
    """A text that is nothing but two or more numbers: 1, -2 or (3, 4)."""
    body = text.strip().removeprefix("\\{").removesuffix("\\}").strip(" ()[]{}")
    items = re.split(r",(?!\\!|\d{3}(?!\d))\s*(?:and\s)?|\sand\s", body)
    if not 2 <= len(items) <= 32:
        return None
    keys = []
    for item in items:
        found = tokens(item)
        parser = Parser(found)
        try:
            keys.append(simple(parser.read()))
        except Unclear:
            return None
        if parser.at < len(found):
            return None
    return Value("list", tuple(keys))


def quantity(text: str) -> Value | None:
    """The first quantity of a text: a time, a ratio, a sum of two units, an expression, or a number in words."""
    for read in (clock, ratio):
        found = read(text)
        if found is not None:
            return found
    both = compound(text)
    if both is not None:
        return Value("number", both[0][0], others=both[0][1:])
    return expression(text) or in_words(text)


def in_words(text: str) -> Value | None:
    word = spoken(text)
    return Value("number", word[0]) if word is not None else None


def clock(text: str) -> Value | None:
    m = CLOCK.search(text) if ":" in text or "m" in text or "M" in text else None
    if m is None:
        return None
    hour, minute = int(m[1] or m[5]), int(m[2] or m[6] or 0)
    if hour > 23 or any(c.isdigit() for c in text[: m.start()]):
        return None
    return Value("clock", Clock(hour, minute, m[4].lower() if m[4] else None))


def ratio(text: str) -> Value | None:
    m = RATIO.search(text) if ":" in text else RATIO_WORDS.search(text) if " to " in text else None
    if m is None or any(c.isdigit() for c in text[: m.start()]):
        return None
    terms = [Fraction(m[1])] + [Fraction(t.strip()) for t in m[2].split(":") if t.strip()]
    return Value("ratio", lowest(tuple(terms)))


def lowest(terms: tuple[Fraction, ...]) -> tuple[int, ...]:
    """A ratio in lowest terms."""
    scale = 1
    for t in terms:
        scale = scale * t.denominator // gcd(scale, t.denominator)
    whole = [int(t * scale) for t in terms]
    return tuple(n // (gcd(*whole) or 1) for n in whole)


def starts(found: list[Token]) -> list[int]:
    """Where a number may begin, best first: rather not inside a word such as m2 or 3-year-old."""
    free: list[int] = []
    bound: list[int] = []
    for i, t in enumerate(found):
        if t.kind in NUMBERS or t.text in OPENERS:
            (bound if in_word(found, i) else free).append(i)
    return free or bound


def in_word(found: list[Token], i: int) -> bool:
    """Token i is glued to letters before it, or by a hyphen to a word on either side."""
    if i and found[i - 1].end == found[i].start:
        if found[i - 1].kind == "word":
            return True
        if i > 1 and found[i - 1].text == "-" and is_word(found[i - 2]) and found[i - 2].end == found[i - 1].start:
            return True
    if i + 2 >= len(found):
        return False
    dash, after = found[i + 1], found[i + 2]
    return dash.text == "-" and is_word(after) and found[i].end == dash.start and dash.end == after.start


def is_word(t: Token) -> bool:
    return t.kind == "word" and len(t.text) > 1


def with_sign(found: list[Token], i: int) -> int:
    """The place of the sign that belongs to the number at i, else i; a dash between words is no sign."""
    while i and found[i - 1].text in ("-", "+"):
        before = found[i - 2] if i > 1 else None
        if before is not None and (before.kind in NUMBERS or before.text == ")"):
            break
        if before is not None and before.kind == "word" and found[i - 1].end < found[i].start:
            break
        i -= 1
    return i


def expression(text: str) -> Value | None:
    """The first arithmetic of a text that has a value, units left aside."""
    found = tokens(text)
    for i in starts(found)[:8]:
        parser = Parser(found)
        try:
            return written(parser.read(with_sign(found, i)), parser)
        except Unclear:
            if found[i].text != "(":
                return None
    return None


def written(result: Sum, parser: Parser) -> Value:
    """The value with its other readings: percent, million, rounded decimal."""
    key = simple(result)
    decimals = None
    if not parser.operators and parser.sole is not None:
        decimals = len(parser.sole.text.partition(".")[2])
    after = parser.peek()
    if after is not None and after.text.lower() in SCALES and isinstance(key, Fraction):
        return Value("number", key * SCALES[after.text.lower()])
    if parser.percent and isinstance(key, Fraction):
        return Value("number", key, (key * 100,), True, decimals)
    return Value("number", key, decimals=decimals)


def simple(result: Sum) -> Hashable:
    """A fraction where it is one."""
    q = result.rational
    return result if q is None else q


def wording(text: str) -> Value | None:
    """Text without regard to case, surrounding quotes, closing stop and repeated spaces."""
    plain = BLANKS.sub(" ", unwrapped(text.translate(SAME))).strip(QUOTES).rstrip(".,;").strip(QUOTES).casefold()
    return Value("text", plain) if plain else None
