"""Arms trained side by side, in processes of their own, as far as their last checkpoint."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from understudy import workers
from understudy.pipeline import steps
from understudy.pipeline.keeping import Keeper
from understudy.pipeline.making import Hands
from understudy.pipeline.steps import Step
from understudy.recipe import Recipe, arms
from understudy.store import Run


def train_ahead(recipe: Recipe, keeper: Keeper, named: Mapping[str, Recipe]) -> None:
    """Train what is to be trained side by side, where the recipe asks for it; `sft` then finds the checkpoints."""
    if keeper.ahead or not keeper.wanted("sft") or recipe.compute.processes > 1:
        return
    hands = Hands(recipe, keeper.run, keeper.teller, keeper.ahead)
    # Longest first: what learns as many tokens as another takes many times its steps.
    order = sorted(named, key=lambda name: named[name].sft.learned_tokens_of is None)
    _ahead(recipe, keeper, {name: steps.sft(name, named, hands) for name in order}, _train_arm)


def practise_ahead(recipe: Recipe, keeper: Keeper, named: Mapping[str, Recipe]) -> None:
    """The same for reinforcement: every arm is fine-tuned first, since that is what it starts from."""
    asking = [name for name, arm in named.items() if arm.rl is not None]
    ahead = {f"arms/{name}/rl" for name in asking} & keeper.ahead
    if ahead or recipe.workers < 2 or not keeper.wanted("rl") or recipe.compute.processes > 1:
        return
    hands = Hands(recipe, keeper.run, keeper.teller, keeper.ahead)
    for name in asking:
        keeper.keep(steps.sft(name, named, hands))
    _ahead(recipe, keeper, {name: steps.rl(name, named, hands) for name in asking}, _practise_arm)


def _ahead(recipe: Recipe, keeper: Keeper, asked: Mapping[str, Step], work: Callable[[Recipe, str, str], None]) -> None:
    """Side by side, what of these steps is not kept, where there are several."""
    reads = {name: keeper.reads(step) for name, step in asked.items() if step.trains}
    todo = {name: asked[name] for name in reads if not keeper.kept(asked[name], reads[name])}
    at_once = min(recipe.workers, os.cpu_count() or 1, len(todo))
    if at_once < 2:
        return
    for name, step in todo.items():
        keeper.scratch(step, reads[name])
        keeper.ahead.add(step.name)
    first = next(iter(todo.values()))
    keeper.teller.say(f"{first.verb:<26} … {', '.join(todo)}: {at_once} at a time{keeper.expected(first)}")
    begun = time.monotonic()
    calls = [(recipe, str(keeper.run.folder), name) for name in todo]
    for i in workers.side_by_side(work, calls, at_once, keeper.teller.say, keeper.teller.stop):
        keeper.teller.say(f"{calls[i][2]}: trained")
    keeper.timed(first.verb, None, begun, at_once)


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


def _practise_arm(recipe: Recipe, folder: str, name: str) -> None:
    """The same of reinforcement."""
    step = steps.rl(name, arms(recipe), Hands(recipe, Run(Path(folder)), _Worker(name), set()))
    for _ in step.make():
        pass


def _train_arm(recipe: Recipe, folder: str, name: str) -> None:
    """In a worker: an arm as far as its last checkpoint. The parent makes the records from it."""
    for _ in Hands(recipe, Run(Path(folder)), _Worker(name), set()).tuned(name):
        pass
