"""An arm that curates otherwise learns from traces of its own; all others share the run's."""

import pytest

from understudy import pipeline
from understudy import recipe as recipes
from understudy.pipeline.making import Hands
from understudy.recipe import Recipe
from understudy.store import Run

RULES = "failed cut_off no_answer several_answers wrong consensus tags mismatch slip duplicate near_duplicate".split()


@pytest.fixture
def recipe() -> Recipe:
    return recipes.build(
        {
            "sources": [{"name": "word_problems", "counts": {"train": 12}}],
            "seeds": [0, 1],
            "arms": {
                "base": {"sft": {"skip": True}, "curate": {"without": RULES}},
                "student": {},
                "raw": {"curate": {"without": RULES}},
                "same": {"curate": {"without": []}},
            },
        }
    )


class Quiet:
    def say(self, line: str) -> None: ...

    def tick(self, done: int, total: int, note: str = "") -> None: ...

    def stop(self) -> bool:
        return False


def test_it_judges_once_for_all_its_seeds(recipe, tmp_path):
    told = {s.name: s.reads for s in pipeline.story(recipe, Hands(recipe, Run(tmp_path), Quiet(), set()))}
    assert [name for name in told if name.endswith("curate")] == ["curate", "arms/raw/curate"]
    read = {name: [f for f in reads if f.endswith("judged")] for name, reads in told.items() if name.endswith("mix")}
    assert read["arms/raw/mix"] == read["arms/raw@1/mix"] == ["arms/raw/judged"]
    assert read["arms/student/mix"] == read["arms/student@1/mix"] == read["arms/same/mix"] == ["judged"]


def test_it_keeps_what_its_own_rules_keep(recipe, tmp_path):
    run = Run(tmp_path)
    for step in ("source", "generate", "curate"):
        pipeline.distil(recipe, run, Quiet(), only=step)
    kept = {at: sum(j.dropped_by is None for j in run.rows(f"{at}judged")) for at in ("", "arms/raw/")}
    assert 0 < kept[""] < kept["arms/raw/"] and not run.has("arms/same/judged") and not run.has("arms/base/judged")
