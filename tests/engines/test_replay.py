"""Recorded traces come back verbatim, to the prompt that asked; what was not recorded fails as a record."""

import json
from pathlib import Path

import pytest

from understudy.engines.base import Engine
from understudy.engines.replay import Replay
from understudy.errors import SourceError
from understudy.records import Message, Prompt, Sampling, Stop

DSS = Path(__file__).parents[3] / "shared" / "data" / "distilling_step_by_step"


def ask(text, name="p"):
    return Prompt(id=name, messages=(Message(role="system", content="Think."), Message(role="user", content=text)))


@pytest.fixture
def replay(tmp_path):
    def of(*rows, **columns):
        path = tmp_path / "traces.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return Replay(str(path), **columns)

    return of


def texts(engine, *questions, n=1, **more):
    found = engine.sample([ask(q, str(i)) for i, q in enumerate(questions)], Sampling(n=n), **more)
    return [(s.prompt, s.number, s.sample.text) for s in found]


def only(engine, question="Two and two?"):
    (got,) = engine.sample([ask(question)], Sampling())
    return got.sample


Q, T = "Two and two?", "2 + 2 = 4. The answer is 4."

LAYOUTS = [
    {"question": Q, "solution": T},
    {"problem": Q, "generation": T},
    {"problem": Q, "generations": [T], "finish_reasons": ["stop"], "answer": "5", "solution": "short"},
    {"question": Q, "rationale": "2 + 2 = 4.", "answer": "4"},
    {"question": Q, "rationale": "2 + 2 = 4.", "answer": "5", "meta": {"teacher_label": "4"}},
    {"question": Q, "answer": "5", "rationale": "short", "meta": {"raw_output": T}},
    {"prompt": Q, "completion": T},
    {"prompt": Q, "response": T},
    {"instruction": Q, "input": "", "output": T},
    {"messages": [{"role": "user", "content": Q}, {"role": "assistant", "content": T}]},
    {"conversations": [{"from": "human", "value": Q}, {"from": "gpt", "value": T}]},
]


@pytest.mark.parametrize("row", LAYOUTS, ids=["+".join(row) for row in LAYOUTS])
def test_every_layout_gives_the_same_trace(replay, row):
    assert only(replay(row)).text == T


def test_it_is_an_engine_named_after_its_teacher(replay):
    engine: Engine = replay(LAYOUTS[0], teacher="PaLM-540B")
    engine.close()
    assert engine.name == "PaLM-540B"
    assert replay(LAYOUTS[0]).name == "replay"


# --- which prompt -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        Q,
        "  two AND\ttwo? ",
        f"Question: {Q}",
        f"Solve it.\n\n{Q}\n\nPut the answer into a box.",
        f"{Q}\nA) 3\nB) 4",
        f"Problem: {Q}\nAnswer:",
    ],
)
def test_a_question_is_found_among_instructions(replay, asked):
    assert only(replay(LAYOUTS[0]), asked).text == T


@pytest.mark.parametrize("asked", ["Two and two? Then doubled?", "and two?", ""])
def test_a_part_of_a_question_is_another_question(replay, asked):
    sample = only(replay(LAYOUTS[0]), asked)
    assert (sample.stop, sample.error) == (Stop.ERROR, "no recorded trace for this question")


def test_a_question_of_many_lines_is_found_whole(replay):
    long = "Ann has 2.\n\nBob has 2.\nHow many?"
    engine = replay({"question": long, "solution": "4"}, {"question": "How many?", "solution": "?"})
    assert texts(engine, f"{long}\n\nThink.", "How many?") == [(0, 0, "4"), (1, 0, "?")]


def test_several_of_one_question_are_numbered_and_no_more_than_asked(replay):
    rows = [{"question": q, "solution": q + n} for n in "123" for q in ("a", "b")]
    assert texts(replay(*rows), "a", "b", n=2) == [(0, 0, "a1"), (1, 0, "b1"), (0, 1, "a2"), (1, 1, "b2")]
    assert len(texts(replay(*rows), "a", n=9)) == 3


def test_a_list_of_generations_is_several_samples(replay):
    row = {"problem": Q, "generations": ["one", "two"], "finish_reasons": ["stop", "length"]}
    got = [s.sample for s in replay(row).sample([ask(Q)], Sampling(n=4))]
    assert [(s.text, s.stop) for s in got] == [("one", Stop.END), ("two", Stop.LENGTH)]


def test_problems_of_one_question_are_told_apart_by_their_choices(replay):
    rows = [{"question": "Where?", "solution": word, "choices": [word, "mall"]} for word in ("bank", "park")]
    asked = ["Where?\nA) park\nB) mall", "Where?\nA) bank\nB) mall"]
    assert sorted(texts(replay(*rows), *asked, n=2)) == [(0, 0, "park"), (1, 0, "bank")]


