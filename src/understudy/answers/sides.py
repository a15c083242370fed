"""The two sides of an equals sign, as values: which words are units, and where the arithmetic ends."""

import re
from fractions import Fraction
from typing import NamedTuple

from understudy.answers.algebra import Sum, Unclear, number
from understudy.answers.expression import FRACTIONS, SCRIPTS, Parser, Token, literal
from understudy.answers.terms import CLOSE, NUMBERS, OPEN, OPERATIONS, Term, ends_value, opens_value, terms
from understudy.answers.worth import worth


class Side(NamedTuple):
    """One side of an equation."""

    terms: tuple[Term, ...]
    value: Fraction | Sum | int | None
    """None: cannot be evaluated. A Sum holds roots or pi."""
    whole: bool
    """Nothing stands between it and the place where the other side may begin or end."""

    @property
    def start(self) -> int:
        return self.terms[0].token.start

    @property
    def end(self) -> int:
        return self.terms[-1].token.end

    @property
    def tokens(self) -> tuple[Token, ...]:
        return tuple([t.token for t in self.terms])

    @property
    def signs(self) -> frozenset[str]:
        """Operators in it."""
        return frozenset([t.token.text for t in self.terms if t.token.text in SIGNS])

    @property
    def units(self) -> frozenset[str]:
        return frozenset([word for t in self.terms for word in t.units])

    @property
    def single(self) -> bool:
        """One number, perhaps with a sign."""
        if len(self.terms) == 1:
            return True
        toks = self.tokens
        return sum(t.kind in NUMBERS for t in toks) == 1 and all(t.text in "-%()" or t.kind in NUMBERS for t in toks)

    @property
    def percent(self) -> bool:
        return self.terms[-1].token.text == "%"

    @property
    def decimals(self) -> int | None:
        """Digits after the point, if it is a single plain number."""
        digits = next((t.token.text for t in self.terms if t.token.kind == "num"), None) if self.single else None
        return None if digits is None or "e" in digits.lower() else len(digits.partition(".")[2])


PLAIN = frozenset("+-*/()xX")
MAX_SIDE = 80
REACH = 600
"""Characters of a side that are read."""
WITHIN = OPERATIONS | FRACTIONS | OPEN | CLOSE | {"%", "x", "X", "\\sqrt", "\\pi", "\u221a", "\u03c0", "!"}
SIGNS = OPERATIONS | FRACTIONS | {"x", "X", "of", "("}
PAUSES = frozenset({"\\\\", "\\item", "\\implies", "\\Rightarrow", "\\to", "\\rightarrow", "\\therefore", "\\because"})
"""Commands before an equation that are no part of it."""
DATE = re.compile(r"(?<![\d/])\d{1,2}/\d{1,2}/\d{2,4}(?![\d/])|(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
BLANKS = re.compile(r"\s*")
STOP = re.compile(r"\n|[.,;?!] ")
HANGS = re.compile(
    r"[\w./#@^&|~<!\u00b1]\$?\Z"  # S5, 0.5, page/3, a < 3
    r"|\d[,:]\$?\Z|\d +: *\$?\Z"  # 1,5 and 3:4
    r"|[-+*/x] ?\. ?\$?\Z"  # + . 84
    r"|[-+*/^%] *\(+\$?\Z|\w\(+\$?\Z"  # an open bracket of which this is a part
)
GLUED = re.compile(
    rf"[A-Za-z](?![A-Za-z])|[A-Z][a-z]|(?:st|nd|rd|th)\b|[:,]\d|\([A-Za-z]|[_\u25a1]|{SCRIPTS}| \d{{3}}(?!\d)"
    rf"| and (?:a |[($]?\d+/)|\.\.|\u2026| \d+/\d| [xX]\b"
)
NUMBER = r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d{1,12}+)(?:\.\d{1,16}+)?+|\.\d{1,16}+"
AFTER = (
    r"(?=[\s.,;:)!?'\"]|/?[a-z]{2}|\$(?:[\s.,]|\Z)|\Z)(?!\.[.\d]|[:,]\d|(?:st|nd|rd|th|of|percent|pct)\b)"
    r"(?!\$? (?:\d|(?:x|X|percent|pct)\b|of\b(?! [A-Za-z]{2})|and (?:a |[($]?\d+/)))"
    r"(?!\$?(?>[a-z]+)?(?>[ /][A-Za-z]{1,20}+(?:(?<=[A-Za-z]{2})-[A-Za-z]{2,20}+)?){0,9}"
    r" *(?:[-+*^=(%<~\u2248\\]|/(?![a-z])|[xX] ?[\d$(.]))"
)
"""The right side ends here: no operator follows, nor a unit and an operator."""
LONE = re.compile(rf"\s*\$?(?P<number>{NUMBER}){AFTER}")
LETTERS = " 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
AND_PART = re.compile(r"\d and \$?\Z")
NEAR = 48
"""Characters of a left side that are read at first; most are shorter."""


