"""Which problems are practised: their order, drawn before the first step, and the first pass that tells what is hard.

Nothing of it depends on how a course has gone so far: a resumed one asks what an unbroken one asks.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from understudy.engines.base import Draws
from understudy.errors import UnderstudyError
from understudy.recipe import Rl
from understudy.records import Metric, Problem, Sampling, Verdict
from understudy.stats import wilson
from understudy.steps.rl.rewards import Earned, Exam, earned


class Rate(NamedTuple):
    """How often one problem was solved."""

    problem: Problem
    right: int
    n: int
    answered: int
    """Rollouts that gave an answer, right or wrong."""


class Order:
    """The problems of each step: those it asks, and those that stand in where dynamic sampling needs further ones."""

    def __init__(self, count: int, settings: Rl, seed: int) -> None:
        self.settings = settings
        asked, spare = settings.prompts * settings.steps, settings.prompts * (settings.dynamic_most - 1)
        self._first = list(islice(_shuffled(count, f"rl/first/{seed}"), asked))
        self._further = list(islice(_shuffled(count, f"rl/further/{seed}"), spare * settings.steps))
        self._spare = spare

    def first(self, step: int) -> list[int]:
        """Row numbers of the problems that a step asks."""
        n = self.settings.prompts
        return self._first[step * n : (step + 1) * n]

    def further(self, step: int) -> list[int]:
        """Of those that may stand in, none twice."""
        spare = self._further[step * self._spare : (step + 1) * self._spare]
        return [i for i in dict.fromkeys(spare) if i not in self.first(step)]


def rates(
    problems: Sequence[Problem], draw: Draws, exam: Exam, settings: Rl, n: int, seed: int, stop: Callable[[], bool]
) -> list[Rate]:
    """How often each problem is solved, by `n` rollouts at the temperature and within the horizon of the course.

    Raises:
        KeyboardInterrupt: `stop` became true.
    """
    found = []
    how = sampling(settings, n, seed, "first pass")
    together = max(1, settings.batch // n)
    for at in range(0, len(problems), together):
        if stop():
            raise KeyboardInterrupt
        some = problems[at : at + together]
        drawn = draw([exam.ask(p) for p in some], how)
        for i, problem in enumerate(some):
            results = [earned(problem, d.sample, exam.judge, settings) for d in drawn[i * n : (i + 1) * n]]
            found.append(Rate(problem, sum(map(_right, results)), n, sum(map(_answered, results))))
    return found


def within(found: Sequence[Rate], band: tuple[float, float]) -> list[Problem]:
    """The problems whose solve rate lies within the band, ends included."""
    return [rate.problem for rate in found if band[0] <= rate.right / rate.n <= band[1]]


def refusal(found: Sequence[Rate]) -> str | None:
    """Why nothing can be learned from problems that are solved like these; None = something can."""
    if any(0 < rate.right < rate.n for rate in found):
        return None
    asked = f"Of {len(found)} problems with {found[0].n} rollouts each" if found else "There is no problem"
    if not found:
        return f"{asked} to practise: widen rl.band, or give more train problems."
    if not any(rate.answered for rate in found):
        return f"{asked}, no rollout gives an answer in the format asked for. Train it with sft first."
    if not any(rate.right for rate in found):
        return f"{asked}, no rollout is right: every reward is 0. Give easier problems, or train it with sft first."
    if all(rate.right for rate in found):
        return f"{asked}, every rollout is right: every reward is 1. Give harder problems, or skip rl."
    return f"{asked}, none is solved sometimes and missed sometimes. Raise rl.temperature or rl.group."


def checked(found: Sequence[Rate]) -> Sequence[Rate]:
    """The same rates.

    Raises:
        UnderstudyError: nothing can be learned from such problems; says why.
    """
    why = refusal(found)
    if why is not None:
        raise UnderstudyError(f"rl: {why}")
    return found


def histogram(found: Sequence[Rate]) -> dict[int, int]:
    """How many problems were solved 0, 1, … n times."""
    counts = Counter(rate.right for rate in found)
    return {right: counts[right] for right in range(found[0].n + 1)} if found else {}


def told(found: Sequence[Rate]) -> str:
    """The histogram in a line."""
    each = ", ".join(f"{right}/{found[0].n}: {count}" for right, count in histogram(found).items())
    mixed = sum(0 < rate.right < rate.n for rate in found)
    return (
        f"preflight: solve rates of {len(found)} problems: {each}; something to learn from in {mixed / len(found):.0%}"
    )


def on_record(found: Sequence[Rate], model: str) -> Iterator[Metric]:
    """The histogram as figures: share of the problems by solve rate."""
    for right, count in histogram(found).items():
        value, low, high = (round(x, 6) for x in wilson(count, len(found)))
        yield Metric(
            name="solve_rate", suite="train", model=model, strategy="sampled", slice=f"right={right}/{found[0].n}",
            value=value, low=low, high=high, n=len(found), method="wilson",
        )  # fmt: skip


def sampling(settings: Rl, n: int, seed: int, *what: object) -> Sampling:
    """How rollouts are drawn; `what` they are for gives them random numbers of their own."""
    words = "/".join(map(str, ("rl", seed, *what))).encode()
    own = int.from_bytes(hashlib.sha256(words).digest()[:7], "big")
    return Sampling(n=n, temperature=settings.temperature, max_tokens=settings.max_tokens, seed=own)


def _shuffled(count: int, seed: str) -> Iterator[int]:
    """Row numbers without end: all of them in a random order, and again."""
    rng, rows = random.Random(seed), list(range(count))
    while rows:
        rng.shuffle(rows)
        yield from rows


def _right(result: Earned) -> bool:
    return result.parts["right"] > 0


def _answered(result: Earned) -> bool:
    return result.verdict in (Verdict.RIGHT, Verdict.WRONG)
