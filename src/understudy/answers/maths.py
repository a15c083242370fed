"""Mathematical answers: expressions with letters, intervals, points, sets; else the LaTeX without its blanks."""

import re

from understudy.answers.algebra import Sum, Unclear
from understudy.answers.expression import SAME, Parser, tokens
from understudy.answers.numeric import BLANKS, DEGREES, EITHER, MAX_LENGTH, PLAIN, Value, numeric, simple, unwrapped

NAMED = re.compile(r"\s*(?:[A-Za-z]|[a-z]\([a-z]\))\s*(?:=|\\in(?![a-z]))\s*(?=\S)")
SIZES = re.compile(r"\\(?:left|right|bigl?|bigr?|Bigl?|Bigr?|displaystyle|,|;|:|!|quad|qquad| )(?![A-Za-z])")
UNIT = re.compile(
    r"\\(?:text|mbox|mathrm)\s*\{[^{}]*\}(?:\s*\^\s*\{?\d\}?)?\s*$|\s*(?:degrees?|cm|m|units?)(?:\^\{?\d\}?)?\s*$"
)
SPELLINGS = ((re.compile(r"\\[dt]frac"), r"\\frac"), (re.compile(r"\s+"), ""), (re.compile(r"[.$]+$"), ""))
BRACKETS = {"(": ")]", "[": "])", "\\{": "\\}"}
SEPARATOR = re.compile(r"[()\[\]{}]|,(?!\\!|\d{3}(?!\d))")


def mathematical(text: str) -> Value | None:
    """An exact value where there is one; letters are unknowns."""
    text = text.strip()
    if len(text) < 40 and PLAIN.fullmatch(text):
        return numeric(text)
    text = BLANKS.sub(" ", text[:MAX_LENGTH].translate(SAME)).strip("$ ")
    body = SIZES.sub(" ", DEGREES.sub(" ", text)).strip()
    parts = EITHER.split(body)
    if len(parts) == 2 and all(exact(p) is not None for p in parts):
        first, second = exact(parts[0]), exact(parts[1])
        return Value("several", text) if first != second else Value("number", simple(first)) if first else None
    named = NAMED.match(body)
    body = body[named.end() :] if named else body
    whole = exact(body) or exact(UNIT.sub("", body))
    if whole is not None:
        return numeric_reading(text, whole)
    return group(body) or words(text, body)


def numeric_reading(text: str, whole: Sum) -> Value:
    """A number keeps its spelling's other readings (percent, rounded decimal)."""
    if whole.rational is not None:
        read = numeric(text)
        if read is not None and read.shape == "number":
            return read
    return Value("number", simple(whole))


def exact(text: str) -> Sum | None:
    """The value of a text that is one expression and nothing else."""
    found = tokens(text)
    if not found:
        return None
    parser = Parser(found, letters=True)
    try:
        value = parser.read()
    except Unclear:
        return None
    return value if parser.at == len(found) else None


def group(text: str) -> Value | None:
    """(3, 4], {1, 2}, or a bare list, member by member."""
    opening = next((o for o in BRACKETS if text.startswith(o)), "")
    closing = next((c for c in (")", "]", "\\}") if text.endswith(c)), "")
    if bool(opening) != bool(closing):
        return None
    inside = text[len(opening) : len(text) - len(closing)] if opening else text
    members = split_members(inside)
    if len(members) < 2:
        return None
    keys = tuple(simple(v) if (v := exact(m)) is not None else spelled(m) for m in members)
    if not opening and not all(exact(m) is not None for m in members):
        return None
    ordered = opening in ("(", "[")
    return Value("list", (opening, closing, keys) if ordered else ("", "", frozenset(keys)))


def split_members(text: str) -> list[str]:
    """At commas outside brackets."""
    out, depth, at = [], 0, 0
    for m in SEPARATOR.finditer(text):
        if m.group() == ",":
            if depth == 0:
                out.append(text[at : m.start()])
                at = m.end()
        else:
            depth += 1 if m.group() in "([{" else -1
    return [*out, text[at:]]


def words(text: str, body: str) -> Value | None:
    """LaTeX as it is spelled, or plain words."""
    if "\\" not in SIZES.sub("", unwrapped(text)) and not body.strip():
        return None
    spelling = spelled(body)
    return Value("text", spelling) if spelling else None


def spelled(text: str) -> str:
    text = unwrapped(SIZES.sub(" ", text))
    for pattern, plain in SPELLINGS:
        text = pattern.sub(plain, text)
    return text.casefold()
