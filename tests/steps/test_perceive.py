"""The probe finds the mode that is right where the state tells it, and says of itself only what it has not seen."""

import random

import numpy as np
import pytest

from understudy.errors import UnderstudyError
from understudy.recipe import Perceive
from understudy.records import Metric, Probe, Problem, Rollout, Sample, Split
from understudy.steps.perceive import Both, fit, perceive, thinks


def rollout(problem: Problem, right: bool, tokens: int) -> Rollout:
    said = int(problem.answer or 0) + (0 if right else 1000)
    sample = Sample(text=f"The answer is \\boxed{{{said}}}.", tokens_out=tokens)
    return Rollout(problem=problem.id, model="m", sampling_hash="", number=0, sample=sample)


def world(n: int, hard: float = 0.5, told: float = 1.0, seed: int = 0):
    """Problems that are easy (both modes solve them) or hard (thinking alone does); by `told` the state says which."""
    rng = random.Random(seed)
    problems = [Problem(id=f"p{i}", question="?", answer=str(i), source="s", split=Split.TRAIN) for i in range(n)]
    is_hard = [rng.random() < hard for _ in problems]
    states = [[rng.gauss(0, 1), told * (1.0 if h else -1.0) + rng.gauss(0, 0.2), 7.0] for h in is_hard]
    thinking = {p.id: rollout(p, True, 50) for p in problems}
    answering = {p.id: rollout(p, not h, 8) for p, h in zip(problems, is_hard, strict=True)}
    return problems, thinking, answering, states, is_hard


def figures(out) -> dict[tuple[str, str], float | None]:
    return {(m.name, m.strategy): m.value for m in out if isinstance(m, Metric)}


def test_where_the_state_tells_the_probe_is_as_good_as_the_oracle_and_spares_tokens():
    problems, thinking, answering, states, is_hard = world(120)
    probe, *rest = perceive(problems, thinking, answering, states, Perceive(), "h", 2, "a")
    assert isinstance(probe, Probe) and (probe.layer, probe.student) == (2, "h")
    assert thinks(probe, states) == is_hard
    got = figures(rest)
    assert got["accuracy", "adaptive"] == got["accuracy", "oracle"] == got["accuracy", "think_first"] == 1
    assert got["accuracy", "answer_first"] == pytest.approx(1 - sum(is_hard) / 120, abs=1e-6)
    assert (
        got["tokens", "answer_first"]
        < got["tokens", "adaptive"]
        == got["tokens", "oracle"]
        < got["tokens", "think_first"]
    )
    assert got["think_precision", "adaptive"] == got["think_recall", "adaptive"] == 1


def test_where_the_state_does_not_tell_the_figures_do_not_say_that_it_does():
    """A probe with more coefficients than problems fits anything: it is judged on what it has not seen."""
    problems, thinking, answering, _, is_hard = world(60)
    rng = np.random.default_rng(0)
    states = rng.normal(size=(60, 200)).tolist()
    probe, *rest = perceive(problems, thinking, answering, states, Perceive(decay=1e-3), "h", 1, "a")
    assert thinks(probe, states) == is_hard  # learned by heart
    assert figures(rest)["accuracy", "adaptive"] < 0.9


@pytest.mark.parametrize(("hard", "says"), [(1.0, True), (0.0, False)])
def test_where_one_mode_is_always_right_the_probe_says_that_one(hard, says):
    problems, thinking, answering, states, _ = world(20, hard)
    probe, *_ = perceive(problems, thinking, answering, states, Perceive(), "h", 0, "a")
    assert set(thinks(probe, [*states, [9.0, -9.0, 0.0]])) == {says}


def test_problems_that_neither_mode_solves_say_nothing():
    _, _, _, states, is_hard = world(80)
    x, right = np.array(states), np.array([[True, not h] for h in is_hard])
    lost = np.r_[right, np.zeros((40, 2), dtype=bool)]
    more = fit(np.r_[x, np.random.default_rng(1).normal(size=(40, 3))], Both(lost, lost * 1.0), 1.0)
    assert more.thinks(x).tolist() == is_hard


def test_a_greater_decay_makes_smaller_coefficients():
    _, _, _, states, is_hard = world(80)
    right = np.array([[True, not h] for h in is_hard])
    sizes = [float(np.abs(fit(np.array(states), Both(right, right * 1.0), d).weights).max()) for d in (0.1, 1, 10, 100)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 3 * sizes[-1]


def test_a_student_that_solves_nothing_is_to_think():
    problems, thinking, _, states, _ = world(20)
    lost = {p.id: rollout(p, False, 9) for p in problems}
    probe, *rest = perceive(problems, lost, lost, states, Perceive(), "h", 0, "a")
    assert all(thinks(probe, states)) and figures(rest)["think_recall", "adaptive"] is None


def test_without_held_out_problems_there_is_nothing_to_perceive():
    with pytest.raises(UnderstudyError, match="no train problem is held out. Raise mix.perceive.held_out."):
        list(perceive([], {}, {}, [], Perceive(), "h", 0, "a"))


def test_the_same_problems_give_the_same_bytes():
    problems, thinking, answering, states, _ = world(50, told=0.4)
    one, two = (list(perceive(problems, thinking, answering, states, Perceive(), "h", 0, "a")) for _ in range(2))
    assert one == two
