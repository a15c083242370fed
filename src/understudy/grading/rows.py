"""One row judged: which columns hold what, and what the grader adds to them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from understudy import answers
from understudy.answers import Policy
from understudy.grading.names import STOPS, USUAL, Grader
from understudy.grading.others import OTHERS
from understudy.records import Correction, Kind, Option, Stop, Verdict
from understudy.sources.columns import guessed
from understudy.sources.corrections import correction, load
from understudy.sources.files import get

E = TypeVar("E", Kind, Stop)


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Which column holds what; None = the usual ones. Dots reach inside: "meta.text"."""

    text: str | None = None
    gold: str | None = None
    kind: str | None = None
    stop: str | None = None
    thought: str | None = None

    def of(self, field: str) -> tuple[str, ...]:
        """The columns that a field is looked for in."""
        said = msgspec.structs.asdict(self).get(field)
        return (said,) if said is not None else USUAL[field]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How rows are judged."""

    columns: Columns = Columns()
    default_kind: Kind | None = None
    """Of a row that names none; None = number, or choice where the row has choices."""
    kind: Kind | None = None
    """Of every row, whatever it says; None = the row's own."""
    grader: Grader = Grader.UNDERSTUDY
    corrections: str | None = None
    """File of corrected gold answers; rows of those questions are judged by them."""
    policy: Policy = Policy()


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What is added to a row."""

    verdict: Verdict
    answer: str | None = None
    """As found in the reply."""
    thought_answer: str | None = None
    """As found in the thought."""
    consistent: bool | None = None
    """Thought and reply name the same answer; None = one of them names none."""
    rule: str | None = None
    """Which rule found the answer."""
    why: str = ""
    slips: tuple[str, ...] = ()
    """The false equations."""
    flags: tuple[str, ...] = ()
    grader: str
    """Who judged, and which version of it."""


class Asked(NamedTuple):
    """What is to be judged."""

    text: str
    gold: str | None
    kind: Kind
    stop: Stop
    thought: str | None
    choices: tuple[Option, ...]
    question: str


class Unusable(Exception):
    """This row cannot be judged; the message says why. Never leaves this room."""


def read(data: Mapping[str, object], settings: Settings) -> Asked:
    """What a row asks.

    Raises:
        Unusable: it has no text, or a value that is not understood.
    """
    columns = settings.columns
    text = written(data, columns, "text")
    if text is None:
        there = ", ".join(data) or "none"
        raise Unusable(f"there is no text in {' or '.join(columns.of('text'))}. Its columns: {there}")
    gold = written(data, columns, "gold")
    gold = gold if gold is not None and gold.strip() else None
    question = written(data, columns, "question") or ""
    if settings.corrections is not None:
        found = correction(book(settings.corrections), question, gold)
        gold = found.answer if found is not None else gold
    choices = options(cell(data, columns.of("choices")))
    return Asked(
        text=text,
        gold=gold,
        kind=settings.kind or kind_of(data, settings) or default_kind(settings, gold, choices),
        stop=stop_of(data, columns),
        thought=written(data, columns, "thought"),
        choices=choices,
        question=question,
    )


def judged(asked: Asked, settings: Settings) -> Judged:
    """What the grader says of it."""
    name = signature(settings)
    if settings.grader is not Grader.UNDERSTUDY:
        opinion = OTHERS[settings.grader](asked.text, asked.gold)
        return Judged(verdict=opinion.verdict, answer=opinion.answer, rule=opinion.rule, why=opinion.why, grader=name)
    text, gold, kind, stop, thought, choices, question = asked
    found = answers.judge(text, gold, kind, stop, thought, settings.policy, choices)
    whole = f"{thought}\n{text}" if thought else text
    return Judged(
        verdict=found.verdict,
        answer=found.answer,
        thought_answer=found.thought_answer,
        consistent=found.consistent,
        rule=found.rule,
        why=found.why,
        slips=tuple(slip.equation for slip in answers.slips(whole)),
        flags=answers.flags(text, question, kind, stop, thought, found),
        grader=name,
    )


@lru_cache(maxsize=4)
def book(path: str) -> dict[str, Correction]:
    """The corrections of a file, by their question."""
    return load(Path(path))


def refused(why: str, settings: Settings) -> Judged:
    """Of a row that cannot be judged."""
    return Judged(verdict=Verdict.FAILED, why=why, grader=signature(settings))


@lru_cache(maxsize=64)
def signature(settings: Settings) -> str:
    """Who judges, as "understudy-3:3fa9c0d2": the digits change with the policy, the code of `answers`, and
    Math-Verify's version where it is installed. Another grader stands before it: "lm-eval-strict@understudy-3:…".
    """
    what = msgspec.json.encode([settings.policy, installed("math-verify"), code()], order="sorted")
    name = f"understudy-{answers.VERSION}:{hashlib.sha256(what).hexdigest()[:8]}"
    return name if settings.grader is Grader.UNDERSTUDY else f"{settings.grader}@{name}"


@lru_cache(maxsize=1)
def code() -> str:
    """Hash of the files of `answers`."""
    found = hashlib.sha256()
    for path in sorted(Path(answers.__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def installed(package: str) -> str | None:
    """Its version; None where it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


# --- cells ------------------------------------------------------------------------------------------------------------


def cell(data: Mapping[str, object], columns: Iterable[str]) -> object:
    """What the first of the columns holds that holds something."""
    for column in columns:
        head = column if column in data else column.partition(".")[0]
        if head not in data:
            continue
        value = data[head]
        plain = msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value
        found = plain if head == column else get({head: plain}, column)
        if found is not None:
            return found
    return None


def written(data: Mapping[str, object], columns: Columns, field: str) -> str | None:
    """A cell as text."""
    value = cell(data, columns.of(field))
    if isinstance(value, (list, dict)):
        raise Unusable(f"{field}: a {'list' if isinstance(value, list) else 'mapping'} is no text")
    return None if value is None else str(value)


def kind_of(data: Mapping[str, object], settings: Settings) -> Kind | None:
    """The row's own."""
    return one_of(Kind, cell(data, settings.columns.of("kind")), "kind")


def default_kind(settings: Settings, gold: str | None, choices: Sequence[Option]) -> Kind:
    """Of a row that names none."""
    return settings.default_kind or (guessed(gold or "", choices) if choices else Kind.NUMBER)


def stop_of(data: Mapping[str, object], columns: Columns) -> Stop:
    said = cell(data, columns.of("stop"))
    return STOPS.get(str(said).lower()) or one_of(Stop, said, "stop") or Stop.END


def one_of(words: type[E], value: object, column: str) -> E | None:
    try:
        return None if value in (None, "") else words(str(value).lower())
    except ValueError:
        raise Unusable(f"{column}: '{value}' is none of {', '.join(words)}") from None


def options(value: object) -> tuple[Option, ...]:
    """Options from a list of texts (labelled A, B, ...), or of {label, text}."""
    try:
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            value = [{"label": chr(ord("A") + i), "text": v} for i, v in enumerate(value)]
        return msgspec.convert(value or [], tuple[Option, ...])
    except msgspec.ValidationError:
        raise Unusable("choices: give a list of texts, or of objects with label and text") from None
