"""Mathematical answers as exact values: with letters, equations, intervals, points, sets, matrices; else as spelled."""

import re
from collections.abc import Callable, Hashable

from understudy.answers.algebra import Sum, Unclear
from understudy.answers.expression import SAME, Parser, tokens
from understudy.answers.groups import (
    MAX_DEPTH,
    SIDES,
    Based,
    Group,
    Infinity,
    Matrix,
    Named,
    Relation,
    depth,
    outside,
    settled,
)
from understudy.answers.numeric import BLANKS, DEGREES, EITHER, MAX_LENGTH, PLAIN, Value, numeric, simple, unwrapped

SIZES = re.compile(
    r"(?<!\\)\\(?:(?:left|right|[bB]igg?[lrm]?|displaystyle|quad|qquad|limits)(?![A-Za-z])|[,;:! ])|(?<!\\)~"
)
GROUPED = re.compile(r"(?<=\d)(?:,\\!|\{,\}|\\,)\s?(?=\d{3}(?!\d))")
UPRIGHT = re.compile(r"\\(?:mathrm|text|operatorname|mathbf)\s*\{\s*([ie])\s*\}")
FUNCTIONS = re.compile(r"\\operatorname\s*\{\s*([a-z]{2,8})\s*\}")
NAME = (
    r"(?:\\?[A-Za-z]+(?:_\{?\w+\}?)?'?(?:\^\{?-1\}?)?(?:\([^()=]*\))?|\([A-Za-z](?:\s*,\s*[A-Za-z])+\)"
    r"|\\(?:angle|triangle|overline|text|mathrm|mbox)\b[^=]*)"
)
NAMED = re.compile(rf"\s*({NAME})\s*(?:=|\\in(?![a-z])|\u2208)\s*(?=\S)")
WORD = r"(?!or\b|and\b|not\b|mod\b|than\b)[a-z]{2,}"
UNIT = re.compile(
    r"\s*\\?(?:\\(?:text|mbox|mathrm|textrm)\s*\{[^{}]*\}(?:\s*\^\s*\{?\d\}?)?"
    rf"|(?<![A-Za-z\\]){WORD}\.?(?:\s+{WORD}\.?)*(?:\^\{{?\d\}}?)?|(?<=[\d}} ])m(?:\^\{{?\d\}}?)?)\s*$"
)
LABEL = re.compile(r"\s*\(?\s*([A-Z])\s*\)?\s*\.?\s*")
BASE = re.compile(
    r"\s*([0-9A-F]+)\s*_\s*\{?\s*(?:\\(?:text|mathrm)\s*\{)?\s*\(?\s*(\d{1,2}|[a-z]+)\s*\)?\s*\}?\s*\}?\s*"
)
BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
         "eleven": 11, "twelve": 12, "sixteen": 16}  # fmt: skip
INFINITE = re.compile(r"\s*([-+]?)\s*(?:\\infty|\u221e|\\infin|infinity)\s*")
RATIO = re.compile(r"\s*\d+(?:\.\d+)?(?:\s*:\s*\d+(?:\.\d+)?)+\s*")
SIGNS = re.compile(r"\\pm(?![A-Za-z])|\u00b1")
OPPOSITE = re.compile(r"\\mp(?![A-Za-z])|\u2213")
AND = re.compile(r"(?:\s*,)?\s*(?:\\(?:text|mbox|mathrm)\s*\{\s*,?\s*and\s*\}|\band\b)\s*")
EQUALS = re.compile(r"(?<![<>!=\\])=(?!=)")
ORDER = re.compile(
    r"(?P<less><|\\lt(?![a-z])|\\leq?(?:slant)?(?![a-z])|\u2264)|(?:>|\\gt(?![a-z])|\\geq?(?:slant)?(?![a-z])|\u2265)"
)
SUCH_THAT = re.compile(r"^\\?\{\s*[A-Za-z]\s*(?:\\mid|\||:)(.*)\\\}$")
CUP = re.compile(r"\s*(?:\\cup(?![a-z])|\u222a)\s*")
VARIABLE = re.compile(r"\s*(?:[A-Za-z]|\\[a-z]+)(?:_\{?\w\}?)?\s*")
MATRIX = re.compile(
    r"\\begin\s*\{(?P<kind>[pbB]?matrix|smallmatrix|array)\}(?:\{[lcr|]*\})?(?P<body>.*?)\\end\s*\{(?P=kind)\}\s*[\])]?\s*"
)
POINT = re.compile(r"[(\[]\s*-?\d{1,3}(?:,\d{3})+\s*[)\]]")
"""Not a number with its thousands."""
MOST_CELLS = 100
SPELLINGS = (
    (re.compile(r"\\[dt]frac"), r"\\frac"),
    (re.compile(r"\\neq(?![a-z])"), r"\\ne"),
    (re.compile(r"\\varnothing|\u2205|\\\{\s*\\\}"), r"\\emptyset"),
    (re.compile(r"\s+"), ""),
    (re.compile(r"(?<!\\)[.$]+$"), ""),
)


