"""What on-policy distillation knows nothing of: who its teacher is, what is asked, and how replies are drawn."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from understudy.engines.drawing import Drawing
from understudy.pipeline.mixing import plainly
from understudy.recipe import OnPolicy, Recipe
from understudy.records import Message, Prompt, Record, Sampling, Split, Student
from understudy.steps.onpolicy import Pool, onpolicy
from understudy.student import Loaded

if TYPE_CHECKING:  # it makes this step, and this room is made with it
    from understudy.pipeline.making import Hands


def distilled(hands: "Hands", name: str, arm: Recipe, left: str, tutor: str) -> Iterator[Record]:
    """The student of an arm from the one in the file `left`; `tutor` is the teacher's, unless the recipe names one."""
    how, at = arm.onpolicy, f"arms/{name}/onpolicy"
    assert how is not None
    start: Student = next(iter(hands.run.rows(left)))
    sampling = Sampling(temperature=how.temperature, max_tokens=how.max_tokens, seed=arm.seed)

    def draw(loaded: Loaded, asked: Sequence[Prompt]) -> list[list[int]]:
        return [drawn.reply for drawn in Drawing(loaded, how.batch)(asked, sampling)]

    return onpolicy(
        pools(hands, how, arm),
        list(hands.run.rows(f"arms/{name}/examples")) if how.sampled < 1 else [],
        start,
        hands._place(start),
        how.teacher.model or hands._place(next(iter(hands.run.rows(tutor)))),
        how,
        arm.seed,
        _learned(hands, how.learned_tokens_of) - _learned(hands, name) if how.learned_tokens_of else None,
        draw,
        hands.run.folder / at,
        at,
        hands.teller.say,
        hands.teller.stop,
    )


def pools(hands: "Hands", how: OnPolicy, arm: Recipe) -> list[Pool]:
    """What the student is asked: the sources that are named, and train problems for the rest."""
    found = []
    for source in how.sources:
        said = hands._conversations([source], arm)[source.name]
        most = source.limit or max(1, round(source.share * how.steps * how.prompts))
        asked = (turns[:-1] for turns in islice(said, most))
        found.append(Pool(source.name, source.share * (1 - how.anchor), _named(source.name, asked)))
    ask = plainly(arm)
    train = [ask(p) for p in hands._learnable(Split.TRAIN)]
    left = (1 - sum(s.share for s in how.sources)) * (1 - how.anchor)
    found.append(Pool("the train problems", left, train))
    return [*found, Pool("the train problems that anchor it", how.anchor, train, anchored=True)]


def _named(name: str, asked: Iterator[tuple[Message, ...]]) -> list[Prompt]:
    return [Prompt(id=f"{name}/{i}", messages=turns) for i, turns in enumerate(asked)]


def _learned(hands: "Hands", name: str) -> int:
    """Tokens that an arm's fine-tuning has learned from."""
    return max((point.learned_tokens for point in hands.run.rows(f"arms/{name}/losses")), default=0)
