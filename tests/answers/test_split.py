"""Thought and reply, with every way in which models misplace a tag."""

import pytest

from understudy.answers import split

CASES = [  # text, thought, reply, unfinished
    ("Just 4.", None, "Just 4.", False),
    ("<think>2 + 2</think>4", "2 + 2", "4", False),
    ("2 + 2</think>4", "2 + 2", "4", False),
    ("<think></think>\n\nHello!", "", "Hello!", False),
    ("<think>2 + 2", "2 + 2", "", True),
    ("Well, <think>2 + 2", "2 + 2", "Well,", True),
    ("<think>a</think>b<think>c</think>d", "a\nc", "b\nd", False),
    ("<think>a</think>b<think>c", "a\nc", "b", True),
    ("<think>a<think>b</think>c</think>d", "a\nb\nc", "d", False),
    ("<think>a<think>b</think>d", "a\nb", "d", False),
    ("<think>a</think>b</think>", "a", "b", False),
    ("<THINK>a</THINK>b", "a", "b", False),
    ("<thinking>a</thinking>b", "a", "b", False),
    ("<reasoning>a</reasoning>b", "a", "b", False),
    ("[THINK]a[/THINK]b", "a", "b", False),
    ("<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>b<|end_of_solution|>", "a", "b", False),
    ("Write `<think>` first.", None, "Write `<think>` first.", False),
    ("4<|im_end|>\nuser: more", None, "4", False),
]


@pytest.mark.parametrize(("text", "thought", "reply", "unfinished"), CASES)
def test_thought_and_reply_come_apart(text, thought, reply, unfinished):
    assert split(text) == (thought, reply, unfinished)


def test_the_servers_field_is_the_thought():
    assert split("4", thought="2 + 2") == ("2 + 2", "4", False)
    assert split("4", thought="") == ("", "4", False)
    assert split("<think>b</think>4", thought="a") == ("a\nb", "4", False)
