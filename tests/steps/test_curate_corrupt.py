"""Damage on purpose: as much as was asked for, to the reasoning alone, and the same in every run."""

import random
import re
from collections import Counter

import msgspec
import pytest

from understudy import answers, prompts
from understudy.recipe import Corrupt, Corruption, Layout, Mix
from understudy.records import Kind
from understudy.steps.curate.corrupt import Donor, corrupted
from understudy.steps.mix import mix

STEPS = [f"Step {i}: {i} + 10 = {i + 10}." for i in range(1, 9)]
ANSWER = "The answer is \\boxed{40}."
SHAPES = {
    "tags": {"text": "<think>\n" + "\n".join(STEPS) + "\n</think>\n\n" + ANSWER},
    "one line": {"text": f"<think>{' '.join(STEPS)}</think>{ANSWER}"},
    "a field of the server": {"text": ANSWER, "thought": "\n".join(STEPS)},
    "no thought": {"text": f"{' '.join(STEPS)} {ANSWER}"},
}
DONORS = (Donor("eggs/train/9", ("Foreign one.", "Foreign two.")), Donor("eggs/train/0", ("Own step.",)))


@pytest.fixture
def damage(eggs, told):
    """What is left of the reasoning, and the reply."""

    def done(kind, rate, number=0, shape="tags", share=1.0):
        trace = told(eggs(), number, **SHAPES[shape])
        found = corrupted(trace, Kind.NUMBER, Corrupt(kind=kind, rate=rate, share=share), DONORS)
        return None if found is None else (prompts.steps_of(prompts.reasoning(found.trace.sample, Kind.NUMBER)), found)

    return done


@pytest.mark.parametrize("rate", [0, 0.25, 0.5, 1])
@pytest.mark.parametrize("kind", Corruption)
def test_so_many_steps_are_damaged(kind, rate, damage):
    steps, found = damage(kind, rate)
    count = round(8 * rate)
    assert found.told == f"{kind}: {count} of 8 steps"
    if kind is Corruption.DIGITS:
        assert sum(a != b for a, b in zip(steps, STEPS, strict=True)) == count
        assert [re.sub(r"\d", "", s) for s in steps] == [re.sub(r"\d", "", s) for s in STEPS]
    elif kind is Corruption.DELETED:
        assert len(steps) == 8 - count and [s for s in STEPS if s in steps] == steps
    elif kind is Corruption.SHUFFLED:
        assert sorted(steps) == STEPS and sum(a != b for a, b in zip(steps, STEPS, strict=True)) == count
    else:
        assert [s for s in steps if s in STEPS] == STEPS and len(steps) == 8 + count
        assert {s for s in steps if s not in STEPS} <= {"Foreign one.", "Foreign two."}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", Corruption)
def test_the_reply_stays_as_it_is(kind, shape, damage):
    _, found = damage(kind, 1, shape=shape)
    assert answers.split(found.trace.sample.text, found.trace.sample.thought).reply == ANSWER
    assert answers.find(found.trace.sample.text).text == "40"


def test_damage_depends_on_the_trace_alone(damage):
    texts = [damage(Corruption.DIGITS, 0.5, n)[1].trace.sample.thought for n in (1, 2, 1)]
    assert texts[0] == texts[2] != texts[1]


def test_a_share_of_the_traces_is_damaged(damage):
    hit = sum(damage(Corruption.DIGITS, 0.5, n, share=0.3) is not None for n in range(500))
    assert 110 <= hit <= 190
    assert damage(Corruption.DIGITS, 0.5, share=0) is None


def test_digits_are_drawn_evenly(damage):
    texts = [damage(Corruption.DIGITS, 1, n)[1].trace.sample.thought for n in range(50)]
    drawn = Counter(digit for text in texts for digit in re.findall(r"\d", text))
    assert set(drawn) == set("0123456789") and max(drawn.values()) < 2 * min(drawn.values())


def test_kept_traces_alone_are_damaged_and_it_is_on_record(eggs, told, curated):
    traces = [told(eggs()), told(eggs(), 1, "41")]
    good, bad = curated(traces, [eggs()], corrupt=Corrupt(kind=Corruption.DELETED, rate=0.5))
    assert (good.corrupted, good.answer, good.dropped_by, good.structure) == ("deleted: 1 of 2 steps", "40", None, 1)
    assert good.trace != traces[0] and (bad.corrupted, bad.trace) == (None, traces[1])


def test_foreign_steps_come_from_right_traces_that_no_test_shares(eggs, told, think, curated):
    def solved(number, word, **change):
        problem = eggs(number, **change)
        return problem, told(problem, 0, think(f"{word} 12 * 3 = 36.\n{word} 36 + 4 = {change.get('sum', 40)}."))

    good, other = solved(0, "Good."), solved(1, "Other.")
    test, wrong = solved(2, "Leaked.", overlap="same question as eggs/test/1"), solved(3, "Wrong.", answer="39")
    pairs = [good, other, test, wrong]
    got = curated([t for _, t in pairs], [p for p, _ in pairs], corrupt=Corrupt(kind=Corruption.INSERTED, rate=1))
    thoughts = [one.trace.sample.thought for one in got if one.dropped_by is None]
    assert len(thoughts) == 2
    assert all(t.count("Good.") == t.count("Other.") == 2 for t in thoughts)
    assert not any("Leaked" in t or "Wrong" in t for t in thoughts)


@pytest.mark.parametrize(("kind", "rate"), [(Corruption.SHUFFLED, 1), (Corruption.DELETED, 1)])
def test_the_mix_teaches_the_damaged_reasoning(kind, rate, eggs, told, curated):
    problem = eggs()
    judged = curated([told(problem)], [problem], corrupt=Corrupt(kind=kind, rate=rate))
    example, *_ = mix(judged, {problem.id: problem}, {}, Mix(layout=Layout.THINK_FIRST), 0, print, lambda example: 1)
    thought = {Corruption.SHUFFLED: "36 + 4 = 40. 12 * 3 = 36.", Corruption.DELETED: ""}[kind]
    assert example.messages[-1].content == prompts.target(thought, "40", Layout.THINK_FIRST)


def test_damage_gives_the_same_bytes_again(eggs, told, curated):
    problems = [eggs(i) for i in range(20)]
    traces = [told(p, 0, f"<think>{i}. " + " ".join(STEPS) + f"</think>{ANSWER}") for i, p in enumerate(problems)]
    random.seed(1)
    settings = {"corrupt": Corrupt(kind=Corruption.INSERTED, rate=0.5, share=0.5), "without": ("mismatch",)}
    runs = [curated(traces, problems, **settings) for _ in range(2)]
    assert msgspec.json.encode(runs[0]) == msgspec.json.encode(runs[1])
    assert 3 <= sum(one.corrupted is not None for one in runs[0]) <= 17
