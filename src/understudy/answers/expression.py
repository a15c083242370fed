"""Arithmetic as people and LaTeX write it, to exact values: a bounded parser, no eval()."""

import re
import sys
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from understudy.answers.algebra import Sum, Unclear, divide, letter, number, power, root

# One character for one character, so that places in the text stay places in the text.
SAME = str.maketrans(
    "\u2212\u2013\u2010\u2011\ufe63\uff0d\u00d7\u2715\u2716\u00b7\u22c5\u2219\u2217\u00f7\u2215\u2044\uff0f\u2236"
    "\u00a0\u2007\u2009\u202f\u2005\u2006\u200a\u3000\uff0b\uff0a\uff1d\uff05\uff04\uff08\uff09\uff0c\uff0e\uff1a"
    "\u2019\u2018\u201c\u201d\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\u2248",
    "------*******///" + "/" + ":" + " " * 8 + "+*=%$(),.:" + "''\"\"" + "0123456789" + "~",
)
VULGAR = {
    "\u00bd": (1, 2), "\u2153": (1, 3), "\u2154": (2, 3), "\u00bc": (1, 4), "\u00be": (3, 4), "\u2155": (1, 5),
    "\u2156": (2, 5), "\u2157": (3, 5), "\u2158": (4, 5), "\u2159": (1, 6), "\u215a": (5, 6), "\u215b": (1, 8),
    "\u215c": (3, 8), "\u215d": (5, 8), "\u215e": (7, 8), "\u2150": (1, 7), "\u2151": (1, 9), "\u2152": (1, 10),
}  # fmt: skip
RAISED = str.maketrans("\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-0123456789")

RAISED_DIGITS = r"\u2070\u00b9\u00b2\u00b3\u2074-\u2079"
TOKEN = re.compile(
    rf"[\s$\u20ac\u00a3\u00a5\u00a2]*+(?:(?P<word>(?![{''.join(VULGAR)}{RAISED_DIGITS}])[^\W\d_]+)"
    r"|(?P<op>\*\*|[-+*/^%()\[\]{}!=<>~|_:;,&\u221a])"
    r"|(?P<mixed>(?<![\d./^])(?<![^({=:,$ ]-)(?<![\d)] -)\d{1,9}[ ]+\d{1,9}/\d{1,9}(?![\d/]|\.\d))"
    r"|(?P<num>(?:\d{1,3}(?:(?:,\\!\s?|\{,\}|\\,|,)\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3}(?!\w))?"
    r"|(?<!\d)\.\d+)"
    rf"|(?P<vulgar>[{''.join(VULGAR)}])|(?P<raised>\u207b?[{RAISED_DIGITS}]{{1,4}})"
    r"|(?P<cmd>\\[A-Za-z]+|\\.)|(?P<other>.))",
    re.DOTALL,
)
NOT_DIGIT = re.compile(r"[^\d.]")
MAX_DIGITS = 400
MAX_TOKENS = 400
MAX_DEPTH = 24
OPERATORS = {
    "\\times": "*", "\\cdot": "*", "\\ast": "*", "\\*": "*", "\\div": "/", "\\%": "%", "percent": "%", "pct": "%",
    "\\left": "", "\\right": "", "\\,": "", "\\;": "", "\\:": "", "\\!": "", "\\ ": "", "\\$": "", "\\quad": "",
    "\\(": "", "\\)": "", "\\[": "", "\\]": "", "\\displaystyle": "", "\\approx": "~", "\\{": "\\{", "\\}": "\\}",
    "\\qquad": "", "\\bigl": "", "\\bigr": "", "\\Big": "", "\\big": "", "\\lbrace": "\\{", "\\rbrace": "\\}",
}  # fmt: skip
SIGNS = ("*", "/", "%", "~")
FRACTIONS = {"\\frac", "\\dfrac", "\\tfrac", "\\cfrac"}
SCRIPTS = r"[\u2080-\u2089]"
GREEK = {
    "\\alpha", "\\beta", "\\gamma", "\\theta", "\\phi", "\\lambda", "\\mu", "\\omega", "\\sigma", "\\rho", "\\tau",
}  # fmt: skip
GROUPS = {"(": ")", "{": "}", "[": "]"}


class Token(NamedTuple):
    kind: str
    """mixed, num, vulgar, raised, cmd, op, word, other"""
    text: str
    """Operators in one spelling."""
    start: int
    end: int


made = tuple.__new__
"""Of a named tuple, in a third of the time that its class takes: there are many tokens."""


def tokens(text: str, start: int = 0, end: int = sys.maxsize) -> list[Token]:
    """What stands in a text, or from place `start` to `end` of it, blanks and currency signs left out."""
    out = []
    for m in TOKEN.finditer(text, start, end):
        kind, word, behind = m.lastgroup or "other", m[m.lastindex or 0], m.end()
        first = behind - len(word)
        if kind == "word" or kind == "cmd":
            word = OPERATORS.get(word if kind == "cmd" else word.lower(), word)
            if not word:
                continue
            kind = "op" if word in SIGNS else kind
        elif word == "**":
            word = "^"
        out.append(made(Token, (kind, word, first, behind)))
    return out


