"""A course of reinforcement through TRL's `GRPOTrainer`: our rollouts, its loss.

What a step draws follows from its number alone, and TRL's own random numbers are set anew at each: a course that is
resumed from a checkpoint takes the same steps.
"""

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from understudy import student
from understudy.recipe import Adapter, Algorithm, Rl, Train
from understudy.records import Reinforced
from understudy.steps.rl.course import over, point, told
from understudy.steps.rl.rolling import Rolling, Tally, flat, merged
from understudy.student import Loaded
from understudy.training import MarkComplete, Scorer, best, last_whole, optimizer, restore
from understudy.training.choosing import Chooser

STATE = "course.json"
"""File of a checkpoint that holds a `State`."""


class Loss(NamedTuple):
    """An algorithm in TRL's terms."""

    loss_type: str
    scale_rewards: str
    high: float | None = None
    """`clip_high` where none is given; None = as `clip_low`."""
    level: str = "token"
    """What probability ratios are taken of."""


LOSSES = {
    Algorithm.GRPO: Loss("grpo", "group"),
    Algorithm.DR_GRPO: Loss("dr_grpo", "none"),
    Algorithm.DAPO: Loss("dapo", "group", 0.28),
    Algorithm.RLOO: Loss("luspo", "none", level="sequence"),  # sums over tokens, means over rollouts: REINFORCE
}


class State(msgspec.Struct):
    """What a checkpoint holds beside TRL's own."""

    points: list[Reinforced] = []
    asked: int = 0
    """Problems asked so far."""
    solved: int = 0
    """Of which at least one rollout was right."""
    drawn: int = 0
    """Rollouts so far."""
    over: str | None = None
    """Why the course has stopped itself."""


class Practised(NamedTuple):
    """A course that is done."""

    state: State
    kept: int
    """The step whose weights the model now has."""
    worths: dict[int, float]
    """What dev says by step, 0 to 1; 0 = before the first."""


