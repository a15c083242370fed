"""The numbers of a text, in digits and words, and how much a clause states each of them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from understudy.answers.words import WORD, WORDS


class Amount(NamedTuple):
    """A number in a clause that is in lower case."""

    rank: int
    """The lower, the more the clause states it."""
    start: int
    end: int
    what: bool
    """It is what something is: is 5, equals only 5, is a total of 5."""


PLAIN = r"(?:\d{1,3}(?: \d{3})+(?![\d,]|\.\d)|\d(?:[\d,]*\d)?(?:\.\d+)?|\.\d+)"
MONEY = r"[$\u20a0-\u20cf\u00a3\u00a5]"
# Chinese and Japanese write no space before a number, nor does Korean always: their letters may stand before one.
# The first character decides, so that a text is skimmed for it; what must not stand before is looked up from there.
AMOUNT = re.compile(
    r"[-+.\d\\$\u20a0-\u20cf\u00a3\u00a5\u00bc-\u00be\u2150-\u215e](?:(?<![^\W\u2e80-\u9fff\uac00-\ud7af].)(?<!\..)(?<!\d[,:/].)(?:"
    r"(?<=\d)(?:\d{0,2}(?: \d{3})+(?![\d,]|\.\d)|(?:[\d,]*\d)?(?:\.\d+)?)|(?<=\.)\d+"
    rf"|(?<=[-+])\s?\\?{MONEY}?\s?[-+]?{PLAIN}|(?<={MONEY})\s?[-+]?{PLAIN}"
    rf"|(?<=\\){MONEY}\s?[-+]?{PLAIN})(?:e[-+]?\d{{1,3}}(?!\w))?"
    rf"(?:(?::|\s:\s|\s?(?:[/^*+x-]|\*\*|\s\d+/)\s?)\\?\$?{PLAIN}|\s\d+/\d+|[\u00bc-\u00be])*"
    r"(?:\s?\\?%|\s?percent\b)?"
    r"|(?<=[\u00bc-\u00be\u2150-\u215e])|(?<=\\)[dt]?frac\s?\{?\d{1,9}\}?\s?\{?\d{1,9}\}?)",
    re.DOTALL,
)
DIGIT = re.compile(r"[\d\u00bc-\u00be\u2150-\u215e]")
WORDS_OF = re.compile(r"[a-z']+")
SPOKEN_AMOUNT = re.compile(
    rf"(?<![\w-])(?:negative )?(?:{WORD}|half|an? dozen)(?:(?:[ -]| and ){WORD}){{0,12}}(?![\w-])"
)
NONE = frozenset(("no", "none", "nothing"))
NUMBER_WORDS = WORDS | NONE
HYPHENATED = re.compile(r"-[a-z]")
ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
BARE = re.compile(
    rf"[^a-z?]*(?:(?:\\[a-z]+|{WORD}|minus|negative|and|an?|of|point|half|thirds?|quarters?|percent|per cent"
    r"|usd|us|rs|x)\b[^a-z?]*)*"
    r"(?P<unit>(?:[a-z\u00b0]+(?:\^?\{?[\d\u00b2\u00b3]\}?)?[ /.}]{0,3}){0,4})[^a-z\d?]*"
)
NO_UNITS = WORDS | frozenset("or to plus minus times over in than and is are was".split())
SIGNS = frozenset(
    "-+$\\(.*`|\u2264\u2265\u2260\u221a\u230a\u2308\u2212\u2013\u20ac\u20b9\u00a3\u00a5\u00bd\u00bc\u00be"
)
ORDERED = re.compile(r"[<>]=?\s?[-$\d]")
OPENING_WORDS = WORDS | {"minus", "negative", "a", "an", "usd", "rs"}
GIVEN = frozenset(
    "the these those all his her their its our my each every both first last other next january february march "
    "april may june july august september october november december".split()
)
"""A number behind one of them is known already: each of the 5 kids."""
GIVERS = frozenset("take takes took cost costs give gives gave leave leaves left save saves saved earn earns".split())
"""Behind them, "her" is who gets it: it takes her 5 days."""
PLACED = frozenset("for of in after with at per from on by within that who over during until every between".split())
"""A number behind one of them tells when, where or of what: in 3 days."""
MEASURES = frozenset(
    "total sum average rate speed cost profit price rest mean maximum minimum deficit surplus difference amount "
    "distance score balance weight length height width area volume loss gain income salary revenue discount".split()
)
"""The number behind one of them and "of" is stated: an average of 6."""
REFERENCES = frozenset("section appendix figure table equation step page chapter exercise".split())
REFERRED = re.compile(
    r"\b(?:(?:see|given|shown|stated|explained|described|listed|derived) (?:in |on |at )?(?:the )?[a-z]+"
    r"|in (?:section|appendix|figure|table|equation|step|exercise)) $"
)
"""The number behind it says where something is to be read: see page 5."""
IS = frozenset("is are equals was were be becomes totals comes".split())
NEARLY = frozenset("now only about exactly just to".split())
LAST_RANK = 4
EXCEEDED = 9
"""The rank of what is not reached or more than reached: more than 5."""


def bare(text: str) -> bool:
    """It is a number, with its unit perhaps, and nothing else."""
    first = text[:1]
    if (
        not (
            first.isdigit() or first in SIGNS or ORDERED.match(text) or text.partition(" ")[0].lower() in OPENING_WORDS
        )
        or len(text) > 120
    ):
        return False
    m = BARE.fullmatch(text.lower())
    return m is not None and NO_UNITS.isdisjoint(WORDS_OF.findall(m["unit"])) and has_number(text)


def has_number(text: str) -> bool:
    """There is a digit, or a word that may be a number, in it."""
    if DIGIT.search(text):
        return True
    return not NUMBER_WORDS.isdisjoint(WORDS_OF.findall(text.lower()))


def amounts(text: str, words: frozenset[str]) -> Iterator[Amount]:
    """Each number that is not part of a hyphenated word, in order; those in words come last."""
    for m in AMOUNT.finditer(text):
        start, end = m.span()
        if text[end : end + 1] != "-" or not HYPHENATED.match(text, end):
            yield amount(text, start, end, 0)
    if not words.isdisjoint(WORDS):
        for m in SPOKEN_AMOUNT.finditer(text):
            yield amount(text, m.start(), m.end(), 1)


def amount(text: str, start: int, end: int, rank: int) -> Amount:
    """The number between start and end, by the words right before it; a rank to begin with."""
    if text[end : end + 1].isalpha() and ORDINAL.match(text, end):
        return Amount(rank + LAST_RANK, start, end, False)
    before = text[max(0, start - 28) : start].split() if text[start - 1 : start].isspace() else ()
    if not before:
        return Amount(rank, start, end, False)
    last = before[-1]
    if last in NEARLY and len(before) > 1:
        last = before[-2]
    if last == "of" and len(before) > 1 and before[-2] in MEASURES:
        return Amount(rank, start, end, len(before) > 3 and before[-4] in IS)
    if last in REFERENCES and REFERRED.search(text, max(0, start - 48), start):
        return Amount(EXCEEDED, start, end, False)
    if last == "than" and before[-3:-2] != ["no"]:
        return Amount(EXCEEDED, start, end, False)
    if last == "her" and len(before) > 1 and before[-2] in GIVERS:
        return Amount(rank, start, end, False)
    return Amount(rank + (LAST_RANK if last in GIVEN else 2 if last in PLACED else 0), start, end, last in IS)
