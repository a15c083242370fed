"""Training in several processes against one: the same batches, the same curve, and resumed as it would have been.

    make bench NAME=processes                     or, with options:
    .venv/bin/python benchmarks/processes.py --processes 2 --strategies ddp,fsdp2 --steps sft

Base training on text and fine-tuning of a tiny student, once in one process and once under `accelerate launch` with
gloo on this machine's cores, as a run would do it; then again, stopped half-way. Differences are those of the learning
curve (nats per token, as it is on record) and of the finished weights. Not a measure of speed.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file

from understudy import pipeline
from understudy import recipe as recipes
from understudy.pipeline import launching
from understudy.recipe import Recipe
from understudy.store import Run

FOLDERS = {"pretrain": "pretrain", "sft": "arms/student"}
"""Where each step puts its curve and its model."""


BEFORE = ("source", "pretrain", "generate", "curate", "mix", "sft")
"""The steps as a run makes them."""


class Differences(NamedTuple):
    """Of two runs."""

    most: float
    """Of the loss, nats per token."""
    mean: float
    weights: float
    """Greatest of any weight."""


class Teller:
    """Remembers what it is told, and says stop from a line on."""

    def __init__(self, until: str | None = None) -> None:
        self.until, self.heard = until, False

    def say(self, line: str) -> None:
        self.heard = self.heard or (self.until is not None and line.startswith(self.until))

    def tick(self, done: int, total: int, note: str = "") -> None: ...

    def stop(self) -> bool:
        return self.heard


def recipe(processes: int, strategy: str, accumulate: int, step: str) -> Recipe:
    """`accumulate`: forward passes that a step of `step` is spread over."""
    how = {"steps": 24, "batch": 8, "log_every": 2, "save_every": 4, "lr": 3e-3}
    pretrain = how | {"texts": [{"name": "sums", "share": 3}, {"name": "small_talk"}], "length": 64}
    parts = {"pretrain": pretrain, "sft": how}
    parts[step] = parts[step] | {"accumulate": accumulate}
    return recipes.build(
        {
            "sources": [{"name": "word_problems", "counts": {"train": 60, "test": 4}}],
            "compute": {"processes": processes, "strategy": strategy, "peak_tflops": 1},
            "student": {"build": {"layers": 2, "width": 64, "ffn": 128, "vocabulary": 400}},
        }
        | parts
    )


def made(folder: Path, what: Recipe, teller: Teller, step: str, base: Path | None) -> Path:
    """The run folder, with the step in it; fine-tuning starts from the run in `base`."""
    if base is not None and not folder.exists():
        shutil.copytree(base, folder)
    run = Run(folder)
    for one in BEFORE[: BEFORE.index(step) + 1]:
        pipeline.distil(what, run, teller, only=one)
    return folder


def differences(one: Path, two: Path, step: str) -> Differences:
    """Of the curve and the weights that a step made."""
    at = FOLDERS[step]
    curves = [[p.loss for p in Run(f).rows(f"{at}/losses")] for f in (one, two)]
    apart = [abs(a - b) for a, b in zip(*curves, strict=True)]
    a, b = (load_file(f / at / "model" / "model.safetensors") for f in (one, two))
    return Differences(max(apart), sum(apart) / len(apart), max(float((a[k] - b[k]).abs().max()) for k in a))


def measured(folder: Path, step: str, strategy: str, processes: int, row: Callable[..., None]) -> None:
    """Compare one process with several, accumulated or not, and a run that was stopped with one that was not."""
    base = made(folder / "base", recipe(1, "ddp", 1, "sft"), Teller(), "pretrain", None) if step == "sft" else None
    alone = made(folder / "alone", recipe(1, "ddp", 1, step), Teller(), step, base)
    several = [recipe(processes, strategy, n, step) for n in (1, 2)]
    many, spread = (made(folder / f"many-{n}", one, Teller(), step, base) for n, one in enumerate(several))
    who = f"{processes} processes, {strategy}"
    row(step, who, "one process", differences(alone, many, step))
    row(step, f"{who}, accumulated twice", "one process", differences(alone, spread, step))
    stopped = folder / "stopped"
    try:
        made(stopped, several[0], Teller("step    12/24"), step, base)
        raise SystemExit("the run ended before it could be stopped")
    except KeyboardInterrupt:
        made(stopped, several[0], Teller(), step, base)
    row(step, f"{who}, stopped and resumed", "not stopped", differences(many, stopped, step))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--strategies", default="ddp,fsdp2")
    parser.add_argument("--steps", default="pretrain,sft")
    options = parser.parse_args()
    print("| step | what | against | loss: most | mean | weights: most |\n| --- | --- | --- | --- | --- | --- |")

    def row(step: str, what: str, against: str, found: Differences) -> None:
        figures = " | ".join(f"{x:.2g}" for x in found)
        print(f"| {step} | {what} | {against} | {figures} |", flush=True)

    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    for strategy in options.strategies.split(","):
        launching.MODULE = "_sharded" if strategy == "fsdp2" and not torch.cuda.is_available() else "understudy.launch"
        for step in options.steps.split(","):
            with tempfile.TemporaryDirectory() as folder:
                measured(Path(folder), step, strategy, options.processes, row)


if __name__ == "__main__":
    sys.exit(main())
