"""One trace and one question as the rules look at them; what several rules need is found once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from understudy import answers
from understudy.errors import UnderstudyError
from understudy.recipe import Curate
from understudy.records import Kind, Problem, Stop, Trace
from understudy.steps.curate.structure import Structure, quantities, structure
from understudy.steps.curate.wording import FLAGGED, SOUGHT, Limits, languages, scripts

AT_ONCE = 4096
"""Traces that are looked at together, and searched for near-duplicates."""
CHARACTERS_AT_ONCE = 1 << 18
"""So many characters are enough, too: what is made of them is to fit into the processor's cache."""


class Usual(NamedTuple):
    """The usual length of a source's right traces, words."""

    low: int
    """At the lower percentile of `length_band`."""
    median: int
    high: int


class Known:
    """What rules know beside the trace at hand."""

    def __init__(self, settings: Curate, usual: Mapping[str, Usual]) -> None:
        self.settings = settings
        self.usual = usual
        """By source; one with too few right traces has none."""
        self.limits = Limits(settings.repeat_share, settings.repeat_runs, settings.repeat_lines)
        self.flagged = all(mine >= shown for mine, shown in zip(self.limits, FLAGGED, strict=True))
        """What runs in circles by these limits shows the flag `repeats`, too."""


class Graded(NamedTuple):
    """What the grader says of a trace."""

    judgement: answers.Judgement
    damage: answers.Damage | None
    """Of the thinking marks."""
    flags: tuple[str, ...]
    equations: tuple[answers.Equation, ...]


class Agreed(NamedTuple):
    """What the samples of a question without gold answer agree on."""

    answer: str | None
    """The commonest; None where there is none, or another is as common."""
    times: int
    """How many say it."""
    of: int
    """Of so many samples."""


class Asked:
    """A problem, and what its traces are compared with."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.scripts = scripts(problem.question)
        self.quantities = quantities(problem.question) if problem.kind is Kind.NUMBER else frozenset()
        self.agreed: Agreed | None = None
        """None = the problem has a gold answer, or is conversation."""
        self._languages: frozenset[str] | None = None

    @property
    def languages(self) -> frozenset[str]:
        """Those that the question may be in; none where it has too few words to say."""
        if self._languages is None:
            self._languages = languages(self.problem.question)
        return self._languages


class Case:
    """One trace, and what is known of it."""

    __slots__ = (
        "against", "asked", "cued", "damage", "equations", "flags", "foreign", "judgement", "problem", "structure",
        "text", "trace", "why", "words",
    )  # fmt: skip

    def __init__(self, trace: Trace, asked: Asked, graded: Graded) -> None:
        sample, problem = trace.sample, asked.problem
        self.trace, self.asked, self.problem = trace, asked, problem
        self.judgement, self.damage, self.flags, self.equations = graded
        self.text = whole(trace)
        self.structure: Structure | None = None
        if problem.kind is Kind.NUMBER and sample.stop is not Stop.ERROR:
            self.structure = structure(self.text, self.equations, asked.quantities, self.judgement.answer)
        self.against: list[str] = []
        """Rules that refuse it."""
        self.why: str | None = None
        """The evidence of the first."""
        self.words = 0
        """How many there are. This and what follows is known once its batch has been counted."""
        self.foreign = self.cued = True
        """Words of another language, of talk about the task, may be among them."""

    @property
    def parts(self) -> answers.Reply:
        """Thought and reply apart."""
        return answers.split(self.trace.sample.text, self.trace.sample.thought)

    def refuse(self, rule: str, why: str) -> None:
        """Another rule is against it."""
        if not self.against:
            self.why = " ".join(why.split())
        self.against.append(rule)


class Group(NamedTuple):
    """The traces of one problem, in the order of sampling."""

    asked: Asked
    cases: Sequence[Case]

    @property
    def left(self) -> list[Case]:
        """Those that no rule refuses."""
        return [case for case in self.cases if not case.against]


def batches(groups: Iterable[Group]) -> Iterator[list[Group]]:
    """Some thousand traces at a time, the words of each counted."""
    some, size, characters = list[Group](), 0, 0
    for group in groups:
        some.append(group)
        size += len(group.cases)
        characters += sum([len(case.text) for case in group.cases])
        if size >= AT_ONCE or characters >= CHARACTERS_AT_ONCE:
            yield _counted(some)
            some, size, characters = [], 0, 0
    if some:
        yield _counted(some)


def _counted(groups: list[Group]) -> list[Group]:
    cases = [case for group in groups for case in group.cases]
    words, (foreign, cued) = SOUGHT.look([case.text for case in cases])
    for case, count, strange, telling in zip(cases, words, foreign, cued, strict=True):
        case.words, case.foreign, case.cued = count, strange, telling
    return groups


def whole(trace: Trace) -> str:
    """Thought and reply in one text."""
    sample = trace.sample
    return f"{sample.thought}\n{sample.text}" if sample.thought else sample.text


def judged(trace: Trace, problem: Problem) -> Graded:
    """What the grader says of a trace: all of it at once, while it still knows how it has split the text."""
    s = trace.sample
    said = answers.judge(s.text, problem.answer, problem.kind, s.stop, s.thought, choices=problem.choices)
    flags = answers.flags(s.text, problem.question, problem.kind, s.stop, s.thought, said)
    return Graded(said, answers.split(s.text, s.thought).damage, flags, answers.equations(whole(trace)))


def problem_of(trace: Trace, problems: Mapping[str, Problem]) -> Problem:
    """The problem that a trace is of.

    Raises:
        UnderstudyError: it is not there.
    """
    problem = problems.get(trace.problem)
    if problem is None:
        raise UnderstudyError(
            f"Trace {trace.id} is of a problem that is not there: '{trace.problem}'. "
            "The problems have changed since; remove the traces and run again."
        )
    return problem
