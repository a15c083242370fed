"""The order of all batches, drawn before the first step.

So a run resumed from a checkpoint takes the same steps, and a run can be as long as it takes to learn so many tokens.
"""

import random
from collections.abc import Iterator, Sequence

from understudy.recipe import Train
from understudy.render import Rendered


def order(
    lengths: Sequence[int], batch: int, seed: int, by_length: bool = True, groups: Sequence[str | None] = ()
) -> Iterator[list[int]]:
    """Endless batches of row numbers, epoch after epoch; of the rows of one group each epoch has one.

    `by_length`: rows of like length stand together, batches at random; else rows at random.
    """
    rng = random.Random(f"order/{seed}")
    alike = _alike(groups or [None] * len(lengths))
    held: list[int] = []
    while True:
        epoch = [one[0] if len(one) == 1 else rng.choice(one) for one in alike]
        rng.shuffle(epoch)
        held += epoch
        while len(held) >= 8 * batch:
            some, held = held[: 8 * batch], held[8 * batch :]
            if by_length:
                some.sort(key=lambda i: lengths[i])
            batches = [some[i : i + batch] for i in range(0, len(some), batch)]
            if by_length:
                rng.shuffle(batches)
            yield from batches


def batches(rows: Sequence[Rendered], settings: Train, seed: int, learn: int | None = None) -> list[list[int]]:
    """The batches of a whole run: as many as learn `learn` tokens, else `settings.steps`, else its epochs."""
    found: list[list[int]] = []
    groups = [r.group for r in rows]
    steps = settings.steps or max(1, round(settings.epochs * len(_alike(groups)) / settings.batch))
    learned = 0
    for one in order([len(r.ids) for r in rows], settings.batch, seed, settings.group_by_length, groups):
        if learned >= learn if learn is not None else len(found) >= steps:
            return found
        found.append(one)
        learned += sum(rows[i].learned for i in one)
    return found


def padded(rows: Sequence[Rendered], plan: Sequence[Sequence[int]], at_once: int) -> list[int]:
    """Tokens of each forward pass, padding included, where `at_once` rows are padded to the longest of them."""
    parts = [batch[i : i + at_once] for batch in plan for i in range(0, len(batch), at_once)]
    return [len(part) * max(len(rows[i].ids) for i in part) for part in parts]


def _alike(groups: Sequence[str | None]) -> list[list[int]]:
    """Row numbers by group, in the order of their first rows; a row without one is a group of its own."""
    found: dict[str | int, list[int]] = {}
    for i, group in enumerate(groups):
        found.setdefault(i if group is None else group, []).append(i)
    return list(found.values())
