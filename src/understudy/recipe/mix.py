"""What the student learns from."""

from enum import StrEnum

from understudy.recipe.part import Count, Part, Share


class MixSource(Part, frozen=True, kw_only=True):
    """Another source of conversations beside the teacher's traces."""

    name: str
    """small_talk or sums (made here), rationale (the problems' own solutions), or a name for the file at `path`."""
    path: str | None = None
    """File of conversations, or Hub id. Relative to the recipe."""
    share: Share
    """Share of the rows, 0 to 1."""
    limit: Count | None = None
    """First so many rows are read."""
    of: tuple[str, ...] = ()
    """rationale: only the solutions of these sources; () = all."""


class Layout(StrEnum):
    """How a target is laid out."""

    THINK_FIRST = "think_first"
    ANSWER_FIRST = "answer_first"
    NONE = "none"
    """The answer alone."""
    GLUED = "glued"
    """The teacher's thought, then the problem's own solution: two hands in one target, for studies of that fault."""


class Mix(Part, frozen=True, kw_only=True):
    """What the student learns from."""

    layout: Layout = Layout.THINK_FIRST
    sources: tuple[MixSource, ...] = ()
    rows: Count | None = None
    """Conversations in the mix; None = as many as use every kept trace once."""
