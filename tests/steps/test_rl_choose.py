"""What is practised is drawn before the first step; what nothing can be learned from is refused, with the reason."""

from collections import Counter

import pytest

from understudy.answers import judge
from understudy.engines.base import Drawn
from understudy.errors import UnderstudyError
from understudy.prompts import solve
from understudy.recipe import Rl
from understudy.records import Problem, Sample, Split, Verdict
from understudy.steps.rl import choose
from understudy.steps.rl.choose import Order, Rate
from understudy.steps.rl.rewards import Exam


def problem(n: int) -> Problem:
    return Problem(id=f"p{n}", question=f"{n}?", answer="7", source="s", split=Split.TRAIN)


def rate(right: int, n: int = 8, answered: int | None = None) -> Rate:
    return Rate(problem(right), right, n, n if answered is None else answered)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_follows_from_the_seed_and_covers_all_alike(seed):
    settings = Rl(prompts=4, steps=50)
    one, two, other = (Order(30, settings, s) for s in (seed, seed, seed + 1))
    assert [one.first(s) for s in range(50)] == [two.first(s) for s in range(50)] != [other.first(s) for s in range(50)]
    counts = Counter(i for s in range(50) for i in one.first(s))
    assert len(counts) == 30 and max(counts.values()) - min(counts.values()) <= 1


def test_stand_ins_are_bounded_and_none_is_asked_already():
    order = Order(30, Rl(prompts=4, steps=20, dynamic_most=3), 0)
    for step in range(20):
        further = order.further(step)
        assert len(further) == len(set(further)) <= 8 and not set(further) & set(order.first(step))
    assert Order(30, Rl(prompts=4, steps=20, dynamic_most=1), 0).further(3) == []


def test_a_longer_course_begins_as_a_shorter_one():
    short, long = (Order(30, Rl(prompts=4, steps=n), 0) for n in (5, 50))
    assert [short.first(s) for s in range(5)] == [long.first(s) for s in range(5)]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([rate(0), rate(3)], None),
        ([rate(0, answered=0), rate(0, answered=0)], "answer in the format asked for. Train it with sft first"),
        ([rate(0), rate(0, answered=0)], "no rollout is right.*easier problems"),
        ([rate(8), rate(8)], "every rollout is right.*harder problems"),
        ([rate(0), rate(8)], "none is solved sometimes and missed sometimes"),
        ([], "no problem to practise"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused_with_the_reason(found, why):
    if why is None:
        assert choose.checked(found) == found
        return
    with pytest.raises(UnderstudyError, match=why):
        choose.checked(found)


@pytest.mark.parametrize(("band", "kept"), [((0.2, 0.8), [2, 6]), ((0.0, 1.0), [0, 1, 2, 6, 8]), ((0.9, 1.0), [8])])
def test_the_band_keeps_what_is_solved_that_often(band, kept):
    assert choose.within([rate(n) for n in (0, 1, 2, 6, 8)], band) == [problem(n) for n in kept]


def test_rates_are_those_of_the_rollouts_and_go_on_record():
    def draw(prompts, sampling):
        text = {i: "\\boxed{7}" if i % 2 else "no idea" for i in range(9)}
        made = [(i, n) for i in range(len(prompts)) for n in range(sampling.n)]
        return [
            Drawn(i, n, [0], [1], Sample(text=text[int(prompts[i].id[1:])] if n else "\\boxed{8}")) for i, n in made
        ]

    def grade(asked, sample):
        return judge(sample.text, asked.answer, asked.kind, sample.stop)

    found = choose.rates([problem(n) for n in range(5)], draw, Exam(solve, grade), Rl(batch=4), 3, 0, lambda: False)
    assert [(r.right, r.answered) for r in found] == [(0, 1), (2, 3), (0, 1), (2, 3), (0, 1)]
    assert choose.histogram(found) == {0: 3, 1: 0, 2: 2, 3: 0}
    figures = list(choose.on_record(found, "x"))
    assert [(f.slice, f.value, f.n) for f in figures][2] == ("right=2/3", 0.4, 5)
    assert "0/3: 3, 1/3: 0, 2/3: 2, 3/3: 0; something to learn from in 40%" in choose.told(found)
    with pytest.raises(KeyboardInterrupt):
        choose.rates([problem(1)], draw, Exam(solve, grade), Rl(), 3, 0, lambda: True)


def test_random_numbers_differ_by_seed_step_and_purpose():
    how = [choose.sampling(Rl(), 8, *what).seed for what in ((0, 1), (0, 2), (1, 1), (0, "first pass"))]
    assert len({*how}) == 4 and choose.sampling(Rl(), 8, 0, 1).seed == how[0]
    assert Verdict.RIGHT  # the verdicts that count as answers are those of the grader
