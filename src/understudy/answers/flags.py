"""Behaviours that a reply shows, by name: one table, name to function."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from understudy.answers.declared import boxes, declared
from understudy.answers.find import find, until_next_question
from understudy.answers.same import alike
from understudy.answers.slips import equations, slips
from understudy.answers.split import Reply, split
from understudy.answers.value import value
from understudy.records import Kind, Stop

LINE_REPEATS = 4
IN_A_ROW = 4
"""So often nobody says a sentence who does not run in circles."""
GRAM_REPEATS = 8
REPEATED_SHARE = 0.5
"""Of all four-word runs, that were seen before."""
MIN_GRAMS = 24
OTHER_SHARE = 0.02
"""Of the letters, in a script that the question does not use."""
SHORT = 30
"""Words of a reply that can hold no reasoning."""
WORD = re.compile(r"\w+|[^\w\s]")
SPEAKING = re.compile(r"\w")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")


class Seen(NamedTuple):
    """One sample as the flags look at it."""

    text: str
    question: str
    kind: Kind
    parts: Reply


def flags(
    text: str, question: str, kind: Kind = Kind.NUMBER, stop: Stop = Stop.END, thought: str | None = None
) -> tuple[str, ...]:
    """The names of the behaviours seen, in the order of `FLAGS`; a failed call shows none.

    >>> flags("<think>6 * 7 = 41</think>The answer is 42.", "What is 6 * 7?")
    ('slip', 'mismatch')
    """
    if stop is Stop.ERROR:
        return ()
    whole = f"{thought}\n{text}" if thought else text
    seen = Seen(whole, question, kind, split(text, thought))
    return tuple(name for name, shows in FLAGS.items() if shows(seen))


def slip(seen: Seen) -> bool:
    """An equation is false."""
    return bool(slips(seen.text))


def mismatch(seen: Seen) -> bool:
    """The thought names another answer than the reply."""
    if seen.kind is Kind.OPEN or not seen.parts.thought:
        return False
    inner, outer = find(seen.parts.thought, seen.kind), find(seen.parts.reply, seen.kind)
    if inner is None or outer is None:
        return False
    a, b = value(inner.text, seen.kind), value(outer.text, seen.kind)
    return a is not None and b is not None and not alike(a, b) and not alike(b, a)


def unclosed_thought(seen: Seen) -> bool:
    return seen.parts.unfinished


def several_boxes(seen: Seen) -> bool:
    """More than one box in the reply."""
    return len(list(boxes(seen.parts.reply))) > 1


def rederives(seen: Seen) -> bool:
    """The reply calculates again what the thought has done."""
    return bool(seen.parts.thought) and len(equations(seen.parts.reply)) >= 2


def repeats(seen: Seen) -> bool:
    """It runs in circles: the same sentence again and again, the same lines, or the same words in the same order."""
    if in_a_row(seen.parts)[1] >= IN_A_ROW:
        return True
    text = _both(seen.parts)
    lines = Counter(line.strip() for line in text.splitlines() if SPEAKING.search(line))
    if lines and max(lines.values()) >= LINE_REPEATS:
        return True
    words = WORD.findall(text)
    fours = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    if len(fours) >= MIN_GRAMS and 1 - len(set(fours)) / len(fours) > REPEATED_SHARE:
        return True
    eights = Counter(zip(*(words[i:] for i in range(8)), strict=False))
    return bool(eights) and max(eights.values()) >= GRAM_REPEATS


def in_a_row(parts: Reply) -> tuple[str, int]:
    """The sentence or line that is said most often without a break, and how often."""
    said = (sentence.strip() for sentence in SENTENCE.split(_both(parts)))
    groups = ((sentence, sum(1 for _ in same)) for sentence, same in groupby(s for s in said if s))
    return max(groups, key=lambda group: group[1], default=("", 0))


def _both(parts: Reply) -> str:
    return f"{parts.thought or ''}\n{parts.reply}"


def other_script(seen: Seen) -> bool:
    """Letters of a script that the question does not use."""
    letters = Counter(script(c) for c in seen.text if c.isalpha())
    known = {script(c) for c in seen.question if c.isalpha()}
    total = sum(letters.values())
    return bool(known) and sum(n for name, n in letters.items() if name not in known) > OTHER_SHARE * total


@lru_cache(maxsize=4096)
def script(letter: str) -> str:
    """LATIN, CYRILLIC or CJK, by the letter's Unicode name."""
    return "LATIN" if letter < "\u0250" else unicodedata.name(letter, "?").partition(" ")[0]


def no_reasoning(seen: Seen) -> bool:
    """A short reply without thought or equation."""
    if seen.kind is Kind.OPEN or seen.parts.thought or len(WORD.findall(seen.text)) >= SHORT:
        return False
    return not equations(seen.text)


def box_on_chat(seen: Seen) -> bool:
    """A boxed answer in conversation."""
    return seen.kind is Kind.OPEN and any(True for _ in boxes(seen.text))


def think_on_chat(seen: Seen) -> bool:
    """A think block with something in it in conversation."""
    return seen.kind is Kind.OPEN and bool(seen.parts.thought)


def two_answers(seen: Seen) -> bool:
    """Two different answers are declared, or joined by "or"."""
    if seen.kind is Kind.OPEN:
        return False
    found = find(seen.parts.reply, seen.kind)
    if found is None:
        return False
    last = value(found.text, seen.kind)
    if last is None or last.shape == "several":
        return last is not None
    others = (value(f.text, seen.kind) for f in declared(until_next_question(seen.parts.reply), seen.kind))
    return any(v is not None and not alike(v, last) and not alike(last, v) for v in others)


FLAGS: dict[str, Callable[[Seen], bool]] = {
    "slip": slip,
    "mismatch": mismatch,
    "unclosed_thought": unclosed_thought,
    "several_boxes": several_boxes,
    "rederives": rederives,
    "repeats": repeats,
    "other_script": other_script,
    "no_reasoning": no_reasoning,
    "box_on_chat": box_on_chat,
    "think_on_chat": think_on_chat,
    "two_answers": two_answers,
}
