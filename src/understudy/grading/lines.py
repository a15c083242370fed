"""Lines in and out: JSON lines from files and stdin, also compressed; tables of other formats as such lines."""

import gzip
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

import msgspec
import zstandard

from understudy.errors import SourceError, UserError
from understudy.sources import files

STDIN = "-"
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"
COMPRESSED = (".gz", ".zst")
JSON_LINES = (".jsonl", ".ndjson")
READ_IN = 1 << 20
"""Bytes."""


class Line(NamedTuple):
    """One row of a file, as a line of JSON."""

    number: int
    """Where it stands, from 1."""
    raw: bytes
    """Without the line break."""
    why: str | None = None
    """Why it cannot be read, where its format says so; then `raw` is what stands there."""


def lines(source: str) -> Iterator[Line]:
    """The rows of a file, or of stdin ("-"), lazily and in order. Blank lines are none.

    Raises:
        SourceError: the file is missing, empty, broken or of a kind that is not read.
    """
    if source == STDIN:
        return json_lines(buffered(sys.stdin.buffer), "stdin")
    path = Path(source)
    inner = Path(path.stem) if path.suffix in COMPRESSED else path
    if not path.is_file() or inner is path and path.suffix.lower() not in JSON_LINES:
        return table(path)
    if inner.suffix.lower() not in ("", *JSON_LINES):
        raise SourceError(f"{path}: of compressed files those of JSON lines are read. Unpack it first.")
    try:
        return json_lines(path.open("rb"), source)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}). Check its rights.") from error


def buffered(stream: BinaryIO) -> io.BufferedReader:
    """The same stream, if its first bytes can be looked at; tests put others in its place."""
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(io.BytesIO(stream.read()))


def json_lines(stream: io.BufferedReader, name: str) -> Iterator[Line]:
    """The lines of a stream that may be compressed, whatever its name says."""
    try:
        with stream, opened(stream) as file:
            for number, line in enumerate(file, 1):
                raw = (line.removeprefix(BOM) if number == 1 else line).strip()
                if raw:
                    yield Line(number, raw)
    except (OSError, EOFError, ValueError) as error:
        raise SourceError(f"{name}: cannot be read to its end ({error}). Make it anew.") from error


def opened(file: io.BufferedReader) -> IO[bytes]:
    """The stream, unpacked where it is packed."""
    start = file.peek(4)[:4]
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if start == ZSTD:
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True), READ_IN)
    return file


def table(path: Path) -> Iterator[Line]:
    """The rows of a CSV, JSON or Parquet file, each as a line of JSON."""
    return (
        Line(row.line, row.raw.encode(), row.why)
        if row.data is None
        else Line(row.line, msgspec.json.encode(row.data, enc_hook=str))
        for row in files.rows(path)
    )


@contextmanager
def writing(target: str | None) -> Iterator[IO[bytes]]:
    """Where lines go: stdout, or a file, packed as its name says, that is there whole or not at all.

    Raises:
        UserError: its name ends in something else than .jsonl, .jsonl.gz or .jsonl.zst, or it cannot be written.
    """
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    inner = Path(path.stem) if path.suffix in COMPRESSED else path
    if inner.suffix.lower() not in JSON_LINES:
        raise UserError(f"{path}: JSON lines are written. Give a name ending in .jsonl, .jsonl.gz or .jsonl.zst")
    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("wb") as file, packed(file, path.suffix) as out:
            yield out
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UserError(f"{path}: cannot be written ({error.strerror}). Choose another place.") from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def packed(file: IO[bytes], suffix: str) -> IO[bytes]:
    """The file, packed as the suffix says; the same rows give the same bytes."""
    if suffix == ".gz":
        return gzip.GzipFile("", "wb", 6, file, mtime=0)  # type: ignore[return-value]
    if suffix == ".zst":
        return zstandard.ZstdCompressor().stream_writer(file, closefd=False)
    return file


def chunks(found: Iterable[Line], rows: int, size: int) -> Iterator[list[Line]]:
    """Some rows at a time: so many, or so many bytes."""
    chunk: list[Line] = []
    held = 0
    for line in found:
        chunk.append(line)
        held += len(line.raw)
        if len(chunk) >= rows or held >= size:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk
