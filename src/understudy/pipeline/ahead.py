"""Arms trained side by side, in processes of their own, as far as their last checkpoint."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from understudy import workers
from understudy.pipeline import steps
from understudy.pipeline.keeping import Keeper
from understudy.pipeline.making import Hands
from understudy.recipe import Recipe
from understudy.store import Run


def train_ahead(recipe: Recipe, keeper: Keeper, named: Mapping[str, Recipe]) -> None:
    """Train what is to be trained side by side, where the recipe asks for it; `sft` then finds the checkpoints."""
    if keeper.ahead or not keeper.wanted("sft"):
        return
    hands = Hands(recipe, keeper.run, keeper.teller, keeper.ahead)
    todo = {}
    for name in named:
        step = steps.sft(name, named, hands)
        reads = keeper.reads(step)
        if step.trains and not keeper.kept(step, reads):
            todo[name] = step, reads
    at_once = min(recipe.workers, os.cpu_count() or 1, len(todo))
    if at_once < 2:
        return
    for step, reads in todo.values():
        keeper.scratch(step, reads)
        keeper.ahead.add(step.name)
    # Longest first: what learns as many tokens as another takes many times its steps.
    order = sorted(todo, key=lambda name: named[name].sft.learned_tokens_of is None)
    keeper.teller.say(f"{'sft':<26} … {', '.join(order)}: {at_once} at a time{keeper.expected(todo[order[0]][0])}")
    begun = time.monotonic()
    calls = [(recipe, str(keeper.run.folder), name) for name in order]
    for i in workers.side_by_side(_train_arm, calls, at_once, keeper.teller.say, keeper.teller.stop):
        keeper.teller.say(f"{calls[i][2]}: trained")
    keeper.timed("sft", None, begun, at_once)


class _Worker:
    """The teller of a worker: lines go to the parent."""

    def __init__(self, name: str) -> None:
        self.name = name

    def say(self, line: str) -> None:
        workers.said(f"{self.name}: {line}")

    def tick(self, done: int, total: int, note: str = "") -> None:
        """Nobody watches."""

    def stop(self) -> bool:
        return workers.stopped()


def _train_arm(recipe: Recipe, folder: str, name: str) -> None:
    """In a worker: an arm as far as its last checkpoint. The parent makes the records from it."""
    for _ in Hands(recipe, Run(Path(folder)), _Worker(name), set()).tuned(name):
        pass
