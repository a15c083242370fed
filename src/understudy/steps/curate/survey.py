"""A first pass over the traces: how long right ones of each source are, and steps of theirs to damage others with."""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from understudy.prompts import reasoning
from understudy.recipe import Corruption, Curate
from understudy.records import Problem, Trace, Verdict
from understudy.steps.curate.case import Usual, judged, problem_of
from understudy.steps.curate.corrupt import Donor, steps_of

FEW = 10
"""Fewer right traces of a source than this have no usual length."""
SAMPLE = 4_000
"""Of a source with more traces so many are judged, drawn by the hashes of their ids: their 1st percentile is one
between the 0.7th and the 1.3th of all, nineteen times in twenty.
"""
DONORS = 200
"""Right traces whose steps are put into others."""


class Seen(NamedTuple):
    """A trace of the sample. The largest rank leaves first."""

    rank: int
    """Minus its hash."""
    right: bool
    words: int
    donor: Donor | None


class Survey(NamedTuple):
    """What the first pass has found."""

    usual: dict[str, Usual]
    """By source."""
    donors: tuple[Donor, ...]
    sampled: bool
    """Some source has more traces than are judged."""


def needed(settings: Curate, rules: Iterable[str]) -> bool:
    """Whether anything asks for the first pass."""
    lengths = "too_short" in rules and settings.length_band or "too_long" in rules and (
        settings.long_ratio is not None or settings.length_band
    )  # fmt: skip
    return bool(lengths) or _inserts(settings)


def first_pass(traces: Iterable[Trace], problems: Mapping[str, Problem], settings: Curate) -> Survey:
    """Reads all traces, and judges those of a sample that the order of the traces has no part in."""
    samples: defaultdict[str, list[Seen]] = defaultdict(list)
    sampled = False
    for trace in traces:
        problem = problem_of(trace, problems)
        sample = samples[problem.source]
        rank = -_hash(trace.id)
        if len(sample) < SAMPLE:
            heapq.heappush(sample, _seen(rank, trace, problem, settings))
        else:
            sampled = True
            if rank > sample[0].rank:
                heapq.heapreplace(sample, _seen(rank, trace, problem, settings))
    lengths = {source: sorted(s.words for s in sample if s.right) for source, sample in sorted(samples.items())}
    usual = {source: _usual(words, settings.length_band) for source, words in lengths.items() if len(words) >= FEW}
    donors = sorted((s for sample in samples.values() for s in sample if s.donor), key=lambda s: -s.rank)
    return Survey(usual, tuple(s.donor for s in donors[:DONORS] if s.donor), sampled)


def told(found: Survey) -> str:
    """The usual lengths in words, for people."""
    lengths = [f"{u.median} words ({source}; {u.low} to {u.high})" for source, u in found.usual.items()]
    how = f", of {SAMPLE:,} traces each" if found.sampled else ""
    return f"usual length {', '.join(lengths) or 'unknown, too few are right'}{how}"


def _seen(rank: int, trace: Trace, problem: Problem, settings: Curate) -> Seen:
    verdict = judged(trace, problem).verdict
    right = verdict is Verdict.RIGHT or verdict is Verdict.UNGRADED  # without gold answers, all there is to go by
    sample, donor = trace.sample, None
    if right and _inserts(settings) and problem.overlap is None:
        donor = Donor(problem.id, tuple(steps_of(reasoning(sample, problem.kind))))
    return Seen(rank, right, len((sample.thought or "").split()) + len(sample.text.split()), donor)


def _usual(words: list[int], band: tuple[float, float] | None) -> Usual:
    """`words` in order. Percentiles by rank: at most such a share is shorter, at most such a share longer."""
    low, high = band or (0.0, 1.0)
    last = len(words) - 1
    return Usual(words[int(low * last)], words[last // 2], words[-1 - int((1 - high) * last)])


def _inserts(settings: Curate) -> bool:
    return settings.corrupt is not None and settings.corrupt.kind is Corruption.INSERTED


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest())
