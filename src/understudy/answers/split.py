"""Thought and reply: what stands between thinking tags, and what is left to be graded."""

import re
from typing import NamedTuple


class Reply(NamedTuple):
    """One reply in its two parts."""

    thought: str | None
    """None where no thinking was marked; "" where the block is empty."""
    reply: str
    unfinished: bool
    """A thought was opened and never closed."""


# A tag in backticks is talk about tags.
TAG = re.compile(
    r"(?<!`)(?:<(?P<shut>/?)(?:think|thinking|reasoning|thought)\s*>|\[(?P<shut2>/?)THINK\]"
    r"|<\|(?:begin|(?P<shut3>end))_of_thought\|>)",
    re.IGNORECASE,
)
SOLUTION = re.compile(r"<\|(?:begin|end)_of_solution\|>")
END_OF_TURN = re.compile(r"<\|(?:im_end|endoftext|eot_id|end|return)\|>|</s>|<\uff5cend\u2581of\u2581sentence\uff5c>")


def split(text: str, thought: str | None = None) -> Reply:
    """The thought and the reply of one sample; `thought` is the server's separate field, where it has one.

    >>> split("<think>12 + 6 = 18</think>The answer is 18.")
    Reply(thought='12 + 6 = 18', reply='The answer is 18.', unfinished=False)
    """
    thoughts, replies, unfinished = parts(text)
    if thought is not None:
        thoughts = [thought.strip(), *thoughts]
    reply = SOLUTION.sub("", "\n".join(replies))
    return Reply("\n".join(t for t in thoughts if t) if thoughts else None, end_of_turn(reply).strip(), unfinished)


def parts(text: str) -> tuple[list[str], list[str], bool]:
    """Pieces inside and outside the tags, in order, and whether the text ends inside."""
    thoughts: list[str] = []
    replies: list[str] = []
    inside, at, seen = False, 0, False
    for tag in TAG.finditer(text):
        piece, shuts = text[at : tag.start()].strip(), any(tag.group("shut", "shut2", "shut3"))
        at = tag.end()
        if not shuts:
            (thoughts if inside else replies).append(piece)
            inside = True
        elif inside:
            thoughts.append(piece)
            inside = False
        elif not seen or text[at:].strip():  # the template opened it, or it closes a nested one
            thoughts = [t for t in (*thoughts, *replies, piece) if t]
            replies = []
        else:
            replies.append(piece)  # a stray closing tag after the reply
        seen = True
    (thoughts if inside else replies).append(text[at:].strip())
    return (thoughts if seen else []), [r for r in replies if r], inside


def end_of_turn(reply: str) -> str:
    """The reply up to the mark that ends it."""
    mark = END_OF_TURN.search(reply)
    return reply[: mark.start()] if mark else reply
