"""One training run through TRL's `SFTTrainer`: what is learned, in which order, with which optimizer, kept as it goes.

The order of all batches is drawn before the first step, so that a run resumed from a checkpoint takes the same steps,
and so that a run can be as long as it takes to learn a given number of tokens.
"""

import random
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from datasets import Dataset
from torch.optim import AdamW, Muon, Optimizer
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from understudy import student
from understudy.errors import UnderstudyError
from understudy.recipe import Optimizer as Choice
from understudy.recipe import Train
from understudy.records import Example, Loss, Student
from understudy.render import Rendered, Tokenizer, render, show
from understudy.student import Loaded

COMPLETE = "complete"
"""File that a checkpoint holds once it is whole."""


class Preflight(NamedTuple):
    """What a training run is about to learn."""

    rows: list[Rendered]
    too_long: int
    """Conversations longer than `max_length`, left out: one that is cut teaches to stop in the middle."""
    sample: str
    """One conversation, the learned part marked."""

    @property
    def learned(self) -> int:
        """Tokens the loss falls on, of all rows once."""
        return sum(r.learned for r in self.rows)


def preflight(examples: Iterable[Example], tokenizer: Tokenizer, max_length: int) -> Preflight:
    """The examples as ids and weights; refuses what could not be learned from.

    Raises:
        UnderstudyError: nothing is learned, or no end of turn.
    """
    rows, too_long, sample = [], 0, ""
    for example in examples:
        row = render(example.messages, example.weights, tokenizer)
        if len(row.ids) > max_length:
            too_long += 1
            continue
        if not {*example.weights} <= {0.0, 1.0}:
            raise UnderstudyError(
                f"preflight: {example.id} has the weights {example.weights}, and a turn is learned or not. "
                "Give each of its turns 0 or 1."
            )
        if row.learned == 0:
            raise UnderstudyError(f"preflight: nothing of {example.id} is learned. Give one of its turns a weight.")
        if not any(w > 0 and t == tokenizer.eos_token_id for t, w in zip(row.ids, row.weights, strict=True)):
            raise UnderstudyError(
                f"preflight: no end of turn is learned in {example.id}, so the student would never stop: "
                f"{show(row, tokenizer)!r}. Use a chat template that ends each turn with the tokenizer's end token."
            )
        sample = sample or show(row, tokenizer)
        rows.append(row)
    if not rows:
        raise UnderstudyError(
            f"preflight: there is nothing to learn from ({too_long} conversations are longer than {max_length} "
            "tokens). Raise max_length."
        )
    return Preflight(rows, too_long, sample)


def order(lengths: Sequence[int], batch: int, seed: int) -> Iterator[list[int]]:
    """Endless batches of row numbers, epoch after epoch; rows of like length stand together, batches at random."""
    rng = random.Random(f"order/{seed}")
    held: list[int] = []
    while True:
        epoch = list(range(len(lengths)))
        rng.shuffle(epoch)
        held += epoch
        while len(held) >= 8 * batch:
            group, held = sorted(held[: 8 * batch], key=lambda i: lengths[i]), held[8 * batch :]
            batches = [group[i : i + batch] for i in range(0, len(group), batch)]
            rng.shuffle(batches)
            yield from batches


def batches(rows: Sequence[Rendered], settings: Train, seed: int, learn: int | None = None) -> list[list[int]]:
    """The batches of a whole run: as many as learn `learn` tokens, else `settings.steps`, else its epochs."""
    found: list[list[int]] = []
    steps = settings.steps or max(1, round(settings.epochs * len(rows) / settings.batch))
    learned = 0
    for one in order([len(r.ids) for r in rows], settings.batch, seed):
        if learned >= learn if learn is not None else len(found) >= steps:
            return found
        found.append(one)
        learned += sum(rows[i].learned for i in one)
    return found


class MuonAdamW(Optimizer):
    """Muon on matrices and AdamW on the rest, as one optimizer with one state dict.

    Embeddings are left to AdamW: a row of them is not a map between spaces.
    """

    def __init__(self, model: torch.nn.Module, lr: float, muon_ratio: float, weight_decay: float) -> None:
        # Optimizer.__init__ is not called: this object holds no parameters of its own, only the two that do.
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n and "lm_head" not in n]
        chosen = {id(p) for p in matrices}
        self.muon = Muon(matrices, lr=lr * muon_ratio, weight_decay=weight_decay)
        self.adamw = AdamW([p for _, p in named if id(p) not in chosen], lr=lr, weight_decay=0.0, betas=(0.9, 0.95))
        self.defaults: dict[str, Any] = {}

    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Of both, so that a schedule reaches both."""
        return self.muon.param_groups + self.adamw.param_groups

    @property
    def state(self) -> dict[Any, Any]:  # type: ignore[override]
        """Of both."""
        return {**self.muon.state, **self.adamw.state}

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step of each."""
        self.muon.step(closure)
        self.adamw.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of both."""
        self.muon.zero_grad(set_to_none)
        self.adamw.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """Both states, for an exact resume."""
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Both states back."""
        self.muon.load_state_dict(state_dict["muon"])
        self.adamw.load_state_dict(state_dict["adamw"])


