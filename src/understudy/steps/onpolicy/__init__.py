"""On-policy distillation: the student writes, and a teacher's distribution corrects every token of it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from understudy import student, training
from understudy.recipe import Adapter, OnPolicy, Sft
from understudy.records import Divergence, Example, Student
from understudy.steps.onpolicy.asking import Plan, Pool, rows
from understudy.steps.onpolicy.tokens import fit, same_tokenizer
from understudy.steps.onpolicy.trainer import Draw, train
from understudy.student import Loaded

__all__ = ["Draw", "Plan", "Pool", "onpolicy", "same_tokenizer"]


def onpolicy(
    pools: Sequence[Pool],
    examples: Sequence[Example],
    start: Student,
    source: str,
    teacher: str,
    settings: OnPolicy,
    seed: int,
    learn: int | None,
    draw: Draw,
    folder: Path,
    at: str,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Iterator[Student | Divergence]:
    """The student and the curve of its divergence from the teacher. What an unfinished run has left is used.

    `examples` are the rows off the policy; `source` and `teacher` are where the models lie; `learn` is how many tokens
    to learn from, where another arm decides it; `at` is the step's folder in the run, and `folder` the same as a path.

    Raises:
        UserError: the teacher has another tokenizer, or there is nothing to ask.
        KeyboardInterrupt: `stop` became true; a checkpoint was written first.
    """
    loaded, tutor = student.load(source), student.load(teacher)
    same_tokenizer(loaded.tokenizer, tutor.tokenizer, teacher)
    fit(tutor, loaded, teacher)
    plan = Plan(rows(pools, examples, loaded, settings, say), settings.prompts, seed)
    anchor = student.load(source) if settings.anchor else None
    if settings.adapter is Adapter.LORA:
        lora = Sft(adapter=settings.adapter, rank=settings.rank, alpha=settings.alpha)
        loaded = student.with_lora(loaded, lora, seed)
    found = train(loaded, tutor, anchor, plan, settings, learn, draw, folder / "checkpoints", say, stop)
    if found.nothing_kept:
        loaded = student.load(source)
    elif settings.adapter is Adapter.LORA:
        loaded = Loaded(loaded.model.merge_and_unload(), loaded.tokenizer)
    yield training.keep(loaded, folder, at, base=start.hash)
    yield from found.curve
