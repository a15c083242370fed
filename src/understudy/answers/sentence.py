"""The answer of a reply that does not declare one: its last sentence that states something."""

import re
from collections.abc import Iterator

from understudy.answers.declared import BOOL_AT, Found
from understudy.answers.expression import SAME
from understudy.answers.value import value
from understudy.answers.words import WORD
from understudy.records import Kind

STOP = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])[\"')\]*_]{0,4}(?:\s+|$)|\n+|(?<=[\u3002\uff01\uff1f])")
ABBREVIATION = re.compile(r"(?:\b(?:[ap]\.m|Mr|Mrs|Ms|Dr|St|vs|approx|etc|No|i\.e|e\.g)|^\s*\(?\d{1,2})\.$")
BULLET = re.compile(r"\s*(?:[-*\u2022]\s+|\(?\d{1,2}[.)]\s+(?=\S))")
AMOUNT = re.compile(
    r"(?<![\w.])(?<!\d[,:/])(?:[-+]\s?)?\\?[$\u20ac\u00a3\u00a5]?\s?[-+]?(?:\d(?:[\d,]*\d)?(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,3}(?!\w))?"
    r"(?:\s?(?:[:/^*+x-]|\*\*|\s\d+/)\s?\\?\$?\d(?:[\d,]*\d)?(?:\.\d+)?|\s\d+/\d+|[\u00bc-\u00be])*(?:\s?\\?%|\s?percent\b)?"
    r"|[\u00bc-\u00be\u2150-\u215e]|\\[dt]?frac\s?\{?\d{1,9}\}?\s?\{?\d{1,9}\}?"
)
SPOKEN_AMOUNT = re.compile(rf"(?<![\w-])(?:{WORD}|half)(?:(?:[ -]| and ){WORD}){{0,6}}(?![\w-])", re.IGNORECASE)
HYPHENATED = re.compile(r"-[A-Za-z]")
BOLD = re.compile(r"(?:\*\*|__)([^*_\n]{1,120})(?:\*\*|__)")
EQUALS = re.compile(r"(?<![<>!=])=(?!=)|\u2248|\\approx")
CONCLUDES = re.compile(
    r"(?:,|^|\band|;)\s*(?:so|therefore|thus|hence|then|leaving|giving|making|totall?ing|for a total of|resulting in|"
    r"which (?:leaves|gives|makes|means|equals|is equal to|comes to|totals)|which (?:is|are|was|will be)(?=[^=]*=))\b"
    r"(?! (?:far|much|many))",
    re.IGNORECASE,
)
OPENS = re.compile(
    r"^[\s,]*(?:(?:so|therefore|thus|hence|and|then|now|finally|but)\b,?\s*)?(?:after|in|with|for|if|when|since|because|as|"
    r"at|by|on|given|out of|of|while|although|though|before|during|over|from|among|once|until|per|assuming|considering|"
    r"having|even|to)\b[^,]*,\s",
    re.IGNORECASE,
)
SUBORDINATE = re.compile(
    r"(?:,\s+(?:which|who|whom|whose|where|as|while|whereas|though|although|because|since|when|if|after|before|not|compared|"
    r"more than|less than|unlike)\b|\s+(?:because|since|which|who|although|though|whereas|while|when|if|unless|until|"
    r"rather than|instead of|compared to)\b|\s+(?:after|before)\s+\w+ing\b)",
    re.IGNORECASE,
)
ASIDE = re.compile(
    r"(?<!Therefore)(?<!So)(?<!Thus)(?<!Hence)(?<!so)(?<!Then),\s+(?:who|which|whose|whom|where|when)\b[^,=]{1,200},",
    re.IGNORECASE,
)
UNPUNCTUATED = re.compile(
    r"^\W*(?:(?:so|then|and)\s)?(?:after|when|if|by|since|because|as|once)\b[^,]*\b(?=(?:she|he|they|it|we|you|I|there)\s+\w+)",
    re.IGNORECASE,
)
NEGATION = re.compile(
    r"[(,]?\s*\b(?:not|no|never|rather than|instead of)\s+(?:(?!that\b)[a-z]{1,12} ){0,2}"
    r"\\?\$?\d(?:[\d,]*\d)?(?:[^,;.)\d]{0,30}\))?",
    re.IGNORECASE,
)
GIVEN = re.compile(
    r"\b(?:the|these|those|all|his|her|their|its|our|my|each|every|both|first|last|other|next|than)\s+$", re.I
)
"""A number behind it is known already: each of the 5 kids."""
PLACED = re.compile(r"\b(?:for|of|in|after|with|at|per|from|on|by|within|that|who|over|during|until|every)\s+$", re.I)
"""A number behind it tells when, where or of what: in 3 days."""
TOTAL = re.compile(r"\b(?:total|sum|average|rate|speed|cost|profit|price|rest|mean|maximum|minimum) of\s+$", re.I)
IS = re.compile(
    r"\b(?:is|are|equals|was|were|will be|would be|comes to|becomes)\s+(?:now |only |about |exactly |a total of )?$",
    re.I,
)
COMPARED = re.compile(r"\s*(?:more|less|fewer|times|higher|lower|years? old)\b", re.I)
ALTERNATIVE = re.compile(r"(?:\s[a-z]{1,12})?,?\s+or\s+\$?\d[\d,.]*\d|(?:\s[a-z]{1,12})?,?\s+or\s+\$?\d")
RATIO_TO = re.compile(r"\s+to\s+\d+")
RATIO_SAID = re.compile(r"ratio|^\W*\d+\s+to\s+\d+\W*$", re.IGNORECASE)
CHOICE = re.compile(r"\(([A-Za-z])\)|\[([A-Z])\]|\b(?i:option|choice|answer)\s+\**([A-J])\b|\*\*\(?([A-J])\)?[.:)]?")
LONE_LETTER = re.compile(r"\s*[\"'*(\[]*([A-Za-z])[\"'*)\]]*\s*(?:[.):]\s*[^\n]*)?")
YES_NO = re.compile(r"\b(?:not\s+|n't\s+)?(?:yes|no|true|false)\b(?:\s+or\s+(?:yes|no|true|false)\b)?", re.IGNORECASE)
COPULA = re.compile(r"(?:\b(?:is|are|was|were|be|called|named)\b|:)\s+", re.IGNORECASE)
LAST_RANK = 4
WORDS = re.compile(r"[A-Za-z]{2}")
Place = tuple[int, int, str]
"""Start, end, rule."""
LONGEST = 500
"""Characters of a sentence that are read, from its end."""
TAIL = 3000
"""Only so many characters at the end are searched for a last sentence."""


