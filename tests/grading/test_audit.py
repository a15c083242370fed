"""Doubtful gold answers come up, a person decides, and what they say is kept beside the data and followed."""

import csv
import json

import pytest
from typer.testing import CliRunner

from understudy.answers import symbolic
from understudy.cli import app
from understudy.errors import SourceError
from understudy.grading.audit import Doubt, Reason, doubts, filled, of_files, of_run, write
from understudy.grading.rows import Settings
from understudy.records import Correction, Kind, Problem, Sample, Trace, Verdict


def call(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments], prog_name="understudy")


def rows(replies, question="How many?", gold="5", **more):
    return [{"question": question, "gold": gold, "text": text, **more} for text in replies]


@pytest.fixture
def doubtful(tmp_path):
    """What is in doubt of some rows."""

    def found(*given, agreement=0.6, least=2, second=False) -> list[Doubt]:
        path = tmp_path / "replies.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in given))
        return list(doubts(of_files([str(path)], Settings()), agreement, least, second))

    return found


AGREEING = [  # replies, gold, who is in doubt
    (["It is 7.", "It is 7.", "It is 5."], "5", ("7", "2 of 3")),
    (["It is 7.", "So $7.00."], "5", ("7", "2 of 2")),
    (["It is 7.", "It is 8."], "5", None),
    (["It is 7."], "5", None),
    (["It is 5.", "It is 5.", "It is 7."], "5", None),
    (["It is 7.", "It is 7.", "Hm.", "Hm."], "5", None),
    (["<think>It is 7.", "<think>It is 7."], "5", None),
    (["It is 7.", "It is 7."], None, None),
]


@pytest.mark.parametrize(("replies", "gold", "doubt"), AGREEING)
def test_a_gold_answer_is_in_doubt_where_most_replies_agree_on_another(replies, gold, doubt, doubtful):
    found = doubtful(*rows(replies, gold=gold))
    assert [(d.answer, d.votes) for d in found] == ([doubt] if doubt else [])


def test_the_surest_come_first_and_the_same_question_spelled_otherwise_is_the_same(doubtful):
    one = rows(["It is 7.", "It is 7.", "It is 7."], "One?", model="a")
    two = [*rows(["It is 7."], "Two?", model="a"), *rows(["It is 7."], " two? ", model="b")]
    found = doubtful(*one, *two)
    assert [(d.question, d.who, d.votes) for d in found] == [("Two?", "a, b", "2 of 2"), ("One?", "a", "3 of 3")]


@pytest.mark.skipif(not symbolic.available(), reason="the extra `math` is not installed")
def test_where_graders_differ_is_shown(doubtful):
    (found,) = doubtful(*rows(["So it takes 5 hours to walk the 9 miles.", "It is 5.", "It is 6."]), second=True)
    assert (found.doubt, found.ours, found.math_verify) == (Reason.GRADERS, Verdict.RIGHT, Verdict.WRONG)


def test_rows_without_a_question_cannot_be_compared(doubtful):
    with pytest.raises(SourceError, match="Give each row a column question"):
        doubtful({"text": "7", "gold": "5"})


def test_the_traces_of_a_run_are_looked_at(keep, tiny):
    problem = Problem(id="p/train/0", question="How many?", answer="5", source="p", split="train")
    sampled = [Trace(id=f"p/train/0#{n}", problem="p/train/0", teacher="t", prompt_hash="", sampling_hash="",
                     sample=Sample(text="It is 7.")) for n in range(2)]  # fmt: skip
    run = keep(tiny, tiny.parent / "r", problem, *sampled)
    (found,) = doubts(of_run(run), 0.6, 2, second=False)
    assert (found.gold, found.answer, found.who, found.where) == ("5", "7", "t", "p/train/0#0")
    shown = call("audit", "r", "-o", "table.csv", "--no-math-verify")
    assert shown.exit_code == 0 and "1 gold answers in doubt, Math-Verify was not asked." in shown.stderr


DOUBT = Doubt(doubt=Reason.GOLD, gold="5", answer="7", who="a", ours=Verdict.WRONG, question='How "many"?\nSay.',
              text="It is 7, so", where="x:1")  # fmt: skip


@pytest.mark.parametrize("name", ["table.csv", "table.jsonl"])
def test_a_table_that_was_filled_in_is_read_again(name, tmp_path):
    path = tmp_path / name
    write(path, [DOUBT, DOUBT])
    assert list(filled(path)) == []
    text = path.read_text()
    if name.endswith("csv"):
        header, *table = csv.reader(text.splitlines(keepends=True))
        assert header[0] == "correction" and len(table) == 2
        path.write_text(text.replace("\n,gold", "\n7,gold", 1).replace("\n,gold", "\n -,gold", 1))
    else:
        path.write_text(
            text.replace('"correction":""', '"correction":"7"', 1).replace('"correction":""', '"correction":" -"')
        )
    said = {"question": DOUBT.question, "was": "5"}
    assert list(filled(path)) == [Correction(answer="7", **said), Correction(answer=None, **said)]


def test_what_is_no_such_table_is_said(tmp_path):
    (tmp_path / "a.csv").write_text("correction,question\n7,How many?\n")
    with pytest.raises(SourceError, match="there is no column 'gold'"):
        list(filled(tmp_path / "a.csv"))


def test_a_correction_is_kept_beside_the_data_and_grade_follows_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    replies = "".join(json.dumps(row) + "\n" for row in rows(["It is 7.", "It is 7."]))
    (tmp_path / "replies.jsonl").write_text(replies)
    shown = call("audit", "replies.jsonl", "-o", "table.jsonl", "--no-math-verify")
    assert shown.exit_code == 0 and "2 of 2" in shown.stdout
    table = (tmp_path / "table.jsonl").read_text()
    (tmp_path / "table.jsonl").write_text(table.replace('"correction":""', '"correction":"7"'))
    for new in (1, 0):
        shown = call("audit", "replies.jsonl", "--apply", "table.jsonl")
        assert shown.stdout.startswith(f"{new} corrections added to replies.corrections.jsonl")
    assert (tmp_path / "replies.jsonl").read_text() == replies
    assert "wrong              2" in call("grade", "replies.jsonl", "--summary").stdout
    followed = call("grade", "replies.jsonl", "--summary", "--corrections", "replies.corrections.jsonl")
    assert "right              2" in followed.stdout


def test_kinds_other_than_numbers_and_maths_are_not_for_math_verify(doubtful, monkeypatch):
    monkeypatch.setattr("understudy.grading.audit.math_verify", lambda *_: pytest.fail("it was asked"))
    doubtful(*rows(["It is (B)."], gold="A", kind=Kind.CHOICE.value), second=True)
