"""Collecting traces: who writes them, how they are asked, what it may cost."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from understudy.recipe.part import Amount, Count, Part, Seconds, Share


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
    BARE = "bare"
    """The question alone: for a teacher that has learned how to reply, such as the student of another run."""


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
