"""What an equation is, by its two sides: exact, rounded, a slip of some kind, or unchecked when in doubt."""

import re
from fractions import Fraction
from math import factorial

from understudy.answers.algebra import Sum
from understudy.answers.equation import SlipKind, Status
from understudy.answers.expression import FRACTIONS, Token
from understudy.answers.sides import Side, evaluated
from understudy.answers.units import CHANGES, DONE_BY, LEADS, PARTS, RANGES, SCALES, WORKS, convertible, stem

UNEVEN = FRACTIONS | {"/", "^"}
"""Operators whose results people round."""
CALCULATED = 12
"""Decimals that nobody writes by hand."""
ABOUT = Fraction(1, 20)
"""Of the value: what is called about equal is not further off."""
MONEY = frozenset({"dollar"})
"""No unit of its own: it is left out where one pleases."""
WORD_BEFORE = re.compile(r"([A-Za-z]+)\W{0,3}\Z")
DIGIT_BEFORE = re.compile(r"\d\W{0,3}\Z")
BARE = re.compile(rf"(?:\A|[\n.;:,(\"'<]|\b(?:{'|'.join(sorted(LEADS))}),?)[ $(]*\Z", re.IGNORECASE)
"""What stands before a bare number that is a left side."""
LAST_WORDS = re.compile(r"([A-Za-z ]*)[$(]*\Z")
WORDS_AFTER = re.compile(r"[ /-]?\(?([A-Za-z]+)(?: ([A-Za-z]+))?")
DASH = re.compile(r" *-(?!\w)")
MAX_FACTORIAL = 30
LISTED = re.compile(r"(?:\A|\D)\d{1,3}, \$?\Z")
"""What stands before 400 in "14, 400"."""
RANGE = re.compile(r"\d+-\d+")
NUMBER_BEFORE = re.compile(
    r"(\d{1,15}(?:,\d{3})*(?:\.\d{1,9})?)(?: [A-Za-z]+){1,4}"
    r"(?:(?<= in)|(?<= of)|(?<= on)|(?<= a)|(?<= per)| [-+*/x] \w+) \$?\Z"
)
DOUBLE_FRACTION = re.compile(r"/ ?\d[\d.,]*(?: [A-Za-z]+){0,3}/\d|\d / \d+/\d|\d / \d+ / \d")
REMAINDER = re.compile(r"[^\n]{0,60}\brem(?:ainder|aining)?\b|\s*R ?\d|\n+[^\n\d]{0,12}remainder", re.IGNORECASE)
WHOLE = re.compile(r"(?<![\d.,])\d{3,15}(?![\d.,]\d)")
MODULO = re.compile(r"\\equiv|\\pmod|\bmod(?:ulo)?\b")
CLOCK = re.compile(r"(?<![\d.,])0\d")


def status(text: str, left: Side, right: Side, *, chained: bool, about: bool = False) -> Status:
    """How the two sides compare as printed.

    `chained`: the left side is the right side of the equation before.
    `about`: the sign between them is one of "about equal".
    """
    a, b = left.value, right.value
    if a is None or b is None or is_label(text, left, chained):
        return Status.UNCHECKED
    if a == b:
        return Status.EXACT
    x, y = approximate(a), approximate(b)
    if x is None or y is None:
        return Status.UNCHECKED
    if readings_agree(x, y, left, right):
        return Status.EXACT
    if is_rounded(x, y, left, right) or about and near(x, y, right.decimals or 0):
        return Status.ROUNDED
    if about and (left.single and right.single or abs(x - y) <= ABOUT * abs(x)):
        return Status.UNCHECKED
    return Status.UNCHECKED if excused(text, x, y, left, right) else Status.SLIP


def approximate(value: Fraction | Sum | int) -> Fraction | None:
    return value.approximate() if isinstance(value, Sum) else Fraction(value)


def is_label(text: str, left: Side, chained: bool) -> bool:
    """The left side is a bare number that may name something (week 1 = ...) or that has a unit of its own."""
    if not left.single or left.percent or chained or text[max(0, left.start - 2) : left.start] == "<<":
        return False
    if left.units - MONEY or DIGIT_BEFORE.search(text, max(0, left.start - 8), left.start):
        return True
    return BARE.search(text, max(0, left.start - 24), left.start) is None


