"""Answering, judging and telling."""

from typing import Annotated

import msgspec

from understudy.recipe.part import Amount, Count, Part, Share


class Solve(Part, frozen=True, kw_only=True):
    """Letting the student answer the test problems."""

    greedy: bool = True
    samples: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Samples per problem, drawn once, for `sample` and `vote`; 0 = none."""
    sample_limit: Count | None = None
    """Test problems of each slice that samples are drawn for; None = all."""
    temperature: Amount = 1.0
    top_p: Share = 1.0
    max_tokens: Count = 512
    batch: Count = 64
    """Prompts per batch; part of what makes a run the same bytes again."""
    limit: Count | None = None
    """First so many test problems of each suite; None = all."""


class Evaluate(Part, frozen=True, kw_only=True):
    """Judging and summing up."""

    compare: tuple[tuple[str, str], ...] = ()
    """Pairs of arms whose difference is reported, first minus second."""
    by: tuple[str, ...] = ()
    """Slices that get a row of their own."""


class Report(Part, frozen=True, kw_only=True):
    """The page."""

    title: str | None = None
    examples: int = 3
    """Examples of each drop reason."""
