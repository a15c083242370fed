"""On-policy distillation: the student writes, and is pulled to what a teacher would have written in its place."""

from typing import Annotated

import msgspec

from understudy.recipe.mix import MixSource
from understudy.recipe.part import Amount, Count, Part, Share
from understudy.recipe.train import FULL_LR, LORA_LR_RATIO, Adapter, Optimizer


class Tutor(Part, frozen=True, kw_only=True):
    """Whose distribution the student is pulled to. With nothing said the base, as it was before fine-tuning.

    It must have the student's own tokenizer. A larger one built here has it where its recipe differs in nothing but
    `student.build` and what comes after base training: the tokenizer is made from the sources, not from the shape.
    """

    model: str | None = None
    """Hub id or folder, also that of another run: runs/larger/arms/student/model."""
    arm: str | None = None
    """Name of an arm that stands before this one: its student, as it ends."""


class OnPolicy(Part, frozen=True, kw_only=True):
    """On-policy distillation after fine-tuning and reinforcement (GKD: 2306.13649).

    The student answers, and at each token of its reply its whole distribution is pulled to the teacher's. What a
    default is taken from stands in brackets; where nothing does, it is our own choice.
    """

    teacher: Tutor = Tutor()
    beta: Share = 1.0
    """The divergence: 0 = forward KL(teacher, student), 1 = reverse KL(student, teacher), between them the generalised
    Jensen-Shannon divergence of the mixture beta x teacher + (1 - beta) x student (TRL's convention; TRL: 1, GKD: 0.5).
    """
    sampled: Share = 1.0
    """Share of the rows that the student writes itself (GKD's lambda); the rest is the arm's mix, as it stands."""
    sources: tuple[MixSource, ...] = ()
    """Conversations whose last reply the student writes, each with its share of these rows; the rest of them are train
    problems. Together 1 = conversation alone, as to mend what narrow training has made it forget.
    """
    anchor: Share = 0.0
    """Share of the rows that the student writes which are train problems and pull it to itself as it came, not to the
    teacher: what it has learned stays while the teacher mends the rest. A third model is held in memory.
    """
    steps: Count = 100
    """Optimizer steps (forgetting is mended within about 100)."""
    learned_tokens_of: str | None = None
    """Name of an arm: go on until fine-tuning and this together have learned from as many tokens as fine-tuning has
    there (instead of `steps`).
    """
    prompts: Count = 16
    """Rows of a step: one reply each."""
    accumulate: Count = 1
    """Forward passes that one step is spread over."""
    batch: Count = 64
    """Replies sampled side by side; part of what makes a run the same bytes again."""
    lr: float | None = None
    """Peak learning rate of AdamW (Muon's is `muon_lr_ratio` times it); None = 1e-3, for LoRA ten times that.

    For a million parameters (2.5e-5 to 1e-4 in published work; TRL: 1e-6).
    """
    optimizer: Optimizer = Optimizer.ADAMW
    muon_lr_ratio: Amount = 10.0
    weight_decay: Amount = 0.0
    warmup: Share = 0.05
    """Share of the run in which the learning rate rises, from a tenth of its peak on."""
    decay: Share = 0.4
    """Share of the run, at its end, in which it falls to zero; 0 = constant."""
    temperature: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Of sampling, and of both distributions that are compared (TRL: 1)."""
    max_tokens: Count = 512
    """Longest reply; longer rows of the mix are counted and left out (TRL: 512)."""
    adapter: Adapter = Adapter.FULL
    """full or lora, whose adapter is merged into the student in the end."""
    rank: Count = 32
    """LoRA rank."""
    alpha: Count = 32
    stop_growth: Annotated[float, msgspec.Meta(gt=1)] = 2.0
    """It stops, and keeps the last checkpoint, where replies are more than so many times as long as at the first point
    of the curve, or where so many times as many of them, and more than half, are cut off.
    """
    save_every: Count = 25
    """Steps between checkpoints; after a crash at most so many are done again."""
    log_every: Count = 10
    """Steps between points of the curve."""

    @property
    def rate(self) -> float:
        """The peak learning rate."""
        if self.lr is not None:
            return self.lr
        return FULL_LR if self.adapter is Adapter.FULL else FULL_LR * LORA_LR_RATIO
