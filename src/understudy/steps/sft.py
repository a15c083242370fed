"""Fine-tuning on the mix, full or LoRA. Of several learning rates the one that does best on dev goes the whole way."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from understudy import student, training
from understudy.recipe import Adapter, Sft
from understudy.records import Example, Loss, Metric, Student
from understudy.stats import wilson
from understudy.student import Loaded

Scorer = Callable[[Loaded], tuple[int, int]]
"""Right answers on dev, and how many were asked."""


def sft(
    examples: Sequence[Example],
    base: Student,
    source: str,
    settings: Sft,
    seed: int,
    learn: int | None,
    score: Scorer,
    folder: Path,
    at: str,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Iterator[Student | Loss | Metric]:
    """The student, its learning curve and the trials of learning rates.

    `source` is where the base lies; `learn` is how many tokens to learn, where another arm decides it; `at` is the
    arm's folder in the run, and `folder` the same as a path. What an unfinished run left in its checkpoints is used.
    """
    tokenizer = student.load(source).tokenizer
    ready = training.preflight(examples, tokenizer, settings.max_length)
    say(training.told(ready, base.parameters))
    plan = training.batches(ready.rows, settings, seed, learn)
    run = _Runs(source, ready, settings, seed, folder / "checkpoints", say, stop)
    rates = settings.lr if isinstance(settings.lr, tuple) else (settings.lr,)
    best = rates[0]
    if len(rates) > 1:
        share = max(1, round(settings.search_share * len(plan)))
        trials = [run.trial(lr, plan[:share], score) for lr in rates]
        best = rates[max(range(len(rates)), key=lambda i: trials[i][0])]
        yield from (_trial(at, lr, right, n) for lr, (right, n) in zip(rates, trials, strict=True))
        yield Metric(name="chosen_lr", suite="dev", model=_arm(at), strategy="greedy", value=best, n=1, method="argmax")
    loaded, curve = run.whole(best, plan)
    yield training.keep(loaded, folder, at, base=base.hash, adapter=settings.adapter is Adapter.LORA)
    yield from curve


def learned(examples: Sequence[Example], source: str, settings: Sft, seed: int) -> int:
    """How many tokens a run on these examples learns."""
    ready = training.preflight(examples, student.load(source).tokenizer, settings.max_length)
    return sum(ready.rows[i].learned for batch in training.batches(ready.rows, settings, seed) for i in batch)


class _Runs:
    """Training runs that differ in their learning rate alone; a finished one is not trained again."""

    def __init__(
        self,
        source: str,
        ready: training.Preflight,
        settings: Sft,
        seed: int,
        folder: Path,
        say: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> None:
        self.source, self.ready, self.settings, self.seed = source, ready, settings, seed
        self.folder, self.say, self.stop = folder, say, stop

    def trial(self, lr: float, plan: Sequence[Sequence[int]], score: Scorer) -> tuple[int, int]:
        """What a run of that rate gets on dev."""
        done = self.folder / f"{lr:g}-{len(plan)}" / "score.json"
        if not done.exists():
            loaded, _ = self.whole(lr, plan)
            result = score(loaded)
            done.with_suffix(".part").write_bytes(msgspec.json.encode(result))
            done.with_suffix(".part").replace(done)
        right, n = msgspec.json.decode(done.read_bytes(), type=tuple[int, int])
        self.say(f"learning rate {lr:g}: {right}/{n} right on dev after {len(plan)} steps")
        return right, n

    def whole(self, lr: float, plan: Sequence[Sequence[int]]) -> tuple[Loaded, list[Loss]]:
        """The model after all of `plan`, from its last checkpoint on."""
        loaded = student.load(self.source)
        if self.settings.adapter is Adapter.LORA:
            loaded = student.with_lora(loaded, self.settings, self.seed)
        folder = self.folder / f"{lr:g}-{len(plan)}"
        curve = training.train(loaded, self.ready.rows, plan, self.settings, lr, folder, self.say, self.stop)
        return loaded, curve


def _trial(at: str, lr: float, right: int, n: int) -> Metric:
    value, low, high = (round(x, 6) for x in wilson(right, n))
    return Metric(
        name="dev_accuracy",
        suite="dev",
        model=_arm(at),
        strategy="greedy",
        slice=f"lr={lr:g}",
        value=value,
        low=low,
        high=high,
        n=n,
        method="wilson",
    )


def _arm(at: str) -> str:
    return at.rpartition("/")[2]
