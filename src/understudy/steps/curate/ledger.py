"""What went in, what came out and why: counts as metrics, and the questions that the teacher could not solve.

Filtering by answers keeps easy questions and drops hard ones. So all is counted by difficulty, too.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from understudy.records import Judged, Metric, Problem, Trace
from understudy.stats import wilson
from understudy.steps.curate.rules import RULES
from understudy.steps.curate.selection import pass_rate

K = TypeVar("K", str, tuple[str, ...])

SUITE = "curation"
FAULTS = "planted"
"""Suite of the figures that hidden labels give."""
BINS = ("0", "(0, 0.25]", "(0.25, 0.5]", "(0.5, 0.75]", "(0.75, 1)", "1")
"""Of the share of a problem's samples that the teacher solves; hardest first."""
HARD = BINS[:3]
"""Problems that the teacher solves at most half the time."""
MUCH = 0.1
"""Hard problems lose so much more of their number than easy ones, beyond chance: that is said."""
MOST_VALUES = 24
"""A slice with more values has no rows: they would be too many to read."""
DETECTING = frozenset(name for name, _ in RULES) - {"contaminated"}
"""Rules that say something of the trace itself: what they drop is held against hidden labels."""

Planted = Callable[[Trace], str | None]
"""The hidden fault of a trace; None = it is clean."""


def with_ledger(
    judged: Iterable[Judged],
    problems: Mapping[str, Problem],
    say: Callable[[str], None],
    planted: Planted | None = None,
) -> Iterator[Judged | Metric | Problem]:
    """The judged traces as they are, among them the problems to learn from otherwise, and in the end the metrics.

    Those problems have a gold answer, share nothing with a test, and no graded sample of theirs is right: reinforcement
    learning may solve them. Metrics: `kept`, `kept_problems`, `dropped` (first refusal), `refused` (any) and
    `refused_together` (by exactly these), each a share with Wilson's interval; with `planted`, `recall` and `precision`
    by fault, `precision` by rule, and `f1`.
    """
    book = Ledger()
    for key, ones in groupby(judged, key=lambda one: one.trace.problem):
        some = []
        for one in ones:
            some.append(one)
            yield one
        problem = problems[key]
        book.enter(problem, some, planted)
        if failed(problem, some):
            yield problem
    yield from book.metrics()
    line = book.hard_ones_first()
    if line is not None:
        say(line)


def failed(problem: Problem, judged: Sequence[Judged]) -> bool:
    """The teacher was asked and never right; there is a gold answer; nothing of it is in a test."""
    rate = pass_rate(one.verdict for one in judged)
    return rate == 0 and problem.answer is not None and problem.overlap is None


def bin_of(rate: float) -> str:
    """The bin of a pass rate.

    >>> [bin_of(rate) for rate in (0, 0.25, 0.3, 0.99, 1)]
    ['0', '(0, 0.25]', '(0.25, 0.5]', '(0.75, 1)', '1']
    """
    edges = (0.0, 0.25, 0.5, 0.75)
    return BINS[5] if rate == 1 else BINS[sum(rate > edge for edge in edges)]


class Count:
    """How many there are, and how many of them are kept."""

    __slots__ = ("kept", "of")

    def __init__(self) -> None:
        self.kept = self.of = 0

    def add(self, kept: int, of: int) -> None:
        self.kept += kept
        self.of += of