def readings_agree(x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """One side is a percentage: 30 / 50 * 100 = 60% is true, too."""
    return right.percent and not left.percent and x == 100 * y or left.percent and not right.percent and 100 * x == y


def is_rounded(x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """The right side is a decimal, and is the left side correctly rounded to as many digits."""
    if right.decimals is None:
        return False
    if right.decimals >= CALCULATED or not left.percent and not right.percent:
        return rounded(x, y, right.decimals)
    if right.percent:
        return near(x, y, right.decimals + 2) or right.decimals >= 1 and near(x, 100 * y, right.decimals)
    return right.decimals >= 1 and (near(x, y, right.decimals) or near(100 * x, y, right.decimals))


def rounded(x: Fraction | int, y: Fraction | int, decimals: int) -> bool:
    """y has so many decimals, at least one, and is x correctly rounded to them."""
    if decimals >= CALCULATED:
        # The last digits of a machine's float are noise, and some machines cut instead of rounding.
        return abs(Fraction(x) - y) <= max(abs(Fraction(x)) / 10**14, Fraction(1, 10**decimals))
    return decimals > 0 and near(x, y, decimals)


def near(x: Fraction | int, y: Fraction | int, decimals: int) -> bool:
    return abs(Fraction(x) - y) <= Fraction(1, 2 * 10**decimals)


def excused(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """Something around or in the two sides may explain the difference."""
    inner = left.units | right.units
    if not inner.isdisjoint(SCALES | CHANGES):
        return True
    if left.single and (left.percent or any(t.text == "%" for t in right.tokens)):
        return True  # 20% = $10, 48 = 100% + 20%
    behind = right.units if right.terms[-1].units else right.units | units_after(text, right.end)
    if left.single and right.single and left.units - MONEY != behind - MONEY:
        return True  # so 5 boxes = $30
    if convertible(left.units, behind, x, y, sums=not (left.signs | right.signs).isdisjoint("+-")):
        return True
    return not behind.isdisjoint(SCALES) or any(doubt(text, x, y, left, right) for doubt in DOUBTS)


def units_after(text: str, end: int) -> frozenset[str]:
    """The words right behind the number that ends a right side."""
    m = WORDS_AFTER.match(text, end)
    return frozenset(stem(w) for w in m.groups() if w) if m else frozenset()


def worked_on(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """The words before may belong to the arithmetic: 5 plus 3 * 4 = ..., the average of ...; a dash follows."""
    m = LAST_WORDS.search(text, max(0, left.start - 40), left.start)
    words = m[1].lower().split() if m else []
    if words and words[-1] == "of":
        words.pop()
    if words and words[-1] == "by":
        return bool(words[:-1]) and words[-2] in DONE_BY
    if words and (words[-1] in WORKS or stem(words[-1]) in PARTS | RANGES):
        return True
    return DASH.match(text, right.end) is not None


def exclaimed(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """120 = 5!"""
    small = text.startswith("!", right.end) and y.denominator == 1 and 0 <= y <= MAX_FACTORIAL
    return small and x == factorial(int(y))


def listed(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """14, 400 / 80 = 180: perhaps a thousands separator."""
    before = LISTED.search(text, max(0, left.start - 8), left.start)
    return before is not None and len(left.tokens[0].text) == 3


def double_fraction(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """2000 / 2/3: of which fraction?"""
    return DOUBLE_FRACTION.search(text, left.start, right.end) is not None


def with_remainder(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """17 / 5 = 3 rem 2"""
    whole = y.denominator == 1 and 0 <= x - y < 1
    return whole and REMAINDER.match(text, right.end) is not None


def long_division(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """78280 / 9880 = 7, and then what is taken away, 7 * 9880 = 69160, or the rest with a further digit."""
    toks = left.tokens
    if len(toks) != 3 or toks[1].text != "/" or y.denominator != 1 or not 0 <= x - y < 1:
        return False
    divisor = evaluated([toks[2]])
    if not isinstance(divisor, int):
        return False
    signs = {int(y * divisor), int(10 * (x - y) * divisor)} - {0}
    return any(int(number) in signs for number in WHOLE.findall(text, right.end, right.end + 100))


def modular(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """Equal but for multiples of a modulus."""
    line = text.rfind("\n", 0, left.start) + 1
    return MODULO.search(text, max(line, left.start - 400), right.end + 80) is not None


def times_of_day(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """0900 - 0130"""
    return CLOCK.search(text, left.start, right.end) is not None


def a_range(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """weeks 1-2 = ..."""
    m = WORD_BEFORE.search(text[max(0, left.start - 24) : left.start])
    return bool(RANGE.fullmatch(text[left.start : left.end])) and m is not None and stem(m[1]) in RANGES


def a_dash(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """the total -5 * 2 = 10"""
    return left.tokens[0].text == "-" and right.tokens[0].text != "-" and evaluated([*left.tokens[1:]]) == y


def part_of_right(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """100% - 75% = 25% of $32: the equation ends before the "of"."""
    at = next((i for i, t in enumerate(right.tokens) if t.text == "of"), 0)
    return at > 0 and evaluated([*right.tokens[:at]]) in (x, x / 100)


def percent_dropped(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """10/100% * $5 = $0.50: the percent sign says what the number is, and divides by nothing."""
    if not any(t.text == "%" for t in left.tokens):
        return False
    return evaluated([t for t in left.tokens if t.text != "%"]) in (y, 100 * y)


def number_before(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """24 eggs in 1 tray * 2 trays = 48: true together with the number that stands before."""
    m = NUMBER_BEFORE.search(text, max(0, left.start - 48), left.start)
    n = Fraction(m[1].replace(",", "")) if m else None
    return n is not None and y in (n * x, n + x, n - x, n / x if x else None)


def rounded_operand(text: str, x: Fraction, y: Fraction, left: Side, right: Side) -> bool:
    """365 / 12 * 5 = 30.4167 * 5: true if the decimal stands for what it was rounded from."""
    if right.single or left.signs.isdisjoint(UNEVEN):
        return False
    slack = Fraction(0)
    for i, t in enumerate(right.tokens):
        decimals = len(t.text.partition(".")[2]) if t.kind == "num" else 0
        if decimals >= 2:
            moved = evaluated([*right.tokens[:i], t._replace(text=f"{t.text}5"), *right.tokens[i + 1 :]])
            slack += abs(Fraction(moved) - y) if isinstance(moved, int | Fraction) else 0
    return abs(x - y) <= slack


DOUBTS = (
    worked_on, exclaimed, listed, double_fraction, with_remainder, long_division, modular, times_of_day, a_range,
    a_dash, part_of_right, percent_dropped, number_before, rounded_operand,
)  # fmt: skip


def slip_kind(left: Side, right: Side) -> SlipKind:
    """How a slip is false."""
    a, b = unlike(left.tokens, right.tokens)
    if is_fraction(a) and len(b) == 1 and "." in b[0].text:
        return SlipKind.FRACTION
    values = left.value, right.value
    if right.decimals == 0 and not right.percent and quotient(left) and None not in values:
        x, y = (approximate(value) for value in values if value is not None)
        if x is not None and y is not None and x.denominator > 1 and abs(x - y) < 1:
            return SlipKind.ROUNDED_TO_INT
    if right.single and left.signs and left.signs <= {"*", "x", "X"}:
        return SlipKind.PRODUCT
    return SlipKind.SLIP


def quotient(left: Side) -> bool:
    """Something is divided, and nothing added."""
    return not left.signs.isdisjoint(FRACTIONS | {"/"}) and left.signs.isdisjoint("+-")


def is_fraction(toks: tuple[Token, ...]) -> bool:
    return len(toks) == 3 and toks[1].text == "/" and toks[0].kind == toks[2].kind == "num"


def unlike(a: tuple[Token, ...], b: tuple[Token, ...]) -> tuple[tuple[Token, ...], tuple[Token, ...]]:
    """What is left of both sides without the tokens with which both begin and end."""
    while a and b and a[0].text == b[0].text:
        a, b = a[1:], b[1:]
    while a and b and a[-1].text == b[-1].text:
        a, b = a[:-1], b[:-1]
    return a, b
