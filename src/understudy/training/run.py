"""One training run, kept as it goes: resumed from a checkpoint it is what it would have been."""

import os
import shutil
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoTokenizer, PrinterCallback, TrainerCallback
from trl import SFTConfig

from understudy import student, workers
from understudy.errors import UnderstudyError, UserError
from understudy.recipe import Bf16, Schedule, Tracker, Train
from understudy.records import Loss, Student
from understudy.render import Rendered
from understudy.store import COMPLETE
from understudy.student import Loaded
from understudy.training.choosing import Chooser, Scorer
from understudy.training.estimate import estimate
from understudy.training.leaks import check_packing
from understudy.training.learner import Learner, dataset
from understudy.training.optimizers import optimizer

SCHEDULES = {
    Schedule.WSD: "warmup_stable_decay",
    Schedule.COSINE: "cosine",
    Schedule.LINEAR: "linear",
    Schedule.CONSTANT: "constant_with_warmup",
}
"""As Transformers names them."""


class Trained(Exception):
    """One of several processes has done its part: who started them makes the student from their last checkpoint."""


class Asking(NamedTuple):
    """When dev is asked during a run."""

    score: Scorer
    steps: Sequence[int]
    folder: Path
    """Where its answers and the best weights are kept."""


def train(
    loaded: Loaded,
    rows: Sequence[Rendered],
    plan: Sequence[Sequence[int]],
    settings: Train,
    lr: float,
    folder: Path,
    say: Callable[[str], None],
    stop: Callable[[], bool],
    asking: Asking | None = None,
) -> list[Loss]:
    """Train the model in place along `plan`; its learning curve. Resumes from the last whole checkpoint in `folder`.

    Raises:
        KeyboardInterrupt: `stop` became true; a checkpoint was written first.
        UserError: the settings ask for what is not installed here.
        UnderstudyError: packed examples would see each other.
    """
    learned = [sum(rows[i].learned for i in batch) for batch in plan]
    learned = [sum(learned[: i + 1]) for i in range(len(learned))]
    callbacks: list[TrainerCallback] = [Progress(say, stop), MarkComplete()]
    if asking is not None:
        callbacks.append(Chooser(loaded, asking.steps, asking.score, asking.folder, say))
    trainer = Learner(
        learned,
        lambda model: optimizer(model, settings, lr),
        model=loaded.model,
        args=arguments(settings, lr, len(plan), folder),
        train_dataset=dataset([rows[i] for batch in plan for i in batch]),
        processing_class=loaded.tokenizer,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    if settings.packing:
        check_packing(trainer, rows)
    last = last_whole(folder)
    if last is None:
        say(estimate(trainer, rows, plan).told())
    trainer.train(resume_from_checkpoint=last)
    if trainer.state.global_step < len(plan):
        raise KeyboardInterrupt
    return [
        Loss(step=h["step"], loss=round(h["loss"], 4), lr=h["learning_rate"], learned_tokens=learned[h["step"] - 1])
        for h in trainer.state.log_history
        if "loss" in h
    ]


def arguments(settings: Train, lr: float, steps: int, folder: Path) -> SFTConfig:
    """The settings as TRL's.

    Raises:
        UserError: they ask for what is not installed here, or do not divide among the processes.
    """
    _check_installed(settings)
    parts = settings.accumulate * int(os.environ.get("WORLD_SIZE", "1"))
    if settings.batch % parts:
        raise UserError(
            f"train: batch: {settings.batch} does not divide by accumulate x processes, {parts}. Change one of them."
        )
    wsd = {"num_decay_steps": round(settings.decay * steps), "decay_type": "linear"}
    return SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=settings.batch // parts,
        gradient_accumulation_steps=settings.accumulate,
        max_steps=steps,
        learning_rate=lr,
        lr_scheduler_type=SCHEDULES[settings.schedule],
        lr_scheduler_kwargs=wsd if settings.schedule is Schedule.WSD else None,
        warmup_steps=round(settings.warmup * steps),
        max_grad_norm=settings.clip,
        train_sampling_strategy="sequential",  # the order is ours: see batches
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        padding_free=settings.packing,
        logging_steps=settings.log_every,
        # A curve's point is a mean since the one before: kept where there is one, a resumed run has the same curve.
        save_steps=settings.log_every * max(1, round(settings.save_every / settings.log_every)),
        save_total_limit=2,
        bf16=settings.bf16 is Bf16.ON or (settings.bf16 is Bf16.AUTO and torch.cuda.is_available()),
        activation_checkpointing=settings.activation_checkpointing,  # TRL's own default is on: a third more time
        torch_compile=settings.compile,
        use_liger_kernel=settings.liger,
        use_cpu=not torch.cuda.is_available() and not torch.backends.mps.is_available(),
        dataloader_pin_memory=False,
        report_to=list(settings.report_to) or "none",
        project="understudy",
        run_name="/".join(folder.parts[-4:]),
        disable_tqdm=True,
        seed=0,
    )


