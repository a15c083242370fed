"""What training runs on."""

from enum import StrEnum

from understudy.recipe.part import Amount, Count, Part


class Strategy(StrEnum):
    """How several processes train one model."""

    DDP = "ddp"
    """Every process holds the whole model and learns a part of each batch. 18 bytes a parameter on every device."""
    FSDP2 = "fsdp2"
    """Weights, gradients and optimizer are spread over the processes too (torch's `fully_shard`)."""


class Compute(Part, frozen=True, kw_only=True):
    """What every training step runs on. Decides nothing of what is learned but the order of floating-point sums."""

    processes: Count = 1
    """Training processes, of all machines together: one for each GPU. More than 1 = under `accelerate launch`."""
    machines: Count = 1
    """Machines that share the run folder, each with its part of the processes."""
    address: str | None = None
    """With several machines: host:port of the first, where the others meet it."""
    strategy: Strategy = Strategy.DDP
    peak_tflops: Amount | None = None
    """Dense bf16 peak of one device, 1e12 operations a second, which MFU is a share of (B200 2250, H200 989, A100 312).
    None = measured by a matrix product before the first step."""
    attention: str | None = None
    """Base training: Transformers' name of the attention (sdpa, flash_attention_2, …); None = its own choice."""
