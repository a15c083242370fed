"""The rules that look at many traces: those that are too alike, the student's surprise, and which of the rest are kept.

Each is asked only of traces that no rule before it refuses. What a problem's own traces decide is decided while they
pass; what all decide takes a pass of its own before.
"""

import hashlib
import random
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from understudy.recipe import Curate, Prefer, Scope, Select
from understudy.records import Problem, Trace, Verdict
from understudy.sources.near import Near
from understudy.steps.curate.case import Case, Group
from understudy.steps.curate.structure import path

BATCH = 256
"""Traces that the student is asked about at once."""
FAR = 40
"""Ranks behind the first one whose weight is nothing."""

Surprise = Callable[[Sequence[Trace]], Iterator[float]]
"""How surprised the student is by each trace, nats per token."""


# --- too alike --------------------------------------------------------------------------------------------------------


def unlike(batches: Iterable[Sequence[Group]], settings: Curate, rules: Sequence[str]) -> Iterator[Group]:
    """Rules `duplicate` and `near_duplicate`: of traces that are alike the first one stays.

    Only with `settings.near: all` is anything remembered for longer.
    """
    near = Near(settings.near_jaccard) if settings.near is Scope.ALL else None
    for some in batches:
        if "duplicate" in rules:
            for group in some:
                _equal(group)
        if "near_duplicate" in rules and settings.near is not Scope.OFF:
            _alike(some, near or Near(settings.near_jaccard), within=near is None)
        yield from some


def _equal(group: Group) -> None:
    """Whatever the spacing and case."""
    seen: dict[str, str] = {}
    left = group.left
    times = Counter([case.words for case in left])
    for case in left if len(times) < len(left) else ():
        if times[case.words] == 1:
            continue
        first = seen.setdefault(" ".join(case.text.split()).casefold(), case.trace.id)
        if first != case.trace.id:
            case.refuse("duplicate", f"the same text as {first}")


def _alike(groups: Sequence[Group], near: Near, within: bool) -> None:
    """Among the traces of one problem, or of all: then the question is part of the text."""
    left = [group.left for group in groups]
    cases = [case for some in left if len(some) > 1 or not within for case in some]
    twins = near.add_all(
        [case.trace.id for case in cases],
        [case.text if within else f"{case.problem.question}\n{case.text}" for case in cases],
        [case.problem.id for case in cases] if within else None,
    )
    for case, twin in zip(cases, twins, strict=True):
        if twin is not None:
            case.refuse("near_duplicate", f"like {twin.key}: they share {twin.jaccard:.0%} of their five-word runs")


# --- the student's surprise -------------------------------------------------------------------------------------------


class Surprises(NamedTuple):
    """What the student was surprised by, of the traces that no rule refuses, in their order."""

    values: "array[float]"
    low: float
    """Nats per token, at the lower percentile."""
    high: float


def surprises(groups: Iterable[Group], surprise: Surprise, band: tuple[float, float]) -> Surprises:
    """Asks the student once about every trace that is left. Eight bytes a trace are held."""
    values = array("d")
    left = (case.trace for group in groups for case in group.left)
    while batch := list(islice(left, BATCH)):
        values.extend(surprise(batch))
    ordered = sorted(values)
    last = len(ordered) - 1
    low, high = (ordered[int(band[0] * last)], ordered[-1 - int((1 - band[1]) * last)]) if ordered else (0.0, 0.0)
    return Surprises(values, low, high)


def unsurprising(groups: Iterable[Group], found: Surprises) -> Iterator[Group]:
    """Rule `surprise`: what the student finds too easy or too strange. `groups` are those that `found` is of."""
    values = iter(found.values)
    for group in groups:
        for case in group.left:
            value = next(values)
            if not found.low <= value <= found.high:
                case.refuse(
                    "surprise", f"{value:.3f} nats a token, the others have {found.low:.3f} to {found.high:.3f}"
                )
        yield group


# --- the traces of one problem ----------------------------------------------------------------------------------------


def selected(groups: Iterable[Group], select: Select, rules: Sequence[str]) -> Iterator[Group]:
    """The rules of `WITHIN`, in order."""
    asked = [(name, rule) for name, rule in WITHIN if name in rules]
    for group in groups:
        for name, rule in asked:
            for case, why in list(rule(group, select)):
                case.refuse(name, why)
        yield group


def _same_path(group: Group, select: Select) -> Iterator[tuple[Case, str]]:
    seen: dict[tuple[str, ...], str] = {}
    for case in _preferred(group, select) if select.distinct_paths else ():
        way = path(case.equations)
        first = seen.setdefault(way, case.trace.id)
        if way and first != case.trace.id:  # without equations there is no telling
            yield case, f"the equations of {first}"


def _difficulty(group: Group, select: Select) -> Iterator[tuple[Case, str]]:
    if select.pass_rate is None:
        return
    rate = pass_rate(case.judgement.verdict for case in group.cases)
    if rate is None:
        return
    low, high = select.pass_rate
    for case in () if low <= rate <= high else group.left:
        yield case, f"the teacher solves {rate:.0%} of its samples, {low:.0%} to {high:.0%} are wanted"


def _enough(group: Group, select: Select) -> Iterator[tuple[Case, str]]:
    for case in _preferred(group, select)[select.most :] if select.most is not None else ():
        yield case, f"{select.most} of this problem are kept, the {select.prefer}"