def literal(text: str) -> Fraction:
    """The value of a written number: "1,200", "3.50", "1.8e1", ".5"."""
    digits, _, exponent = text.lower().partition("e")
    digits = NOT_DIGIT.sub("", digits)
    if len(digits) > MAX_DIGITS:
        raise Unclear("too many digits")
    whole, _, part = digits.partition(".")
    value = Fraction(int(whole + part or "0"), 10 ** len(part))
    return value * Fraction(10) ** int(exponent) if exponent else value


@lru_cache(maxsize=1 << 12)
def amount(digits: str) -> Sum:
    """The same as a sum."""
    return number(literal(digits))


class Parser:
    """Reads the longest expression that begins at one token; units behind it are left alone."""

    def __init__(self, found: list[Token], *, letters: bool = False) -> None:
        self.tokens = found
        self.letters = letters
        """Single letters are unknowns, not units."""
        self.at = 0
        self.depth = 0
        self.percent = False
        """A percent sign was read."""
        self.operators = 0
        self.sole: Token | None = None
        """The last plain number read."""

    def peek(self, ahead: int = 0) -> Token | None:
        i = self.at + ahead
        return self.tokens[i] if i < len(self.tokens) else None

    def begins(self, ahead: int = 0) -> bool:
        """Something that has a value stands there."""
        t = self.peek(ahead)
        if t is None:
            return False
        if t.kind in ("num", "mixed", "vulgar") or t.text in ("(", "{", "\\sqrt", "\\pi", "\u03c0", "\u221a"):
            return True
        if t.kind == "cmd":
            return t.text in FRACTIONS or self.letters and t.text in GREEK
        return self.letters and t.kind == "word" and len(t.text) == 1

    def read(self, start: int = 0) -> Sum:
        """The longest expression from token `start`; `at` is left behind it."""
        self.at = start
        if len(self.tokens) > MAX_TOKENS:
            self.tokens = self.tokens[: start + MAX_TOKENS]
        return self.sum()

    def signed(self, ahead: int = 0) -> bool:
        """A value, signs before it included."""
        while (t := self.peek(ahead)) is not None and t.text in ("-", "+"):
            ahead += 1
        return self.begins(ahead)

    def sum(self) -> Sum:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unclear("nested too deep")
        percent = self.percent
        self.percent = False
        total = self.term()
        first = self.percent
        while (t := self.peek()) is not None and t.text in ("+", "-") and self.signed(1):
            self.at += 1
            self.operators += 1
            self.percent = False
            whole = total.rational == 1
            total = total.add(self.term(), 1 if t.text == "+" else -1)
            if self.percent and not first and not whole:  # 1 - 20% is 0.8 to all; 100 - 20% is 80 to many
                raise Unclear("a number plus or minus a percentage")
        self.percent = self.percent or first or percent
        self.depth -= 1
        return total

    def term(self) -> Sum:
        value, divided = self.factor(), False
        while (t := self.peek()) is not None:
            if t.text in ("*", "/") and self.signed(1):
                self.at += 1
                self.operators += 1
                other = self.factor()
                value = value.times(other) if t.text == "*" else divide(value, other)
                divided = divided or t.text == "/"
            elif self.crossed(t):
                self.at += 1
                self.operators += 1
                value = value.times(self.factor())
            elif t.text == "of" and self.partial(value) and self.begins(1):
                self.at += 1
                self.operators += 1
                value = value.times(self.factor())
                self.percent = False
            elif self.beside(t):
                if divided:
                    raise Unclear("a/b(c)")
                self.operators += 1
                value = value.times(self.factor())
            else:
                break
        return value

    def crossed(self, t: Token) -> bool:
        """An x that means times: a value follows at once."""
        if t.text not in ("x", "X") or self.letters and not self.spaced(t):
            return False
        after = self.peek(1)
        return after is not None and self.begins(1) and after.kind != "word"

    def spaced(self, t: Token) -> bool:
        before, after = self.tokens[self.at - 1], self.peek(1)
        return before.end < t.start and after is not None and t.end < after.start

    def partial(self, value: Sum) -> bool:
        """20% of, 3/4 of, 0.5 of."""
        q = value.rational
        return q is not None and (self.percent or q.denominator > 1)

    def beside(self, t: Token) -> bool:
        """Two values side by side that are multiplied: 2(3), 3\\sqrt{5}, 4\\pi, in algebra 2k."""
        if self.at == 0:
            return False
        before = self.tokens[self.at - 1]
        if t.text == "(":
            return (
                before.end == t.start and before.kind in ("num", "vulgar", "word", "cmd") or before.text in (")", "}")
            )
        if t.kind in ("cmd", "word") or t.text in ("\u221a", "\u03c0"):
            return self.begins() and before.kind != "op" or self.begins() and before.text in (")", "}")
        return False

    def factor(self) -> Sum:
        t = self.peek()
        if t is not None and t.text in ("-", "+"):
            self.at += 1
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise Unclear("nested too deep")
            value = self.factor()
            self.depth -= 1
            return number(0).add(value, -1) if t.text == "-" else value
        return self.powers()

    def powers(self) -> Sum:
        value = self.postfix()
        t = self.peek()
        if t is not None and t.kind == "raised":
            self.at += 1
            self.operators += 1
            return power(value, number(int(t.text.translate(RAISED))))
        if t is not None and t.text == "^" and self.signed(1):
            self.at += 1
            self.operators += 1
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise Unclear("nested too deep")
            value = power(value, self.factor())
            self.depth -= 1
        return value

    def postfix(self) -> Sum:
        value = self.atom()
        t = self.peek()
        if t is not None and t.text == "%":
            self.at += 1
            self.percent = True
            value = value.times(number(Fraction(1, 100)))
        elif t is not None and t.text == "!" and (after := self.peek(1)) is not None and after.text in "+-*/=)":
            self.at += 1
            self.operators += 1
            value = factorial(value)
        return value

    def atom(self) -> Sum:
        t = self.peek()
        if t is None or not self.begins():
            raise Unclear("no value")
        self.at += 1
        if t.kind == "num":
            return self.written(t)
        if t.kind == "mixed":
            self.sole = t
            whole, part = t.text.split(maxsplit=1)
            over, under = part.split("/")
            return number(int(whole)).add(divide(number(int(over)), number(int(under))))
        if t.kind == "vulgar":
            return number(Fraction(*VULGAR[t.text]))
        if t.text in ("(", "{"):
            return self.inside(GROUPS[t.text])
        if t.text in FRACTIONS:
            above = self.argument()
            self.operators += 1
            return divide(above, self.argument())
        if t.text in ("\\sqrt", "\u221a"):
            self.operators += 1
            return self.rooted()
        return letter("pi" if t.text in ("\\pi", "\u03c0") else t.text)

    def written(self, t: Token) -> Sum:
        """A number, with the fraction that makes it a mixed number."""
        self.sole = t
        value = amount(t.text)
        after = self.peek()
        if after is None or not t.text.isdigit():
            return value
        if after.kind == "vulgar":
            self.at += 1
            return value.add(number(Fraction(*VULGAR[after.text])))
        if after.text in FRACTIONS:
            self.at += 1
            above, below = self.argument(), self.argument()
            part = divide(above, below)
            q = part.rational
            return value.add(part) if q is not None and 0 < q < 1 else value.times(part)
        return value

    def inside(self, close: str) -> Sum:
        value = self.sum()
        t = self.peek()
        if t is None or t.text != close:
            raise Unclear("an open bracket")
        self.at += 1
        return value

    def argument(self) -> Sum:
        """What follows \\frac or \\sqrt: a group, one digit, or one symbol."""
        t = self.peek()
        if t is None:
            raise Unclear("no argument")
        if t.kind == "num" and t.text.isdigit() and len(t.text) > 1:
            self.tokens = [*self.tokens]
            self.tokens[self.at : self.at + 1] = [
                Token("num", t.text[:1], t.start, t.start + 1),
                Token("num", t.text[1:], t.start + 1, t.end),
            ]
            self.at += 1
            return number(int(t.text[0]))
        if t.text == "{":
            self.at += 1
            return self.inside("}")
        return self.atom()

    def rooted(self) -> Sum:
        t = self.peek()
        if t is not None and t.text == "[":
            self.at += 1
            order, value = self.inside("]"), self.argument()
            return whole_root(value, order)
        if t is not None and t.kind == "num":  # \sqrt51 and a root sign take the whole number
            self.at += 1
            return root(amount(t.text))
        return root(self.argument())


def whole_root(value: Sum, order: Sum) -> Sum:
    """The k-th root, where it is rational."""
    q, k = value.rational, order.rational
    if q is None or k is None or k.denominator != 1 or not 2 <= k <= 16 or not 0 <= q < 10**12:
        raise Unclear("root")
    if k == 2:
        return root(value)
    n = int(k)
    if q.denominator > 10**12:
        raise Unclear("root")
    above, below = round(q.numerator ** (1 / n)), round(q.denominator ** (1 / n))
    if above**n != q.numerator or below**n != q.denominator:
        raise Unclear("root is irrational")
    return number(Fraction(above, below))


def factorial(value: Sum) -> Sum:
    q = value.rational
    if q is None or q.denominator != 1 or not 0 <= q <= 30:
        raise Unclear("factorial out of bounds")
    out = 1
    for i in range(2, int(q) + 1):
        out *= i
    return number(out)
