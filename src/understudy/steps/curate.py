"""Step 3. Every trace judged and, by the first rule that refuses it, dropped. Dropped ones stay on file, with evidence.

Nothing kept is no error here: `mix` says it.
"""

import difflib
import hashlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from understudy import answers
from understudy.errors import RecipeError, UnderstudyError
from understudy.recipe import Curate
from understudy.records import Judged, Kind, Problem, Stop, Trace, Verdict
from understudy.sources.columns import normalised

FEW = 10
"""Fewer right traces of a source than this have no usual length."""
TOLD_EVERY = 10_000
"""Traces between two lines of progress."""


class Case(NamedTuple):
    """One trace as the rules look at it."""

    trace: Trace
    problem: Problem
    judgement: answers.Judgement
    flags: tuple[str, ...]

    @property
    def text(self) -> str:
        """Thought and reply."""
        sample = self.trace.sample
        return f"{sample.thought}\n{sample.text}" if sample.thought else sample.text


class Known:
    """What rules know of everything but the trace at hand: hashes and counts only, whatever the number of traces."""

    def __init__(self, settings: Curate, usual: Mapping[str, int]) -> None:
        self.settings = settings
        self.usual = usual
        """Source to the median length of its right traces, words."""
        self.texts: set[int] = set()
        """Of the traces kept."""
        self.kept: Counter[str] = Counter()
        """Problem to its traces kept."""

    def keep(self, case: Case) -> None:
        self.texts.add(_fingerprint(case))
        self.kept[case.problem.id] += 1


Rule = Callable[[Case, Known], str | None]
"""The evidence against a trace in one line; None = nothing against it."""


def curate(
    traces: Iterable[Trace],
    problems: Mapping[str, Problem],
    settings: Curate,
    say: Callable[[str], None],
) -> Iterator[Judged]:
    """One Judged per trace, in their order.

    Where `too_long` needs the usual length, all traces are read once before this returns; they are read while its
    result is.

    Raises:
        RecipeError: `settings.without` names a rule that there is not.
        UnderstudyError: a trace is of a problem that is not among `problems`.
    """
    rules = used(settings)
    usual = _usual(traces, problems, say) if "too_long" in rules and settings.long_ratio is not None else {}
    known = Known(settings, usual)
    return (_one(_case(trace, problems), known, rules) for trace in _told(traces, say))


def used(settings: Curate) -> dict[str, Rule]:
    """The rules that are used, in order.

    Raises:
        RecipeError: one to leave out does not exist (names the nearest), or keeps tests apart from training.
    """
    names = [name for name, _ in RULES]
    for name in settings.without:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(names)}."
            raise RecipeError(f"curate: without: there is no rule '{name}'. {hint}")
    if "contaminated" in settings.without:
        raise RecipeError(
            "curate: without: 'contaminated' cannot be left out alone: base training would not follow. "
            "Turn the comparison with the tests off everywhere: overlap_words: null."
        )
    return {name: rule for name, rule in RULES if name not in settings.without}


def funnel(judged: Iterable[Judged]) -> dict[str, int]:
    """How many were kept, then how many each rule dropped, in the order of the rules; rules without work left out."""
    counts = Counter(j.dropped_by or "kept" for j in judged)
    order = dict.fromkeys(("kept", *(name for name, _ in RULES), *sorted(counts)))
    return {name: counts[name] for name in order if counts[name] or name == "kept"}


def _told(traces: Iterable[Trace], say: Callable[[str], None]) -> Iterator[Trace]:
    for count, trace in enumerate(traces, 1):
        yield trace
        if count % TOLD_EVERY == 0:
            say(f"curate       {count} traces judged")


def _one(case: Case, known: Known, rules: Mapping[str, Rule]) -> Judged:
    refused = next(((name, why) for name, rule in rules.items() if (why := rule(case, known)) is not None), None)
    if refused is None:
        known.keep(case)
    name, why = refused or (None, None)
    judgement = case.judgement
    return Judged(
        trace=case.trace,
        verdict=judgement.verdict,
        answer=judgement.answer,
        flags=case.flags,
        dropped_by=name,
        why=None if why is None else " ".join(why.split()),
    )


def _case(trace: Trace, problems: Mapping[str, Problem]) -> Case:
    problem, sample = _of(trace, problems), trace.sample
    flags = answers.flags(sample.text, problem.question, problem.kind, sample.stop, sample.thought)
    return Case(trace, problem, _judge(trace, problem), flags)


def _judge(trace: Trace, problem: Problem) -> answers.Judgement:
    s = trace.sample
    return answers.judge(s.text, problem.answer, problem.kind, s.stop, s.thought, choices=problem.choices)


def _of(trace: Trace, problems: Mapping[str, Problem]) -> Problem:
    problem = problems.get(trace.problem)
    if problem is None:
        raise UnderstudyError(
            f"Trace {trace.id} is of a problem that is not there: '{trace.problem}'. "
            "The problems have changed since; remove the traces and run again."
        )
    return problem


def _usual(traces: Iterable[Trace], problems: Mapping[str, Problem], say: Callable[[str], None]) -> dict[str, int]:
    """Source to the median length in words of its right traces. A pass of its own over all traces."""
    lengths: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for trace in traces:
        problem = _of(trace, problems)
        judgement = _judge(trace, problem)
        if judgement.verdict is Verdict.RIGHT:
            lengths[problem.source][_words(Case(trace, problem, judgement, ()))] += 1
    usual = {source: _median(counts) for source, counts in lengths.items() if counts.total() >= FEW}
    told = ", ".join(f"{words} words ({source})" for source, words in usual.items())
    say(f"curate       first of two passes: usual length {told or 'unknown, too few are right'}")
    return usual


