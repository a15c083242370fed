"""One spelling for numbers that people write in many: thousands, signs, repeating decimals, wrappers and marks."""

import re
from fractions import Fraction
from unicodedata import normalize

from understudy.answers.expression import SAME
from understudy.answers.words import PART, PARTS, SMALL, WORD

MAX_LENGTH = 2000
"""Longer answers are compared as text only."""
BLANKS = re.compile(r"\s+")
WRAPPED = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:rm|bf|it|sf|tt)|mbox|hbox|emph|operatorname|boxed|fbox|framebox|underline"
    r"|boldsymbol|bm|ensuremath)\s*\{([^{}]*)\}"
)
COLOUR = re.compile(r"\\(?:text)?color\s*\{[A-Za-z!0-9]{1,20}\}")
DECORATION = re.compile(r"\*\*(?!\s*\d)|(?<!\d)\*\*|__|`|\$\$|\\[()\[\]]|(?<!\\)\$(?=\s*$)")
MINUS = re.compile(r"\b(?:negative|minus)\s(?=\\?\$?\d)", re.IGNORECASE)
DASH = re.compile(r"(?<![^\s($:=])[\u2014\u2015](?=\\?\$?\d)|\u2012")
NEGATED = re.compile(
    r"[(,]?\s*\b(?:not|rather than|instead of|and not)\s+(?:\\?\$)?-?\d[\d,.]*\s*\w*\)?", re.IGNORECASE
)
DEGREES = re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)|\u00b0")
SPACED = re.compile(r"(?<![\d.,/])\d{1,3}(?: \d{3})+(?![\d/]|,\d)")
APART = re.compile(r"(?<=\d)(?:['_~]|\\[,;:! ]|\{\\,\}|\\thinspace\s?)(?=\d{3}(?!\d))")
"""What stands between thousands besides a comma: 1'000, 1_000, 1\\,000."""
INDIAN = re.compile(r"(?<![\d.,])\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])")
POINTED = re.compile(r"(?<![\d.,])\d{1,3}(?:(?:\.\d{3})+,\d{1,2}|(?:\.\d{3}){2,})(?![\d.,])")
"""Points between thousands, where nothing else can be meant: 1.234,56 and 1.234.567."""
GLUED_POINT = re.compile(r"(?<=[A-Za-z])\.(?=\d)")
"""Rs.500 is no half."""
AND_PART = re.compile(r"(?<=\d)(?: and | & |-and-)(?=\d{1,4}/\d)")
AND_HALF = re.compile(
    rf"(?<=\d)(?: and | & |-and-)(?:an?|one|(?P<count>two|three))[ -](?P<part>{PART})(?!\w)", re.IGNORECASE
)
OVER = re.compile(r"(?<=\d) over (?=\d)")
OPERATORS = (
    (re.compile(r"(?<=[\d)]) (?:plus|added to) (?=\\?\$?\d)", re.IGNORECASE), "+"),
    (re.compile(r"(?<=[\d)]) (?:times|multiplied by) (?=\\?\$?\d)", re.IGNORECASE), "*"),
    (re.compile(r"(?<=[\d)]) divided by (?=\\?\$?\d)", re.IGNORECASE), "/"),
    (re.compile(r"\b(?:twice|double) (?=\\?\$?\d)", re.IGNORECASE), "2*"),
)
SHARE = re.compile(
    rf"\b(?:(?P<one>half)|(?:an?|(?P<count>{WORD}))[ -](?P<part>{PART}))(?: of)? (?=\\?\$?\d)", re.IGNORECASE
)
"""half of 18, two thirds of 27"""
PER_CENT = re.compile(r"\bper cent\b|\bpercentage points?\b", re.IGNORECASE)
MARKED_REPEAT = r"\\(?:overline|bar|dot|overbar)\s*\{?\s*(\d{1,40})\s*\}?|\((\d{1,40})\)|(\d)[\u0304\u0305]"
REPEATING = re.compile(rf"(?<![\d.])(\d{{0,15}})\.(\d{{0,40}}?)(?:{MARKED_REPEAT})")
ELLIPSIS = re.compile(r"(?<![\d.])(\d{1,15})\.(\d{0,40}?)(\d{1,12}?)\3+\s?(?:\.\.\.|\u2026|\\(?:l|c)?dots\b)")
NOTES = re.compile(r"<<[^<>\n]{0,300}>>|</?[A-Za-z]{1,12} ?/?>")
"""Calculator notes and tags."""
ANGLED = re.compile(r"\s*<\s?([^<>=\s]{1,20})\s?>\s*\.?\s*")
"""A number between angle brackets, as in a template that was filled in."""
LETTERS = re.compile(r"[A-Za-z\\]")


