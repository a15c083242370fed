"""A whole course: the first pass, what it refuses, the practice, and what is kept of it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from understudy import student
from understudy.engines.base import Draws
from understudy.errors import UnderstudyError
from understudy.recipe import Adapter, Rl, Sft
from understudy.records import Metric, Problem, Reinforced, Student
from understudy.steps.rl.choose import checked, on_record, rates, told, within
from understudy.steps.rl.rewards import Exam
from understudy.steps.rl.rolling import Rolling
from understudy.steps.rl.trainer import Practised, practise
from understudy.student import Loaded
from understudy.training import Scorer, keep


def reinforce(
    problems: Sequence[Problem],
    start: Student,
    source: str,
    settings: Rl,
    seed: int,
    draws: Callable[[Loaded], Draws],
    exam: Exam,
    score: Scorer,
    folder: Path,
    at: str,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Iterator[Student | Reinforced | Metric]:
    """The student after a course on the problems, the points of the course, and what the first pass and dev said.

    `source` is where the student lies that it starts from; `draws` makes what rolls a model out; `score` asks dev;
    `at` is the step's folder in the run, and `folder` the same as a path. An unfinished course goes on.

    Raises:
        UnderstudyError: nothing can be learned from the problems; says why.
        KeyboardInterrupt: `stop` became true.
    """
    loaded = student.load(source)
    draw = draws(loaded)
    chosen = list(problems)
    if settings.band is not None:
        looked = rates(chosen[: settings.band_problems], draw, exam, settings, settings.band_samples, seed, stop)
        chosen = within(looked, settings.band)
        low, high = settings.band
        say(
            f"first pass: {len(chosen)} of {len(looked)} problems are solved in {low:.0%} to {high:.0%} of the rollouts"
        )
    if not chosen:
        raise UnderstudyError("rl: there is no problem to practise. Widen rl.band, or give more train problems.")
    first = rates(chosen[: settings.preflight], draw, exam, settings, settings.group, seed, stop)
    say(told(first))
    checked(first)
    if settings.adapter is Adapter.LORA:
        loaded = student.with_lora(loaded, Sft(adapter=Adapter.LORA, rank=settings.rank, alpha=settings.alpha), seed)
    rolling = Rolling(chosen, draws(loaded), exam, settings, seed)
    done = practise(loaded, rolling, settings, folder / "checkpoints", score, say, stop)
    say(_kept(done))
    if settings.adapter is Adapter.LORA:  # merged: an adapter beside another one's base would not be found again
        loaded = Loaded(loaded.model.merge_and_unload(), loaded.tokenizer)
    yield keep(loaded, folder, at, base=start.hash)
    yield from done.state.points
    arm = at.split("/")[1]
    yield from on_record(first, arm)
    yield from _figures(done, arm)


def _kept(done: Practised) -> str:
    worths = ", ".join(f"{step}: {worth:.3f}" for step, worth in done.worths.items())
    what = "what came is kept: dev likes none better" if done.kept == 0 else f"that of step {done.kept} is kept"
    return f"on dev by step {worths}; {what}"


def _figures(done: Practised, arm: str) -> Iterator[Metric]:
    state = done.state
    figures = {
        "rl_step_kept": (float(done.kept), len(done.worths)),
        "rl_problems_asked": (float(state.asked), state.drawn),
        "rl_solved_per_problem": (state.solved / state.asked if state.asked else None, state.asked),
    }
    for name, (value, n) in figures.items():
        yield Metric(name=name, suite="train", model=arm, strategy="sampled", value=value, n=n, method="count")
    for step, worth in done.worths.items():
        yield Metric(
            name="rl_dev", suite="dev", model=arm, strategy="greedy and sampled", slice=f"step={step}",
            value=round(worth, 6), n=1, method="mean",
        )  # fmt: skip
