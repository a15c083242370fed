"""Problems out of templates in the notation of GSM-Symbolic (arXiv 2410.05229): slots, values, conditions, an answer.

    {name,Jerry} has {x,12} apples …          a slot: what it is called, and how the question it was made from had it
    #init:        - name = sample(names)      - $x = range(10, 500, 10)
    #conditions:  - x < 100                   - is_int(x / 3)
    #answer:      x / 3

New instances are drawn with a seed until every condition holds. Formulas are exact, and read, never executed.
"""

import math
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from understudy.errors import UserError
from understudy.recipe import Source
from understudy.records import Kind, Problem, Rejected, Split
from understudy.sources.files import rows
from understudy.sources.formula import FUNCTIONS, names_in, worth
from understudy.sources.words import COUNTED, LISTS

SLOT = re.compile(r"\{\s*(\w+)\s*,\s*([^{}]*?)\s*\}")
FILLED = re.compile(r"\{([^{}]*)\}")
NOTE = re.compile(r"<<[^<>]*>>")
SECTIONS = re.compile(r"^\s*#(init|conditions?|answer)\s*:?", re.MULTILINE)
BEGINNING = re.compile(r"(?:^|[.?!]\s+)[a-z]")
LINE = re.compile(r"^\s*-\s*\$?\s*(?P<names>\w+(?:\s*,\s*\$?\w+)*)\s*=\s*(?P<values>.+?)\s*$")
DRAWS = 100_000
"""Draws until a template is given up whose conditions do not come true."""


class Said(NamedTuple):
    """A value and how it is said: ("half", 1/2)."""

    word: Any
    worth: Any


class Template(NamedTuple):
    """One problem with slots."""

    text: str
    init: tuple[tuple[tuple[str, ...], str], ...]
    """Names and the list they are drawn from, in order: a later one may use an earlier one."""
    conditions: tuple[str, ...]
    answer: str
    rationale: str
    """With formulas in braces; "" where there is none."""

    @property
    def defaults(self) -> dict[str, str]:
        """Slot to what it was in the question that the template is made from."""
        return {name: default for name, default in SLOT.findall(self.text)}


class Instance(NamedTuple):
    """A problem made of a template."""

    question: str
    answer: str
    rationale: str | None
    values: dict[str, str]


def parse(annotated: str, rationale: str = "") -> Template:
    """A template out of its text.

    Raises:
        UserError: a section is missing, or a line of #init assigns nothing.
    """
    text, *parts = SECTIONS.split(annotated)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    if not {"init", "answer"} <= sections.keys():
        raise UserError(f"The template {text.strip()[:60]!r}… needs the sections #init: and #answer:. Add them.")
    found = [(line, LINE.match(line)) for line in sections["init"].splitlines() if line.strip()]
    if wrong := next((line for line, match in found if match is None), None):
        raise UserError(f"#init of a template: {wrong.strip()!r} draws nothing. Write: - name = sample(list)")
    init = tuple((tuple(n.strip(" $") for n in m["names"].split(",")), m["values"]) for _, m in found if m is not None)
    conditions = next((sections[k] for k in ("conditions", "condition") if k in sections), "")
    listed = tuple(line.strip().lstrip("-").strip() for line in conditions.splitlines())
    return Template(text.strip(), init, tuple(filter(None, listed)), sections["answer"].strip("$={} \n"), rationale)


def instances(template: Template, count: int, seed: str) -> Iterator[Instance]:
    """So many different problems of a template; the same seed gives the same ones.

    Raises:
        UserError: a formula cannot be worked out, or the conditions come true too rarely.
    """
    rng, seen = random.Random(f"template/{seed}"), set[str]()
    conditions = _due(template)
    for _ in range(DRAWS * count):
        values = _drawn(template, conditions, rng)
        made = _made(template, values) if values is not None else None
        if made is not None and made.question not in seen:
            seen.add(made.question)
            yield made
            if len(seen) == count:
                return
    raise UserError(
        f"The template {template.text[:60]!r}… gave {len(seen)} of {count} problems in {DRAWS * count} draws. "
        "Widen its lists, or loosen its conditions."
    )


def _due(template: Template) -> list[list[str]]:
    """[line of #init] the conditions that can be checked after it and not before."""
    due: list[list[str]] = [[] for _ in template.init]
    for condition in template.conditions:
        wanted = names_in(condition)
        due[max((i for i, (names, _) in enumerate(template.init) if wanted & {*names}), default=-1)].append(condition)
    return due


def _drawn(template: Template, due: Sequence[Sequence[str]], rng: random.Random) -> dict[str, Any] | None:
    """Name to value, or to `Said` where it is said otherwise than it is worth; None as soon as a condition fails."""
    values: dict[str, Any] = {}
    functions = FORMULAS | _samplers(rng)
    known: dict[str, Any] = {**LISTS}
    for (names, formula), conditions in zip(template.init, due, strict=True):
        found = worth(formula, known, functions)
        if len(names) > 1:
            drawn = found if len(found) == len(names) else rng.sample(list(found), len(names))
        else:
            drawn = [rng.choice(found) if isinstance(found, list) else found]
        for name, value in zip(names, drawn, strict=True):
            values[name] = Said(*value) if isinstance(value, tuple) else value
            known[name] = value[1] if isinstance(value, tuple) else value
        if not all(worth(condition, known, functions) for condition in conditions):
            return None
    return values


