"""Plain sums made on the spot: the arithmetic that a student needs before it can reason with it."""

import random
from collections.abc import Iterator

from understudy.records import Message
from understudy.sources.word_problems import LIMIT, one_step

PER_ROW = 8


def sums(seed: int) -> Iterator[tuple[Message, Message]]:
    """Endless rows of a few sums each, and the same with their results."""
    rng = random.Random(f"sums/{seed}")
    while True:
        drawn = [one_step(rng, rng.randint(2, LIMIT)) for _ in range(PER_ROW)]
        asked = " ".join(f"{a}{op}{k}" for a, op, k, _ in drawn)
        told = " ".join(f"{a}{op}{k}={b}" for a, op, k, b in drawn)
        yield Message(role="user", content=asked), Message(role="assistant", content=told)