def _check_installed(settings: Train) -> None:
    """Refuses what is not here, before the first step; keeps trackers on this machine."""
    needed = [(f"report_to: {name}", str(name)) for name in settings.report_to]
    if settings.liger:
        needed.append(("liger", "liger_kernel"))
    for setting, package in needed:
        if find_spec(package) is None:
            shown = package.replace("_", "-")
            raise UserError(f"train: {setting} needs a package that is not installed. Try: pip install {shown}")
    if settings.liger and not torch.cuda.is_available():
        raise UserError("train: liger: its kernels need a GPU, and there is none. Set liger: false.")
    if Tracker.WANDB in settings.report_to:
        os.environ.setdefault("WANDB_MODE", "offline")


class Progress(TrainerCallback):
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


class MarkComplete(TrainerCallback):
    """Says of a checkpoint that all of it is on disk: a kill in the middle of saving leaves one that is not."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if torch.distributed.is_initialized():
            torch.distributed.barrier()  # what the others write is on disk too
        if state.is_world_process_zero:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def last_whole(folder: Path) -> str | None:
    """The newest whole checkpoint; torn ones are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]))
    for path in found:
        if not (path / COMPLETE).exists():
            shutil.rmtree(path, ignore_errors=True)  # another process of the same launch may be at it too
    whole = [p for p in found if p.exists()]
    return str(whole[-1]) if whole else None


def keep(loaded: Loaded, folder: Path, at: str, base: str, adapter: bool = False) -> Student:
    """Save a trained model (or its adapter alone) in `folder`/model, whole or not at all; its record.

    Raises:
        UnderstudyError: the tokenizer that was saved does not write what the student was taught with.
        Trained: this is one of several processes that train together.
    """
    if workers.world() > 1:
        raise Trained
    beside, path = folder / "model.part", folder / "model"
    for old in (beside, path):
        shutil.rmtree(old, ignore_errors=True)
    student.save(loaded, beside)
    _check_saved(loaded, beside)
    beside.replace(path)
    return Student(
        path=f"{at}/model",
        base=base,
        hash=student.hash_files(path, ("*.safetensors", "config.json")),  # adapter_config.json names a folder
        tokenizer_hash=student.hash_files(path, ("tokenizer.json", "chat_template*")),
        adapter=f"{at}/model" if adapter else None,
        parameters=student.count(loaded.model),
    )


def _check_saved(loaded: Loaded, folder: Path) -> None:
    """A student without its template, or with another end of turn, would be asked what it was not taught."""
    turns = {"user": "How much is 3 x 14?", "assistant": "<think>\n42\n</think>\n\nThe answer is 42."}
    said = [{"role": role, "content": content} for role, content in turns.items()]
    ours, theirs = (
        (t.chat_template, t.eos_token_id, t.apply_chat_template(said, tokenize=True, return_dict=False))
        for t in (loaded.tokenizer, AutoTokenizer.from_pretrained(folder))
    )
    if ours != theirs:
        raise UnderstudyError(
            f"train: the tokenizer saved in {folder} does not write what the student was taught with. "
            "Save it by hand beside the weights, or use a tokenizer that Transformers can save."
        )
