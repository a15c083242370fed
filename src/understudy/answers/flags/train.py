"""Training rows by the hashes of their word runs: tells a reply that repeats one from a reply to its own question."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RUN = 8
"""Words."""
ENOUGH = 12
"""Runs in common that no two texts have by chance: one to five are common among solutions in one style."""
SHARE = 0.25
"""Of the runs of a short text, that are enough, if they are so many:"""
FEW = 4
ASKED = 2
"""Runs that the question shares with a row it is about."""
PHRASE = 3
"""A run that stands in more rows than this is a phrase, and says nothing about any of them."""
ROWS = 10_000
"""Hashed at a time."""
NOTE = re.compile(r"<<[^<>\n]{1,300}>>")
WORD = re.compile(r"\w+")
BASE = 0x9E3779B97F4A7C15


class Repeat(NamedTuple):
    """A training row that a text repeats."""

    row: str
    """Its id."""
    runs: int
    """Runs of `RUN` words that both hold."""


class TrainIndex:
    """The word runs of training rows, 12 bytes each, whatever their number.

    Rows are (id, text) pairs; texts of one id are one row, so that a problem with all of its traces is told as one.
    Above `most` runs, only those are kept whose hash ends in so many zero bits that they fit: a row is then found by
    some of its runs, and a short repeat may be missed.
    """

    def __init__(self, rows: Iterable[tuple[str, str]], most: int = 8_000_000) -> None:
        self.ids: list[str] = []
        self.zeros = 0
        """Bits at the end of every hash that is kept."""
        numbers: dict[str, int] = {}
        hashes, owners = np.empty(0, np.uint64), np.empty(0, np.uint32)
        for chunk in _chunks(rows):
            found = [self._kept(runs(text)) for _, text in chunk]
            whose = [numbers.setdefault(id, len(numbers)) for id, _ in chunk]
            more = np.repeat(np.array(whose, np.uint32), [len(f) for f in found])
            hashes, owners = _merged(hashes, owners, np.concatenate(found), more)
            while len(hashes) > most:
                self.zeros += 1
                left = self._ends(hashes)
                hashes, owners = hashes[left], owners[left]
        self.ids.extend(numbers)
        times = np.unique(hashes, return_counts=True)[1]
        rare = np.repeat(times <= PHRASE, times)
        self.hashes, self.owners = hashes[rare], owners[rare]

    def repeated(self, text: str, question: str) -> Repeat | None:
        """The row that the text repeats and the question does not ask about; None if there is none."""
        mine = np.unique(self._kept(runs(text)))
        enough = min(max(2, ENOUGH >> self.zeros), max(FEW, SHARE * len(mine)))
        found = [(row, times) for row, times in Counter(self._owners(mine)).items() if times >= enough]
        if not found:
            return None
        asked = Counter(self._owners(np.unique(self._kept(runs(question)))))
        row, times = max(((r, n) for r, n in found if asked[r] < ASKED), key=lambda p: p[1], default=(0, 0))
        return Repeat(self.ids[row], times) if times else None

    def _ends(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of them end in so many zeros."""
        ends: NDArray[np.bool_] = hashes & np.uint64((1 << self.zeros) - 1) == 0
        return ends

    def _kept(self, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return hashes[self._ends(hashes)] if self.zeros else hashes

    def _owners(self, mine: NDArray[np.uint64]) -> Iterator[int]:
        """A row for every run that it holds."""
        low, high = np.searchsorted(self.hashes, mine, "left"), np.searchsorted(self.hashes, mine, "right")
        for i in np.flatnonzero(high > low):
            yield from self.owners[low[i] : high[i]].tolist()


def runs(text: str) -> NDArray[np.uint64]:
    """A hash for every run of `RUN` words, whatever the case, marks and calculator notes between them."""
    words = WORD.findall(NOTE.sub(" ", text).casefold())
    count = len(words) - RUN + 1
    if count < 1:
        return np.empty(0, np.uint64)
    hashes = np.fromiter(map(hashed, words), np.uint64, len(words))
    total = np.zeros(count, np.uint64)
    for i in range(RUN):
        total = total * np.uint64(BASE) + hashes[i : i + count]
    return total


@lru_cache(maxsize=1 << 16)
def hashed(word: str) -> int:
    """Eight bytes, the same in every process."""
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest())


def _chunks(rows: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    rows = iter(rows)
    while chunk := list(islice(rows, ROWS)):
        yield chunk


def _merged(
    hashes: NDArray[np.uint64], owners: NDArray[np.uint32], more: NDArray[np.uint64], theirs: NDArray[np.uint32]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Both, sorted by hash and row, each pair once."""
    hashes, owners = np.concatenate([hashes, more]), np.concatenate([owners, theirs])
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    new = np.ones(len(hashes), np.bool_)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return hashes[new], owners[new]