def belongs(t: Token) -> bool:
    return t.kind in NUMBERS or t.kind == "raised" or t.text in WITHIN


def tight_part(a: Token, b: Token) -> bool:
    """2½"""
    return b.kind == "vulgar" and a.kind == "num" and a.end == b.start


def is_share(found: list[Term], i: int) -> bool:
    """What stands before the "of" at i is a part: 20% of, 3/4 of, (1/2) of, 0.5 of."""
    if not i:
        return False
    t = found[i - 1].token
    if t.kind == "num":
        return "." in t.text or i > 2 and found[i - 2].token.text == "/" and found[i - 3].token.kind == "num"
    return t.text in CLOSE or t.text == "%" or t.kind == "vulgar" or t.kind == "mixed"


def left_side(text: str, lowest: int, sign: int) -> Side | None:
    """The arithmetic that ends at place `sign`, where the equals sign is, and begins behind place `lowest`."""
    low = max(lowest, sign - REACH)
    end = low + len(text[low:sign].rstrip())
    if is_named(text, low, end):
        return None
    line = max(low, text.rfind("\n", low, end) + 1)
    sentence = text.rfind(". ", line, end)
    start = line if sentence < 0 else sentence + 2
    near = text.find(" ", end - NEAR, end) if end - NEAR > start else -1
    if near > 0 and (found := terms(text, near, sign, closed=True)):
        first, ordered = leftmost(found)
        if ordered and 4 <= first < len(found) and opens_value(found[first].token):
            return left_of(text, found, first, lowest, ordered, whole=False)
    found = terms(text, start, sign, closed=True)
    first, ordered = leftmost(found)
    begins = text[line - 1 : line] in ("", "\n") and start == line
    if found and first == 0 and begins and is_bullet(text, found[0].token):
        first = 1
    ordered = ordered and (first > 0 or start > sign - REACH)
    return left_of(text, found, first, lowest, ordered, whole=first == 0 and start == lowest)


def is_named(text: str, low: int, end: int) -> bool:
    """Words stand before the sign, and no number of which they are the unit: Total cost = ..., K = ..."""
    last = text[max(low, end - 1) : end]
    if not last.isalpha() or not last.isascii():
        return False
    words = text[max(low, end - NEAR) : end]
    bare = words.rstrip(LETTERS)
    name = words[len(bare) :].split()[-1]
    if name in ("x", "X", "a", "of", "percent", "pct") or not bare and len(words) == NEAR:
        return False
    return not bare or bare[-1] in ".,;:\n" or len(name) == 1


def left_of(text: str, found: list[Term], first: int, lowest: int, ordered: bool, *, whole: bool) -> Side | None:
    """The side from term `first` on; without value if something before or behind it belongs to it."""
    if first >= len(found):
        return None
    clear = ordered and not hangs(text, found, first, lowest) and GLUED.match(text, found[-1].token.end) is None
    return side(text, found[first:], clear=clear, whole=whole)


def leftmost(found: list[Term]) -> tuple[int, bool]:
    """The first term of the arithmetic that ends with the last one, and whether its brackets are in order."""
    first = outer = len(found)
    depth = 0
    while first > max(0, len(found) - MAX_SIDE):
        t = found[first - 1].token
        if t.text == "of":
            if not is_share(found, first - 1):
                break
        elif not belongs(t):
            break
        elif first < len(found) and t.kind in NUMBERS and found[first].token.kind in NUMBERS:
            if not tight_part(t, found[first].token):
                break  # the first belongs to the words before
        if t.text in OPEN:
            if depth == 0:
                break
            depth -= 1
        elif t.text in CLOSE:
            outer = first if depth == 0 else outer
            depth += 1
        first -= 1
    if depth:  # a) 3 + 4 = 7
        return outer, outer < len(found) and found[outer - 1].token.text == ")" and opens_value(found[outer].token)
    return first, True


def is_bullet(text: str, t: Token) -> bool:
    """- or * or + before a blank, at the start of a line."""
    return t.text in ("-", "*", "+") and text[t.end : t.end + 1] == " "


