"""store: what was paid for, how large it is, and how often it was good for something."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.table import Table

from understudy.cli.terminal import out, plain
from understudy.engines.samples import Samples, Sizes
from understudy.errors import UserError


def store(
    name: Annotated[str, typer.Argument(metavar="RUN", help="A run folder, or the folder of a store.")],
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every sample that counts, one a line of JSON.")
    ] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="Drop lines that no longer count, and join the segments.")
    ] = False,
) -> None:
    """Show the samples that are kept: how many, of whom, and how often they spared a call."""
    found = list(stores(Path(name)))
    table = Table("store", "model", "samples", "failed", "spared calls", "tokens out", "size", box=box.SIMPLE_HEAD)
    lines: list[bytes] = []
    for folder in found:
        samples = Samples(folder)
        if compact:
            print(f"{folder}: {samples.compact()} lines dropped")
        _row(table, folder, samples.sizes())
        if export is not None:
            lines += [msgspec.json.encode(one) + b"\n" for one in samples.rows()]
        samples.close()
    if export is not None:
        export.write_bytes(b"".join(lines))
        print(f"{len(lines)} samples in {export}")
    out().print(table)


def stores(path: Path) -> Iterator[Path]:
    """The stores of a run, or the one that the folder is.

    Raises:
        UserError: there is none.
    """
    folders = [path, *sorted((path / "samples").glob("*")), *sorted((Path("runs") / path / "samples").glob("*"))]
    there = [folder for folder in folders if any(folder.glob("[0-9]*.jsonl"))]
    if not there:
        raise UserError(f"{path}: no samples are kept there. Name a run folder: understudy runs")
    yield from there


def _row(table: Table, folder: Path, sizes: Sizes) -> None:
    spared = f"{sizes.hits:,} of {sizes.hits + sizes.asked:,}"
    table.add_row(
        plain(str(folder)),
        plain(", ".join(sizes.models)),
        f"{sizes.samples:,}",
        f"{sizes.failed:,}",
        spared,
        f"{sizes.tokens_out:,}",
        f"{sizes.bytes / 1e6:.1f} MB",
    )
