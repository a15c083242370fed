"""Shares of several sources, drawn at random: by rows or by what is learned of them."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from understudy.errors import UnderstudyError
from understudy.recipe import Unit
from understudy.records import Example, Portion

Learned = Callable[[Example], int]
"""How many tokens of an example are learned."""
Bundle = tuple[Example, ...]
"""Of which each epoch learns one."""
FEW = 100
"""Rows that tell how long those of a source are."""
PATIENCE = 10_000
"""Rows of no use, one after the other, after which an endless source is at its end."""


class LeftOut(NamedTuple):
    """A row that cannot be learned from."""

    why: str


Row = Example | Bundle | LeftOut


class Pot:
    """A source, read as far as it is needed."""

    def __init__(self, name: str, share: float, rows: Iterable[Row], limit: int | None = None) -> None:
        self.name, self.share, self.limit = name, share, limit
        self.left_out: Counter[str] = Counter()
        self.read: list[Bundle] = []
        self._rows = self._of_use(rows)

    def first(self, count: int) -> Sequence[Bundle]:
        """So many rows, or as many as there are; all up to the limit, where there is one."""
        self.read += islice(self._rows, max(0, (self.limit or count) - len(self.read)))
        return self.read

    def _of_use(self, rows: Iterable[Row]) -> Iterator[Bundle]:
        waited = 0
        for row in rows:
            if isinstance(row, LeftOut):
                self.left_out[row.why] += 1
                waited += 1
            else:
                yield (row,) if isinstance(row, Example) else row
                waited = 0
            if waited == PATIENCE:
                return


def by_rows(main: Sequence[Pot], others: Sequence[Pot], rows: int | None, rng: random.Random) -> list[list[Bundle]]:
    """What is drawn of each pot, `main` first, by shares of the rows: each row once before any twice.

    All shares sum to 1. Without `rows` the scarcest of `main` is used once.

    Raises:
        UnderstudyError: a source is empty.
    """
    total = rows or round(min(len(pot.read) / pot.share for pot in main))
    wanted = [round(pot.share * total) for pot in (*main, *others)]
    wanted[0] += total - sum(wanted)  # what rounding leaves
    return [_draw(_some(pot, max(1, n)), n, rng) for pot, n in zip((*main, *others), wanted, strict=True)]


def by_tokens(
    main: Sequence[Pot], others: Sequence[Pot], rows: int | None, rng: random.Random, tokens: "Tokens"
) -> list[list[Bundle]]:
    """The same by shares of the learned tokens: `rows` is met about, the shares are to about a row.

    Raises:
        UnderstudyError: a source is empty.
    """
    pots = [*main, *others]
    means = [_mean(pot.read or _some(pot, FEW)[:FEW], tokens) for pot in pots]
    if rows is None:
        total = min(sum(map(tokens.of, pot.read)) / pot.share for pot in main)
    else:
        total = rows / sum(pot.share / mean for pot, mean in zip(pots, means, strict=True))
    drawn = []
    for pot, mean in zip(pots, means, strict=True):
        wanted = pot.share * total
        drawn.append(_draw_tokens(_some(pot, max(FEW, round(1.1 * wanted / mean))), wanted, rng, tokens))
    return drawn


class Tokens:
    """Learned tokens of bundles, each counted once."""

    def __init__(self, learned: Learned) -> None:
        self._learned = learned
        self._known: dict[str, int] = {}

    def example(self, one: Example) -> int:
        """Of an example; those of one id are the same."""
        found = self._known.get(one.id)
        if found is None:
            found = self._known[one.id] = self._learned(one)
        return found

    def of(self, bundle: Bundle) -> float:
        """What an epoch learns of it, in the mean."""
        return sum(map(self.example, bundle)) / len(bundle)


def portions(pots: Sequence[Pot], drawn: Sequence[Sequence[Bundle]], unit: Unit, tokens: Tokens) -> Iterator[Portion]:
    """What each source has of the mix, by both units."""
    learned = [sum(map(tokens.of, part)) for part in drawn]
    rows, all_learned = sum(map(len, drawn)), sum(learned)
    for pot, part, n in zip(pots, drawn, learned, strict=True):
        yield Portion(
            name=pot.name,
            asked=round(pot.share, 6),
            unit=unit,
            rows=len(part),
            different=len({one.id for bundle in part for one in bundle}),
            tokens=round(n),
            of_rows=round(len(part) / max(1, rows), 6),
            of_tokens=round(n / max(1, all_learned), 6),
            left_out=dict(pot.left_out),
        )


def flat(bundles: Iterable[Bundle]) -> Iterator[Example]:
    """The examples of bundles; one that comes again is a group of its own again."""
    times: Counter[str] = Counter()
    for bundle in bundles:
        group = bundle[0].group
        if group is None:
            yield from bundle
            continue
        times[group] += 1
        again = group if times[group] == 1 else f"{group}*{times[group]}"
        yield from (msgspec.structs.replace(one, group=again) for one in bundle)


def _some(pot: Pot, count: int) -> Sequence[Bundle]:
    found = pot.first(count)
    if not found:
        why = ", ".join(f"{n}: {why}" for why, n in pot.left_out.most_common())
        mend = f" of use ({why}). Change its settings" if why else ". Check its path"
        raise UnderstudyError(f"mix: the source '{pot.name}' has no conversations{mend}, or take it out.")
    return found


def _mean(bundles: Sequence[Bundle], tokens: Tokens) -> float:
    return max(1.0, sum(map(tokens.of, bundles)) / len(bundles))


def _draw(pool: Sequence[Bundle], count: int, rng: random.Random) -> list[Bundle]:
    """`count` of the pool: each once before any twice."""
    drawn: list[Bundle] = []
    while len(drawn) < count:
        drawn += rng.sample(pool, min(len(pool), count - len(drawn)))
    return drawn


def _draw_tokens(pool: Sequence[Bundle], wanted: float, rng: random.Random, tokens: Tokens) -> list[Bundle]:
    """As many of the pool as learn `wanted` tokens, as nearly as whole rows allow: each once before any twice."""
    drawn: list[Bundle] = []
    done = 0.0
    while any(map(tokens.of, pool)):
        for bundle in rng.sample(pool, len(pool)):
            n = float(tokens.of(bundle))
            if done + n / 2 > wanted:
                return drawn
            drawn.append(bundle)
            done += n
    return drawn