def optimizer(model: torch.nn.Module, settings: Train, lr: float) -> Optimizer:
    """The optimizer that the settings name."""
    if settings.optimizer is Choice.MUON:
        return MuonAdamW(model, lr, settings.muon_lr_ratio, settings.weight_decay)
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
    rest = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return AdamW(groups, lr=lr, betas=(0.9, 0.95))


def train(
    loaded: Loaded,
    rows: Sequence[Rendered],
    plan: Sequence[Sequence[int]],
    settings: Train,
    lr: float,
    folder: Path,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> list[Loss]:
    """Train the model in place along `plan`; its learning curve. Resumes from the last whole checkpoint in `folder`.

    Raises:
        KeyboardInterrupt: `stop` became true; a checkpoint was written first.
    """
    chosen = [rows[i] for batch in plan for i in batch]
    data = Dataset.from_dict(
        {
            "input_ids": [r.ids for r in chosen],
            "labels": [[t if w > 0 else -100 for t, w in zip(r.ids, r.weights, strict=True)] for r in chosen],
        }
    )
    trainer = SFTTrainer(
        model=loaded.model,
        args=_arguments(settings, lr, len(plan), folder),
        train_dataset=data,
        processing_class=loaded.tokenizer,
        optimizers=(optimizer(loaded.model, settings, lr), None),
        callbacks=[_Progress(say, stop), _MarkComplete()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=_last_whole(folder))
    if trainer.state.global_step < len(plan):
        raise KeyboardInterrupt
    learned = [0]
    for batch in plan:
        learned.append(learned[-1] + sum(rows[i].learned for i in batch))
    return [
        Loss(step=h["step"], loss=round(h["loss"], 4), lr=h["learning_rate"], learned_tokens=learned[h["step"]])
        for h in trainer.state.log_history
        if "loss" in h
    ]


def _arguments(settings: Train, lr: float, steps: int, folder: Path) -> SFTConfig:
    return SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=settings.batch // settings.accumulate,
        gradient_accumulation_steps=settings.accumulate,
        max_steps=steps,
        learning_rate=lr,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": round(settings.decay * steps), "decay_type": "linear"},
        warmup_steps=round(settings.warmup * steps),
        train_sampling_strategy="sequential",  # the order is ours: see the module
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        logging_steps=settings.log_every,
        # A curve's point is a mean since the one before: kept where there is one, a resumed run has the same curve.
        save_steps=settings.log_every * max(1, round(settings.save_every / settings.log_every)),
        save_total_limit=2,
        bf16=torch.cuda.is_available(),
        activation_checkpointing=settings.activation_checkpointing,  # TRL's own default is on: a third more time
        use_cpu=not torch.cuda.is_available() and not torch.backends.mps.is_available(),
        dataloader_pin_memory=False,
        report_to="none",
        disable_tqdm=True,
        seed=0,
    )


class _Progress(TrainerCallback):
    """Says how it goes; stops where a curve has a point, so that a resumed run has the same curve."""

    def __init__(self, say: Callable[[str], None], stop: Callable[[], bool]) -> None:
        self.say = say
        self.stop = stop

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.say(f"step {state.global_step:>5}/{state.max_steps}  loss {logs['loss']:.3f} nats/token")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == state.max_steps:
            control.should_log = True  # the curve ends where the run does, so its last point says all that was learned
        if state.global_step % args.logging_steps == 0 and state.global_step < state.max_steps and self.stop():
            control.should_save = control.should_training_stop = True


class _MarkComplete(TrainerCallback):
    """Says of a checkpoint that all of it is on disk: a kill in the middle of saving leaves one that is not."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def _last_whole(folder: Path) -> str | None:
    """The newest whole checkpoint; torn ones are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]))
    for path in found:
        if not (path / COMPLETE).exists():
            shutil.rmtree(path)
    whole = [p for p in found if p.exists()]
    return str(whole[-1]) if whole else None


def told(ready: Preflight, parameters: int) -> str:
    """What is about to be learned, for the user to check: the learned part of one conversation stands in brackets."""
    tokens = sum(len(r.ids) for r in ready.rows)
    return (
        f"preflight: {len(ready.rows)} conversations, {tokens} tokens, {ready.learned / tokens:.0%} of them learned; "
        f"{ready.too_long} too long and left out; {parameters / 1e6:.2f} M parameters. Learned is what stands in ⟦ ⟧:\n"
        f"{ready.sample}"
    )


def keep(loaded: Loaded, folder: Path, at: str, base: str, adapter: bool = False) -> Student:
    """Save a trained model (or its adapter alone) in `folder`/model, whole or not at all; its record."""
    beside, path = folder / "model.part", folder / "model"
    for old in (beside, path):
        shutil.rmtree(old, ignore_errors=True)
    student.save(loaded, beside)
    beside.replace(path)
    return Student(
        path=f"{at}/model",
        base=base,
        hash=student.hash_files(path, ("*.safetensors", "config.json")),  # adapter_config.json names a folder
        tokenizer_hash=student.hash_files(path, ("tokenizer.json", "chat_template*")),
        adapter=f"{at}/model" if adapter else None,
        parameters=student.count(loaded.model),
    )
