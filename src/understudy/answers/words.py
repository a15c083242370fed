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
         "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "eighth": 8, "eighths": 8, "tenth": 10, "tenths": 10,
         }  # fmt: skip
WORD = rf"(?:{'|'.join([*SMALL, *SCALES])})"
SPOKEN = re.compile(
    rf"(?<![\w-])(?P<minus>minus |negative )?(?P<count>{WORD}(?:(?:[ -]| and ){WORD}){{0,12}})"
    rf"(?P<parts>[ -](?:{'|'.join(PARTS)}))?(?P<half> and (?:a|one)[ -](?:half|quarter|third))?(?![\w])(?!-\w)",
    re.IGNORECASE,
)
PART = re.compile(
    r"(?<![\w-])(?:one|a)[ -](half|third|quarter|fourth|fifth|sixth|eighth|tenth)(?![\w-])", re.IGNORECASE
)

LARGER = {
    "dollar": ("cent", 100), "hour": ("minute", 60), "hr": ("min", 60), "minute": ("second", 60),
    "feet": ("inch", 12), "foot": ("inch", 12), "pound": ("ounce", 16), "week": ("day", 7), "day": ("hour", 24),
    "year": ("month", 12), "meter": ("centimeter", 100), "metre": ("centimetre", 100), "kilometer": ("meter", 1000),
    "kilogram": ("gram", 1000), "h": ("m", 60), "ft": ("in", 12), "lb": ("oz", 16), "km": ("m", 1000),
    "m": ("cm", 100), "kg": ("g", 1000),
}  # fmt: skip
COMPOUND = re.compile(
    r"(?P<sign>-)?(?P<money>\$)?\s?(?P<large>\d[\d,]{0,15})\s?(?P<unit>(?!and\b)[a-zA-Z]{1,10})?,?\s(?:and\s)?"
    r"(?P<small>\d{1,4}(?:\.\d{1,6})?)\s?(?P<part>[a-zA-Z]{1,11})\b"
)


def spoken(text: str) -> tuple[Fraction, int, int] | None:
    """The first number in words, with its place."""
    m, part = SPOKEN.search(text), PART.search(text)
    if part and (m is None or part.start() <= m.start()):
        return Fraction(1, PARTS[part[1].lower()]), part.start(), part.end()
    if m is None:
        return None
    value = Fraction(counted(re.split(r"[ -]+", m["count"].lower())))
    if m["parts"]:
        value /= PARTS[m["parts"][1:].lower()]
    if m["half"]:
        value += Fraction(1, PARTS[re.split(r"[ -]", m["half"].lower())[-1]])
    return (-value if m["minus"] else value), m.start(), m.end()


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
    """A quantity in two units, in the larger and (but for money) in the smaller, with its place."""
    for m in COMPOUND.finditer(text):
        unit, part = (m["unit"] or "").lower(), m["part"].lower()
        unit = "dollar" if m["money"] and not unit else unit if unit in LARGER else unit.removesuffix("s")
        smaller, size = LARGER.get(unit, ("", 1))
        if part not in (smaller, smaller + "s", smaller + "es") or not smaller:
            continue
        value = Fraction(int(m["large"].replace(",", ""))) + Fraction(m["small"]) / size
        value = -value if m["sign"] else value
        return ((value,) if unit == "dollar" else (value, value * size)), m.start(), m.end()
    return None
