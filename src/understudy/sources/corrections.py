"""Gold answers that a person has corrected: kept in a file beside the data, and put in place when the data is read."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from understudy import store
from understudy.answers import judge
from understudy.errors import SourceError
from understudy.records import Correction, Problem, Rejected, Verdict
from understudy.sources.columns import normalised


def corrected(rows: Iterable[Problem | Rejected], path: str | None) -> Iterator[Problem | Rejected]:
    """The problems with their answers corrected by the file at `path`; those without a right one are set aside.

    A rationale that led to the old answer is left out.

    Raises:
        SourceError: the file cannot be read.
    """
    book = load(Path(path)) if path is not None else {}
    for row in rows:
        yield _corrected(row, book, path or "") if isinstance(row, Problem) else row


def load(path: Path) -> dict[str, Correction]:
    """The corrections of a file, by their normalised question; of two on one question, the later.

    Raises:
        SourceError: it is not there, or a line is no correction.
    """
    if not path.is_file():
        raise SourceError(f"{path}: there is no such file. Check sources.corrections.")
    found: dict[str, Correction] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            one = msgspec.json.decode(line, type=Correction)
        except msgspec.DecodeError as error:
            raise SourceError(f"{path}:{number}: not a correction ({error}). Mend the line, or take it out.") from None
        found[normalised(one.question)] = one
    return found


def add(path: Path, more: Iterable[Correction]) -> int:
    """How many of the corrections are new or changed; they are added to the file, which need not be there."""
    book = load(path) if path.exists() else {}
    new = {key: one for one in more if book.get(key := normalised(one.question)) != one}
    if new:
        store.replace(path, b"".join(msgspec.json.encode(one) + b"\n" for one in (book | new).values()))
    return len(new)


def correction(book: Mapping[str, Correction], question: str, answer: str | None) -> Correction | None:
    """The one on this question, if its gold answer is still what was corrected."""
    found = book.get(normalised(question)) if book else None
    return found if found is not None and answer is not None and found.was.strip() == answer.strip() else None


def _corrected(problem: Problem, book: Mapping[str, Correction], path: str) -> Problem | Rejected:
    found = correction(book, problem.question, problem.answer)
    if found is None:
        return problem
    line = list(book).index(normalised(problem.question)) + 1
    why = f"'{problem.answer}' of {problem.id} is corrected: no answer is right"
    if found.answer is not None:
        given = judge(f"\\boxed{{{found.answer}}}", found.answer, problem.kind, choices=problem.choices).verdict
        if given is Verdict.RIGHT:
            extra = {**problem.extra, "corrected_from": problem.answer}
            return msgspec.structs.replace(problem, answer=found.answer, rationale=None, extra=extra)
        why = f"the corrected answer '{found.answer}' of {problem.id} is no {problem.kind}"
    return Rejected(path=path, line=line, why=why, raw=problem.question[:500])
