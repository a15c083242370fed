"""Fine-tuning, measured: learned tokens a second beside plain `SFTTrainer`, and whether runs that should be equal are.

    make bench NAME=training                       or, with options:
    .venv/bin/python benchmarks/training.py --only speed --rounds 5 --steps 60

Speed: the demo's student (fresh weights) and the demo's mix, one epoch of the same conversations, one thread. All have
the same batch, optimizer, schedule, dtype and no activation checkpointing; plain has TRL's order of data and padding.
Rounds are interleaved; tokens a CPU second are of the fastest round. Run it when nothing else runs.
"""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from understudy.cli.terminal import quiet

quiet()

import msgspec  # noqa: E402
import torch  # noqa: E402
from transformers import PrinterCallback  # noqa: E402
from trl import SFTTrainer  # noqa: E402

from understudy import pipeline, student, training  # noqa: E402
from understudy import recipe as recipes  # noqa: E402
from understudy.recipe import Adapter, Build, Counts, Optimizer, Recipe, Sft  # noqa: E402
from understudy.records import Example, Message  # noqa: E402
from understudy.render import Rendered  # noqa: E402
from understudy.store import Run  # noqa: E402
from understudy.student import Loaded  # noqa: E402
from understudy.training.learner import dataset  # noqa: E402

TO_REACH = 1.3


class Teller:
    """Nobody listens."""

    def say(self, line: str) -> None: ...

    def tick(self, done: int, total: int, note: str = "") -> None: ...

    def stop(self) -> bool:
        return False


# --- speed ------------------------------------------------------------------------------------------------------------


class Took(NamedTuple):
    """One run."""

    cpu: float
    wall: float
    loss: float
    """Afterwards, on conversations that were not learned from: nats per learned token."""


