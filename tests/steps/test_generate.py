"""Traces stand in (problem, sample) order, whatever the order of arrival; a failed call is one of them."""

import msgspec
import pytest

from understudy.engines.base import Sampled
from understudy.engines.scripted import Scripted
from understudy.errors import RecipeError
from understudy.prompts import FORMAT, REPLY, STYLES
from understudy.recipe import Ask, Generate, Style
from understudy.records import Problem, Prompt, Sample, Split, Stop, Trace
from understudy.steps.generate import generate, sampling

PROBLEMS = [
    Problem(id=f"s/train/{n}", question=f"{n}?", answer=str(n), source="s", split=Split.TRAIN) for n in range(12)
]


class Backwards(Scripted):
    """As servers do: the last is done first."""

    def sample(self, prompts, sampling, wanted=lambda i, n: True):
        yield from reversed(list(super().sample(prompts, sampling, wanted)))


def ask(engine, stop=lambda: False, seed=0, ticks=None, solved=(), **settings):
    """The traces, without the prompts."""
    tick = (lambda *told: ticks.append(told)) if ticks is not None else lambda *told: None
    made = generate(PROBLEMS, engine, Generate(**settings), seed, tick, stop, solved)
    return [one for one in made if isinstance(one, Trace)]


def test_traces_stand_in_order():
    traces = ask(Backwards(lambda prompt, number: f"{prompt.id} {number}"), n=3)
    assert [t.id for t in traces] == [f"s/train/{p}#{n}" for p in range(12) for n in range(3)]
    assert [t.sample.text for t in traces] == [t.id.replace("#", " ") for t in traces]


def test_a_trace_says_who_was_asked_what_and_how():
    one, other = (ask(Scripted(lambda prompt, number: "x"), n=1, temperature=t)[:2] for t in (1.0, 0.5))
    assert one[0].teacher == "scripted" and one[0].prompt_hash == other[0].prompt_hash != one[1].prompt_hash
    assert one[0].sampling_hash == one[1].sampling_hash != other[0].sampling_hash


def test_log_probabilities_are_asked_for_where_they_are_wanted():
    assert sampling(Generate(logprobs=True), 0).logprobs and not sampling(Generate(), 0).logprobs


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
    assert isinstance(next(traces), Prompt)
    for count, _ in enumerate(traces, 1):
        assert len(engine.said) == count


def told(prompt: Prompt) -> str:
    return prompt.messages[0].content


def test_styles_take_turns_and_each_is_on_record():
    engine = Scripted(lambda prompt, number: f"{told(prompt)} {number}")
    styles = (Style.STEPS, Style.SHORT)
    made = list(
        generate(PROBLEMS[:2], engine, Generate(n=5, ask=Ask(styles=styles)), 0, lambda *t: None, lambda: False)
    )
    assert [told(p) for p in made[:2]] == [f"{STYLES[style]} {REPLY}" for style in styles]
    assert [t.id for t in made[2:]] == [f"s/train/{p}#{n}" for p in range(2) for n in range(5)]
    assert [STYLES[Style.SHORT] in t.sample.text for t in made[2:7]] == [False, True, False, True, False]
    assert [t.sample.text[-1] for t in made[2:7]] == ["0", "0", "1", "1", "2"]
    assert len({t.prompt_hash for t in made[2:7]}) == 2


def test_worked_examples_come_before_the_question_and_never_tell_its_answer():
    solved = [msgspec.structs.replace(p, rationale=f"It is {p.answer}.") for p in PROBLEMS[:4]]
    engine = Scripted(lambda prompt, number: " | ".join(m.content for m in prompt.messages))
    for trace in ask(engine, n=1, solved=solved, ask=Ask(examples=3)):
        own = trace.problem.rpartition("/")[2]
        turns = trace.sample.text.split(" | ")
        assert len(turns) == 8 and turns[-1] == f"{own}?" and f"It is {own}." not in trace.sample.text
        assert all("<think>" in turn and "\\boxed" in turn for turn in turns[2:7:2])
    with pytest.raises(RecipeError, match="4 are to be shown, and 4 train problems"):
        ask(engine, n=1, solved=solved, ask=Ask(examples=4))


def test_a_file_of_ones_own_says_what_the_teacher_is_told(tmp_path):
    file = tmp_path / "law.txt"
    file.write_text("You are a judge.")
    (trace,) = ask(Scripted(lambda prompt, number: told(prompt)), n=1, ask=Ask(file=str(file)))[:1]
    assert trace.sample.text == f"You are a judge.\n\n{FORMAT}"
    file.write_text("You are a judge. Put the article into \\boxed{}.")
    (trace,) = ask(Scripted(lambda prompt, number: told(prompt)), n=1, ask=Ask(file=str(file)))[:1]
    assert trace.sample.text == file.read_text()
    for text in ("", None):
        file.unlink() if text is None else file.write_text(text)
        with pytest.raises(RecipeError, match="ask: file"):
            ask(Scripted(lambda prompt, number: ""), n=1, ask=Ask(file=str(file)))


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
