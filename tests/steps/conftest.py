"""A problem about eggs, traces of it, and what curation makes of them."""

from collections.abc import Callable

import pytest

from understudy.recipe import Curate
from understudy.records import Judged, Problem, Sample, Trace
from understudy.steps.curate import curate

QUESTION = "A box holds 12 eggs and a farmer fills 3 boxes and then adds 4 more eggs. How many eggs are there?"
GOOD = "<think>\n12 * 3 = 36. 36 + 4 = 40.\n</think>\n\nThe answer is \\boxed{40}."


@pytest.fixture
def eggs() -> Callable[..., Problem]:
    """The problem; said is what differs."""

    def made(number: int = 0, **change: object) -> Problem:
        fields = {"question": QUESTION, "answer": "40", "source": "eggs", "split": "train"} | change
        return Problem(id=f"{fields['source']}/{fields['split']}/{number}", **fields)

    return made


@pytest.fixture
def told() -> Callable[..., Trace]:
    """A good trace of a problem; said is what differs."""

    def made(problem: Problem, number: int = 0, text: str = GOOD, **change: object) -> Trace:
        return Trace(
            id=f"{problem.id}#{number}",
            problem=problem.id,
            teacher="t",
            prompt_hash="p",
            sampling_hash="s",
            sample=Sample(text=text, **change),
        )

    return made


@pytest.fixture
def curated() -> Callable[..., list[Judged]]:
    """Traces, judged."""

    def made(traces, problems, say=lambda line: None, surprise=None, **settings) -> list[Judged]:
        by_id = {p.id: p for p in problems}
        return list(curate(traces, by_id, Curate(**settings), say, surprise=surprise))

    return made


@pytest.fixture
def think() -> Callable[..., str]:
    """A reply that thinks first."""
    return lambda thought, reply="The answer is \\boxed{40}.": f"<think>\n{thought}\n</think>\n\n{reply}"
