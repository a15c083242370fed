"""Recorded traces as a teacher's samples: what was paid for once is not asked for again."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from understudy.engines.base import Sampled, Wanted, always, cut
from understudy.errors import SourceError
from understudy.records import Prompt, Sample, Sampling, Stop
from understudy.sources.columns import normalised
from understudy.sources.conversations import NotTalk, Turn, turns
from understudy.sources.files import get, tables

QUESTIONS = ("question", "problem")
ELSE = ("prompt", "instruction", "query")
"""Columns of questions where the row is no conversation."""
TEXTS = (
    "meta.raw_output", "raw_output", "generations", "generation", "responses", "response", "completion", "output",
    "solution",
)  # fmt: skip
"""Columns of whole replies, the most verbatim first; a list holds several samples."""
REASONINGS = ("reasoning", "rationale", "thinking")
ANSWERS = ("meta.teacher_label", "teacher_label", "teacher_answer", "answer")
FINISHES = ("finish_reasons", "finish_reason")
GRADES = ("is_correct", "correct")
"""Beside one of these, `answer` is the gold answer, and not the teacher's."""

SAID = re.compile(r"answer is|answer:|\\boxed|####|</answer>", re.IGNORECASE)
LEAD = re.compile(r"^(question|problem|q)\s*:\s*")
LONG = 100
"""Characters: a longer "answer" is the whole reply, and its rationale is the thought."""
PIECES = 24
"""Most lines of a message of which every run is looked up."""


class Recorded(NamedTuple):
    """The traces of one row."""

    question: str
    samples: tuple[Sample, ...]
    choices: tuple[str, ...] = ()


class Replay:
    """Samples out of a file, folder or Hub set of recorded traces.

    Read are open-r1's columns (problem, generations, finish_reasons), conversations in any layout, question with a
    whole reply, and question with reasoning and answer; or the columns that are named. A trace belongs to a prompt
    whose last message holds its question, as a whole or as whole lines. Several of one question are samples 0, 1, …;
    of a question without any, sample 0 is a failed call. The text is verbatim up to the first stop string.
    """

    def __init__(
        self,
        path: str,
        question: str | None = None,
        text: str | None = None,
        answer: str | None = None,
        teacher: str | None = None,
        stop: tuple[str, ...] = ("\n\nQ:",),
        name: str = "replay",
    ) -> None:
        self.path = path
        self.name = teacher or name
        self._columns = Columns(question, text, answer)
        self._stop = stop
        self._tables = tables(path, setting="teacher.path")
        self._known: frozenset[int] | None = None

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        """The recorded samples, in the order of the file: at most n of each prompt, fewer where fewer are recorded.

        Raises:
            SourceError: the file has no traces that can be read.
        """
        asked = self._asked(prompts)
        met: Counter[int] = Counter()
        for recorded in self._rows():
            for index in _meant(recorded, asked.get(_key(recorded.question), ()), prompts):
                for sample in recorded.samples:
                    if met[index] < sampling.n and wanted(index, met[index]):
                        yield Sampled(index, met[index], cut(sample, self._stop + sampling.stop))
                    met[index] += 1
        for index in range(len(prompts)):
            if not met[index] and wanted(index, 0):
                yield Sampled(index, 0, Sample(text="", stop=Stop.ERROR, error="no recorded trace for this question"))

    def close(self) -> None:
        """Nothing is held."""

    def _asked(self, prompts: Sequence[Prompt]) -> Mapping[int, Sequence[int]]:
        """Key of a recorded question to the prompts that ask it."""
        if self._known is None:  # eight bytes a question: the traces themselves are never all in memory
            self._known = frozenset(_key(recorded.question) for recorded in self._rows())
            if not self._known:
                raise self._unreadable()
        asked: dict[int, list[int]] = defaultdict(list)
        for index, prompt in enumerate(prompts):
            key = next((key for key in _keys(prompt) if key in self._known), None)
            if key is not None:
                asked[key].append(index)
        return asked

    def _rows(self) -> Iterator[Recorded]:
        for table in self._tables:
            for row in table.rows():
                if row.data is not None and (recorded := self._columns.read(row.data)):
                    yield recorded

    def _unreadable(self) -> SourceError:
        seen = dict.fromkeys(c for table in self._tables for row in table.rows() if row.data for c in row.data)
        return SourceError(
            f"{self.path}: no row holds a question and a trace. Columns: {', '.join(seen) or 'none'}. "
            "Set teacher.question and teacher.text"
        )


