"""Which model is taught."""

from enum import StrEnum

from understudy.recipe.part import Amount, Count, Part
from understudy.reckon import Form


class Shape(StrEnum):
    """Shapes of Qwen3's architecture by name, as published with its models."""

    DEMO = "demo"
    """A million parameters: 4 layers of width 128."""
    QWEN3_06B = "qwen3-0.6b"
    QWEN3_17B = "qwen3-1.7b"
    QWEN3_4B = "qwen3-4b"
    QWEN3_8B = "qwen3-8b"


FORMS = {
    Shape.DEMO: Form(4, 128, 4, 4, 32, 384, 1000, 512, True),
    Shape.QWEN3_06B: Form(28, 1024, 16, 8, 128, 3072, 151_936, 40_960, True),
    Shape.QWEN3_17B: Form(28, 2048, 16, 8, 128, 6144, 151_936, 40_960, True),
    Shape.QWEN3_4B: Form(36, 2560, 32, 8, 128, 9728, 151_936, 40_960, True),
    Shape.QWEN3_8B: Form(36, 4096, 32, 8, 128, 12_288, 151_936, 40_960, False),
}


class Build(Part, frozen=True, kw_only=True):
    """The shape of a student made on the spot: Qwen3's architecture, with its normed queries and keys."""

    shape: Shape = Shape.DEMO
    """What the settings below start from; each that is given takes its place."""
    layers: Count | None = None
    width: Count | None = None
    heads: Count | None = None
    kv_heads: Count | None = None
    """Heads of keys and values, each shared by `heads / kv_heads` heads of queries."""
    head_width: Count | None = None
    """Of one head; heads times this need not be `width` (qwen3-0.6b: 2048 and 1024)."""
    ffn: Count | None = None
    vocabulary: Count | None = None
    """Most tokens of the tokenizer that is trained for it; with `tokenizer`: rows of the embedding."""
    context: Count | None = None
    """Longest sequence, tokens."""
    tied: bool | None = None
    """Embedding and head are one matrix, as in Qwen3 up to 4B."""
    rope_theta: Amount = 10_000.0
    """Base of the rotary positions. Qwen3 trains 4,096 tokens with 1e4 and goes to 1e6 for 32,768."""
    tokenizer: str | None = None
    """Hub id or folder of a tokenizer with a chat template; None = one is trained on what the student is trained on."""

    @property
    def form(self) -> Form:
        """The shape in full."""
        given = {name: value for name in Form._fields if (value := getattr(self, name)) is not None}
        return FORMS[self.shape]._replace(**given)


class StudentPart(Part, frozen=True, kw_only=True):
    """Which model is taught."""

    model: str | None = None
    """Hub id or local folder; None = built here by `build` and `pretrain`."""
    build: Build = Build()
