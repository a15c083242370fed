"""The two sides of an equals sign, as values: which words are units, and where the arithmetic ends."""

import re
from typing import NamedTuple

from understudy.answers.algebra import Sum, Unclear, number
from understudy.answers.expression import FRACTIONS, SCRIPTS, Parser, Token, literal, tokens


class Term(NamedTuple):
    """A token and the unit that stands behind it."""

    token: Token
    unit: str
    """"" if there is none"""
    opens: bool
    """First of its line."""


class Side(NamedTuple):
    """One side of an equation."""

    start: int
    end: int
    value: Sum | None
    """None: cannot be evaluated."""
    signs: frozenset[str]
    """Operators in it."""
    units: frozenset[str]
    decimals: int | None
    """Digits after the point, if it is a single plain number."""
    percent: bool
    single: bool
    """One number, perhaps with a sign."""
    reach: tuple[int, int]
    """Its first and last term."""


MAX_SIDE = 80
NUMBERS = frozenset({"num", "mixed", "vulgar"})
OPERATIONS = frozenset("+-*/^")
WITHIN = OPERATIONS | FRACTIONS | {"(", ")", "{", "}", "%", "of", "x", "X", "\\sqrt", "\\pi", "\u221a", "\u03c0", "!"}
NOT_UNITS = frozenset(
    "of so thus then is and hence therefore that because since or but plus minus times where to sqrt".split()
)
LEADS = frozenset("so thus then is and hence therefore that because since means gives but or equation where".split())
"""Words after which a bare number may be a left side; after others ("week 1 = ...") it is a label."""


def terms(text: str) -> list[Term]:
    """Tokens of a text with the words behind a number taken in as its unit."""
    found = tokens(text)
    out: list[Term] = []
    i = 0
    while i < len(found):
        t = found[i]
        opens = not out or "\n" in text[found[i - 1].end : t.start]
        before = out[-1].token if out else None
        if before is not None and not opens and (before.kind in NUMBERS or before.text in (")", "%", "}")):
            after = unit_end(text, found, i)
            if after > i:
                out[-1] = out[-1]._replace(unit=unit_name(found[i:after]))
                i = after
                continue
        out.append(Term(t, "dollar" if t.start and text[t.start - 1] in "$" else "", opens))
        i += 1
    return out


def unit_end(text: str, found: list[Token], i: int) -> int:
    """Behind the unit that begins at token i, if arithmetic goes on after it; else i."""
    j = i
    while j < len(found) and j - i < 6:
        t = found[j]
        if t.kind == "word" and len(t.text) > 1 and t.text.lower() not in NOT_UNITS:
            j += 1
        elif t.text == "/" and j > i and j + 1 < len(found) and found[j + 1].kind == "word":
            j += 2
        else:
            break
    goes_on = j < len(found) and (found[j].text in OPERATIONS or found[j].text in ("=", ")"))
    return j if goes_on and "\n" not in text[found[i].start : found[j - 1].end] else i


def unit_name(words: list[Token]) -> str:
    return words[0].text.lower().removesuffix("s")


def left_side(text: str, found: list[Term], lowest: int, sign: int) -> Side | None:
    """The arithmetic that ends at term `sign`, the equals sign."""
    first, depth = sign, 0
    while first > max(lowest, sign - MAX_SIDE):
        t = found[first - 1].token
        if t.kind not in NUMBERS and t.kind != "raised" and t.text not in WITHIN or first < sign and found[first].opens:
            break
        if t.text in ("(", "{") and depth == 0:
            break
        if first < sign and t.kind in NUMBERS and found[first].token.kind in NUMBERS:
            break  # the first belongs to the words before
        depth += (t.text in (")", "}")) - (t.text in ("(", "{"))
        first -= 1
    if found[first].opens and first < sign - 1 and is_bullet(text, found[first].token):
        first += 1
    if first >= sign:
        return None
    bad = depth != 0 or hangs(text, found, first, sign) or glued(text, found[sign - 1].token.end)
    return side(found, first, sign - 1, unclear=bad)


def right_side(text: str, found: list[Term], first: int, until: int) -> Side | None:
    """The arithmetic that begins behind the equals sign."""
    last, depth = first, 0
    while last < min(until, first + MAX_SIDE):
        t = found[last].token
        if t.kind not in NUMBERS and t.kind != "raised" and t.text not in WITHIN or last > first and found[last].opens:
            break
        ends = last > first and ends_value(found[last - 1].token)
        if t.text in (")", "}") and depth == 0 or t.text == "!" or ends and t.kind in NUMBERS:
            break
        depth += (t.text in ("(", "{")) - (t.text in (")", "}"))
        last += 1
    while last - 1 > first and dashes(text, found, last):
        last -= 1
    if last == first:
        return None
    end = found[last - 1].token.end
    unit = (
        found[last].token.text.lower().removesuffix("s")
        if last < len(found) and is_word_after(text, found, last)
        else ""
    )
    bad = depth != 0 or glued(text, end) or not ends_value(found[last - 1].token)
    return side(found, first, last - 1, unclear=bad, unit=unit)


