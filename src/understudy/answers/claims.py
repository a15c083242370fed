"""The option, the yes or no, or the words that a sentence states."""

import re
from typing import NamedTuple

from understudy.answers.value import ASSENT, DOUBTED


class Claim(NamedTuple):
    """A choice or a truth value as it stands in a sentence."""

    text: str
    start: int
    end: int
    alone: bool
    """Nothing else stands in the sentence."""


LONE_LETTER = re.compile(r"\s*[\"'*(\[]*([A-Za-z])[\"'*)\]]*\s*(?:[.):]\s*[^\n]*)?")
MARKED = re.compile(
    r"(?<!\w)\(([A-Za-z])\)|\[([A-Z])\]|\b(?i:option|choice|answer)s?\s+[\"'*(\[]*([A-J])\b"
    r"|\*\*\(?([A-J])\)?[.:)]?(?=\*| )"
)
GOES_ON = (
    r"(?=[\"'*)\]]*\s*(?:$|[.,;:!)\]/&]|(?:is|are|was|because|since|as|and|or|not|fits|seems|works|looks|would|best"
    r"|makes|must|"
    r"should|rather|instead)\b))"
)
ALONE = re.compile(
    r"(?:^\s*|[,;:]\s*|\b(?:[Ii]s|be|[Ii]t's|[Ii]t\u2019s|was|choose|chose|chosen|pick|picked|select|selected|with"
    r"|say|think|"
    r"believe|guess|[Ss]o|[Tt]herefore|[Tt]hus|[Hh]ence|[Bb]oth|[Ee]ither|and|or|but|then|for)\s+)[\"'*(\[]*([A-HJ])"
    + GOES_ON
)
TAKEN = re.compile(
    r"\b(?:(?:go|going|went) with|pick|picked|choose|chose|select|selected)\s+[\"'*(\[]*"
    r"([b-h]|a(?=[\"'*)\]]*[.!]?\s*$))" + GOES_ON
)
"""A letter among words, where it is not an article."""
DENIED = re.compile(
    r"[\"'*)\]]*\s+(?:(?:is|are|was|seems)\s+(?:clearly\s+|also\s+|both\s+)?(?:wrong|incorrect|false|not\b|out\b"
    r"|eliminated|tempting|a (?:trap|distractor)\b|"
    r"unlikely|impossible)|(?:isn't|aren't|isn\u2019t|cannot|can't|can\u2019t|does not|doesn't|doesn\u2019t|would not"
    r"|won't)\b)",
    re.IGNORECASE,
)
AGAINST = re.compile(
    r"(?:\b(?:not|than|instead of|eliminat\w+|rul\w+ out|exclud\w+|unlike|without|except|nor|neither"
    r"|(?:all|any|anything|everything|every one|any of them|all of them) but)\s+"
    r"(?:option|choice)?\s*|n't\s+)[\"'*(\[]*$",
    re.IGNORECASE,
)
JOINED = re.compile(
    r"[\"'*)\]\s]*\s*(?:,?\s*(?:and|or|and/or|&)\s+|[,/]\s*)(?:(?:option|choice)\s+)?[\"'*(\[]*", re.IGNORECASE
)
ASIDE = re.compile(r"\s(?:because|since|whereas|while|although|though|unlike)\s", re.IGNORECASE)
SAID = r"(?:yes|true|false|no(?=\s*(?:$|[.,;:!?)\]}*\"'\u2014]|or\b|and\b|because\b|since\b|[-/])))"
TRUTH = re.compile(
    rf"(?:(?<!\w)not\s+|n't\s+|n\u2019t\s+|\bnever\s+)?\b{SAID}(?:(?:\s+(?:or|and)\s+|\s?/\s?){SAID})?"
    r"|(?:\b(?:is|are|was|be)|'s|\u2019s)(?:n't|n\u2019t)?\s+(?:not\s+)?(?:correct|incorrect|wrong|right)\b(?!\s+\w)",
    re.IGNORECASE,
)
LONE_TRUTH = re.compile(r"\W*([YyNnTtFf])\W*")
COPULA = re.compile(r"(?:\b(?:is|are|was|were|be|called|named)\b|:)\s+", re.IGNORECASE)


def choice(line: str) -> Claim | None:
    """The last option that a sentence names and does not deny; two that are joined are both."""
    alone = LONE_LETTER.fullmatch(line)
    if alone and (alone[1].isupper() or len(line.strip(" .()*\"'[]")) == 1) and not JOINED.match(line, alone.end(1)):
        return Claim(alone[1], alone.start(1), alone.end(1), True)
    found = mentions(line)
    if not found:
        return None
    last = found[-1]
    if len(found) > 1 and found[-2].text != last.text and JOINED.fullmatch(line, found[-2].end, last.start):
        return Claim(f"{found[-2].text} and {last.text}", found[-2].start, last.end, False)
    return last


def mentions(line: str) -> list[Claim]:
    """The options that a sentence names and does not deny, in order; those of its main clause, if there are any."""
    found = sorted(
        {
            Claim(m[m.lastindex or 0], m.start(m.lastindex or 0), m.end(m.lastindex or 0), False)
            for pattern in (MARKED, ALONE, TAKEN)
            for m in pattern.finditer(line)
        },
        key=lambda c: c.start,
    )
    kept = [c for c in found if not denied(line, c)]
    aside = ASIDE.search(line)
    main = [c for c in kept if aside is None or c.start < aside.start()]
    return main or kept


def denied(line: str, claim: Claim) -> bool:
    """The sentence says that it is not this one."""
    before = max(0, claim.start - 24)
    return DENIED.match(line, claim.end) is not None or AGAINST.search(line, before, claim.start) is not None


def truth(line: str) -> Claim | None:
    """The yes or no that opens a sentence, else the last one in it."""
    letter = LONE_TRUTH.fullmatch(line)
    if letter:
        return Claim(letter[1], letter.start(1), letter.end(1), True)
    said = list(TRUTH.finditer(line))
    if not said:
        assent = ASSENT.fullmatch(line)
        return Claim(assent["said"], assent.start("said"), assent.end("said"), False) if assent else None
    m = said[0] if said[0].start() == 0 else said[-1]
    doubt = DOUBTED.search(line, max(0, m.start() - 60), m.start())
    start = doubt.start() if doubt else m.start()
    return Claim(line[start : m.end()], start, m.end(), False)


def words(line: str) -> int:
    """Where the words begin that a sentence says something is; else 0."""
    copulas = list(COPULA.finditer(line))
    return copulas[-1].end() if copulas else 0
