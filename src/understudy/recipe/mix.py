"""What the student learns from."""

from enum import StrEnum
from typing import Annotated

import msgspec

from understudy.recipe.part import Amount, Count, Part, Share


class Layout(StrEnum):
    """How a target is laid out. All but `glued` take thought and answer from one and the same trace."""

    THINK_FIRST = "think_first"
    """The thought between <think> and </think>, then the answer."""
    ANSWER_FIRST = "answer_first"
    """The answer, then its reason between <why> and </why>: the answer stands before the reason can mislead it, and
    `solve.end_at: ["<why>"]` spares writing it (post-thinking, arXiv 2404.09170).
    """
    ADAPTIVE = "adaptive"
    """Each trace twice, as think_first and as answer_first: how a reply opens decides its mode. A probe on the student
    picks the mode of each question (`Perceive`), or `solve.prefill` does.
    """
    NONE = "none"
    """The answer alone."""
    EMPTY_THINK = "empty_think"
    """An empty think block, then the answer: what students that do both write when they do not think (Qwen3)."""
    NO_TAGS = "no_tags"
    """The thought without tags, then the answer."""
    COARSE = "coarse"
    """think_first with fewer steps: every `coarse_steps`-th and the last."""
    OUTLINE = "outline"
    """think_first with the equations alone, one a line. Traces without equations are left out."""
    TWO_TASKS = "two_tasks"
    """Each trace twice: "predict: " before the question asks for the answer, "explain: " for the thought; a test asks
    to predict (Distilling Step-by-Step, arXiv 2305.02301).
    """
    GLUED = "glued"
    """The teacher's thought, then the problem's own solution: two hands in one target, for studies of that fault."""


class Weights(Part, frozen=True, kw_only=True):
    """Weight of the loss on each token of a target laid out here; the end of the turn weighs 1, as do conversations.

    A token that lies in two parts has the weight of the part it begins in.
    """

    thought: Amount = 1.0
    answer: Amount = 1.0
    """The answer itself: 2 to 5 % of a target's tokens, and all that is graded."""
    format: Amount = 1.0
    """Tags, and the sentence around the answer."""


class Draw(StrEnum):
    """Which traces of a problem are learned from."""

    ALL = "all"
    """Each of them in every epoch: problems with more traces weigh more."""
    ONE_PER_EPOCH = "one_per_epoch"
    """One of them in each epoch, drawn at random: all problems weigh the same (SCoTD, arXiv 2306.14050)."""


class Class(StrEnum):
    """By what traces are told apart."""

    TEACHER = "teacher"
    """Who wrote them, by the name of the model."""
    LENGTH = "length"
    """short or long, by `Among.long_from`."""


class Among(Part, frozen=True, kw_only=True):
    """Shares of the traces by teacher or by length (Mix-Large 1:1 and Mix-Long 1:4 of arXiv 2502.12143)."""

    by: Class
    of: dict[str, Annotated[float, msgspec.Meta(gt=0)]]
    """Class to its part of the traces, as a part of the sum of all: {long: 1, short: 4}. Others are left out, so that
    {long: 1} is a band of lengths, with `curate.max_tokens` at its other end.
    """
    long_from: Count | None = None
    """Tokens of a reply, as the teacher counts them (words where it does not), from which on it is long; None = more
    than the median.
    """


class Replies(StrEnum):
    """Who wrote the replies of a source."""

    DATA = "data"
    BASE = "base"
    """The student before it is taught anything answers the source's prompts itself (replay)."""


class Thinking(StrEnum):
    """Whether the replies of a source think."""

    AUTO = "auto"
    """As they are."""
    ALWAYS = "always"
    """Those that do not are left out. Reasoning in a field of its own, which is not read otherwise, counts."""
    NEVER = "never"
    """They lose their thought; one that is nothing else is left out."""
    EMPTY = "empty"
    """As never, and each opens with an empty think block, as of students that do both."""


class MixSource(Part, frozen=True, kw_only=True):
    """Another source of conversations beside the teacher's traces."""

    name: str
    """small_talk or sums (made here), rationale (the problems' own solutions), or a name for the file at `path`."""
    path: str | None = None
    """File of conversations, or Hub id. Relative to the recipe."""
    share: Share
    """Share of the mix, 0 to 1, of what `unit` counts."""
    limit: Count | None = None
    """First so many rows are read."""
    of: tuple[str, ...] = ()
    """rationale: only the solutions of these sources; () = all."""
    replies: Replies = Replies.DATA
    thinking: Thinking = Thinking.AUTO


class Replay(Part, frozen=True, kw_only=True):
    """How the base writes the replies of sources with `replies: base`; those that are cut off or empty are left out."""

    temperature: Amount = 1.0
    """1 = as it would speak; 0 = its likeliest reply."""
    max_tokens: Count = 256
    batch: Count = 64
    """Prompts per batch; part of what makes a run the same bytes again."""


class Unit(StrEnum):
    """What shares are counted in."""

    ROWS = "rows"
    TOKENS = "tokens"
    """Learned ones: replies with thoughts are several times as long as conversation, so that 70 / 30 by rows is about
    90 / 10 of what is learned.
    """


class Perceive(Part, frozen=True, kw_only=True):
    """adaptive: how it is found out which mode is right for a question, after the student is trained (2404.09170).

    On problems that it has not learned from, the student answers in both modes; a linear probe on its own state at the
    end of the question then learns which one to take. The student stays as it is.
    """

    held_out: Share = 0.2
    """Share of the train problems that no target is made of."""
    depth: Share = 0.67
    """Layer whose state is read, as a share of all: 0 = the embedding, 1 = the last."""
    decay: Amount = 1.0
    """Weight of the squared coefficients against the summed loss (L2), states standardized."""
    folds: Annotated[int, msgspec.Meta(ge=2)] = 5
    """Parts of the held-out problems, each judged by a probe fitted to the others, for the figures on record."""


class Mix(Part, frozen=True, kw_only=True):
    """What the student learns from."""

    layout: Layout = Layout.THINK_FIRST
    coarse_steps: Annotated[int, msgspec.Meta(ge=2)] = 2
    """coarse: of so many steps the last one stays."""
    alpha: Share = 0.5
    """two_tasks: the part of the loss that predicting has; explaining has the rest (0.5: the authors' code)."""
    perceive: Perceive = Perceive()
    weights: Weights = Weights()
    problems: Share = 1.0
    """Share of the problems with kept traces, drawn with the seed: a smaller one is part of a larger one, and arms of
    other layouts have the same.
    """
    traces: Draw = Draw.ALL
    among: Among | None = None
    """Shares of the traces by class; None = as they come."""
    sources: tuple[MixSource, ...] = ()
    unit: Unit = Unit.ROWS
    """What the shares of sources and classes are counted in."""
    rows: Count | None = None
    """Conversations in the mix, about so many with `unit: tokens`; None = as many as use every kept trace once (of
    classes: the scarcest). With one_per_epoch a problem is one.
    """
    replay: Replay = Replay()
