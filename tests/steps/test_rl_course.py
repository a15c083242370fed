"""Groups are filled, counted and masked as the settings say; a course that is lost stops itself and says why."""

import msgspec
import pytest

from understudy.answers import judge
from understudy.engines.base import Drawn
from understudy.prompts import solve
from understudy.recipe import Rl
from understudy.records import Problem, Reinforced, Sample, Split, Stop
from understudy.steps.rl.course import over, point, told
from understudy.steps.rl.rewards import Exam
from understudy.steps.rl.rolling import Rolling, Tally

ALWAYS, NEVER, SOMETIMES = "always", "never", "sometimes"


def problems(*kinds: str) -> list[Problem]:
    return [
        Problem(id=f"{k}/{i}", question="?", answer="7", source="s", split=Split.TRAIN) for i, k in enumerate(kinds)
    ]


class Draws:
    """Rollouts that are right always, never, or every other time; remembers who was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, prompts, sampling):
        self.asked.append([p.id for p in prompts])
        found = []
        for i, prompt in enumerate(prompts):
            for n in range(sampling.n):
                right = {ALWAYS: True, NEVER: False, SOMETIMES: n % 2 == 0}[prompt.id.split("/")[0]]
                sample = Sample(text=f"\\boxed{{{7 if right else 6}}}", tokens_out=10 + n)
                found.append(Drawn(i, n, [0], [1, 2], sample))
        return found


def grade(problem, sample):
    return judge(sample.text, problem.answer, problem.kind, sample.stop)


def rolling(kinds, **settings):
    draws = Draws()
    return Rolling(problems(*kinds), draws, Exam(solve, grade), Rl(group=4, steps=3, **settings), 0), draws


KINDS = [ALWAYS] * 10 + [NEVER] * 10 + [SOMETIMES] * 20


@pytest.mark.parametrize("step", [0, 1, 2])
def test_dynamic_sampling_trains_on_no_group_that_earns_the_same(step):
    made, draws = rolling(KINDS, prompts=8, dynamic=True)
    batch = made.batch(step)
    assert len(batch.trained) == 8 and not any(g.same for g in batch.trained) and batch.blank == []
    asked = [id for some in draws.asked for id in some]
    assert len(asked) == len({*asked}) == len(batch.asked) <= 32 and 8 < len(asked)


def test_without_it_what_is_asked_is_trained_on():
    made, draws = rolling(KINDS, prompts=8, dynamic=False)
    batch = made.batch(0)
    assert len(draws.asked) == 1 and batch.trained == batch.asked and any(g.same for g in batch.trained)


@pytest.mark.parametrize(("most", "asked"), [(1, 4), (2, 8), (3, 12)])
def test_what_cannot_be_filled_is_asked_for_so_often_and_left_blank(most, asked):
    made, _ = rolling([NEVER] * 400, prompts=4, dynamic=True, dynamic_most=most)
    batch = made.batch(0)
    assert (len(batch.asked), len(batch.trained), len(batch.blank)) == (asked, 0, 4)


def test_dapo_is_dynamic_unless_it_is_told_not_to():
    for algorithm, dynamic, expected in (("dapo", None, 8), ("dapo", False, 4), ("grpo", None, 4), ("grpo", True, 8)):
        how = msgspec.convert(
            {"algorithm": algorithm, "dynamic": dynamic, "prompts": 4, "group": 4, "dynamic_most": 2}, Rl
        )
        batch = Rolling(problems(*[NEVER] * 400), Draws(), Exam(solve, grade), how, 0).batch(0)
        assert len(batch.asked) == expected


def test_processes_share_the_problems_of_a_step():
    made, _ = rolling(KINDS, prompts=8)
    whole = {g.problem.id for g in made.batch(1).asked}
    parts = [{g.problem.id for g in made.batch(1, rank, 2).asked} for rank in range(2)]
    assert parts[0] | parts[1] == whole and not parts[0] & parts[1] and len(parts[0]) == len(parts[1])


def test_a_point_tells_of_all_that_was_drawn():
    made, _ = rolling([ALWAYS, NEVER, SOMETIMES, SOMETIMES], prompts=4)
    tally = Tally()
    tally.add(made.batch(0))
    now = point(5, tally, {"entropy": 0.3, "clip_ratio/region_mean": 0.01, "kl": 0.002, "learning_rate": 1e-3})
    assert (now.reward, now.asked, now.all_right, now.all_wrong, now.trained_same) == (0.5, 4, 0.25, 0.25, 0.5)
    assert (now.tokens, now.cut_off, now.entropy, now.kl, now.tricks) == (11.5, 0, 0.3, 0.002, {"no_reasoning": 1.0})
    assert "reward 0.500" in told(now, 9) and "KL 0.0020" in told(now, 9) and "no_reasoning 100%" in told(now, 9)


def test_cut_off_rollouts_are_counted_and_earn_nothing():
    tally, made = Tally(), rolling([ALWAYS] * 4, prompts=4)[0]
    batch = made.batch(0)
    cut = [msgspec.structs.replace(d.sample, stop=Stop.LENGTH) for g in batch.asked for d in g.drawn]
    made.draw = lambda prompts, sampling: [
        d._replace(sample=cut[i]) for i, d in enumerate(d for g in batch.asked for d in g.drawn)
    ]
    tally.add(made.batch(0))
    assert (tally.mean("cut_off"), tally.mean("reward")) == (1, 0)


# --- when it stops ----------------------------------------------------------------------------------------------------


def course(*changes: dict[str, float]) -> list[Reinforced]:
    plain = {"step": 1, "reward": 0.5, "asked": 8, "all_right": 0.2, "all_wrong": 0.2, "trained_same": 0.0}
    plain |= {"tokens": 40, "cut_off": 0.0, "entropy": 0.3, "clipped": 0.0, "lr": 1e-3}
    return [Reinforced(**plain | change) for change in changes]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"entropy": 0.04}, "entropy is 0.040 nats"),
        ({"all_right": 0.9, "all_wrong": 0.0}, "90% of the problems are always solved"),
        ({"all_right": 0.0, "all_wrong": 0.9}, "90% of the problems are never solved"),
        ({"all_right": 0.45, "all_wrong": 0.4}, "too few"),
        ({"reward": 0.2}, "fallen from 0.50 to 0.20"),
    ],
)
def test_a_course_that_is_lost_stops_itself_and_says_why(change, why):
    settings = Rl(stop_logs=3)
    lost = course({}, {}, change, change, change)
    assert why in (over(lost, settings) or "")
    assert over(lost[:-1], settings) is None  # not yet for so many points
    assert over([*lost[:-1], *course({}), *course(change)], settings) is None  # not in a row
    assert over(course({}, {}, {}, {}), settings) is None


@pytest.mark.parametrize(
    ("settings", "change"),
    [
        ({"stop_entropy": 0.01}, {"entropy": 0.04}),
        ({"stop_same": 0.95}, {"all_wrong": 0.9, "all_right": 0.0}),
        ({"stop_fall": 0.3}, {"reward": 0.2}),
    ],
)
def test_how_much_is_too_much_is_a_setting(settings, change):
    lost = course({}, *[change] * 3)
    assert over(lost, Rl(stop_logs=3)) and over(lost, Rl(stop_logs=3, **settings)) is None


def test_a_reward_below_zero_falls_too():
    assert over(course({"reward": -0.2}, *[{"reward": -0.25}] * 3), Rl(stop_logs=3)) is None
    assert over(course({"reward": -0.2}, *[{"reward": -0.9}] * 3), Rl(stop_logs=3))
