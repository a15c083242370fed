"""What the base says itself is learned in the place of what the source says; no more is asked than is read."""

from itertools import count, islice

import pytest

from understudy.engines.base import Sampled
from understudy.engines.cached import Cached
from understudy.engines.samples import Samples
from understudy.recipe import MixSource, Replay
from understudy.records import Message, Sample, Stop
from understudy.steps.mix import LeftOut, replay, talk

SAYS = {0: Sample(text=" Hello back. "), 1: Sample(text="cut", stop=Stop.LENGTH), 2: Sample(text="  ")}


class Base:
    """An engine that says what `SAYS` does, by the number of the question modulo three."""

    name = "base"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def sample(self, prompts, sampling, wanted=lambda i, n: True):
        self.sampling = sampling
        for i, prompt in enumerate(prompts):
            if wanted(i, 0):
                self.asked.append(prompt.messages[-1].content)
                yield Sampled(i, 0, SAYS[int(prompt.messages[-1].content) % 3])

    def close(self) -> None: ...


def asked(number: int | None = None):
    numbers = count() if number is None else range(number)
    return ((Message(role="user", content=str(i)), Message(role="assistant", content="Theirs.")) for i in numbers)


def test_the_reply_is_the_bases_own_and_what_is_of_no_use_is_left_out():
    found = list(replay(asked(4), Base(), Replay(batch=3), 0, lambda: False))
    assert [f.why for f in found if isinstance(f, LeftOut)] == ["cut off", "says nothing"]
    assert [[m.content for m in f] for f in found if not isinstance(f, LeftOut)] == [
        ["0", "Hello back."], ["3", "Hello back."]
    ]  # fmt: skip


def test_no_more_is_asked_than_is_read():
    base = Base()
    list(islice(replay(asked(), base, Replay(batch=4), 0, lambda: False), 6))
    assert base.asked == [str(i) for i in range(8)]


def test_a_base_that_never_ends_a_reply_is_given_up(monkeypatch):
    monkeypatch.setitem(SAYS, 0, SAYS[1])
    monkeypatch.setitem(SAYS, 2, SAYS[1])
    base = Base()
    rows = list(replay(asked(), base, Replay(batch=4), 0, lambda: False))
    assert len(base.asked) == 16 and {row.why for row in rows} == {"cut off"}


def test_the_settings_say_how_the_base_speaks():
    base = Base()
    list(replay(asked(1), base, Replay(temperature=0.3, max_tokens=17), 5, lambda: False))
    assert (base.sampling.temperature, base.sampling.max_tokens, base.sampling.seed) == (0.3, 17, 5)


def test_what_was_said_once_is_not_drawn_again(tmp_path):
    base = Base()
    for number in (4, 8, 8):  # more of a source asks for what is new alone
        engine = Cached(base, Samples(tmp_path), "h", "base", together=True)
        rows = list(replay(asked(number), engine, Replay(batch=4), 0, lambda: False))
        engine.close()
    assert base.asked == [str(i) for i in range(8)] and len(rows) == 8


def test_a_stop_is_heard_after_a_batch():
    base = Base()
    with pytest.raises(KeyboardInterrupt):
        list(replay(asked(9), base, Replay(batch=3), 0, lambda: len(base.asked) >= 3))
    assert len(base.asked) <= 3


def test_replayed_rows_are_mixed_in_as_others_are():
    source = MixSource(name="own", share=0.5)
    rows = list(talk(source, replay(asked(3), Base(), Replay(), 0, lambda: False)))
    assert [getattr(r, "id", None) for r in rows] == ["own/0", None, None]
