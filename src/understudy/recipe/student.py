"""Which model is taught."""

from understudy.recipe.part import Count, Part


class Build(Part, frozen=True, kw_only=True):
    """The shape of a student made on the spot: Qwen3's architecture."""

    layers: Count = 4
    width: Count = 128
    heads: Count = 4
    kv_heads: Count = 4
    head_width: Count = 32
    ffn: Count = 384
    vocabulary: Count = 1000
    """Most tokens of the tokenizer that is trained for it."""
    context: Count = 512
    """Longest sequence, tokens."""


class StudentPart(Part, frozen=True, kw_only=True):
    """Which model is taught."""

    model: str | None = None
    """Hub id or local folder; None = built here by `build` and `pretrain`."""
    build: Build = Build()
