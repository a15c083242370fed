"""The mean over problems and seeds, and how far both together may have moved it."""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from understudy.stats import Interval, t_quantile, wilson

RARE = 10
"""Below so many clusters with the rarer outcome a share's interval also covers Wilson's on the clusters."""


class Cell(NamedTuple):
    """What one problem says under one seed."""

    cluster: str
    seed: int
    value: float


def two_way(cells: Iterable[Cell], scale: tuple[float, float], level: float = 0.95) -> Interval:
    """The mean of the cells with an interval for problems and seeds that were drawn, both, from many.

    The variance between clusters of problems and that between seeds are added: what both hold is counted twice, which
    errs towards wide, as three seeds call for. Degrees of freedom by Satterthwaite (1946): many where problems decide,
    two where the three seeds do. With one seed the interval is that of problems alone. `scale` is the least and the
    largest value possible, infinite where there is none.

    Raises:
        ValueError: there are no cells.
    """
    known = list(cells)
    if not known:
        raise ValueError("There are no cells.")
    mean = sum(c.value for c in known) / len(known)
    clusters, seeds = _sums(known, mean, "cluster"), _sums(known, mean, "seed")
    apart = _variance(clusters, len(known)), _variance(seeds, len(known))
    if sum(apart) < 1e-15:
        found = _alike(mean, len(clusters), scale, level)
    else:
        found = _t(mean, apart, (len(clusters), len(seeds)), level)
    return _within(found, known, len(clusters), scale, level)


def _sums(cells: Iterable[Cell], mean: float, by: str) -> list[float]:
    """How far the cells of each cluster, or seed, lie from the mean in all."""
    sums: defaultdict[str | int, float] = defaultdict(float)
    for cell in cells:
        sums[getattr(cell, by)] += cell.value - mean
    return list(sums.values())


def _variance(sums: list[float], cells: int) -> float:
    """Of the mean, where what was summed up is drawn as a whole; 0 where there is only one."""
    count = len(sums)
    return count / (count - 1) * sum(s * s for s in sums) / cells**2 if count > 1 else 0.0


def _t(mean: float, apart: tuple[float, float], counts: tuple[int, int], level: float) -> Interval:
    parts = [(v, count - 1) for v, count in zip(apart, counts, strict=True) if v > 0]
    total = sum(v for v, _ in parts)
    freedom = total**2 / sum(v**2 / df for v, df in parts)
    half = t_quantile((1 + level) / 2, max(1, math.floor(freedom))) * math.sqrt(total)
    return Interval(mean, mean - half, mean + half)


def _alike(mean: float, clusters: int, scale: tuple[float, float], level: float) -> Interval:
    """All say the same: others that say the opposite may not have been met."""
    if math.inf in scale:
        return Interval(mean, mean, mean)
    unmet = wilson(0, clusters, level).high
    return Interval(mean, mean - unmet * (mean - scale[0]), mean + unmet * (scale[1] - mean))


def _within(found: Interval, cells: list[Cell], clusters: int, scale: tuple[float, float], level: float) -> Interval:
    """Within what is possible; of a share with few on one side as wide as Wilson's on the clusters, at least."""
    if scale == (0.0, 1.0):
        rarer = {c.cluster for c in cells if (c.value > 0 if found.value < 0.5 else c.value < 1)}
        if len(rarer) < RARE:
            apart = wilson(found.value * clusters, clusters, level)
            # An end beyond the scale says only that so few have no normal mean: Wilson's stands for it.
            low = apart.low if found.low < 0 else min(found.low, apart.low)
            high = apart.high if found.high > 1 else max(found.high, apart.high)
            found = Interval(found.value, low, high)
    return Interval(found.value, max(scale[0], found.low), min(scale[1], found.high))
