"""Damage done on purpose to the reasoning of a kept trace: digits, deleted, shuffled or inserted steps.

Section 4 of arXiv 2502.07374. The reply with the answer stays as it is. What is drawn depends on the trace's id alone.
"""

import random
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from understudy import answers
from understudy.prompts import reasoning, steps_of
from understudy.recipe import Corrupt, Corruption
from understudy.records import Kind, Sample, Trace

DIGIT = re.compile(r"\d")


class Donor(NamedTuple):
    """A right trace whose steps are put into those of other problems."""

    problem: str
    steps: tuple[str, ...]


class Damaged(NamedTuple):
    """A trace after the damage."""

    trace: Trace
    told: str
    """What was done, in one line."""


Damage = Callable[[list[str], int, random.Random, Sequence[str]], list[str]]
"""The steps with so many of them changed; foreign steps are the last argument."""


def corrupted(trace: Trace, kind: Kind, settings: Corrupt, donors: Sequence[Donor]) -> Damaged | None:
    """The trace with `settings.rate` of its steps damaged; None = it is not among `settings.share`, or has no steps."""
    rng = random.Random(f"corrupt/{settings.kind}/{trace.id}")
    thought = reasoning(trace.sample, kind)
    steps = steps_of(thought)
    if rng.random() >= settings.share or not steps:
        return None
    count = round(settings.rate * len(steps))
    foreign = [step for donor in donors if donor.problem != trace.problem for step in donor.steps]
    done = DAMAGES[settings.kind](steps, count, rng, foreign)
    told = f"{settings.kind}: {count} of {len(steps)} steps"
    joint = "\n" if "\n" in thought else " "
    return Damaged(msgspec.structs.replace(trace, sample=_with(trace.sample, joint.join(done), thought)), told)


def _with(sample: Sample, thought: str, before: str) -> Sample:
    """The sample with another thought, in the field where servers put it, and the rest of the reply as it was."""
    reply = answers.split(sample.text, sample.thought).reply
    if not answers.split(sample.text, sample.thought).thought and reply.startswith(before):
        reply = reply[len(before) :].strip()  # the reply held the reasoning
    return msgspec.structs.replace(sample, thought=thought, text=reply)


def digits(steps: list[str], count: int, rng: random.Random, foreign: Sequence[str]) -> list[str]:
    """Every digit of `count` steps is drawn anew."""
    hit = set(rng.sample(range(len(steps)), count))
    return [DIGIT.sub(lambda m: str(rng.randrange(10)), s) if i in hit else s for i, s in enumerate(steps)]


def deleted(steps: list[str], count: int, rng: random.Random, foreign: Sequence[str]) -> list[str]:
    gone = set(rng.sample(range(len(steps)), count))
    return [s for i, s in enumerate(steps) if i not in gone]


def shuffled(steps: list[str], count: int, rng: random.Random, foreign: Sequence[str]) -> list[str]:
    """`count` steps change places, none of them stays where it was; one alone cannot."""
    places = sorted(rng.sample(range(len(steps)), count))
    order = places[:]
    while len(order) > 1 and any(a == b for a, b in zip(order, places, strict=True)):
        rng.shuffle(order)
    moved = dict(zip(places, order, strict=True))
    return [steps[moved.get(i, i)] for i in range(len(steps))]


def inserted(steps: list[str], count: int, rng: random.Random, foreign: Sequence[str]) -> list[str]:
    """`count` foreign steps between its own."""
    done = steps[:]
    for _ in range(count if foreign else 0):
        done.insert(rng.randrange(len(done) + 1), rng.choice(foreign))
    return done


DAMAGES: dict[Corruption, Damage] = {
    Corruption.DIGITS: digits,
    Corruption.DELETED: deleted,
    Corruption.SHUFFLED: shuffled,
    Corruption.INSERTED: inserted,
}
