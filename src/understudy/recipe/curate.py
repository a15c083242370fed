"""Which traces are kept."""

from enum import StrEnum

from understudy.recipe.part import Count, Part, Share


class KeepWrong(StrEnum):
    """What becomes of traces with a wrong answer."""

    NO = "no"
    ALSO = "also"
    """Kept like right ones."""
    ONLY = "only"
    """Kept, and right ones dropped: for studies of form against content (arXiv 2502.07374)."""


class Scope(StrEnum):
    """Among which traces near-duplicates are looked for."""

    OFF = "off"
    PROBLEM = "problem"
    """The traces of one problem."""
    ALL = "all"
    """Question and trace together, among all of them."""


class Prefer(StrEnum):
    """Which traces of a problem stay, where only so many do."""

    FIRST = "first"
    """In the order of sampling: a random choice."""
    SHORTEST = "shortest"
    LONGEST = "longest"


class Select(Part, frozen=True, kw_only=True):
    """Which of the traces that no rule refuses are kept. Everything is off by default."""

    distinct_paths: bool = False
    """One trace of a problem for each list of equations (rejection sampling fine-tuning, arXiv 2308.01825)."""
    pass_rate: tuple[Share, Share] | None = None
    """Only problems of which the teacher solves such a share, from and to; s1K keeps the hard ones."""
    most: Count | None = None
    """Most traces kept of one problem."""
    prefer: Prefer = Prefer.FIRST
    """Which those are; the shortest right one of several samples: {most: 1, prefer: shortest}."""
    least: Count = 1
    """Problems with fewer traces are left out whole; as many as `most`: all problems weigh the same (SCoTD)."""
    problems: Count | None = None
    """Most problems, drawn from the domains in turn (s1K, arXiv 2501.19393). Takes another pass over the traces."""
    by: str | None = None
    """Name of the slice that is the domain; None = the source."""
    longest: bool = True
    """Within a domain the problem with the longest traces is drawn with weight 1, each next one with half of that
    (s1K); false = all alike."""
    tokens: Count | None = None
    """Most tokens in all, as the teacher counts them (words where it does not). Takes another pass over the traces."""


class Corruption(StrEnum):
    """What is done to the reasoning of a trace."""

    DIGITS = "digits"
    """Every digit of a step becomes a random one."""
    DELETED = "deleted"
    SHUFFLED = "shuffled"
    INSERTED = "inserted"
    """Steps of other problems' right traces are put between."""


class Corrupt(Part, frozen=True, kw_only=True):
    """Damage done on purpose to the reasoning, never to the answer, to see what a student learns from (2502.07374)."""

    kind: Corruption
    rate: Share = 0.5
    """Share of a trace's steps; of inserted ones, as many as this share of its own."""
    share: Share = 1.0
    """Share of the kept traces."""


class Curate(Part, frozen=True, kw_only=True):
    """Which traces are dropped. Every rule is a row of `curate.RULES` or `curate.SET_RULES`; `without` names those not
    used. Where no source is given, a default is our own choice.
    """

    without: tuple[str, ...] = ()
    declared: bool = False
    """True = the reply must mark its answer (a box, ####, "the answer is")."""
    keep_wrong: KeepWrong = KeepWrong.NO
    consensus: Share | None = 0.5
    """Least share of the samples of a question without gold answer that agree; one that does not is dropped.

    What they agree on is the answer that is learned. A single sample agrees with itself. None = any answer.
    """
    slip_share: Share = 1.0
    """Least share of the equations that can be checked that are right; 1 = any slip drops (0.95 is common)."""
    repeat_share: Share = 0.5
    """Largest share of four-word runs that were there before in the same trace (Open-R1's repetition measure)."""
    repeat_runs: Count = 8
    """So often the same eight words drop a trace."""
    repeat_lines: Count = 4
    """So often the same line drops a trace, and the same sentence without a break."""
    script_share: Share = 0.02
    """Largest share of letters in a script that the question does not use (DeepSeek-R1 drops mixed languages)."""
    language_words: Count = 4
    """So many different function words of a language that the question is not in drop a trace."""
    length_band: tuple[Share, Share] | None = (0.01, 0.99)
    """Percentiles of the length in words of a source's right traces, outside of which a trace is dropped; None = any.

    Takes a first pass over the traces, as `long_ratio` does.
    """
    long_ratio: float | None = 4.0
    """Longest kept trace, as a multiple of the median length in words of its source's right ones; None = any."""
    max_tokens: Count | None = None
    """Longest kept reply, tokens as the teacher counts them."""
    min_structure: Share | None = None
    """Least structure, 0 to 1 (see `Judged.structure`); None = any."""
    near: Scope = Scope.PROBLEM
    """Where near-duplicates are looked for."""
    near_jaccard: Share = 0.8
    """Traces that share such a part of their five-word runs are near-duplicates (MinHash's usual threshold)."""
    surprise_band: tuple[Share, Share] | None = None
    """Percentiles of the student's surprise, nats per token, outside of which a trace is dropped ([0.05, 0.95] is
    usual). The student reads every trace that no other rule refuses. None = it is not asked.
    """
    select: Select = Select()
    corrupt: Corrupt | None = None
    """Damage the reasoning of kept traces; None = none."""
