"""Thought and reply, with every way in which models misplace a mark."""

import pytest

from understudy.answers import Damage, split

IN_ORDER = [  # text, thought, reply
    ("Just 4.", None, "Just 4."),
    ("<think>2 + 2</think>4", "2 + 2", "4"),
    ("<think></think>\n\nHello!", "", "Hello!"),
    ("Well: <think>2 + 2</think> 4", "2 + 2", "Well:\n4"),
    ("<THINK>a</THINK>b", "a", "b"),
    ("< think >a", None, "< think >a"),
    ("<think >a</think >b", "a", "b"),
    ("<thinking>a</thinking>b", "a", "b"),
    ("<reasoning>a</reasoning>b", "a", "b"),
    ("<thought>a</thought>b", "a", "b"),
    ("[THINK]a[/THINK]b", "a", "b"),
    ("\u25c1think\u25b7a\u25c1/think\u25b7b", "a", "b"),
    ("<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>", "a", "b"),
    ("<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>b<|end_of_solution|>", "a", "b"),
    ("<|im_start|>think\na\n<|im_start|>answer\nb<|im_end|>", "a", "b"),
    ("<|im_start|>assistant\n<think>a</think>b<|im_end|>", "a", "b"),
    ("<think>a</think><answer>b</answer>", "a", "<answer>b</answer>"),
    ("Write `<think>` first.", None, "Write `<think>` first."),
    ("a < b, [x], <b>bold</b>", None, "a < b, [x], <b>bold</b>"),
    ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>", "a", "b"),
    ("<|start|>assistant<|channel|>analysis<|message|>a<|channel|>final<|message|>b", "a", "b"),
    ("<|channel|>analysis<|message|>a<|end|><|channel|>commentary to=f<|message|>c<|end|>"
     "<|channel|>final<|message|>b", "a\nc", "b"),
    ("<|channel|>final<|message|>b<|return|>", None, "b"),
    ("analysisWe add.assistantfinalb", "We add.", "b"),
    ("analysis of the sum: 4", None, "analysis of the sum: 4"),
    ("4<|im_end|>\nuser: more", None, "4"),
    ("4<|im_end|>\n<|im_start|>user\nAnd <think>", None, "4"),
    ("4<end_of_turn>\n<start_of_turn>user\n5", None, "4"),
    ("<start_of_turn>model\n4<end_of_turn>", None, "4"),
    ("4<|eot_id|>5", None, "4"),
    ("4</s>", None, "4"),
    ("4<\uff5cend\u2581of\u2581sentence\uff5c>", None, "4"),
    ("\x1b[1m\x1b[31m4\x1b[0m", None, "4"),
    ("\x1b]8;;http://a.b\x07four\x1b]8;;\x07", None, "four"),
    ("7\u200b1\ufeff", None, "71"),
]  # fmt: skip

DAMAGED = [  # text, thought, reply, damage
    ("<think>2 + 2", "2 + 2", "", Damage.UNCLOSED),
    ("Well, <think>2 + 2", "2 + 2", "Well,", Damage.UNCLOSED),
    ("<think>a</think>b<think>c", "a\nc", "b", Damage.UNCLOSED),
    ("<think>a<|im_end|>", "a<|im_end|>", "", Damage.UNCLOSED),
    ("<think>a <answer>b</answer>", "a <answer>b</answer>", "", Damage.UNCLOSED),
    ("<|channel|>analysis<|message|>a", "a", "", Damage.UNCLOSED),
    ("2 + 2</think>4", "2 + 2", "4", Damage.UNOPENED),
    ("<think>a</think>b<think>c</think>d", "a\nc", "b\nd", Damage.REPEATED),
    ("<think>a<think>b</think>c</think>d", "a\nb\nc", "d", Damage.NESTED),
    ("<think>a<think>b</think>d", "a\nb", "d", Damage.NESTED),
    ("<think>a</think>b</think>", "a", "b", Damage.STRAY_CLOSE),
    ("<think>a</think>b</think>c", "a\nb", "c", Damage.STRAY_CLOSE),
    ("<think>a</think><answer>b", "a", "<answer>b", Damage.OPEN_ANSWER),
    ("</think>", "", "", Damage.UNOPENED),
]


@pytest.mark.parametrize(("text", "thought", "reply"), IN_ORDER)
def test_thought_and_reply_come_apart(text, thought, reply):
    assert split(text) == (thought, reply, False, None)


@pytest.mark.parametrize(("text", "thought", "reply", "damage"), DAMAGED)
def test_what_is_out_of_order_is_named(text, thought, reply, damage):
    assert split(text) == (thought, reply, damage is Damage.UNCLOSED, damage)


def test_every_damage_has_a_case():
    assert {damage for *_, damage in DAMAGED} == set(Damage)


def test_the_servers_field_is_the_thought():
    assert split("4", thought="2 + 2")[:2] == ("2 + 2", "4")
    assert split("4", thought="")[:2] == ("", "4")
    assert split("<think>b</think>4", thought="a")[:2] == ("a\nb", "4")
