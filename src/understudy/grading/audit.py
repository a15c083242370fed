"""Gold answers and verdicts to doubt: where replies agree with each other against the gold answer, and where graders
differ. A person decides; what they say is kept beside the data.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from understudy import answers
from understudy.answers import Policy
from understudy.errors import SourceError
from understudy.grading.lines import lines
from understudy.grading.many import columns, fresh
from understudy.grading.others import math_verify
from understudy.grading.rows import Asked, Settings, Unusable, cell, read
from understudy.records import Correction, Kind, Problem, Stop, Trace, Verdict
from understudy.sources import files
from understudy.sources.columns import normalised
from understudy.store import Run, replace

WHO = ("model", "teacher", "meta.model")
"""Columns that say whose reply it is; else it is the file's."""
NO_ANSWER = "-"
"""As a correction: no answer is right."""
TAIL = 400
"""Characters of a reply that are shown, its last ones."""


class Reason(StrEnum):
    """What is in doubt."""

    GOLD = "gold"
    """Most replies agree on another answer than the gold one."""
    GRADERS = "graders"
    """Our verdict and Math-Verify's differ."""


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table that a person works through."""

    correction: str = ""
    """For the person: the right answer, "-" where none is right, empty where the gold answer stands."""
    doubt: Reason
    gold: str
    answer: str | None
    """What the replies say instead; of differing graders, what we read."""
    votes: str = ""
    """Replies that say so, of all on the question."""
    who: str
    ours: Verdict
    math_verify: Verdict | None = None
    """None = not asked."""
    question: str
    text: str
    """The end of one reply that says so."""
    where: str
    """That reply's line or trace."""


class Reply(NamedTuple):
    """One reply to a question."""

    asked: Asked
    who: str
    where: str


class Said(NamedTuple):
    """What counts of a reply once it is judged."""

    who: str
    where: str
    verdict: Verdict
    answer: str | None
    tail: str


def doubts(
    replies: Iterable[Reply], agreement: float, least: int, second: bool, policy: Policy | None = None
) -> Iterator[Doubt]:
    """Doubtful gold answers first, the surest at the top; then the replies of which graders say different things.

    A gold answer is in doubt where at least `least` replies, and such a share of all on the question, give one other
    answer. `second`: Math-Verify is asked, too. Memory holds the end of every reply.
    """
    policy = policy or Policy()
    by_question: defaultdict[tuple[str, str], list[Said]] = defaultdict(list)
    asked: dict[tuple[str, str], Asked] = {}
    apart: list[Doubt] = []
    for reply in replies:
        text, gold, kind, stop, thought, choices, question = reply.asked
        if gold is None or stop is Stop.ERROR:
            continue
        found = answers.judge(text, gold, kind, stop, thought, policy, choices)
        one = Said(reply.who, reply.where, found.verdict, found.answer, text.strip()[-TAIL:])
        key = (normalised(question), gold)
        asked.setdefault(key, reply.asked._replace(text=""))
        by_question[key].append(one)
        other = math_verify(text, gold).verdict if second and kind in (Kind.NUMBER, Kind.MATH) else None
        if other not in (None, Verdict.FAILED) and (other is Verdict.RIGHT) is not (found.verdict is Verdict.RIGHT):
            apart.append(graders_differ(reply.asked, one, other))
    against = [d for key, said in by_question.items() if (d := against_gold(asked[key], said, agreement, least))]
    yield from (doubt for _, doubt in sorted(against, key=lambda pair: pair[0], reverse=True))
    yield from apart


def against_gold(
    asked: Asked, said: Sequence[Said], agreement: float, least: int
) -> tuple[tuple[int, float, int], Doubt] | None:
    """The doubt that the replies to one question cast on its gold answer, with its weight: how many models, what
    share of the replies, how many."""
    vote = answers.vote([one.answer if one.verdict is not Verdict.CUT_OFF else None for one in said], asked.kind)
    votes = round(vote.agreement * len(said))
    if vote.winner is None or votes < least or vote.agreement < agreement:
        return None
    first = said[vote.winner]
    if first.verdict is not Verdict.WRONG:
        return None
    same = [one for one in said if one.answer is not None and answers.same(one.answer, first.answer or "", asked.kind)]
    who = sorted({one.who for one in same})
    doubt = Doubt(
        doubt=Reason.GOLD,
        gold=asked.gold or "",
        answer=first.answer,
        votes=f"{votes} of {len(said)}",
        who=", ".join(who),
        ours=first.verdict,
        question=asked.question,
        text=first.tail,
        where=first.where,
    )
    return (len(who), vote.agreement, votes), doubt


def graders_differ(asked: Asked, said: Said, other: Verdict | None) -> Doubt:
    return Doubt(
        doubt=Reason.GRADERS,
        gold=asked.gold or "",
        answer=said.answer,
        who=said.who,
        ours=said.verdict,
        math_verify=other,
        question=asked.question,
        text=said.tail,
        where=said.where,
    )


# --- what is looked at ------------------------------------------------------------------------------------------------


def of_files(names: Sequence[str], settings: Settings) -> Iterator[Reply]:
    """The replies of files of rows; each row needs its question.

    Raises:
        SourceError: a file cannot be read, or none of its rows has a question.
    """
    for name in names:
        some = False
        for line in lines(name):
            try:
                row = fresh(columns(line))
                asked = read(row, settings)
            except Unusable:
                continue  # `grade` says which they are
            if asked.question:
                some = True
                yield Reply(asked, str(cell(row, WHO) or Path(name).stem), f"{name}:{line.number}")
        if not some:
            raise SourceError(f"{name}: no row has a text and a question. Give each row a column question.")


def of_run(run: Run) -> Iterator[Reply]:
    """The traces of a run that have a gold answer."""
    problems: dict[str, Problem] = {p.id: p for p in run.rows("problems")}
    for trace in run.rows("traces"):
        yield _reply(trace, problems[trace.problem])


def _reply(trace: Trace, p: Problem) -> Reply:
    s = trace.sample
    asked = Asked(s.text, p.answer, p.kind, s.stop, s.thought, p.choices, p.question)
    return Reply(asked, trace.teacher, trace.id)


# --- the table --------------------------------------------------------------------------------------------------------


def write(path: Path, found: Sequence[Doubt]) -> None:
    """The table, as its name says: .csv for a spreadsheet, else JSON lines."""
    if path.suffix.lower() == ".csv":
        out = io.StringIO()
        table = csv.DictWriter(out, Doubt.__struct_fields__, lineterminator="\n")
        table.writeheader()
        table.writerows(msgspec.to_builtins(doubt) for doubt in found)
        replace(path, out.getvalue().encode("utf-8"))
    else:
        replace(path, b"".join(msgspec.json.encode(doubt) + b"\n" for doubt in found))


def filled(path: Path) -> Iterator[Correction]:
    """What a person has put into the table's first column.

    Raises:
        SourceError: it cannot be read, or is no such table.
    """
    for row in files.rows(path):
        if row.data is None:
            raise SourceError(f"{path}:{row.line}: {row.why}. Mend the line, or take it out.")
        missing = [name for name in ("correction", "question", "gold") if name not in row.data]
        if missing:
            raise SourceError(
                f"{path}:{row.line}: there is no column '{missing[0]}'. Give a table of `understudy audit`."
            )
        said = str(row.data["correction"] or "").strip()
        if said:
            answer = None if said == NO_ANSWER else said
            yield Correction(question=str(row.data["question"]), was=str(row.data["gold"]), answer=answer)
