"""Numbers and operators of a text, each number with the words behind it that are its unit."""

from typing import NamedTuple

from understudy.answers.expression import FRACTIONS, Token, made, tokens
from understudy.answers.units import NOT_UNITS, stem

NUMBERS = frozenset({"num", "mixed", "vulgar"})
OPERATIONS = frozenset("+-*/^")
OPEN, CLOSE = frozenset("({"), frozenset(")}")
BRACKETS = {"[": "(", "]": ")"}
UNIT_WORDS = 8
"""A longer row of words is no unit."""


class Term(NamedTuple):
    """A token and the unit that stands behind it."""

    token: Token
    units: tuple[str, ...]
    """Words of the unit, without plural."""


def terms(text: str, start: int, end: int, *, closed: bool) -> list[Term]:
    """Tokens of a part of a text with the words behind a number taken in as its unit.

    `closed`: an equals sign stands at `end`, so a unit may end there.
    """
    found, part = tokens(text, start, end), text[start:end]
    if "-" in part or "[" in part:
        found = joined(found)
    out: list[Term] = []
    i, value = 0, False
    while i < len(found):
        t = found[i]
        if value and (t.kind == "word" or t.text in ("/", "(")):
            before = out[-1].token
            tight = before.end == t.start  # 3Ann and .15(Number of hours) are products
            name = tight and (t.text == "(" or t.text.istitle())
            after = i if name else unit_end(found, i, closed)
            if after > i:
                out[-1] = Term(before, tuple([stem(w.text) for w in found[i:after] if w.kind == "word"]))
                i = after
                continue
        out.append(made(Term, (t, ("dollar",) if t.kind == "num" and text[t.start - 1 : t.start] == "$" else ())))
        value = t.kind in NUMBERS or t.text in CLOSE or t.text == "%"
        i += 1
    return out


def joined(found: list[Token]) -> list[Token]:
    """Hyphenated words as one, and square brackets as round ones: sit-ups, 16-ounce, [2 + 3] * 4."""
    out: list[Token] = []
    for t in found:
        if t.text in BRACKETS and not (out and out[-1].text == "\\sqrt"):
            out.append(t._replace(text=BRACKETS[t.text]))
        elif is_hyphenated(out, t):
            out[-2:] = [Token("word", t.text, out[-2].start, t.end)]
        else:
            out.append(t)
    return out


def is_hyphenated(out: list[Token], t: Token) -> bool:
    """The word t and what ends with a hyphen before it are one."""
    if len(out) < 2 or t.kind != "word" or len(t.text) < 2:
        return False
    first, hyphen = out[-2:]
    word = first.kind == "num" or first.kind == "word" and len(first.text) > 1
    return word and hyphen.text == "-" and first.end == hyphen.start and hyphen.end == t.start


def unit_end(found: list[Token], i: int, closed: bool) -> int:
    """Behind the unit that begins at token i, if arithmetic goes on after it; else i."""
    j = i
    while j < len(found) and j - i < UNIT_WORDS:
        t = found[j]
        if t.kind == "word" and len(t.text) > 1 and t.text.lower() not in NOT_UNITS:
            j += 1
        elif t.text in ("a", "an", "of") and j > i and j + 1 < len(found) and found[j + 1].kind == "word":
            j += 1
        elif t.text == "/" and j + 1 < len(found) and is_rate(found, i, j):
            j += 2
        elif t.text == "(" and (after := remark_end(found, j)) > j:
            j = after
        else:
            break
    goes_on = closed if j == len(found) else found[j].text in OPERATIONS or found[j].text in CLOSE or crosses(found, j)
    return j if goes_on else i


def is_rate(found: list[Token], i: int, j: int) -> bool:
    """A slash and a word: eggs / box, $25/hour."""
    word = found[j + 1]
    return word.kind == "word" and len(word.text) > 1 and (j > i or found[j].end == word.start)


def remark_end(found: list[Token], i: int) -> int:
    """Behind a bracket with nothing but words in it: 4 (blue) + 8 (yellow); i if it is none."""
    j = i + 1
    while j < len(found) and j - i < UNIT_WORDS and (found[j].kind == "word" or found[j].text in ("'", "-", "of", ",")):
        j += 1
    return j + 1 if i + 1 < j < len(found) and found[j].text == ")" and found[i + 1].kind == "word" else i


def crosses(found: list[Token], i: int) -> bool:
    """An x with a number behind it."""
    return found[i].text in ("x", "X") and i + 1 < len(found) and opens_value(found[i + 1])


def opens_value(t: Token) -> bool:
    return t.kind in NUMBERS or t.text in OPEN or t.text in FRACTIONS


def ends_value(t: Token) -> bool:
    return t.kind in NUMBERS or t.kind == "raised" or t.text in CLOSE or t.text in ("%", "\\pi", "\u03c0")
