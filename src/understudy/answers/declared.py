"""Answers that are marked as such: a box, ####, an answer tag, "the answer is"."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from understudy.answers.expression import SAME
from understudy.answers.numeric import EITHER
from understudy.answers.value import value
from understudy.answers.words import WORD
from understudy.records import Kind


class Found(NamedTuple):
    """An answer as it stands in the reply."""

    text: str
    rule: str
    """box, hash, tag, phrase, loose, bold, equals, sentence, line"""
    start: int
    end: int
    declared: bool


BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*(?=\{)|\\boxed\s+(?=[\w.$-])")
BARE = re.compile(r"[\w.$,/-]+")
BRACE = re.compile(r"\\[\\{}]|[{}]")
MOST = 40
"""Only so many marks of a kind, the last ones, are looked at."""
HASH = re.compile(r"^[ \t]*#{4,}[ \t]*(\S[^\n]{0,400})", re.MULTILINE)
STEP = re.compile(r"(?i)\d{1,2}[.)]\s+\S|(?:step|part|solution|explanation|answer|final|problem|conclusion)\b")
TAG = re.compile(r"<answer>(.{0,4000}?)(?:</answer>|$)", re.IGNORECASE | re.DOTALL)
PHRASE = re.compile(
    r"(?:"
    r"\b(?:the|my|our|your|final|correct|best|right)\s+(?:[a-z]{1,12}\s+){0,2}?(?:answer|option|choice|result)\s*(?:\([^()\n]{0,40}\)\s*)?"
    r"(?:is|are|would be|will be|must be|should be|becomes|equals|comes to|:|=)"
    r"|\b(?:final\s+)?answer\s*(?:\*\*|__)?\s*(?::|=|-(?=\s)|\bis\b)"
    r"|^[#*_ \t]*(?:the\s+)?(?:final\s+)?answer[*_ \t]*(?=\n)"
    r"|\u7b54\u6848(?:\u662f|\u4e3a|\u70ba|:|\uff1a)|\u7b54\u3048\u306f|\ub2f5\uc740|\u041e\u0442\u0432\u0435\u0442\s*:"
    r"|\bla (?:respuesta|r[e\u00e9]ponse|risposta)(?: finale?)? (?:es|est|\u00e8)\b|\bdie Antwort (?:ist|lautet)\b"
    r"|\ba resposta (?:final )?\u00e9"
    r")(?P<rest>[ \t]*:?)",
    re.IGNORECASE | re.MULTILINE,
)
NOT_ANSWER = re.compile(
    r"\s*(?:not|n't|never|unknown|unclear|correct\b|wrong\b|reasonable|impossible|cannot)", re.IGNORECASE
)
FILLER = re.compile(
    r"(?:[\s*_:`]|\\[(\[]|\$\$?(?!\d)|(?:thus|therefore|approximately|about|exactly|simply|just|equal to|"
    r"roughly|around|indeed|only|then|clearly|option|choice|letter|a total of)\b)*",
    re.IGNORECASE,
)
NUMBER_AT = re.compile(
    r"(?:\\(?:text|mathrm|mathbf|textbf)\s*\{)?\(?\s*[-+]?\s*\\?[$\u20ac\u00a3\u00a5]?\s*[-+]?\s*(?:\.?\d|[\u00bc-\u00be\u2150-\u215e]|\\[dtc]?frac|\\sqrt|\\pi|\()"
    r"|(?:[A-Za-z]\w{0,2}\s*=)"
)
WORD_AT = re.compile(rf"(?:minus |negative )?(?:{WORD}|(?:a |one )?half|a hundred|a third|a quarter)\b", re.IGNORECASE)
LETTER_AT = re.compile(
    r"[(\[]\s*[A-Za-z]\s*[)\]]|[A-Z](?=\s*(?:$|[.,;:)\]*\n}]|\\|because\b|since\b|as\b|for\b|or\b|and\b))|[b-hj-z](?=\s*(?:$|[.,;)\n]))"
)
BOOL_AT = re.compile(r"[\"']?(?:yes|no|true|false|correct|incorrect)\b", re.IGNORECASE)
CLAUSE_END = re.compile(
    r"\n|(?<!\bRs)(?<!\bNo)(?<!\b[DMS][rst])(?<!\bvs)(?<!\\)[.!?\u3002\uff01\uff1f](?=\s|$|[*_\"')\]}]|\\)|\u3002|$"
)


def declared(reply: str, kind: Kind) -> list[Found]:
    """Answers that are marked as such, in the order in which they end."""
    found = [*boxes(reply), *hashes(reply, kind), *tags(reply)]
    if not found or kind in (Kind.NUMBER, Kind.CHOICE, Kind.BOOL):
        found += phrases(reply, kind)
    return sorted(found, key=lambda f: f.end)


def last_given(found: list[Found], reply: str) -> Found | None:
    """The last one; joined by "or" to the one before, both."""
    if not found:
        return None
    last = found[-1]
    for before in reversed(found[:-1]):
        between = reply[before.end : last.start]
        if before.end <= last.start and len(between) < 60 and EITHER.fullmatch(joint(between)):
            return Found(f"{before.text} or {last.text}", last.rule, before.start, last.end, True)
    return last


def joint(between: str) -> str:
    """What stands between two marked answers, without the marks."""
    return re.sub(r"[}*$\s]+|\\(?:boxed|text|[()\[\]])|[{]", " ", between).strip(" ") + " "


def boxes(reply: str) -> Iterator[Found]:
    """The complete boxes, braces matched by counting. A box inside a box is the outer one's."""
    at = 0
    for m in list(BOX.finditer(reply))[-MOST:]:
        if m.start() < at:
            continue
        braced = reply[m.end()] == "{"
        end = closing_brace(reply, m.end()) if braced else bare_end(reply, m.end())
        if end is None:
            continue
        at = end + 1 if braced else end
        text = reply[m.end() + 1 : end].strip() if braced else reply[m.end() : end]
        if text:
            yield Found(text, "box", m.start(), at, True)


