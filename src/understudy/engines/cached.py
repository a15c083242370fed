"""An engine around an engine that keeps each sample as it is drawn, so that a killed run draws none of them twice.

The unit is the batch: one with a missing member is drawn whole again by the engine inside, and gives the same samples.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from understudy.engines.base import Engine, Sampled, Wanted, always
from understudy.recipe import digest
from understudy.records import Prompt, Sample, Sampling
from understudy.store import Journal, whole_lines


class Kept(msgspec.Struct, frozen=True):
    """One line of the journal."""

    key: str
    number: int
    sample: Sample


class Cached:
    """Samples of `engine`, kept in the journal at `path`. A failed sample is on record, but asked again.

    `together`: a sample depends in its last bits on who is asked with it, so what was kept in other company is drawn
    anew. A run that grew holds the same bytes as one that was made at once.
    """

    def __init__(self, engine: Engine, path: Path, model: str, together: bool = False) -> None:
        self.name = engine.name
        self.engine = engine
        self.model = model
        self.together = together
        self.journal = Journal(path)
        self.kept: dict[tuple[str, int], Sample] = {}
        decoder = msgspec.json.Decoder(Kept)
        for line in whole_lines(path):
            try:
                one = decoder.decode(line)
            except msgspec.DecodeError:  # a power cut may spoil a line: its sample is asked again
                continue
            if one.sample.error is None:
                self.kept[one.key, one.number] = one.sample

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        """What is kept first, then what the engine inside draws."""
        company = digest([msgspec.to_builtins(list(prompts)), sampling.n]) if self.together else ""
        keys = [self._key(p, sampling, company) for p in prompts]
        whole = [all((key, n) in self.kept for n in range(sampling.n)) for key in keys]
        for i, key in enumerate(keys):
            if whole[i]:
                for n in range(sampling.n):
                    yield Sampled(i, n, self.kept[key, n])
        if all(whole):
            return
        for one in self.engine.sample(prompts, sampling, lambda i: not whole[i] and wanted(i)):
            if not whole[one.prompt]:
                self._keep(keys[one.prompt], one)
                yield one

    def close(self) -> None:
        """Close the journal and the engine inside."""
        self.journal.close()
        self.engine.close()

    def _keep(self, key: str, one: Sampled) -> None:
        if (key, one.number) not in self.kept:
            self.journal.add(Kept(key, one.number, one.sample))
            if one.sample.error is None:
                self.kept[key, one.number] = one.sample

    def _key(self, prompt: Prompt, sampling: Sampling, company: str) -> str:
        asked = msgspec.to_builtins(msgspec.structs.replace(sampling, n=1))
        # The id is part of it: an engine's random numbers come from it, and two problems may share a text.
        return digest([self.model, company, prompt.id, msgspec.to_builtins(prompt.messages), prompt.prefill, asked])