class Columns(NamedTuple):
    """The columns that were named; None = found by their usual names."""

    question: str | None
    text: str | None
    answer: str | None

    def read(self, data: dict[str, object]) -> Recorded | None:
        """The traces of a row; None if it holds none."""
        samples = self._samples(data)
        question = get(data, self.question) if self.question else _question(data)
        if not isinstance(question, str) or not question.strip() or not samples:
            return None
        return Recorded(question, samples, _choices(data))

    def _samples(self, data: dict[str, object]) -> tuple[Sample, ...]:
        if self.text:
            return self._replies(data, get(data, self.text))
        several = get(data, "generations")
        talk = None if several else _talk(data)
        if talk:
            return (self._ended(data, Sample(text=talk[1].content, thought=talk[1].thought)),)
        return self._replies(data, _first(data, TEXTS)) or self._reasoned(data)

    def _replies(self, data: dict[str, object], texts: object) -> tuple[Sample, ...]:
        """One sample of a text, several of a list of them."""
        found = texts if isinstance(texts, list) else [texts]
        reasons = _first(data, FINISHES)
        ends = reasons if isinstance(reasons, list) else [reasons]
        pairs = zip(found, (*ends, *[None] * len(found)), strict=False)
        return tuple(
            self._ended(data, Sample(text=text, stop=Stop.LENGTH if end == "length" else Stop.END))
            for text, end in pairs
            if isinstance(text, str)
        )

    def _reasoned(self, data: dict[str, object]) -> tuple[Sample, ...]:
        """Reasoning and the teacher's answer, kept in two columns."""
        reasoning = _first(data, REASONINGS)
        if not isinstance(reasoning, str):
            return ()
        names = ANSWERS[:-1] if any(grade in data for grade in GRADES) else ANSWERS
        answer = get(data, self.answer) if self.answer else _first(data, names)
        if isinstance(answer, str) and len(answer) > LONG:
            return (Sample(text=answer, thought=reasoning),)
        return (Sample(text=_answered(reasoning, answer)),)

    def _ended(self, data: dict[str, object], sample: Sample) -> Sample:
        """With the teacher's answer added, where its column was named."""
        if not self.answer or sample.stop is Stop.LENGTH:
            return sample
        return Sample(text=_answered(sample.text, get(data, self.answer)), thought=sample.thought, stop=sample.stop)


def _answered(text: str, answer: object) -> str:
    """The text, and the answer if the text does not end in one of its own."""
    if answer is None or answer == "" or SAID.search(text[-200:]):
        return text
    return f"{text.rstrip()} The answer is {answer}."


def _talk(data: dict[str, object]) -> tuple[str, Turn] | None:
    """The last question and its reply, where the row is a conversation."""
    if not any(column in data for column in ("messages", "conversations", "completion", "output", "response")):
        return None
    try:
        said = turns(data) or []
    except NotTalk:
        return None
    asked = next((turn.content for turn in reversed(said[:-1]) if turn.role == "user"), None)
    return (asked, said[-1]) if asked and said[-1].role == "assistant" else None


def _question(data: dict[str, object]) -> object:
    asked = _first(data, QUESTIONS)
    if isinstance(asked, str):
        return asked
    talk = _talk(data)
    return talk[0] if talk else _first(data, ELSE)


def _choices(data: dict[str, object]) -> tuple[str, ...]:
    found = data.get("choices")
    texts = (
        [option.get("text") if isinstance(option, dict) else option for option in found]
        if isinstance(found, list)
        else []
    )
    return tuple(normalised(text) for text in texts if isinstance(text, str))


def _first(data: dict[str, object], names: Sequence[str]) -> object:
    return next((value for name in names if (value := get(data, name)) is not None), None)


# --- which prompt a question belongs to -------------------------------------------------------------------------------


def _key(question: str) -> int:
    """Eight bytes for a question, whatever its spacing and case."""
    text = LEAD.sub("", normalised(question))
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())


def _asked_in(prompt: Prompt) -> str:
    return next((message.content for message in reversed(prompt.messages) if message.role == "user"), "")


def _keys(prompt: Prompt) -> Iterator[int]:
    """Keys of all runs of whole lines of the last question, the best guess first: the latest, of these the longest.

    A question among instructions is found so, and one that is merely the beginning of another is not.
    """
    text = _asked_in(prompt)
    yield _key(text)
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > PIECES:
        lines = [part for part in text.split("\n\n") if part.strip()][-PIECES:]
    for end in range(len(lines), 0, -1):
        for start in range(end):
            yield _key("\n".join(lines[start:end]))


def _meant(recorded: Recorded, indices: Sequence[int], prompts: Sequence[Prompt]) -> Sequence[int]:
    """Of the prompts with this question those with these choices, if that tells them apart."""
    if len(indices) < 2 or not recorded.choices:
        return indices
    same = [i for i in indices if all(choice in normalised(_asked_in(prompts[i])) for choice in recorded.choices)]
    return same or indices
