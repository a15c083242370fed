"""Everything that can be turned: `parts`, and how a recipe file becomes them: `loading`.

A recipe holds only what differs from the defaults.
"""

from understudy.recipe.loading import REQUIRED, arms, build, digest, find, load, package_recipes, schema
from understudy.recipe.parts import (
    ARM_PARTS,
    Adapter,
    Amount,
    Build,
    Count,
    Counts,
    Curate,
    Evaluate,
    Generate,
    Layout,
    Mix,
    MixSource,
    Optimizer,
    Part,
    Pretrain,
    Price,
    Recipe,
    Report,
    Sft,
    Share,
    Solve,
    Source,
    Spending,
    StudentPart,
    Teacher,
    Train,
)

__all__ = [
    "ARM_PARTS", "Adapter", "Amount", "Build", "Count", "Counts", "Curate", "Evaluate", "Generate", "Layout", "Mix",
    "MixSource", "Optimizer", "Part", "Pretrain", "Price", "REQUIRED", "Recipe", "Report", "Sft", "Share", "Solve",
    "Source", "Spending", "StudentPart", "Teacher", "Train", "arms", "build", "digest", "find", "load",
    "package_recipes", "schema",
]  # fmt: skip
