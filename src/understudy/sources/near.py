"""Near-duplicates: texts that share most of their runs of five words, found among millions in bounded memory."""

import hashlib
import math
import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice, pairwise
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

from understudy.records import Problem
from understudy.sources.columns import normalised

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

RUN = 5
"""Words of a run."""
OVERLOOKED = 0.006
"""Share of the pairs exactly at the threshold whose signatures do not meet; of those above it far fewer."""
ROOM = 4
"""Texts remembered under one tag: what begins thousands of texts must not make each be compared with thousands."""
FILLED = 0.6
"""Share of the index that may be in use before it grows."""
COMPARED = 32
"""Texts that one is compared with at most, those with most tags in common first."""
BATCH = 1 << 18
"""Characters worked on at once: what is made of them is to fit into the processor's cache."""
AT_ONCE = 4096
"""Texts read ahead."""
IN_MEMORY = 1 << 26
"""Bytes of runs held in memory; then they move to a temporary file."""
NUMBER_BITS = np.uint64(28)
"""Of the 64 bits of a slot, those of a text's number (268 million); the others are a tag."""
NUMBER = np.uint64((1 << 28) - 1)
PAIRS = 1 << 12
"""Pairs compared at once, at most 65,536."""
FULL = np.uint64(1 << 35)
"""Set in every tag: no slot that holds one is 0."""


class Twin(NamedTuple):
    """An earlier text that is nearly the same."""

    key: str
    jaccard: float
    """Runs of five words in both, of those in either; 0 to 1."""


class Near:
    """The texts met so far without their near-duplicates, each of which names the earlier text that it repeats.

    Two texts are near-duplicates if the Jaccard index of their sets of runs of five words is `threshold` or more.
    Words are what stands between spaces; spacing, case and Unicode forms do not matter; a text of fewer than five
    words is one run. MinHash signatures in bands name the candidates (Broder 1997; Leskovec, Rajaraman, Ullman:
    Mining of Massive Datasets, chapter 3), and each is then compared exactly: no partner is false, and of the pairs
    at the threshold itself one in a hundred is overlooked. The same texts in the same order give the same result.

    Only texts of one group are compared. The group of a trace is its problem: there a teacher repeats itself, and a
    second copy teaches nothing, while the same few words under another question ("5 - 3 = 2. The answer is 2.") are
    another example, and a loss if dropped. Across problems a text has to hold its question: compare questions alone,
    whole conversations, or question and trace together, without groups. (`same_questions` finds problems that ask
    nearly the same, whose traces may then be one group.)

    A text costs some 300 bytes of memory and eight bytes a word, which beyond 64 MiB are on disk.
    """

    def __init__(self, threshold: float = 0.8) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold: {threshold} is no share. Give more than 0 and at most 1.")
        self.threshold = threshold
        self._bands = _bands(threshold)
        self._salts, self._weights = _odd(len(self._bands), "band"), _odd(self._bands.shape[1], "row")
        self._index = _Index()
        self._shelf = _Shelf()

    def add(self, key: str, text: str, group: str = "") -> Twin | None:
        """The earlier text that this one nearly repeats; None = there is none, and this one is remembered."""
        return self.add_all([key], [text], [group])[0]

    def add_all(
        self, keys: Sequence[str], texts: Sequence[str], groups: Sequence[str] | None = None
    ) -> list[Twin | None]:
        """What `add` says of one after the other. Thousands in a call take a fiftieth of the time of single ones."""
        found: list[Twin | None] = []
        for start, end in _batches(texts):
            found += self._add(keys[start:end], texts[start:end], groups[start:end] if groups is not None else None)
        return found

    def _add(self, keys: Sequence[str], texts: Sequence[str], groups: Sequence[str] | None) -> list[Twin | None]:
        runs, starts = _runs(texts, groups)
        sizes = np.diff(starts, append=len(runs))
        parts = [runs[start:end] for start, end in pairwise([*starts.tolist(), len(runs)])]
        tags, first = self._tags(runs, starts), len(self._shelf)
        columns, numbers = _ranked(np.concatenate((self._index.find(tags), _alike(tags, first))))
        old = {number: self._shelf.runs(number) for number in set(numbers) if number < first}
        others = [old[number] if number < first else parts[number - first] for number in numbers]
        jaccards = _jaccards([parts[column] for column in columns], others)
        found: list[Twin | None] = [None] * len(texts)
        for column, number, jaccard in zip(columns, numbers, jaccards, strict=True):
            gone = number >= first and found[number - first] is not None
            if jaccard >= self.threshold and found[column] is None and not gone:
                found[column] = Twin(self._shelf.keys[number] if number < first else keys[number - first], jaccard)
        kept = np.array([twin is None for twin in found])
        self._index.put(tags[:, kept], first + np.flatnonzero(kept))
        self._shelf.put(keys, runs, sizes, kept)
        return found

    def _tags(self, runs: Hashes, starts: Places) -> Hashes:
        """(bands, texts) A hash of each text's signature in each band; near texts have at least one in common."""
        high = (runs >> np.uint64(32)).astype(np.uint32)
        tags = np.empty((len(self._bands), len(starts)), np.uint64)
        for band, multipliers in enumerate(self._bands):
            signature = np.minimum.reduceat(np.multiply.outer(multipliers, high), starts, axis=1)
            tags[band] = (signature * self._weights[:, None]).sum(axis=0) + self._salts[band]
        return _mixed(tags) >> NUMBER_BITS | FULL