def speed(work: Path, rounds: int, steps: int) -> Iterator[str]:
    """Learned tokens a second of each contender, and the ratio of ours to plain."""
    recipe, rows, others, fresh = demo(work, steps)
    learned = sum(r.learned for r in rows)
    settings = msgspec.structs.replace(recipe.sft, steps=steps, log_every=steps, save_every=steps)
    grouped = msgspec.structs.replace(settings, group_by_length=True)
    contenders: dict[str, Callable[[Path], Took]] = {
        "plain SFTTrainer": lambda folder: plain(fresh(), rows, others, settings, folder),
        "plain, batches of like length": lambda folder: plain(fresh(), rows, others, grouped, folder, ours=True),
        "understudy": lambda folder: own(fresh(), rows, others, settings, folder),
        "understudy, group_by_length": lambda folder: own(fresh(), rows, others, grouped, folder),
    }
    took: dict[str, list[Took]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, run in contenders.items():
            took[name].append(run(work / f"{name}-{number}".replace(" ", "-")))
            print(f"round {number + 1}: {name}: {took[name][-1].cpu:.1f} s", file=sys.stderr, flush=True)
    yield f"{len(rows)} conversations of {sum(len(r.ids) for r in rows)} tokens, {learned} learned; {rounds} rounds\n"
    yield "| trainer | learned tokens / CPU second | / second | to plain: fastest | median of rounds | loss on others |"
    yield "| --- | --- | --- | --- | --- | --- |"
    base = took["plain SFTTrainer"]
    for name, runs in took.items():
        cpu, wall = min(t.cpu for t in runs), min(t.wall for t in runs)
        each = median(b.cpu / t.cpu for b, t in zip(base, runs, strict=True))
        ratios = f"{min(t.cpu for t in base) / cpu:.2f} | {each:.2f}"
        yield f"| {name} | {learned / cpu:,.0f} | {learned / wall:,.0f} | {ratios} | {runs[-1].loss:.3f} |"
    ratio = min(t.cpu for t in base) / min(t.cpu for t in took["understudy"])
    yield f"\nto reach: {TO_REACH} x; measured: {ratio:.2f} x; {'reached' if ratio >= TO_REACH else 'NOT reached'}"


def demo(work: Path, steps: int) -> tuple[Recipe, list[Rendered], list[Rendered], Callable[[], Loaded]]:
    """The demo's settings, as many rows of its mix as so many steps learn once, others, and its fresh student."""
    whole = recipes.load("demo", ["pretrain.steps=1"])
    some = [msgspec.structs.replace(s, counts=Counts(train=800, dev=10, test=10)) for s in whole.sources[:1]]
    arms = {"student": {}}
    recipe = msgspec.structs.replace(
        whole, sources=tuple(some), arms=arms, evaluate=recipes.Evaluate(), minutes={}, workers=1
    )
    run = Run(work / "demo")
    for step in ("source", "pretrain", "generate", "curate", "mix"):
        pipeline.distil(recipe, run, Teller(), only=step)
    tokenizer = student.load(str(work / "demo" / "pretrain" / "model")).tokenizer
    examples: list[Example] = list(run.rows("arms/student/examples"))
    ready = training.preflight(examples, tokenizer, recipe.sft.max_length)
    count = steps * recipe.sft.batch
    fresh = lambda: Loaded(student.build(recipe.student.build, tokenizer, 0), tokenizer)  # noqa: E731
    return recipe, ready.rows[:count], ready.rows[count : count + 100], fresh


def loss(loaded: Loaded, rows: Sequence[Rendered]) -> float:
    """Of those rows, in nats per learned token."""
    total = learned = 0.0
    with torch.no_grad():
        for row in rows:
            each = loaded.model.eval()(torch.tensor([row.ids])).logits[0, :-1].log_softmax(-1)
            picked = each.gather(-1, torch.tensor(row.ids[1:])[:, None])[:, 0]
            total -= float((picked * torch.tensor(row.weights[1:])).sum())
            learned += sum(row.weights[1:])
    return total / learned


def plain(
    loaded: Loaded,
    rows: Sequence[Rendered],
    others: Sequence[Rendered],
    settings: Sft,
    folder: Path,
    ours: bool = False,
) -> Took:
    """TRL as it comes; `ours`: in the order of our batches."""
    plan = training.batches(rows, settings, 0)
    lr = settings.rates[0]
    trainer = SFTTrainer(
        model=loaded.model,
        args=dataclasses.replace(
            training.arguments(settings, lr, len(plan), folder),
            train_sampling_strategy="sequential" if ours else "random",
        ),
        train_dataset=dataset([rows[i] for batch in plan for i in batch] if ours else rows),
        processing_class=loaded.tokenizer,
        optimizers=(training.optimizer(loaded.model, settings, lr), None),
    )
    trainer.remove_callback(PrinterCallback)
    clock = _Clock()
    trainer.train()
    return Took(*clock.took(), loss(loaded, others))


def own(loaded: Loaded, rows: Sequence[Rendered], others: Sequence[Rendered], settings: Sft, folder: Path) -> Took:
    """`training.train`, from the first step on."""
    clock = _Clock()
    plan = training.batches(rows, settings, 0)

    def say(line: str) -> None:
        if line.startswith("estimate"):
            clock.begin()

    training.train(loaded, rows, plan, settings, settings.rates[0], folder, say, lambda: False)
    return Took(*clock.took(), loss(loaded, others))


class _Clock:
    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.begun = time.process_time(), time.perf_counter()

    def took(self) -> tuple[float, float]:
        return time.process_time() - self.begun[0], time.perf_counter() - self.begun[1]


def order(work: Path, rounds: int, steps: int) -> Iterator[str]:
    """What batches of like length cost in learning: the loss on others after the same number of steps, by seed."""
    recipe, rows, others, fresh = demo(work, 2 * steps)
    yield f"{steps} steps of {recipe.sft.batch} conversations, drawn with each seed; nats per learned token on others\n"
    yield "| seed | at random | of like length | difference |"
    yield "| --- | --- | --- | --- |"
    for seed in range(rounds):
        found = []
        for grouped in (False, True):
            change = {"steps": steps, "log_every": steps, "save_every": steps, "group_by_length": grouped}
            how, loaded = msgspec.structs.replace(recipe.sft, **change), fresh()
            plan, folder = training.batches(rows, how, seed), work / f"order-{seed}-{grouped}"
            training.train(loaded, rows, plan, how, how.rates[0], folder, lambda line: None, lambda: False)
            found.append(loss(loaded, others))
        yield f"| {seed} | {found[0]:.3f} | {found[1]:.3f} | {found[1] - found[0]:+.3f} |"


# --- equivalence ------------------------------------------------------------------------------------------------------

SHAPE = Build(layers=2, width=64, heads=2, kv_heads=1, head_width=32, ffn=128, vocabulary=320, context=128)


class Ran(NamedTuple):
    """The course of a run: losses as they were, and the weights at the end."""

    losses: list[float]
    weights: dict[str, torch.Tensor]


def equivalence(work: Path, rounds: int, steps: int) -> Iterator[str]:
    """Greatest and mean difference of the losses of runs that should be equal, and of their weights."""
    examples = [_example(n) for n in range(200)]
    tokenizer = student.train_tokenizer([m.content for e in examples for m in e.messages], 320)

    def fresh() -> Loaded:
        return Loaded(student.build(SHAPE, tokenizer, 0), tokenizer)

    rows = training.preflight(examples, tokenizer, 128).rows
    half = [r._replace(weights=[w / 2 for w in r.weights]) for r in rows]
    uneven = [r._replace(weights=[w * (0.25 + i % 4) for i, w in enumerate(r.weights)]) for r in rows]

    def run(name: str, until: int | None = None, given: Sequence[Rendered] = rows, **change: object) -> Ran:
        how = Sft(**{"steps": steps, "batch": 8, "lr": 3e-3, "log_every": 1, "save_every": 5, **change})  # type: ignore[arg-type]
        plan, folder, loaded = training.batches(given, how, 0), work / name, fresh()
        said: list[str] = []
        stop = (lambda: any(f"step {until:>5}/" in line for line in said)) if until else (lambda: False)
        training.train(loaded, given, plan, how, how.rates[0], folder, said.append, stop)
        state = json.loads((folder / f"checkpoint-{steps}" / "trainer_state.json").read_text())
        losses = [h["loss"] for h in state["log_history"] if "loss" in h]
        return Ran(losses, {k: v.clone() for k, v in loaded.model.state_dict().items()})

    def resumed(name: str, **change: object) -> Ran:
        try:
            run(name, until=steps // 2, **change)  # type: ignore[arg-type]
        except KeyboardInterrupt:
            pass
        return run(name, **change)  # type: ignore[arg-type]

    yield f"Two layers of width 64, {steps} steps of 8 conversations, float32.\n"
    yield "| runs that should be equal | max Δ loss | mean Δ loss | max Δ weight |"
    yield "| --- | --- | --- | --- |"
    for optimizer in Optimizer:
        straight = run(f"straight-{optimizer}", optimizer=optimizer)
        yield _row(f"{optimizer}: resumed = straight", straight, resumed(f"resumed-{optimizer}", optimizer=optimizer))
        spread = run(f"spread-{optimizer}", optimizer=optimizer, accumulate=2)
        yield _row(f"{optimizer}: batch 4 x 2 accumulated = 8 x 1", straight, spread)
    straight = run("straight", given=rows)
    yield _row("weights of 1/2 = weights of 1", straight, run("half", given=half))
    weighted = run("uneven", given=uneven)
    yield _row("uneven weights: batch 4 x 2 = 8 x 1", weighted, run("uneven-spread", given=uneven, accumulate=2))
    yield _row("packed = padded", straight, run("packed", packing=True))
    yield _row("activation checkpointing = without", straight, run("anew", activation_checkpointing=True))
    yield _row("uneven weights: packed = padded", weighted, run("uneven-packed", given=uneven, packing=True))
    yield "\nMuon makes its steps orthogonal in bfloat16, which turns the last digit of a sum into a digit that counts."
    yield f"\nLoRA, merged against unmerged: max Δ logits {_merged(fresh(), rows, work):.1e}"


def _merged(loaded: Loaded, rows: Sequence[Rendered], work: Path) -> float:
    how = Sft(steps=20, batch=8, lr=1e-2, adapter=Adapter.LORA, rank=8)
    lora = student.with_lora(loaded, how, 0)
    plan = training.batches(rows, how, 0)
    training.train(lora, rows, plan, how, 1e-2, work / "lora", lambda line: None, lambda: False)
    ids = torch.tensor([rows[0].ids])
    model = lora.model.eval()
    with torch.no_grad():
        apart = model(ids).logits
        return float((apart - model.merge_and_unload()(ids).logits).abs().max())


def _row(name: str, one: Ran, two: Ran) -> str:
    losses = [abs(a - b) for a, b in zip(one.losses, two.losses, strict=True)]
    weights = max(float((one.weights[k] - two.weights[k]).abs().max()) for k in one.weights)
    return f"| {name} | {max(losses):.1e} | {sum(losses) / len(losses):.1e} | {weights:.1e} |"


def _example(n: int) -> Example:
    turns = (
        Message(role="user", content=f"What is {n} plus 1?" + " please" * (n % 7)),
        Message(role="assistant", content=f"<think>\n{n} + 1 = {n + 1}\n</think>\n\nThe answer is {n + 1}."),
    )
    return Example(id=f"e{n}", messages=turns, weights=(0.0, 1.0), origin="teacher")


PARTS: dict[str, Callable[[Path, int, int], Iterator[str]]] = {
    "speed": speed,
    "order": order,
    "equivalence": equivalence,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(PARTS), help="one of them (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="of speed, and seeds of order (default: 3)")
    parser.add_argument("--steps", type=int, default=100, help="of each run (default: 100)")
    flags = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    for name in [flags.only] if flags.only else PARTS:
        print(f"\n## {name}\n")
        with tempfile.TemporaryDirectory(prefix="understudy-bench-") as work:
            for line in PARTS[name](Path(work), flags.rounds, flags.steps):
                print(line, flush=True)


if __name__ == "__main__":
    main()
