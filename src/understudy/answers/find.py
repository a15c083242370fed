"""Which words of a reply are its answer, and by which rule."""

import re

from understudy.answers.declared import Found, declared, last_given, phrases
from understudy.answers.sentence import final
from understudy.records import Kind

# A reply that begins by restating the question is not cut there.
NEXT_QUESTION = re.compile(
    r"(?:\n\s*|[.!?\d)}*]\s+)(?:[#*]{1,4}\s?)?(?:Q|Problem|Question|Human|User|Instruction)(?:\s?\d{1,3})?\s?(?:\*\*)?:",
)
REFUSAL = re.compile(
    r"\b(?:I (?:really |honestly |simply )?(?:do not|don't|don\u2019t) know"
    r"|I(?: am|'m|\u2019m) (?:not sure|unable|unsure)"
    r"|(?:can ?not|can't|can\u2019t|could not|couldn't) (?:be )?"
    r"(?:determined?|answer(?:ed)?|tell|solved?|say|said|known?|found|find|calculated?|help|give|given|computed?)"
    r"|(?:impossible|unable|not possible|no way|not able|hard) to "
    r"(?:determine|tell|know|say|answer|solve|find|calculate|give|compute|work out)"
    r"|(?:not|n't) (?:give|provide|have|contain|include) (?:us )?(?:enough|sufficient)"
    r"|(?:not enough|insufficient|not sufficient|missing|too little) (?:information|data|details)"
    r"|(?:I have|there is|there's) no (?:idea|way|answer)|(?:is|are) (?:unknown|undetermined|not known)|unanswerable)"
    r"\b",
    re.IGNORECASE,
)


def find(reply: str, kind: Kind = Kind.NUMBER, *, undeclared: bool = True) -> Found | None:
    """The answer that a reply gives, with the rule that found it; None if it gives none.

    >>> find("First \\\\boxed{3}. Wait, no. \\\\boxed{4}").text
    '4'
    """
    reply = until_next_question(reply)
    strong = last_given(declared(reply, kind), reply)
    if strong is not None or kind is Kind.OPEN:
        return strong
    if refuses(reply):
        return None
    loose = last_given(phrases(reply, kind, loose=True), reply)
    return loose if loose is not None or not undeclared else final(reply, kind)


def until_next_question(reply: str) -> str:
    """The reply without what follows a new question."""
    for m in NEXT_QUESTION.finditer(reply):
        if reply[: m.start()].strip():
            return reply[: m.start() + 1]
    return reply


def refuses(reply: str) -> bool:
    """Its end says that there is no answer."""
    return REFUSAL.search(reply, max(0, len(reply) - 400)) is not None