def _median(counts: Counter[int]) -> int:
    """The lower median."""
    lengths = sorted(counts)
    return lengths[bisect_left(list(accumulate(counts[n] for n in lengths)), counts.total() / 2)]


def _words(case: Case) -> int:
    return len(case.text.split())


def _fingerprint(case: Case) -> int:
    """Eight bytes for problem and text, whatever the spacing and case."""
    text = f"{case.problem.id}\n{normalised(case.text)}"
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())


# --- the rules --------------------------------------------------------------------------------------------------------


def failed(case: Case, known: Known) -> str | None:
    if case.judgement.verdict is not Verdict.FAILED:
        return None
    return case.trace.sample.error or case.judgement.why


def contaminated(case: Case, known: Known) -> str | None:
    """The question is, or overlaps with, one of a test."""
    return case.problem.overlap


def cut_off(case: Case, known: Known) -> str | None:
    """Also after a complete answer: a target must end where it ends."""
    if case.judgement.verdict is Verdict.CUT_OFF:
        return case.judgement.why
    return "cut off after the answer" if case.trace.sample.stop is Stop.LENGTH else None


def no_answer(case: Case, known: Known) -> str | None:
    lacks = case.judgement.answer is None and case.problem.kind is not Kind.OPEN
    if case.judgement.verdict is Verdict.NO_ANSWER or case.judgement.verdict is Verdict.UNGRADED and lacks:
        return f"no answer found in the reply, which ends: ...{case.trace.sample.text.strip()[-60:]}"
    return None


def several_answers(case: Case, known: Known) -> str | None:
    """Two different ones are declared, or joined by "or"."""
    if "two_answers" not in case.flags:
        return None
    sample = case.trace.sample
    reply = answers.until_next_question(answers.split(sample.text, sample.thought).reply)
    found = [f.text for f in answers.declared(reply, case.problem.kind)] or [case.judgement.answer or ""]
    given = dict.fromkeys(_short(text) for text in found)
    return "the reply gives " + " and ".join(f"'{text}'" for text in given)


def wrong(case: Case, known: Known) -> str | None:
    return case.judgement.why if case.judgement.verdict is Verdict.WRONG else None


def mismatch(case: Case, known: Known) -> str | None:
    """Thought and reply name different answers."""
    judgement = case.judgement
    if judgement.consistent is not False or case.problem.kind is Kind.OPEN:
        return None
    return f"the thought says '{_short(judgement.thought_answer)}', the reply '{_short(judgement.answer)}'"


def slip(case: Case, known: Known) -> str | None:
    """An equation is false."""
    if "slip" not in case.flags:
        return None
    found = answers.slips(case.text)
    return f"false: {found[0].equation}" + (f" and {len(found) - 1} more" if len(found) > 1 else "")


def repeats(case: Case, known: Known) -> str | None:
    """It runs in circles."""
    if "repeats" not in case.flags:
        return None
    sentence, times = answers.in_a_row(answers.split(case.trace.sample.text, case.trace.sample.thought))
    if times >= answers.IN_A_ROW:
        return f"{times} times in a row: {_short(sentence)}"
    words = case.text.split()
    runs = Counter(zip(*(words[i:] for i in range(4)), strict=False))
    ((run, times),) = runs.most_common(1) or [((case.text,), 1)]
    return f"{times} times: {_short(' '.join(run))}"


def other_script(case: Case, known: Known) -> str | None:
    """Letters of a script that the question does not use."""
    if "other_script" not in case.flags:
        return None
    native = {answers.script(c) for c in case.problem.question if c.isalpha()}
    at = next(i for i, c in enumerate(case.text) if c.isalpha() and answers.script(c) not in native)
    return f"{answers.script(case.text[at]).lower()} letters: {_short(case.text[at:])}"


def too_long(case: Case, known: Known) -> str | None:
    most, ratio = known.settings.max_tokens, known.settings.long_ratio
    if most is not None and case.trace.sample.tokens_out > most:
        return f"{case.trace.sample.tokens_out} tokens, at most {most} are kept"
    usual, words = known.usual.get(case.problem.source), _words(case)
    if usual is None or ratio is None or words <= ratio * usual:
        return None
    return f"{words} words, {words / max(usual, 1):.1f} times the usual {usual}"


def duplicate(case: Case, known: Known) -> str | None:
    return "the same text was kept already" if _fingerprint(case) in known.texts else None


def enough(case: Case, known: Known) -> str | None:
    most = known.settings.keep_per_problem
    if most is None or known.kept[case.problem.id] < most:
        return None
    return f"{most} of this problem were kept already"


def _short(text: str | None) -> str:
    return (text or "")[:60]


RULES: tuple[tuple[str, Rule], ...] = (
    ("failed", failed),
    ("contaminated", contaminated),
    ("cut_off", cut_off),
    ("no_answer", no_answer),
    ("several_answers", several_answers),
    ("wrong", wrong),
    ("mismatch", mismatch),
    ("slip", slip),
    ("repeats", repeats),
    ("other_script", other_script),
    ("too_long", too_long),
    ("duplicate", duplicate),
    ("enough", enough),
)
"""Every rule, in the order in which they are asked; the first that refuses names the drop."""
