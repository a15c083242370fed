"""The choices of a grader: each is a field, and changes the verdict it is about."""

import pytest

from understudy.answers import Policy, judge
from understudy.records import Kind, Stop, Verdict

RIGHT, WRONG, NO_ANSWER, CUT_OFF = Verdict.RIGHT, Verdict.WRONG, Verdict.NO_ANSWER, Verdict.CUT_OFF
NUMBER, TEXT, END, LENGTH = Kind.NUMBER, Kind.TEXT, Stop.END, Stop.LENGTH

CHOICES = [  # field, reply, gold, kind, stop, verdict by default, verdict with the field changed
    ("percent_either_way", "\\boxed{60\\%}", "60", NUMBER, END, RIGHT, WRONG),
    ("rounded", "\\boxed{0.333}", "1/3", NUMBER, END, RIGHT, WRONG),
    ("undeclared", "She has 5 apples.", "5", NUMBER, END, RIGHT, NO_ANSWER),
    ("judge_cut_off", "\\boxed{5} and so on", "5", NUMBER, LENGTH, RIGHT, CUT_OFF),
    ("unclosed_is_cut_off", "<think>So \\boxed{5}, hm", "5", NUMBER, END, CUT_OFF, RIGHT),
    ("next_question_ends", "The answer is 5.\nQ: 3 + 3?\nThe answer is 6.", "5", NUMBER, END, RIGHT, WRONG),
    ("last_wins", "\\boxed{5}? No, \\boxed{6}", "5", NUMBER, END, WRONG, RIGHT),
    ("one_of_several", "The answer is 5 or 6.", "6", NUMBER, END, WRONG, RIGHT),
    ("refusals", "I don't know. There were 5 eggs.", "5", NUMBER, END, NO_ANSWER, RIGHT),
    ("arithmetic", "The answer is 8 - 3.", "5", NUMBER, END, RIGHT, WRONG),
    ("reduced", "The answer is 6:8.", "3:4", NUMBER, END, RIGHT, WRONG),
    ("whole_hours", "The answer is 5:00 pm.", "5", NUMBER, END, RIGHT, WRONG),
    ("cents_in_dollars", "The answer is 84 cents.", "0.84", NUMBER, END, WRONG, RIGHT),
    ("ignore_case", "The answer is rome.", "Rome", TEXT, END, RIGHT, WRONG),
    ("month_first", "The answer is 5 March 2024.", "05/03/2024", TEXT, END, WRONG, RIGHT),
]


@pytest.mark.parametrize(("field", "reply", "gold", "kind", "stop", "usual", "changed"), CHOICES)
def test_each_choice_can_be_changed(field, reply, gold, kind, stop, usual, changed):
    assert judge(reply, gold, kind, stop).verdict is usual
    policy = Policy(**{field: not getattr(Policy(), field)})
    assert judge(reply, gold, kind, stop, policy=policy).verdict is changed


def test_every_choice_has_a_case():
    assert {field for field, *_ in CHOICES} == set(Policy.__struct_fields__) - {"symbolic"}


def test_a_fraction_is_no_arithmetic_left_standing():
    assert judge("\\boxed{3/4}", "0.75", policy=Policy(arithmetic=False)).verdict is RIGHT
    assert judge("\\boxed{\\frac{3}{4}}", "0.75", policy=Policy(arithmetic=False)).verdict is RIGHT


def test_the_first_month_is_read_in_both():
    assert judge("05/03/2024", "05/03/2024", TEXT, policy=Policy(month_first=False)).verdict is RIGHT
    assert judge("13/05/2024", "May 13, 2024", TEXT).verdict is RIGHT
    assert judge("05/13/2024", "May 13, 2024", TEXT, policy=Policy(month_first=False)).verdict is RIGHT
