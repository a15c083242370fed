"""The teacher asked by batch files instead of one by one: what is missing goes out, what came back is kept."""

from typing import TYPE_CHECKING

from understudy.engines.base import Engine
from understudy.engines.batch import Requests, Results
from understudy.errors import RecipeError, UserError
from understudy.pipeline.making import Hands
from understudy.recipe import Recipe
from understudy.store import Run

if TYPE_CHECKING:  # the story imports this room
    from understudy.pipeline import Teller


def write(recipe: Recipe, run: Run, teller: "Teller", requests: Requests) -> None:
    """Everything that the run would ask its teacher, and has not in the store, into the files of `requests`.

    Raises:
        UserError: nothing is missing.
    """
    _through(recipe, run, teller, requests)
    if not requests.files:
        raise UserError(f"Nothing is missing: every sample is kept already. Go on: understudy run {recipe.name}")


def collect(recipe: Recipe, run: Run, teller: "Teller", results: Results) -> None:
    """What a vendor has sent back, into the store; the run then finds it there."""
    _through(recipe, run, teller, results)


def _through(recipe: Recipe, run: Run, teller: "Teller", inside: Engine) -> None:
    from understudy.steps.generate import generate

    if recipe.generate.teacher.engine != "http":
        raise RecipeError(
            f"generate: teacher: {recipe.generate.teacher.engine} is asked in this process. "
            "Batch files are for a server: generate.teacher.engine=http"
        )
    hands = Hands(recipe, run, teller, set())
    asked = hands.asked()
    teacher = hands.teacher({p.id: p for p in asked}, inside)
    try:
        settings, tick = recipe.generate, hands.tick(teacher)
        for _ in generate(asked, teacher.engine, settings, recipe.seed, tick, teller.stop, hands.solved()):
            pass
    finally:
        teacher.engine.close()
