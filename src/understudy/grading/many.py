"""Files of rows judged: each row back in its place with everything it had, on all cores."""

import json
import os
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing import get_context
from typing import NamedTuple

import msgspec

from understudy import workers
from understudy.errors import UnderstudyError
from understudy.grading.lines import Line, chunks
from understudy.grading.rows import Judged, Settings, Unusable, cell, judged, read, refused
from understudy.records import Verdict
from understudy.sources.files import no_column

ROWS = 500
SIZE = 1 << 20
"""Rows and bytes of a chunk."""
ALONE = 8
"""So many chunks are judged in this process: starting others takes longer."""
AHEAD = 3
"""Chunks in hand for each process: what memory holds."""
OURS = frozenset(Judged.__struct_fields__)
GRADER = re.compile(r'"(?:[\w-]+@)?understudy-[\w.]+:[0-9a-f]{8}"')
COLUMNS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Done(NamedTuple):
    """What became of a chunk."""

    lines: bytes
    counts: Counter[Verdict]
    unusable: list[tuple[int, str]]
    """Line and reason, of rows that could not be judged. They are among the failed ones."""


def graded(found: Iterable[Line], settings: Settings, jobs: int, name: str) -> Iterator[Done]:
    """Every row with what the grader says of it, in their order; memory holds some chunks at a time.

    Raises:
        SourceError: a column that was named is in none of the first rows.
    """
    parts = chunks(found, ROWS, SIZE)
    first = list(islice(parts, ALONE))
    demand(chain.from_iterable(first), settings, name)
    more = next(parts, None)
    if jobs == 1 or more is None:
        rest = (more,) if more is not None else ()
        yield from (chunk(part, settings) for part in chain(first, rest, parts))
    else:
        yield from side_by_side(chain(first, (more,), parts), settings, jobs)


def side_by_side(parts: Iterable[list[Line]], settings: Settings, jobs: int) -> Iterator[Done]:
    """The chunks, each judged by one of several processes, in their order."""
    waiting: deque[Future[Done]] = deque()
    with ProcessPoolExecutor(jobs, get_context("spawn"), workers.dies_with, (os.getpid(),)) as pool:
        try:
            for part in parts:
                waiting.append(pool.submit(chunk, part, settings))
                if len(waiting) >= AHEAD * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def chunk(part: list[Line], settings: Settings) -> Done:
    """Some rows, judged."""
    out: list[bytes] = []
    counts: Counter[Verdict] = Counter()
    unusable: list[tuple[int, str]] = []
    for line in part:
        row: Mapping[str, object] = {"raw": line.raw.decode("utf-8", "backslashreplace")}
        try:
            row = fresh(columns(line))
            found = judged(read(row, settings), settings)
        except UnderstudyError:
            raise
        except Exception as error:  # a fault of the grader's own, too, is no reason to lose the other rows
            why = str(error) if isinstance(error, Unusable) else f"the grader failed: {type(error).__name__}: {error}"
            unusable.append((line.number, why))
            found = refused(why, settings)
        counts[found.verdict] += 1
        out.append(msgspec.json.encode({**kept(row), **msgspec.structs.asdict(found)}))
    out.append(b"")
    return Done(b"\n".join(out), counts, unusable)


def columns(line: Line) -> dict[str, msgspec.Raw]:
    """What a line holds, by its columns; undecoded, so that what is not looked at goes out as it came in."""
    if line.why is not None:
        raise Unusable(line.why)
    try:
        line.raw.decode()  # msgspec does not look into what it leaves as it is
        return COLUMNS.decode(line.raw)
    except UnicodeDecodeError as error:
        raise Unusable(f"not UTF-8: byte 0x{line.raw[error.start]:02x}. Save the file as UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        if b"NaN" not in line.raw and b"Infinity" not in line.raw:
            raise Unusable(f"not a JSON object: {error}") from None
    try:  # pandas writes NaN for an empty cell
        return COLUMNS.decode(json.dumps(json.loads(line.raw, parse_constant=lambda _: None)).encode())
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise Unusable(f"not a JSON object: {error}") from None


def kept(row: Mapping[str, object]) -> dict[str, object]:
    """The row's columns; one that is called like one of ours becomes given_answer and so on."""
    if not OURS & row.keys():
        return dict(row)
    out: dict[str, object] = {}
    for name, value in row.items():
        new = name
        while new in OURS or new != name and new in row:
            new = f"given_{new}"
        out[new] = value
    return out


def fresh(row: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """A row that was judged before, without what was said of it then."""
    if OURS <= row.keys() and GRADER.fullmatch(bytes(row["grader"]).decode()):
        return {name: value for name, value in row.items() if name not in OURS}
    return row


def demand(first: Iterable[Line], settings: Settings, name: str) -> None:
    """Every column that was named is in one of these rows.

    Raises:
        SourceError: it is not; names the nearest.
    """
    asked = {field: c for field, c in msgspec.structs.asdict(settings.columns).items() if c is not None}
    seen: dict[str, None] = {}
    for line in first if asked else ():
        try:
            row = columns(line)
        except Unusable:
            continue
        seen |= dict.fromkeys(row)
        asked = {field: c for field, c in asked.items() if cell(row, (c,)) is None and c not in row}
        if not asked:
            return
    if asked and seen:
        field, column = next(iter(asked.items()))
        raise no_column(name, column, list(seen), f"--{field}")