def _samplers(rng: random.Random) -> dict[str, Callable[..., Any]]:
    """What #init calls beside arithmetic. Lists are drawn from; a count of one draws a value, not a list."""

    def sample(values: Sequence[Any], n: Any = None) -> Any:
        return rng.choice(values) if n is None else rng.sample(list(values), int(n))

    def following(values: Sequence[Any], n: Any) -> list[Any]:
        at = rng.randrange(len(values) - int(n) + 1)
        return list(values[at : at + int(n)])

    return {
        "sample": sample,
        "sample_sequential": following,
        "range": steps,
        "np.arange": steps,
        "frange": steps,
        "numbers_within": lambda low, high: [(COUNTED.get(int(n), str(n)), n) for n in steps(low, high + 1)],
        "np.random.randint": lambda low, high, n=1: [
            Fraction(rng.randrange(int(low), int(high))) for _ in range(int(n))
        ],
        "list": list,
        "fix_floats": list,
        "shuffle_list": list,
    }


@lru_cache(maxsize=1024)
def steps(low: Any, high: Any = None, step: Any = 1) -> list[Fraction]:
    """Numbers from low up to high, without it; exact, so that 0.25 three times is 0.75."""
    first, end = (Fraction(0), Fraction(low)) if high is None else (Fraction(low), Fraction(high))
    return [first + i * Fraction(step) for i in range(max(0, math.ceil((end - first) / Fraction(step))))]


def _worths(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: v.worth if isinstance(v, Said) else v for name, v in values.items()}


def problems(source: Source, name: str, seed: int, first: int) -> Iterator[Problem | Rejected]:
    """Problems of every template of a file, so many of each as the source's counts say; `parent` is the template.

    A template that cannot be filled, or whose solution comes to another answer, is set aside.

    Raises:
        SourceError: there is no such file.
    """
    number = first
    for row in rows(Path(str(source.path))):
        try:
            template = _of_row(row.data or {})
            made = {split: list(instances(template, n, f"{seed}/{split}/{row.line}")) for split, n in _wanted(source)}
        except UserError as error:
            yield row.rejected(str(source.path), str(error))
            continue
        for split, found in made.items():
            for one in found:
                yield Problem(
                    id=f"{name}/{split}/{number}",
                    question=one.question,
                    answer=one.answer,
                    kind=Kind.NUMBER,
                    rationale=one.rationale,
                    source=name,
                    split=split,
                    parent=f"{name}/template/{row.line}",
                    slices={"template": str(row.line)},
                )
                number += 1


def _wanted(source: Source) -> Iterator[tuple[Split, int]]:
    for split in Split:
        if count := getattr(source.counts, split):
            yield split, count


def _of_row(row: Mapping[str, Any]) -> Template:
    """The template of a row: its own columns, or those in `meta`, as Apple's files and copies of them have them."""
    inside = row["meta"] if isinstance(row.get("meta"), dict) else row
    annotated, rationale = (inside.get(f"{part}_annotated") for part in ("question", "answer"))
    if not isinstance(annotated, str):
        raise UserError("The row has no question_annotated. Give a file of templates.")
    return parse(annotated, rationale if isinstance(rationale, str) else "")


def _made(template: Template, values: Mapping[str, Any]) -> Instance:
    said = {name: spelled(v.word if isinstance(v, Said) else v) for name, v in values.items()}
    known = _worths(values)
    question = SLOT.sub(lambda m: said.get(m[1], m[2]), template.text)
    answer = spelled(worth(template.answer, known, FORMULAS))
    if (other := _last(template.rationale, known)) not in (None, answer):
        raise UserError(f"The template comes to {answer}, and its own solution to {other}: {question[:60]!r}… Mend it.")
    return Instance(_capital(question), answer, _told(template.rationale, known), said)


def _last(rationale: str, known: Mapping[str, Any]) -> str | None:
    """What the solution ends in: "#### {x / 3}"; None where it does not say."""
    ends = FILLED.search(rationale.rpartition("####")[2])
    try:
        return spelled(worth(ends[1], known, FORMULAS)) if ends else None
    except UserError:
        return None


def _told(rationale: str, known: Mapping[str, Any]) -> str | None:
    """The solution with its formulas worked out, without calculator notes and the answer's own line."""
    body = NOTE.sub("", rationale).partition("####")[0].strip()
    try:
        return FILLED.sub(lambda m: spelled(worth(m[1], known, FORMULAS)), body) or None
    except UserError:  # a few solutions call what only their authors know; the problem is good without
        return None


def spelled(value: Any) -> str:
    """A number as a person writes it: whole, decimal where that is exact and short, else a fraction.

    >>> spelled(Fraction(12)), spelled(Fraction(1, 4)), spelled(Fraction(1, 3))
    ('12', '0.25', '1/3')
    """
    if not isinstance(value, Fraction):
        return str(value)
    if value.denominator == 1:
        return str(value.numerator)
    places = next((p for p in range(1, 5) if (value * 10**p).denominator == 1), None)
    return f"{value.numerator}/{value.denominator}" if places is None else f"{float(value):.{places}f}"


def _capital(question: str) -> str:
    """Each sentence begins with a capital, whatever its first slot was filled with."""
    return BEGINNING.sub(lambda m: m[0].upper(), question)


FORMULAS = FUNCTIONS | {"format_frac": lambda x: x}
