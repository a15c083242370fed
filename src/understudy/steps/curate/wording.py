"""What a text shows by its words alone: talk about the task, other scripts and languages, running in circles."""

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeVar

from understudy import answers
from understudy.answers.flags import in_a_row
from understudy.steps.curate.words import Sought

T = TypeVar("T", bound=Hashable)

SHOWN = "given|provided|supplied|reference|official|gold|golden|target|ground[- ]truth|labell?ed|stated|attached|known"
ANY_SHOWN = (
    "given provided supplied reference official gold golden target ground labeled labelled stated attached known"
)
WHOSE = "the|this|that|your|our|its|a"
# A phrase is here only if good solutions do not use it. Of "the correct answer", "the final answer", "working
# backwards" and "the user", real ones are full.
META: tuple[tuple[str, str, str], ...] = (
    (" an ai", "ai", r"(?:as|i am|i'm) an ai\b"),
    ("language model", "model", r"(?:as|i am|i'm|being) (?:just |only )?an? (?:large |ai )?language model\b"),
    ("sorry, but", "sorry", r"i(?:'m| am) sorry, but i (?:can't|cannot|can not|am unable|am not able|'m not able)\b"),
    ("i can't", "help assist", r"i can't (?:help|assist) (?:you )?with (?:that|this)\b"),
    ("i cannot", "help assist", r"i cannot (?:help|assist) (?:you )?with (?:that|this)\b"),
    ("my training data", "training", r"my training data\b"),
    ("knowledge cut", "knowledge", r"my knowledge cut-?off\b"),
    ("system prompt", "prompt", r"system prompt\b"),
    ("answer", ANY_SHOWN, rf"(?:{WHOSE}) (?:{SHOWN}) (?:final |correct )?answer\b(?! (?:choice|option))"),
    (
        "answer",
        "given provided supplied stated known",
        r"answer (?:is|was|has been|being) (?:already )?(?:given|provided|supplied|stated|known)"
        r"(?: (?:to us|to me|to be|as|in the (?:prompt|question|problem|hint))\b|[.,;:])",
    ),
    (
        "answer",
        "expected correct desired required intended right",
        r"(?:match|matches|matching|agrees? with|agreeing with|consistent with|in line with|fits|confirms|reach"
        r"|justify|arrive at|leads? to|get to) the (?:expected|correct|desired|required|intended|right) "
        r"(?:final )?answer\b",
    ),
    (
        "answer",
        "back backward backwards",
        r"(?:backwards?|back) from the (?:final |correct |known |right )?answer\b",
    ),
    (
        "answer",
        "final correct right",
        r"we (?:already |are told |were told )?(?:know|that) (?:that )?the (?:final|correct|right) answer is\b",
    ),
    (
        "answer",
        "told given shown",
        r"(?:i|we) (?:was|were|am|are|have been) (?:told|given|shown) (?:that )?the (?:\w+ )?answer\b",
    ),
    ("answer key", "key", r"according to the answer key\b"),
    ("solution", ANY_SHOWN, rf"(?:{WHOSE}) (?:{SHOWN}) solution\b"),
    ("rationale", "rationale", rf"(?:{WHOSE}) (?:{SHOWN}) rationale\b"),
    ("explanation", ANY_SHOWN, rf"(?:{WHOSE}) (?:{SHOWN}) explanation\b"),
    ("ground truth", "truth", r"the ground truth\b"),
    (
        "hint",
        "hint",
        r"(?:according to|based on|using|use|following|follow|per|from|with|given|by) (?:the|this|that|your) "
        r"(?:\w+ )?hint\b",
    ),
    (
        "hint",
        "hint",
        r"the (?:\w+ )?hint (?:says|states|tells|said|gives|given|provided|indicates|suggests that|is that)\b",
    ),
    ("hint", "hinted", r"(?:as|was) hinted\b"),
    ("in the problem", "mistake error typo", r"(?:mistake|error|typo) in the problem\b"),
    ("in the question", "mistake error typo", r"(?:mistake|error|typo) in the question\b"),
)
"""A literal that is cheap to look for, the words of which one stands in the phrase, and the phrase, from the start of a
word: all in small letters.
"""
CUES = frozenset(word for _, words, _ in META for word in words.split())
"""A text without any of these words has no such phrase."""
PHRASES = {
    anchor: re.compile(rf"\b(?:{'|'.join(phrase for other, _, phrase in META if other == anchor)})")
    for anchor, _, _ in META
}
REACH = 80
"""Characters on either side of an anchor in which its phrase ends."""

