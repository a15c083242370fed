"""Everything that can be turned, one file for each part of a recipe, and how a file becomes them: `loading`.

A recipe holds only what differs from the defaults.
"""

from understudy.recipe.curate import Corrupt, Corruption, Curate, KeepWrong, Prefer, Scope, Select
from understudy.recipe.generate import Ask, Generate, Prefill, Price, Spending, Style, Teacher
from understudy.recipe.loading import REQUIRED, arms, build, digest, find, load, package_recipes, schema
from understudy.recipe.mix import Layout, Mix, MixSource
from understudy.recipe.part import Amount, Count, Part, Share
from understudy.recipe.pretrain import Pretrain
from understudy.recipe.solve import Evaluate, Report, Solve
from understudy.recipe.source import Counts, Source
from understudy.recipe.student import Build, StudentPart
from understudy.recipe.train import Adapter, Optimizer, Sft, Train
from understudy.recipe.whole import ARM_PARTS, Recipe

__all__ = [
    "ARM_PARTS", "Adapter", "Amount", "Ask", "Build", "Corrupt", "Corruption", "Count", "Counts", "Curate",
    "Evaluate", "Generate", "KeepWrong", "Layout", "Mix", "MixSource", "Optimizer", "Part", "Prefer", "Prefill",
    "Pretrain", "Price", "REQUIRED", "Recipe", "Report", "Scope", "Select", "Sft", "Share", "Solve", "Source",
    "Spending", "StudentPart", "Style", "Teacher", "Train", "arms", "build", "digest", "find", "load",
    "package_recipes", "schema",
]  # fmt: skip