def near_duplicates(texts: Iterable[tuple[str, str]], threshold: float = 0.8) -> Iterator[tuple[str, str, float]]:
    """Key, key of the earlier text that it nearly repeats, and their Jaccard index, of each text that has one.

    `texts` are pairs of key and text, read once.
    """
    near, rows = Near(threshold), iter(texts)
    while some := list(islice(rows, AT_ONCE)):
        keys = [key for key, _ in some]
        twins = near.add_all(keys, [text for _, text in some])
        yield from ((key, twin.key, twin.jaccard) for key, twin in zip(keys, twins, strict=True) if twin is not None)


def same_questions(problems: Iterable[Problem], threshold: float = 0.8) -> dict[str, str]:
    """A problem's id to that of the first one that asks nearly the same, options included; the others are not in it."""
    asked = ((p.id, "\n".join((p.question, *(option.text for option in p.choices)))) for p in problems)
    return {key: twin for key, twin, _ in near_duplicates(asked, threshold)}


# --- from texts to runs -----------------------------------------------------------------------------------------------


def _batches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where batches of about BATCH characters start and end."""
    batch = np.cumsum([*map(len, texts)]) // BATCH
    cuts = (np.flatnonzero(np.diff(batch)) + 1).tolist()
    return pairwise([0, *cuts, len(texts)]) if texts else iter(())


def _runs(texts: Sequence[str], groups: Sequence[str] | None) -> tuple[Hashes, Places]:
    """Hashes of the runs of all texts one after the other, and where each text's begin; the group is part of them."""
    words, firsts, counts = _words(texts)
    valid = np.ones(len(words), bool)
    for back in range(1, RUN):  # no run goes on into the next text
        valid[(firsts + counts - back)[counts >= back]] = False
    spread = _odd(RUN, "run")
    n = max(len(words) - RUN + 1, 0)
    running = sum((words[k : k + n] * spread[k] for k in range(1, RUN)), words[:n] * spread[0])
    short = counts < RUN
    starts = np.concatenate(([0], np.cumsum(np.where(short, 1, counts - RUN + 1))[:-1]))
    runs = np.empty(starts[-1] + max(int(counts[-1]) - RUN + 1, 1), np.uint64)
    place = np.ones(len(runs), bool)
    place[starts[short]] = False
    runs[place] = running[valid[:n]]
    runs[starts[short]] = _whole(words, firsts[short], counts[short], spread)
    if groups is not None:
        runs += np.repeat(_salts(groups), np.diff(starts, append=len(runs)))
    return _mixed(runs), starts


def _words(texts: Sequence[str]) -> tuple[Hashes, Places, Places]:
    """Hashes of the words of all texts one after the other; the first word of each text, and its number of words.

    The hash of a word is a polynomial in its bytes: the difference of two partial sums over all bytes, which is
    shifted back by the power that the word began with.
    """
    body = "\n".join(["", *texts, ""])
    if body.isascii():
        body, sizes = body.lower(), [*map(len, texts)]
    else:
        plain = [text.lower() if text.isascii() else normalised(text) for text in texts]
        body, sizes = "\n".join(["", *plain, ""]), [len(text.encode("utf-8", "surrogatepass")) for text in plain]
    letters = np.frombuffer(body.encode("utf-8", "surrogatepass"), np.uint8)
    space = letters <= ord(" ")
    edges = np.flatnonzero(space[1:] != space[:-1])  # the last space before each word, the last letter of it, …
    before, last = edges[::2], edges[1::2]
    up, down = _powers(1 << len(letters).bit_length())
    sums = np.take(_odd(256, "letter"), letters)
    sums *= up[: len(sums)]
    np.cumsum(sums, out=sums)
    words = _mixed((sums[last] - sums[before]) * down[before])
    firsts = np.searchsorted(before, np.cumsum([0, *sizes[:-1]]) + np.arange(len(texts)))
    return words, firsts, np.diff(firsts, append=len(words))


