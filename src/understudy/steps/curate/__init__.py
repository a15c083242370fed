"""Step 3. Every trace judged, and dropped by the first rule that refuses it; dropped ones stay on file, with evidence.

The rules that look at one trace come first (`rules.RULES`), those that look at many after them (`selection`). Traces
are read in (problem, sample) order, so that a few thousand are held at a time. Nothing kept is no error here: `mix`
says it.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from understudy import answers
from understudy.errors import RecipeError, UnderstudyError
from understudy.recipe import Curate
from understudy.records import Judged, Kind, Problem, Stop, Trace
from understudy.steps.curate import selection
from understudy.steps.curate.case import Agreed, Asked, Case, Graded, Group, Known, batches, judged, problem_of
from understudy.steps.curate.corrupt import Donor, corrupted
from understudy.steps.curate.ledger import with_ledger
from understudy.steps.curate.rules import RULES, Rule, agree
from understudy.steps.curate.selection import SET_RULES, Surprise
from understudy.steps.curate.survey import Survey, first_pass, needed, told

__all__ = ["ALL_RULES", "RULES", "SET_RULES", "Surprise", "curate", "funnel", "used", "with_ledger"]

TOLD_EVERY = 10_000
"""Traces between two lines of progress."""
ALL_RULES = (*(name for name, _ in RULES), *SET_RULES)
"""Every rule, in the order in which they are asked."""

Stage = Callable[[Iterable[Group]], Iterator[Group]]


def curate(
    traces: Iterable[Trace],
    problems: Mapping[str, Problem],
    settings: Curate,
    say: Callable[[str], None],
    *,
    surprise: Surprise | None = None,
) -> Iterator[Judged]:
    """One Judged per trace, in their order, which must be that of problems.

    Passes over the traces that rules need beforehand (the usual lengths; the student's surprise; a choice among all
    problems) are made before this returns; the last one while its result is read. `surprise` asks the student.

    Raises:
        RecipeError: the settings name a rule that there is not, or do not go together.
        UnderstudyError: a trace is of a problem that is not among `problems`, or not beside the problem's others.
    """
    rules = used(settings)
    check(settings)
    passes = _Passes(settings, list(rules), surprise, say)
    found = Survey({}, (), False, {})
    if needed(settings, rules):
        found = first_pass(traces, problems, settings)
        passes.done(told(found))
    known = Known(settings, found.usual)
    asked = [(name, rule) for name, rule in RULES if name in rules]
    stages: list[Stage] = [
        lambda groups: selection.unlike(_refused(batches(groups), asked, known), settings, rules),
    ]

    def through() -> Iterator[Group]:
        """The traces by problem, through the stages so far."""
        votes = "consensus" in rules and settings.consensus is not None
        groups: Iterator[Group] = _groups(_told(traces, say), problems, votes, found.graded)
        for stage in stages:
            groups = stage(groups)
        return groups

    if surprise is not None and settings.surprise_band is not None and "surprise" in rules:
        surprises = selection.surprises(through(), surprise, settings.surprise_band)
        passes.done(f"the student's surprise is {surprises.low:.2f} to {surprises.high:.2f} nats a token")
        stages.append(lambda groups: selection.unsurprising(groups, surprises))
    stages.append(lambda groups: selection.selected(groups, settings.select, rules))
    if selection.wanted(settings.select, rules):
        choice = selection.choose(through(), settings.select, rules)
        passes.done(f"{choice.problems} problems of {choice.domains} domains, {choice.tokens:,} tokens")
        stages.append(lambda groups: selection.chosen(groups, choice))
    return (_judged(case, settings, found.donors) for group in through() for case in group.cases)


def used(settings: Curate) -> list[str]:
    """The rules that are used, in order.

    Raises:
        RecipeError: one to leave out does not exist (names the nearest), or keeps tests apart from training.
    """
    for name in settings.without:
        if name not in ALL_RULES:
            near = difflib.get_close_matches(name, ALL_RULES, 1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(ALL_RULES)}."
            raise RecipeError(f"curate: without: there is no rule '{name}'. {hint}")
    if "contaminated" in settings.without:
        raise RecipeError(
            "curate: without: 'contaminated' cannot be left out alone: base training would not follow. "
            "Turn the comparison with the tests off everywhere: overlap_words: null."
        )
    return [name for name in ALL_RULES if name not in settings.without]


def check(settings: Curate) -> None:
    """Refuses settings that do not go together.

    Raises:
        RecipeError: says which.
    """
    select = settings.select
    bands = {"length_band": settings.length_band, "surprise_band": settings.surprise_band}
    for name, band in (bands | {"select: pass_rate": select.pass_rate}).items():
        if band is not None and band[0] > band[1]:
            raise RecipeError(f"curate: {name}: {band[0]:g} is more than {band[1]:g}. Write the smaller one first.")
    if select.most is not None and select.least > select.most:
        raise RecipeError(
            f"curate: select: least: {select.least} traces of a problem, and most: {select.most}: nothing would be "
            "kept. Let least be at most most."
        )


def funnel(judged: Iterable[Judged]) -> dict[str, int]:
    """How many were kept, then how many each rule dropped, in the order of the rules; rules without work left out."""
    counts = Counter(j.dropped_by or "kept" for j in judged)
    order = dict.fromkeys(("kept", *ALL_RULES, *sorted(counts)))
    return {name: counts[name] for name in order if counts[name] or name == "kept"}


class _Passes:
    """Counts the passes over the traces, for whoever watches."""

    def __init__(self, settings: Curate, rules: Sequence[str], surprise: object, say: Callable[[str], None]) -> None:
        student = surprise is not None and "surprise" in rules
        self.all = 1 + needed(settings, rules) + student + selection.wanted(settings.select, rules)
        self.made = 0
        self.say = say

    def done(self, line: str) -> None:
        self.made += 1
        self.say(f"curate       pass {self.made} of {self.all}: {line}")


def _told(traces: Iterable[Trace], say: Callable[[str], None]) -> Iterator[Trace]:
    for count, trace in enumerate(traces, 1):
        yield trace
        if count % TOLD_EVERY == 0:
            say(f"curate       {count} traces judged")


def _groups(
    traces: Iterable[Trace],
    problems: Mapping[str, Problem],
    votes: bool,
    known: Mapping[str, Graded],
) -> Iterator[Group]:
    """The traces of each problem, judged unless `known` are; with `votes` those without a gold answer have voted."""
    done: set[str] = set()
    for key, ones in groupby(traces, key=lambda trace: trace.problem):
        if key in done:
            raise UnderstudyError(
                f"curate: the traces of problem '{key}' do not stand together. Sort them by problem and sample number."
            )
        some = list(ones)
        asked = Asked(problem_of(some[0], problems))
        done.add(asked.problem.id)
        cases = [Case(trace, asked, known.get(trace.id) or judged(trace, asked.problem)) for trace in some]
        group = Group(asked, cases)
        if votes and asked.problem.answer is None and asked.problem.kind is not Kind.OPEN:
            asked.agreed = _agreed(group)
        yield group


def _agreed(group: Group) -> Agreed:
    """The commonest answer; none where another is as common."""
    kind = group.asked.problem.kind
    said = [c.judgement.answer for c in group.cases if c.trace.sample.stop is not Stop.ERROR]
    first = answers.vote(said, kind).answer
    others = [a for a in said if a is not None and first is not None and not agree(a, first, kind)]
    times = sum(a is not None for a in said) - len(others)
    second = answers.vote(others, kind)
    tie = round(second.agreement * len(others)) >= times
    return Agreed(None if tie else first, 0 if first is None else times, len(said))


def _refused(
    batches: Iterable[Sequence[Group]], rules: Sequence[tuple[str, Rule]], known: Known
) -> Iterator[Sequence[Group]]:
    """Every rule is asked, so that it is on record which ones are against a trace."""
    for groups in batches:
        for group in groups:
            for case in group.cases:
                for name, rule in rules:
                    why = rule(case, known)
                    if why is not None:
                        case.refuse(name, why)
        yield groups


def _judged(case: Case, settings: Curate, donors: Sequence[Donor]) -> Judged:
    trace, told = case.trace, None
    if settings.corrupt is not None and not case.against:
        damaged = corrupted(trace, case.problem.kind, settings.corrupt, donors)
        trace, told = damaged or (trace, None)
    agreed = case.asked.agreed
    return Judged(
        trace=trace,
        verdict=case.judgement.verdict,
        answer=agreed.answer if agreed is not None and not case.against else case.judgement.answer,
        flags=case.flags,
        dropped_by=case.against[0] if case.against else None,
        why=case.why,
        against=tuple(case.against),
        structure=None if case.structure is None else _rounded(case.structure.score),
        corrupted=told,
    )


@lru_cache(maxsize=1024)
def _rounded(score: float) -> float:
    """To four digits; there are few different scores, and rounding takes longer than most rules."""
    return round(score, 4)
