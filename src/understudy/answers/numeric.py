"""Numbers, ratios, times and lists: what an answer means as a quantity."""

import re
from collections.abc import Hashable
from fractions import Fraction
from math import factorial, gcd
from typing import NamedTuple

from understudy.answers.algebra import Sum, Unclear
from understudy.answers.dates import dates
from understudy.answers.expression import FRACTIONS, Parser, Token, tokens
from understudy.answers.spelling import BLANKS as BLANKS
from understudy.answers.spelling import DEGREES as DEGREES
from understudy.answers.spelling import MAX_LENGTH as MAX_LENGTH
from understudy.answers.spelling import spelled, worded
from understudy.answers.spelling import unwrapped as unwrapped
from understudy.answers.words import SCALES, SMALL, WORD, compound, spoken


class Clock(NamedTuple):
    """A time of day."""

    hour: int
    minute: int
    half: str | None
    """a, p, or None where neither am nor pm is said"""


class Value(NamedTuple):
    """What an answer means. Equal answers have equal shapes and keys; `same` knows the exceptions."""

    shape: str
    """number, several, list, ratio, clock, date, choice, bool, text; unknown (a letter or an inequality is in it)"""
    key: Hashable
    others: tuple[Fraction, ...] = ()
    """Further readings of a number: 60% is 3/5, and also 60."""
    percent: bool = False
    decimals: int | None = None
    """Digits after the point of a plain decimal; None if it is anything else."""
    raw: Hashable = None
    """What a policy may ask for besides: the ratio as written, the members of several, a text with its case, a date
    with the day first; of a number "cents" or "arithmetic", where it is so many cents or was calculated."""


NUMBERS = frozenset({"num", "mixed", "vulgar"})
OPENERS = FRACTIONS | {"\\sqrt", "(", "\\pi", "\u221a", "\u03c0"}
PLAIN = re.compile(r"(?:\\?\$)? ?(-?) ?(?:\\?\$)? ?(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d{0,12}))? ?(?:\\?\$)?\.?")
WITH_UNIT = re.compile(
    r"(?:\\?\$)?(-?)(?:\\?\$)?(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d{1,12}))?((?: [A-Za-z]{2,20}){1,6})\.?",
)
FRACTION = re.compile(r"(-?)(?:\\[dtc]?frac(?:\{(\d{1,9})\}\{(\d{1,9})\}|(\d)(\d))|(\d{1,9})/(\d{1,9}))")
NO_UNITS = frozenset(
    "hundred thousand million billion trillion dozen dozens and or to of percent pct per point over times plus minus "
    "am pm half more less than out in not is are equals cents".split()
)
"""Words behind a number that may change it."""
CLOCK = re.compile(
    r"(?<![\d:.])(\d{1,2})(?::([0-5]\d))?(?::([0-5]\d))?\s*([ap])\.?\s?m\b\.?|(?<![\d:.])(\d{1,2}):([0-5]\d)(?![\d:])",
    re.IGNORECASE,
)
PAST = re.compile(rf"\b(half|(?:a )?quarter) (past|after|to|before) (\d{{1,2}}|{WORD})\b", re.IGNORECASE)
NAMED_HOURS = {"noon": (12, "p"), "midday": (12, "p"), "midnight": (12, "a")}
RATIO = re.compile(r"(?<![\d:.])(\d{1,9}(?:\.\d{1,6})?)((?:\s*:\s*\d{1,9}(?:\.\d{1,6})?){1,5})(?![\d:])")
RATIO_WORDS = re.compile(r"(?<![\d.])(\d{1,9})\s+to\s+(\d{1,9})(?![\d.])")
FACTORIAL = re.compile(r"(\d{1,2}) ?!")
DIFFERENCE = re.compile(
    r"\$?(\d{1,9}(?:\.\d{1,6})?)(?: [a-z]+)? (more|less|fewer)(?: [a-z]+)? than "
    r"\$?(\d{1,9}(?:\.\d{1,6})?)(?: [a-z]+)?\.?",
    re.IGNORECASE,
)
OUT_OF = re.compile(r"(\d{1,9}) (?:out of|in) (\d{1,9})")
EITHER = re.compile(r"\s*[,(]?\s*(?:(?<![A-Za-z])or|\\text\s*\{\s*or\s*\}|\bou\b|\boder\b)\s+", re.IGNORECASE)
BETWEEN = re.compile(r"^\D*\b(?:between|from) \S{0,12}\d\S{0,12} (?:\w+ )?(?:and|to) \S{0,12}\d", re.IGNORECASE)
EQUALS = re.compile(r"(?:(?<![<>!=])=(?!=)|\\approx|\\in\b|~)")
COMPARED = re.compile(
    r"(?<![-=<>])[<>](?![<>])|[\u2264\u2265\u2260\u230a\u2308]|\\l(?:floor|ceil)\b|!="
    r"|\\(?:leq?|geq?|lt|gt|neq?|leqslant|geqslant)(?![a-z])"
    r"|^(?:is |are )?(?:(?:more|less|greater|fewer|higher|lower) than|under|above|below)\b",
    re.IGNORECASE,
)
ASSIGNED = re.compile(r"\s*\(?[A-Za-z]\w{0,2}\s*=\s*(?=\S)")
UNKNOWNS = frozenset("inquvwxyz")
"""Letters that are no units when they stand right behind a number."""
NOTHING = re.compile(
    r"(?:none|nothing|nil|no(?: [a-z]+){1,3}(?: left| remain(?:s|ing)?)?)[. ]*(?:left|remain(?:s|ing)?)?\.?", re.I
)
SHORT_SCALES = {"k": 1000, "K": 1000, "M": 10**6, "bn": 10**9, "B": 10**9}


