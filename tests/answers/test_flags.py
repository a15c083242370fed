"""Flags: each is raised by its own case, and by none of the plain replies."""

import pytest

from understudy.answers import flags as flags_of
from understudy.answers.flags import FLAGS
from understudy.records import Kind, Stop

PLAIN = "<think>6 * 4 = 24, and 24 + 3 = 27.</think>The answer is \\boxed{27}."
CASES = [  # flag, text, kind
    ("slip", "<think>6 * 4 = 25</think>\\boxed{25}", Kind.NUMBER),
    ("mismatch", "<think>So \\boxed{2}.</think>Sally is 5 years old.", Kind.NUMBER),
    ("unclosed_thought", "<think>6 * 4 = 24", Kind.NUMBER),
    ("several_boxes", "<think>a</think>\\boxed{2}, again \\boxed{2}", Kind.NUMBER),
    ("rederives", "<think>6 * 4 = 24</think>6 * 4 = 24 and 24 + 1 = 25, so \\boxed{25}", Kind.NUMBER),
    ("repeats", "<think>a</think>" + "Germany is larger.\n" * 4, Kind.OPEN),
    ("repeats", "<think>" + "so we add three and then " * 12 + "</think>3", Kind.NUMBER),
    ("repeats", "<think>We add 4. So it is 9. So it is 9. So it is 9. So it is 9.</think>9", Kind.NUMBER),
    ("other_script", "<think>\u6211\u4eec\u5148\u7b97</think>\\boxed{2}", Kind.NUMBER),
    ("no_reasoning", "The answer is 27.", Kind.NUMBER),
    ("box_on_chat", "Hello! \\boxed{2}", Kind.OPEN),
    ("think_on_chat", "<think>A greeting.</think>Hello!", Kind.OPEN),
    ("two_answers", "<think>a</think>\\boxed{5} or \\boxed{6}", Kind.NUMBER),
    ("two_answers", "<think>a</think>The answer is 5. Wait. The answer is 6.", Kind.NUMBER),
]


@pytest.mark.parametrize(("flag", "text", "kind"), CASES)
def test_each_flag_is_raised_by_its_own_case(flag, text, kind):
    assert flag in flags_of(text, "How old is Sally?", kind)


def test_every_flag_has_a_case():
    assert {flag for flag, _, _ in CASES} == set(FLAGS)


def test_a_plain_reply_raises_none():
    assert flags_of(PLAIN, "What is 6 * 4 + 3?") == ()
    assert flags_of("Hello! How are you?", "Hi", Kind.OPEN) == ()
    assert flags_of("<think></think>Hello!", "Hi", Kind.OPEN) == ()


def test_a_sentence_said_three_times_in_a_row_is_no_circle_yet():
    assert "repeats" not in flags_of("<think>So it is 9. So it is 9. So it is 9. I am sure.</think>9", "How old?")


def test_a_failed_call_shows_no_behaviour():
    assert flags_of("", "What?", stop=Stop.ERROR) == ()


def test_the_servers_thought_is_looked_at_too():
    assert "slip" in flags_of("\\boxed{25}", "What is 6 * 4?", thought="6 * 4 = 25")
