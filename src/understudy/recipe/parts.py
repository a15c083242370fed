"""Everything that can be turned, with unit and default: one struct for each part of a recipe."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from understudy.records import Kind

Count = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a recipe."""


class Counts(Part, frozen=True, kw_only=True):
    """How many problems of each split a procedural source makes."""

    train: int = 0
    dev: int = 0
    calibration: int = 0
    test: int = 0


class Source(Part, frozen=True, kw_only=True):
    """Where problems come from: a named set, an own file, or problems made on the spot."""

    name: str | None = None
    """A named set (gsm8k, svamp, commonsenseqa, …), a Hub id, or word_problems / probes (made here)."""
    path: str | None = None
    """An own file (.csv, .jsonl, .json, .parquet), or a local copy of the named set. Relative to the recipe."""
    config: str | None = None
    """The Hub set's configuration."""
    split: str | None = None
    """The split that all rows belong to; None = the set's own, else by hash of the question."""
    question: str = "question"
    """Column; dots reach inside: "meta.text"."""
    answer: str | None = "answer"
    choices: str = "choices"
    rationale: str | None = "rationale"
    """Column; None = this source has none."""
    id: str = "id"
    kind: Kind | None = None
    """Sort of answer; None = the set's own, or guessed from the answers."""
    corrections: str | None = None
    """File of corrected gold answers, as `understudy audit --apply` writes it. Relative to the recipe."""
    limit: Count | None = None
    """First so many rows of each split."""
    counts: Counts = Counts()
    """Problems to make (procedural sources)."""
    steps: tuple[int, ...] = (1, 2, 3, 4)
    """Numbers of reasoning steps to make problems of (procedural sources)."""


class Build(Part, frozen=True, kw_only=True):
    """The shape of a student made on the spot: Qwen3's architecture."""

    layers: Count = 4
    width: Count = 128
    heads: Count = 4
    kv_heads: Count = 4
    head_width: Count = 32
    ffn: Count = 384
    vocabulary: Count = 1000
    """Most tokens of the tokenizer that is trained for it."""
    context: Count = 512
    """Longest sequence, tokens."""


class StudentPart(Part, frozen=True, kw_only=True):
    """Which model is taught."""

    model: str | None = None
    """Hub id or local folder; None = built here by `build` and `pretrain`."""
    build: Build = Build()


class Adapter(StrEnum):
    """How a student is fine-tuned."""

    FULL = "full"
    LORA = "lora"


class Optimizer(StrEnum):
    """Who takes the steps."""

    ADAMW = "adamw"
    MUON = "muon"
    """torch.optim.Muon on matrices, AdamW on the rest."""


class Train(Part, frozen=True, kw_only=True):
    """How a training step runs."""

    steps: Count | None = None
    """Optimizer steps; None = `epochs`."""
    epochs: Amount = 3.0
    learned_tokens_of: str | None = None
    """Name of an arm: train until as many tokens are learned as there (instead of `steps`)."""
    batch: Count = 16
    """Conversations per optimizer step."""
    accumulate: Count = 1
    """Forward passes that one optimizer step is spread over."""
    lr: float | tuple[float, ...] = 1e-3
    """Peak learning rate of AdamW (Muon's is `muon_lr_ratio` times it); of several, the one best on dev is kept."""
    muon_lr_ratio: Amount = 10.0
    optimizer: Optimizer = Optimizer.ADAMW
    warmup: Share = 0.05
    """Share of the steps in which the learning rate rises."""
    decay: Share = 0.4
    """Share of the steps, at the end, in which it falls to zero (warm-up, stable, decay)."""
    weight_decay: Amount = 0.01
    max_length: Count = 512
    """Tokens; longer conversations are counted and left out, never cut."""
    activation_checkpointing: bool = False
    """Reckon the activations anew in the backward pass: less memory, a third more time."""
    save_every: Count = 100
    """Steps between checkpoints; after a crash at most so many are done again."""
    log_every: Count = 20


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


class Pretrain(Train, frozen=True, kw_only=True):
    """Base training of a student built here: questions with bare answers, and conversation."""

    sources: tuple[MixSource, ...] = ()
    """Conversations beside the bare answers, each with its share of the rows."""
    rows: Count | None = None
    """Conversations in all; None = as many as use every train problem once."""


class Sft(Train, frozen=True, kw_only=True):
    """Fine-tuning on the mix."""

    skip: bool = False
    """True = the arm is the base itself."""
    adapter: Adapter = Adapter.FULL
    rank: Count = 32
    """LoRA rank."""
    alpha: Count = 32
    dropout: Share = 0.0
    search_share: Share = 1.0
    """Share of the steps that each learning rate of several gets before the best goes all the way; 1 = all of them."""


class Prefill(StrEnum):
    """How a server is told that a reply is begun already."""

    CONTINUE = "continue"
    """vLLM, SGLang: continue_final_message"""
    PREFIX = "prefix"
    """DeepSeek, Mistral: prefix"""


