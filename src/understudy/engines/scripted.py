"""An engine that says what it is told to: for tests, and for trying a recipe without a model."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from understudy.engines.base import Sampled, Wanted, always, cut
from understudy.records import Prompt, Sample, Sampling, Stop

Replies = Mapping[str, Sequence[str | Sample]] | Callable[[Prompt, int], str | Sample]


class Scripted:
    """Replies by problem id, or by the last message's text; or made by a function of prompt and sample number.

    Of fewer replies than samples asked for, the first come again. What nothing is scripted for fails, as a record.

    >>> engine = Scripted({"p1": ["72", "32"]})
    >>> prompt = Prompt(id="p1", messages=())
    >>> [sampled.sample.text for sampled in engine.sample([prompt], Sampling(n=3))]
    ['72', '32', '72']
    """

    def __init__(self, replies: Replies, name: str = "scripted") -> None:
        self.replies = replies
        self.name = name
        self.said: list[tuple[str, int]] = []
        """Problem id and number of every sample given, in order."""
        self.closed = False

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        """First samples of all prompts, then second ones, and so on."""
        for number in range(sampling.n):
            for index, prompt in enumerate(prompts):
                if wanted(index, number):
                    self.said.append((prompt.id, number))
                    yield Sampled(index, number, cut(self._reply(prompt, number), sampling.stop))

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _reply(self, prompt: Prompt, number: int) -> Sample:
        if callable(self.replies):
            reply = self.replies(prompt, number)
        else:
            last = prompt.messages[-1].content if prompt.messages else ""
            replies = self.replies.get(prompt.id) or self.replies.get(last)
            if not replies:
                return Sample(text="", stop=Stop.ERROR, error=f"nothing is scripted for {prompt.id}")
            reply = replies[number % len(replies)]
        return reply if isinstance(reply, Sample) else Sample(text=reply)
