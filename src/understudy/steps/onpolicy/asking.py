"""What every step of on-policy distillation asks, read off the seed alone."""

import random
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from understudy.errors import UserError
from understudy.recipe import OnPolicy
from understudy.records import Example, Prompt
from understudy.render import Tokenizer, prompt_ids, render
from understudy.student import Loaded


class Pool(NamedTuple):
    """Where the student's rows come from."""

    name: str
    share: float
    """Of the rows that the student writes."""
    prompts: Sequence[Prompt]
    anchored: bool = False
    """They pull the student to itself as it came."""


class Row(NamedTuple):
    """One prompt, and the reply where the student does not write it."""

    prompt: Prompt
    ids: list[int]
    """[T]"""
    reply: list[int] | None
    """[N] with its end."""
    anchored: bool = False
    """It pulls the student to itself as it came."""


class Kind(NamedTuple):
    """Rows of one kind."""

    share: float
    """Of all rows."""
    rows: Sequence[Row]


def rows(
    pools: Sequence[Pool],
    examples: Iterable[Example],
    loaded: Loaded,
    settings: OnPolicy,
    say: Callable[[str], None],
) -> list[Kind]:
    """Every row that may be asked; those that do not fit are counted and left out.

    Raises:
        UserError: none of a kind fits.
    """
    longest = loaded.model.config.max_position_embeddings - settings.max_tokens
    named: list[tuple[str, float, list[Row]]] = []
    for pool in pools:
        asked = [Row(p, prompt_ids(p.messages, loaded.tokenizer, p.prefill), None, pool.anchored) for p in pool.prompts]
        named.append((pool.name, pool.share * settings.sampled, asked))
    named.append(("the mix", 1 - settings.sampled, [_answered(e, loaded.tokenizer) for e in examples]))
    found: list[Kind] = []
    for name, share, there in named:
        if share < 1e-9:
            continue
        fitting = [r for r in there if len(r.ids) <= longest and len(r.reply or ()) <= settings.max_tokens]
        if not fitting:
            raise UserError(
                f"onpolicy: nothing of {name} can be asked: none of {len(there)} has a prompt of at most {longest} "
                f"tokens and a reply of at most {settings.max_tokens}. Check the source, or set onpolicy.max_tokens."
            )
        say(f"onpolicy: {share:.0%} of the rows are of {name}; {len(there) - len(fitting)} of {len(there)} too long")
        found.append(Kind(share, fitting))
    return found


def _answered(example: Example, tokenizer: Tokenizer) -> Row:
    """An example whose last turn is the reply."""
    whole = render(example.messages, (*(0.0 for _ in example.messages[1:]), 1.0), tokenizer)
    learned = [i for i, weight in enumerate(whole.weights) if weight > 0]
    prompt = Prompt(id=example.id, messages=example.messages[:-1])
    return Row(prompt, whole.ids[: learned[0]], whole.ids[learned[0] : learned[-1] + 1])


class Plan:
    """The rows of a run of any length: steps of `size` rows, one after the other.

    Every step has the exact share of each kind, carried over where it is no whole number; of a kind each row comes once
    before any comes again. Nothing is held, so a run resumes where it was.
    """

    def __init__(self, kinds: Sequence[Kind], size: int, seed: int) -> None:
        self.size, self.seed = size, seed
        self.kinds = [kind.rows for kind in kinds]
        self.edges = [0.0]
        """Sums of the shares."""
        for kind in kinds:
            self.edges.append(self.edges[-1] + kind.share)
        self._permutation = lru_cache(maxsize=2 * len(kinds))(self._drawn)

    def row(self, number: int) -> Row:
        """The row of that number in the whole run."""
        step, place = divmod(number, self.size)
        begin = 0
        for kind, (low, high) in enumerate(pairwise(self.edges)):
            before = self._upto(high, step) - self._upto(low, step)
            here = self._upto(high, step + 1) - self._upto(low, step + 1) - before
            if place < begin + here:
                return self._nth(kind, before + place - begin)
            begin += here
        raise IndexError(number)

    def _upto(self, edge: float, steps: int) -> int:
        """Rows of the kinds below that edge in so many steps."""
        return int(edge * steps * self.size + 1e-6)

    def _nth(self, kind: int, n: int) -> Row:
        epoch, at = divmod(n, len(self.kinds[kind]))
        return self.kinds[kind][self._permutation(kind, epoch)[at]]

    def _drawn(self, kind: int, epoch: int) -> list[int]:
        drawn = list(range(len(self.kinds[kind])))
        random.Random(f"onpolicy/{self.seed}/{kind}/{epoch}").shuffle(drawn)
        return drawn
