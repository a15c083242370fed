"""What is asked and what is learned agree, and `answers` reads back what `prompts` writes."""

import pytest

from understudy import answers, prompts
from understudy.recipe import Layout
from understudy.records import Kind, Message, Option, Problem, Sample, Split, Verdict


@pytest.fixture
def problem():
    def made(**change) -> Problem:
        return Problem(
            **{"id": "s/train/0", "question": "2+2?", "answer": "4", "source": "s", "split": Split.TRAIN} | change
        )

    return made


def test_a_teacher_is_told_the_format_and_a_student_is_not(problem):
    asked, solved = prompts.ask(problem()), prompts.solve(problem())
    assert [m.role for m in asked.messages] == ["system", "user"] and asked.messages[0].content == prompts.FORMAT
    assert solved.messages == asked.messages[1:] and asked.id == solved.id == "s/train/0"


def test_choices_stand_below_the_question(problem):
    options = (Option(label="A", text="bank"), Option(label="B", text="mall"))
    shown = prompts.question(problem(question="Where?", choices=options))
    assert [m.content for m in shown] == ["Where?\n(A) bank\n(B) mall"]


def test_earlier_turns_come_before_the_question(problem):
    turns = (Message(role="user", content="Hi"), Message(role="assistant", content="Hello!"))
    both = (*turns, Message(role="user", content="2+2?"))
    assert prompts.question(problem(messages=both)) == both


@pytest.mark.parametrize("layout", [Layout.THINK_FIRST, Layout.ANSWER_FIRST, Layout.NONE])
@pytest.mark.parametrize(("answer", "kind"), [("72", Kind.NUMBER), ("-3/4", Kind.NUMBER), ("B", Kind.CHOICE)])
def test_the_answer_of_every_layout_is_found_again(layout, answer, kind):
    reply = prompts.target("First 5, then 9.", answer, layout)
    assert answers.judge(reply, answer, kind, choices=()).verdict is Verdict.RIGHT


def test_thought_is_where_the_layout_puts_it():
    first = prompts.target("thought", "72", Layout.THINK_FIRST)
    assert answers.split(first).thought.strip() == "thought" and "thought" not in prompts.target(
        "thought", "72", Layout.NONE
    )
    second = prompts.target("thought", "72", Layout.ANSWER_FIRST)
    assert second.index("72") < second.index("thought") and not answers.split(second).thought


def test_glued_needs_a_solution_and_says_the_answer_without_one():
    assert prompts.target("a", "72", Layout.GLUED, "b").endswith("</think>\n\nb")
    assert prompts.target("a", "72", Layout.GLUED) == prompts.final("72")


REASONED = [  # a teacher's reply, the reasoning in it
    (Sample(text="<think>\n3+4=7.\n</think>\n\nThe answer is \\boxed{7}."), "3+4=7."),
    (Sample(text="The answer is 7.", thought="3+4=7."), "3+4=7."),
    (Sample(text="3+4=7. So the answer is 7."), "3+4=7."),
    (Sample(text="3+4=7.\n#### 7"), "3+4=7."),
    (Sample(text="The answer is 7."), ""),
    (Sample(text="3 and 4 make 7"), "3 and 4 make 7"),
]


@pytest.mark.parametrize(("sample", "thought"), REASONED, ids=[s.text.split("\n")[0] for s, _ in REASONED])
def test_reasoning_is_the_reply_without_its_answer(sample, thought):
    assert prompts.reasoning(sample, Kind.NUMBER) == thought


def test_a_rationale_has_no_calculator_notes(problem):
    assert prompts.rationale(problem(rationale="48/2 = <<48/2=24>>24.")) == "48/2 = 24."
    assert prompts.rationale(problem()) is None
