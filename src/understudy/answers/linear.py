"""Steps of solving for one unknown: an equation that is said to follow from the one before has the same solution."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from understudy.answers.algebra import ONE, Sum, Unclear, divide
from understudy.answers.equation import Slip, SlipKind
from understudy.answers.expression import FRACTIONS, GREEK, Parser, Token, made, tokens
from understudy.answers.prepare import NOTE, SIGN, blank, compares, prepared, printed
from understudy.answers.units import UNITS, stem


class Linear(NamedTuple):
    """An equation with one unknown in the first power, as it stands in a text."""

    unknown: str
    solutions: frozenset[Fraction]
    """One for each way to read it: 205 + x/10 may be (205 + x)/10. Empty: none, or every number is one."""
    start: int
    end: int
    decimals: int
    """Most digits after the point of a number in it."""
    solved: bool
    """The unknown stands alone before the sign, a number behind it."""
    named: int
    """Where the equation ends as it is told: at a second equals sign, if what follows that says the same."""


Chain = tuple[list[re.Match[str]], int, int]
"""The equals signs of one equation, and the places between which it stands."""
MOST = 600
"""Equations of one text that are read."""
REACH = 240
"""Characters of a side, and between two equations."""
MAX_SIDE = 60
VALUES = frozenset({"num", "mixed", "vulgar", "raised"})
PARTS = frozenset("+-*/^(){}") | FRACTIONS
UNIT_WORDS = 4
CLAUSE = re.compile(r"[\n;,.:?!=\u2192\u21d2-](?:(?<=[\n;\u2192\u21d2])|(?<=,)(?!\d)|(?<=[.:?!])(?=\s|\Z)|(?<=[-=])>)")
"""An expression ends here. The first character decides, so that a text is skimmed for it."""
BEFORE = re.compile(r"['\u2019._#@\\]\Z")
"""Tight before a letter: it is part of something else."""
NO_LETTERS = "".join(c for c in map(chr, range(128)) if not c.isalpha() and c != "\\")
LONGEST_COMMAND = 10
LONG_WORD = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{2,}")
UNKNOWN = re.compile(
    r"\d[A-Za-z](?![A-Za-z\d])|(?<![A-Za-z'.])[A-Za-z] ?[-+*/=^)]|[-+*/=(] ?[A-Za-z](?![A-Za-z'])|\\[a-z]{2,7} ?="
)
"""A letter in arithmetic; texts without one hold nothing to solve."""
OPERATES = frozenset("times more less fewer of plus minus percent dozen squared and or if when where per".split())
"""Words behind an equation that change it."""
ARROW = re.compile(r"->|=>|\u2192|\u21d2|\\implies|\\Rightarrow|\\to\b|\\rightarrow")
SEPARATES = re.compile(r"[\n;]")
UNIT = re.compile(r"\A ?[A-Za-z]+(?: [A-Za-z]+){0,2}(?=\s*[.,;\n])")
PUNCTUATION = re.compile(r"[\s.,:;*&|$\\(){}\[\]>=\u2192\u21d2-]*")
STEP = frozenset(
    "so then thus hence therefore we i get gives give giving gets got which that this is means now next simplify "
    "simplifies simplifying to combine combining combined like similar terms term subtract subtracting add adding from "
    "both sides side divide dividing by multiply multiplying the equation of each solve solving for find isolate "
    "isolating rearrange rearranging expand expanding distribute distributing collect collecting becomes become it "
    "yields yield obtain obtaining leads results result resulting in us have having left right hand move moving value "
    "unknown variable parentheses parenthesis brackets multiplied divided reduces reduce produces let's lets can be "
    "rewritten as written further finally on with must equal equals results our let do that's".split()
)
"""Words between two equations of which the second follows from the first."""
WORDS = re.compile(r"[A-Za-z][A-Za-z']*")
FOLLOWS = frozenset(
    "so then thus hence therefore get gives give giving gets got means becomes yields yield obtain simplify "
    "simplifying simplifies".split()
)
WORKS_ON = frozenset("divide dividing subtract subtracting add adding multiply multiplying divided multiplied".split())
CONCLUDES = re.compile(r"\A ?(?:so|then|thus|hence|therefore|which|and)\b", re.IGNORECASE)
CONCLUSIONS = frozenset("so thus hence therefore".split())
NEW = frozenset(
    "let if suppose assume say when or case where let's substitute substituting plug plugging replace".split()
)
"""Words that begin something else."""
DIGIT = re.compile(r"\d")
NEXT_WORD = re.compile(r" ?([A-Za-z]+)")
CLOSE = Fraction(1, 100)
"""Of the solution: what decimals may have been rounded away in the steps between."""


def algebra_slips(text: str) -> tuple[Slip, ...]:
    """Steps after which the one unknown of a linear equation has another solution, as "first -> second".

    Only equations that stand next to each other in the text are compared, where nothing but words of solving stands
    between them. New equations, more than one unknown, and what is not linear are left alone.

    >>> [s.equation for s in algebra_slips("3S + 5 = 2S + 10; 5 = 2S + 10 - 3S -> 5 = 7S")]
    ['5 = 2S + 10 - 3S -> 5 = 7S']
    """
    if text.count("=") < 2 or UNKNOWN.search(text) is None:
        return ()
    plain = NOTE.sub(blank, prepared(text))
    out = []
    before: Linear | None = None
    for found in linear_equations(plain):
        if found and before and claims(plain, before, found[0]) and differ(before, found[0]):
            here = found[0]
            step = f"{printed(text, before.start, before.named)} -> {printed(text, here.start, here.end)}"
            out.append(Slip(step, before.start, here.end, SlipKind.ALGEBRA))
        before = found[1] if found else None
    return tuple(out)


def linear_equations(plain: str) -> Iterator[tuple[Linear, Linear] | None]:
    """Each equation in order, as it begins and, if more equals signs follow, as it ends: 2x = 75 + 25 = 100.

    None stands for one that is not linear in one unknown, and for one that stands beside none with a letter in it.
    """
    found = list(chains(plain))
    solvable = [False, *(lettered(plain, *one) for one in found), False]
    for n, one in enumerate(found, 1):
        yield ends_of(plain, *one) if solvable[n] and (solvable[n - 1] or solvable[n + 1]) else None


def chains(plain: str) -> Iterator[Chain]:
    """Each equation in order; signs with nothing but arithmetic between them are one's."""
    signs = [m for m in SIGN.finditer(plain) if not compares(plain, m)][:MOST]
    chain: list[re.Match[str]] = []
    low = last = 0
    for sign in signs:
        at = sign.start()
        if chain and CLAUSE.search(plain, last, at) is None and LONG_WORD.search(plain, last, at) is None:
            chain.append(sign)
        else:
            if chain:
                yield chain, low, at
            low, chain = last, [sign]
        last = sign.end()
    if chain:
        yield chain, low, len(plain)


