"""Dates as values: 3 May 2024, May 3, 2024 and 05/03/2024 are one day."""

import re
from typing import NamedTuple


class Date(NamedTuple):
    """A day."""

    year: int | None
    """None where it is not said"""
    month: int
    day: int


MONTHS = {name: n for n, name in enumerate(
    "january february march april may june july august september october november december".split(), 1)}  # fmt: skip
SHORT = {name[:3]: n for name, n in MONTHS.items()} | {"sept": 9}
MONTH = rf"(?P<month>{'|'.join(MONTHS)}|(?:{'|'.join(SHORT)})\.?)"
WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+)?"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
YEAR = r"(?:,?\s*(?P<year>\d{4}))?"
NAMED = tuple(
    re.compile(rf"{WEEKDAY}(?:the\s+)?{form}", re.IGNORECASE)
    for form in (rf"{DAY}(?:\s+of)?[\s-]+{MONTH}(?:[\s,-]+(?P<year>\d{{4}}))?", rf"{MONTH}\s+(?:the\s+)?{DAY}{YEAR}")
)
ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
SLASHED = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")


def dates(text: str) -> tuple[Date, ...]:
    """The day that a text names and nothing else: one reading; two, the month first, where both numbers may be one."""
    if not 3 <= len(text) <= 40 or not any(c.isdigit() for c in text):
        return ()
    text = text.strip()
    m = ISO.fullmatch(text)
    if m:
        return valid(Date(int(m[1]), int(m[3]), int(m[4])))
    m = SLASHED.fullmatch(text)
    if m:
        first, second, year = int(m[1]), int(m[3]), int(m[4])
        return tuple(dict.fromkeys(valid(Date(year, first, second)) + valid(Date(year, second, first))))
    m = next((m for form in NAMED if (m := form.fullmatch(text))), None)
    if m is None:
        return ()
    name = m["month"].lower().rstrip(".")
    return valid(Date(int(m["year"]) if m["year"] else None, MONTHS.get(name) or SHORT[name], int(m["day"])))


def valid(date: Date) -> tuple[Date, ...]:
    """The date if a calendar may have it."""
    return (date,) if 1 <= date.month <= 12 and 1 <= date.day <= 31 else ()