def spelled(text: str) -> str:
    """The text of an answer with its numbers in one spelling; what is no number stays as it is."""
    text = BLANKS.sub(" ", text[:MAX_LENGTH])
    if "<" in text:
        text = NOTES.sub(" ", text)
        text = m[1] if (m := ANGLED.fullmatch(text)) else text
    if not text.isascii():
        text = DASH.sub("-", text).translate(SAME)
    if "." in text:
        text = pointed(text)
    text = APART.sub("", unwrapped(text))
    if "," in text:
        text = INDIAN.sub(without_commas, text)
    if LETTERS.search(text):
        text = in_words(text)
    return SPACED.sub(lambda m: m.group().replace(" ", ""), text)


def pointed(text: str) -> str:
    """Points: repeating decimals as fractions, thousands with points without them."""
    text = ELLIPSIS.sub(fraction, REPEATING.sub(fraction, text))
    return GLUED_POINT.sub(" ", POINTED.sub(lambda m: m.group().replace(".", "").replace(",", "."), text))


def in_words(text: str) -> str:
    """Words that belong to a number: minus, per cent, over, and 1/2, degrees."""
    text = AND_HALF.sub(and_part, SHARE.sub(share, PER_CENT.sub("percent", text)))
    for words, sign in OPERATORS:
        text = words.sub(sign, text)
    text = MINUS.sub("-", NEGATED.sub(" ", text))
    return DEGREES.sub(" degrees ", OVER.sub("/", AND_PART.sub(" ", text)))


def share(m: re.Match[str]) -> str:
    """two thirds of 27 as (2/3)*27."""
    part = 2 if m["one"] else PARTS[m["part"].lower()]
    return f"({SMALL.get((m['count'] or 'one').lower(), 1)}/{part})*"


def and_part(m: re.Match[str]) -> str:
    """and a half as 1/2."""
    return f" {SMALL[(m['count'] or 'one').lower()]}/{PARTS[m['part'].lower()]}"


def without_commas(m: re.Match[str]) -> str:
    return m.group().replace(",", "")


def fraction(m: re.Match[str]) -> str:
    """0.1(6) as (1/6)."""
    whole, part, repeated = m[1] or "0", m[2], next(g for g in m.groups()[2:] if g)
    nines = 10 ** len(repeated) - 1
    value = int(whole) + Fraction(int(part + repeated) - int(part or "0"), nines * 10 ** len(part))
    return f"({value.numerator}/{value.denominator})"


def unwrapped(text: str) -> str:
    """Without \\text{...}, markdown marks, maths delimiters and closing punctuation."""
    if "\\" in text:
        text = COLOUR.sub(" ", text)
        for _ in range(4):
            text, n = WRAPPED.subn(r" \1 ", text)
            if not n:
                break
    return DECORATION.sub(" ", text).strip()


def worded(text: str) -> str:
    """Text without surrounding quotes, closing stop and repeated spaces."""
    if not text.isascii():
        text = normalize("NFKC", text.translate(SAME))
    plain = BLANKS.sub(" ", unwrapped(text)).strip(QUOTES)
    return plain.rstrip(".,;!").strip(QUOTES)


QUOTES = " \t\n\"'`*_$\u00ab\u00bb\u201e\u201a\u2039\u203a"
