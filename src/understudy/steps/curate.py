"""Step 3. Every trace judged and, by the first rule that refuses it, dropped. Dropped ones stay on file, with evidence.

Nothing kept is no error here: `mix` says it.
"""

import difflib
import hashlib
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate, groupby
from typing import NamedTuple

from understudy import answers
from understudy.answers.declared import declared
from understudy.answers.find import until_next_question
from understudy.answers.flags import script
from understudy.errors import RecipeError, UnderstudyError
from understudy.recipe import Curate
from understudy.records import Judged, Kind, Problem, Stop, Trace, Verdict
from understudy.sources.columns import normalised

FEW = 10
"""Fewer right traces of a source than this have no usual length."""
BOILERPLATE = 10
"""Words that stand in more test questions than this (variants of one count once) are a phrase, not a leak."""
IN_A_ROW = 4
"""So often nobody says a sentence who does not run in circles."""
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

    def __init__(self, settings: Curate, tests: "Tests", usual: Mapping[str, int]) -> None:
        self.settings = settings
        self.tests = tests
        self.usual = usual
        """Source to the median length of its right traces, words."""
        self.leaks: dict[str, str | None] = {}
        """Problem to what it shares with a test."""
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
    tests: Iterable[Problem],
    settings: Curate,
    say: Callable[[str], None],
) -> Iterator[Judged]:
    """One Judged per trace, in their order.

    Where `too_long` needs the usual length, all traces are read once before this returns; they are read while its
    result is.

    Raises:
        RecipeError: `settings.off` names a rule that there is not.
        UnderstudyError: a trace is of a problem that is not among `problems`.
    """
    rules = used(settings)
    usual = _usual(traces, problems, say) if "too_long" in rules and settings.long_ratio is not None else {}
    index = Tests(tests if "contaminated" in rules else (), settings.overlap_words)
    known = Known(settings, index, usual)
    return (_one(_case(trace, problems), known, rules) for trace in _told(traces, say))


def used(settings: Curate) -> dict[str, Rule]:
    """The rules that are not off, in order.

    Raises:
        RecipeError: one that is off does not exist; names the nearest.
    """
    names = [name for name, _ in RULES]
    for name in settings.off:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(names)}."
            raise RecipeError(f"curate: off: there is no rule '{name}'. {hint}")
    return {name: rule for name, rule in RULES if name not in settings.off}


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


# --- what a question shares with the tests ----------------------------------------------------------------------------

WORD = re.compile(r"\w+")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\s*\n\s*")
MARKS = re.compile(r"(?<!\w)[\"'(]+|[\"').,;:!?]+(?!\w)")
"""Punctuation around words; signs and points within numbers stay."""


class Asked(NamedTuple):
    """A test question."""

    id: str
    options: frozenset[str]


class Tests:
    """The questions of the tests, by their text and by every run of `overlap` words in them.

    Short questions are compared as a whole: of eight shared words in two questions of less than thirteen, the others
    make the difference ("Where is a good place to put a …?").
    """

    def __init__(self, tests: Iterable[Problem], overlap: int) -> None:
        self.overlap = overlap
        self.asked: defaultdict[str, list[Asked]] = defaultdict(list)
        self.runs: dict[int, str] = {}
        """Hash of a run to the first test that holds it."""
        origin: dict[str, str] = {}
        others: defaultdict[int, set[str]] = defaultdict(set)  # origins that hold a run beside the first
        for problem in tests:
            self.asked[_plain(problem.question)].append(Asked(problem.id, _options(problem)))
            origin[problem.id] = problem.parent or problem.id
            for _, run in _runs(problem.question, overlap):
                first = self.runs.setdefault(run, problem.id)
                if origin[first] != origin[problem.id]:
                    others[run].add(origin[problem.id])
        for run, found in others.items():
            if len(found) >= BOILERPLATE:
                del self.runs[run]

    def leak(self, problem: Problem) -> str | None:
        """What the problem's question has in common with one of the tests."""
        mine = _options(problem)
        for test in self.asked.get(_plain(problem.question), ()):
            # "Which of these is true?" is another question with other options.
            if not mine or not test.options or not mine.isdisjoint(test.options):
                return f"same question as {test.id}"
        return self._shared(problem.question)

    def _shared(self, question: str) -> str | None:
        """The longest stretch of runs that one test holds, from the first on."""
        found = [(at, self.runs[run]) for at, run in _runs(question, self.overlap) if run in self.runs]
        if not found:
            return None
        start, test = found[0]
        places = {at for at, holder in found if holder == test}
        end = next(at for at in range(start, start + len(places) + 1) if at not in places) - 1
        words = WORD.findall(normalised(question))[start : end + self.overlap]
        return f"{len(words)} words as in {test}: '{' '.join(words)}'"