def mathematical(text: str) -> Value | None:
    """An exact value where there is one; letters are unknowns."""
    text = text.strip()
    if len(text) < 40 and PLAIN.fullmatch(text):
        return numeric(text)
    text = BLANKS.sub(" ", GROUPED.sub("", text[:MAX_LENGTH].translate(SAME))).strip("$ ")
    body = FUNCTIONS.sub(r"\\\1 ", UPRIGHT.sub(r"\1", SIZES.sub(" ", DEGREES.sub(" ", text)))).strip(" .")
    if depth(body) > MAX_DEPTH:
        return words(text, body)
    return either(text, body) or next((v for read in READERS if (v := read(text, body)) is not None), None)


def either(text: str, body: str) -> Value | None:
    """Two answers joined by "or": one only if they are the same."""
    parts = EITHER.split(body)
    if len(parts) != 2 or any(exact(unnamed(p)) is None for p in parts):
        return None
    first, second = (exact(unnamed(p)) for p in parts)
    return Value("several", text) if first != second else Value("number", simple(first)) if first else None


def whole(text: str, body: str) -> Value | None:
    """One expression, perhaps after its name and before its unit."""
    label = LABEL.fullmatch(unwrapped(body))
    found = exact(label[1]) if label else None if POINT.fullmatch(body) else amount(unnamed(body))
    if found is None:
        return None
    if found.rational is not None:  # a number keeps its spelling's other readings: percent, rounded decimal
        read = numeric(text)
        if read is not None and read.shape == "number" and simple(found) in (read.key, *read.others):
            return read
    return Value("number", simple(found))


def amount(text: str) -> Sum | None:
    """The value of an expression, the unit behind it left aside."""
    found = exact(text)
    if found is None and (bare := UNIT.sub("", text)) != text:
        found = exact(bare)
    return found


def unnamed(text: str) -> str:
    """Without "x =" or "x in" before it; of a chain a = b = c, the last side."""
    sides = EQUALS.split(text)
    if len(sides) > 2:
        return text if len(outside(text)) > 1 else sides[-1]
    named = NAMED.match(text)
    if named is None and len(sides) == 2 and (left := exact(sides[0])) is not None and left.rational is not None:
        return sides[1]
    return text[named.end() :] if named else text


def infinite(text: str, body: str) -> Value | None:
    m = INFINITE.fullmatch(unnamed(body))
    return Value("number", Infinity(-1 if m[1] == "-" else 1)) if m else None


def based(text: str, body: str) -> Value | None:
    """Digits with the base that they are written in: 52_8 is not 52."""
    m = BASE.fullmatch(unnamed(body))
    base = (int(m[2]) if m[2].isdigit() else BASES.get(m[2], 0)) if m else 0
    if m is None or not 2 <= base <= 36 or any(int(c, 36) >= base for c in m[1]):
        return None
    return Value("number", Based(m[1].lstrip("0") or "0", base))


def ratio(text: str, body: str) -> Value | None:
    return numeric(body) if RATIO.fullmatch(body) else None


def matrix(text: str, body: str) -> Value | None:
    """Rows of exact cells, times the number before it."""
    body = unnamed(body)
    at = body.find("\\begin")
    m = MATRIX.fullmatch(body, at) if at >= 0 else None
    if m is None or m["body"].count("&") + m["body"].count("\\\\") > MOST_CELLS:
        return None
    before = body[:at].rstrip("[( ").strip()
    factor = exact({"": "1", "-": "-1", "+": "1"}.get(before, before))
    rows = [r.split("&") for r in m["body"].split("\\\\") if r.strip()]
    cells = [[exact(c) for c in row] for row in rows]
    if factor is None or len({len(row) for row in rows}) != 1:
        return None
    try:
        scaled = tuple(tuple(simple(c.times(factor)) for c in row if c is not None) for row in cells)
    except Unclear:
        return None
    return Value("matrix", Matrix(scaled)) if all(c is not None for row in cells for c in row) else None


def inequality(text: str, body: str) -> Value | None:
    """x > 2 and 3 < x <= 4, as the intervals they are."""
    body = SUCH_THAT.sub(r"\1", body)
    signs = list(ORDER.finditer(body))
    starts, ends = [0, *(m.end() for m in signs)], [*(m.start() for m in signs), None]
    parts = [body[a:b] for a, b in zip(starts, ends, strict=True)]
    less = [m["less"] is not None for m in signs]
    strict = [m.group() in ("<", ">", "\\lt", "\\gt") for m in signs]
    if len(signs) not in (1, 2) or len(set(less)) > 1:
        return None
    if not less[0]:
        parts, strict = parts[::-1], strict[::-1]
    if len(signs) == 1:
        first = VARIABLE.fullmatch(parts[0]) is not None  # x < 2 has no lower end
        parts, strict = (["-\\infty", *parts], [True, *strict]) if first else ([*parts, "\\infty"], [*strict, True])
    low, high = key_of(parts[0]), key_of(parts[2])
    if VARIABLE.fullmatch(parts[1]) is None or low is None or high is None:
        return None
    return Value("list", Group("(" if strict[0] else "[", ")" if strict[1] else "]", (low, high)))


