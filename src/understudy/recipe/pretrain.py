"""Base training of a student built on the spot."""

from understudy.recipe.mix import MixSource
from understudy.recipe.part import Count
from understudy.recipe.train import Train


class Pretrain(Train, frozen=True, kw_only=True):
    """Base training of a student built here: questions with bare answers, and conversation."""

    sources: tuple[MixSource, ...] = ()
    """Conversations beside the bare answers, each with its share of the rows."""
    rows: Count | None = None
    """Conversations in all; None = as many as use every train problem once."""
