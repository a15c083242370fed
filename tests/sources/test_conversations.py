"""Every layout of chat data becomes the same messages; what cannot be learned from is set aside."""

import json
from collections import Counter
from pathlib import Path

import pytest

from understudy.errors import SourceError
from understudy.records import Message, Rejected
from understudy.sources.conversations import SHAPES, conversations

DATA = Path(__file__).parents[3] / "shared" / "data"

HI = (Message(role="user", content="Hi"), Message(role="assistant", content="Hello!"))

LAYOUTS = [
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]},
    {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "model", "content": "Hello!"},
        ]
    },
    {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]},
    {"conversations": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]},
    {"prompt": "Hi", "completion": "Hello!"},
    {"prompt": [{"role": "user", "content": "Hi"}], "completion": [{"role": "assistant", "content": "Hello!"}]},
    {"instruction": "Hi", "input": "", "output": "Hello!"},
    {"instruction": "Hi", "response": "Hello!"},
    {"prompt": "Hi", "response": "Hello!"},
    {"question": "Hi", "answer": "Hello!"},
]


def read(tmp_path, *rows, limit=None):
    path = tmp_path / "chat.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return list(conversations(path, limit))


@pytest.mark.parametrize("row", LAYOUTS, ids=["+".join(row) for row in LAYOUTS])
def test_every_layout_is_the_same_conversation(tmp_path, row):
    assert read(tmp_path, row) == [HI]


def test_every_layout_has_a_case():
    assert all(any(set(shape.columns) <= set(row) for row in LAYOUTS) for shape in SHAPES)


def test_layouts_may_be_mixed(tmp_path):
    assert read(tmp_path, *LAYOUTS) == [HI] * len(LAYOUTS)


def test_alpacas_input_follows_its_instruction(tmp_path):
    ((asked, _),) = read(tmp_path, {"instruction": "Add.", "input": "2, 3", "output": "5"})
    assert asked.content == "Add.\n\n2, 3"


def test_a_system_column_is_the_first_message(tmp_path):
    (said,) = read(tmp_path, {"system": "Be brief.", **LAYOUTS[2]})
    assert [m.role for m in said] == ["system", "user", "assistant"]


USELESS = [
    ([], "not a list of turns"),
    ("Hi", "not a list of turns"),
    ([{"role": "user", "content": "Hi"}], "the last turn is the user's"),
    ([{"role": "assistant", "content": "Hi"}], "nobody asks"),
    ([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}], "turn 2 (assistant) is empty"),
    ([{"role": "tool", "content": "42"}], "the role 'tool' is none of"),
    (["Hi"], "a turn is not an object"),
]


@pytest.mark.parametrize(("turns", "why"), USELESS, ids=[why for _, why in USELESS])
def test_what_is_no_conversation_is_set_aside(tmp_path, turns, why):
    good, bad = read(tmp_path, LAYOUTS[0], {"messages": turns})
    assert good == HI
    assert isinstance(bad, Rejected)
    assert bad.line == 2 and why in bad.why


def test_a_row_without_the_columns_is_set_aside_and_a_file_without_them_refused(tmp_path):
    assert read(tmp_path, LAYOUTS[0], {"text": "x"})[1].why == "has the columns of no conversation"
    with pytest.raises(SourceError, match="Columns: text. Rename them to one of: messages; conversations; prompt"):
        read(tmp_path, {"text": "x"})


def test_the_limit_counts_rows(tmp_path):
    assert len(read(tmp_path, *LAYOUTS, limit=3)) == 3
    assert read(tmp_path, *LAYOUTS, limit=0) == []


def test_of_several_parts_only_train_is_learned(tmp_path):
    (tmp_path / "train.jsonl").write_text(json.dumps(LAYOUTS[0]))
    (tmp_path / "test.jsonl").write_text(json.dumps({"question": "Secret?", "answer": "Yes"}))
    assert list(conversations(tmp_path)) == [HI]


def test_alpaca_is_read_but_for_its_28_empty_replies():
    path = DATA / "alpaca" / "train.jsonl"
    if not path.is_file():
        pytest.skip("no copy of alpaca beside the repository")
    found = Counter(isinstance(said, Rejected) for said in conversations(path))
    assert found == {False: 51974, True: 28}


def test_reasoning_of_the_last_turn_stands_before_it_where_it_is_asked_for(tmp_path):
    said = [dict(role="user", content="Hi"), dict(role="assistant", content="Hello!", reasoning_content="A greeting.")]
    path = tmp_path / "chat.jsonl"
    path.write_text(json.dumps({"messages": [*said, *said]}))
    plain, thinking = (next(conversations(path, thoughts=thoughts)) for thoughts in (False, True))
    assert [m.content for m in plain] == ["Hi", "Hello!"] * 2
    assert [m.content for m in thinking] == ["Hi", "Hello!", "Hi", "<think>\nA greeting.\n</think>\n\nHello!"]