def numeric(text: str) -> Value | None:
    """The quantity that an answer names."""
    text = text.strip()
    if len(text) < 80:
        m = PLAIN.fullmatch(text) or WITH_UNIT.fullmatch(text)
        if m and (m.re is PLAIN or NO_UNITS.isdisjoint(m[4].lower().split())):
            return plain(m[1], m[2], m[3])
        m = FRACTION.fullmatch(text)
        if m:
            above, below = (int(g) for g in m.groups()[1:] if g)
            return Value("number", Fraction(-above if m[1] else above, below)) if below else None
    if (m := FACTORIAL.fullmatch(text)) and int(m[1]) <= 30:
        return Value("number", Fraction(factorial(int(m[1]))), raw="arithmetic")
    if " than " in text and (m := DIFFERENCE.fullmatch(text)):
        sign = 1 if m[2].lower() == "more" else -1
        return Value("number", Fraction(m[3]) + sign * Fraction(m[1]), raw="arithmetic")
    text = spelled(text)
    if COMPARED.search(text):
        return Value("unknown", worded(text).casefold())
    one = either(text)
    if one is not None:
        return one
    for side in reversed(sides(text)):
        found = several(side) or quantity(side)
        if found is not None:
            return found
    return Value("number", Fraction(0)) if NOTHING.fullmatch(text) else None


def either(text: str) -> Value | None:
    """Two answers or more that are joined by "or"; one where they mean the same."""
    parts = EITHER.split(text) if "or" in text or "ou" in text or "od" in text else []
    values = [v for part in parts if (v := next(filter(None, map(quantity, reversed(sides(part)))), None)) is not None]
    if len(values) < 2:
        return None
    if all(meet(values[0], v) for v in values[1:]):
        return values[0]
    return Value("several", text, raw=tuple(v.key for v in values))


def plain(sign: str, whole: str, part: str | None) -> Value:
    """A number in digits."""
    whole = whole.replace(",", "")
    q = Fraction(int(whole + part), 10 ** len(part)) if part else Fraction(int(whole))
    return Value("number", -q if sign else q, decimals=len(part or ""))


def sides(text: str) -> list[str]:
    """What stands between equals signs; the values of several letters stay together."""
    if "=" in text and ("," in text or " and " in text):
        items = re.split(r",\s(?:and\s)?|\sand\s", text)
        values = [ASSIGNED.sub("", item).strip(" ).") for item in items]
        if len(items) > 1 and values != items and all(PLAIN.fullmatch(v) for v in values):
            return [", ".join(values)]
    return EQUALS.split(text)


def several(text: str) -> Value | None:
    """A number with plus-minus, a range, or a bare list of numbers."""
    if "\\pm" in text or "\u00b1" in text or BETWEEN.search(text):
        return Value("several", text)
    return listed(text) if "," in text or "and" in text else None


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
    keys: list[Hashable] = []
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
    for read in (clock, ratio, out_of):
        found = read(text)
        if found is not None:
            return found
    both = compound(text)
    if both is not None:
        return Value("number", both[0][0], others=both[0][1:])
    return expression(text) or in_words(text)


