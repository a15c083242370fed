"""The per-sample store: every sample that was ever paid for, one a line of JSON, found by what was asked.

A folder of segments (0001.jsonl, …). Each process that writes has a segment of its own and appends whole lines, so
several may work at once; all are read. Nothing is ever changed in place, so a kill loses no line that was handed over.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from understudy.errors import StoreError
from understudy.records import Sample, Stop
from understudy.store import Journal, replace_with, whole_lines

WIDTH = 24
"""Bits of a token count in the index; longer replies count as the longest."""
OFFSET = 44
"""Bits of a place in a segment: 16 TiB."""


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the store."""

    key: str
    """Hash of what was asked: rendered messages, model, sampling without `max_tokens`."""
    number: int
    """Sample number of that prompt, from 0."""
    max_tokens: int
    """What the sample was allowed."""
    model: str
    prompt: str
    """Id of the problem it was asked for first."""
    at: float = 0.0
    """When it was kept, seconds since 1970."""
    sample: Sample


class _Sizes(msgspec.Struct):
    stop: Stop = Stop.END
    tokens_out: int = 0


class _Place(msgspec.Struct):
    """As much of a line as the index needs."""

    key: str
    number: int
    max_tokens: int
    sample: _Sizes


class Sizes(NamedTuple):
    """What a store holds."""

    samples: int
    failed: int
    """Calls that failed and were not made good since."""
    superseded: int
    """Lines that compaction would drop."""
    bytes: int
    tokens_in: int
    tokens_out: int
    models: dict[str, int]
    """Model to its samples."""
    hits: int
    """Samples that were found here instead of being asked again, over all runs."""
    asked: int


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass over the store found and asked for."""

    model: str
    hits: int
    asked: int
    failed: int


class Samples:
    """An open store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index: dict[int, int | tuple[int, ...]] = {}
        """64 bits of (key, number) to the places of its lines, packed: see `_packed`."""
        self._segments: list[Path] = []
        self._open: dict[int, IO[bytes]] = {}
        self._read: dict[int, int] = {}
        self._lock: IO[bytes] | None = None
        self._journal: Journal | None = None
        self._mine = -1
        self._end = 0
        self._decoder = msgspec.json.Decoder(Kept)
        self.refresh()

    def refresh(self) -> None:
        """Take in what other processes have added since."""
        for path in sorted(self.folder.glob("[0-9]*.jsonl")):
            if path not in self._segments:
                self._segments.append(path)
            segment = self._segments.index(path)
            if segment != self._mine:
                self._take_in(segment, path)

    def fits(self, key: str, number: int, max_tokens: int, errors: bool = False) -> int | None:
        """Where a sample stands that is as good as asking: it ended by itself within `max_tokens`, or was cut there.

        `errors`: a failed call is as good as asking once more.
        """
        found = self._index.get(_slot(key, number))
        for place in (found,) if isinstance(found, int) else found or ():
            if _fits(place, max_tokens, errors):
                return place
        return None

    def get(self, place: int) -> Kept:
        """The line at a place that `fits` gave."""
        segment, offset = (place >> OFFSET) & 0xFFF, place & ((1 << OFFSET) - 1)
        file = self._open.get(segment)
        if file is None:
            file = self._open[segment] = self._segments[segment].open("rb")
        file.seek(offset)
        return self._decoder.decode(file.readline())

    def add(self, reply: Iterable[Kept]) -> None:
        """Append the samples of one reply, all or none: they are with the operating system when this returns."""
        journal, kept = self._writing(), list(reply)
        for one, size in zip(kept, journal.add(*kept), strict=True):
            sizes = _Sizes(one.sample.stop, one.sample.tokens_out)
            self._enter(_Place(one.key, one.number, one.max_tokens, sizes), self._mine, self._end)
            self._end += size

    def used(self, use: Use) -> None:
        """Put on record what a pass has found and asked for."""
        if use.hits or use.asked:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "uses.jsonl").open("ab", buffering=0) as file:
                file.write(msgspec.json.encode(use) + b"\n")

    def close(self) -> None:
        """Give the segment free."""
        for file in self._open.values():
            file.close()
        self._open = {}
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def rows(self) -> Iterator[Kept]:
        """Every sample that counts: the first of equal ones, and a failed call only where none succeeded since."""
        for place in self._places():
            yield self.get(place)

    def sizes(self) -> Sizes:
        """What the store holds. Reads all of it."""
        lines = sum(1 for path in self._segments for _ in whole_lines(path))
        samples = failed = tokens_in = tokens_out = 0
        models: dict[str, int] = {}
        for one in self.rows():
            if one.sample.stop is Stop.ERROR:
                failed += 1
                continue
            samples += 1
            tokens_in, tokens_out = tokens_in + one.sample.tokens_in, tokens_out + one.sample.tokens_out
            models[one.model] = models.get(one.model, 0) + 1
        uses = self.folder / "uses.jsonl"
        found = [msgspec.json.decode(line, type=Use) for line in whole_lines(uses)] if uses.exists() else []
        return Sizes(
            samples, failed, lines - samples - failed, sum(path.stat().st_size for path in self._segments),
            tokens_in, tokens_out, models, sum(u.hits for u in found), sum(u.asked for u in found),
        )  # fmt: skip

    def compact(self) -> int:
        """Write all that counts into one segment; the number of lines dropped.

        Raises:
            StoreError: another process is writing.
        """
        self.close()
        locks = [_locked(path) for path in self._segments]
        try:
            if None in locks:
                raise StoreError(f"{self.folder}: another process is writing. Compact it when that is done.")
            if not self._segments:
                return 0
            lines = sum(1 for path in self._segments for _ in whole_lines(path))
            places = self._places()
            replace_with(self._segments[0], (msgspec.json.encode(self.get(place)) + b"\n" for place in places))
            self.close()
            for path in self._segments[1:]:
                path.unlink()
            return lines - len(places)
        finally:
            for lock in locks:
                if lock is not None:
                    lock.close()
            self._index, self._segments, self._read = {}, [], {}
            self.refresh()

    def _places(self) -> list[int]:
        """Of every line that counts."""
        found: list[int] = []
        for places in self._index.values():
            all_of_it = (places,) if isinstance(places, int) else places
            good = [p for p in all_of_it if not _failed(p)]
            found += good or all_of_it[-1:]
        return sorted(found, key=lambda place: place & ((1 << OFFSET + 12) - 1))

    def _take_in(self, segment: int, path: Path) -> None:
        """The lines of a segment that are new."""
        decoder, at = msgspec.json.Decoder(_Place), self._read.get(segment, 0)
        with path.open("rb") as file:
            file.seek(at)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # torn, or being written
                try:
                    self._enter(decoder.decode(line), segment, at)
                except msgspec.DecodeError:  # a power cut may spoil a line: its sample is asked again
                    pass
                at += len(line)
        self._read[segment] = at

    def _enter(self, one: _Place, segment: int, offset: int) -> None:
        """Into the index; of equal ones the first counts."""
        slot, place = _slot(one.key, one.number), _packed(one, segment, offset)
        before = self._index.get(slot)
        if before is None:
            self._index[slot] = place
            return
        places = (before,) if isinstance(before, int) else before
        what = place >> OFFSET + 12
        if all(p >> OFFSET + 12 != what or _failed(p) for p in places):
            self._index[slot] = (*(p for p in places if not (_failed(p) and _failed(place))), place)

    def _writing(self) -> Journal:
        """The journal of a segment that nobody else writes."""
        if self._journal is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            number = 0
            while self._lock is None:
                number += 1
                self._lock = _locked(self.folder / f"{number:04}.jsonl")
            path = self.folder / f"{number:04}.jsonl"
            self._journal = Journal(path)  # cuts off a torn last line
            self.refresh()
            self._mine, self._end = self._segments.index(path), path.stat().st_size
        return self._journal