def practise(
    loaded: Loaded,
    rolling: Rolling,
    settings: Rl,
    folder: Path,
    score: Scorer,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Practised:
    """Train the model in place and leave it with the weights that dev likes best. Resumes from the last checkpoint.

    Raises:
        KeyboardInterrupt: `stop` became true; a checkpoint was written first.
    """
    last = last_whole(folder)
    state = msgspec.json.decode((Path(last) / STATE).read_bytes(), type=State) if last else State()
    chooser = _FromStart(loaded, _dev_points(settings), score, folder / "best", say)
    if not _done(state, settings):
        _refer(loaded, settings, folder)
        course = _Course(rolling, settings, state, say, stop)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "You are using 'rollout_func'")  # tried by our own tests
            trainer = _Trainer(
                settings.control,
                model=loaded.model,
                args=_arguments(settings, folder),
                reward_funcs=_reward,
                rollout_func=course.roll,
                # What is asked is ours: see `Order`. The rows say how many there are.
                train_dataset=Dataset.from_dict({"prompt": [""] * (settings.prompts * settings.steps)}),
                processing_class=loaded.tokenizer,
                optimizers=(optimizer(loaded.model, _as_train(settings), settings.rate), None),
                callbacks=[course, chooser, MarkComplete()],
            )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=last)
        if not _done(state, settings):
            raise KeyboardInterrupt
        say(course.timings())
    kept = best(chooser.found)
    restore(loaded.model, folder / "best", kept)
    worths = {step // settings.updates: scored.worth for step, scored in sorted(chooser.found.items())}
    return Practised(state, kept // settings.updates, worths)


def _refer(loaded: Loaded, settings: Rl, folder: Path) -> None:
    """Put the student as it came where TRL looks for what the KL divergence is measured from."""
    if not settings.beta or settings.adapter is not Adapter.FULL:  # an adapter is switched off for it
        return
    start, beside = folder / "start", folder / "start.part"
    with PartialState().main_process_first():
        if not start.exists():
            student.save(loaded, beside)
            beside.replace(start)
    loaded.model.config.name_or_path = str(start)


def _done(state: State, settings: Rl) -> bool:
    return state.over is not None or bool(state.points and state.points[-1].step == settings.steps)


def _dev_points(settings: Rl) -> list[int]:
    """Optimizer steps at which dev is asked: before the first, at each checkpoint, and at the end."""
    return [step * settings.updates for step in {*range(0, settings.steps, settings.save_every), settings.steps}]


def _reward(*, reward: list[float], **_: Any) -> list[float]:
    """As it came with the rollouts."""
    return reward


def _as_train(settings: Rl) -> Train:
    """What the optimizer reads."""
    return Train(optimizer=settings.optimizer, muon_lr_ratio=settings.muon_lr_ratio, weight_decay=settings.weight_decay)


def _arguments(settings: Rl, folder: Path) -> GRPOConfig:
    loss, updates, rows = LOSSES[settings.algorithm], settings.updates, settings.prompts * settings.group
    high = settings.clip_high if settings.clip_high is not None else loss.high
    # The mean of the others is missed by (reward - mean of all) G / (G - 1).
    weight = settings.group / (settings.group - 1) if settings.algorithm is Algorithm.RLOO else 1.0
    return GRPOConfig(
        output_dir=str(folder),
        loss_type=loss.loss_type,
        importance_sampling_level=loss.level,
        scale_rewards=loss.scale_rewards,
        reward_weights=[weight],
        num_generations=settings.group,
        per_device_train_batch_size=rows // settings.accumulate // int(os.environ.get("WORLD_SIZE", "1")),
        gradient_accumulation_steps=settings.accumulate,
        num_iterations=updates,
        epsilon=settings.clip_low,
        epsilon_high=high,
        beta=settings.beta,
        temperature=settings.temperature,
        max_completion_length=settings.max_tokens,
        shuffle_dataset=False,
        max_steps=settings.steps * updates,
        learning_rate=settings.rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={
            "num_decay_steps": round(settings.decay * settings.steps * updates),
            "decay_type": "linear",
        },
        warmup_steps=round(settings.warmup * settings.steps * updates),
        logging_steps=settings.log_every * updates,
        save_steps=_save_every(settings) * updates,
        save_total_limit=2,
        activation_checkpointing=False,
        bf16=torch.cuda.is_available(),
        use_cpu=not torch.cuda.is_available() and not torch.backends.mps.is_available(),
        dataloader_pin_memory=False,
        report_to="none",
        disable_tqdm=True,
        seed=0,
    )


def _save_every(settings: Rl) -> int:
    """Steps between checkpoints: only where the course has a point, so that a resumed one has the same points."""
    return settings.log_every * max(1, round(settings.save_every / settings.log_every))


class _Trainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer, with a weight of its own for the token that decides whether there is a thought."""

    def __init__(self, first_weight: float | None, **others: Any) -> None:
        self.first_weight = first_weight
        super().__init__(**others)

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        found = super()._generate_and_score_completions(inputs)
        if self.first_weight is not None:
            mask = found["completion_mask"].float()  # (B, N)
            weights = torch.ones_like(mask)
            weights[:, 0] = self.first_weight * mask.sum(1)  # the loss takes the mean over a rollout's tokens
            found["advantages"] = found["advantages"][:, None] * weights
        return found


class _FromStart(Chooser):
    """Asks dev before the first step too: what came is kept where reinforcement makes it no better."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self.on_step_end(args, state, control, **others)


class _Course(TrainerCallback):  # type: ignore[misc]
    """Rolls, puts the points of the course on record, and stops it where it is lost."""

    def __init__(
        self,
        rolling: Rolling,
        settings: Rl,
        state: State,
        say: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> None:
        self.rolling, self.settings, self.state = rolling, settings, state
        self.say, self.stop = say, stop
        self.tally = Tally()
        self.seconds, self.begun, self.steps = 0.0, 0.0, 0

    def roll(self, prompts: list[str], trainer: Any) -> dict[str, Any]:
        """The rollouts of a step, as TRL wants them; `prompts` are rows that say nothing but how many."""
        step = trainer.state.global_step // self.settings.updates
        torch.manual_seed(step)  # TRL shuffles the rows: a resumed course shuffles them alike
        world = trainer.accelerator
        batch = self.rolling.batch(step, world.process_index, world.num_processes)
        self.tally.add(batch)
        rows = flat([*batch.trained, *batch.blank])
        found: dict[str, Any] = {
            "prompt_ids": [drawn.asked for drawn, _ in rows],
            "completion_ids": [drawn.reply for drawn, _ in rows],
            "logprobs": None,
            "reward": [one.reward for _, one in rows],
        }
        if batch.blank:
            learned = len(batch.trained) * self.settings.group
            found["env_mask"] = [[int(i < learned)] * len(drawn.reply) for i, (drawn, _) in enumerate(rows)]
        return found

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.begun = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.seconds += time.perf_counter() - self.begun
        self.steps += 1
        if state.global_step == state.max_steps:
            control.should_log = True
        elif state.global_step % args.logging_steps == 0 and self.stop():
            control.should_save = control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        tally, self.tally = merged(gather_object([self.tally])), Tally()  # of all processes
        now = point(state.global_step // self.settings.updates, tally, logs)
        self.state.points.append(now)
        self.state.asked += tally.asked
        self.state.solved += tally.solved
        self.state.drawn += tally.rollouts
        self.say(told(now, self.settings.steps))
        self.state.over = over(self.state.points, self.settings)
        if self.state.over is not None:
            self.say(f"rl stops itself after step {now.step}: {self.state.over}")
            control.should_save = control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        path = Path(args.output_dir) / f"checkpoint-{state.global_step}" / STATE
        path.write_bytes(msgspec.json.encode(self.state))

    def timings(self) -> str:
        """Seconds of a step, by what they were spent on."""
        n, spent = max(1, self.steps), self.rolling.spent
        update = self.seconds - spent.sampling - spent.reward
        return (
            f"{self.seconds / n:.2f} s a step: sampling {spent.sampling / n:.2f}, reward {spent.reward / n:.2f}, "
            f"update {update / n:.2f}"
        )