def _plain(question: str) -> str:
    return " ".join(MARKS.sub(" ", normalised(question)).split())


def _options(problem: Problem) -> frozenset[str]:
    return frozenset(normalised(option.text) for option in problem.choices)


def _runs(question: str, length: int) -> Iterator[tuple[int, int]]:
    """Place and hash of every run of so many words."""
    words = WORD.findall(normalised(question))
    for at in range(len(words) - length + 1):
        yield at, hash(" ".join(words[at : at + length]))


# --- the rules --------------------------------------------------------------------------------------------------------


def failed(case: Case, known: Known) -> str | None:
    if case.judgement.verdict is not Verdict.FAILED:
        return None
    return case.trace.sample.error or case.judgement.why


def contaminated(case: Case, known: Known) -> str | None:
    """The question is, or overlaps with, one of a test."""
    problem = case.problem
    if problem.id not in known.leaks:
        known.leaks[problem.id] = known.tests.leak(problem)
    return known.leaks[problem.id]


def cut_off(case: Case, known: Known) -> str | None:
    """Also after a complete answer: a target must end where it ends."""
    if case.judgement.verdict is Verdict.CUT_OFF:
        return case.judgement.why
    return "cut off after the answer" if case.trace.sample.stop is Stop.LENGTH else None


def no_answer(case: Case, known: Known) -> str | None:
    lacks = case.judgement.answer is None and case.problem.kind is not Kind.OPEN
    if case.judgement.verdict is Verdict.NO_ANSWER or case.judgement.verdict is Verdict.UNGRADED and lacks:
        return f"no answer found in the reply, which ends: …{case.trace.sample.text.strip()[-60:]}"
    return None


def wrong(case: Case, known: Known) -> str | None:
    return case.judgement.why if case.judgement.verdict is Verdict.WRONG else None


def several_answers(case: Case, known: Known) -> str | None:
    """Two different ones are declared, or joined by "or"."""
    if "two_answers" not in case.flags:
        return None
    sample = case.trace.sample
    reply = until_next_question(answers.split(sample.text, sample.thought).reply)
    found = [f.text for f in declared(reply, case.problem.kind)] or [case.judgement.answer or ""]
    given = dict.fromkeys(_short(text) for text in found)
    return "the reply gives " + " and ".join(f"'{text}'" for text in given)


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
    sentence, times = _in_a_row(case.text)
    if times >= IN_A_ROW:
        return f"{times} times in a row: {_short(sentence)}"
    if "repeats" not in case.flags:
        return None
    words = case.text.split()
    runs = Counter(zip(*(words[i:] for i in range(4)), strict=False))
    ((run, times),) = runs.most_common(1) or [((case.text,), 1)]
    return f"{times} times: {_short(' '.join(run))}"


def _in_a_row(text: str) -> tuple[str, int]:
    """The sentence or line that is said most often without a break, and how often."""
    groups = ((sentence, sum(1 for _ in same)) for sentence, same in groupby(s for s in SENTENCE.split(text) if s))
    return max(groups, key=lambda group: group[1], default=("", 0))


def other_script(case: Case, known: Known) -> str | None:
    """Letters of a script that the question does not use."""
    if "other_script" not in case.flags:
        return None
    native = {script(c) for c in case.problem.question if c.isalpha()}
    at = next(i for i, c in enumerate(case.text) if c.isalpha() and script(c) not in native)
    return f"{script(case.text[at]).lower()} letters: {_short(case.text[at:])}"


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
    ("wrong", wrong),
    ("several_answers", several_answers),
    ("mismatch", mismatch),
    ("slip", slip),
    ("repeats", repeats),
    ("other_script", other_script),
    ("too_long", too_long),
    ("duplicate", duplicate),
    ("enough", enough),
)
"""Every rule, in the order in which they are asked; the first that refuses names the drop."""
