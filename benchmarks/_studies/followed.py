"""How far a false number in a student's own thought reaches: one result is changed, and the reply is written anew.

After 2404.09170. A reply that gives its answer before the thought cannot be reached.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from _studies.kept import Kept
from _studies.pooling import Found, Key, Place

from understudy import prompts
from understudy.recipe import Recipe, arms
from understudy.records import Problem, Prompt, Rollout, Sampling
from understudy.steps.solve import answer
from understudy.store import Run

if TYPE_CHECKING:
    from understudy.engines.local import Local

RESULT = re.compile(r"(?<==)\s*\d+")
OFFSETS = (-3, -2, -1, 1, 2, 3)
END = "</think>"

Flips = dict[str, dict[str, bool]]
"""Measure, problem: whether the answer is another one."""


def followed(run: Run, recipe: Recipe) -> Found:
    """Of every arm that thinks before it answers, the share of answers that change: "follows" with the rest of the
    thought as it stood, "follows_on" where the student thinks on from the false number."""
    problems = {p.id: p for p in run.rows("problems")}
    kept, found = Kept(run, "followed", Flips), Found()
    for label, arm in arms(recipe).items():
        replies = [r for r in run.rows(f"arms/{label}/rollouts") if r.number == 0]
        flips = kept.of(label, arm, lambda local, r=replies, a=arm: _flips(local, r, problems, a))  # type: ignore[misc]
        for name, each in flips.items():
            for key, flipped in each.items():
                place = Place(problems[key].suite, "greedy", name, "all")
                cells = found.setdefault(label.partition("@")[0], {}).setdefault(place, {})
                cells[Key(key, key, arm.seed)] = float(flipped)
    return found


def falsified(text: str, problem: str) -> tuple[str, str] | None:
    """A reply as far as its thought, with one result changed: to its end, and to that result. None = it has none."""
    thought, closed, _ = text.partition(END)
    places = list(RESULT.finditer(thought))
    if not closed or not places:
        return None
    rng = random.Random(f"false/{problem}")
    at = rng.choice(places)
    false = str(max(0, int(at.group()) + rng.choice(OFFSETS)))
    if false == at.group().strip():
        false = str(int(at.group()) + 1)
    here = thought[: at.start()] + false
    return f"{here}{thought[at.end() :]}{END}\n\n", here


def _flips(local: "Local", replies: Sequence[Rollout], problems: Mapping[str, Problem], arm: Recipe) -> Flips:
    said = {r.problem: answer(r.sample, problems[r.problem]) for r in replies}
    changed = {r.problem: found for r in replies if (found := falsified(r.sample.text, r.problem)) is not None}
    return {
        name: dict(_changes(local, {p: found[i] for p, found in changed.items()}, said, problems, arm))
        for i, name in enumerate(("follows", "follows_on"))
    }


def _changes(
    local: "Local",
    begun: Mapping[str, str],
    said: Mapping[str, str | None],
    problems: Mapping[str, Problem],
    arm: Recipe,
) -> Iterator[tuple[str, bool]]:
    asked: list[Prompt] = [prompts.solve(problems[p], arm.mix.layout, text) for p, text in begun.items()]
    for one in local.sample(asked, Sampling(max_tokens=arm.solve.max_tokens)):
        key = asked[one.prompt].id
        if said[key] is not None:
            yield key, answer(one.sample, problems[key]) != said[key]
