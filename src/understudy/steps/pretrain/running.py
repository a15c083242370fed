"""The training loop on a stream of text: Transformers' `Trainer`, with marks of the stream in its checkpoints."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch.optim import Optimizer
from torch.utils.data import IterableDataset
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from understudy import reckon, student, workers
from understudy.recipe import Compute, Pretrain, Separate
from understudy.records import Loss
from understudy.sources.texts import Documents
from understudy.steps.pretrain.packing import Ahead, Encode, Mark, Packed, Stream, labels, positions
from understudy.store import Speed
from understudy.student import Loaded
from understudy.training import MarkComplete, Progress, arguments, last_whole, optimizer

MARK = "stream.json"
"""File of a checkpoint: how far the stream has come."""


def run(
    loaded: Loaded,
    texts: Mapping[str, Documents],
    shares: Callable[[int], Mapping[str, float]],
    encode: Encode,
    settings: Pretrain,
    compute: Compute,
    folder: Path,
    say: Callable[[str], None],
    stop: Callable[[], bool],
    measured: Callable[[Speed], None],
) -> tuple[dict[str, torch.Tensor], list[Loss]]:
    """The weights after all steps and the learning curve, from the last whole checkpoint in `folder` on.

    Raises:
        KeyboardInterrupt: `stop` became true; a checkpoint was written first.
    """
    last = last_whole(folder)
    if last is None or _step(last) < settings.batches:
        apart = settings.separate is Separate.MASK
        mark = msgspec.json.decode((Path(last) / MARK).read_bytes(), type=Mark) if last else Mark()
        rows = _Rows(Stream(texts, shares, encode, settings.length, apart, mark), settings, apart)
        clock = _Clock(loaded.model.config, settings, compute, say)
        trainer = _Trainer(loaded, settings, compute, folder, rows, [_Progress(rows, clock, stop), MarkComplete()])
        try:
            trainer.train(resume_from_checkpoint=last)
        finally:
            rows.close()
        if trainer.state.global_step < settings.batches:
            raise KeyboardInterrupt
        if (speed := clock.speed()) is not None and workers.rank() == 0:
            measured(speed)
    done = folder / f"checkpoint-{settings.batches}"
    weights: dict[str, torch.Tensor] = student.load(str(done)).model.state_dict()
    return weights, _curve(done)


def _step(checkpoint: str) -> int:
    return int(checkpoint.rpartition("-")[2])


def _curve(checkpoint: Path) -> list[Loss]:
    history = msgspec.json.decode((checkpoint / "trainer_state.json").read_bytes())["log_history"]
    return [
        Loss(step=h["step"], loss=round(h["loss"], 4), lr=h["learning_rate"], learned_tokens=h["learned_tokens"])
        for h in history
        if "loss" in h
    ]


class _Rows(IterableDataset[dict[str, list[int]]]):
    """The stream as the trainer reads it; remembers the mark after each of the last steps."""

    def __init__(self, stream: Stream, settings: Pretrain, apart: bool) -> None:
        self._stream, self._batch, self._apart = stream, settings.batch, apart
        self._ahead: Ahead | None = None
        self._marks: dict[int, Mark] = {}

    def __iter__(self) -> Iterator[dict[str, list[int]]]:
        self._ahead = Ahead(iter(self._stream), 2 * self._batch)
        for packed, mark in self._ahead:
            if mark.sequences % self._batch == 0:
                self._marks[mark.sequences // self._batch] = mark
                self._marks.pop(mark.sequences // self._batch - 16, None)
            yield self._row(packed)

    def _row(self, packed: Packed) -> dict[str, list[int]]:
        return {
            "input_ids": packed.ids,
            "labels": labels(packed, self._apart),
            "position_ids": positions(packed, self._apart),
        }

    def mark(self, step: int) -> Mark:
        """How far the stream had come when that step had all it learned from."""
        return self._marks[step]

    def close(self) -> None:
        """Read no further."""
        if self._ahead is not None:
            self._ahead.close()


class _Trainer(Trainer):
    """Transformers' trainer with our optimizer and z-loss."""

    optimizer: Optimizer | None

    def __init__(
        self,
        loaded: Loaded,
        settings: Pretrain,
        compute: Compute,
        folder: Path,
        rows: _Rows,
        callbacks: list[TrainerCallback],
    ) -> None:
        self.settings, self.rows = settings, rows
        if compute.attention is not None:
            loaded.model.set_attn_implementation(compute.attention)
        super().__init__(
            model=loaded.model,
            args=_arguments(settings, folder),
            train_dataset=rows,
            data_collator=_together,
            processing_class=loaded.tokenizer,
            callbacks=callbacks,
        )
        self.remove_callback(PrinterCallback)

    def create_optimizer(self, *given: Any) -> Optimizer:
        """Ours, made here because FSDP takes none that was made before."""
        if self.optimizer is None:
            self.optimizer = optimizer(self.model, self.settings, self.settings.rates[0])
        return self.optimizer

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """With the number of learned tokens: who reads the stream knows it."""
        if "loss" in logs and workers.rank() == 0:
            logs["learned_tokens"] = self.rows.mark(self.state.global_step).learned
        super().log(logs, start_time)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Cross-entropy per learned token, with z-loss where it has a weight."""
        inputs = inputs | {"use_cache": False}  # with a cache, packed documents see each other
        if not self.settings.z_loss:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        learned = inputs["labels"][:, 1:] != -100
        z = outputs.logits[:, :-1].float().logsumexp(-1)[learned].square().sum()
        count = num_items_in_batch if num_items_in_batch is not None else learned.sum()
        processes = self.accelerator.num_processes if num_items_in_batch is not None else 1
        loss = loss + self.settings.z_loss * z / count * processes
        return (loss, outputs) if return_outputs else loss


def _together(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def _arguments(settings: Pretrain, folder: Path) -> TrainingArguments:
    found = arguments(settings, settings.rates[0], settings.batches, folder)
    found.ignore_data_skip = True  # the stream itself goes on from its mark
    found.remove_unused_columns = False
    found.gradient_checkpointing = settings.activation_checkpointing
    # One process reads, and gives each its part: the batches are those of a single process.
    found.accelerator_config.dispatch_batches = workers.world() > 1
    return found


class _Clock:
    """How fast it goes, from the first point of the curve on: before it, kernels are chosen and caches fill."""

    def __init__(self, config: Any, settings: Pretrain, compute: Compute, say: Callable[[str], None]) -> None:
        self.operations = _per_token(config, settings.length)
        self.step_tokens = settings.batch * settings.length
        self.devices = workers.world()
        self.say = say
        self.peak = 0.0
        if workers.rank() == 0:
            self.peak = compute.peak_tflops or matmul_tflops()
            told = "as stated" if compute.peak_tflops else "measured by a matrix product"
            say(f"MFU is the share of {self.peak:,.4g} TFLOP/s on each of {self.devices} devices, {told}")
        self.points: list[tuple[int, float]] = []

    def point(self, step: int, steps: int, loss: float) -> None:
        """Say how it goes at a point of the curve."""
        self.points.append((step, time.monotonic()))
        speed = self._between(*self.points[-2:]) if len(self.points) > 1 else None
        told = f"  {speed.tokens_per_second:,.0f} tokens/s  MFU {speed.mfu:.1%}" if speed else ""
        self.say(f"step {step:>5}/{steps}  loss {loss:.3f} nats/token{told}")

    def speed(self) -> Speed | None:
        """Over all points; None = there are not two."""
        return self._between(self.points[0], self.points[-1]) if len(self.points) > 1 else None

    def _between(self, one: tuple[int, float], two: tuple[int, float]) -> Speed:
        tokens, seconds = (two[0] - one[0]) * self.step_tokens, max(two[1] - one[1], 1e-9)
        share = reckon.mfu(tokens * self.operations, seconds, self.devices, self.peak) if self.peak else 0.0
        rate = round(tokens / seconds, 1)
        return Speed(tokens_per_second=rate, mfu=round(share, 4), peak_tflops=round(self.peak, 4))


def _per_token(config: Any, length: int) -> float:
    """Operations per token of a model by its configuration."""
    return reckon.per_token(
        reckon.Form(
            layers=config.num_hidden_layers,
            width=config.hidden_size,
            heads=config.num_attention_heads,
            kv_heads=config.num_key_value_heads,
            head_width=config.head_dim,
            ffn=config.intermediate_size,
            vocabulary=config.vocab_size,
            context=config.max_position_embeddings,
            tied=config.tie_word_embeddings,
        ),
        length,
    )


def matmul_tflops() -> float:
    """What a large matrix product reaches here, 1e12 operations a second: bf16 on a GPU, single precision elsewhere."""
    device = student.device()
    n, kind = (8192, torch.bfloat16) if device == "cuda" else (1024, torch.float32)
    a, b = (torch.randn(n, n, device=device, dtype=kind) for _ in range(2))
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        float((a @ b)[0, 0])  # waits until it is reckoned
        best = min(best, time.perf_counter() - begun)
    return 2 * n**3 / best / 1e12


class _Progress(Progress):
    """Says how fast it goes too, and puts the stream's mark into the checkpoints."""

    def __init__(self, rows: _Rows, clock: _Clock, stop: Callable[[], bool]) -> None:
        super().__init__(clock.say, stop)
        self.rows, self.clock = rows, clock

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.clock.point(state.global_step, state.max_steps, logs["loss"])

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if workers.rank() == 0:
            mark = msgspec.json.encode(self.rows.mark(state.global_step))
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / MARK).write_bytes(mark)
