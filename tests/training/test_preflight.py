"""Preflight says what will be learned, and refuses what could not be, or is not what the student will be asked."""

import copy

import pytest

pytest.importorskip("trl")

from understudy import training  # noqa: E402
from understudy.errors import UnderstudyError  # noqa: E402
from understudy.records import Message  # noqa: E402


def turns(asked: str, said: str) -> tuple[Message, ...]:
    return Message(role="user", content=asked), Message(role="assistant", content=said)


@pytest.fixture
def like(tokenizer):
    """The tokenizer with another template."""

    def made(template: str):
        other = copy.deepcopy(tokenizer)
        other.chat_template = template
        return other

    return made


def test_what_is_too_long_is_counted_and_left_out_whole(tokenizer, example, examples):
    long = example(1, messages=turns("a b " * 80, "x"))
    ready = training.preflight([*examples[:5], long], tokenizer, 60)
    assert (len(ready.rows), ready.too_long, ready.cut_thoughts) == (5, 1, 0)
    assert all(len(r.ids) <= 60 for r in ready.rows) and "1 too long and left out" in training.told(ready, 1000)


THOUGHTS = [  # what is said, whether a cut at 60 tokens stops inside the thought
    ("<think>\n" + "3 + 4 = 7. " * 30 + "\n</think>\n\nSeven.", True),
    ("<think>\n3 + 4 = 7.\n</think>\n\n" + "Seven. " * 60, False),
    ("Seven. " * 60, False),
]


@pytest.mark.parametrize(("said", "inside"), THOUGHTS)
def test_those_that_would_be_cut_inside_a_thought_are_counted_apart(said, inside, tokenizer, example, examples):
    ready = training.preflight([*examples[:2], example(9, messages=turns("3 + 4?", said))], tokenizer, 60)
    assert (ready.too_long, ready.cut_thoughts) == (1, int(inside))
    assert f"{int(inside)} would have stopped in the middle of a thought" in training.told(ready, 1000)


def test_of_each_source_one_conversation_and_its_share_are_shown(tokenizer, example):
    ready = training.preflight(
        [example(1), example(2), example(3), example(4, origin="chat", messages=turns("Hi", "Hello!"))], tokenizer, 60
    )
    assert {name: s.rows for name, s in ready.sources.items()} == {"teacher": 3, "chat": 1}
    assert sum(s.learned for s in ready.sources.values()) == ready.learned
    assert sum(s.tokens for s in ready.sources.values()) == sum(len(r.ids) for r in ready.rows)
    said = training.told(ready, 1000)
    assert "⟦The answer is 2.<|im_end|>⟧" in said and "⟦Hello!<|im_end|>⟧" in said
    chat = ready.sources["chat"].learned / ready.learned
    assert f"chat: 25% of the conversations, {chat:.0%} of the learned tokens" in said


REFUSED = [
    (dict(n=1, weight=0.0), 128, "nothing of e1 is learned. Give one of its turns a weight."),
    (dict(n=1), 5, r"nothing to learn from \(1 conversations are longer than 5 tokens\). Raise max_length."),
    (None, 128, r"nothing to learn from \(0"),
    (dict(n=1, weight=-0.5), 128, "e1 has a loss weight that is negative or no number. Give weights of 0 or more."),
    (dict(n=1, weight=float("nan")), 128, "e1 has a loss weight that is negative or no number."),
]


@pytest.mark.parametrize(("change", "longest", "says"), REFUSED, ids=[says[:24] for _, _, says in REFUSED])
def test_what_could_not_be_learned_from_is_refused(change, longest, says, tokenizer, example):
    with pytest.raises(UnderstudyError, match=f"preflight: .*{says}"):
        training.preflight([example(**change)] if change else [], tokenizer, longest)


PLAIN = (
    "{%- for m in messages %}{{- m['role'] + ': ' + m['content'] + END }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- 'assistant: ' }}{%- endif %}"
)


def test_a_template_without_an_end_of_turn_is_refused(like, example):
    with pytest.raises(UnderstudyError, match="no end of turn is learned in e1, so the student would never stop"):
        training.preflight([example(1)], like(PLAIN.replace("END", "'\n'")), 128)


def test_a_template_that_ends_its_turns_is_not(like, example):
    assert training.preflight([example(1)], like(PLAIN.replace("END", "'<|im_end|>'")), 128).learned > 0


class Lossy:
    """A tokenizer that forgets capitals."""

    def __init__(self, inner) -> None:
        self.inner = inner
        self.eos_token_id = inner.eos_token_id

    def apply_chat_template(self, conversation, *, tokenize, add_generation_prompt):
        return self.inner.apply_chat_template(
            conversation, tokenize=tokenize, add_generation_prompt=add_generation_prompt
        )

    def encode(self, text, *, add_special_tokens):
        return self.inner.encode(text.lower(), add_special_tokens=add_special_tokens)

    def decode(self, ids):
        return self.inner.decode(ids)


def test_a_tokenizer_that_loses_text_is_refused(tokenizer, example):
    with pytest.raises(UnderstudyError, match="does not give back what the chat template writes: e1 has 'What"):
        training.preflight([example(1)], Lossy(tokenizer), 128)


def test_accents_may_be_composed(tokenizer, example):
    ready = training.preflight([example(1, messages=turns("Cafe\u0301?", "Caf\u00e9."))], tokenizer, 128)
    assert ready.learned > 0


class Greedy(Lossy):
    """A tokenizer that takes the end of a turn and the beginning of the next one together."""

    def encode(self, text, *, add_special_tokens):
        halves = text.split("\nuser")
        ids = [self.inner.encode(half, add_special_tokens=False) for half in halves]
        joint = self.inner.encode(" user", add_special_tokens=False)
        return [t for i, half in enumerate(ids) for t in ([*joint, *half] if i and halves[i - 1] else half)]


def test_a_prompt_that_is_asked_in_other_tokens_than_it_is_learned_in_is_refused(tokenizer, like, example):
    twice = (*turns("1 + 1?", "2"), *turns("2 + 2?", "4"))
    template = PLAIN.replace("END", "'<|im_end|>\n'")
    both = example(1, messages=twice, weights=(0.0, 1.0, 0.0, 1.0))
    assert training.preflight([both], like(template), 128).learned > 0
    with pytest.raises(UnderstudyError, match="the prompt of e1 falls into other tokens"):
        training.preflight([both], Greedy(like(template)), 128)
