"""Numbers and quantities in words: three, twenty-five, two thirds, 18 dollars and 50 cents."""

import re
from fractions import Fraction

UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SMALL = {word: n for n, word in enumerate(UNITS)} | {word: 10 * n for n, word in enumerate(TENS, 2)}
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4,
         "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8,
         "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10, "twelfth": 12, "twelfths": 12, "hundredth": 100,
         "hundredths": 100}  # fmt: skip
WORD = rf"(?:{'|'.join([*SMALL, *SCALES])})"
WORDS = frozenset([*SMALL, *SCALES, *PARTS, "dozen"])
DIGIT = rf"(?:{'|'.join(UNITS[:10])})"
PART = rf"(?:{'|'.join(PARTS)})"
SPOKEN = re.compile(
    rf"(?<![\w-])(?P<minus>minus |negative )?(?:an? (?=hundred|thousand|million|billion))?"
    rf"(?P<count>{WORD}(?:(?:[ -]| and ){WORD}(?! ?-?{PART}\b)){{0,12}}(?:[ -]{WORD})?)"
    rf"(?:(?P<point> point(?:[ -]{DIGIT})+)|[ -](?P<parts>{PART})"
    rf"|(?: and |-and-)(?P<over>an?|{WORD})[ -](?P<under>{PART}))?"
    r"(?![\w])(?!-\w)",
    re.IGNORECASE,
)
PART_OF_ONE = re.compile(
    rf"(?<![\w-])(?:(?:one|an?)[ -]({PART})|(half)(?! of an?| an?| dozen))(?![\w-])", re.IGNORECASE
)
DOZEN = re.compile(
    r"(?<![\w-])(?:(?P<half>half(?: of)? an?|an? half)|an?) dozen\b(?P<more> and an? half\b)?", re.IGNORECASE
)

STEPS = (  # names of a unit, names of the next smaller one, how many of it
    (("hour", "hr", "h"), ("minute", "min", "m"), 60), (("minute", "min"), ("second", "sec", "s"), 60),
    (("day",), ("hour", "hr", "h"), 24), (("week",), ("day",), 7), (("year", "yr"), ("month", "mo"), 12),
    (("dollar", "euro"), ("cent",), 100), (("pound", "lb"), ("ounce", "oz"), 16),
    (("foot", "feet", "ft"), ("inch", "in"), 12), (("kilometer", "kilometre", "km"), ("meter", "metre", "m"), 1000),
    (("meter", "metre", "m"), ("centimeter", "centimetre", "cm"), 100), (("kilogram", "kg"), ("gram", "g"), 1000),
)  # fmt: skip
SMALLER = {(a, b): (size, smaller[0]) for larger, smaller, size in STEPS for a in larger for b in smaller}
"""(unit, next smaller unit) to how many of it, and its first name."""
UNITS_KNOWN = frozenset(name for pair in SMALLER for name in pair)
MONEY = ("dollar", "euro")
COMPOUND = re.compile(
    r"(?P<sign>-)?(?P<money>\$)?\s?(?P<large>\d[\d,]{0,15})(?:\.00(?!\d))?"
    r"(?:\s?(?P<unit>(?!and\b)[a-zA-Z]{1,10})[.,]?\s?(?:and\s)?|,?\s(?:and\s)?)"
    r"(?P<small>\d{1,4}(?:\.\d{1,6})?)\s?(?P<part>[a-zA-Z]{1,11})\b"
)
FURTHER = re.compile(r",?\s?(?:and\s)?(?P<small>\d{1,4}(?:\.\d{1,6})?)\s?(?P<part>[a-zA-Z]{1,11})\b")


def spoken(text: str) -> tuple[Fraction, int, int] | None:
    """The first number in words, with its place."""
    lower = text.lower()
    if not any(word in lower for word in WORDS):
        return None
    readings = [r for r in (counted_in(text), part_in(text), dozen_in(text)) if r is not None]
    return min(readings, key=lambda r: (r[1], -r[2]), default=None)


def counted_in(text: str) -> tuple[Fraction, int, int] | None:
    m = SPOKEN.search(text)
    if m is None:
        return None
    value = Fraction(counted(re.split(r"[ -]+", m["count"].lower())))
    if m["point"]:
        digits = "".join(str(SMALL[w]) for w in re.split(r"[ -]", m["point"].lower())[2:])
        value += Fraction(int(digits), 10 ** len(digits))
    elif m["parts"]:
        value /= PARTS[m["parts"].lower()]
    elif m["under"]:
        value += Fraction(SMALL.get(m["over"].lower(), 1), PARTS[m["under"].lower()])
    return (-value if m["minus"] else value), m.start(), m.end()


def part_in(text: str) -> tuple[Fraction, int, int] | None:
    m = PART_OF_ONE.search(text)
    return (Fraction(1, PARTS[(m[1] or m[2]).lower()]), m.start(), m.end()) if m else None


def dozen_in(text: str) -> tuple[Fraction, int, int] | None:
    m = DOZEN.search(text)
    return (Fraction(6 if m["half"] else 18 if m["more"] else 12), m.start(), m.end()) if m else None


def counted(words: list[str]) -> int:
    """["two", "hundred", "and", "five"] -> 205."""
    total, group = 0, 0
    for word in words:
        if word == "hundred":
            group = (group or 1) * 100
        elif word in SCALES:
            total, group = total + (group or 1) * SCALES[word], 0
        else:
            group += SMALL.get(word, 0)
    return total + group


def compound(text: str) -> tuple[tuple[Fraction, ...], int, int] | None:
    """A quantity in two units or more, in the largest and (but for money) in each smaller one, with its place."""
    for m in COMPOUND.finditer(text):
        found = measured(text, m)
        if found is not None:
            return found
    return None


def measured(text: str, m: re.Match[str]) -> tuple[tuple[Fraction, ...], int, int] | None:
    """The readings of a match of COMPOUND, and of what goes on behind it; None if its units do not belong together."""
    unit = "dollar" if m["money"] and not m["unit"] else singular(m["unit"] or "")
    step = SMALLER.get((unit, singular(m["part"])))
    if step is None:
        return None
    size, last = step
    sizes, end = [size], m.end()
    whole = Fraction(int(m["large"].replace(",", ""))) + Fraction(m["small"]) / size
    while (more := FURTHER.match(text, end)) and (step := SMALLER.get((last, singular(more["part"])))):
        last, end = step[1], more.end()
        sizes.append(sizes[-1] * step[0])
        whole += Fraction(more["small"]) / sizes[-1]
    whole = -whole if m["sign"] else whole
    return ((whole,) if unit in MONEY else (whole, *(whole * s for s in sizes))), m.start(), end


def singular(unit: str) -> str:
    """minutes -> minute, inches -> inch."""
    unit = unit.lower()
    return next((u for u in (unit, unit.removesuffix("s"), unit.removesuffix("es")) if u in UNITS_KNOWN), unit)
