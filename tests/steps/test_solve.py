"""Rollouts are drawn once, for the problems that were chosen; every strategy is read off them."""

import random

import pytest

from understudy.engines.scripted import Scripted
from understudy.recipe import Solve
from understudy.records import Kind, Option, Problem, Rollout, Sample, Split, Stop
from understudy.steps.solve import answer, chosen, predictions, right, rollouts, sampled_problems


def problem(n: int, suite: str = "easy", steps: int = 1, **change) -> Problem:
    fields = {"id": f"s/test/{suite}{n}", "question": f"{n}?", "answer": str(n), "source": "s", "split": Split.TEST}
    return Problem(**fields | {"slices": {"suite": suite, "steps": str(steps)}} | change)


def boxed(text: str) -> str:
    return f"The answer is \\boxed{{{text}}}."


def solve(problems, engine, stop=lambda: False, ticks=None, **settings):
    tick = (lambda *told: ticks.append(told)) if ticks is not None else lambda *told: None
    return list(rollouts(problems, engine, Solve(**settings), "student", 0, tick, stop))


def told(problems, rolled, **settings):
    return list(predictions(rolled, {p.id: p for p in problems}, Solve(**settings)))


class Backwards(Scripted):
    def sample(self, prompts, sampling, wanted=lambda i, n: True):
        yield from reversed(list(super().sample(prompts, sampling, wanted)))


def test_a_vote_is_replayed_with_every_rule_that_may_end_it():
    said = ["8", "8", "8", "8", "8", "9", "9", "9"]
    rolled = solve([problem(8)], Scripted(lambda p, n: boxed(said[n])), samples=8, greedy=False)
    got = {p.strategy: p for p in told([problem(8)], rolled, samples=8, stops=("lead", "adaptive"))}
    assert got["vote@8"].rollouts == tuple(range(1, 9))
    assert got["vote@8:lead"].rollouts == (1, 2, 3, 4)  # four more could only tie, and the first seen wins
    assert got["vote@8:adaptive"].rollouts == (1, 2, 3, 4)
    assert {p.answer for p in got.values() if p.strategy.startswith("vote")} == {"8"}


def test_the_first_rollout_is_greedy_and_the_others_are_sampled():
    seen = []

    class Seen(Scripted):
        def sample(self, prompts, sampling, wanted=lambda i, n: True):
            seen.append((len(prompts), sampling.n, sampling.temperature))
            return super().sample(prompts, sampling, wanted)

    rolled = solve([problem(1), problem(2)], Seen(lambda p, n: "x"), samples=3, temperature=0.7)
    assert seen == [(2, 1, 0.0), (2, 3, 0.7)]
    assert [(r.problem, r.number) for r in rolled] == [(f"s/test/easy{p}", n) for p in (1, 2) for n in range(4)]


def test_rollouts_stand_in_order_whatever_comes_first():
    problems = [problem(n) for n in range(9)]
    one, other = (solve(problems, kind(lambda p, n: f"{p.id}{n}"), samples=2) for kind in (Scripted, Backwards))
    assert one == other


def test_without_samples_only_greedy_is_drawn():
    engine = Scripted(lambda p, n: boxed("1"))
    rolled = solve([problem(1)], engine)
    assert len(engine.said) == 1 and [p.strategy for p in told([problem(1)], rolled)] == ["greedy"]


def test_a_student_is_asked_the_question_alone():
    asked = []
    solve([problem(7)], Scripted(lambda p, n: asked.append([m.role for m in p.messages]) or "x"))
    assert asked == [["user"]]


def test_a_limit_holds_for_each_suite():
    problems = [problem(n, suite) for suite in ("easy", "hard") for n in range(4)]
    assert [p.id for p in chosen(problems, Solve(limit=1))] == ["s/test/easy0", "s/test/hard0"]
    assert chosen(problems, Solve()) == problems


def test_samples_are_drawn_for_some_of_each_number_of_steps_and_for_no_conversation():
    problems = [problem(10 * s + n, steps=s) for s in (1, 2) for n in range(3)]
    talk = [problem(90, "chat", kind=Kind.OPEN, answer=None), problem(91, "chat", source="probes")]
    assert [p.id[-2:] for p in sampled_problems(problems + talk, Solve(sample_limit=2))] == ["10", "11", "20", "21"]
    assert sampled_problems(problems + talk, Solve()) == problems


def test_one_rollout_makes_three_predictions():
    replies = [boxed("7"), boxed("8"), boxed("8"), "no idea"]
    rolled = solve([problem(8)], Scripted(lambda p, n: replies[n]), samples=4)
    greedy, sample, vote = told([problem(8)], rolled, samples=4)
    assert (greedy.strategy, greedy.answer, greedy.agreement, greedy.rollouts) == ("greedy", "7", 1.0, (0,))
    assert (sample.strategy, sample.rollouts) == ("sample@4", (1, 2, 3, 4))
    assert (vote.strategy, vote.answer, vote.agreement) == ("vote@4", "8", 0.5)


NO_VOTE = [
    Sample(text="So far it is 7", stop=Stop.LENGTH),
    Sample(text="", stop=Stop.ERROR, error="x"),
    Sample(text="hm"),
]


@pytest.mark.parametrize("sample", NO_VOTE, ids=["cut off", "failed", "none"])
def test_what_gives_no_answer_never_wins_a_vote(sample):
    assert answer(sample, problem(7)) is None
    rolled = [Rollout(problem="s/test/easy7", model="m", sampling_hash="", number=n, sample=sample) for n in (1, 2)]
    rolled.append(
        Rollout(problem="s/test/easy7", model="m", sampling_hash="", number=3, sample=Sample(text=boxed("7")))
    )
    vote = told([problem(7)], rolled, samples=3)[-1]
    assert (vote.answer, vote.agreement) == ("7", round(1 / 3, 6))


def test_choices_are_voted_by_label():
    options = (Option(label="A", text="bank"), Option(label="B", text="mall"))
    one = problem(1, kind=Kind.CHOICE, choices=options, answer="B")
    assert [answer(Sample(text=t), one) for t in (boxed("B"), boxed("mall"), "The answer is (b).")] == ["B"] * 3


def test_right_counts_greedy_rollouts_alone():
    problems = [problem(1), problem(2)]
    rolled = solve(problems, Scripted(lambda p, n: boxed("1")), samples=5)
    assert right(rolled, {p.id: p for p in problems}) == 1


def test_stop_leaves_before_anything_is_given():
    engine = Scripted(lambda p, n: "x")
    with pytest.raises(KeyboardInterrupt):
        solve([problem(n) for n in range(9)], engine, stop=lambda: len(engine.said) > 3)
    assert len(engine.said) == 4


def test_progress_counts_greedy_and_samples():
    ticks = []
    solve([problem(n) for n in range(3)], Scripted(lambda p, n: "x"), ticks=ticks, samples=2, sample_limit=1)
    assert ticks[-1] == (5, 5)


@pytest.mark.parametrize("seed", range(5))
def test_a_vote_is_never_for_an_answer_that_nobody_gave(seed):
    rng = random.Random(seed)
    replies = [boxed(str(rng.randint(1, 3))) if rng.random() < 0.7 else "hm" for _ in range(9)]
    rolled = solve([problem(1)], Scripted(lambda p, n: replies[n]), samples=8)
    vote = told([problem(1)], rolled, samples=8)[-1]
    given = [r for r in replies[:8] if "boxed" in r]
    assert vote.answer is None if not given else boxed(vote.answer) in given and 0 < vote.agreement <= 1
