"""A row is read by its columns' names, judged by the contract, and what cannot be judged says why."""

import pytest

from understudy.answers import Policy
from understudy.grading.names import STOPS, Grader
from understudy.grading.rows import Columns, Settings, Unusable, judged, read, signature
from understudy.records import Kind, Stop, Verdict


def asked(row, **settings):
    return read(row, Settings(**settings))


def said(row, **settings):
    return judged(asked(row, **settings), Settings(**settings))


NAMED = [
    ({"text": "a", "gold": "1"}, ("a", "1")),
    ({"reply": "a", "answer": 1}, ("a", "1")),
    ({"completion": "a", "given_answer": "2", "answer": "1"}, ("a", "2")),
    ({"text": "a", "gold": " "}, ("a", None)),
    ({"text": None, "response": "b"}, ("b", None)),
    ({"text": ""}, ("", None)),
    ({"text": 72, "gold": 72.0}, ("72", "72.0")),
]


@pytest.mark.parametrize(("row", "found"), NAMED)
def test_columns_are_found_by_their_usual_names(row, found):
    assert asked(row)[:2] == found


def test_columns_that_are_named_count_alone_and_dots_reach_inside():
    row = {"text": "a", "meta": {"reply": "b", "gold": 3}, "my.gold": 4}
    assert asked(row, columns=Columns(text="meta.reply", gold="meta.gold"))[:2] == ("b", "3")
    assert asked(row, columns=Columns(gold="my.gold")).gold == "4"
    with pytest.raises(Unusable, match="there is no text in reply"):
        asked(row, columns=Columns(text="reply"))


KINDS = [
    ({}, {}, Kind.NUMBER),
    ({"gold": "yes"}, {}, Kind.NUMBER),
    ({}, {"default_kind": Kind.CHOICE}, Kind.CHOICE),
    ({"kind": "math"}, {"default_kind": Kind.CHOICE}, Kind.MATH),
    ({"kind": "Bool"}, {}, Kind.BOOL),
    ({"kind": ""}, {}, Kind.NUMBER),
    ({"gold": "B", "choices": ["cat", "dog"]}, {}, Kind.CHOICE),
    ({"gold": "B", "choices": ["cat", "dog"]}, {"default_kind": Kind.TEXT}, Kind.TEXT),
    ({"kind": "math"}, {"kind": Kind.TEXT}, Kind.TEXT),
]


@pytest.mark.parametrize(("row", "settings", "kind"), KINDS)
def test_a_row_without_kind_is_a_number_unless_something_says_otherwise(row, settings, kind):
    assert asked({"text": "a", **row}, **settings).kind is kind


@pytest.mark.parametrize(("word", "stop"), [*STOPS.items(), ("length", Stop.LENGTH), ("", Stop.END), (None, Stop.END)])
def test_why_a_reply_ended_is_read_in_every_servers_word(word, stop):
    assert asked({"text": "a", "stop": word}).stop is stop


UNUSABLE = [
    ({"gold": "72"}, "there is no text in text or reply or response or completion or prediction. Its columns: gold"),
    ({}, "Its columns: none"),
    ({"text": ["72"]}, "text: a list is no text"),
    ({"text": "72", "gold": {"a": 1}}, "gold: a mapping is no text"),
    ({"text": "72", "kind": "nmber"}, "kind: 'nmber' is none of number, choice"),
    ({"text": "72", "stop": 1}, "stop: '1' is none of end"),
    ({"text": "72", "choices": 5}, "choices: give a list"),
]


@pytest.mark.parametrize(("row", "why"), UNUSABLE)
def test_what_cannot_be_judged_says_why(row, why):
    with pytest.raises(Unusable) as error:
        asked(row)
    assert why in str(error.value)


def test_everything_that_is_known_of_a_reply_comes_back():
    found = said({"text": "<think>6 * 7 = 41, so 41.</think>The answer is 42.", "gold": "42"})
    assert (found.verdict, found.answer, found.thought_answer, found.consistent) == (Verdict.RIGHT, "42", "41", False)
    assert found.rule == "phrase" and found.slips == ("6 * 7 = 41",) and {"slip", "mismatch"} <= set(found.flags)


def test_a_servers_own_thought_is_a_thought():
    found = said({"text": "It is 42.", "thought": "6 * 7 = 41. So it is 41.", "gold": "42"})
    assert (found.verdict, found.thought_answer, found.slips) == (Verdict.RIGHT, "41", ("6 * 7 = 41",))


def test_the_signature_changes_with_what_can_change_a_verdict():
    mine = signature(Settings())
    assert mine.startswith("understudy-") and mine == signature(Settings(columns=Columns(text="a")))
    assert mine != signature(Settings(policy=Policy(rounded=False)))
    assert signature(Settings(grader=Grader.LM_EVAL_STRICT)) == f"lm-eval-strict@{mine}"
