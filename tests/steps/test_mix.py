"""The mix holds the shares that were asked for, lays out what was kept, and says why there is nothing."""

import random
from collections import Counter
from itertools import count

import pytest

from understudy.errors import UnderstudyError
from understudy.recipe import Layout, Mix, MixSource
from understudy.records import Judged, Message, Problem, Sample, Split, Trace, Verdict
from understudy.steps.mix import bare, blend, mix, rationales


def problem(n: int, **change) -> Problem:
    fields = {"id": f"s/train/{n}", "question": f"What is {n} plus 1?", "answer": str(n + 1), "source": "s"}
    return Problem(**fields | {"split": Split.TRAIN, "rationale": f"{n} and 1 more."} | change)


def judged(n: int, dropped_by: str | None = None, text: str | None = None) -> Judged:
    text = text or f"<think>\n{n}+1={n + 1}.\n</think>\n\nThe answer is \\boxed{{{n + 1}}}."
    key = f"s/train/{n}"
    trace = Trace(
        id=f"{key}#0", problem=key, teacher="t", prompt_hash="", sampling_hash="", sample=Sample(text=text)
    )  # fmt: skip
    return Judged(trace=trace, verdict=Verdict.RIGHT, answer=str(n + 1), dropped_by=dropped_by)


def talk(name: str, number: int | None = None):
    numbers = count() if number is None else range(number)
    return ((Message(role="user", content=f"{name} {i}"), Message(role="assistant", content="Yes.")) for i in numbers)


@pytest.fixture
def made():
    """A mix of so many kept traces; what was said."""

    def make(kept, others=None, seed=0, **settings):
        said = []
        problems = {f"s/train/{n}": problem(n) for n in range(200)}
        examples = list(mix(kept, problems, others or {}, Mix(**settings), seed, said.append))
        return examples, said

    return make


@pytest.mark.parametrize("seed", random.Random(20).sample(range(10_000), 12))
def test_every_share_is_what_was_asked_for(seed, made):
    rng = random.Random(seed)
    names = [f"source{i}" for i in range(rng.randint(1, 4))]
    shares = [round(rng.uniform(0.01, 0.9 / len(names)), 3) for _ in names]
    rows = rng.choice([None, rng.randint(20, 400)])
    kept = rng.randint(5, 150)
    print(f"seed {seed}: shares {shares}, rows {rows}, kept {kept}")
    sources = tuple(MixSource(name=n, share=s) for n, s in zip(names, shares, strict=True))
    examples, said = made(
        [judged(n) for n in range(kept)], {n: talk(n) for n in names}, seed, sources=sources, rows=rows
    )
    counts = Counter(e.origin for e in examples)
    assert len(examples) == (rows or round(kept / (1 - sum(shares))))
    for name, share in zip(names, shares, strict=True):
        assert counts[name] == round(share * len(examples))
    assert counts["teacher"] == len(examples) - sum(counts[n] for n in names)
    if rows is None and len(names) == 1:
        assert abs(counts["teacher"] - kept) <= 1  # every kept trace once
    assert f"teacher {counts['teacher']}" in said[-1]


def test_what_there_is_too_little_of_comes_again_and_each_once_before_any_twice(made):
    examples, _ = made([judged(n) for n in range(3)], rows=8)
    assert sorted(Counter(e.id for e in examples).values()) == [2, 3, 3]


def test_the_same_seed_gives_the_same_mix_and_another_one_another(made):
    kept = [judged(n) for n in range(30)]
    source = (MixSource(name="chat", share=0.3),)
    one, two, other = (made(kept, {"chat": talk("chat")}, seed, sources=source)[0] for seed in (5, 5, 6))
    assert one == two and [e.id for e in one] != [e.id for e in other]
    assert sorted({e.id for e in one}) == sorted({e.id for e in other})


def test_a_trace_and_its_answer_come_from_one_hand(made):
    examples, _ = made([judged(4)])
    assert [m.content for m in examples[0].messages] == [
        "What is 4 plus 1?", "<think>\n4+1=5.\n</think>\n\nThe answer is \\boxed{5}."
    ]  # fmt: skip
    assert (examples[0].weights, examples[0].origin, examples[0].id) == ((0.0, 1.0), "teacher", "s/train/4#0")


