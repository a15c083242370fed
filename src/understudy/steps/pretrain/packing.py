"""Documents into sequences of one length, drawn from several texts, with a place to come back to after each."""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from understudy.sources.texts import Document, Documents, Place

AT_ONCE = 64
"""Documents that the tokenizer is given together: it works on them side by side."""

Encode = Callable[[list[str]], list[list[int]]]
"""Texts to token ids, each with the token that ends it."""


class Packed(NamedTuple):
    """One sequence."""

    ids: list[int]
    """[length]"""
    starts: list[int]
    """Where in it a document begins, or goes on from the sequence before; 0 is the first."""


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """How far a text has been packed."""

    place: Place = Place()
    """Of the document that comes next, or is under way."""
    done: int = 0
    """Tokens of it that are packed already."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stream has come."""

    sequences: int = 0
    learned: int = 0
    """Tokens the loss fell on."""
    texts: dict[str, Spot] = {}
    credit: dict[str, float] = {}
    """Sequences that each text is owed by its share."""


class Packer:
    """The sequences of one text, without an end."""

    def __init__(self, documents: Documents, encode: Encode, length: int, spot: Spot) -> None:
        self.spot = spot
        self._length = length
        self._tokens = self._encoded(documents, encode, spot.place)
        self._document, self._ids = next(self._tokens)
        self._done = min(spot.done, len(self._ids))

    def sequence(self) -> Packed:
        """The next one."""
        ids: list[int] = []
        starts: list[int] = []
        while len(ids) < self._length:
            piece = self._ids[self._done : self._done + self._length - len(ids)]
            if piece:
                starts.append(len(ids))
                ids += piece
                self._done += len(piece)
            if self._done == len(self._ids):
                self._document, self._ids = next(self._tokens)
                self._done = 0
        self.spot = Spot(place=self._document.place, done=self._done)
        return Packed(ids, starts)

    @staticmethod
    def _encoded(documents: Documents, encode: Encode, place: Place) -> Iterator[tuple[Document, list[int]]]:
        for block in documents.after(place):
            for at in range(0, len(block), AT_ONCE):
                some = block[at : at + AT_ONCE]
                yield from zip(some, encode([d.text for d in some]), strict=True)


class Stream:
    """Sequences of several texts, each as often as its share says: whichever is owed most comes next.

    `shares` gives the shares of a sequence by its number, so that they may change on the way.
    """

    def __init__(
        self,
        texts: Mapping[str, Documents],
        shares: Callable[[int], Mapping[str, float]],
        encode: Encode,
        length: int,
        apart: bool,
        mark: Mark,
    ) -> None:
        self._texts, self._shares, self._encode, self._length, self._apart = texts, shares, encode, length, apart
        self._packers: dict[str, Packer] = {}
        self.mark = mark

    def __iter__(self) -> Iterator[tuple[Packed, Mark]]:
        """Sequences from the mark on, each with the mark after it."""
        mark = self.mark
        spots, credit, learned = dict(mark.texts), dict(mark.credit), mark.learned
        number = mark.sequences
        while True:
            for name, share in self._shares(number).items():
                credit[name] = credit.get(name, 0.0) + share
            name = max(credit, key=lambda n: (credit[n], n))
            credit[name] -= 1
            packed = self._packer(name, spots).sequence()
            spots[name] = self._packers[name].spot
            number += 1
            learned += self._length - (len(packed.starts) if self._apart else 1)
            yield packed, Mark(sequences=number, learned=learned, texts=dict(spots), credit=dict(credit))

    def _packer(self, name: str, spots: Mapping[str, Spot]) -> Packer:
        if name not in self._packers:
            spot = spots.get(name, Spot())
            self._packers[name] = Packer(self._texts[name], self._encode, self._length, spot)
        return self._packers[name]


def shares(main: Mapping[str, float], late: Mapping[str, float], first_late: int) -> Callable[[int], dict[str, float]]:
    """The shares of each sequence by its number: of `main`, and from `first_late` on also of `late`.

    `late` are shares of all; `main` divides what they leave.

    >>> two = shares({"web": 3, "code": 1}, {"maths": 0.2}, 10)
    >>> two(0), two(10)
    ({'web': 0.75, 'code': 0.25}, {'web': 0.6, 'code': 0.2, 'maths': 0.2})
    """
    whole, left = sum(main.values()), 1 - sum(late.values())
    early = {name: share / whole for name, share in main.items()}
    after = {name: round(share * left, 12) for name, share in early.items()}
    both = {name: after.get(name, 0.0) + late.get(name, 0.0) for name in chain(after, late)}
    return lambda number: early if number < first_late else both


def positions(packed: Packed, apart: bool) -> list[int]:
    """[length] of each token in its document, or in the whole sequence."""
    if not apart:
        return list(range(len(packed.ids)))
    ends = [*packed.starts[1:], len(packed.ids)]
    return [i for start, end in zip(packed.starts, ends, strict=True) for i in range(end - start)]


def labels(packed: Packed, apart: bool) -> list[int]:
    """[length] what is learned: every token; -100 for one that only another document comes before."""
    found = list(packed.ids)
    for start in packed.starts if apart else ():
        found[start] = -100
    return found


class Ahead:
    """An iterator that is read ahead in a thread of its own: tokenising does not wait for training."""

    def __init__(self, inner: Iterator[tuple[Packed, Mark]], depth: int) -> None:
        self._queue: queue.Queue[tuple[Packed, Mark] | BaseException] = queue.Queue(depth)
        self._closed = threading.Event()
        threading.Thread(target=self._read, args=(inner,), daemon=True).start()

    def __iter__(self) -> Iterator[tuple[Packed, Mark]]:
        while True:
            one = self._queue.get()
            if isinstance(one, BaseException):
                raise one
            yield one

    def close(self) -> None:
        """Read no further."""
        self._closed.set()

    def _read(self, inner: Iterator[tuple[Packed, Mark]]) -> None:
        try:
            for one in inner:
                self._put(one)
                if self._closed.is_set():
                    return
        except BaseException as error:
            self._put(error)

    def _put(self, one: tuple[Packed, Mark] | BaseException) -> None:
        while not self._closed.is_set():
            try:
                return self._queue.put(one, timeout=0.2)
            except queue.Full:
                continue


def contents(documents: Sequence[Documents], count: int) -> Iterator[str]:
    """The first `count` documents of each text, for a tokenizer to be trained on; of a shorter one all, once."""
    for one in documents:
        left = count
        for block in one.after(Place()):
            for document in block[:left]:
                if document.place.epoch:
                    break
                yield document.text
            left -= len(block)
            if left <= 0 or (block and block[0].place.epoch):
                break
