"""A few problems asked for real, before all of them are: what traces will cost, and how many will be of use.

What a pilot asks is kept in the store, so the run that follows does not ask it again.
"""

import random
import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from understudy.engines.budget import dollars
from understudy.engines.prices import price
from understudy.errors import UserError
from understudy.pipeline.making import Hands
from understudy.recipe import Recipe
from understudy.records import Judged, Stop, Trace
from understudy.stats import Interval, ratio
from understudy.store import Run

if TYPE_CHECKING:  # the story imports this room
    from understudy.pipeline import Teller

FEWEST = 2
"""Problems that a figure with an interval needs."""


class Pilot(NamedTuple):
    """What some of the problems tell of all."""

    problems: int
    """Asked in the pilot."""
    samples: int
    failed: int
    cut_off: int
    right: Interval
    """Share of the samples."""
    verified: Interval
    """Share of the samples that no rule of curation refuses."""
    tokens_in: Interval
    """Per sample."""
    tokens_out: Interval
    rate: float | None
    """Samples a second while they were asked; None = they were kept from before."""
    all_problems: int
    """That the run will ask."""
    all_samples: int
    dollars: Interval | None
    """Of the whole run; None = the price is not known."""
    per_dollar: Interval | None
    """Verified traces."""
    per_million: Interval
    """Verified traces per million tokens answered."""


class _Of(msgspec.Struct):
    """Sums of one problem."""

    samples: int = 0
    right: int = 0
    verified: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


def pilot(recipe: Recipe, run: Run, teller: "Teller", count: int) -> Pilot:
    """Ask `count` problems drawn at random, judge what comes, and reckon with it.

    Raises:
        UserError: there are too few problems.
    """
    from understudy.steps.curate import curate
    from understudy.steps.generate import generate

    hands, settings = Hands(recipe, run, teller, set()), recipe.generate
    train = hands.asked()
    if min(count, len(train)) < FEWEST:
        raise UserError(f"A pilot needs {FEWEST} train problems; asked for {count}, there are {len(train)}.")
    some = random.Random(f"pilot/{recipe.seed}").sample(train, min(count, len(train)))
    teacher = hands.teacher({p.id: p for p in train})
    begun = time.monotonic()
    try:
        tick, solved = hands.tick(teacher), hands.solved()
        made = generate(some, teacher.engine, settings, recipe.seed, tick, teller.stop, solved)
        traces = [one for one in made if isinstance(one, Trace)]
    finally:
        teacher.engine.close()
    asked, seconds = teacher.asked(), time.monotonic() - begun
    judged = [j for j in curate(traces, {p.id: p for p in some}, recipe.curate, teller.say) if isinstance(j, Judged)]
    return _reckoned(recipe, judged, len(train), asked / seconds if asked else None)


def _reckoned(recipe: Recipe, judged: list[Judged], problems: int, rate: float | None) -> Pilot:
    of: defaultdict[str, _Of] = defaultdict(_Of)
    for one in judged:
        sums, sample = of[one.trace.problem], one.trace.sample
        sums.samples += 1
        sums.right += one.verdict == "right"
        sums.verified += one.dropped_by is None
        sums.tokens_in += sample.tokens_in
        sums.tokens_out += sample.tokens_out
    each, known = list(of.values()), price(recipe.generate)
    cost = known.price if known else None
    samples = [o.samples for o in each]
    verified = [o.verified for o in each]
    costs = [dollars(cost, o.tokens_in, o.tokens_out) or 0.0 for o in each]
    total = problems * recipe.generate.n
    return Pilot(
        problems=len(each),
        samples=sum(samples),
        failed=sum(j.trace.sample.stop is Stop.ERROR for j in judged),
        cut_off=sum(j.trace.sample.stop is Stop.LENGTH for j in judged),
        right=ratio([o.right for o in each], samples, 1.0),
        verified=ratio(verified, samples, 1.0),
        tokens_in=ratio([o.tokens_in for o in each], samples),
        tokens_out=ratio([o.tokens_out for o in each], samples),
        rate=rate,
        all_problems=problems,
        all_samples=total,
        dollars=Interval(*(total * x for x in ratio(costs, samples))) if known else None,
        per_dollar=ratio(verified, costs) if known and sum(costs) else None,
        per_million=ratio(verified, [max(o.tokens_out, 1) / 1e6 for o in each]),
    )