LAID_OUT = {
    Layout.THINK_FIRST: "<think>\n4+1=5.\n</think>\n\nThe answer is \\boxed{5}.",
    Layout.ANSWER_FIRST: "The answer is \\boxed{5}.\n\n<why>\n4+1=5.\n</why>",
    Layout.NONE: "The answer is \\boxed{5}.",
    Layout.GLUED: "<think>\n4+1=5.\n</think>\n\n4 and 1 more.",
}


@pytest.mark.parametrize("layout", Layout)
def test_a_target_is_laid_out_as_the_recipe_says(layout, made):
    assert made([judged(4)], layout=layout)[0][0].messages[-1].content == LAID_OUT[layout]


def test_arms_of_other_layouts_learn_from_the_same_traces(made):
    kept = [judged(n) for n in range(20)]
    thinking, answering = (made(kept, layout=layout)[0] for layout in (Layout.THINK_FIRST, Layout.NONE))
    assert [e.id for e in thinking] == [e.id for e in answering]


def test_a_reply_without_reasoning_is_no_example_of_thinking(made):
    bare_reply = judged(4, text="The answer is 5.")
    assert [e.id for e in made([judged(3), bare_reply])[0]] == ["s/train/3#0"] * 1
    assert {e.id for e in made([judged(3), bare_reply], layout=Layout.NONE)[0]} == {"s/train/3#0", "s/train/4#0"}


def test_nothing_kept_is_said_with_counts(made):
    dropped = [judged(n, dropped_by="wrong") for n in range(16)] + [judged(20, dropped_by="slip")]
    with pytest.raises(UnderstudyError) as error:
        made(dropped)
    assert str(error.value) == (
        "No trace was kept. Dropped: 16 wrong, 1 slip. Read some: understudy show RUN judged --dropped"
    )
    with pytest.raises(UnderstudyError, match="No trace was kept. Dropped: there were none."):
        made([])


def test_an_empty_source_is_named(made):
    with pytest.raises(UnderstudyError, match="mix: the source 'chat' has no conversations"):
        made([judged(1)], {"chat": talk("chat", 0)}, rows=10, sources=(MixSource(name="chat", share=0.3),))


def test_shares_that_leave_no_room_are_refused(made):
    sources = (MixSource(name="a", share=0.5), MixSource(name="b", share=0.5))
    with pytest.raises(UnderstudyError, match="leave no room for the traces"):
        made([judged(1)], {"a": talk("a"), "b": talk("b")}, sources=sources)


def test_a_share_that_is_less_than_one_row_takes_nothing(made):
    examples, _ = made([judged(1)], {"chat": talk("chat")}, sources=(MixSource(name="chat", share=0.01),))
    assert [e.origin for e in examples] == ["teacher"]


def test_a_limit_is_how_many_of_a_source_are_read(made):
    source = (MixSource(name="chat", share=0.5, limit=3),)
    examples, _ = made([judged(n) for n in range(10)], {"chat": talk("chat")}, sources=source)
    assert {e.id for e in examples if e.origin == "chat"} == {"chat/0", "chat/1", "chat/2"}


def test_base_training_has_answers_alone():
    examples = list(bare([problem(1), problem(2, answer=None)]))
    assert [(e.messages[-1].content, e.origin) for e in examples] == [("The answer is \\boxed{2}.", "answer")]


def test_a_rationale_is_laid_out_as_the_teachers_traces_are():
    shown = list(rationales([problem(1), problem(2, rationale=None), problem(3, answer=None)], Layout.THINK_FIRST))
    assert [c[-1].content for c in shown] == ["<think>\n1 and 1 more.\n</think>\n\nThe answer is \\boxed{2}."]


def test_blend_draws_its_main_part_once_each():
    main = list(bare(problem(n) for n in range(30)))
    blended = list(blend(main, {}, (), None, 0, lambda line: None))
    assert sorted(e.id for e in blended) == sorted(e.id for e in main) and blended != main
