"""A corrected gold answer stands in place of what it corrects, and nowhere else."""

import pytest

from understudy import sources
from understudy.errors import SourceError
from understudy.recipe import Source
from understudy.records import Correction, Problem, Rejected
from understudy.sources import corrections
from understudy.sources.corrections import add, correction, load

ROWS = '{"question": "How many?", "answer": "5", "rationale": "2 + 3 = 5"}\n{"question": "How few?", "answer": "6"}\n'


@pytest.fixture
def read(tmp_path):
    """The problems of a file of two, with corrections."""

    def problems(*given: Correction):
        (tmp_path / "set.jsonl").write_text(ROWS)
        add(tmp_path / "fixed.jsonl", given)
        if not given:
            (tmp_path / "fixed.jsonl").write_text("")
        source = Source(path=str(tmp_path / "set.jsonl"), split="train", corrections=str(tmp_path / "fixed.jsonl"))
        return list(sources.load([source], 0))

    return problems


def wrong(**change) -> Correction:
    return Correction(**{"question": "How many?", "was": "5", "answer": "7"} | change)


def test_the_answer_is_corrected_and_the_rationale_that_led_elsewhere_left_out(read):
    first, second = read(wrong(question="  how MANY? "))
    assert (first.answer, first.rationale, first.extra["corrected_from"]) == ("7", None, "5")
    assert (second.answer, second.id) == ("6", "set/train/1")


@pytest.mark.parametrize("change", [{"was": "4"}, {"question": "How much?"}])
def test_what_is_not_corrected_stays(change, read):
    first, _ = read(wrong(**change))
    assert (first.answer, first.rationale) == ("5", "2 + 3 = 5")


@pytest.mark.parametrize(("answer", "why"), [(None, "no answer is right"), ("7 or 8", "is no number")])
def test_a_question_without_a_right_answer_is_set_aside(answer, why, read):
    first, second = read(wrong(answer=answer))
    assert isinstance(first, Rejected) and why in first.why and isinstance(second, Problem)


def test_of_two_the_later_counts_and_the_same_again_is_none(tmp_path):
    path = tmp_path / "fixed.jsonl"
    assert [add(path, [wrong()]), add(path, [wrong()]), add(path, [wrong(answer="8"), wrong(question="x")])] == [
        1,
        0,
        2,
    ]
    assert [one.answer for one in load(path).values()] == ["8", "7"]
    assert correction(load(path), "how many?", " 5") == wrong(answer="8")
    assert correction({}, "how many?", "5") is None


def test_a_file_that_holds_something_else_is_said(tmp_path):
    path = tmp_path / "fixed.jsonl"
    with pytest.raises(SourceError, match="there is no such file. Check sources.corrections"):
        corrections.load(path)
    path.write_text('{"question": "a"}')
    with pytest.raises(SourceError, match="fixed.jsonl:1: not a correction"):
        corrections.load(path)
