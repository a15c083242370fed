"""Replies that say they cannot tell: they have no answer, whatever numbers they name."""

import re

TAIL = 320
"""Characters at the end of a reply that are searched."""
SPEAKER = r"(?:^|[.!?,;:\n]\s*|\b(?:i|we|you|one|sorry|but|so|and|therefore|unfortunately|simply|question|problem)\s)"
UNABLE = r"(?:can ?not|can't|could not|couldn't|won't|will not)"
TO_SAY = (
    r"(?:determine|answer|tell|say|know|solve|find|calculate|give|compute|work out|figure out|be sure|be certain"
    r"|help(?! but)|assist|provide|conclude)"
)
UNINFORMED = (
    r"(?:not enough|insufficient|not sufficient|missing|too (?:little|few)|lack(?:s|ing)?|more|further|additional)"
)
NOT_ABLE = (
    r"\b(?:i|we) (?:\w+ )?(?:do not|don't) (?:\w+ )?know\b|(?:is|are|remains) not known\b"
    rf"|\b(?:i|we)(?: am|'m| are|'re) not (?:sure|certain|able)\b|not possible to {TO_SAY}\b"
    rf"|{SPEAKER}{UNABLE} (?:\w+ )?{TO_SAY}\b|(?:can|could) ?(?:not|n't) be {TO_SAY}e?d\b"
    r"|(?:not|n't) (?:give|provide|have|contain|include|specify) (?:us )?(?:enough|sufficient)\b"
)
SAID = tuple(
    (word, re.compile(pattern))
    for word, pattern in (  # what stands in it, and all of it
        ("not ", NOT_ABLE), ("n't ", NOT_ABLE),
        (" un", rf"unable to {TO_SAY}\b|(?:i am|i'm) (?:unable|unsure)\b|unanswerable\b"
                r"|(?:is|are|remains) (?:unknown|undetermined|indeterminate)\b"
                r"|(?:answer|it|this) (?:is|remains) unclear\b"),
        ("imposs", rf"impossible to {TO_SAY}\b"), ("hard to", rf"hard to {TO_SAY}\b"),
        ("no ", rf"no way to {TO_SAY}\b|(?:have|there is|there's|^|[.!?,]\s) ?no (?:idea|way|answer|clue)\b"),
        ("info", rf"(?:{UNINFORMED}|enough) (?:the )?info"), ("data", rf"{UNINFORMED} data\b"),
        ("detail", rf"{UNINFORMED} detail"), ("give up", r"\bi give up\b"),
    )
)  # fmt: skip
NOTHING_ELSE = re.compile(
    r"\W*(?:\\text\s*\{)?\W*(?:n/?a|idk|unknown|unclear|undetermined|indeterminate|impossible|\?+"
    r"|not (?:known|given|sure|possible|determinable)|(?:not enough|insufficient) (?:info|information|data)"
    rf"|{UNABLE} (?:be )?{TO_SAY}e?d?)\W*"
)


def refuses(reply: str) -> bool:
    """Its end says that there is no answer, or that none can be found."""
    end = reply[-TAIL:].lower()
    if not end.isascii():
        end = end.replace("\u2019", "'")
    for word, pattern in SAID:
        if word in end and pattern.search(end):
            return True
    return len(end) < 60 and NOTHING_ELSE.fullmatch(end) is not None
