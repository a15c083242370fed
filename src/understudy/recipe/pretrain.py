"""Base training of a student built here: the demo's questions and answers, or plain text by the billion tokens."""

from enum import StrEnum
from typing import Annotated

import msgspec

from understudy.recipe.mix import MixSource
from understudy.recipe.part import Amount, Count, Part, Share
from understudy.recipe.train import Train

MADE_TEXTS = ("bare", "rationale", "small_talk", "sums")
"""Texts that are made here: problems with their answers, problems with their solutions, talk, arithmetic."""


class Text(Part, frozen=True, kw_only=True):
    """A source of text, read as a stream. One that comes to its end is read again, in another order."""

    name: str
    """bare, rationale, sums or small_talk (conversations made here), or a name for the text at `path`."""
    path: str | None = None
    """File or folder (.jsonl, .parquet, .txt; compressed too) or Hub id. Relative to the recipe."""
    column: str = "text"
    """Of a table."""
    config: str | None = None
    """Of a Hub data set."""
    split: str = "train"
    """Of a Hub data set."""
    limit: Count | None = None
    """First so many documents; None = all, and 10,000 of a text that is made here without end."""
    share: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Share of the tokens, as a part of the sum of all shares; in an anneal, of all its tokens."""


class Anneal(Part, frozen=True, kw_only=True):
    """The last steps, in which the rate falls: what is learned best is learned here (SmolLM2, arXiv 2502.02737)."""

    texts: tuple[Text, ...]
    """Each with its share of all tokens, 0 to 1; what they leave is drawn from the texts before, as before."""
    share: Share | None = None
    """Share of the steps, at the end; None = those in which the rate falls: `decay`."""


class Separate(StrEnum):
    """What keeps documents apart that stand in one sequence."""

    MASK = "mask"
    """None sees another: positions begin anew at each, and attention ends there (Llama 3, SmolLM3)."""
    EOS = "eos"
    """The end-of-text token between them alone (GPT-3)."""


class Pretrain(Train, frozen=True, kw_only=True):
    """Base training of a student built here.

    Without `texts`: questions with bare answers, and conversation. With them: plain text, packed into sequences.
    """

    sources: tuple[MixSource, ...] = ()
    """Without texts: conversations beside the bare answers, each with its share of the rows."""
    rows: Count | None = None
    """Without texts: conversations in all; None = as many as use every train problem once."""
    texts: tuple[Text, ...] = ()
    """Learned from as they stand, every token. `batch` counts sequences."""
    anneal: Anneal | None = None
    """Another mix of texts for the last steps."""
    tokens: Count | None = None
    """Of text, in all; None = `steps`."""
    length: Count = 4096
    """Tokens of a sequence. A document that does not fit goes on in the next one."""
    separate: Separate = Separate.MASK
    shuffle: Count = 1000
    """Documents of a text that are held and put in another order at a time, drawn with the seed; 1 = as they come."""
    tokenizer_texts: Count = 10_000
    """Documents of each text that the tokenizer is trained on, where none is given."""
    z_loss: Amount = 0.0
    """Weight of the squared log of the softmax's sum, which keeps logits small (PaLM: 1e-4); 0 = none."""

    @property
    def all_texts(self) -> tuple[Text, ...]:
        """Those of the anneal too, each once."""
        late = self.anneal.texts if self.anneal else ()
        return tuple({text.name: text for text in (*self.texts, *late)}.values())

    @property
    def late(self) -> float:
        """Share of the steps that draw from the anneal."""
        if self.anneal is None:
            return 0.0
        return self.decay if self.anneal.share is None else self.anneal.share

    @property
    def batches(self) -> int:
        """Optimizer steps on text."""
        return self.steps or max(1, (self.tokens or 0) // (self.batch * self.length))
