"""What a run will take, before its first step: time and memory of activations from a forward and backward pass that is
measured, the rest from sizes.
"""

import os
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from understudy.render import Rendered
from understudy.training.batches import padded
from understudy.training.learner import Learner, dataset
from understudy.training.optimizers import MuonAdamW

WORK = {"cpu": 1e11, "cuda": 1e14}
"""Floating-point operations that the measured pass may take: a few seconds."""
GB = 1e9


class Estimate(NamedTuple):
    """What a run will take. Bytes and seconds; sizes are those of one process."""

    steps: int
    tokens: int
    """That are reckoned, padding included."""
    padding: float
    """Share of them that is padding."""
    seconds: float
    """Of all forward and backward passes; optimizer steps come on top."""
    measured: int
    """Tokens of the pass that was measured."""
    weights: int
    gradients: int
    optimizer: int
    activations: int
    """Of the longest forward pass; a part of it where activations are reckoned anew."""
    free: int | None
    """Memory that is free now; None = not known."""

    @property
    def memory(self) -> int:
        """Of all four."""
        return self.weights + self.gradients + self.optimizer + self.activations

    def told(self) -> str:
        """In words."""
        parts = ("weights", self.weights), ("gradients", self.gradients), ("optimizer", self.optimizer)
        sizes = ", ".join(f"{name} {_size(n)}" for name, n in (*parts, ("activations", self.activations)))
        free = f", of which {_size(self.free)} are free" if self.free is not None else ""
        short = " It may not be enough." if self.free is not None and self.memory > self.free else ""
        return (
            f"estimate: {self.steps} steps of {self.tokens} tokens in all, {self.padding:.0%} of them padding: about "
            f"{_time(self.seconds)} of forward and backward passes, by a measured one of {self.measured} tokens; "
            f"about {_size(self.memory)} of memory ({sizes}){free}.{short}"
        )


def estimate(trainer: Learner, rows: Sequence[Rendered], plan: Sequence[Sequence[int]]) -> Estimate:
    """What the run will take; the model and all random numbers stay as they are."""
    at_once = trainer.args.per_device_train_batch_size
    if trainer.args.padding_free:
        passes = [sum(len(rows[i].ids) for i in b[k : k + at_once]) for b in plan for k in range(0, len(b), at_once)]
    else:
        passes = padded(rows, plan, at_once)
    model = trainer.model
    device = next(model.parameters()).device
    size = sum(p.numel() for p in model.parameters())
    inputs = _inputs(trainer, rows, plan, at_once, int(WORK.get(device.type, WORK["cpu"]) / (6 * size)))
    inputs = {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in inputs.items()}
    measured = inputs["input_ids"].numel()
    if trainer.args.activation_checkpointing:
        model.gradient_checkpointing_enable()
    with torch.random.fork_rng():
        held, _ = _passed(trainer, inputs)
        _, seconds = _passed(trainer, inputs)
    model.zero_grad()
    trained = [p for p in model.parameters() if p.requires_grad]
    processes = trainer.accelerator.num_processes
    return Estimate(
        steps=len(plan),
        tokens=sum(passes),
        padding=1 - sum(len(rows[i].ids) for b in plan for i in b) / sum(passes),
        seconds=seconds / measured * sum(passes) / processes,
        measured=measured,
        weights=sum(p.numel() * p.element_size() for p in model.parameters()),
        gradients=sum(p.numel() * p.element_size() for p in trained),
        optimizer=_state(trainer.make(model)),
        activations=round(held / measured * max(passes)),
        free=_free(device),
    )


def _inputs(
    trainer: Learner, rows: Sequence[Rendered], plan: Sequence[Sequence[int]], at_once: int, most: int
) -> dict[str, Any]:
    """A forward pass of middling length, of at most so many tokens."""
    parts = [batch[k : k + at_once] for batch in plan for k in range(0, len(batch), at_once)]
    part = sorted(parts, key=lambda p: max(len(rows[i].ids) for i in p))[len(parts) // 2]
    width = max(len(rows[i].ids) for i in part)
    chosen = [rows[i] for i in part[: max(1, most // width)]]
    cut = max(16, most)  # a single row may still be too long
    short = [r._replace(ids=r.ids[-cut:], weights=r.weights[-cut:]) for r in chosen]
    return trainer.data_collator(list(dataset(short)))


def _passed(trainer: Learner, inputs: dict[str, Any]) -> tuple[int, float]:
    """Bytes that a forward pass holds for the backward one, and the seconds of both."""
    weights = {p.untyped_storage().data_ptr() for p in trainer.model.parameters()}
    held: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            held[storage.data_ptr()] = storage.nbytes()
        return tensor

    trainer.model.train()
    begun = _now()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), trainer.compute_loss_context_manager():
        loss = trainer.compute_loss(trainer.model, dict(inputs))
    loss.backward()
    return sum(held.values()), _now() - begun


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def _state(optimizer: Any) -> int:
    """Bytes of means that the optimizer holds: AdamW two for each weight, Muon one."""
    parts = ((optimizer.muon, 1), (optimizer.adamw, 2)) if isinstance(optimizer, MuonAdamW) else ((optimizer, 2),)
    return sum(
        means * p.numel() * p.element_size() for part, means in parts for g in part.param_groups for p in g["params"]
    )


def _free(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _size(count: int) -> str:
    return f"{count / GB:.1f} GB" if count >= GB / 10 else f"{count / 1e6:.0f} MB"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
