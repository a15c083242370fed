"""A first pass over the traces: how long right ones of each source are, and steps of theirs to damage others with."""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from understudy.prompts import reasoning, steps_of
from understudy.recipe import Corruption, Curate
from understudy.records import Problem, Trace, Verdict
from understudy.steps.curate.case import Graded, Usual, judged, problem_of, whole
from understudy.steps.curate.corrupt import Donor

FEW = 10
"""Fewer right traces of a source than this have no usual length."""
SAMPLE = 4_000
"""Of a source with more traces so many are judged, drawn by the hashes of their ids: their 1st percentile is one
between the 0.7th and the 1.3th of all, nineteen times in twenty.
"""
DONORS = 200
"""Right traces whose steps are put into others."""
GOOD = (Verdict.RIGHT, Verdict.UNGRADED)
"""Without gold answers, the latter are all there is to go by."""

Ranked = tuple[int, int, Trace]
"""A trace of the sample behind minus its hash and its number: the first of them leaves first."""


class Survey(NamedTuple):
    """What the first pass has found."""

    usual: dict[str, Usual]
    """By source."""
    donors: tuple[Donor, ...]
    sampled: bool
    """Some source has more traces than are judged."""
    graded: dict[str, Graded]
    """Of the sampled traces, by their ids: nothing is judged twice."""


def needed(settings: Curate, rules: Iterable[str]) -> bool:
    """Whether anything asks for the first pass."""
    lengths = "too_short" in rules and settings.length_band or "too_long" in rules and (
        settings.long_ratio is not None or settings.length_band
    )  # fmt: skip
    return bool(lengths) or _inserts(settings)


def first_pass(traces: Iterable[Trace], problems: Mapping[str, Problem], settings: Curate) -> Survey:
    """Reads all traces, and judges those of a sample that the order of the traces has no part in."""
    samples, sampled = _drawn(traces, problems)
    graded = {t.id: judged(t, problems[t.problem]) for sample in samples.values() for _, _, t in sample}
    right = {
        source: [s for s in sample if graded[s[2].id].judgement.verdict in GOOD] for source, sample in samples.items()
    }
    lengths = {source: sorted(len(whole(t).split()) for _, _, t in some) for source, some in sorted(right.items())}
    usual = {source: _usual(words, settings.length_band) for source, words in lengths.items() if len(words) >= FEW}
    donors = _donors([s for some in right.values() for s in some], problems) if _inserts(settings) else ()
    return Survey(usual, donors, sampled, graded)


def _drawn(traces: Iterable[Trace], problems: Mapping[str, Problem]) -> tuple[dict[str, list[Ranked]], bool]:
    """The sample of each source, and whether one of them is not all of its traces."""
    samples: defaultdict[str, list[Ranked]] = defaultdict(list)
    sampled = False
    for number, trace in enumerate(traces):
        sample = samples[problem_of(trace, problems).source]
        rank = -_hash(trace.id)
        if len(sample) < SAMPLE:
            heapq.heappush(sample, (rank, number, trace))
        else:
            sampled = True
            if rank > sample[0][0]:
                heapq.heapreplace(sample, (rank, number, trace))
    return samples, sampled


def _donors(right: Iterable[Ranked], problems: Mapping[str, Problem]) -> tuple[Donor, ...]:
    """The first few by their hashes, none that shares anything with a test."""
    some = ((trace, problems[trace.problem]) for _, _, trace in sorted(right, key=lambda one: -one[0]))
    clean = ((trace, problem) for trace, problem in some if problem.overlap is None)
    return tuple(
        Donor(problem.id, tuple(steps_of(reasoning(trace.sample, problem.kind))))
        for trace, problem in islice(clean, DONORS)
    )


def told(found: Survey) -> str:
    """The usual lengths in words, for people."""
    lengths = [f"{u.median} words ({source}; {u.low} to {u.high})" for source, u in found.usual.items()]
    how = f", of {SAMPLE:,} traces each" if found.sampled else ""
    return f"usual length {', '.join(lengths) or 'unknown, too few are right'}{how}"


def _usual(words: list[int], band: tuple[float, float] | None) -> Usual:
    """`words` in order. Percentiles by rank: at most such a share is shorter, at most such a share longer."""
    low, high = band or (0.0, 1.0)
    last = len(words) - 1
    return Usual(words[int(low * last)], words[last // 2], words[-1 - int((1 - high) * last)])


def _inserts(settings: Curate) -> bool:
    return settings.corrupt is not None and settings.corrupt.kind is Corruption.INSERTED


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest())