class Teacher(Part, frozen=True, kw_only=True):
    """Who writes the traces."""

    engine: str = "oracle"
    """oracle, replay, http, local, vllm"""
    model: str | None = None
    """local, vllm: Hub id or folder. http: the model's name at the server."""
    url: str | tuple[str, ...] | None = None
    """http: the server's base URL, which mostly ends in /v1; of several that serve the same model, the least loaded."""
    key_env: str | None = None
    """http: the environment variable that holds the key; None = the usual one of a known vendor, none elsewhere."""
    # Not tuple[Count, Count]: beside a Count in a union, msgspec 0.22 crashes on it in the garbage collection.
    concurrency: Count | tuple[Count, ...] = 64
    """http: most requests in flight at each server; a pair: at least and at most, when it refuses some."""
    requests_per_minute: Count | None = None
    """http: of each server; None = as it says itself."""
    tokens_per_minute: Count | None = None
    """http: of each server, asked and answered together; None = as it says itself."""
    timeout: Seconds = 600.0
    """http: seconds for one request, the whole reply included."""
    attempts: Count = 6
    """http: tries of a request that breaks; then its samples are on record as failed."""
    patience: Seconds = 300.0
    """http: seconds without any answer until the run stops."""
    max_tokens_field: str = "max_tokens"
    """http: what the server calls it; OpenAI's reasoning models want max_completion_tokens."""
    prefill: Prefill | None = None
    """http: how the server is told the beginning of a reply, where prompts have one."""
    extra: dict[str, Any] = {}
    """http: further fields of a request (top_k, min_p, chat_template_kwargs, …); null leaves a usual one out."""
    arguments: tuple[str, ...] = ()
    """vllm: further arguments of `vllm serve` ("--tensor-parallel-size", "2", …)."""
    licence: str | None = None
    """Whose terms cover the teacher's outputs."""
    path: str | None = None
    """replay: file, folder or Hub id of recorded traces. Relative to the recipe."""
    question: str | None = None
    """replay: column of the question; None = found by its usual names."""
    text: str | None = None
    """replay: column of the trace."""
    answer: str | None = None
    """replay: column of the teacher's own answer, added where the trace does not say it."""
    messy: Share = 0.37
    """oracle: share of traces with a planted fault."""


class Style(StrEnum):
    """How a teacher is asked to reason."""

    STEPS = "steps"
    """Step by step, and no more said."""
    SHORT = "short"
    """In as few words as it takes."""
    PLAN = "plan"
    """What is asked and given first, then the steps."""
    TEACH = "teach"
    """Each step with its reason."""
    CHECK = "check"
    """With a check at the end."""


class Ask(Part, frozen=True, kw_only=True):
    """What the teacher is told before the question."""

    styles: tuple[Style, ...] = (Style.STEPS,)
    """Of several, the samples of a problem take turns: variety that sampling alone does not give."""
    examples: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Solved train problems shown before the question; they need a rationale."""
    file: str | None = None
    """A text of one's own instead of a style's: what the teacher is told of the domain. Relative to where it is run."""


class Price(Part, frozen=True, kw_only=True):
    """What a server takes."""

    input: Amount
    """Dollars per million tokens asked."""
    output: Amount
    """Dollars per million tokens answered, thoughts included."""


class Spending(Part, frozen=True, kw_only=True):
    """Where asking stops. What is in flight then is finished and kept; the counts go on in the next run."""

    dollars: Amount | None = None
    tokens: Count | None = None
    """Asked and answered together."""
    hours: Amount | None = None
    """Of asking, by the clock."""


class Generate(Part, frozen=True, kw_only=True):
    """Collecting traces."""

    teacher: Teacher = Teacher()
    ask: Ask = Ask()
    n: Count = 4
    """Traces per problem."""
    temperature: Amount = 1.0
    top_p: Share = 1.0
    max_tokens: Count = 1024
    logprobs: bool = False
    """Ask for log-probabilities, where the teacher gives them: their mean, least and tail are on record."""
    limit: Count | None = None
    """First so many train problems; None = all."""
    sources: tuple[str, ...] = ()
    """Names of the sources whose train problems the teacher is asked; () = all."""
    price: Price | None = None
    """What the teacher costs; None = as the table of prices says, where it knows the model."""
    budget: Spending = Spending()
    store: str | None = None
    """Folder of the samples that were paid for; several runs may share it. None = one in the run folder."""


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


class Recipe(Part, frozen=True, kw_only=True):
    """A whole run."""

    name: str = "run"
    data: str | None = None
    """Folder that paths of the form {data}/… start from."""
    seed: int = 0
    seeds: tuple[int, ...] = ()
    """Train every arm once with each; () = with `seed` alone."""
    workers: Count = 1
    """Arms trained side by side, each on its share of the cores: pays for students so small that cores wait."""
    budget_minutes: float | None = None
    """What the run should take, shown beside what it took."""
    minutes: dict[str, float] = {}
    """Expected minutes of each step, shown before it."""
    sources: tuple[Source, ...] = ()
    overlap_words: int | None = 13
    """So many consecutive words that a question shares with a test question are a sign that it was copied.

    The same and nearly the same question is never learned from, whatever its length. None = no decontamination.
    """
    overlap_share: Share = 0.5
    """A problem with more than this share of the test question's runs of `overlap_words` is never learned from.

    Of the shorter of the two questions, that is. Sets that ask several questions about one body (SVAMP) share less: the
    problem is learned from, and `Problem.resembles` says what it shares. 0 = any shared run, 1 = no share.
    """
    student: StudentPart = StudentPart()
    pretrain: Pretrain = Pretrain()
    generate: Generate = Generate()
    curate: Curate = Curate()
    mix: Mix = Mix()
    sft: Sft = Sft()
    solve: Solve = Solve()
    evaluate: Evaluate = Evaluate()
    report: Report = Report()
    arms: dict[str, dict[str, Any] | None] = {}
    """Name to what differs from the recipe above, from `mix` on."""


ARM_PARTS = ("seed", "mix", "sft", "solve")
"""What an arm may change."""
