"""Where problems come from: named sets, own files, and problems made on the spot."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from understudy.errors import SourceError
from understudy.recipe import Source
from understudy.records import Kind, Problem, Rejected, Split
from understudy.sources import columns, files, probes, sets, templates, word_problems
from understudy.sources.columns import Columns
from understudy.sources.corrections import corrected

MADE = ("word_problems", "probes")
"""Sources that need no file: problems are made from the seed."""


def load(sources: Sequence[Source], seed: int) -> Iterator[Problem | Rejected]:
    """The problems of all sources, in their order; rows that could not be used stand among them.

    Two sources of one name go on counting, so that ids stay unique.

    Raises:
        SourceError: a source cannot be read, or holds no problem.
    """
    if not sources:
        raise SourceError("The recipe names no sources. Add for example: sources: [{name: word_problems}]")
    begin: Counter[str] = Counter()  # name -> first number not yet used
    tests: list[Problem] = []  # what the probes dress up as conversation
    for source in sources:
        name = named(source)
        first, found, why = begin[name], 0, ""
        for row in corrected(_rows(source, name, seed, first, tests), source.corrections):
            if isinstance(row, Problem):
                found += 1
                if row.split is Split.TEST and row.kind is not Kind.OPEN:
                    tests.append(row)
                if name not in MADE:
                    begin[name] = max(begin[name], int(row.id.rpartition("/")[2]) + 1)
            else:
                why = why or f"line {row.line}: {row.why}"
            yield row
        if not found:
            raise SourceError(
                f"{source.path or name}: there is no problem in it ({why or 'it is empty'}). Give another source."
            )


def named(source: Source) -> str:
    """What the source's problems are called: its name, else its file's."""
    if source.name:
        return source.name
    if source.path:
        return Path(source.path).stem
    raise SourceError("A source has neither sources.name nor sources.path. Give one of them.")


def _rows(source: Source, name: str, seed: int, first: int, tests: Sequence[Problem]) -> Iterator[Problem | Rejected]:
    if name == "word_problems" and not source.path:
        return word_problems.problems(source, seed)
    if name == "probes" and not source.path:
        return probes.problems(source, tests)
    if source.name == "templates":
        return _templates(source, name, seed, first)
    spec = sets.SETS.get(name) if source.name else None
    if spec:
        parts = sets.parts(name, spec, source.path, source.config)
        where = _columns(source, spec.columns)
    else:
        parts = _tables(source, name)
        where = _columns(source, Columns())
    return columns.problems(
        name, parts, where, source.kind or (spec and spec.kind), _split(source.split), source.limit, first
    )


def _templates(source: Source, name: str, seed: int, first: int) -> Iterator[Problem | Rejected]:
    if source.path is None or not any(msgspec.to_builtins(source.counts).values()):
        raise SourceError(
            "sources: templates needs the file of templates and how many problems to make of each. "
            "Add for example: path: templates.jsonl, counts: {test: 10}"
        )
    return templates.problems(source, name, seed, first)


def _tables(source: Source, name: str) -> list[files.Table]:
    if source.path:
        return files.tables(source.path, source.config)
    wrong = sets.unknown(name, (*MADE, "templates"))
    if wrong:
        raise wrong
    return files.hub(name, source.config)


def _split(name: str | None) -> Split | None:
    if name is None:
        return None
    if name not in files.SPLITS:
        raise SourceError(f"sources.split: '{name}' is none of {', '.join(Split)}.")
    return files.SPLITS[name]


DEFAULTS = Source()


def _columns(source: Source, own: Columns) -> Columns:
    """The set's own columns, and those that the recipe names; what it names must be there."""
    asked = {
        "question": (source.question, DEFAULTS.question),
        "answer": (source.answer, DEFAULTS.answer),
        "choices": (source.choices, DEFAULTS.choices),
        "rationale": (source.rationale, DEFAULTS.rationale),
        "id": (source.id, DEFAULTS.id),
    }
    said = {field: (column,) for field, (column, default) in asked.items() if column and column != default}
    needed = tuple(dict.fromkeys((*own.needed, *said)))
    found = Columns(**{**own._asdict(), **said, "needed": needed})
    if source.answer is None or source.kind is Kind.OPEN:
        found = found._replace(answer=(), needed=tuple(field for field in found.needed if field != "answer"))
    if source.rationale is None:
        found = found._replace(rationale=(), needed=tuple(field for field in found.needed if field != "rationale"))
    return found
