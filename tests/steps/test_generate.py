"""Traces stand in (problem, sample) order, whatever the order of arrival; a failed call is one of them."""

import pytest

from understudy.engines.base import Sampled
from understudy.engines.scripted import Scripted
from understudy.recipe import Generate
from understudy.records import Problem, Sample, Split, Stop
from understudy.steps.generate import generate

PROBLEMS = [
    Problem(id=f"s/train/{n}", question=f"{n}?", answer=str(n), source="s", split=Split.TRAIN) for n in range(12)
]


class Backwards(Scripted):
    """As servers do: the last is done first."""

    def sample(self, prompts, sampling, wanted=lambda i, n: True):
        yield from reversed(list(super().sample(prompts, sampling, wanted)))


def ask(engine, stop=lambda: False, seed=0, ticks=None, **settings):
    tick = (lambda *told: ticks.append(told)) if ticks is not None else lambda *told: None
    return list(generate(PROBLEMS, engine, Generate(**settings), seed, tick, stop))


def test_traces_stand_in_order():
    traces = ask(Backwards(lambda prompt, number: f"{prompt.id} {number}"), n=3)
    assert [t.id for t in traces] == [f"s/train/{p}#{n}" for p in range(12) for n in range(3)]
    assert [t.sample.text for t in traces] == [t.id.replace("#", " ") for t in traces]


def test_a_trace_says_who_was_asked_what_and_how():
    one, other = (ask(Scripted(lambda prompt, number: "x"), n=1, temperature=t)[:2] for t in (1.0, 0.5))
    assert one[0].teacher == "scripted" and one[0].prompt_hash == other[0].prompt_hash != one[1].prompt_hash
    assert one[0].sampling_hash == one[1].sampling_hash != other[0].sampling_hash


def test_a_failed_call_is_a_trace_with_its_error():
    failed = Sample(text="", stop=Stop.ERROR, error="HTTP 503")
    traces = ask(Scripted(lambda prompt, number: failed if prompt.id.endswith("/3") else "x"), n=1)
    assert [t.problem for t in traces if t.sample.error] == ["s/train/3"] and len(traces) == 12


def test_progress_is_told_of_all():
    ticks = []
    ask(Scripted(lambda prompt, number: "x"), n=2, ticks=ticks)
    assert ticks[0] == (1, 24, "0% right, 0% cut off") and ticks[-1][:2] == (24, 24)


def test_a_trace_is_given_as_soon_as_all_before_it_are_there():
    """So that a million of them are never all in memory."""
    engine = Scripted(lambda prompt, number: "x")
    traces = generate(PROBLEMS, engine, Generate(n=1), 0, lambda *told: None, lambda: False)
    for count, _ in enumerate(traces, 1):
        assert len(engine.said) == count


def test_stop_asks_nothing_more_and_gives_nothing_half():
    engine = Scripted(lambda prompt, number: "x")
    with pytest.raises(KeyboardInterrupt):
        ask(engine, stop=lambda: len(engine.said) >= 5, n=1)
    assert len(engine.said) == 5


def test_an_engine_may_give_fewer_than_it_was_asked_for():
    class Few:
        name = "few"

        def sample(self, prompts, sampling, wanted):
            yield Sampled(7, 0, Sample(text="x"))

        def close(self):
            pass

    assert [t.id for t in ask(Few(), n=4)] == ["s/train/7#0"]