def hangs(text: str, found: list[Term], first: int, lowest: int) -> bool:
    """What stands before a left side belongs to it and cannot be read: J + 5, f(2), 3:4."""
    t = found[first].token
    before = found[first - 1].token if first else None
    edge = text[max(lowest, t.start - 8) : t.start]
    if HANGS.search(edge) or AND_PART.search(edge) and text[t.end : t.end + 1] == "/":
        return True
    if t.text in ("+", "-") and before is not None:
        return t.text == "+" or text[t.end : t.end + 1] == " " or before.end == t.start or len(before.text) == 1
    if t.text == "+":
        return True
    if before is None:
        return False
    if before.kind == "num" and t.kind == "num":
        return first + 1 == len(found) or len(t.text) == 3 and t.start == before.end + 1  # "6 60 =", "1 000 ="
    arrow = before.text == ">" and (first == 1 or found[first - 2].token.text in "-=")
    foreign = before.kind == "cmd" and before.text not in PAUSES or before.text in "~<!_\u00b1"
    return foreign or before.text == ">" and not arrow


def right_side(text: str, sign: int, until: int, *, closed: bool) -> Side | None:
    """The arithmetic that begins behind an equals sign at place `sign`; no more is read than up to place `until`.

    `closed`: the next equals sign stands at `until`.
    """
    if (m := LONE.match(text, sign)) and m.end() <= until:
        token = Token("num", m["number"], m.start(1), m.end(1))
        units = ("dollar",) if text[m.start(1) - 1] == "$" else ()
        exact = worth(m["number"].replace(",", ""))
        return Side((Term(token, units),), exact, closed and text[m.end() : until].isspace())
    if until - sign > REACH:
        until, closed = sign + REACH, False
    m = STOP.search(text, BLANKS.match(text, sign).end() + 1, until)  # type: ignore[union-attr]
    if m and not text[m.start() : until].isspace():
        until, closed = m.start(), False
    found = terms(text, sign, until, closed=closed)
    last = rightmost(found)
    while last > 1 and dashes(found, last):
        last -= 1
    if last == 0:
        return None
    part, end = found[:last], found[last - 1].token
    clear = ends_value(end) and GLUED.match(text, end.end) is None
    if clear and len(part) > 1:
        clear = sum(t.token.text in OPEN for t in part) == sum(t.token.text in CLOSE for t in part)
    return side(text, part, clear=clear, whole=closed and last == len(found))


def rightmost(found: list[Term]) -> int:
    """Behind the last term of the arithmetic that begins with the first one."""
    last = depth = 0
    while last < min(len(found), MAX_SIDE):
        t = found[last].token
        before = found[last - 1].token if last else None
        after_value = before is not None and ends_value(before)
        follows = found[last + 1].token if last + 1 < len(found) else None
        if t.text == "of" or t.text in ("x", "X"):
            if follows is None or not opens_value(follows) or t.text == "of" and not is_share(found, last):
                break
        elif not belongs(t) or t.text == "!":
            break
        if before is not None and after_value and t.kind in NUMBERS and not tight_part(before, t):
            break
        if t.text in OPEN:
            if before is not None and after_value and not (before.end == t.start and is_inner(follows)):
                break
            depth += 1
        elif t.text in CLOSE:
            if depth == 0:
                break
            depth -= 1
        last += 1
    return last


def is_inner(t: Token | None) -> bool:
    """May be the first of what stands in a bracket that is multiplied."""
    return t is not None and (opens_value(t) or t.text == "-")


def dashes(found: list[Term], last: int) -> bool:
    """The operator before term `last` is none: a rate ($5/day), a dash, a mark at the end of a line."""
    t = found[last - 1].token
    if last == len(found):
        return t.text in ("-", "*")
    after = found[last].token
    return t.text == "/" and after.kind == "word" and len(after.text) > 1 or t.text == "-" and after.kind == "word"


def side(text: str, part: list[Term], *, clear: bool, whole: bool) -> Side:
    if len(part) > 2 and clear:
        clear = DATE.search(text, part[0].token.start, part[-1].token.end) is None
    return Side(tuple(part), evaluated([t.token for t in part]) if clear else None, whole)


def evaluated(toks: list[Token]) -> Fraction | Sum | int | None:
    """The exact value, if all of the tokens are one expression."""
    plain = [t.text for t in toks if t.kind == "num" or t.text in PLAIN]
    if len(plain) == len(toks):
        value = worth("".join(plain).replace(",", "").replace("x", "*").replace("X", "*"))
        if value is not None:
            return value
    behind = [Token("op", "=", toks[-1].end, toks[-1].end)] if toks[-1].text == "!" else []  # 5! is no exclamation
    parser = Parser([*toks, *behind])
    try:
        exact = number(literal(toks[0].text)) if len(toks) == 1 and toks[0].kind == "num" else parser.read()
    except Unclear:
        return None
    if len(toks) > 1 and parser.at < len(parser.tokens) - len(behind):
        return None
    return exact if exact.rational is None else exact.rational