def _whole(words: Hashes, firsts: Places, counts: Places, spread: Hashes) -> Hashes:
    """Hashes of texts that are shorter than a run."""
    hashes = counts.astype(np.uint64)  # two words are not the first two of three
    for k in range(RUN - 1):
        has = counts > k
        hashes[has] += words[firsts[has] + k] * spread[k]
    return hashes


def _salts(groups: Sequence[str]) -> Hashes:
    salt = {group: _digest(group) if group else 0 for group in set(groups)}
    return np.array([salt[group] for group in groups], np.uint64)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


# --- hashing ----------------------------------------------------------------------------------------------------------


@cache
def _odd(n: int, what: str) -> Hashes:
    """So many odd numbers of 64 bits, the same in every process."""
    numbers = np.array([_digest(f"{what}/{i}") | 1 for i in range(n)], np.uint64)
    numbers.setflags(write=False)
    return numbers


def _mixed(hashes: Hashes) -> Hashes:
    """One to one, so that every bit depends on all others (the finalizer of MurmurHash3)."""
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(33))


@lru_cache(maxsize=2)
def _powers(n: int) -> tuple[Hashes, Hashes]:
    """The first powers of an odd number, and of its inverse, modulo 2^64."""
    base = 0x9E3779B97F4A7C15
    found = []
    for factor in (base, pow(base, -1, 1 << 64)):
        powers = np.full(n, factor, np.uint64)
        powers[0] = 1
        found.append(np.multiply.accumulate(powers))
    return found[0], found[1]


def _bands(threshold: float) -> npt.NDArray[np.uint32]:
    """(bands, rows) Multipliers: under each, the least run of a text is a row of its signature.

    A pair at the threshold agrees in all rows of a band in two bands of five, and there are as many bands as it takes
    for all but `OVERLOOKED` of such pairs to agree in one. At 0.8: 10 bands of 4 rows.
    """
    rows = min(max(round(math.log(0.4) / math.log(threshold)), 1), 10) if threshold < 1 else 10
    agree = threshold**rows
    bands = math.ceil(math.log(OVERLOOKED) / math.log(1 - agree)) if agree < 1 else 1
    return (_odd(bands * rows, "signature") >> np.uint64(32) | np.uint64(1)).astype(np.uint32).reshape(bands, rows)


# --- what is remembered -----------------------------------------------------------------------------------------------


