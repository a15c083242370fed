"""The scripted engine says what it is told, and no more than is wanted."""

from understudy.engines.base import Engine
from understudy.engines.scripted import Scripted
from understudy.records import Message, Prompt, Sample, Sampling, Stop


def ask(name, text="?"):
    return Prompt(id=name, messages=(Message(role="user", content=text),))


def given(engine, prompts, n=1, **more):
    return [(s.prompt, s.number, s.sample.text) for s in engine.sample(prompts, Sampling(n=n), **more)]


def test_it_is_an_engine():
    engine: Engine = Scripted({})
    engine.close()
    assert engine.name == "scripted"


def test_replies_are_found_by_id_or_by_text():
    engine = Scripted({"a": ["1"], "two?": ["2"]})
    assert given(engine, [ask("a"), ask("b", "two?")]) == [(0, 0, "1"), (1, 0, "2")]


def test_replies_come_again_when_more_is_asked():
    assert [text for *_, text in given(Scripted({"a": ["1", "2"]}), [ask("a")], n=3)] == ["1", "2", "1"]


def test_what_is_not_scripted_fails_as_a_record():
    (got,) = Scripted({}).sample([ask("a")], Sampling())
    assert (got.sample.stop, got.sample.error) == (Stop.ERROR, "nothing is scripted for a")


def test_a_function_may_reply_and_a_sample_is_given_as_it_is():
    cut = Sample(text="4", stop=Stop.LENGTH)
    engine = Scripted(lambda prompt, number: f"{prompt.id}{number}" if number else cut)
    assert [s.sample for s in engine.sample([ask("a")], Sampling(n=2))] == [cut, Sample(text="a1")]


def test_what_is_decided_is_not_drawn():
    done = set()
    engine = Scripted({"a": ["1"], "b": ["2"]})
    for sampled in engine.sample([ask("a"), ask("b")], Sampling(n=4), wanted=lambda prompt, _: prompt not in done):
        if sampled.prompt == 0 and sampled.number == 1:
            done.add(0)
    assert engine.said == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("b", 2), ("b", 3)]
