"""How likely a student finds replies of others: small talk, and the test problems' own solutions.

What was forgotten shows here long before a reply goes wrong.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from _studies.kept import Kept
from _studies.pooling import Found, Key, Place

from understudy import prompts
from understudy.recipe import Layout, Recipe, arms
from understudy.records import Problem, Prompt, Split
from understudy.sources.chat import small_talk
from understudy.store import Run

if TYPE_CHECKING:
    from understudy.engines.local import Local

TALKS = 200
OTHER = 1_000_000
"""Added to the seed, so that the talks come in another order than those of the mix."""

Pair = tuple[str, Prompt, str]
"""Id, what is asked, and the reply."""


def surprises(run: Run, recipe: Recipe) -> Found:
    """Nats per token of every arm on both, by seed."""
    problems = list(run.rows("problems"))
    suites = {p.id: p.suite for p in problems}
    texts = {"talk": list(talk(recipe.seed)), "solutions": list(solutions(problems))}
    kept, found = Kept(run, "surprise", dict[str, list[float]]), Found()
    for label, arm in arms(recipe).items():
        known = kept.of(label, arm, lambda local: {name: _nats(local, pairs) for name, pairs in texts.items()})
        table = found.setdefault(label.partition("@")[0], {})
        for name, pairs in texts.items():
            for (key, _, _), nats in zip(pairs, known[name], strict=True):
                place = Place(suites.get(key, "small_talk"), "", f"nats_on_{name}", "all")
                table.setdefault(place, {})[Key(key, key, arm.seed)] = nats
    return found


def talk(seed: int) -> Iterator[Pair]:
    """Different exchanges of small talk."""
    seen = dict.fromkeys((ask, reply.content) for ask, reply in islice(small_talk(seed + OTHER), 20 * TALKS))
    for i, (ask, reply) in enumerate(islice(seen, TALKS)):
        yield f"talk/{i}", Prompt(id=f"talk/{i}", messages=(ask,)), reply


def solutions(problems: Sequence[Problem]) -> Iterator[Pair]:
    """Test problems with their own solution, laid out as traces are."""
    for problem in problems:
        thought = prompts.rationale(problem)
        if problem.split is Split.TEST and thought and problem.answer:
            reply = prompts.target(thought, problem.answer, Layout.THINK_FIRST)
            yield problem.id, prompts.solve(problem), reply


def _nats(local: "Local", pairs: Sequence[Pair]) -> list[float]:
    by_number = {one.pair: one.logprobs for one in local.score([(prompt, reply) for _, prompt, reply in pairs])}
    each = [by_number[i] for i in range(len(pairs))]
    return [round(-sum(one) / max(1, len(one)), 4) for one in each]
