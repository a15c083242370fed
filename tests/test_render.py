"""What is learned stands in brackets: of each layout one golden text, and what is refused."""

import re
from pathlib import Path

import msgspec
import pytest

from understudy import prompts
from understudy.errors import UnderstudyError
from understudy.recipe import Layout, Mix
from understudy.records import Example, Message, Problem, Split
from understudy.render import prompt_ids, render, rendered, show, text

GOLDEN = Path(__file__).parent / "golden"
QUESTION = Message(role="user", content="12 batches of 24, 3/4 sold: how many are left?")
THOUGHT, SOLUTION = "12*24=288 in all. 288*3/4=216 sold. 288-216=72.", "12 * 24 = 288, a quarter is 72."
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


def shown(layout: Layout) -> str:
    """What a trace teaches in a layout, the learned part in brackets."""
    problem = Problem(id="p", question=QUESTION.content, source="s", split=Split.TRAIN, rationale=SOLUTION)
    targets = prompts.targets(problem, THOUGHT, "72", Mix(layout=layout))
    turns = [(*t.before, assistant(prompts.written(t.pieces))) for t in targets]
    return "".join(show(render(one, (0, 1), Letters()), Letters()) for one in turns)


@pytest.mark.parametrize("layout", Layout)
def test_of_each_layout_the_learned_part_is_the_golden_one(layout):
    assert shown(layout) == (GOLDEN / f"{layout}.txt").read_text()


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


# --- weights of parts -------------------------------------------------------------------------------------------------


class Pairs(Letters):
    """Two characters a token, so that tokens lie in two parts."""

    def encode(self, text, *, add_special_tokens):
        letters = super().encode(text, add_special_tokens=False)
        pairs = []
        while letters:
            two = letters[:2] if len(letters) > 1 and letters[1] else letters[:1]
            pairs.append(two[0] + (two[1] << 21) if len(two) == 2 else two[0])
            letters = letters[len(two) :]
        return pairs

    def decode(self, ids):
        return super().decode([i for pair in ids for i in ((pair & 0x1FFFFF, pair >> 21) if pair >> 21 else (pair,))])


def weighed(tokenizer, reply: str, spans, weight: float = 1.0) -> list[tuple[str, float]]:
    row = render((QUESTION, assistant(reply)), (0, weight), tokenizer, spans)
    return [(tokenizer.decode([t]), w) for t, w in zip(row.ids, row.weights, strict=True) if w]


def test_each_character_of_a_part_has_the_factor_of_the_part_and_the_end_of_the_turn_has_none():
    assert weighed(Letters(), "abcd", ((1, 0.5), (3, 2.0)), 3) == [
        ("a", 1.5), ("b", 6), ("c", 6), ("d", 3), ("<end>", 3)
    ]  # fmt: skip


def test_a_token_in_two_parts_has_the_factor_of_its_first_character():
    assert weighed(Pairs(), "abcde", ((3, 2.0), (5, 4.0))) == [("ab", 2), ("cd", 2), ("e", 4), ("<end>", 1)]


def test_a_factor_of_nothing_takes_a_part_out_of_what_is_learned():
    row = render((QUESTION, assistant("abcd")), (0, 1), Letters(), ((2, 0.0), (4, 1.0)))
    assert show(row, Letters()).endswith("<assistant>ab⟦cd<end>⟧\n") and row.learned == 3


def test_an_empty_part_moves_no_other():
    assert weighed(Letters(), "ab", ((1, 2.0), (1, 9.0), (2, 3.0)))[:2] == [("a", 2), ("b", 3)]


def test_parts_are_those_of_the_last_turn():
    turns = (QUESTION, assistant("ab"), QUESTION, assistant("cd"))
    row = render(turns, (0, 1, 0, 1), Letters(), ((1, 5.0),))
    assert [w for w in row.weights if w] == [1, 1, 1, 5, 1, 1]


def test_an_example_without_parts_is_as_small_as_before_and_carries_its_group():
    one = Example(id="e", messages=(QUESTION, assistant("72")), weights=(0.0, 1.0), origin="teacher")
    assert {*msgspec.to_builtins(one)} == {"id", "messages", "weights", "origin"}
    assert rendered(one, Letters()) == render(one.messages, one.weights, Letters())
    assert rendered(msgspec.structs.replace(one, group="p"), Letters()).group == "p"
