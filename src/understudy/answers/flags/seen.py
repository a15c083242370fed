"""One sample as the flags look at it, with what several of them need."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from understudy.answers.equation import Equation
from understudy.answers.judge import Judgement
from understudy.answers.split import Reply
from understudy.records import Kind


class Origin(Protocol):
    """What knows where a text comes from: `train.TrainIndex`."""

    def repeated(self, text: str, question: str) -> object | None:
        """The training row that the text repeats and the question does not ask about."""


class Seen(NamedTuple):
    """One sample, with what is known of it."""

    text: str
    """Thought and reply, with the marks around them."""
    question: str
    kind: Kind
    parts: Reply
    judged: Judgement
    equations: Sequence[Equation]
    """Of the text."""
    slips: list[Equation]
    """The false ones."""
    plain: str
    """Thought and reply without the marks."""
    words: list[str]
    """What stands between the blanks of `plain`."""
    bytes: bytes
    """The text as UTF-8: translating and splitting bytes takes a third of the time of a pattern."""
    train: Origin | None


def whole(text: str, thought: str | None) -> str:
    """One sample in one text, the server's thought first."""
    return f"{thought}\n{text}" if thought else text
