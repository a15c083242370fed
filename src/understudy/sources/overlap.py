"""Which problems share their question with a test: found once, where problems come from, and never learned from."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from understudy.records import Problem, Rejected, Split
from understudy.sources.columns import normalised

BOILERPLATE = 10
"""Words that stand in more test questions than this (variants of one count once) are a phrase, not a leak."""
WORD = re.compile(r"\w+")
MARKS = re.compile(r"(?<!\w)[\"'(]+|[\"').,;:!?]+(?!\w)")
"""Punctuation around words; signs and points within numbers stay."""


def marked(load: Callable[[], Iterable[Problem | Rejected]], words: int | None) -> Iterator[Problem | Rejected]:
    """The rows of `load()`; a problem outside the tests that overlaps with one of them says so.

    Two passes: the first collects the test questions, the second marks. Only the index of the tests is held. With
    `words` None nothing is looked for, in one pass.
    """
    if words is None:
        yield from load()
        return
    tests = Tests((row for row in load() if isinstance(row, Problem) and row.split is Split.TEST), words)
    for row in load():
        if isinstance(row, Problem) and row.split is not Split.TEST:
            row = msgspec.structs.replace(row, overlap=tests.leak(row))
        yield row


class Asked(NamedTuple):
    """A test question."""

    id: str
    options: frozenset[str]


class Tests:
    """The questions of the tests, by their text and by every run of `overlap` words in them.

    Short questions are compared as a whole: of eight shared words in two questions of less than thirteen, the others
    make the difference ("Where is a good place to put a ...?").
    """

    def __init__(self, tests: Iterable[Problem], overlap: int) -> None:
        self.overlap = overlap
        self.asked: defaultdict[str, list[Asked]] = defaultdict(list)
        self.runs: dict[int, str] = {}
        """Hash of a run to the first test that holds it."""
        origin: dict[str, str] = {}
        others: defaultdict[int, set[str]] = defaultdict(set)  # origins that hold a run beside the first
        for problem in tests:
            self.asked[_plain(problem.question)].append(Asked(problem.id, _options(problem)))
            origin[problem.id] = problem.parent or problem.id
            for _, run in _runs(problem.question, overlap):
                first = self.runs.setdefault(run, problem.id)
                if origin[first] != origin[problem.id]:
                    others[run].add(origin[problem.id])
        for run, found in others.items():
            if len(found) >= BOILERPLATE:
                del self.runs[run]

    def leak(self, problem: Problem) -> str | None:
        """What the problem's question has in common with one of the tests."""
        mine = _options(problem)
        for test in self.asked.get(_plain(problem.question), ()):
            # "Which of these is true?" is another question with other options.
            if not mine or not test.options or not mine.isdisjoint(test.options):
                return f"same question as {test.id}"
        return self._shared(problem.question)

    def _shared(self, question: str) -> str | None:
        """The longest stretch of runs that one test holds, from the first on."""
        found = [(at, self.runs[run]) for at, run in _runs(question, self.overlap) if run in self.runs]
        if not found:
            return None
        start, test = found[0]
        places = {at for at, holder in found if holder == test}
        end = next(at for at in range(start, start + len(places) + 1) if at not in places) - 1
        words = WORD.findall(normalised(question))[start : end + self.overlap]
        return f"{len(words)} words as in {test}: '{' '.join(words)}'"


def _plain(question: str) -> str:
    return " ".join(MARKS.sub(" ", normalised(question)).split())


def _options(problem: Problem) -> frozenset[str]:
    return frozenset(normalised(option.text) for option in problem.choices)


def _runs(question: str, length: int) -> Iterator[tuple[int, int]]:
    """Place and hash of every run of so many words."""
    words = WORD.findall(normalised(question))
    for at in range(len(words) - length + 1):
        yield at, hash(" ".join(words[at : at + length]))