def lettered(plain: str, chain: list[re.Match[str]], low: int, high: int) -> bool:
    """A letter may be part of the first equation: a bound that costs a tenth of reading it."""
    sign = chain[0]
    until = chain[1].start() if len(chain) > 1 else min(high, sign.end() + REACH)
    before = plain[max(low, sign.start() - REACH) : sign.start()].rstrip(NO_LETTERS)
    after = plain[sign.end() : until].lstrip(NO_LETTERS)
    return lone(before[-1:], before[-2:-1]) or "\\" in before[-LONGEST_COMMAND:] or lone(after[:1], after[1:2])


def lone(c: str, beside: str) -> bool:
    """The character is a letter alone, or may be one: the first of a command, or none of ASCII."""
    return c != "" and (not beside.isalpha() or c == "\\" or not c.isascii())


def ends_of(plain: str, chain: list[re.Match[str]], low: int, high: int) -> tuple[Linear, Linear] | None:
    """The first equation of a chain, and its first side with its last one, if that is a number."""
    if any([sign.group() != "=" for sign in chain]):
        return None
    left = before_sign(plain, max(low, chain[0].start() - REACH), chain[0].start())
    ends = [*(sign.start() for sign in chain[1:2]), min(high, chain[-1].end() + REACH)]
    first = linear(left, after_sign(plain, chain[0].end(), ends[0]))
    if first is None or len(chain) == 1:
        return first and (first, first)
    last = linear(left, after_sign(plain, chain[-1].end(), min(high, chain[-1].end() + REACH)))
    if last is None or last.solutions != first.solutions:
        return first, last or first
    return first, last._replace(named=first.named)


def linear(left: list[Token], right: list[Token]) -> Linear | None:
    if not left or not right:
        return None
    try:
        found = [solved(a, b) for a in readings(shifted(left)) for b in readings(shifted(right))]
    except Unclear:
        return None
    unknown = found[0][0]
    solutions = frozenset(x for _, x in found if x is not None)
    decimals = max([len(t.text.partition(".")[2]) for t in (*left, *right)])
    alone = len(left) == 1 and left[0].text == unknown and all([t.text != unknown for t in right])
    return Linear(unknown, solutions, left[0].start, right[-1].end, decimals, alone, right[-1].end)


def shifted(part: list[Token]) -> tuple[Token, ...]:
    """The same part as it would stand at the start of a text."""
    start = part[0].start
    return tuple([made(Token, (t.kind, t.text, t.start - start, t.end - start)) for t in part])


@lru_cache(maxsize=1 << 12)  # a side stands there again in the next equation, and most are short
def readings(part: tuple[Token, ...]) -> tuple[Sum, ...]:
    """The value as printed, and with all before and behind its fraction bar as numerator and denominator.

    Unclear for several fraction bars beside other operators.
    """
    depth, bars, loose = 0, [], False
    for i, t in enumerate(part):
        depth += (t.text in ("(", "{")) - (t.text in (")", "}"))
        if depth == 0 and t.text == "/":
            bars.append(i)
        loose = loose or depth == 0 and i > 0 and t.text in ("+", "-", "*")
    printed_so = whole(part)
    if not bars or not loose or not any([t.kind == "word" for t in part]):
        return (printed_so,)
    if len(bars) > 1:
        raise Unclear("which fractions?")
    return printed_so, divide(whole(part[: bars[0]]), whole(part[bars[0] + 1 :]))


