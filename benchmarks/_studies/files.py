"""What docs/studies holds: one line that says which study, then one line for each figure."""

from pathlib import Path

import msgspec
import yaml

from understudy.recipe import digest

COSMETIC = ("minutes", "budget_minutes", "workers", "report")
"""Parts of a recipe that no figure follows from."""


class Study(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first line."""

    study: str
    recipe: str
    """Hash of the recipe as it is written, without comments and what no figure follows from."""
    question: str
    expected: str
    seed: int | None
    """Of problems, base and teacher; None = those too are made anew under each of `seeds`."""
    seeds: tuple[int, ...]
    """Of each arm's mix and training."""
    versions: dict[str, str]
    """Of Python and the libraries that made it."""


class Figure(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One figure of one arm, or the difference of two."""

    arm: str
    """ "student", or "student - control" for first minus second on the same problems and seeds"""
    measure: str
    """right, thinks, …: see `MEASURES` and docs/studies/README.md."""
    suite: str
    strategy: str
    slice: str = "all"
    value: float
    low: float | None = None
    high: float | None = None
    """95 %."""
    seeds: dict[str, float]
    """Seed to the value under it."""
    n: int
    """Problems, each met under every seed."""
    interval: str
    """Over what it is taken: "problems and seeds", "problems", "none"."""


def recipe_hash(path: Path) -> str:
    """Of a recipe file: sixteen hex digits that stay the same as comments and expected times change."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return digest({key: value for key, value in data.items() if key not in COSMETIC})


def read(path: Path) -> tuple[Study, list[Figure]]:
    """A file of docs/studies."""
    first, *rest = path.read_bytes().splitlines()
    return msgspec.json.decode(first, type=Study), [msgspec.json.decode(line, type=Figure) for line in rest]


def write(path: Path, study: Study, figures: list[Figure]) -> None:
    """That file, whole or not at all."""
    beside = path.with_suffix(".part")
    beside.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in (study, *figures)))
    beside.replace(path)