def _locked(path: Path) -> IO[bytes] | None:
    """The file, held by this process alone; None if another holds it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _slot(key: str, number: int) -> int:
    """64 bits: of a million samples, two share one once in ten million stores."""
    return (int(key[:16], 16) + number * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF


def _packed(one: _Place, segment: int, offset: int) -> int:
    """Stop, limit, length, segment, offset: in one number, because there may be a million."""
    most = (1 << WIDTH) - 1
    stop = (Stop.ERROR, Stop.LENGTH).index(one.sample.stop) + 1 if one.sample.stop in (Stop.ERROR, Stop.LENGTH) else 0
    what = (stop << WIDTH | min(one.max_tokens, most)) << WIDTH | min(one.sample.tokens_out, most)
    return (what << 12 | segment) << OFFSET | offset


def _unpacked(place: int) -> tuple[int, int, int]:
    what, most = place >> OFFSET + 12, (1 << WIDTH) - 1
    return what >> 2 * WIDTH, what >> WIDTH & most, what & most


def _failed(place: int) -> bool:
    return _unpacked(place)[0] == 1


def _fits(place: int, max_tokens: int, errors: bool) -> bool:
    stop, limit, tokens = _unpacked(place)
    if stop == 1:
        return errors
    if stop == 2:
        return limit == max_tokens
    return limit <= max_tokens or 0 < tokens <= max_tokens


def now() -> float:
    """Seconds since 1970, to the millisecond."""
    return round(time.time(), 3)


def size_of(folder: Path) -> int:
    """Bytes of a store."""
    return sum(os.path.getsize(path) for path in folder.glob("[0-9]*.jsonl"))