def final(reply: str, kind: Kind) -> Found | None:
    """The answer in the last sentence that states one."""
    offset = max(0, len(reply) - TAIL)
    spans = [(a + offset, b + offset) for a, b in sentences(reply[offset:])]
    for start, end in reversed(spans):
        found = READERS[kind](reply, start, end)
        if found is not None:
            return found
    return whole_reply(reply) if kind is Kind.BOOL else None


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence stands; a line ends one, too."""
    out, start = [], 0
    for m in STOP.finditer(text):
        if "\n" not in m.group() and ABBREVIATION.search(text, max(start, m.start() - 8), m.start()):
            continue
        if text[start : m.start()].strip():
            out.append((start, m.start()))
        start = m.end()
    if text[start:].strip():
        out.append((start, len(text)))
    return out


def number_in(reply: str, start: int, end: int) -> Found | None:
    """After "=" first, else bold, else the first number of the main clause."""
    start = max(start, end - LONGEST)
    raw = reply[start:end]
    if raw.rstrip(" *_\"')").endswith(("?", "\uff1f")):
        return None
    bullet = BULLET.match(raw)
    text = raw.translate(SAME)
    if bullet:
        text = " " * bullet.end() + text[bullet.end() :]
    text = ASIDE.sub(blank, NEGATION.sub(blank, text))
    main = main_clause(text)
    found = after_equals(main) or bold(main) or best(list(amounts(main)), main) or after_equals(text) or bold(text)
    if found is None:
        every = [*amounts(text), *amounts(main)]
        found = next(((at, until, "sentence") for _, at, until in sorted(every, key=lambda a: a[0])), None)
    if found is None:
        return None
    at, until, rule = found
    more = ALTERNATIVE.match(text, until) or (RATIO_TO.match(text, until) if RATIO_SAID.search(text) else None)
    until = more.end() if more else until
    return Found(raw[at:until].strip(), rule, start + at, start + until, False)


def blank(m: re.Match[str]) -> str:
    """As many blanks, so that places stay places."""
    return " " * len(m.group())


def main_clause(text: str) -> str:
    """The sentence with its subordinate clauses blanked out."""
    conclusions = [m for m in CONCLUDES.finditer(text) if has_amount(text, m.end())]
    if conclusions:
        text = " " * conclusions[-1].end() + text[conclusions[-1].end() :]
    opening = OPENS.match(text) or UNPUNCTUATED.match(text)
    if opening and has_amount(text, opening.end()):
        text = " " * opening.end() + text[opening.end() :]
    for m in SUBORDINATE.finditer(text):
        if has_amount(text[: m.start()], 0):
            return text[: m.start()]
    return text


def has_amount(text: str, at: int) -> bool:
    return AMOUNT.search(text, at) is not None or SPOKEN_AMOUNT.search(text, at) is not None


def after_equals(clause: str) -> Place | None:
    """The last number that stands right after an equals sign."""
    for m in reversed(list(EQUALS.finditer(clause))[-20:]):
        found = AMOUNT.search(clause, m.end(), m.end() + 60)
        if found is not None and not WORDS.search(clause, m.end(), found.start()):
            return found.start(), found.end(), "equals"
    return None


def bold(clause: str) -> Place | None:
    """The last bold number."""
    for m in reversed(list(BOLD.finditer(clause))[-20:]):
        found = AMOUNT.search(clause, m.start(1), m.end(1))
        if found is not None:
            return found.start(), found.end(), "bold"
    return None


def best(found: list[tuple[int, int, int]], clause: str) -> Place | None:
    """What something is, if numbers before that are only referred to; else the first number. None if all are given."""
    if not found or min(found)[0] >= LAST_RANK:
        return None
    said = [f for f in found if IS.search(clause, max(0, f[1] - 30), f[1]) and not COMPARED.match(clause, f[2])]
    _, at, until = said[0] if said else min(found, key=lambda f: f[0])
    return at, until, "sentence"


def amounts(clause: str) -> Iterator[tuple[int, int, int]]:
    """Rank and place of each number that is not part of a hyphenated word; the lower the rank, the more it states."""
    for m in AMOUNT.finditer(clause):
        if HYPHENATED.match(clause, m.end()) is None:
            yield rank(clause, m.start()), m.start(), m.end()
    for m in SPOKEN_AMOUNT.finditer(clause):
        yield rank(clause, m.start()) + 1, m.start(), m.end()


def rank(clause: str, at: int) -> int:
    before = max(0, at - 24)
    if TOTAL.search(clause, before, at):
        return 0
    return LAST_RANK if GIVEN.search(clause, before, at) else 2 if PLACED.search(clause, before, at) else 0


def choice_in(reply: str, start: int, end: int) -> Found | None:
    """(B), option B, or a letter alone on its line; an article is none."""
    line = reply[start:end]
    alone = LONE_LETTER.fullmatch(line)
    if alone and (alone[1].isupper() or len(line.strip(" .()*\"'[]")) == 1):
        return Found(alone[1], "line", start + alone.start(1), start + alone.end(1), False)
    marked = list(CHOICE.finditer(line))
    if not marked:
        return None
    m = marked[-1]
    letter = next(g for g in m.groups() if g)
    return Found(letter, "sentence", start + m.start(), start + m.end(), False)


def bool_in(reply: str, start: int, end: int) -> Found | None:
    words = list(YES_NO.finditer(reply, start, end))
    if not words:
        return None
    m = words[0] if words[0].start() == start else words[-1]
    return Found(m.group(), "sentence", m.start(), m.end(), False)


def whole_reply(reply: str) -> Found | None:
    """A reply that opens with yes or no."""
    m = BOOL_AT.match(reply)
    return Found(m.group(), "line", m.start(), m.end(), False) if m else None


def text_in(reply: str, start: int, end: int) -> Found | None:
    """What the last sentence says something is; else the sentence itself."""
    copulas = list(COPULA.finditer(reply, start, end))
    at = copulas[-1].end() if copulas else start
    text = reply[at:end].strip()
    return Found(text, "sentence", at, end, False) if text else None


def maths_in(reply: str, start: int, end: int) -> Found | None:
    """The last formula between dollars, else a number."""
    formulas = list(re.finditer(r"\$([^$\n]{1,200})\$|\\\((.{1,200}?)\\\)", reply[start:end]))
    if formulas:
        m = formulas[-1]
        text = (m[1] or m[2]).rpartition("=")[2].strip()
        if text and value(text, Kind.MATH) is not None:
            return Found(text, "sentence", start + m.start(), start + m.end(), False)
    return number_in(reply, start, end)


READERS = {
    Kind.NUMBER: number_in,
    Kind.CHOICE: choice_in,
    Kind.BOOL: bool_in,
    Kind.TEXT: text_in,
    Kind.MATH: maths_in,
}
