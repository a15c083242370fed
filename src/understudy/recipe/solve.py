"""Answering, judging and telling."""

from typing import Annotated

import msgspec

from understudy.recipe.part import Amount, Count, Part, Share
from understudy.stopping import Rule


class Solve(Part, frozen=True, kw_only=True):
    """Letting the student answer the test problems."""

    greedy: bool = True
    samples: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Samples per problem, drawn once, for `sample` and `vote`; 0 = none."""
    sample_limit: Count | None = None
    """Test problems of each slice that samples are drawn for; None = all."""
    stops: tuple[Rule, ...] = ()
    """Votes that end early, replayed on the samples that are drawn anyway: what each rule would save, and lose."""
    stop_risk: Share = 0.05
    """adaptive, bayes: chance that the leader is not the commonest answer (arXiv 2305.11860 uses 0.05)."""
    stop_window: Count = 5
    """window: samples in a row that agree (arXiv 2401.10480 uses 4 to 8)."""
    temperature: Amount = 1.0
    top_p: Share = 1.0
    max_tokens: Count = 512
    prefill: str = ""
    """What every reply to a problem begins with; conversation is left alone. It forces a mode: "<think>\\n" or
    "The answer is" of an adaptive student, "<think>\\n\\n</think>\\n\\n" of one that does both.
    """
    end_at: tuple[str, ...] = ()
    """Texts that end a reply before them: ["<why>"] spares an answer_first student its reason."""
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
