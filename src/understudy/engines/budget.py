"""An engine around the engine that costs: stops asking when the money, the tokens or the hours are spent.

What is in flight then is finished and kept. What was spent is on record beside the samples, so that a second run of
the same folder does not begin to count at nothing.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from understudy.engines.base import Engine, Metered, Sampled, Wanted, always
from understudy.errors import BudgetError
from understudy.recipe import Price, Spending
from understudy.records import Prompt, Sample, Sampling
from understudy.store import Journal, whole_lines

EVERY = 0.05
"""Seconds between lines of the ledger: so much of it a kill may cost."""


class Spent(msgspec.Struct, kw_only=True):
    """What asking has taken so far; a line of the ledger holds what a few samples took."""

    samples: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float | None = 0.0
    """None: the price of one of them is not known."""
    hours: float = 0.0
    """Of asking, by the clock."""
    uncounted: int = 0
    """Samples of which the server did not say how many tokens they took."""

    def add(self, other: "Spent") -> None:
        """Sum up."""
        self.samples += other.samples
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.hours += other.hours
        self.uncounted += other.uncounted
        self.dollars = None if self.dollars is None or other.dollars is None else self.dollars + other.dollars


class Budget:
    """Samples of `engine` until one of `limits` is reached."""

    def __init__(self, engine: Engine, limits: Spending, price: Price | None, path: Path) -> None:
        self.name = engine.name
        self.engine, self.limits, self.price = engine, limits, price
        self.spent = Spent()
        if path.exists():
            for line in whole_lines(path):
                self.spent.add(msgspec.json.decode(line, type=Spent))
        self._journal = Journal(path)
        self._unwritten, self._written = Spent(), 0.0
        self._meter = engine if isinstance(engine, Metered) else None
        self._billed = (0, 0)
        self._since: float | None = None
        self._refused = False

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        """What the engine inside draws; nothing more is asked once the budget is spent.

        Raises:
            BudgetError: it is spent, and something was still wanted; all that was paid for is given before.
        """
        if self.limits.dollars is not None and self.price is None:
            raise BudgetError(
                f"generate: budget: dollars needs the price of {self.name}, which is not known. "
                "Give it in dollars per million tokens: generate.price={input: …, output: …}"
            )
        self._since = time.monotonic()
        for one in self.engine.sample(prompts, sampling, lambda i, n: wanted(i, n) and self._affords()):
            self._count(one.sample)
            yield one
        if self._refused:
            raise BudgetError(f"The budget is spent: {self.told()}. What was collected is kept. Raise generate.budget.")

    def close(self) -> None:
        """Close the ledger and the engine inside."""
        self._write(time.monotonic())
        self._journal.close()
        self.engine.close()

    def notes(self) -> Sequence[str]:
        """What was found out about the server, each to be said once."""
        return self._meter.notes if self._meter else ()

    def told(self) -> str:
        """What was spent, in words."""
        flying = f"{self._meter.in_flight} in flight, " if self._meter and self._meter.in_flight else ""
        spent = self.spent.dollars
        money = "unknown price" if spent is None or self.price is None else f"${spent:.{2 if spent >= 1 else 4}f}"
        tokens = self.spent.tokens_in + self.spent.tokens_out
        return f"{flying}{money}, {tokens:,} tokens, {self.spent.hours:.2f} h for {self.spent.samples:,} samples"

    def _affords(self) -> bool:
        """Nothing is spent to the end yet; hours run while nothing comes back, too."""
        most, spent = self.limits, self.spent
        running = spent.hours + (time.monotonic() - (self._since or time.monotonic())) / 3600
        over = (
            (most.dollars is not None and (spent.dollars is None or spent.dollars >= most.dollars))
            or (most.tokens is not None and spent.tokens_in + spent.tokens_out >= most.tokens)
            or (most.hours is not None and running >= most.hours)
        )
        self._refused = self._refused or over
        return not over

    def _count(self, sample: Sample) -> None:
        now = time.monotonic()
        hours, self._since = (now - (self._since or now)) / 3600, now
        tokens_in, tokens_out = self._taken(sample)
        one = Spent(
            samples=1,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            dollars=dollars(self.price, tokens_in, tokens_out),
            hours=hours,
            uncounted=int(sample.error is None and not sample.tokens_out),
        )
        self.spent.add(one)
        self._unwritten.add(one)
        if now - self._written > EVERY:
            self._write(now)

    def _write(self, now: float) -> None:
        if self._unwritten.samples:
            self._journal.add(self._unwritten)
        self._unwritten, self._written = Spent(), now

    def _taken(self, sample: Sample) -> tuple[int, int]:
        """Tokens since the last sample, as the server counts them; else those of the sample."""
        if self._meter is None:
            return sample.tokens_in, sample.tokens_out
        billed, before = self._meter.billed, self._billed
        self._billed = billed
        return billed[0] - before[0], billed[1] - before[1]


def dollars(price: Price | None, tokens_in: float, tokens_out: float) -> float | None:
    """What so many tokens cost; None where the price is not known.

    >>> dollars(Price(input=1.0, output=4.0), 1_000_000, 500_000)
    3.0
    """
    return None if price is None else (price.input * tokens_in + price.output * tokens_out) / 1e6
