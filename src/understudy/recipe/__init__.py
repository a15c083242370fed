"""Everything that can be turned: `parts`, and how a recipe file becomes them: `loading`.

A recipe holds only what differs from the defaults.
"""

from understudy.recipe.loading import REQUIRED, arms, build, digest, find, load, package_recipes, schema
from understudy.recipe.parts import (
    ARM_PARTS,
    Adapter,
    Amount,
    Ask,
    Build,
    Corrupt,
    Corruption,
    Count,
    Counts,
    Curate,
    Evaluate,
    Generate,
    KeepWrong,
    Layout,
    Mix,
    MixSource,
    Optimizer,
    Part,
    Prefer,
    Prefill,
    Pretrain,
    Price,
    Recipe,
    Report,
    Scope,
    Select,
    Sft,
    Share,
    Solve,
    Source,
    Spending,
    StudentPart,
    Style,
    Teacher,
    Train,
)

__all__ = [
    "ARM_PARTS", "Adapter", "Amount", "Ask", "Build", "Corrupt", "Corruption", "Count", "Counts", "Curate",
    "Evaluate", "Generate", "KeepWrong", "Layout", "Mix", "MixSource", "Optimizer", "Part", "Prefer", "Prefill",
    "Pretrain", "Price", "REQUIRED", "Recipe", "Report", "Scope", "Select", "Sft", "Share", "Solve", "Source",
    "Spending", "StudentPart", "Style", "Teacher", "Train", "arms", "build", "digest", "find", "load",
    "package_recipes", "schema",
]  # fmt: skip
