"""What a training run is about to learn, and the refusal of what could not be learned from."""

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from understudy.answers import split
from understudy.errors import UnderstudyError
from understudy.records import Example
from understudy.render import Rendered, Tokenizer, prompt_ids, rendered, show, text

CHECKED = 200
"""Examples of each source whose text is compared with what the template writes."""


class Learned(NamedTuple):
    """What is learned from one source."""

    rows: int
    tokens: int
    learned: int
    """Tokens the loss falls on."""
    sample: str
    """Its first conversation, the learned part in ⟦ ⟧."""


class Preflight(NamedTuple):
    """What a training run is about to learn."""

    rows: list[Rendered]
    too_long: int
    """Conversations longer than `max_length`, left out: one that is cut teaches to stop in the middle."""
    cut_thoughts: int
    """Those among them that would have been cut in the middle of a thought."""
    sources: dict[str, Learned]
    """By `Example.origin`, in the order of their first rows."""

    @property
    def learned(self) -> int:
        """Tokens the loss falls on, of all rows once."""
        return sum(r.learned for r in self.rows)


def preflight(examples: Iterable[Example], tokenizer: Tokenizer, max_length: int) -> Preflight:
    """The examples as ids and weights; refuses what could not be learned from.

    Raises:
        UnderstudyError: nothing is learned, no end of turn, or not what the student will be asked and will write.
    """
    rows, too_long, cut_thoughts = [], 0, 0
    sources: dict[str, Learned] = {}
    for example in examples:
        row = rendered(example, tokenizer)
        if len(row.ids) > max_length:
            too_long += 1
            cut_thoughts += _inside_thought(example, row, tokenizer, max_length)
            continue
        _check(example, row, tokenizer)
        before = sources.get(example.origin) or Learned(0, 0, 0, show(row, tokenizer))
        if before.rows < CHECKED:
            _check_round_trip(example, row, tokenizer)
        counts = before.rows + 1, before.tokens + len(row.ids), before.learned + row.learned
        sources[example.origin] = Learned(*counts, before.sample)
        rows.append(row)
    if not rows:
        raise UnderstudyError(
            f"preflight: there is nothing to learn from ({too_long} conversations are longer than {max_length} "
            "tokens). Raise max_length."
        )
    return Preflight(rows, too_long, cut_thoughts, sources)


def _inside_thought(example: Example, row: Rendered, tokenizer: Tokenizer, at: int) -> bool:
    """Whether a cut behind so many tokens would stop a learned turn in the middle of its thought."""
    learned = [i for i, m in enumerate(example.messages) if m.role == "assistant" and example.weights[i] > 0]
    begins = [n for i in learned if (n := len(prompt_ids(example.messages[:i], tokenizer))) < at]
    return bool(begins) and split(str(tokenizer.decode(row.ids[begins[-1] : at]))).unfinished


def _check(example: Example, row: Rendered, tokenizer: Tokenizer) -> None:
    if not all(0 <= w < float("inf") for w in row.weights):
        raise UnderstudyError(
            f"preflight: {example.id} has a loss weight that is negative or no number. Give weights of 0 or more."
        )
    if row.learned == 0:
        raise UnderstudyError(f"preflight: nothing of {example.id} is learned. Give one of its turns a weight.")
    if not any(w > 0 and t == tokenizer.eos_token_id for t, w in zip(row.ids, row.weights, strict=True)):
        raise UnderstudyError(
            f"preflight: no end of turn is learned in {example.id}, so the student would never stop: "
            f"{show(row, tokenizer)!r}. Use a chat template that ends each turn with the tokenizer's end token."
        )


def _check_round_trip(example: Example, row: Rendered, tokenizer: Tokenizer) -> None:
    """The ids say what the template writes, and begin as the student will be asked."""
    last = max(i for i, m in enumerate(example.messages) if m.role == "assistant" and example.weights[i] > 0)
    said, meant = str(tokenizer.decode(row.ids)), text(example.messages[: last + 1], tokenizer)
    if _composed(said) != _composed(meant):
        at = next((i for i, (a, b) in enumerate(zip(said, meant, strict=False)) if a != b), min(len(said), len(meant)))
        raise UnderstudyError(
            f"preflight: the tokenizer does not give back what the chat template writes: {example.id} has "
            f"{meant[at : at + 40]!r} where the tokens say {said[at : at + 40]!r}. Use a tokenizer without loss."
        )
    asked = prompt_ids(example.messages[:last], tokenizer)
    if row.ids[: len(asked)] != asked:
        raise UnderstudyError(
            f"preflight: the prompt of {example.id} falls into other tokens when it is learned than when it is asked. "
            "Use a chat template that begins and ends its turns with special tokens."
        )


def _composed(said: str) -> str:
    """Tokenizers such as Qwen's compose accents: é is one character or two."""
    return unicodedata.normalize("NFC", said)


def told(ready: Preflight, parameters: int) -> str:
    """What is about to be learned, for the user to check: of each source the share and one conversation."""
    tokens = sum(len(r.ids) for r in ready.rows)
    lines = [
        f"preflight: {len(ready.rows)} conversations, {tokens} tokens, {ready.learned / tokens:.0%} of them learned; "
        f"{ready.too_long} too long and left out{_cut(ready)}; {parameters / 1e6:.2f} M parameters. "
        "Learned is what stands in ⟦ ⟧:"
    ]
    for name, source in ready.sources.items():
        lines.append(
            f"{name}: {source.rows / len(ready.rows):.0%} of the conversations, "
            f"{source.learned / ready.learned:.0%} of the learned tokens\n{source.sample}"
        )
    return "\n".join(lines)


def _cut(ready: Preflight) -> str:
    if not ready.too_long:
        return ""
    return f" (cut there, {ready.cut_thoughts} would have stopped in the middle of a thought)"