LANGUAGES = {
    "english": "the and is are of how many each has have that this then which with what does were there so we they",
    "spanish": "el los las una que para pero entonces cu\u00e1ntos cu\u00e1ntas tiene tienen por cada del son "
    "est\u00e1 despu\u00e9s primero ahora nos como respuesta quedan m\u00e1s",
    "french": "le les des une est sont dans donc nous combien avec pour chaque il elle ils qui que sur alors "
    "r\u00e9ponse ensuite et \u00e0 ont cela",
    "german": "der das und ist nicht ein eine einen wir dann mit auf f\u00fcr von zu sind haben jede jeder wie viele "
    "sie noch antwort zuerst insgesamt dem",
    "italian": "il gli della delle che sono quindi una ogni quanti quante hanno dopo prima ora pi\u00f9 \u00e8 "
    "risposta nel allora di",
    "portuguese": "os uma n\u00e3o ent\u00e3o s\u00e3o tem t\u00eam que para cada quantos quantas depois primeiro "
    "agora mais \u00e9 resposta ele ela das por ficam",
    "dutch": "het een zijn niet dus wij hoeveel elke voor heeft hebben naar ook antwoord maar eerst daarna ze hij",
}
"""Words without which no one writes in a language, and that say nothing in English."""
WORDS = {name: frozenset(words.split()) for name, words in LANGUAGES.items()}
ALL = frozenset().union(*WORDS.values())
FOREIGN = frozenset().union(*(words for name, words in WORDS.items() if name != "english"))
TOLD_BY = 2
"""So many of a language's words in a question, and it may be in that language."""
SOUGHT = Sought(FOREIGN, CUES)
"""Which texts may hold foreign words, and which may talk about the task."""

LEAST_RUNS = 12
"""A shorter text has too few four-word runs for a share of them."""
SPEAKING = re.compile(r"\w")


def meta(text: str, question: str) -> str | None:
    """The first phrase that talks about the task and not about the problem; one of the question's own is none."""
    low = text.lower()
    for anchor, phrase in PHRASES.items():
        at = low.find(anchor) if anchor in low else -1  # twice as fast where it is not there, which is nearly always
        while at >= 0:
            m = phrase.search(low, max(0, at - REACH), at + REACH)
            if m is not None and m.group() not in question.lower():
                return m.group()
            at = low.find(anchor, at + 1)
    return None


def scripts(text: str) -> frozenset[str]:
    """Those that a text has letters of: LATIN, CYRILLIC, CJK."""
    if text.isascii():
        return frozenset(["LATIN"] if any(map(str.isalpha, text)) else [])
    return frozenset(answers.script(c) for c in set(text) if c.isalpha())


def other_letters(text: str, native: frozenset[str]) -> tuple[float, int]:
    """The share of letters in a script that is not native, and where the first of them stands."""
    if not native or "LATIN" in native and text.isascii():
        return 0.0, 0
    letters = [i for i, c in enumerate(text) if c.isalpha()]
    others = [i for i in letters if answers.script(text[i]) not in native]
    return (len(others) / len(letters), others[0]) if others else (0.0, 0)


def languages(text: str) -> frozenset[str]:
    """Those that a text may be in."""
    said = ALL.intersection(text.lower().split())
    return frozenset(name for name, known in WORDS.items() if len(known & said) >= TOLD_BY)


def other_language(words: Sequence[str], native: frozenset[str], least: int) -> tuple[str, list[str]] | None:
    """A language that is not native and those of its words that stand there, if they are at least so many."""
    if not native or "english" in native and FOREIGN.isdisjoint(words):
        return None
    own = frozenset().union(*(WORDS[name] for name in native))
    for name, known in WORDS.items():
        said = known.intersection(words) - own
        if name not in native and len(said) >= least:
            return name, sorted(said)
    return None


class Limits(NamedTuple):
    """From where on a text runs in circles."""

    share: float
    """Of its four-word runs, were there before in it."""
    runs: int
    """Times the same eight words."""
    lines: int
    """Times the same line, or the same sentence without a break."""


FLAGGED = Limits(0.5, 8, 4)
"""From where on the flag `repeats` is shown."""


def circles(text: str, parts: answers.Reply, limits: Limits) -> str | None:
    """How a text of these parts runs in circles, in one line: the same line, sentence or words too often."""
    words = text.split()
    if text.count("\n") >= limits.lines - 1:
        line, times = _commonest([line.strip() for line in text.splitlines() if SPEAKING.search(line)])
        if times >= limits.lines:
            return f"{times} times: {line[:60]}"
    fours = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    again = len(fours) - len(set(fours))
    if not again and len(words) > 2 * limits.lines:  # a sentence of two words, said so often, would have shown
        return None
    sentence, times = in_a_row(parts)
    if times >= limits.lines:
        return f"{times} times in a row: {sentence[:60]}"
    if len(fours) >= LEAST_RUNS and again > limits.share * len(fours):
        run, times = _commonest(fours)
        return f"{times} times: {' '.join(run)[:60]}"
    if again < limits.runs - 1:
        return None
    eight, times = _commonest(list(zip(*(words[i:] for i in range(8)), strict=False)))
    return f"{times} times: {' '.join(eight)[:60]}" if times >= limits.runs else None


def _commonest(of: Sequence[T]) -> tuple[T | str, int]:
    return Counter(of).most_common(1)[0] if of else ("", 0)
