"""Two of the five public names, `run` and `grade`; the others are `recipe.load`, `answers.judge` and `answers.vote`."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from understudy import recipe as recipes
from understudy.answers import judge
from understudy.errors import SourceError
from understudy.recipe import Recipe
from understudy.records import Kind, Option, Rejected, Stop, Verdict
from understudy.sources.columns import guessed
from understudy.sources.files import Row, get, rows
from understudy.store import Run

E = TypeVar("E", Kind, Stop)


class Graded(msgspec.Struct, frozen=True, kw_only=True):
    """What the grader says of one row."""

    line: int
    """Of the file, from 1; of other rows their number."""
    id: str | None = None
    """The row's own, where it has one."""
    verdict: Verdict
    answer: str | None = None
    """As found in the reply."""
    gold: str | None = None
    kind: Kind
    thought: bool = False
    """The reply holds a think block with something in it."""
    consistent: bool | None = None
    """Thought and reply name the same answer; None = one of them names none."""
    why: str


GOLD = ("gold", "answer")
TEXT = ("text", "reply", "response", "completion", "prediction")
"""Columns that may hold it; the first that is there counts."""


def grade(
    source: str | Path | Iterable[Mapping[str, Any]], kind: Kind | None = None, aside: list[Rejected] | None = None
) -> Iterator[Graded]:
    """Each row judged: a file (.jsonl, .csv, .json, .parquet) or mappings with text, gold and, if wanted, kind,
    choices, stop, thought and id. Without a kind it is guessed from the gold answer.

    >>> [g.verdict.value for g in grade([{"text": "So it is 72.", "gold": "72"}, {"text": "71", "gold": "72"}])]
    ['right', 'wrong']

    Rows that cannot be judged go into `aside`, where one is given.

    Raises:
        SourceError: without `aside`, a row has no text, or a value that is not understood; names the line.
    """
    name = str(source) if isinstance(source, (str, Path)) else "rows"
    found = rows(Path(source)) if isinstance(source, (str, Path)) else _given(source)
    for row in found:
        try:
            if row.data is None:
                raise SourceError(f"{name}:{row.line}: {row.why}. Mend the line, or take it out.")
            yield _graded(row.data, row.line, f"{name}:{row.line}", kind)
        except SourceError as error:
            if aside is None:
                raise
            aside.append(Rejected(path=name, line=row.line, why=str(error), raw=row.raw[:500]))


def _given(source: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    for number, data in enumerate(source, 1):
        yield Row(number, dict(data), None, "")


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


def _graded(data: dict[str, Any], line: int, where: str, kind: Kind | None) -> Graded:
    text = _first(data, TEXT)
    if text is None:
        there = ", ".join(data)
        raise SourceError(f"{where}: there is no text. Give each row the columns text and gold; it has: {there}.")
    gold = _first(data, GOLD)
    choices = _choices(data.get("choices"), where)
    kind = kind or _one_of(Kind, data.get("kind"), "kind", where) or guessed(gold, choices)
    stop = _one_of(Stop, data.get("stop"), "stop", where) or Stop.END
    thought = data.get("thought")
    found = judge(text, gold, kind, stop, str(thought) if thought is not None else None, choices=choices)
    return Graded(
        line=line,
        id=_first(data, ("id",)),
        verdict=found.verdict,
        answer=found.answer,
        gold=gold,
        kind=kind,
        thought=found.thought,
        consistent=found.consistent,
        why=found.why,
    )


def _first(data: dict[str, Any], columns: Iterable[str]) -> str | None:
    return next((str(value) for c in columns if (value := get(data, c)) is not None), None)


def _one_of(words: type[E], value: object, column: str, where: str) -> E | None:
    try:
        return None if value in (None, "") else words(str(value))
    except ValueError:
        raise SourceError(f"{where}: {column}: '{value}' is none of {', '.join(words)}.") from None


def _choices(value: object, where: str) -> tuple[Option, ...]:
    """Options from a list of texts (labelled A, B, ...), or of {label, text}."""
    try:
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            value = [{"label": chr(ord("A") + i), "text": v} for i, v in enumerate(value)]
        return msgspec.convert(value or [], tuple[Option, ...])
    except msgspec.ValidationError:
        raise SourceError(f"{where}: choices: give a list of texts, or of objects with label and text.") from None