def union(text: str, body: str) -> Value | None:
    """Intervals joined by a cup, or inequalities by "or", in any order."""
    parts, read = CUP.split(unnamed(body)), group
    if len(parts) < 2:
        parts, read = EITHER.split(body), inequality
    found = [v.key for part in parts if (v := read(part, part)) is not None]
    whole = len(parts) > 1 and len(found) == len(parts) and all(isinstance(key, (Group, frozenset)) for key in found)
    return Value("union", frozenset(found)) if whole else None


def group(text: str, body: str) -> Value | None:
    """(3, 4], {1, 2}, or a bare list, member by member; a plus-minus gives two."""
    body = outward(AND.sub(", ", unnamed(body)).strip())
    opening = next((o for o in SIDES if body.startswith(o)), "")
    closing = next((c for c in (")", "]", "\\}", "}") if body.endswith(c)), "")
    if closing not in SIDES.get(opening, ("",)):
        opening = closing = ""
    inside = body[len(opening) : len(body) - len(closing)]
    parts = outside(inside)
    if len(parts) < 2 and "{" not in opening and not SIGNS.search(inside):
        return None
    members = [key for part in parts for key in keys_of(part)]
    if not members or not opening and any(isinstance(m, str) for m in members):
        return None
    if opening in ("(", "["):
        return Value("list", Group(opening, closing, tuple(members)))
    names = {m.name for m in members if isinstance(m, Named)}
    if len(names) == 1:  # x = 1, x = -2
        members = [m.value if isinstance(m, Named) else m for m in members]
    return Value("list", frozenset(members)) if len(members) > 1 else Value("number", members[0])


def outward(body: str) -> str:
    """Square brackets that look away, ]1, 2], are open ends."""
    body = "(" + body[1:] if body.startswith("]") else body
    return body[:-1] + ")" if body.endswith("[") else body


def keys_of(text: str) -> list[Hashable]:
    """What one member of a list stands for: two numbers where it has a plus-minus."""
    named = NAMED.match(text)
    bare = text[named.end() :] if named else text
    if SIGNS.search(bare):
        both = [exact(SIGNS.sub(s, OPPOSITE.sub(o, bare))) for s, o in (("+", "-"), ("-", "+"))]
        return [simple(v) for v in both if v is not None] if None not in both else [spelled(text)]
    key = key_of(bare)
    if key is None:
        return [spelled(text)]
    return [Named(spelled(named[1]), key)] if named else [key]


def key_of(text: str) -> Hashable | None:
    """The exact value of a member; None if it has none."""
    text = text.strip()
    found = amount(text)
    if found is not None:
        return simple(found)
    inner = infinite(text, text) or (group(text, text) if text.startswith(("(", "[")) else None)
    return inner.key if inner is not None else None


def equation(text: str, body: str) -> Value | None:
    """Two sides with unknowns, whatever the factor on both."""
    sides = [exact(side) for side in EQUALS.split(body)]
    if len(sides) != 2 or sides[0] is None or sides[1] is None:
        return None
    try:
        terms = sorted(sides[0].add(sides[1], -1).terms.items())
    except Unclear:
        return None
    return Value("equation", Relation(tuple((m, c / terms[0][1]) for m, c in terms))) if terms else None


def words(text: str, body: str) -> Value | None:
    """LaTeX as it is spelled, or plain words."""
    spelling = spelled(body)
    return Value("text", spelling) if spelling else None


READERS: tuple[Callable[[str, str], Value | None], ...] = (
    whole, infinite, based, ratio, matrix, inequality, union, group, equation, words,
)  # fmt: skip
"""Each takes the text and its body, without sizes and degrees; the first that knows it says what it means."""


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
    return value if parser.at == len(parser.tokens) else None  # \frac43 is read as more tokens than were found


def spelled(text: str) -> str:
    text = unwrapped(SIZES.sub(" ", text))
    for pattern, plain in SPELLINGS:
        text = pattern.sub(plain, text)
    return text.casefold()


PLAIN_WORDS = re.compile(r"[^\W\d_]{2,}")


def undecided(a: Value, b: Value) -> bool:
    """The exact values leave open whether two answers that are unlike are equal all the same."""
    if "several" in (a.shape, b.shape) or any(isinstance(v.key, str) and PLAIN_WORDS.fullmatch(v.key) for v in (a, b)):
        return False
    if a.shape == b.shape == "list" and form(a.key) != form(b.key):
        return False
    return not (settled(a.key) and settled(b.key))


def form(key: Hashable) -> Hashable:
    """The brackets of a list, and how many stand in them."""
    return (key.opening, key.closing, len(key.members)) if isinstance(key, Group) else isinstance(key, frozenset)
