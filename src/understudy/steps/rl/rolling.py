"""The rollouts of one step, judged: groups for TRL to learn from, and the figures of what was drawn."""

import time
from collections.abc import Iterable, Sequence
from math import ceil
from typing import NamedTuple

from understudy.engines.base import Drawn, Draws
from understudy.recipe import Rl
from understudy.records import Problem, Stop
from understudy.steps.rl.choose import Order, sampling
from understudy.steps.rl.rewards import Earned, Exam, earned


class Group(NamedTuple):
    """The rollouts of one problem."""

    problem: Problem
    drawn: list[Drawn]
    earned: list[Earned]

    @property
    def same(self) -> bool:
        """All earn the same: nothing tells a better from a worse one."""
        return len({e.reward for e in self.earned}) == 1

    @property
    def right(self) -> int:
        """Rollouts with a right answer."""
        return sum(e.parts["right"] > 0 for e in self.earned)


class Batch(NamedTuple):
    """What a step has drawn."""

    trained: list[Group]
    """Learned from."""
    blank: list[Group]
    """Take the places that are left and are not learned from."""
    asked: list[Group]
    """All of them."""


class Spent(NamedTuple):
    """Seconds."""

    sampling: float = 0.0
    reward: float = 0.0


class Rolling:
    """Draws and judges the rollouts of one step after another."""

    def __init__(self, problems: Sequence[Problem], draw: Draws, exam: Exam, settings: Rl, seed: int) -> None:
        self.problems, self.draw, self.exam, self.settings, self.seed = problems, draw, exam, settings, seed
        self.order = Order(len(problems), settings, seed)
        self.spent = Spent()

    def batch(self, step: int, rank: int = 0, processes: int = 1) -> Batch:
        """The rollouts of that step; of several processes each draws its own share of the problems."""
        first = self.order.first(step)[rank::processes]
        asked = self._groups(first, step)
        if not self.settings.replaces:
            return Batch(asked, [], asked)
        left = self.order.further(step)[rank::processes]
        while left and (missing := len(first) - sum(not g.same for g in asked)) > 0:
            share = max(1, len(first) - missing) / len(asked)  # of the problems asked so far that tell something
            some, left = left[: ceil(missing / share)], left[ceil(missing / share) :]
            asked += self._groups(some, step)
        trained = [g for g in asked if not g.same][: len(first)]
        return Batch(trained, [g for g in asked if g.same][: len(first) - len(trained)], asked)

    def _groups(self, rows: Sequence[int], step: int) -> list[Group]:
        some = [self.problems[i] for i in rows]
        begun = time.perf_counter()
        n = self.settings.group
        drawn = self.draw([self.exam.ask(p) for p in some], sampling(self.settings, n, self.seed, step))
        judging = time.perf_counter()
        groups = []
        for i, problem in enumerate(some):
            mine = drawn[i * n : (i + 1) * n]
            groups.append(
                Group(problem, mine, [earned(problem, d.sample, self.exam.judge, self.settings) for d in mine])
            )
        spent = self.spent
        self.spent = Spent(spent.sampling + judging - begun, spent.reward + time.perf_counter() - judging)
        return groups


class Tally:
    """Sums over the batches since the last point of a course."""

    def __init__(self) -> None:
        self.asked = self.all_right = self.all_wrong = self.trained = self.trained_same = 0
        self.rollouts = self.solved = 0
        self.sums: dict[str, float] = {}

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        self.asked += len(batch.asked)
        self.all_right += sum(g.same and g.right > 0 for g in batch.asked)
        self.all_wrong += sum(g.same and g.right == 0 for g in batch.asked)
        self.solved += sum(g.right > 0 for g in batch.asked)
        self.trained += len(batch.trained)
        self.trained_same += sum(g.same for g in batch.trained)
        for group in batch.asked:
            self.rollouts += len(group.drawn)
            for drawn, one in zip(group.drawn, group.earned, strict=True):
                self._sum("reward", one.reward)
                self._sum("tokens", drawn.sample.tokens_out)
                self._sum("cut_off", drawn.sample.stop is Stop.LENGTH)
                for name, part in one.parts.items():
                    self._sum(f"part/{name}", part)
                for name in one.tricks:
                    self._sum(f"trick/{name}", 1)

    def mean(self, name: str) -> float:
        """Per rollout."""
        return round(self.sums.get(name, 0.0) / max(1, self.rollouts), 6)

    def means(self, kind: str) -> dict[str, float]:
        """Of all sums of that kind ("part", "trick"), by what follows the slash."""
        names = sorted(n for n in self.sums if n.startswith(f"{kind}/"))
        return {n.partition("/")[2]: self.mean(n) for n in names}

    def share(self, count: int) -> float:
        """Of the problems asked."""
        return round(count / max(1, self.asked), 6)

    def _sum(self, name: str, value: float) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + value


def merged(tallies: Sequence[Tally]) -> Tally:
    """Their sum."""
    found = Tally()
    for tally in tallies:
        for name in ("asked", "all_right", "all_wrong", "trained", "trained_same", "rollouts", "solved"):
            setattr(found, name, getattr(found, name) + getattr(tally, name))
        for name, value in tally.sums.items():
            found.sums[name] = found.sums.get(name, 0.0) + value
    return found


def flat(groups: Iterable[Group]) -> list[tuple[Drawn, Earned]]:
    """Rollout by rollout."""
    return [pair for group in groups for pair in zip(group.drawn, group.earned, strict=True)]
