"""Equations in a text, each checked as printed: exact, rounded, a slip, or unchecked when in doubt."""

import re
from fractions import Fraction
from typing import NamedTuple

from understudy.answers.expression import SAME
from understudy.answers.sides import LEADS, Side, Term, left_side, right_side, terms


class Equation(NamedTuple):
    """One equation as printed."""

    text: str
    start: int
    end: int
    status: str
    """exact, rounded, slip, unchecked"""


class Slip(NamedTuple):
    """A false equation."""

    equation: str
    start: int
    end: int
    kind: str
    """slip"""


CODE = re.compile(r"```.*?(?:```|\Z)|(?<!`)`[^`\n]{1,200}`(?!`)", re.DOTALL)
DATE = re.compile(r"(?<![\d/])\d{1,2}/\d{1,2}/\d{2,4}(?![\d/])|(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
NOTE = re.compile(r"<<([^<>\n]{1,300})>>")
HTML = re.compile(r"<[/|]?[A-Za-z_]{1,30}\|?>|\[/?THINK\]")
TEXT = re.compile(r"\\(?:text|mathrm|mbox|textbf|mathbf)\s*\{([^{}\n]{0,80})\}")
MARKS = re.compile(r"\*\*(?=\S)(?<!\d\*\*)(?<!\d \*\*)|(?<=\S)\*\*(?=[\s.,;:!?)]|$)(?! ?\d)|\\[()\[\]]")
COMPARES = re.compile(r"[=<>!:+*/~^-]=|=[=>~]")
WORD_BEFORE = re.compile(r"([A-Za-z]+)\W{0,3}$")
SCALES = frozenset("dozen hundred thousand million billion trillion k score pair percent".split())
"""Units that change the number."""
CONVERSIONS = frozenset(
    f
    for n in (2, 3, 4, 7, 10, 12, 14, 16, 24, 28, 30, 31, 36, 52, 60, 100, 144, 168, 360, 365)
    + (1000, 1440, 1760, 3600, 5280)
    for f in (Fraction(n), Fraction(1, n))
)  # fmt: skip
"""Factors between units that people know: 2 hours = 120 minutes is no slip."""


MOST = 3000
"""Equations of one text that are read; hostile texts hold more."""
CALCULATED = 12
"""Decimals that nobody writes by hand."""
DOUBLE_FRACTION = re.compile(r"/ ?\d+/\d|\d / \d+/\d")


def slips(text: str) -> tuple[Slip, ...]:
    """The equations that are false, each counted once.

    >>> [s.equation for s in slips("7 * 6 = 42, then 42 / 4 = 10")]
    ['42 / 4 = 10']
    """
    return tuple(Slip(e.text, e.start, e.end, "slip") for e in equations(text) if e.status == "slip")


def equations(text: str) -> tuple[Equation, ...]:
    """Every equation in order; a chain is read pair by pair, a note <<a=b>> and the same around it count once."""
    if "=" not in text and "\uff1d" not in text:
        return ()
    plain = DATE.sub(masked, CODE.sub(masked, text.translate(SAME)))
    plain = MARKS.sub(blank, TEXT.sub(words_only, HTML.sub(blank, plain)))
    noted = [e for m in NOTE.finditer(plain) for e in read(text, m[1], m.start(1))]
    said = {(e.start, e.end): values for e, values in noted}
    around = read(text, NOTE.sub(blank, plain), 0)
    kept = [e for e, values in around if not any(values == v and e.start <= a <= e.end for (a, _), v in said.items())]
    return tuple(sorted([*kept, *(e for e, _ in noted)], key=lambda e: e.start))


def masked(m: re.Match[str]) -> str:
    """Code and dates hold no equations; places stay places."""
    return "\u25a1" * len(m.group())


def blank(m: re.Match[str]) -> str:
    return " " * len(m.group())


def words_only(m: re.Match[str]) -> str:
    """\\text{ eggs} to eggs, as long as before."""
    return " " * (m.start(1) - m.start()) + m[1] + " "


def read(text: str, plain: str, offset: int) -> list[tuple[Equation, tuple[object, object]]]:
    """Equations of `plain`, which stands at `offset` in the text, with the values of their sides."""
    found = terms(plain)
    signs = [i for i, t in enumerate(found) if t.token.text == "=" and not compares(plain, t.token.start)]
    out = []
    before = -1
    for n, i in enumerate(signs[:MOST]):
        until = signs[n + 1] if n + 1 < len(signs) else len(found)
        left, right = left_side(plain, found, before + 1, i), right_side(plain, found, i + 1, until)
        if left is not None or right is not None:
            out.append(equation(text[offset : offset + len(plain)], plain, found, left, right, i, before))
        before = i
    return [(e._replace(start=e.start + offset, end=e.end + offset), values) for e, values in out]


def compares(plain: str, at: int) -> bool:
    """==, <=, :=, += and their like."""
    return COMPARES.search(plain, max(0, at - 1), at + 2) is not None


def equation(
    text: str, plain: str, found: list[Term], left: Side | None, right: Side | None, sign: int, before: int
) -> tuple[Equation, tuple[object, object]]:
    if left is None or right is None:
        start = left.start if left else found[max(sign - 1, before + 1)].token.start
        end = right.end if right else found[min(sign + 1, len(found) - 1)].token.end
        return Equation(printed(text, start, end), start, end, "unchecked"), (object(), object())
    start, end = begin(plain, left, right), right.end
    chained = before >= 0 and left.reach[0] == before + 1
    status = "unchecked" if labels(plain, left, chained) else compared(left, right)
    if status == "slip" and DOUBLE_FRACTION.search(plain, start, end):
        status = "unchecked"  # 2000 / 2/3: of which fraction?
    return Equation(printed(text, start, end), start, end, status), (left.value, right.value)


def begin(plain: str, left: Side, right: Side) -> int:
    """The currency sign before the left side belongs to it; a maths delimiter does not."""
    at = left.start
    inside_maths = plain[right.end : right.end + 1] == "$"
    if at and plain[at - 1] == "$" and not inside_maths:
        at -= 1
        if at and plain[at - 1] == "\\":
            at -= 1
    return at


def printed(text: str, start: int, end: int) -> str:
    """As it stands in the text, notes left out."""
    return NOTE.sub("", text[start:end])


def labels(plain: str, left: Side, chained: bool) -> bool:
    """The left side is a bare number that may name something (week 1 = ...) or that has a unit of its own."""
    if not left.single or left.percent or chained:
        return False
    m = WORD_BEFORE.search(plain[max(0, left.start - 24) : left.start])
    return bool(left.units - {"dollar"}) or m is not None and m[1].lower() not in LEADS


def compared(left: Side, right: Side) -> str:
    a, b = left.value, right.value
    if a is None or b is None:
        return "unchecked"
    if a == b:
        return "exact"
    x, y = a.approximate(), b.approximate()
    if x is None or y is None:
        return "unchecked"
    if readings_agree(x, y, left, right):
        return "exact"
    if is_rounded(x, y, left, right):
        return "rounded"
    return "unchecked" if excused(x, y, left, right) else "slip"


def readings_agree(x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """One side is a percentage: 30 / 50 * 100 = 60% is true, too."""
    return right.percent and not left.percent and x == 100 * y or left.percent and not right.percent and 100 * x == y


def is_rounded(x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """The right side is a decimal, and is the left side correctly rounded to as many digits."""
    if right.decimals is None:
        return False
    if right.decimals >= CALCULATED:
        return abs(x - y) <= abs(x) / 10**14  # the last digit of a machine's float is noise
    if left.percent and not right.percent and right.decimals >= 1:
        return near(x, y, right.decimals) or near(100 * x, y, right.decimals)
    if right.percent:
        return near(x, y, right.decimals + 2) or right.decimals >= 1 and near(x, 100 * y, right.decimals)
    return right.decimals >= 1 and near(x, y, right.decimals)


def near(x: Fraction, y: Fraction, decimals: int) -> bool:
    return abs(x - y) <= Fraction(1, 2 * 10**decimals)


def excused(x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """Units may explain the difference."""
    units = left.units | right.units
    if units & SCALES:
        return True
    if len(units) > 1 and (left.signs | right.signs) & {"+", "-"}:
        return True
    return bool(units - {"dollar"}) and x != 0 and y / x in CONVERSIONS
