"""Which words of a reply are its answer, and by which rule."""

import re

from understudy.answers.amounts import bare
from understudy.answers.clause import BULLET
from understudy.answers.declared import STRONG, Found, answer_end, at_once, cues, declared, joined, last_marked, phrases
from understudy.answers.refusals import refuses
from understudy.answers.same import DEFAULT, Policy
from understudy.answers.sentence import READERS, final
from understudy.records import Kind

NEW_QUESTION = re.compile(
    r"(?:\n\s*|[.!?\d)}*]\s+)(?:[#*]{1,4}\s?)?(?:Q|Problem|Question|Human|User|Instruction)(?:\s?\d{1,3})?\s?(?:\*\*)?$"
)
"""Must end where a colon stands."""
QUESTION_ENDS = frozenset("Qmnr*0123456789 ")
CALCULATES = re.compile(r"=|,\s*so\b|\btherefore\b|\\boxed")
SUBJECT = re.compile(r"(?:that|the|she|he|they|there|it|we|you|his|her|their|our|each)\b|[A-Z][a-z]+\s")
"""A sentence begins, not an answer."""
TAKEN_BACK = re.compile(
    r"\b(?:i (?:have )?made an? (?:\w+ )?(?:mistake|error)|(?:that|this)(?:'s| is| was) (?:wrong|incorrect|not right"
    r"|a mistake)|correction|scratch that|let me correct|wait,? no|no,? wait|oops"
    r"|(?:sorry|i mean)(?=,? \$?\d)"
    r"|actually,? (?:it(?:'s| is| should be)|the (?:answer|total|result) (?:is|should be)))\b",
    re.IGNORECASE,
)

GUESS = re.compile(
    r"\b(?:if I (?:had|have) to guess|my (?:best |educated )?guess|best guess|I(?:'d| would|'ll| will) guess)"
    r"[:,]?\s+(?:(?:is|would be|I(?:'d| would) (?:say|guess|pick|go with))[:,]?\s+)?",
    re.IGNORECASE,
)
NEAR = 120
"""Characters at the end of a reply in which a guess may stand."""


def find(reply: str, kind: Kind = Kind.NUMBER, *, policy: Policy = DEFAULT) -> Found | None:
    """The answer that a reply gives, with the rule that found it; None if it gives none.

    >>> find("First \\\\boxed{3}. Wait, no. \\\\boxed{4}").text
    '4'
    """
    if policy.next_question_ends:
        reply = until_next_question(reply)
    marked = last_marked(reply)
    places = cues(reply, marked.end if marked else 0) if marked is None or kind in STRONG else []
    found = next(phrases(reply, kind, places), marked) if places else marked
    if found is not None and not policy.last_wins:
        found = declared(reply, kind)[0]
    if found is not None:
        return inside(taken_back(joined(found, reply, kind), reply, kind), kind)
    if kind is Kind.OPEN:
        return None
    if policy.refusals and refuses(reply):
        return guessed(reply, kind)
    loose = next(phrases(reply, kind, places, loose=True), None) if places else None
    if loose is not None:
        return stated_in(loose, reply, kind)
    if not policy.undeclared:
        return None
    return last_line(reply) or final(reply, kind) if kind is Kind.NUMBER else final(reply, kind)


def last_line(reply: str) -> Found | None:
    """The last line, where it is a number and nothing else."""
    end = len(reply.rstrip(" \t\n\r!"))
    start = reply.rfind("\n", 0, end) + 1
    bullet = BULLET.match(reply, start, end)
    start = bullet.end() if bullet else start
    return Found(reply[start:end], "line", start, end, False) if bare(reply[start:end]) else None


def inside(found: Found, kind: Kind) -> Found:
    """The answer of an answer tag that holds a whole sentence."""
    if found.rule != "tag" or kind not in STRONG and "\\boxed" not in found.text or bare(found.text):
        return found
    if kind is Kind.NUMBER and at_once(found.text, 0, kind) and not CALCULATES.search(found.text):
        return found
    told = find(found.text, kind)
    return found._replace(text=told.text) if told is not None else found


def taken_back(found: Found, reply: str, kind: Kind) -> Found:
    """The answer that is given instead, where the reply says in or behind a declared one that it was wrong."""
    start = found.start if found.rule == "phrase" else found.end
    if len(reply) - start < 8 or kind is not Kind.NUMBER:
        return found
    m = TAKEN_BACK.search(reply, start)
    return final(reply[m.start() :], kind) or found if m else found


def guessed(reply: str, kind: Kind) -> Found | None:
    """The guess that ends a reply which says that it cannot tell."""
    m = GUESS.search(reply, max(0, len(reply) - NEAR)) if kind in STRONG else None
    if m is None or not at_once(reply, m.end(), kind):
        return None
    end = answer_end(reply, m.end(), kind)
    return Found(reply[m.end() : end].strip(), "loose", m.end(), end, True) if not reply[end:].strip(" .!*\n") else None


def stated_in(loose: Found, reply: str, kind: Kind) -> Found:
    """The answer in the clause that announces it."""
    sentence = kind is Kind.NUMBER and SUBJECT.match(loose.text)
    better = READERS[kind](reply, loose.start, loose.end) if sentence else None
    return better._replace(rule="loose", declared=True) if better else loose


def until_next_question(reply: str) -> str:
    """The reply without what follows a new question. A reply that begins by restating the question is not cut there."""
    at = reply.find(":")
    while at >= 0:
        if reply[at - 1 : at] in QUESTION_ENDS and (new := NEW_QUESTION.search(reply, max(0, at - 40), at)):
            if reply[: new.start() + 1].strip():
                return reply[: new.start() + 1]
        at = reply.find(":", at + 1)
    return reply
