"""What a section of the benchmark is given, and the rows of files beside this checkout."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from _grading.clients import Grader
from _grading.table import Row
from _venvs import ROOT

TESTS = ROOT / "tests"
Data = dict[str, Any]


class Place(NamedTuple):
    """What a section is given."""

    shared: Path | None
    """Holds conformance/ and data/; None = nothing is there."""
    graders: Sequence[Grader]
    """Those to compare with."""
    full: bool
    """Slow graders are given every row."""
    seed: int


Section = Callable[[Place], Iterator[Row]]


def rows(path: Path) -> list[Data]:
    """The rows of a JSONL file; none where it is not there."""
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line] if path.exists() else []


def real(place: Place, name: str) -> list[Data]:
    """The rows of a data set; none where it is not there."""
    return rows(place.shared / "data" / f"{name}.jsonl") if place.shared else []


def labels(name: str) -> list[Data]:
    """The rows of a file of labels among the tests."""
    return rows(TESTS / f"{name}.jsonl")