class _Index:
    """Tags to the numbers of the texts that have them: a hash table of buckets with room for a few each.

    What finds its bucket full is not entered: a few tags in a hundred, and of the tags that thousands of texts share
    all but the first.
    """

    def __init__(self) -> None:
        self._slots = np.zeros(ROOM << 14, np.uint64)
        """Tag and number in one word, bucket after bucket; 0 = free."""
        self._used = 0

    def find(self, tags: Hashes) -> Places:
        """(pairs, 2) Column of `tags` and number of a text that has one of its tags."""
        homes, pairs = self._homes(tags), []
        for place in range(ROOM):
            words = np.take(self._slots, homes + place)
            same = np.nonzero(words >> NUMBER_BITS == tags)
            pairs.append(np.stack((same[1], (words[same] & NUMBER).astype(np.int64)), axis=1))
        return np.concatenate(pairs)

    def put(self, tags: Hashes, numbers: Places) -> None:
        """The texts of these numbers, each with its column of tags."""
        words = (tags << NUMBER_BITS | numbers.astype(np.uint64)).ravel()
        self._used += len(words)
        if self._used > FILLED * len(self._slots):
            first_come = self._slots.reshape(-1, ROOM).T.ravel()
            self._slots = np.zeros(1 << int(self._used / FILLED).bit_length(), np.uint64)
            self._place(first_come[first_come != 0])
        self._place(words)

    def _place(self, words: Hashes) -> None:
        words = words[::-1]  # of several that go for one place the last gets it, and that is to be the first
        homes = self._homes(words >> NUMBER_BITS)
        for place in range(ROOM):
            at = homes + place
            free = np.take(self._slots, at) == 0
            self._slots[at[free]] = words[free]
            left = np.take(self._slots, at) != words
            words, homes = words[left], homes[left]

    def _homes(self, tags: Hashes) -> Places:
        return (tags & np.uint64(len(self._slots) // ROOM - 1)).astype(np.int64) * ROOM


class _Shelf:
    """Key and runs of every text that was kept, by its number; those that were not have a number and nothing else."""

    def __init__(self) -> None:
        self.keys = list[str]()
        self._ends = array("Q", [0])
        self._memory = np.empty(IN_MEMORY // 8, np.uint64)
        """The first of the runs. What is not used of it takes no memory."""
        self._disk: IO[bytes] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def put(self, keys: Sequence[str], runs: Hashes, sizes: Places, kept: npt.NDArray[np.bool_]) -> None:
        """Texts with so many of the runs each."""
        self.keys += (key if keep else "" for key, keep in zip(keys, kept, strict=True))
        start, runs = self._ends[-1], runs[np.repeat(kept, sizes)]
        self._ends.extend((np.cumsum(sizes * kept) + start).tolist())
        fits = runs[: max(len(self._memory) - start, 0)]
        self._memory[start : start + len(fits)] = fits
        if len(fits) < len(runs):
            self._disk = self._disk or tempfile.TemporaryFile()
            self._disk.seek(0, os.SEEK_END)
            self._disk.write(runs[len(fits) :].tobytes())

    def runs(self, number: int) -> Hashes:
        start, end = self._ends[number : number + 2]
        here, beyond = self._memory[start:end], max(start - len(self._memory), 0)
        if self._disk is None or len(here) == end - start:
            return here
        self._disk.seek(beyond * 8)
        rest = self._disk.read((end - start - len(here)) * 8)
        return np.concatenate((here, np.frombuffer(rest, np.uint64)))


def _alike(tags: Hashes, first: int) -> Places:
    """(pairs, 2) Column of `tags` and number of one of the first few of these texts that has one of its tags."""
    words = np.sort((tags << NUMBER_BITS | np.arange(tags.shape[1], dtype=np.uint64)).ravel())
    same = np.diff(words >> NUMBER_BITS, prepend=np.uint64(0)) == 0
    opens = np.maximum.accumulate(np.where(same, 0, np.arange(len(words))))
    columns = (words & NUMBER).astype(np.int64)
    pairs = [np.empty((0, 2), np.int64)]
    for k in range(ROOM):
        later = np.flatnonzero(np.arange(len(words)) > opens + k)
        pairs.append(np.stack((columns[later], columns[opens[later] + k] + first), axis=1))
    return np.concatenate(pairs)


def _ranked(pairs: Places) -> tuple[list[int], list[int]]:
    """Firsts and seconds of the distinct pairs: by the first, and of each those first that are met most often."""
    codes, times = np.unique(pairs[:, 0] << 32 | pairs[:, 1], return_counts=True)
    codes = codes[np.lexsort((codes, -times, codes >> 32))]
    columns = codes >> 32
    rank = np.arange(len(codes)) - np.searchsorted(columns, columns)
    codes = codes[rank < COMPARED]
    return (codes >> 32).tolist(), (codes & 0xFFFFFFFF).tolist()


def _jaccards(ones: Sequence[Hashes], others: Sequence[Hashes]) -> list[float]:
    """The Jaccard index of each one with the other in its place."""
    found: list[float] = []
    for start in range(0, len(ones), PAIRS):
        found += _some_jaccards(ones[start : start + PAIRS], others[start : start + PAIRS])
    return found


def _some_jaccards(ones: Sequence[Hashes], others: Sequence[Hashes]) -> list[float]:
    """All at once: pair, 47 bits of a run and side in one word, so that sorting brings together what is equal."""
    sizes = np.fromiter(map(len, (*ones, *others)), np.int64, 2 * len(ones))
    head = np.tile(np.arange(len(ones), dtype=np.uint64) << 48, 2)
    head[len(ones) :] += np.uint64(1)
    words = np.concatenate((*ones, *others)) >> np.uint64(17) << np.uint64(1) | np.repeat(head, sizes)
    words.sort()
    words = words[np.diff(words, prepend=~words[:1]) != 0]
    twice = words[1:] >> np.uint64(1) == words[:-1] >> np.uint64(1)
    pair = (words >> np.uint64(48)).astype(np.int64)
    both = np.bincount(pair[1:][twice], minlength=len(ones))
    found: list[float] = (both / (np.bincount(pair) - both)).tolist()
    return found
