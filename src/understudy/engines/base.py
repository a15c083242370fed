"""The seams: what a step knows of whoever turns prompts into samples, or says how likely a text is."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from understudy.records import Prompt, Sample, Sampling


class Sampled(NamedTuple):
    """A sample and where it belongs."""

    prompt: int
    """Index into the prompts asked."""
    number: int
    """Sample number of that prompt, from 0."""
    sample: Sample


class Wanted(Protocol):
    """Asked before a sample is drawn, by the prompt's index and the sample's number.

    A decided question costs nothing more, and what is kept from before is not asked again.
    """

    def __call__(self, prompt: int, number: int, /) -> bool: ...


def always(prompt: int, number: int, /) -> bool:
    """Every sample is wanted."""
    return True


class Engine(Protocol):
    """Anything that turns prompts into samples."""

    name: str

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        """Each sample as it is done, in any order. A failed call is a `Sample(stop=error)`.

        Raises:
            EngineError: the engine cannot serve at all.
        """
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


class Scored(NamedTuple):
    """How likely a text is after a prompt."""

    pair: int
    """Index into the pairs asked."""
    logprobs: tuple[float, ...]
    """Log-probability of each token of the text, in nats."""


class Scorer(Protocol):
    """Anything that can say how likely a text is."""

    def score(self, pairs: Sequence[tuple[Prompt, str]]) -> Iterator[Scored]:
        """Log-probabilities of each text after its prompt, in any order."""
        ...
