"""How often our intervals hold the truth, and how often our tests cry wolf: by simulation, nothing timed.

    python benchmarks/intervals.py                # about four minutes on one core
    python benchmarks/intervals.py --draws 300    # a look

Unclustered shares are reckoned exactly: the chance of every count, and whether its interval holds the truth.
Clusters are beta-binomial with the correlation given. Pairs are drawn without any difference between the two.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy import stats

SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
ITEMS = (20, 30, 50, 100, 200, 500, 1000, 1319, 2000)
CLUSTERS, SIZE, CORRELATIONS = (10, 20, 30, 50, 100, 250), 5, (0.0, 0.2, 0.5, 0.7)
MINORITY = 10
"""Clusters in which the rarer outcome occurs, below which a t interval is not promised to hold."""


class Cell(NamedTuple):
    """One setting: what was promised of it, and how often it held."""

    what: str
    held: float
    promised: bool


def unclustered() -> Iterator[Cell]:
    """Wilson's interval at every n and share."""
    for n in ITEMS:
        ends = [stats.wilson(k, n) for k in range(n + 1)]
        for p in SHARES:
            held = sum(_binomial(k, n, p) for k, end in enumerate(ends) if end.low <= p <= end.high)
            yield Cell(f"n {n}, p {p}", held, True)


def clustered(draws: int, rng: np.random.Generator) -> Iterator[Cell]:
    """The t interval over clusters; promised where ten clusters hold the rarer outcome on average, and from 30 on."""
    for count in CLUSTERS:
        names = [str(i) for i in range(count) for _ in range(SIZE)]
        for icc in CORRELATIONS:
            for p in SHARES:
                held, minority = 0, 0.0
                for _ in range(draws):
                    right = _beta_binomial(count, p, icc, rng)
                    low, high = stats.cluster_mean(_spread(right), names)[1:]
                    held += low <= p <= high
                    minority += (right > 0).sum() if p < 0.5 else (right < SIZE).sum()
                promised = count >= 30 and bool(minority / draws >= MINORITY)
                yield Cell(f"{count} clusters, correlation {icc}, p {p}", held / draws, promised)


def mid_p(draws: int, rng: np.random.Generator) -> Iterator[Cell]:
    """How often McNemar's mid-p is under 5 % where nothing differs; exact, over the discordant pairs."""
    for m in (5, 10, 20, 30, 50, 100, 200):
        size = sum(_binomial(b, m, 0.5) for b in range(m + 1) if stats.mcnemar(b, m - b) < 0.05)
        yield Cell(f"{m} discordant pairs", size, m >= 30)


def paired(draws: int, rng: np.random.Generator) -> Iterator[Cell]:
    """How often the paired interval leaves zero out where nothing differs."""
    for count, size, icc in ((50, 1, 0.0), (200, 1, 0.0), (30, 5, 0.5), (100, 5, 0.5)):
        names = [str(i) for i in range(count) for _ in range(size)]
        out = 0
        for _ in range(draws):
            share = _shares(count, 0.5, icc, rng)
            a, b = (rng.random((count, size)) < share[:, None] for _ in range(2))
            low, high = stats.paired_bootstrap(a.ravel(), b.ravel(), names, draws=1000)[1:]
            out += not low <= 0 <= high
        yield Cell(f"{count} clusters of {size}, correlation {icc}", out / draws, True)


def _binomial(k: int, n: int, p: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(p) + (n - k) * math.log(1 - p))


def _shares(count: int, p: float, icc: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """[C] share of each cluster: beta with mean p, so that two of a cluster correlate by icc."""
    if icc == 0:
        return np.full(count, p)
    strength = 1 / icc - 1
    return rng.beta(p * strength, (1 - p) * strength, count)


def _beta_binomial(count: int, p: float, icc: float, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.binomial(SIZE, _shares(count, p, icc, rng))


def _spread(right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Outcomes from counts: so many ones in each cluster, then zeros."""
    return (np.arange(SIZE) < right[:, None]).astype(float).ravel()


def told(name: str, cells: list[Cell], wish: str) -> None:
    """One row: mean, and the worst with where it is."""
    for promised in (True, False):
        of = [c for c in cells if c.promised is promised]
        if of:
            low, high = min(of, key=lambda c: c.held), max(of, key=lambda c: c.held)
            mean = sum(c.held for c in of) / len(of)
            print(f"| {name} | {wish if promised else 'no promise'} | {len(of)} | {mean:.1%} | "
                  f"{low.held:.1%} ({low.what}) | {high.held:.1%} ({high.what}) |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    print(f"Simulated with {draws} draws a setting; unclustered shares and mid-p are exact.\n")
    print("| what | promise | settings | mean | least | most |\n|---|---|---|---|---|---|")
    told("Wilson, independent", list(unclustered()), "94–97 % on average, never < 92 %")
    simulated: tuple[tuple[str, str, Callable[[int, np.random.Generator], Iterator[Cell]]], ...] = (
        ("t over clusters", "as above", clustered),
        ("mid-p < .05 of equals", "3.5–6.5 %", mid_p),
        ("paired bootstrap leaves out 0 of equals", "≤ 6 %", paired),
    )
    for name, wish, of in simulated:
        told(name, list(of(draws, np.random.default_rng(0))), wish)


if __name__ == "__main__":
    main()
