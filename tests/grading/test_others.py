"""Other graders say of known rows what they say themselves, their mistakes included."""

import json
from pathlib import Path

import pytest

from understudy.answers import symbolic
from understudy.grading.names import Grader
from understudy.grading.others import OTHERS, math_verify
from understudy.records import Verdict

ROWS = [  # text, gold, and what lm-eval strict, lm-eval flexible and Math-Verify say
    ("So 9 * 2 = 18.\n#### 18", "18", "right", "right", "right"),
    ("So 9 * 2 = 18.\n#### 1,800", "1800", "right", "right", "right"),
    ("The answer is 18.", "18", "no_answer", "right", "right"),
    ("#### 18\n\nQ: and 7?\n#### 7", "18", "right", "wrong", "wrong"),
    ("#### 18.00", "18", "wrong", "wrong", "right"),
    ("#### $18", "18", "no_answer", "right", "right"),
    ("#### -18.", "-18", "right", "right", "right"),
    ("First 18, then 5 more minutes.", "18", "no_answer", "wrong", "wrong"),
    ("\\boxed{\\frac{1}{2}}", "0.5", "no_answer", "wrong", "right"),
    ("<think>so \\boxed{18}, wait", "18", "no_answer", "right", "right"),
    ("It is eighteen.", "18", "no_answer", "no_answer", "no_answer"),
    ("", "18", "no_answer", "no_answer", "no_answer"),
    ("#### 18", "She sells 9 eggs for 2 each.\n#### 18", "right", "right", None),
    ("#### 18", None, "ungraded", "ungraded", "ungraded"),
]
NAMES = (Grader.LM_EVAL_STRICT, Grader.LM_EVAL_FLEXIBLE, Grader.MATH_VERIFY)
CASES = [
    (name, row[0], row[1], verdict) for row in ROWS for name, verdict in zip(NAMES, row[2:], strict=True) if verdict
]


@pytest.mark.parametrize(("name", "text", "gold", "verdict"), CASES)
def test_each_grader_says_what_it_says(name, text, gold, verdict):
    if name is Grader.MATH_VERIFY and not symbolic.available():
        pytest.skip("the extra `math` is not installed")
    assert OTHERS[name](text, gold).verdict.value == verdict


def test_every_other_grader_has_its_rule():
    assert set(OTHERS) == set(Grader) - {Grader.UNDERSTUDY}


@pytest.mark.skipif(not symbolic.available(), reason="the extra `math` is not installed")
def test_what_math_verify_cannot_finish_is_failed(monkeypatch):
    monkeypatch.setattr("understudy.grading.others.READS_IN", 0.5)
    found = math_verify("\\boxed{(a+b+c+d+e)^{40}(f+g+h)^{30}}", "\\cot x")
    assert (found.verdict, found.why) == (Verdict.FAILED, "Math-Verify took too long")


DATA = Path(__file__).parents[3] / "shared" / "data" / "gsm8k_test_traces"
PUBLISHED = [  # accuracy on the public outputs of RouteLLM, by the graders themselves
    (Grader.LM_EVAL_STRICT, 0.6149, 0.1008),
    (Grader.LM_EVAL_FLEXIBLE, 0.6346, 0.8567),
    (Grader.MATH_VERIFY, 0.6384, 0.8893),
]


@pytest.mark.skipif(not DATA.exists(), reason="the public traces are not here")
@pytest.mark.parametrize(("name", "weak", "strong"), PUBLISHED, ids=[name.value for name, *_ in PUBLISHED])
def test_published_figures_come_out(name, weak, strong):
    if name is Grader.MATH_VERIFY and not symbolic.available():
        pytest.skip("the extra `math` is not installed")
    for model, figure in (("mixtral-8x7b-instruct", weak), ("gpt-4-1106-preview", strong)):
        rows = [json.loads(line) for line in (DATA / f"{model}.jsonl").open()]
        right = sum(OTHERS[name](row["rationale"], row["answer"]).verdict is Verdict.RIGHT for row in rows)
        assert round(right / len(rows), 4) == figure
