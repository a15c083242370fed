"""One trace and one question as the rules look at them; what several rules need is found once."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from understudy import answers
from understudy.errors import UnderstudyError
from understudy.recipe import Curate
from understudy.records import Kind, Problem, Stop, Trace
from understudy.steps.curate.structure import Structure, quantities, structure
from understudy.steps.curate.wording import FLAGGED, Limits, languages, scripts


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
        "against", "asked", "equations", "flags", "judgement", "parts", "problem", "structure", "text", "trace", "why",
        "words",
    )  # fmt: skip

    def __init__(self, trace: Trace, asked: Asked, judgement: answers.Judgement) -> None:
        sample, problem = trace.sample, asked.problem
        self.trace, self.asked, self.problem, self.judgement = trace, asked, problem, judgement
        self.text = f"{sample.thought}\n{sample.text}" if sample.thought else sample.text
        """Thought and reply."""
        self.parts = answers.split(sample.text, sample.thought)
        self.flags = answers.flags(sample.text, problem.question, problem.kind, sample.stop, sample.thought, judgement)
        self.words = self.text.split()
        self.equations = answers.equations(self.text)
        self.structure: Structure | None = None
        if problem.kind is Kind.NUMBER and sample.stop is not Stop.ERROR:
            self.structure = structure(self.text, self.equations, asked.quantities, judgement.answer)
        self.against: list[str] = []
        """Rules that refuse it."""
        self.why: str | None = None
        """The evidence of the first."""

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


def judged(trace: Trace, problem: Problem) -> answers.Judgement:
    """The grader's judgement of a trace."""
    s = trace.sample
    return answers.judge(s.text, problem.answer, problem.kind, s.stop, s.thought, choices=problem.choices)


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