def test_what_is_decided_is_not_given(replay):
    rows = [{"question": "a", "solution": n} for n in "123"]
    seen = []
    for sampled in replay(*rows).sample([ask("a")], Sampling(n=3), wanted=lambda prompt, number: len(seen) < 2):
        seen.append(sampled.sample.text)
    assert seen == ["1", "2"]
    assert texts(replay(*rows), "b", wanted=lambda prompt, number: False) == []


def test_it_can_be_asked_again(replay):
    engine = replay(*LAYOUTS)
    assert texts(engine, Q, n=20) == texts(engine, Q, n=20)


# --- what is given ----------------------------------------------------------------------------------------------------


def test_the_text_is_verbatim_up_to_the_stop_string(replay):
    row = {"question": Q, "solution": "  4 =  4 \n\nQ: Next?\nA: 5"}
    sample = only(replay(row))
    assert (sample.text, sample.stop) == ("  4 =  4 ", Stop.STOPPED)
    sample = only(replay(row, stop=()))
    assert (sample.text, sample.stop) == ("  4 =  4 \n\nQ: Next?\nA: 5", Stop.END)


def test_the_callers_stop_strings_hold_too(replay):
    (got,) = replay({"question": Q, "solution": "one END two"}).sample([ask(Q)], Sampling(stop=("END",)))
    assert (got.sample.text, got.sample.stop) == ("one ", Stop.STOPPED)


def test_columns_may_be_named(replay):
    row = {"frage": Q, "spur": {"text": "2 + 2 = 4."}, "erg": 4}
    assert only(replay(row, question="frage", text="spur.text")).text == "2 + 2 = 4."
    assert only(replay(row, question="frage", text="spur.text", answer="erg")).text == T


def test_an_answer_that_the_text_gives_is_not_given_twice(replay):
    for said in ("so \\boxed{4}", "#### 4", "The answer is 4."):
        row = {"question": Q, "solution": said, "answer": "4"}
        assert only(replay(row, text="solution", answer="answer")).text == said


def test_a_gold_answer_is_never_put_into_the_teachers_mouth(replay):
    row = {"question": Q, "rationale": "2 + 2 = 5.", "answer": "4", "is_correct": False}
    assert only(replay(row)).text == "2 + 2 = 5."


def test_reasoning_in_a_field_of_its_own_is_the_thought(replay):
    said = [{"role": "user", "content": Q}, {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"}]
    sample = only(replay({"messages": said}))
    assert (sample.text, sample.thought) == ("4", "2 + 2")


def test_a_long_answer_is_the_reply_and_its_rationale_the_thought(replay):
    sample = only(replay({"question": Q, "rationale": "Let me see.", "answer": "Four. " * 50}))
    assert (sample.text, sample.thought) == ("Four. " * 50, "Let me see.")


def test_rows_of_no_use_are_passed_over(replay):
    assert texts(replay({"question": Q}, {"solution": T}, {"question": "", "solution": "x"}, LAYOUTS[0]), Q, n=4) == [
        (0, 0, T)
    ]


def test_a_file_without_traces_says_what_to_set(replay):
    with pytest.raises(SourceError, match=r"Columns: frage\. Set teacher\.question and teacher\.text"):
        only(replay({"frage": Q}))


def test_a_missing_file_is_found_out_at_once():
    with pytest.raises(SourceError, match=r"nowhere\.jsonl: there is no such file or folder\. Check teacher\.path"):
        Replay("nowhere.jsonl")


# --- the real thing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["svamp_test", "cqa_test"])
def test_palms_traces_are_cut_where_it_ran_on(name):
    path = DSS / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip("no copy of Distilling Step-by-Step beside the repository")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    got = list(Replay(str(path)).sample([ask(row["question"]) for row in rows], Sampling(n=1)))
    assert len(got) == len(rows)
    for sampled in got:
        raw = rows[sampled.prompt]["meta"]["raw_output"]
        assert raw.startswith(sampled.sample.text)
        assert "\n\nQ:" not in sampled.sample.text
        assert (sampled.sample.stop is Stop.STOPPED) == ("\n\nQ:" in raw)


def test_palms_rationale_and_label_make_its_raw_text_again():
    path = DSS / "svamp_test.jsonl"
    if not path.is_file():
        pytest.skip("no copy of Distilling Step-by-Step beside the repository")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    engine = Replay(str(path), text="rationale", answer="meta.teacher_label")
    same = sum(
        rows[s.prompt]["meta"]["raw_output"].startswith(s.sample.text)
        for s in engine.sample([ask(row["question"]) for row in rows], Sampling())
    )
    assert same >= 0.9 * len(rows)