class Ledger:
    """The counts of a curation: as many numbers as there are rules, sets of rules, bins and slices."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.together: Counter[tuple[str, ...]] = Counter()
        self.traces: defaultdict[str, Count] = defaultdict(Count)
        """By slice ("pass_rate=0", "steps=3", "all")."""
        self.problems: defaultdict[str, Count] = defaultdict(Count)
        self.values: defaultdict[str, set[str]] = defaultdict(set)
        """Of each slice that the problems name."""
        self.faults: Counter[tuple[str | None, str | None]] = Counter()
        """(fault, first rule that detects it) to traces."""

    def enter(self, problem: Problem, judged: Sequence[Judged], planted: Planted | None) -> None:
        """The traces of one problem."""
        kept = sum(one.dropped_by is None for one in judged)
        rate = pass_rate(one.verdict for one in judged)
        for name in ("all", f"pass_rate={'ungraded' if rate is None else bin_of(rate)}", *self._slices(problem)):
            self.traces[name].add(kept, len(judged))
            self.problems[name].add(kept > 0, 1)
        for one in judged:
            if one.dropped_by is not None:
                against = one.against or (one.dropped_by,)
                self.dropped[one.dropped_by] += 1
                self.refused.update(against)
                self.together[against] += 1
            if planted is not None:
                detected = next((rule for rule in one.against if rule in DETECTING), None)
                self.faults[planted(one.trace), detected] += 1

    def _slices(self, problem: Problem) -> Iterator[str]:
        for name, value in problem.slices.items():
            values = self.values[name]
            if len(values) <= MOST_VALUES:
                values.add(value)
                yield f"{name}={value}"

    def metrics(self) -> Iterator[Metric]:
        """Every figure, in a fixed order."""
        if not self.traces["all"].of:
            return
        total = self.traces["all"].of
        crowded = tuple(f"{name}=" for name, values in self.values.items() if len(values) > MOST_VALUES)
        bins = [f"pass_rate={b}" for b in (*BINS, "ungraded")]
        slices = sorted(name for name in self.traces if name not in ("all", *bins) and not name.startswith(crowded))
        for name in ("all", *(b for b in bins if b in self.traces), *slices):
            yield share("kept", name, self.traces[name].kept, self.traces[name].of)
            yield share("kept_problems", name, self.problems[name].kept, self.problems[name].of)
        for title, counts in (("dropped", self.dropped), ("refused", self.refused)):
            for rule, n in _commonest(counts):
                yield share(title, f"rule={rule}", n, total)
        for rules, n in _commonest(self.together):
            yield share("refused_together", f"rules={'+'.join(rules)}", n, total)
        yield from self._detection()

    def hard_ones_first(self) -> str | None:
        """The sentence for people where hard questions lose much more than easy ones."""
        hard, easy = Count(), Count()
        for name in BINS:
            found = self.problems.get(f"pass_rate={name}", Count())
            (hard if name in HARD else easy).add(found.kept, found.of)
        if not hard.of or not easy.of:
            return None
        if wilson(hard.kept, hard.of).high + MUCH >= wilson(easy.kept, easy.of).low:
            return None
        return (
            f"curate       hard questions are lost first: of {hard.of:,} that the teacher solves at most half the time "
            f"{hard.kept / hard.of:.0%} are kept, of {easy.of:,} others {easy.kept / easy.of:.0%}"
        )

    def _detection(self) -> Iterator[Metric]:
        """Recall and precision against the hidden labels.

        A fault's precision is that of the rules that meet it more often than any other: the share of what they drop
        that has a fault, whichever.
        """
        if not self.faults:
            return
        by_rule: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
        for (fault, rule), n in self.faults.items():
            if rule is not None:
                by_rule[rule][fault] += n
        faults = sorted({fault for fault, _ in self.faults if fault is not None})
        for fault in faults:
            ns = {rule: n for (f, rule), n in self.faults.items() if f == fault}
            yield share("recall", f"fault={fault}", sum(ns.values()) - ns.get(None, 0), sum(ns.values()), FAULTS)
            own = [met for met in by_rule.values() if _own(met) == fault]
            if own:
                drops = sum(met.total() for met in own)
                yield share("precision", f"fault={fault}", sum(met.total() - met[None] for met in own), drops, FAULTS)
        for rule, met in sorted(by_rule.items()):
            yield share("precision", f"rule={rule}", met.total() - met[None], met.total(), FAULTS)
        yield from self._overall()

    def _overall(self) -> Iterator[Metric]:
        hit = sum(n for (fault, rule), n in self.faults.items() if fault is not None and rule is not None)
        messy = sum(n for (fault, _), n in self.faults.items() if fault is not None)
        drops = sum(n for (_, rule), n in self.faults.items() if rule is not None)
        if messy:
            yield share("recall", "all", hit, messy, FAULTS)
        if drops:
            yield share("precision", "all", hit, drops, FAULTS)
        if messy or drops:
            yield _metric("f1", "all", FAULTS, 2 * hit / (messy + drops), None, None, self.faults.total(), "counts")


def share(name: str, slice: str, part: int, of: int, suite: str = SUITE) -> Metric:
    """part / of, with Wilson's interval."""
    found = wilson(part, of)
    return _metric(name, slice, suite, found.value, found.low, found.high, of, "wilson")


def _metric(
    name: str, slice: str, suite: str, value: float, low: float | None, high: float | None, n: int, method: str
) -> Metric:
    return Metric(
        name=name, suite=suite, model="teacher", strategy="curate", slice=slice, value=value, low=low, high=high, n=n,
        method=method,
    )  # fmt: skip


def _commonest(counts: Counter[K]) -> list[tuple[K, int]]:
    """Of equals, in the order of their names."""
    return sorted(counts.items(), key=lambda kn: (-kn[1], kn[0]))


def _own(met: Counter[str | None]) -> str | None:
    """The fault that a rule meets most often; of equals, by name."""
    faults = sorted((-n, fault) for fault, n in met.items() if fault is not None)
    return faults[0][1] if faults else None