def solved(a: Sum, b: Sum) -> tuple[str, Fraction | None]:
    """The unknown of a = b and its value, None if there is none or any; Unclear if it is not linear in one unknown."""
    names = {name for value in (a, b) for _, letters in value.terms for name, _ in letters}
    if len(names) != 1:
        raise Unclear("not one unknown")
    (unknown,) = names
    monomial = (1, ((unknown, 1),))
    if any(m not in (ONE, monomial) for value in (a, b) for m in value.terms):
        raise Unclear("not linear")
    terms = a.add(b, -1).terms
    factor = terms.get(monomial)
    return unknown, -terms.get(ONE, Fraction(0)) / factor if factor else None


def before_sign(plain: str, low: int, sign: int) -> list[Token]:
    """The expression that ends at the sign; empty if what stands before belongs to it."""
    start = low
    for m in CLAUSE.finditer(plain, low, len(plain[low:sign].rstrip()) + low):
        start = m.end()
    found = tokens(plain, start, sign)
    first = len(found)
    while first and belongs(found[first - 1]) and len(found) - first < MAX_SIDE:
        first -= 1
    part = found[first:]
    if not part or BEFORE.search(plain, max(0, part[0].start - 1), part[0].start):
        return []
    if part[0].text in "+*/^)}" or part[0].text == "-" and first > 0:
        return []
    return [] if first and found[first - 1].text.lower() in OPERATES else part


def after_sign(plain: str, start: int, high: int) -> list[Token]:
    """The expression that begins at the sign; empty if what stands behind belongs to it."""
    blanks = len(plain[start:high]) - len(plain[start:high].lstrip())
    end = CLAUSE.search(plain, start + blanks, high)
    found = tokens(plain, start, end.start() if end else high)
    last = 0
    while last < len(found) and belongs(found[last]) and last < MAX_SIDE:
        last += 1
    while last and found[last - 1].text == "(":
        last -= 1
    part, behind = found[:last], found[last : last + UNIT_WORDS]
    if not part or part[-1].text in PARTS - {")", "}"}:
        return []
    if any(t.text.lower() in OPERATES or t.text in PARTS for t in behind[:1]) or works_on(behind):
        return []
    return part


def works_on(behind: list[Token]) -> bool:
    """A unit and an operator: 30 feet / 6."""
    after = next((t for t in behind if t.kind != "word"), None)
    return after is not None and after.text in "+-*/^"


def belongs(t: Token) -> bool:
    return t.kind in VALUES or t.text in PARTS or t.text in GREEK or t.kind == "word" and len(t.text) == 1


def whole(part: Sequence[Token]) -> Sum:
    """The value of all of an expression; Unclear if a part of it is left."""
    parser = Parser([*part], letters=True)
    value = parser.read()
    if parser.at < len(parser.tokens):
        raise Unclear("more than an expression")
    return value


def claims(plain: str, before: Linear, here: Linear) -> bool:
    """The text says that the second equation follows from the first."""
    if before.unknown != here.unknown or before.solved or not 0 <= here.start - before.end <= REACH:
        return False
    between = plain[before.end : here.start]
    if converts(between, plain, here.end):
        return False
    said = between if CONCLUDES.match(between) else UNIT.sub("", between)
    words = {w.lower() for w in WORDS.findall(said)} - {before.unknown.lower()}
    if words - STEP:
        return here.solved and not words & NEW and bool(words & CONCLUSIONS) and not DIGIT.search(said)
    if not words & WORKS_ON and PUNCTUATION.fullmatch(WORDS.sub("", said)) is None:
        return False
    if ARROW.search(between) or SEPARATES.search(between) or words & FOLLOWS:
        return True
    return here.solved and "," in between


def converts(between: str, plain: str, end: int) -> bool:
    """The second equation is in another unit: 3x = 1 hour, thus 3x = 60 minutes."""
    a, b = NEXT_WORD.match(between), NEXT_WORD.match(plain, end)
    if a is None or b is None:
        return False
    here, there = UNITS.get(stem(a[1])), UNITS.get(stem(b[1]))
    return here is not None and there is not None and here != there


def differ(before: Linear, here: Linear) -> bool:
    """The solutions are not the same, and no rounding explains it."""
    if not before.solutions or not here.solutions or before.solutions & here.solutions:
        return False
    gaps = [(abs(x - y), max(abs(x), abs(y))) for x in before.solutions for y in here.solutions]
    if here.decimals or before.decimals:
        return all(gap > CLOSE * size for gap, size in gaps)
    return not here.solved or all(gap >= 1 for gap, _ in gaps)
