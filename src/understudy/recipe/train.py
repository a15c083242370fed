"""How a training step runs, and fine-tuning."""

from enum import StrEnum

from understudy.recipe.part import Amount, Count, Part, Share


class Adapter(StrEnum):
    """How a student is fine-tuned."""

    FULL = "full"
    LORA = "lora"


class Optimizer(StrEnum):
    """Who takes the steps."""

    ADAMW = "adamw"
    MUON = "muon"
    """torch.optim.Muon on matrices, AdamW on the rest."""


class Train(Part, frozen=True, kw_only=True):
    """How a training step runs."""

    steps: Count | None = None
    """Optimizer steps; None = `epochs`."""
    epochs: Amount = 3.0
    learned_tokens_of: str | None = None
    """Name of an arm: train until as many tokens are learned as there (instead of `steps`)."""
    batch: Count = 16
    """Conversations per optimizer step."""
    accumulate: Count = 1
    """Forward passes that one optimizer step is spread over."""
    lr: float | tuple[float, ...] = 1e-3
    """Peak learning rate of AdamW (Muon's is `muon_lr_ratio` times it); of several, the one best on dev is kept."""
    muon_lr_ratio: Amount = 10.0
    optimizer: Optimizer = Optimizer.ADAMW
    warmup: Share = 0.05
    """Share of the steps in which the learning rate rises."""
    decay: Share = 0.4
    """Share of the steps, at the end, in which it falls to zero (warm-up, stable, decay)."""
    weight_decay: Amount = 0.01
    max_length: Count = 512
    """Tokens; longer conversations are counted and left out, never cut."""
    activation_checkpointing: bool = False
    """Reckon the activations anew in the backward pass: less memory, a third more time."""
    save_every: Count = 100
    """Steps between checkpoints; after a crash at most so many are done again."""
    log_every: Count = 20


class Sft(Train, frozen=True, kw_only=True):
    """Fine-tuning on the mix."""

    skip: bool = False
    """True = the arm is the base itself."""
    adapter: Adapter = Adapter.FULL
    rank: Count = 32
    """LoRA rank."""
    alpha: Count = 32
    dropout: Share = 0.0
    search_share: Share = 1.0
    """Share of the steps that each learning rate of several gets before the best goes all the way; 1 = all of them."""