def in_words(text: str) -> Value | None:
    word = spoken(text)
    if word is None:
        return None
    after = text[word[2] :].lstrip().lower()
    if after.startswith(("%", "percent")):
        return Value("number", word[0] / 100, (word[0],), True)
    return Value("number", word[0], (word[0] * 12,) if after.startswith("dozen") else ())


def clock(text: str) -> Value | None:
    """A time of day."""
    m = CLOCK.search(text) if ":" in text or "m" in text or "M" in text else None
    if m is None:
        return said_clock(text)
    hour, minute = int(m[1] or m[5]), int(m[2] or m[6] or 0)
    if hour > 23 or any(c.isdigit() for c in text[: m.start()]):
        return None
    return Value("clock", Clock(hour, minute, m[4].lower() if m[4] else None))


def said_clock(text: str) -> Value | None:
    """Noon, half past 2."""
    named = NAMED_HOURS.get(text.strip(" .").lower())
    if named is not None:
        return Value("clock", Clock(named[0], 0, named[1]))
    m = PAST.search(text) if "alf " in text or "arter " in text else None
    if m is None:
        return None
    hour = int(m[3]) if m[3].isdigit() else SMALL.get(m[3].lower(), 0)
    minute = 30 if m[1].lower() == "half" else 15
    late = m[2].lower() in ("past", "after")
    return Value("clock", Clock(hour if late else hour - 1, minute if late else 60 - minute, None))


def ratio(text: str) -> Value | None:
    m = RATIO.search(text) if ":" in text else RATIO_WORDS.search(text) if " to " in text else None
    if m is None or any(c.isdigit() for c in text[: m.start()]):
        return None
    terms = [Fraction(m[1])] + [Fraction(t.strip()) for t in m[2].split(":") if t.strip()]
    return Value("ratio", lowest(tuple(terms)), raw=tuple(terms))


def out_of(text: str) -> Value | None:
    """3 out of 4: the number, and the share."""
    m = OUT_OF.fullmatch(text.strip(" .")) if " " in text else None
    if m is None or m[2] == "0":
        return None
    return Value("number", Fraction(int(m[1])), (Fraction(int(m[1]), int(m[2])),))


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
            return written(parser.read(with_sign(found, i)), parser, text)
        except Unclear:
            if found[i].text != "(":
                return None
    return None


def written(result: Sum, parser: Parser, text: str) -> Value:
    """The value with its other readings: percent, million, dozen, rounded decimal."""
    key = simple(result)
    decimals = None
    if not parser.operators and parser.sole is not None:
        decimals = len(parser.sole.text.partition(".")[2])
    after = parser.peek()
    if after is not None and isinstance(key, Fraction) and after.kind in ("word", "op"):
        glued = after.start == parser.tokens[parser.at - 1].end
        if unknown(after, parser.peek(1), glued):
            return Value("unknown", worded(text).casefold())
        scale = SCALES.get(after.text.lower()) or (SHORT_SCALES.get(after.text) if glued else None)
        if scale:
            return Value("number", key * scale)
        if after.text.lower() in ("dozen", "dozens"):
            return Value("number", key, (key * 12,))
    if parser.percent and isinstance(key, Fraction):
        return Value("number", key, (key * 100,), True, decimals)
    calculated = parser.operators > 1 or parser.operators and "/" not in text and "frac" not in text
    cents = "\u00a2" in text or after is not None and after.text.lower() in ("cent", "cents")
    return Value("number", key, decimals=decimals, raw="cents" if cents else "arithmetic" if calculated else None)


def unknown(after: Token, further: Token | None, glued: bool) -> bool:
    """A letter that stands for a number goes on behind one: 2x, 160 - y."""
    if after.kind == "word":
        return glued and after.text in UNKNOWNS
    return after.text in "-+*^" and further is not None and further.kind == "word" and len(further.text) == 1 and (
        further.text not in "aAI"
    )  # fmt: skip


def simple(result: Sum) -> Hashable:
    """A fraction where it is one."""
    q = result.rational
    return result if q is None else q


def wording(text: str) -> Value | None:
    """Text without regard to case, surrounding quotes, closing stop and repeated spaces; a date where it is one."""
    words = worded(text)
    days = dates(words)
    if days:
        return Value("date", days[0], raw=days[1] if len(days) > 1 else None)
    return Value("text", words.casefold(), raw=words) if words else None
