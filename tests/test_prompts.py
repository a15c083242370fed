"""What is asked and what is learned agree, and `answers` reads back what `prompts` writes."""

import pytest

from understudy import answers, prompts
from understudy.recipe import Layout, Mix
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


THOUGHTS = ["First 5, then 9.", "Is the answer 5? No. The answer is 6. 2+3=5.", "So \\boxed{11} = 11.\nThen 7*1=7."]


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("thought", THOUGHTS)
@pytest.mark.parametrize(("answer", "kind"), [("72", Kind.NUMBER), ("-3/4", Kind.NUMBER), ("B", Kind.CHOICE)])
def test_of_every_layout_the_answer_is_found_again_and_nothing_else(layout, thought, answer, kind, problem):
    settings = Mix(layout=layout)
    targets = [t for t in prompts.targets(problem(), thought, answer, settings) if t.task != prompts.EXPLAIN]
    assert targets or (layout is Layout.OUTLINE and not prompts.outline(thought))
    for target in targets:
        assert answers.judge(prompts.written(target.pieces), answer, kind, choices=()).verdict is Verdict.RIGHT


def test_the_reason_of_an_answer_is_not_its_reply():
    reply = prompts.target("2+2=5. The answer is \\boxed{5}.", "4", Layout.ANSWER_FIRST)
    for cut in (reply, reply.removesuffix("\n</why>"), reply.partition("<why>")[0]):
        assert answers.split(cut).reply == prompts.final("4")


@pytest.mark.parametrize("layout", [Layout.THINK_FIRST, Layout.COARSE, Layout.OUTLINE, Layout.EMPTY_THINK, Layout.NONE])
def test_what_is_left_of_a_thought_is_in_the_think_block(layout, problem):
    (target,) = prompts.targets(problem(), "2+3=5 of them. 5*4=20 or so. 20-1=19 left.", "19", Mix(layout=layout))
    thoughts = {
        Layout.THINK_FIRST: "2+3=5 of them. 5*4=20 or so. 20-1=19 left.",
        Layout.COARSE: "5*4=20 or so. 20-1=19 left.",
        Layout.OUTLINE: "2+3=5\n5*4=20\n20-1=19",
        Layout.EMPTY_THINK: "",
        Layout.NONE: None,
    }
    assert answers.split(prompts.written(target.pieces)).thought == thoughts[layout]


@pytest.mark.parametrize(("every", "steps"), [(2, "b. d. e."), (3, "c. e."), (5, "e."), (9, "e.")])
def test_the_coarser_the_fewer_steps_and_the_last_one_stays(every, steps, problem):
    (target,) = prompts.targets(problem(), "a. b. c. d. e.", "1", Mix(layout=Layout.COARSE, coarse_steps=every))
    assert f"<think>\n{steps}\n</think>" in prompts.written(target.pieces)
    assert prompts.coarse("a.\nb.\nc.", 2) == "b.\nc."


OUTLINES = [
    ("He has 16 - 3 - 4 = 9 eggs, and 9 * 2 = $18.", "16 - 3 - 4 = 9\n9 * 2 = $18"),
    ("12 * 3 = 36 = 6 * 6.", "12 * 3 = 36 = 6 * 6"),  # a chain is one
    ("She has 5 * 3 = <<5*3=15>>15 eggs.", "5 * 3 = 15"),
    ("Let S be it. 3S+5=2S+10.", "3S+5=2S+10"),
    ("So the total = 18.", ""),
    ("A dog is an animal.", ""),
]


@pytest.mark.parametrize(("thought", "equations"), OUTLINES, ids=[t for t, _ in OUTLINES])
def test_an_outline_is_the_equations(thought, equations, problem):
    assert prompts.outline(thought) == equations
    assert bool(list(prompts.targets(problem(), thought, "1", Mix(layout=Layout.OUTLINE)))) == bool(equations)


def test_two_tasks_are_asked_apart_and_a_test_asks_to_predict(problem):
    predict, explain = prompts.targets(problem(), "2 and 2.", "4", Mix(layout=Layout.TWO_TASKS))
    assert [t.before[-1].content for t in (predict, explain)] == ["predict: 2+2?", "explain: 2+2?"]
    assert [prompts.written(t.pieces) for t in (predict, explain)] == [prompts.final("4"), "2 and 2."]
    assert prompts.solve(problem(), Layout.TWO_TASKS).messages == predict.before
    talk = problem(kind=Kind.OPEN, answer=None)
    assert prompts.solve(talk, Layout.TWO_TASKS, "<think>\n") == prompts.solve(talk)


def test_a_mode_of_an_adaptive_student_is_known_by_how_its_reply_opens(problem):
    targets = list(prompts.targets(problem(), "2 and 2.", "4", Mix(layout=Layout.ADAPTIVE)))
    assert [t.task for t in targets] == ["think_first", "answer_first"] and targets[0].before == targets[1].before
    for target in targets:
        opening = prompts.OPENINGS[Layout(target.task)]
        assert prompts.written(target.pieces).startswith(opening)
        assert prompts.solve(problem(), prefill=opening).prefill == opening
    assert not any(a.startswith(b) for a in prompts.OPENINGS.values() for b in prompts.OPENINGS.values() if a != b)


@pytest.mark.parametrize("layout", Layout)
def test_pieces_are_thought_answer_and_format(layout, problem):
    for target in prompts.targets(problem(rationale="Theirs."), "2+2=4.", "4", Mix(layout=layout)):
        of = {role: "".join(p.text for p in target.pieces if p.role is role) for role in prompts.Role}
        assert of[prompts.Role.THOUGHT] in ("2+2=4.", "2+2=4", "")
        assert of[prompts.Role.ANSWER] in ("4", "Theirs.", "") and "4" not in of[prompts.Role.FORMAT]


REPLIES = [
    ("<think>\nHm.\n</think>\n\nHello!", "Hello!", True),
    ("Hello!", "Hello!", False),
    ("<think>\n\n</think>\n\nHello!", "Hello!", False),
    ("<think>\nHm.\n</think>", None, True),
]


@pytest.mark.parametrize(("reply", "rest", "thinks"), REPLIES)
def test_a_reply_loses_its_thought(reply, rest, thinks):
    assert prompts.thinks(reply) == thinks and prompts.unthought(reply, empty=False) == rest
    assert prompts.unthought(reply, empty=True) == (rest and f"<think>\n\n</think>\n\n{rest}")
    assert prompts.unthought(prompts.thoughtful("Hm.", "Hello!"), empty=False) == "Hello!"


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
