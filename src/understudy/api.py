"""Two of the five public names, `run` and `grade`; the others are `recipe.load`, `answers.judge` and `answers.vote`."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from understudy import recipe as recipes
from understudy.answers import Policy, split
from understudy.errors import SourceError
from understudy.grading.lines import lines
from understudy.grading.many import columns as read_line
from understudy.grading.many import fresh
from understudy.grading.names import Grader
from understudy.grading.rows import Columns, Judged, Settings, Unusable, cell, judged, read
from understudy.recipe import Recipe
from understudy.records import Kind, Rejected
from understudy.store import Run


class _Row(NamedTuple):
    """One row as it is given."""

    number: int
    data: Mapping[str, object] | None
    """None = it cannot be read."""
    why: str
    raw: str


class Graded(Judged, frozen=True, kw_only=True):
    """What the grader says of one row."""

    line: int
    """Of the file, from 1; of other rows their number."""
    id: str | None = None
    """The row's own, where it has one."""
    gold: str | None = None
    kind: Kind
    thought: bool = False
    """The reply holds a think block with something in it."""


def grade(
    source: str | Path | Iterable[Mapping[str, Any]],
    kind: Kind | None = None,
    aside: list[Rejected] | None = None,
    columns: Columns | None = None,
    grader: Grader = Grader.UNDERSTUDY,
    policy: Policy | None = None,
) -> Iterator[Graded]:
    """Each row judged: a file (.jsonl, also .gz and .zst, .csv, .json, .parquet) or mappings with text, gold and, if
    wanted, kind, choices, stop, thought, question and id; `columns` says where they are called otherwise.

    `kind` is that of every row; without it the row's own counts, else number (choice where the row has choices).

    >>> [g.verdict.value for g in grade([{"text": "So it is 72.", "gold": "72"}, {"text": "71", "gold": "72"}])]
    ['right', 'wrong']

    Rows that cannot be judged go into `aside`, where one is given.

    Raises:
        SourceError: without `aside`, a row has no text, or a value that is not understood; names the line.
    """
    settings = Settings(columns=columns or Columns(), kind=kind, grader=grader, policy=policy or Policy())
    name = str(source) if isinstance(source, (str, Path)) else "rows"
    found = _lines(source) if isinstance(source, (str, Path)) else _given(source)
    for number, data, why, raw in found:
        try:
            if data is None:
                raise Unusable(why)
            asked = read(data, settings)
        except Unusable as error:
            said = f"{name}:{number}: {error}."
            if aside is None:
                raise SourceError(f"{said} Mend the row, or take it out.") from None
            aside.append(Rejected(path=name, line=number, why=said, raw=raw[:500]))
            continue
        own = cell(data, ("id",))
        yield Graded(
            line=number,
            id=None if own is None else str(own),
            gold=asked.gold,
            kind=asked.kind,
            thought=bool(split(asked.text, asked.thought).thought),
            **msgspec.structs.asdict(judged(asked, settings)),
        )


def _lines(source: str | Path) -> Iterator[_Row]:
    for line in lines(str(source)):
        raw = line.raw.decode("utf-8", "backslashreplace")
        try:
            yield _Row(line.number, fresh(read_line(line)), "", raw)
        except Unusable as why:
            yield _Row(line.number, None, str(why), raw)


def _given(source: Iterable[Mapping[str, Any]]) -> Iterator[_Row]:
    for number, data in enumerate(source, 1):
        yield _Row(number, data, "", str(data))


def run(recipe: Recipe | str, folder: str | Path | None = None) -> Run:
    """The run folder, with everything in it that the recipe asks for; what was made before is kept.

    A recipe may be given by its path or, if it comes with the package, its name. Progress goes to stderr.

    Raises:
        UnderstudyError: a step failed; the steps before it are kept.
    """
    from understudy import pipeline
    from understudy.cli.making import default_folder
    from understudy.cli.terminal import Watch

    name = recipe if isinstance(recipe, str) else recipe.name
    loaded = recipes.load(recipe) if isinstance(recipe, str) else recipe
    made = Run(Path(folder) if folder is not None else default_folder(loaded, name))
    watch = Watch()
    try:
        pipeline.distil(loaded, made, watch, command=f"understudy.run({name!r}, {str(made.folder)!r})")
    finally:
        watch.close()
    return made
