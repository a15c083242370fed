"""The number that a sentence states: after "=", in bold, or the first of its main clause."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from understudy.answers.amounts import (
    AMOUNT,
    DIGIT,
    EXCEEDED,
    LAST_RANK,
    NONE,
    NUMBER_WORDS,
    SPOKEN_AMOUNT,
    WORDS_OF,
    Amount,
    amounts,
)
from understudy.answers.expression import SAME
from understudy.answers.words import COMPOUND, PART, PARTS, UNITS_KNOWN, WORD, WORDS, measured, singular


class Place(NamedTuple):
    """Where a number stands."""

    start: int
    end: int
    rule: str
    """equals, bold, sentence"""


class Clause(NamedTuple):
    """A sentence in lower case, with places kept, and what is to be looked for in it."""

    text: str
    words: frozenset[str]


NONE_LEFT = re.compile(
    r"\b(?:no(?: [a-z]+){1,3}|none|nothing)(?: (?:is|are|will be))? (?:left|remain(?:s|ing)?|over)\b"
)
BULLET = re.compile(r"\s*(?:[-*\u2022>]\s+|\(?\d{1,2}[.)]\s+(?=\S)|\W*[a-z]+ \d{1,3}(?::\s+|[.)]\s+)(?=\S))")
HALF_OF_DAY = re.compile(r"\s?[ap]\.?\s?m\b\.?")
COURTESY = re.compile(
    r"\W*(?:(?:and|so|please|also)\W+)?(?:let me know|feel free|i hope (?:this|that|it)|hope (?:this|that|it)"
    r"|(?:i'm |i am |i'd be |i would be )?(?:happy|glad) to (?:help|explain|walk|show|go)|thank(?:s| you)\b|good luck"
    r"|(?:if you(?:'d| would| have any| need (?:any|more|further)| want| like)|would you like|do you want)\b)"
)
"""A sentence that says nothing of the problem, whatever numbers it names."""
CONDITION = re.compile(r"\W*(?:(?:so|but|and|then|now|however)\W+)?if\b[^,]*,")
GOES_ON = re.compile(r"\s*[-+*^]\s*[b-z]\b|[inquvwxyz]\b|\.\.\.|\u2026")
"""A letter or dots that go on behind a number: 160 - y, 2x, 0.333..."""
BOLD = re.compile(r"(?:\*\*|__)([^*_\n]{1,120})(?:\*\*|__)")
MOST_SIGNS = 20
ALSO_EQUAL = ("\\approx", "\u2248", "\u2192", "\u21d2", "->", "=>")
CONCLUDERS = frozenset(
    "so therefore thus hence then leaving giving making totaling totalling total altogether all resulting which "
    "meaning now".split()
)
CONCLUDES = re.compile(
    r"[,;a\s](?:(?:(?<=[,;])\s*(?:and\s+)?|(?<=\ba)nd\s+)(?:so|therefore|thus|hence|then|leaving|giving|making|meaning|now|"
    r"totall?ing|for a total of|for(?=[^,;]*\b(?:in total|altogether|in all)\b)|resulting in)\b(?! (?:far|much|many))"
    r"|(?:(?<=[,;])\s*|(?<=\s))(?:which (?:means|leaves|left|gives|makes|equals|is equal to|comes to|totals|brings|"
    r"rounds (?:up |down )?to)|which (?:is|are|was|will be)(?=[^=]*=)"
    r"|(?:so|leaving|making|giving|for a total of)(?=[^,=]*=)(?! (?:that|far|much|many)\b)"
    r"|so(?= (?:we|she|he|it|they|there|you|i|the total) ))\b"
    r"|(?<=\s)(?<=:\s)(?=[^=]*=))",
)
REASONED = re.compile(r"\b(?:because|since|as|than|unlike)\b[^=]*=")
"""An equation that gives the reason."""
HEDGES = frozenset("might think thought guess guessed seem seems assume assumed believe say".split())
CONTRAST = re.compile(r"\b(?:but|however|actually|in fact)\b")
"""Behind a hedge, what follows is meant."""
TOTALLED = re.compile(
    r"\d[^,;]*\band\b[^,;]*\d[^,;]*,\s*(?:(?:or|so|for) )?"
    r"(?:a total of(?=\D*\d[\d,.]*\D*$)|(?=\\?\$?\d[\d,.]*(?: [a-z]+){0,2} (?:in total|altogether|in all)\W*$))"
)
"""Several numbers and then their sum: 12 boys and 15 girls, a total of 27."""
SUMMED = frozenset(("total", "altogether", "all"))
NEEDS = 12
"""Characters that a clause with a number takes before its result."""
RESULT = re.compile(r":(?<=[a-z)%]:)\s+(?=\\?\$?-?\d[\d,.]*[^\w:/]*$)")
"""A colon behind which a number ends the sentence: $5 per day for 7 days: $35."""
ASSUMES = frozenset("let suppose assume".split())
ASSUMED = re.compile(r"\W*(?:let|suppose|assume)(?: that)? [a-z]\w{0,2} ?(?:=|be\b|is\b|equals?\b)[^=,;:]*$")
LEADS = re.compile(
    r"[\s,\"'(*_]*(?:(?:so|therefore|thus|hence|and|then|now|finally|but|that|this means(?: that)?)\b,?\s*)*"
)
OPENERS = (
    "after|in|with|for|if|when|since|because|as|at|by|on|given|out of|of|while|although|though|before|during|over|from|"
    "among|once|until|per|assuming|considering|having|even|to"
)
OPENS = re.compile(rf"(?:{OPENERS})\b(?:[^,]|,(?=\d))*,\s")
UNPUNCTUATED = re.compile(
    r"(?:after|when|if|by|since|because|as|once)\b[^,]*\b(?=(?:she|he|they|it|we|you|i|there)\s+\w+)"
)
SUBORDINATORS = frozenset(
    "which who whom whose where as while whereas though although because since when if after before not compared more "
    "less unlike unless until rather instead".split()
)
SUBORDINATE = re.compile(
    r"[,\s](?:(?<=,)\s+(?:which|who|whom|whose|where|as|while|whereas|though|although|because|since|when|if|after"
    r"|before|"
    r"not|compared|more than|less than|unlike)\b|(?<=\s)(?:because|since|which|who|although|though|whereas|while|when"
    r"|if|"
    r"unless|until|rather than|instead of|compared to|(?:after|before)\s+\w+ing)\b)"
)
RELATIVE = frozenset("who which whose whom where when".split())
ASIDE = re.compile(
    r"(?<!therefore)(?<!so)(?<!thus)(?<!hence)(?<!then),\s+(?:who|which|whose|whom|where|when)\b[^,=]{1,200},"
)
NEGATORS = frozenset("not no never rather instead".split())
NEGATION = re.compile(
    r"[(,]?\s*(?:\b(?:not|no|never|rather than|instead of)|n't)\s+(?!(?:more|less|fewer|longer|later|further) than)"
    r"(?:(?!that\b)[a-z]{1,12} ){0,2}\\?\$?\d(?:[\d,]*\d)?(?:[^,;.)\d]{0,30}\))?"
)
COMPARED = re.compile(r"\s*(?:more|less|fewer|times|higher|lower|years? old)\b")
ALTERNATIVE = re.compile(
    r"(?:(?:\*\*)?(?:\s[a-z]{1,12})?,?\s+or\s+(?:maybe |perhaps )?|(?:\*\*)?\s+and\s+(?!\d+/\d))"
    r"(?:\*\*|[a-z]\s?=\s?)?\$?\d(?:[\d,.]*\d)?(?![\d/])"
)
"""Another number behind one that is as good: 8 or 9."""
JOINED = re.compile(
    r"(?:\*\*)?(?:(?:\s[a-z]{1,12})?,?\s+or\s+(?:maybe |perhaps )?|\s+and\s+)(?:\*\*|[a-z]\s?=\s?)?\$?$"
)
"""Before a number: another one that is as good ends where it begins."""
CHANGED = re.compile(
    rf"(?:\b(?:half|(?:an?|{WORD})[ -]{PART}|twice|double)(?: of)? |\ban? dozen and an? |[\u221a\u230a\u2308|]\s?"
    r"|\\(?:sqrt|lfloor|lceil)\s?)$"
)
"""What stands before a number and changes it: half of 18."""
CHANGING = ("half ", " of ", " and a ", "twice ", "double ", "\u221a", "\u230a", "\u2308", "|", "sqrt", "floor", "ceil")
OF_IT = re.compile(r"\s+of\s+\$?\d[\d,.]*")
AND_PART = re.compile(rf"\s+and\s+(?:\d+/\d+|(?:an?|one|two|three)[ -]{PART})(?!\w)")
DOZENS = re.compile(r"(?: and an? half)?(?: an?)? dozens?\b(?: and an? half\b)?")
RATIO_TO = re.compile(r"\s+to\s+\d+")
RATIO_SAID = re.compile(r"ratio|^\W*\d+\s+to\s+\d+\W*$")
PRODUCES = re.compile(
    r"(?<!that )(?<!which )(?<!to )(?<!are )(?<!is )(?<!be )(?<!was )(?<!were )(?<!been )\b(?:last|give|leave|cost|make"
    r"|create|produce|yield|contain|weigh|take|need|require|equal|hold|generate|earn|consume|total(?! of)|bring in"
    r"|add up to)(?:s|ed|d)?(?: [a-z]+)?(?: for| about| only| a total of)?\s+$"
)
"""Behind a number that is its subject: the number that follows is what is stated. 8 pens cost 12 dollars."""
MOST_SUBJECT = 3
PREDICATES = frozenset(
    "is are was were be has have had will would can could must should needs need gets get to it".split()
)
SHARES = tuple(PARTS)
LETTERS = re.compile(r"[a-z]{2}")
LONGEST = 500
"""Characters of a sentence that are read, from its end."""


def stated(reply: str, start: int, end: int) -> Place | None:
    """The number that the sentence between start and end states."""
    start = max(start, end - LONGEST)
    raw = reply[start:end]
    if ("?" in raw[-6:] or "\uff1f" in raw[-6:]) and raw.rstrip(" *_\"')").endswith(("?", "\uff1f")):
        return None
    clause = read(raw)
    if clause is None or not ASSUMES.isdisjoint(clause.words) and ASSUMED.match(clause.text):
        return None
    if COURTESY.match(clause.text) or conditional(clause):
        return None
    found = number_of(clause)
    if found is None:
        return None
    first, last = begun(clause.text, found), extended(clause.text, found)
    return Place(start + first, start + last, found.rule)


def conditional(clause: Clause) -> bool:
    """Its numbers are all in a condition: If it was 20, I can go on."""
    condition = CONDITION.match(clause.text) if "if" in clause.words else None
    return condition is not None and not has_amount(clause, condition.end())


def read(raw: str) -> Clause | None:
    """The sentence to look into, without bullet, negations and asides; None if there is no number in it."""
    text = raw.lower() if raw.isascii() else raw.translate(SAME).lower()
    words = frozenset(WORDS_OF.findall(text))
    if words.isdisjoint(NUMBER_WORDS) and not DIGIT.search(text):
        return None
    if len(text) != len(raw):  # a letter that is two in lower case
        text = "".join(c.lower() if len(c.lower()) == 1 else c for c in raw.translate(SAME))
    bullet = BULLET.match(text)
    if bullet:
        text = " " * bullet.end() + text[bullet.end() :]
    if not words.isdisjoint(NEGATORS) or "n't " in text:
        text = NEGATION.sub(blank, text)
    if not words.isdisjoint(RELATIVE):
        text = ASIDE.sub(blank, text)
    return Clause(text, words)


def blank(m: re.Match[str]) -> str:
    """As many blanks, so that places stay places."""
    return " " * len(m.group())


def number_of(clause: Clause) -> Place | None:
    """After "=" first, else bold, else the best number of the main clause; else any."""
    main = main_clause(clause)
    found = after_equals(main.text) or bold(main.text)
    if found is None and "=" in clause.text and not REASONED.search(clause.text):
        begin = len(main.text) - len(main.text.lstrip())
        found = after_equals(" " * begin + clause.text[begin:])
    found = found or best(list(amounts(*main)), main.text)
    if found is not None:
        return found
    found = after_equals(clause.text) or bold(clause.text)
    if found is not None:
        return found
    every = sorted(a for a in (*amounts(*clause), *amounts(*main)) if a.rank != EXCEEDED)
    return Place(every[0].start, every[0].end, "sentence") if every else nothing(clause)


def nothing(clause: Clause) -> Place | None:
    """None are left."""
    m = NONE_LEFT.search(clause.text) if not clause.words.isdisjoint(NONE) else None
    return Place(m.start(), m.end(), "sentence") if m else None


def main_clause(clause: Clause) -> Clause:
    """The sentence with its subordinate clauses blanked out."""
    text, words = clause
    at = LEADS.match(text).end()  # type: ignore[union-attr]
    if concludes(text, words, at):
        conclusions = [m.end() for m in CONCLUDES.finditer(text, max(0, at - 1)) if has_amount(clause, m.end())]
        at = conclusions[-1] if conclusions else at
        at = LEADS.match(text, at).end()  # type: ignore[union-attr]
    if "and" in words and ", " in text and not SUMMED.isdisjoint(words):
        at = m.end() if (m := TOTALLED.search(text, at)) else at
    if (colon := text.rfind(": ", at + NEEDS)) > 0:
        at = m.end() if (m := RESULT.match(text, colon)) else at
    if not words.isdisjoint(HEDGES):
        at = next((m.end() for m in CONTRAST.finditer(text, at) if has_amount(clause, m.end())), at)
    opening = OPENS.match(text, at) or UNPUNCTUATED.match(text, at)
    if opening and has_amount(clause, opening.end()):
        at = opening.end()
    end = len(text)
    if not words.isdisjoint(SUBORDINATORS):
        end = next((m.start() for m in SUBORDINATE.finditer(text, at) if has_amount(clause, at, m.start())), end)
    return Clause(" " * at + text[at:end], words)


def concludes(text: str, words: frozenset[str], at: int) -> bool:
    """A word or colon behind which a sentence may conclude stands behind the place."""
    for word in CONCLUDERS & words:
        if text.find(f" {word}", max(0, at - 1)) >= 0:
            return True
    return ": " in text and "=" in text


def has_amount(clause: Clause, start: int, end: int | None = None) -> bool:
    end = len(clause.text) if end is None else end
    if AMOUNT.search(clause.text, start, end):
        return True
    return not clause.words.isdisjoint(WORDS) and SPOKEN_AMOUNT.search(clause.text, start, end) is not None


def after_equals(text: str) -> Place | None:
    """The last number that stands right after an equals sign."""
    for at in equals_signs(text):
        found = AMOUNT.search(text, at, at + 60)
        if found is not None and not LETTERS.search(text, at, found.start()):
            return Place(found.start(), found.end(), "equals")
    return None


def equals_signs(text: str) -> Iterator[int]:
    """Behind each sign, the last one first."""
    for sign in ALSO_EQUAL:
        if sign in text:
            text = text.replace(sign, "=".rjust(len(sign)))
    at = text.rfind("=")
    for _ in range(MOST_SIGNS):
        if at < 0:
            return
        if text[at - 1 : at] not in ("<", ">", "!", "=") and text[at + 1 : at + 2] != "=":
            yield at + 1
        at = text.rfind("=", 0, at)


def bold(text: str) -> Place | None:
    """The last bold number."""
    if "**" not in text and "__" not in text:
        return None
    for m in reversed(list(BOLD.finditer(text))[-20:]):
        found = AMOUNT.search(text, m.start(1), m.end(1))
        if found is not None:
            return Place(found.start(), found.end(), "bold")
    return None


def best(found: list[Amount], text: str) -> Place | None:
    """What something is, if numbers before that are only referred to; else the first number. None if all are given."""
    if not found or min(found).rank >= LAST_RANK:
        return None
    chosen = next((f for f in found if f.what and not COMPARED.match(text, f.end)), None)
    chosen = chosen or produced(found, text) or min(found, key=lambda f: f.rank)
    return Place(chosen.start, chosen.end, "sentence")


def produced(found: list[Amount], text: str) -> Amount | None:
    """What so many of something cost, last or make, where they are the subject: 8 pens and 2 books cost 12 dollars."""
    if len(found) < 2:
        return None
    placed = sorted(found, key=lambda f: f.start)
    subject = text[: placed[0].start].split()
    if len(subject) > MOST_SUBJECT or not PREDICATES.isdisjoint(subject):
        return None
    return next((b for a, b in pairwise(placed) if a.end < b.start and PRODUCES.search(text, a.end, b.start)), None)


def begun(text: str, found: Place) -> int:
    """The start of the number, with what makes it another one: "8 or", "half of"."""
    before = text[max(0, found.start - 40) : found.start]
    if " or " in before or " and " in before:
        joint = JOINED.search(before)
        earlier = list(AMOUNT.finditer(before[: joint.start()])) if joint else []
        if joint and earlier and earlier[-1].end() == joint.start():
            return found.start - len(before) + earlier[-1].start()
    if before.endswith(CHANGING) and (changed := CHANGED.search(before)):
        return found.start - len(before) + changed.start()
    return found.start


def extended(text: str, found: Place) -> int:
    """The end of the number, with what makes it another one: "or 9", the minutes of an hour, "- y"."""
    end = found.end
    if half := HALF_OF_DAY.match(text, end):
        return half.end()
    if " dozen" in text and (dozens := DOZENS.match(text, end)):
        return dozens.end()
    more = GOES_ON.match(text, end)
    if more is None and not DIGIT.search(text, end, end + 40) and " and " not in text[end : end + 24]:
        return end
    if text[found.start : end].endswith(SHARES) and (whole := OF_IT.match(text, end)):
        return whole.end()
    more = more or ALTERNATIVE.match(text, end) or AND_PART.match(text, end)
    more = more or RATIO_TO.match(text, end)
    if more is not None and more.re is RATIO_TO and not RATIO_SAID.search(text):
        more = None
    if more is not None:
        return more.end()
    both = COMPOUND.match(text, found.start)
    if both and singular(both["part"]) in UNITS_KNOWN and (read_both := measured(text, both)):
        return read_both[2]
    return end