def _too_few(group: Group, select: Select) -> Iterator[tuple[Case, str]]:
    left = group.left
    for case in left if len(left) < select.least else ():
        yield case, f"{len(left)} of this problem, at least {select.least} are wanted"


def _preferred(group: Group, select: Select) -> list[Case]:
    """What is left, the ones to keep first."""
    if select.prefer is Prefer.FIRST:
        return group.left
    return sorted(group.left, key=lambda c: c.words, reverse=select.prefer is Prefer.LONGEST)


WITHIN: tuple[tuple[str, Callable[[Group, Select], Iterator[tuple[Case, str]]]], ...] = (
    ("same_path", _same_path),
    ("difficulty", _difficulty),
    ("enough", _enough),
    ("too_few", _too_few),
)
"""Which of a problem's traces are kept: the rules, in order."""


def pass_rate(verdicts: Iterable[Verdict]) -> float | None:
    """Share of right ones among those that say something of the teacher; None = there are none."""
    counts = Counter(verdicts)
    graded = counts.total() - counts[Verdict.FAILED] - counts[Verdict.UNGRADED]
    return counts[Verdict.RIGHT] / graded if graded else None


# --- all problems -----------------------------------------------------------------------------------------------------


class Summary(NamedTuple):
    """A problem of which traces are left."""

    problem: str
    domain: str
    words: float
    """Mean of its traces."""
    tokens: int
    """Of all its traces, as the teacher counts them; words where it does not."""


class Choice(NamedTuple):
    """Which problems stay."""

    out: dict[str, tuple[str, str]]
    """Problem to the rule that leaves it out and its evidence."""
    problems: int
    """How many stay."""
    domains: int
    tokens: int


def wanted(select: Select, rules: Sequence[str]) -> bool:
    """Whether a choice among all problems is asked for."""
    return select.problems is not None and "diversity" in rules or select.tokens is not None and "budget" in rules


def choose(groups: Iterable[Group], select: Select, rules: Sequence[str]) -> Choice:
    """Rules `diversity` and `budget`. Holds a summary of every problem."""
    found = [_summary(group, select) for group in groups if group.left]
    stay, out = found, dict[str, tuple[str, str]]()
    if select.problems is not None and "diversity" in rules and select.problems < len(found):
        stay = _drawn(found, select.problems, select.longest)
        kept = {s.problem for s in stay}
        why = f"not among the {select.problems} problems that were drawn"
        out |= {s.problem: ("diversity", why) for s in found if s.problem not in kept}
    if select.tokens is not None and "budget" in rules:
        within = _affordable(stay, select.tokens)
        kept = {s.problem for s in within}
        why = f"the {select.tokens:,} tokens are spent"
        out |= {s.problem: ("budget", why) for s in stay if s.problem not in kept}
        stay = within
    return Choice(out, len(stay), len({s.domain for s in stay}), sum(s.tokens for s in stay))


def chosen(groups: Iterable[Group], choice: Choice) -> Iterator[Group]:
    """The traces of problems that do not stay are refused."""
    for group in groups:
        found = choice.out.get(group.asked.problem.id)
        if found is not None:
            for case in group.left:
                case.refuse(*found)
        yield group


def domain_of(problem: Problem, by: str | None) -> str:
    """The value of that slice, or the source."""
    return problem.source if by is None else problem.slices.get(by, "")


def _summary(group: Group, select: Select) -> Summary:
    left, problem = group.left, group.asked.problem
    words = [case.words for case in left]
    tokens = sum(case.trace.sample.tokens_out or n for case, n in zip(left, words, strict=True))
    return Summary(problem.id, domain_of(problem, select.by), sum(words) / len(words), tokens)


def _drawn(found: Sequence[Summary], count: int, longest: bool) -> list[Summary]:
    """So many problems: a domain is drawn, then one of its problems, until there are enough."""
    rng = random.Random("diversity")
    domains: defaultdict[str, list[Summary]] = defaultdict(list)
    for one in found:
        domains[one.domain].append(one)
    for ones in domains.values():
        ones.sort(key=lambda s: (s.words, s.problem))
        if not longest:
            rng.shuffle(ones)
    names, drawn = sorted(domains), list[Summary]()
    while len(drawn) < count:
        name = rng.choice(names)
        ones = domains[name]
        drawn.append(ones.pop(-1 - _rank(rng, len(ones)) if longest else -1))
        if not ones:
            names.remove(name)
    return drawn


def _rank(rng: random.Random, count: int) -> int:
    """0 to count - 1, each with half the weight of the one before."""
    most = min(count, FAR)
    return rng.choices(range(most), [2.0**-rank for rank in range(most)])[0]


def _affordable(found: Sequence[Summary], tokens: int) -> list[Summary]:
    """Whole problems in an order drawn by the hash of their ids, until the next would cost too much."""
    within, spent = list[Summary](), 0
    for one in sorted(found, key=lambda s: hashlib.blake2b(s.problem.encode()).digest()):
        spent += one.tokens
        if spent > tokens:
            break
        within.append(one)
    return within


SET_RULES = ("duplicate", "near_duplicate", "surprise", *(name for name, _ in WITHIN), "diversity", "budget")
"""Every rule that looks at many traces, in the order in which they are asked."""
