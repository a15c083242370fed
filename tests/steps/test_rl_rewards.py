"""A rollout earns 1 for one right answer that it ended itself, and tricks earn what they should: mostly nothing."""

import pytest

from understudy.answers import judge
from understudy.recipe import Rl
from understudy.records import Problem, Sample, Split, Stop
from understudy.steps.rl.rewards import earned

PROBLEM = Problem(
    id="p", question="Ann has 12 eggs and eats 5 of them. How many are left?", answer="7", source="s", split=Split.TRAIN
)
GOOD = "<think>\n12 - 5 = 7.\n</think>\n\nThe answer is \\boxed{7}."


def grade(problem, sample):
    return judge(sample.text, problem.answer, problem.kind, sample.stop, sample.thought)


def earn(text, stop=Stop.END, tokens=20, **settings):
    return earned(PROBLEM, Sample(text=text, stop=stop, tokens_out=tokens), grade, Rl(**settings))


@pytest.mark.parametrize(
    ("text", "reward", "tricks"),
    [
        (GOOD, 1, ()),
        ("12 - 5 = 7. The answer is \\boxed{7}.", 1, ()),
        ("<think>\n12 - 5 = 8.\n</think>\n\nThe answer is \\boxed{8}.", 0, ()),
        ("<think>\n12 - 5 = 7, so \\boxed{7}.\n</think>\n\nI do not know.", 0, ()),  # the thought is no answer
        ("<think>\n12 - 5 = 7, so the answer is \\boxed{7}.", 0, ()),
        (GOOD + " \\boxed{7} \\boxed{7}", 1, ("several_boxes",)),
        ("<think>\n12 - 5.\n</think>\n\n\\boxed{5} \\boxed{6} \\boxed{7}", 0, ("several_boxes", "two_answers")),
        ("<think>\n12 - 5.\n</think>\n\n\\boxed{7} \\boxed{6} \\boxed{5}", 0, ("several_boxes", "two_answers", "echo")),
        ("<think>\n12 - 5.\n</think>\n\nThe answer is \\boxed{6 or 7}.", 0, ("two_answers",)),
        ("<think>\n</think>\n\nThe answer is \\boxed{7}.", 1, ("empty_thought", "no_reasoning")),
        ("The answer is \\boxed{7}.", 1, ("no_reasoning",)),
        ("The answer is \\boxed{12}.", 0, ("no_reasoning", "echo")),
        ("<think>\n12 eggs.\n</think>\n\nThe answer is \\boxed{5.0}.", 0, ("echo",)),
        ("The answer is \\boxed{7}. For Ann had 12 eggs and ate 5 of them: 12 - 5 = 7.", 1, ("answer_first",)),
        ("", 0, ("no_reasoning",)),
    ],
)
def test_a_scripted_reply_earns_what_it_should(text, reward, tricks):
    found = earn(text)
    assert (found.reward, set(found.tricks)) == (reward, set(tricks))


@pytest.mark.parametrize("stop", [Stop.LENGTH, Stop.STOPPED, Stop.ERROR])
def test_a_reply_that_the_student_did_not_end_earns_nothing(stop):
    assert earn(GOOD + " That is all", stop).reward == 0 and earn(GOOD + " That is all").reward == 1


@pytest.mark.parametrize(
    ("text", "reward"),
    [(GOOD, 0.5), ("The answer is \\boxed{7}.", 1.0), (GOOD.replace("{7}", "{8}"), 0.0), ("\\boxed{8}", 0.0)],
)
def test_a_right_answer_without_thought_earns_more_where_thought_costs(text, reward):
    found = earn(text, thought_reward=0.5)
    assert found.reward == reward == sum(found.parts.values())


@pytest.mark.parametrize(("tokens", "reward"), [(20, 1.0), (80, 1.0), (90, 0.5), (100, 0.0)])
def test_the_last_tokens_before_the_horizon_cost_softly(tokens, reward):
    assert earn(GOOD, tokens=tokens, max_tokens=100, overlong=20).reward == reward
    assert earn(GOOD, tokens=tokens, max_tokens=100).reward == 1
