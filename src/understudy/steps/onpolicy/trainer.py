"""The training run, through TRL's `DistillationTrainer`.

TRL's trainer has no share of rows off the policy, and draws from the random numbers of the process. So which row is
asked and what is answered comes from here; padding, both forward passes, and the divergence over the whole vocabulary
are TRL's. Its `GKDTrainer` is not used: it divides by the tokens of the data set's reply where the student has written
another, compares without `temperature`, and puts whole batches off the policy, not rows.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, TrainerCallback
from trl import DistillationConfig, DistillationTrainer

from understudy import training
from understudy.errors import UserError
from understudy.recipe import OnPolicy, Train
from understudy.records import Divergence, Prompt
from understudy.steps.onpolicy.asking import Plan
from understudy.student import Loaded

Draw = Callable[[Loaded, Sequence[Prompt]], list[list[int]]]
"""One reply to each prompt as ids, with its end where it has one; random numbers come from the prompt's id alone."""


class Trained(NamedTuple):
    """What a run has come to."""

    curve: list[Divergence]
    nothing_kept: bool
    """It was stopped before its first checkpoint: the model is to be forgotten."""


def train(
    loaded: Loaded,
    tutor: Loaded,
    anchor: Loaded | None,
    plan: Plan,
    settings: OnPolicy,
    learn: int | None,
    draw: Draw,
    folder: Path,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Trained:
    """Train the model in place. Resumes from the last whole checkpoint in `folder`.

    Raises:
        UserError: nothing is left to learn.
        KeyboardInterrupt: `stop` became true; a checkpoint was written first.
    """
    if learn is not None and learn < 1:
        raise UserError(
            f"onpolicy: fine-tuning has learned from {-learn} tokens more than the arm it is to equal. "
            "Shorten sft, or give onpolicy.steps instead of learned_tokens_of."
        )
    steps = settings.steps if learn is None else -(-learn // settings.prompts)  # a row has a token at least
    rate = Rate(settings.warmup, settings.decay, steps, learn)
    watch = _Watch(rate, settings.stop_growth, say, stop)
    chosen = Train(
        optimizer=settings.optimizer, muon_lr_ratio=settings.muon_lr_ratio, weight_decay=settings.weight_decay
    )
    optimizer = training.optimizer(loaded.model, chosen, settings.rate)
    trainer = _Trainer(
        model=loaded.model,
        teacher_model=tutor.model,
        args=_arguments(settings, steps, folder),
        train_dataset=_Numbers(steps * settings.prompts),
        processing_class=loaded.tokenizer,
        optimizers=(optimizer, LambdaLR(optimizer, rate)),
        callbacks=[watch, training.MarkComplete()],
    )
    trainer.plan, trainer.draw, trainer.rate = plan, draw, rate
    if anchor is not None:
        trainer.pulls = [(trainer.teacher_model, "divergence"), (_still(trainer, anchor), "drift")]
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=training.last_whole(folder))
    curve = [_point(logs) for logs in trainer.state.log_history if "loss" in logs]
    if watch.blown_up is None:
        if not rate.finished(trainer.state.global_step):
            raise KeyboardInterrupt
        return Trained(curve, nothing_kept=False)
    kept = training.last_whole(folder)
    which = f"that of {Path(kept).name}" if kept else "as it came"
    say(f"onpolicy: stopped: {watch.blown_up}. The student is {which}. Lower onpolicy.lr, or fine-tune more first.")
    if kept:
        trainer._load_from_checkpoint(kept)
    return Trained(curve, nothing_kept=kept is None)


class Rate:
    """The learning rate as a share of its peak: it rises from a tenth, stays, and falls.

    The scheduler keeps what stands here with its checkpoints, the tokens learned from included.
    """

    def __init__(self, warmup: float, decay: float, steps: int, learn: int | None) -> None:
        self.warmup, self.decay, self.steps, self.learn = warmup, decay, steps, learn
        self.learned = 0
        """Tokens learned from so far."""

    def __call__(self, step: int) -> float:
        done = self._done(step)
        rising = 0.1 + 0.9 * done / self.warmup if self.warmup else 1.0
        falling = (1 - done) / self.decay if self.decay else 1.0
        return max(0.0, min(1.0, rising, falling))

    def finished(self, step: int) -> bool:
        """Whether that many steps are a whole run."""
        return self._done(step) >= 1

    def _done(self, step: int) -> float:
        return step / self.steps if self.learn is None else self.learned / self.learn


class _Numbers(torch.utils.data.Dataset[dict[str, int]]):  # type: ignore[misc]
    """The numbers of the rows of a run: TRL collects prompts, and gets them where it asks for replies."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> dict[str, int]:
        return {"prompt": number}


class _Order(torch.utils.data.Sampler[int]):  # type: ignore[misc]
    """Step after step, each as often as its forward passes ask for it. TRL's own holds every number of the run."""

    def __init__(self, count: int, size: int, passes: int) -> None:
        self.steps, self.size, self.passes = count // size, size, passes

    def __len__(self) -> int:
        return self.steps * self.size * self.passes

    def __iter__(self) -> Iterator[int]:
        for step in range(self.steps):
            for _ in range(self.passes):
                yield from range(step * self.size, (step + 1) * self.size)


class _Trainer(DistillationTrainer):  # type: ignore[misc]
    """TRL's, whose rows come from a plan and whose replies are drawn with random numbers of their own."""

    plan: Plan
    draw: Draw
    rate: Rate
    pulls: Sequence[tuple[Any, str]] = ()
    """The teacher and the student as it came, each with the name of its divergence; () = the teacher alone."""

    def _get_train_sampler(self, dataset: Any = None) -> _Order:
        return _Order(len(self.train_dataset), self.plan.size, self.args.gradient_accumulation_steps)

    def _generate(
        self, prompts: list[int]
    ) -> tuple[list[list[int]], list[list[int]], list[list[int]] | None, None, None]:
        """Prompts and replies of the rows with these numbers, as ids; for TRL's masks of tools and its images, none."""
        rows = [self.plan.row(number) for number in prompts]
        asked = [(number, row.prompt) for number, row in zip(prompts, rows, strict=True) if row.reply is None]
        drawn = self._drawn([msgspec.structs.replace(prompt, id=f"{number}/{prompt.id}") for number, prompt in asked])
        written = iter(drawn)
        replies = [row.reply if row.reply is not None else next(written) for row in rows]
        self._count(drawn, replies)
        return [row.ids for row in rows], replies, None, None, None

    def _generate_and_score_completions(self, inputs: list[dict[str, int]]) -> dict[str, Any]:
        made: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self.pulls:
            anchored = [self.plan.row(one["prompt"]).anchored for one in inputs]
            made["anchored"] = torch.tensor(anchored, device=self.accelerator.device)
        return made

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Each row by the model that pulls it: both parts are sums over the tokens of the whole step."""
        if not self.pulls:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        anchored = inputs.pop("anchored")
        parts = []
        for (teacher, name), chosen in zip(self.pulls, (~anchored, anchored), strict=True):
            if chosen.any():
                self.teacher_model = teacher
                some = {key: value[chosen] if value.ndim else value for key, value in inputs.items()}
                parts.append(super().compute_loss(model, some, False, num_items_in_batch))
                tokens = some["num_items_in_batch"] / some["completion_mask"].sum()
                self._metrics["train"][name].append(float(parts[-1].detach() * tokens))
        return sum(parts)

    def _drawn(self, prompts: list[Prompt]) -> list[list[int]]:
        self.model.eval()
        with torch.no_grad(), self._dist.summon_full_params(self.model_wrapped, recurse=False):
            model = self.accelerator.unwrap_model(self.model_wrapped)
            drawn = self.draw(Loaded(model, self._tokenizer), prompts) if prompts else []
        self.model.train()
        return drawn

    def _count(self, drawn: list[list[int]], replies: list[list[int]]) -> None:
        """Sums of this step over all processes; TRL's log divides each by the steps since the last."""
        cut_off = sum(reply[-1] not in self.eos_token_ids for reply in drawn)
        mine = [len(drawn), sum(map(len, drawn)), cut_off, sum(map(len, replies))]
        counts = self.accelerator.gather(torch.tensor([mine], device=self.accelerator.device)).sum(0).tolist()
        self.rate.learned += counts[3]
        for name, count in zip(("drawn", "drawn_tokens", "cut_off"), counts, strict=False):
            self._metrics["train"][name].append(count)
        self._metrics["train"]["learned_tokens"] = [self.rate.learned]


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Says how it goes, and ends a run: where it is whole, where it is told to, where replies grow out of hand."""

    def __init__(self, rate: Rate, growth: float, say: Callable[[str], None], stop: Callable[[], bool]) -> None:
        self.rate, self.growth, self.say, self.stop = rate, growth, say, stop
        self.blown_up: str | None = None
        """Why it was stopped."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        first, now = (_point(one) for one in (next(h for h in state.log_history if "loss" in h), state.log_history[-1]))
        length = f", {now.tokens:.0f} tokens a reply, {now.cut_off:.0%} cut off" if now.tokens is not None else ""
        self.say(f"step {state.global_step:>5}  divergence {now.divergence:.3f} nats/token{length}")
        self.blown_up = _blown_up(first, now, self.growth)
        if self.blown_up is not None:
            control.should_training_stop, control.should_save = True, False

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.rate.finished(state.global_step):
            control.should_log = control.should_training_stop = True
            if self.rate.learn is not None:  # resumed from a checkpoint of its end, it would take a step more
                control.should_save = False
        elif state.global_step % args.logging_steps == 0 and self.stop():
            control.should_save = control.should_training_stop = True


def _still(trainer: Any, anchor: Loaded) -> Any:
    return trainer.accelerator.prepare_model(anchor.model, evaluation_mode=True)


def _blown_up(first: Divergence, now: Divergence, growth: float) -> str | None:
    """Why the replies are out of hand; None = they are not."""
    if first.tokens is None or now.tokens is None or first.cut_off is None or now.cut_off is None:
        return None
    if now.tokens > growth * first.tokens:
        return f"replies are {now.tokens:.0f} tokens long at step {now.step} and were {first.tokens:.0f} at the start"
    if now.cut_off > max(0.5, growth * first.cut_off):
        return f"{now.cut_off:.0%} of the replies are cut off at step {now.step}, {first.cut_off:.0%} were at the start"
    return None


def _point(logs: dict[str, Any]) -> Divergence:
    drawn = logs["drawn"]
    return Divergence(
        step=logs["step"],
        divergence=round(logs.get("divergence", logs["loss"]), 4),
        drift=round(logs["drift"], 4) if "drift" in logs else None,
        entropy=round(logs["entropy"], 4),
        tokens=round(logs["drawn_tokens"] / drawn, 2) if drawn else None,
        cut_off=round(logs["cut_off"] / drawn, 4) if drawn else None,
        lr=logs["learning_rate"],
        learned_tokens=int(logs["learned_tokens"]),
    )


def _arguments(settings: OnPolicy, steps: int, folder: Path) -> DistillationConfig:
    parts = settings.accumulate * int(os.environ.get("WORLD_SIZE", "1"))
    if settings.prompts % parts:
        raise UserError(
            f"onpolicy: prompts: {settings.prompts} is not divided by accumulate x processes, {parts}. Change one."
        )
    return DistillationConfig(
        output_dir=str(folder),
        per_device_train_batch_size=settings.prompts // parts,
        gradient_accumulation_steps=settings.accumulate,
        max_steps=steps,
        learning_rate=settings.rate,
        beta=settings.beta,
        temperature=settings.temperature,
        max_completion_length=settings.max_tokens,
        logging_steps=settings.log_every,
        # A curve's point is a mean since the one before: kept where there is one, a resumed run has the same curve.
        save_steps=settings.log_every * max(1, round(settings.save_every / settings.log_every)),
        save_total_limit=2,
        bf16=torch.cuda.is_available(),
        activation_checkpointing=False,  # TRL's own default is on: a third more time
        use_cpu=not torch.cuda.is_available() and not torch.backends.mps.is_available(),
        dataloader_pin_memory=False,
        report_to="none",
        disable_tqdm=True,
        seed=0,
    )