def bare_end(reply: str, at: int) -> int:
    """Behind the word after a \\boxed without braces."""
    m = BARE.match(reply, at)
    return at + len(m.group().rstrip(".,")) if m else at


def closing_brace(text: str, at: int, limit: int = 4000) -> int | None:
    """Where the brace opened at `at` closes."""
    depth = 0
    for m in BRACE.finditer(text, at, at + limit):
        if m.group() in "{}":
            depth += 1 if m.group() == "{" else -1
            if depth == 0:
                return m.start()
    return None


def hashes(reply: str, kind: Kind) -> Iterator[Found]:
    """Lines that begin with ####; headings are none."""
    for m in list(HASH.finditer(reply))[-MOST:]:
        if not STEP.match(m[1]):
            yield Found(m[1].strip(), "hash", m.start(1), m.end(1), True)


def tags(reply: str) -> Iterator[Found]:
    for m in list(TAG.finditer(reply))[-MOST:]:
        if m[1].strip():
            yield Found(m[1].strip(), "tag", m.start(), m.end(), True)


def phrases(reply: str, kind: Kind, loose: bool = False) -> list[Found]:
    """What follows "the answer is": at once, or (loose) somewhere in the clause."""
    out = []
    for m in list(PHRASE.finditer(reply))[-MOST:]:
        start = FILLER.match(reply, m.end()).end()  # type: ignore[union-attr]
        if NOT_ANSWER.match(reply, start) or not (loose or at_once(reply, start, kind)):
            continue
        end = clause_end(reply, start)
        text = reply[start:end].strip()
        if text and (kind in (Kind.TEXT, Kind.MATH) or value(text, kind) is not None):
            out.append(Found(text, "loose" if loose else "phrase", start, end, True))
    return out


def at_once(reply: str, at: int, kind: Kind) -> bool:
    """A value of this kind stands right there."""
    if kind is Kind.CHOICE:
        return LETTER_AT.match(reply, at) is not None
    if kind is Kind.BOOL:
        return BOOL_AT.match(reply, at) is not None
    if kind in (Kind.TEXT, Kind.MATH):
        return True
    return NUMBER_AT.match(reply[at : at + 80].translate(SAME)) is not None or WORD_AT.match(reply, at) is not None


def clause_end(reply: str, at: int) -> int:
    m = CLAUSE_END.search(reply, at)
    return min(m.start() if m else len(reply), at + 400)
