"""Replay: the student before it is taught anything writes replies that are mixed in, so that it stays what it was."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from understudy.engines.base import Engine
from understudy.recipe import Replay
from understudy.records import Message, Prompt, Sample, Sampling, Stop
from understudy.steps.mix.pots import LeftOut

FUTILE = 4


def replay(
    conversations: Iterable[tuple[Message, ...]],
    engine: Engine,
    settings: Replay,
    seed: int,
    stop: Callable[[], bool],
) -> Iterator[tuple[Message, ...] | LeftOut]:
    """The conversations with what `engine` says in the place of their last turn.

    Batch by batch, so that no more is asked than is read; a batch is the same whatever comes after it. It ends after
    `FUTILE` batches in a row with nothing of use: such a base does not end its replies.

    Raises:
        KeyboardInterrupt: `stop` became true; the batch in flight was finished first.
    """
    how = Sampling(temperature=settings.temperature, max_tokens=settings.max_tokens, seed=seed)
    numbered, futile = enumerate(conversations), 0
    while futile < FUTILE and (batch := list(islice(numbered, settings.batch))):
        asked = [Prompt(id=f"replay/{number}", messages=one[:-1]) for number, one in batch]
        said = {one.prompt: one.sample for one in engine.sample(asked, how, lambda *_: not stop())}
        if stop():
            raise KeyboardInterrupt
        futile = futile + 1 if all(map(_useless, said.values())) else 0
        for i, prompt in enumerate(asked):
            why = _useless(said[i])
            yield LeftOut(why) if why else (*prompt.messages, Message(role="assistant", content=said[i].text.strip()))


def _useless(sample: Sample) -> str | None:
    """Why nothing can be learned from a reply."""
    if sample.stop is not Stop.END:
        return "cut off"
    return None if sample.text.strip() else "says nothing"