def dashes(text: str, found: list[Term], last: int) -> bool:
    """The operator before term `last` is none: a rate ($5/day), a mark at the end of a line."""
    t = found[last - 1].token
    if last == len(found) or found[last].opens:
        return t.text in ("-", "*")
    after = found[last].token
    return t.text == "/" and after.kind == "word" and len(after.text) > 1


def is_word_after(text: str, found: list[Term], i: int) -> bool:
    t = found[i].token
    return t.kind == "word" and not found[i].opens and not text[found[i - 1].token.end : t.start].strip(" ")


def ends_value(t: Token) -> bool:
    return t.kind in NUMBERS or t.kind == "raised" or t.text in (")", "}", "%", "\\pi", "\u03c0")


def is_bullet(text: str, t: Token) -> bool:
    """- or * or + before a blank, at the start of a line."""
    return t.text in ("-", "*", "+") and text[t.end : t.end + 1] == " "


def hangs(text: str, found: list[Term], first: int, sign: int) -> bool:
    """What stands before a left side belongs to it and cannot be read: J + 5, f(2), 3:4."""
    t = found[first].token
    before = found[first - 1].token if first and not found[first].opens else None
    if AND_PART.search(text, max(0, t.start - 8), t.start) and t.kind == "num" and text[t.end : t.end + 1] == "/":
        return True
    if RATIO_BEFORE.search(text, max(0, t.start - 6), t.start):
        return True
    if t.start and (
        text[t.start - 1] in ":/._#@^&"
        or text[t.start - 1].isalnum()
        or AFTER_DIGIT.search(text, max(0, t.start - 2), t.start)
    ):
        return True
    if t.text == "+" or t.text == "-" and before is not None and before.text != "=":
        spaced = text[t.end : t.end + 1] == " "
        return t.text == "+" or spaced or before is not None and len(before.text) == 1
    if before is not None and before.kind == "num" and t.kind == "num":
        return first + 1 == sign or len(t.text) == 3 and t.start == before.end + 1  # "6 60 =", "1 000 ="
    return before is not None and (before.kind == "cmd" or before.text in ("\u00b1", "~", "<", ">", "|", "!", "_"))


AND_PART = re.compile(r"\d and $")
RATIO_BEFORE = re.compile(r"\d\s*:\s*[$]?$")
AFTER_DIGIT = re.compile(r"\d[,:]$")


def glued(text: str, end: int) -> bool:
    """A letter, or the rest of a ratio or time, stands right behind: 7S, 3:4, 5th."""
    return GLUED.match(text, end) is not None


GLUED = re.compile(
    rf"[A-Za-z](?![A-Za-z])|(?:st|nd|rd|th)\b|[:,]\d|[_\u25a1]|{SCRIPTS}| \d{{3}}(?!\d)"
    rf"| and (?:a |\(?\d+/)|\.\.| \d+/\d"
)


def side(found: list[Term], first: int, last: int, *, unclear: bool, unit: str = "") -> Side:
    part = found[first : last + 1]
    toks = [t.token for t in part]
    value = None if unclear else evaluated(toks)
    signs = frozenset(
        t.text for t in toks if t.text in OPERATIONS or t.text in FRACTIONS or t.text in ("x", "X", "of", "(")
    )
    units = frozenset(t.unit for t in part if t.unit) | ({unit} if unit else frozenset())
    plain = [t for t in toks if t.kind == "num"]
    single = sum(t.kind in NUMBERS for t in toks) == 1 and all(t.text in "-%()" or t.kind in NUMBERS for t in toks)
    decimals = len(plain[0].text.partition(".")[2]) if single and plain and "e" not in plain[0].text.lower() else None
    return Side(toks[0].start, toks[-1].end, value, signs, units, decimals, toks[-1].text == "%", single, (first, last))


def evaluated(toks: list[Token]) -> Sum | None:
    """The exact value, if all of the tokens are one expression."""
    parser = Parser(toks)
    try:
        value = number(literal(toks[0].text)) if len(toks) == 1 and toks[0].kind == "num" else parser.read()
    except Unclear:
        return None
    return value if len(toks) == 1 or parser.at == len(toks) else None
