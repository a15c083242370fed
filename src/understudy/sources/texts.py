"""Text as an endless stream of documents, each with a place that can be written down and come back to."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from understudy.errors import SourceError
from understudy.recipe import Text

KINDS = {".jsonl": "json", ".json": "json", ".parquet": "parquet", ".txt": "text"}
"""Ending of a file to how `datasets` reads it; of .txt, paragraphs are documents."""
PACKED = (".gz", ".zst", ".xz", ".bz2")
"""Endings after those of `KINDS`."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a document stands in its stream."""

    epoch: int = 0
    block: int = 0
    start: dict[str, Any] | None = None
    """Where its block begins, as `datasets` says it; None = at the beginning."""
    inside: int = 0
    """Documents of the block before it."""


class Document(NamedTuple):
    """One document, and where it stands."""

    text: str
    place: Place


class Documents:
    """The documents of a text, read again in another order when it has come to its end.

    Blocks of `block` documents are shuffled, each with the seed, its epoch and its number: a place is found again
    without reading more than its block.
    """

    def __init__(
        self, text: Text, made: Sequence[str] | None, block: int, seed: int, leaks: Callable[[str], bool] | None = None
    ) -> None:
        """`made`: the documents, where they are made here; `leaks`: one for which it is true is left out."""
        self.text, self.made, self.block, self.seed, self.leaks = text, made, block, seed, leaks

    def after(self, place: Place) -> Iterator[list[Document]]:
        """Blocks of documents from that place on, without an end.

        Raises:
            SourceError: there is no such text, or no document in it.
        """
        while True:
            found = False
            for block in self._epoch(place):
                found = found or bool(block)
                yield block
            if not found and place.start is None and not place.block:
                where = self.text.path or self.text.name
                raise SourceError(f"{where}: no document in it. Give pretrain.texts another path or column.")
            place = Place(epoch=place.epoch + 1)

    def _epoch(self, place: Place) -> Iterator[list[Document]]:
        """The blocks of one reading."""
        rows = _opened(self.text, self.made)
        if place.start is not None:
            rows.load_state_dict(place.start)
        read, number, inside = iter(rows), place.block, place.inside
        while True:
            # A data set that was given its place says another one until it has been read from.
            start = place.start if number == place.block else rows.state_dict()
            block = [t for row in _some(read, self.block) if (t := _said(row, self.text)) is not None]
            if not block:
                return
            random.Random(f"{self.seed}/{self.text.name}/{place.epoch}/{number}").shuffle(block)
            at = Place(epoch=place.epoch, block=number, start=start)
            yield [
                Document(text, msgspec.structs.replace(at, inside=i))
                for i, text in enumerate(block)
                if i >= inside and text.strip() and not (self.leaks is not None and self.leaks(text))
            ]
            number, inside = number + 1, 0


def _some(rows: Iterator[dict[str, Any]], n: int) -> Iterator[dict[str, Any]]:
    for _, row in zip(range(n), rows, strict=False):
        yield row


def _said(row: dict[str, Any], text: Text) -> str | None:
    """The row's text; "" where it has none there."""
    if text.column not in row:
        raise SourceError(
            f"{text.path}: there is no column '{text.column}'. Give pretrain.texts a column of: {', '.join(row)}."
        )
    value = row[text.column]
    return value if isinstance(value, str) else ""


def _opened(text: Text, made: Sequence[str] | None) -> Any:
    """A data set of Hugging Face's kind, which can say where it stands."""
    # Imported here: it takes a second, and everything but base training on text does without.
    from datasets import Dataset, load_dataset

    if made is not None:
        return Dataset.from_dict({text.column: list(made)}).to_iterable_dataset()
    found = _streamed(text, load_dataset)
    return found if text.limit is None else found.take(text.limit)


def _streamed(text: Text, load_dataset: Callable[..., Any]) -> Any:
    path = Path(str(text.path))
    try:
        if path.exists():
            files = _files(path)
            kind = _kind(files[0])
            how = {"sample_by": "paragraph"} if kind == "text" else {}
            return load_dataset(str(kind), data_files=[str(f) for f in files], split="train", streaming=True, **how)
        return load_dataset(str(text.path), text.config, split=text.split, streaming=True)
    except (ValueError, OSError, RuntimeError) as error:
        first = str(error).strip().split("\n")[0]
        raise SourceError(f"{text.path}: {first} Give pretrain.texts a file, a folder or a Hub id.") from None


def _files(path: Path) -> list[Path]:
    """The file, or those of a folder, of one kind, by name."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    files = [f for f in files if _kind(f) is not None]
    if not files or len({_kind(f) for f in files}) > 1:
        raise SourceError(f"{path}: files of one kind are read, ending in {', '.join(KINDS)}, compressed or not.")
    return files


def _kind(path: Path) -> str | None:
    name = path.name.removesuffix(path.suffix) if path.suffix in PACKED else path.name
    return KINDS.get(Path(name).suffix)
