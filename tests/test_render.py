"""What is learned stands in brackets: of each layout one golden text, and what is refused."""

import re
from pathlib import Path

import pytest

from understudy import prompts
from understudy.errors import UnderstudyError
from understudy.recipe import Layout
from understudy.records import Message
from understudy.render import prompt_ids, render, show, text

GOLDEN = Path(__file__).parent / "golden"
QUESTION = Message(role="user", content="12 batches of 24, 3/4 sold: how many are left?")
SYSTEM = Message(role="system", content="Be brief.")


class Letters:
    """One token per character, and one for the end of a turn, so that a mask can be read."""

    def __init__(self, end: str = "<end>", eos: bool = True, opening: str = "<assistant>") -> None:
        self.end, self.opening = end, opening
        self.eos_token_id = 0 if eos else None
        self.encoded: list[str] = []

    def apply_chat_template(self, conversation, *, tokenize, add_generation_prompt):
        turns = [f"<{turn['role']}>{turn['content']}{self.end}\n" for turn in conversation]
        return "".join(turns) + (self.opening if add_generation_prompt else "")

    def encode(self, text, *, add_special_tokens):
        self.encoded.append(text)
        return [0 if piece == "<end>" else ord(piece) for piece in re.findall("<end>|.", text, re.DOTALL)]

    def decode(self, ids):
        return "".join("<end>" if i == 0 else chr(i) for i in ids)


def assistant(content: str) -> Message:
    return Message(role="assistant", content=content)


@pytest.mark.parametrize("layout", Layout)
def test_of_each_layout_the_learned_part_is_the_golden_one(layout):
    reply = prompts.target("12*24=288. 288*3/4=216. 288-216=72.", "72", layout, "12 * 24 = 288, a quarter is 72.")
    shown = show(render((QUESTION, assistant(reply)), (0, 1), Letters()), Letters())
    assert shown == (GOLDEN / f"{layout}.txt").read_text()


def test_every_layout_has_a_golden_text():
    assert {p.stem for p in GOLDEN.glob("*.txt")} >= {*Layout}


def test_the_end_of_a_turn_is_learned_and_what_the_template_writes_after_it_is_not():
    shown = show(render((QUESTION, assistant("72")), (0, 1), Letters()), Letters())
    assert shown.endswith("<assistant>⟦72<end>⟧\n")


def test_of_several_turns_those_with_a_weight_are_learned():
    turns = (SYSTEM, QUESTION, assistant("one"), QUESTION, assistant("two"), QUESTION, assistant("three"))
    row = render(turns, (0, 0, 1, 0, 0, 0, 0.5), Letters())
    assert re.findall("⟦(.*?)⟧", show(row, Letters())) == ["one<end>", "three<end>"]
    assert [w for w in row.weights if w] == [1.0] * 4 + [0.5] * 6 and row.learned == 10
    assert Letters().decode(row.ids) == text(turns, Letters())


def test_an_end_within_a_reply_does_not_end_it():
    shown = show(render((QUESTION, assistant("a<end>b")), (0, 1), Letters()), Letters())
    assert shown.endswith("⟦a<end>b<end>⟧\n")


def test_a_users_turn_is_never_learned():
    row = render((QUESTION, assistant("72"), QUESTION), (1, 1, 1), Letters())
    assert re.findall("⟦(.*?)⟧", show(row, Letters())) == ["72<end>"]


def test_without_a_weight_nothing_is_learned_and_nothing_rendered():
    assert render((QUESTION, assistant("72")), (0, 0), Letters()).learned == 0


def test_what_is_learned_follows_exactly_what_will_be_asked():
    letters = Letters()
    row = render((SYSTEM, QUESTION, assistant("72")), (0, 0, 1), letters)
    asked = prompt_ids((SYSTEM, QUESTION), letters)
    assert row.ids[: len(asked)] == asked and not any(row.weights[: len(asked)])
    # Encoded apart, as it will be written: no token spans the end of the prompt and the beginning of the reply.
    assert letters.encoded[:2] == [text((SYSTEM, QUESTION), letters, ask=True), "72<end>"]


def test_a_prefill_is_part_of_the_prompt():
    assert Letters().decode(prompt_ids((QUESTION,), Letters(), "<think>")).endswith("<assistant><think>")


def test_a_template_whose_prompt_is_no_prefix_is_refused():
    with pytest.raises(UnderstudyError, match="whose generation prompt is a prefix of its turns"):
        render((QUESTION, assistant("72")), (0, 1), Letters(opening="<assistant><think>"))


def test_a_template_that_rewrites_earlier_turns_is_refused():
    class Forgetful(Letters):
        """As Qwen3's does: thoughts of earlier turns are taken out."""

        def apply_chat_template(self, conversation, **how):
            last = len(conversation) - 1
            kept = [
                t | {"content": t["content"] if i == last else t["content"][-2:]} for i, t in enumerate(conversation)
            ]
            return super().apply_chat_template(kept, **how)

    with pytest.raises(UnderstudyError, match="does not continue a conversation"):
        render((QUESTION, assistant("thought 72"), QUESTION, assistant("71")), (0, 1, 0, 1), Forgetful())


def test_without_an_end_token_the_whole_turn_is_learned():
    letters = Letters(eos=False)
    assert show(render((QUESTION, assistant("72")), (0, 1), letters), letters).endswith("⟦72<end>\n⟧")
