"""One exact value for every spelling of an answer, by its kind."""

import re
from collections.abc import Callable
from functools import lru_cache

from understudy.answers.maths import mathematical
from understudy.answers.numeric import BLANKS, EITHER, MAX_LENGTH, Value, numeric, unwrapped, wording
from understudy.records import Kind

LABEL = re.compile(
    r"\s*(?:option|choice|answer)?\s*[(\[]?\s*([A-Za-z]|\d)\s*[)\]]?\s*(?:[.:,;)].*|\s+(?:because|since|as|for)\b.*|$)",
    re.IGNORECASE | re.DOTALL,
)
YES_NO = {"yes": True, "true": True, "y": True, "correct": True, "right": True, "t": True,
          "no": False, "false": False, "n": False, "incorrect": False, "wrong": False, "f": False}  # fmt: skip
SEVERAL = re.compile(
    r"\W*(?:(?i:options?|choices?|both|either)\s+)?[(\[]?([A-Z])[)\]]?(?:,?\s*(?:and|or|&|and/or)\s+|\s*[,/]\s*)(?:(?i:option|choice)\s+)?"
    r"[(\[]?(?!\1)[A-Z][)\]]?(?![\w'])"
)
"""Two letters that are joined."""
BOTH = re.compile(r"\b(?:yes|no|true|false)(?:\s+(?:and|or)\s+|\s?/\s?)(?:yes|no|true|false)\b|\bor\b")
DOUBT = (
    r"(?<!no )(?<!without )(?<!n't )(?<!n\u2019t )(?<!not )(?<!never )\b(?:doubt(?:ful)?|unlikely"
    r"|not (?:the case|true|right|correct) that|(?:false|wrong|incorrect) to (?:say|claim|think|assume|answer))\b"
)
"""What turns the yes or no behind it into the other."""
DOUBTS = re.compile(DOUBT, re.IGNORECASE)
DOUBTED = re.compile(rf"{DOUBT}[^.,;:!?]{{0,30}}$", re.IGNORECASE)
"""Must end where the yes or no begins."""
ASSENT = re.compile(
    r"\W*(?:(?:well|hmm),?\s+)?(?P<said>(?:absolutely|definitely|certainly|of course|surely|probably|obviously)"
    r"(?P<no>\s+not)?|I\s+(?P<nay>do not|don't|don\u2019t)?\s*(?:think|believe) so)\W*",
    re.IGNORECASE,
)
"""A yes or no in other words."""
CLAIM = re.compile(r"(not\s+|n't\s+)?([^\W\d_]+)")


SHORT = 80
"""Characters of an answer that is worth remembering."""


def value(text: str, kind: Kind = Kind.NUMBER) -> Value | None:
    """What `text` means as an answer of this kind; None if nothing."""
    return remembered(text, kind) if len(text) <= SHORT else READERS[kind](text)


@lru_cache(maxsize=8192)
def remembered(text: str, kind: Kind) -> Value | None:
    return READERS[kind](text)


def label(text: str) -> Value | None:
    """The letter of a choice: B, (b), B. wooded area."""
    plain = BLANKS.sub(" ", unwrapped(text.strip()[:MAX_LENGTH])).strip("\"'{} ")
    if SEVERAL.match(plain):
        return Value("several", plain)
    parts = [p for p in EITHER.split(plain) if p.strip()]
    letters = {m[1].upper() for p in parts if (m := LABEL.fullmatch(p))}
    if len(letters) == 1:
        return Value("choice", letters.pop())
    return Value("several", text) if letters else None


def truth(text: str) -> Value | None:
    """Yes or no."""
    plain = BLANKS.sub(" ", unwrapped(text.strip()[:MAX_LENGTH])).lower().replace("\u2019", "'")
    if assent := ASSENT.fullmatch(plain):
        return Value("bool", not (assent["no"] or assent["nay"]))
    if doubt := DOUBTS.match(plain):
        other = truth(plain[doubt.end() :])
        return other._replace(key=not other.key) if other is not None and other.shape == "bool" else other
    claims = [YES_NO[w] != bool(negated) for negated, w in CLAIM.findall(plain)[:12] if w in YES_NO]
    if not claims:
        return None
    return Value("several", text) if len(set(claims)) > 1 and BOTH.search(plain) else Value("bool", claims[0])


READERS: dict[Kind, Callable[[str], Value | None]] = {
    Kind.NUMBER: numeric,
    Kind.CHOICE: label,
    Kind.BOOL: truth,
    Kind.TEXT: wording,
    Kind.MATH: mathematical,
    Kind.OPEN: wording,
}
