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
    rf"|\bi {UNABLE} (?:\w+ )?(?:see|view|access|open|choose|pick|select|decide)\b"
    rf"|{SPEAKER}{UNABLE} (?:\w+ )?{TO_SAY}\b|(?:can|could) ?(?:not|n't) be {TO_SAY}e?d\b"
    r"|(?:not|n't) (?:give|provide|have|contain|include|specify) (?:us )?(?:enough|sufficient)\b"
)
ASKED = r"(?:problem|question|text|passage|story|prompt|context|paragraph|article|table)"
BEGINS = r"(?:^|[.!?\n]\s*|\b(?:unfortunately|however|sadly|sorry|but|so|and),? )"
"""Of a main clause."""
ENDS = (
    r"(?:(?!,? (?:so|but|and so|then)\b|, (?:and|the|we|i|she|he|it|they|there|then|which|no)\b)"
    r"[^.!?;:=\n]|\.(?=\d))*[.!?]?[\s\"'*)]*$"
)
"""Nothing is stated behind it."""
QUANTITY = (
    r"(?:answer|total|sum|number|value|amount|result|price|cost|rate|age|weight|length|distance|speed|time|quantity"
    r"|size|figure)s?"
)
MISSING = rf"(?:\w+ ){{0,2}}(?:info(?:rmation)?|data|details?|clues?|{QUANTITY})\b"
NONE_FOUND = (
    rf"\b(?:no (?:\w+ )?{QUANTITY}(?: [a-z]+)?) (?:can|could) be (?:found|determined|computed"
    rf"|calculated|given|known|said|worked out|reached|drawn|stated){ENDS}"
    rf"|\bno (?:\w+ ){{1,2}}(?:can|could) be (?:determined|computed|calculated|inferred|worked out){ENDS}"
    rf"|{BEGINS}(?:the|this|your|that) {ASKED} (?:gives?|has|provides?|contains?|includes?|states?|mentions?|lists?)"
    rf" (?:us )?no {MISSING}{ENDS}"
    rf"|{BEGINS}(?:i|we) have no (?:\w+ ){{0,2}}(?:info(?:rmation)?|data|details?)\b{ENDS}"
    rf"|{BEGINS}(?:there is|there's|there are) no (?:\w+ ){{0,2}}(?:information|data)\b{ENDS}"
)
UNSAID = re.compile(
    r"(?:not|n't) (?:say|state|mention|tell|specif|indicate|give|provide|explain|said|be (?:found|known|given|worked))"
)
"""Stands in all that follow, and is found faster."""
SAYS_NOT = re.compile(
    rf"{BEGINS}(?:(?:the|this|your|that) {ASKED}|it) (?:does not|doesn't|did not|didn't) (?:say|state|mention|tell"
    r"|specify|indicate|give|provide|explain)(?: us| me)? (?:how|the|what|when|who|whose|where|which|whether|if|any"
    rf"|his|her|their|its|enough)\b{ENDS}"
    rf"|{BEGINS}(?:the (?:\w+ )?{QUANTITY}\b[^.,;:!?\n]{{0,60}}|it) (?:is|are|was|were)(?: not|n't) (?:given|stated"
    rf"|mentioned|specified|provided|said){ENDS}"
    rf"|{BEGINS}(?:the (?:\w+ )?{QUANTITY}\b[^.,;:!?\n\d]{{0,60}}|it) {UNABLE} be (?:found|known|given"
    rf"|worked out){ENDS}"
)
SAID = tuple(
    (word, re.compile(pattern))
    for word, pattern in (  # what stands in it, and all of it
        ("not ", NOT_ABLE), ("n't ", NOT_ABLE),
        (" un", rf"unable to {TO_SAY}\b|(?:i am|i'm) (?:unable|unsure)\b|unanswerable\b"
                r"|(?:is|are|remains) (?:unknown|undetermined|indeterminate)\b"
                r"|(?:answer|it|this) (?:is|remains) unclear\b"),
        ("imposs", rf"impossible to {TO_SAY}\b"), ("hard to", rf"hard to {TO_SAY}\b"),
        ("no ", rf"no way to {TO_SAY}\b|(?:have|there is|there's|^|[.!?,]\s) ?no (?:idea|way|answer|clue)\b"
                rf"|{NONE_FOUND}"),
        ("i need ", r"\bi need [^.!?\n]{0,40}\b(?:minutes?|hours?|seconds?|time) to (?:solve|answer|think"
                    r"|work|figure)\b"),
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
    if ("not " in end or "n't " in end) and UNSAID.search(end) and SAYS_NOT.search(end):
        return True
    return len(end) < 60 and NOTHING_ELSE.fullmatch(end) is not None
