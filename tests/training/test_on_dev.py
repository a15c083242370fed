"""Dev is asked for reasoning and for chat; test is never read."""

import msgspec
import pytest

pytest.importorskip("trl")

from rich.text import Text  # noqa: E402

from understudy.cli.terminal import learned  # noqa: E402
from understudy.pipeline import steps  # noqa: E402
from understudy.pipeline.choosing import on_dev  # noqa: E402
from understudy.recipe import Recipe, SelectBy, Selection, Sft, Solve  # noqa: E402
from understudy.records import Problem, Split  # noqa: E402
from understudy.sources.dev_probes import dev_probes  # noqa: E402

DEV = [
    Problem(id=f"d{n}", question=f"What is {n} plus 1?", answer=str(n + 1), source="s", split=Split.DEV)
    for n in range(6)
]


@pytest.mark.parametrize("by", SelectBy)
def test_a_student_that_knows_nothing_solves_nothing_and_ends_nothing(by, fresh):
    arm = Recipe(sft=Sft(select_by=by, select_k=2, dev_limit=4), solve=Solve(max_tokens=4, batch=8))
    found = on_dev(fresh(), DEV, arm, lambda: False)
    chats = len(list(dev_probes()))
    assert (found.right, found.n, found.chats) == (0, 4, chats) and found.harmed > chats / 2


def test_the_step_reads_dev_where_dev_chooses_and_never_test():
    def read(**change) -> tuple[str, ...]:
        return steps.sft("student", {"student": Recipe(sft=Sft(**change))}, None).reads

    assert "problems:dev" not in read() and "problems:dev" in read(select=Selection.DEV)
    assert "problems:dev" in read(lr=(1e-3, 2e-3)) and not any("test" in name for name in read(select=Selection.DEV))


def test_how_samples_are_drawn_matters_where_they_choose():
    def key(solve: Solve, **change) -> str:
        return steps.sft("student", {"student": Recipe(sft=Sft(**change), solve=solve)}, None).key

    warm = msgspec.structs.replace(Solve(), temperature=0.5)
    by_samples = {"select": Selection.DEV, "select_by": SelectBy.PASS_AT_K}
    assert key(Solve(), select=Selection.DEV) == key(warm, select=Selection.DEV)
    assert key(Solve(), **by_samples) != key(warm, **by_samples)


def test_what_is_learned_is_coloured():
    found = learned(Text("user: 1 + 1?\nassistant: ⟦2<end>⟧\n"))
    assert [(found.plain[s.start : s.end], s.style) for s in found.spans] == [("⟦2<end>⟧", "green")]
