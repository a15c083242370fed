"""The mix holds the shares that were asked for, lays out what was kept, and says why there is nothing."""

import random
from collections import Counter
from itertools import count

import msgspec
import pytest

from understudy.errors import RecipeError, UnderstudyError
from understudy.recipe import Layout, Mix, MixSource, Thinking, Weights, build
from understudy.records import Example, Judged, Message, Portion, Problem, Sample, Split, Trace, Verdict
from understudy.steps.mix import LeftOut, bare, blend, mix, rationales, talk


def problem(n: int, **change) -> Problem:
    fields = {"id": f"s/train/{n}", "question": f"What is {n} plus 1?", "answer": str(n + 1), "source": "s"}
    return Problem(**fields | {"split": Split.TRAIN, "rationale": f"{n} and 1 more."} | change)


def judged(
    n: int, dropped_by: str | None = None, text: str | None = None, number: int = 0, teacher: str = "t", tokens: int = 0
) -> Judged:
    text = text or f"<think>\n{n}+1={n + 1}.\n</think>\n\nThe answer is \\boxed{{{n + 1}}}."
    key = f"s/train/{n}"
    sample = Sample(text=text, tokens_out=tokens)
    trace = Trace(
        id=f"{key}#{number}", problem=key, teacher=teacher, prompt_hash="", sampling_hash="", sample=sample
    )  # fmt: skip
    return Judged(trace=trace, verdict=Verdict.RIGHT, answer=str(n + 1), dropped_by=dropped_by)


def letters(example: Example) -> int:
    """One token per character of the reply."""
    return len(example.messages[-1].content)


def chat(name: str, number: int | None = None):
    numbers = count() if number is None else range(number)
    return ((Message(role="user", content=f"{name} {i}"), Message(role="assistant", content="Yes.")) for i in numbers)


@pytest.fixture
def made():
    """A mix of so many kept traces; what was said."""

    def make(kept, others=None, seed=0, held_out=(), **settings):
        said, how = [], msgspec.convert(msgspec.to_builtins(settings), Mix)  # as a recipe says it
        problems = {f"s/train/{n}": problem(n) for n in range(200)}
        added = {s.name: talk(s, (others or {})[s.name]) for s in how.sources}
        out = list(mix(kept, problems, added, how, seed, said.append, letters, held_out))
        make.portions = [p for p in out if isinstance(p, Portion)]
        return [e for e in out if isinstance(e, Example)], said

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
        [judged(n) for n in range(kept)], {n: chat(n) for n in names}, seed, sources=sources, rows=rows
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
    one, two, other = (made(kept, {"chat": chat("chat")}, seed, sources=source)[0] for seed in (5, 5, 6))
    assert one == two and [e.id for e in one] != [e.id for e in other]
    assert sorted({e.id for e in one}) == sorted({e.id for e in other})


def test_a_trace_and_its_answer_come_from_one_hand(made):
    examples, _ = made([judged(4)])
    assert [m.content for m in examples[0].messages] == [
        "What is 4 plus 1?", "<think>\n4+1=5.\n</think>\n\nThe answer is \\boxed{5}."
    ]  # fmt: skip
    assert (examples[0].weights, examples[0].origin, examples[0].id) == ((0.0, 1.0), "teacher", "s/train/4#0")


LAID_OUT = {
    Layout.THINK_FIRST: ["<think>\n4+1=5.\n</think>\n\nThe answer is \\boxed{5}."],
    Layout.ANSWER_FIRST: ["The answer is \\boxed{5}.\n\n<why>\n4+1=5.\n</why>"],
    Layout.NONE: ["The answer is \\boxed{5}."],
    Layout.EMPTY_THINK: ["<think>\n\n</think>\n\nThe answer is \\boxed{5}."],
    Layout.NO_TAGS: ["4+1=5.\n\nThe answer is \\boxed{5}."],
    Layout.COARSE: ["<think>\n4+1=5.\n</think>\n\nThe answer is \\boxed{5}."],
    Layout.OUTLINE: ["<think>\n4+1=5\n</think>\n\nThe answer is \\boxed{5}."],
    Layout.TWO_TASKS: ["The answer is \\boxed{5}.", "4+1=5."],
    Layout.GLUED: ["<think>\n4+1=5.\n</think>\n\n4 and 1 more."],
}
LAID_OUT[Layout.ADAPTIVE] = LAID_OUT[Layout.THINK_FIRST] + LAID_OUT[Layout.ANSWER_FIRST]


@pytest.mark.parametrize("layout", Layout)
def test_a_target_is_laid_out_as_the_recipe_says(layout, made):
    examples, _ = made([judged(4)], layout=layout)
    assert sorted(e.messages[-1].content for e in examples) == sorted(LAID_OUT[layout])


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
        made([judged(1)], {"chat": chat("chat", 0)}, rows=10, sources=(MixSource(name="chat", share=0.3),))


def test_shares_that_leave_no_room_are_refused(made):
    sources = (MixSource(name="a", share=0.5), MixSource(name="b", share=0.5))
    with pytest.raises(UnderstudyError, match="leave no room for the traces"):
        made([judged(1)], {"a": chat("a"), "b": chat("b")}, sources=sources)


def test_a_share_that_is_less_than_one_row_takes_nothing(made):
    examples, _ = made([judged(1)], {"chat": chat("chat")}, sources=(MixSource(name="chat", share=0.01),))
    assert [e.origin for e in examples] == ["teacher"]


def test_a_limit_is_how_many_of_a_source_are_read(made):
    source = (MixSource(name="chat", share=0.5, limit=3),)
    examples, _ = made([judged(n) for n in range(10)], {"chat": chat("chat")}, sources=source)
    assert {e.id for e in examples if e.origin == "chat"} == {"chat/0", "chat/1", "chat/2"}


def test_base_training_has_answers_alone():
    examples = list(bare([problem(1), problem(2, answer=None)]))
    assert [(e.messages[-1].content, e.origin) for e in examples] == [("The answer is \\boxed{2}.", "answer")]


def test_a_rationale_is_laid_out_as_the_teachers_traces_are():
    shown = list(rationales([problem(1), problem(2, rationale=None), problem(3, answer=None)], Mix()))
    assert [e.messages[-1].content for e in shown] == ["<think>\n1 and 1 more.\n</think>\n\nThe answer is \\boxed{2}."]


def test_blend_draws_its_main_part_once_each():
    main = list(bare(problem(n) for n in range(30)))
    blended = list(blend(main, {}, (), None, 0, lambda line: None))
    assert sorted(e.id for e in blended) == sorted(e.id for e in main) and blended != main


# --- which traces -----------------------------------------------------------------------------------------------------


def several(problems: int, traces: int) -> list[Judged]:
    return [judged(n, number=k) for n in range(problems) for k in range(traces)]


def test_a_group_is_the_traces_of_a_problem(made):
    alone, _ = made(several(4, 3))
    grouped, _ = made(several(4, 3), traces="one_per_epoch")
    assert {e.group for e in alone} == {None} and {e.id for e in alone} == {e.id for e in grouped}
    assert Counter(e.group for e in grouped) == {f"s/train/{n}": 3 for n in range(4)}


def test_one_per_epoch_is_a_row_for_each_problem(made):
    source = (MixSource(name="chat", share=0.5),)
    examples, _ = made(several(6, 5), {"chat": chat("chat")}, traces="one_per_epoch", sources=source)
    assert Counter(e.origin for e in examples) == {"teacher": 30, "chat": 6}  # an epoch has six of each
    assert [(p.name, p.rows, p.of_rows) for p in made.portions] == [("teacher", 6, 0.5), ("chat", 6, 0.5)]


def test_a_problem_that_comes_again_is_another_group(made):
    examples, _ = made(several(2, 3), rows=5, traces="one_per_epoch")
    assert sorted(Counter(e.group for e in examples).values()) == [3] * 5


def test_modes_and_tasks_are_groups_of_their_own(made):
    for layout, tasks in (
        (Layout.TWO_TASKS, ("predict", "explain")),
        (Layout.ADAPTIVE, ("think_first", "answer_first")),
    ):
        examples, _ = made(several(3, 2), layout=layout, traces="one_per_epoch")
        assert Counter(e.group for e in examples) == {f"s/train/{n}/{t}": 2 for n in range(3) for t in tasks}


def test_fewer_problems_are_a_part_of_more_and_the_same_in_every_layout(made):
    def problems(**settings) -> set[str]:
        return {e.id.partition("#")[0] for e in made(several(40, 2), **settings)[0]}

    tenth, quarter = problems(problems=0.1), problems(problems=0.25)
    assert (len(tenth), len(quarter), len(problems())) == (4, 10, 40) and tenth < quarter
    assert problems(problems=0.1, layout=Layout.TWO_TASKS) == tenth


CLASSES = [
    ({"by": "teacher", "of": {"weak": 3, "strong": 1}}, {"weak": 0.75, "strong": 0.25}),
    ({"by": "length", "of": {"short": 4, "long": 1}}, {"short": 0.8, "long": 0.2}),
    ({"by": "length", "of": {"short": 1, "long": 1}, "long_from": 10}, {"short": 0.5, "long": 0.5}),
    ({"by": "length", "of": {"long": 1}, "long_from": 45}, {"long": 1.0}),
]


@pytest.mark.parametrize(("among", "shares"), CLASSES)
@pytest.mark.parametrize("unit", ["rows", "tokens"])
@pytest.mark.parametrize("rows", [None, 30])
def test_classes_of_traces_have_their_shares(among, shares, unit, rows, made):
    kept = [judged(n, teacher="strong" if n % 2 else "weak", tokens=n) for n in range(60)]
    examples, _ = made(kept, among=among, unit=unit, rows=rows)
    for portion in made.portions:
        got = portion.of_rows if unit == "rows" else portion.of_tokens
        assert got == pytest.approx(shares[portion.name.removeprefix("teacher: ")], abs=0.03)
    ids = Counter(e.id for e in examples)
    assert rows is not None or max(ids.values()) == 1  # the scarcest class is used once
    lowest = min(int(key.split("/")[2].partition("#")[0]) for key in ids)
    assert lowest >= 45 if shares == {"long": 1.0} else lowest < 10


def test_a_class_without_traces_is_named(made):
    with pytest.raises(UnderstudyError, match="no trace is of the class 'strong'. There are: t."):
        made(several(3, 1), among={"by": "teacher", "of": {"strong": 1}})


def test_what_is_held_out_is_not_learned_from(made):
    examples, said = made(several(4, 2), held_out=["s/train/1"])
    assert {e.id.partition("#")[0] for e in examples} == {"s/train/0", "s/train/2", "s/train/3"}
    assert made.portions[0].left_out == {"held out": 2} and said[-1] == "mix: teacher: left out 2 (held out)"


# --- what weighs how much ---------------------------------------------------------------------------------------------


def weighed(example: Example) -> list[tuple[str, float]]:
    """The pieces of the reply with their factors."""
    reply, at, found = example.messages[-1].content, 0, []
    for end, factor in example.spans:
        found.append((reply[at:end], factor))
        at = end
    return found


@pytest.mark.parametrize(
    ("weights", "pieces"),
    [
        ({}, []),
        ({"thought": 0.5}, [("<think>\n", 1), ("4+1=5.", 0.5), ("\n</think>\n\nThe answer is \\boxed{5}.", 1)]),
        (
            {"answer": 5, "format": 0},
            [("<think>\n", 0), ("4+1=5.", 1), ("\n</think>\n\nThe answer is \\boxed{", 0), ("5", 5), ("}.", 0)],
        ),
    ],
)
def test_thought_answer_and_format_weigh_what_the_recipe_says(weights, pieces, made):
    (example,), _ = made([judged(4)], weights=weights)
    assert weighed(example) == pieces and example.weights == (0, 1)


def test_conversation_weighs_one(made):
    source = (MixSource(name="chat", share=0.5),)
    examples, _ = made(several(4, 1), {"chat": chat("chat")}, sources=source, weights=Weights(answer=9))
    assert {e.origin: bool(e.spans) for e in examples} == {"teacher": True, "chat": False}


def test_a_rationale_weighs_as_a_trace_does():
    (example,) = rationales([problem(4)], Mix(weights=Weights(answer=9)))
    assert ("5", 9) in weighed(example)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.8, 0.0, 1.0])
def test_of_two_tasks_predicting_has_its_part_of_the_loss(alpha, made):
    examples, _ = made(several(9, 2), layout=Layout.TWO_TASKS, alpha=alpha)
    weight = Counter()
    for e in examples:
        weight[e.id.rpartition("/")[2]] += e.weights[-1] * letters(e)
    total = sum(weight.values())
    assert weight["predict"] / total == pytest.approx(alpha, abs=1e-4) and total == pytest.approx(
        sum(map(letters, examples))
    )
    assert all(e.weights[-1] > 0 for e in examples)


# --- shares -----------------------------------------------------------------------------------------------------------


def spoken(lengths):
    return ((Message(role="user", content="?"), Message(role="assistant", content="x" * length)) for length in lengths)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rows", [None, 300])
def test_shares_by_tokens_are_shares_of_what_is_learned(seed, rows, made):
    rng = random.Random(seed)
    shares = {"a": round(rng.uniform(0.05, 0.4), 2), "b": round(rng.uniform(0.05, 0.4), 2)}
    mean = {"a": rng.randint(5, 20), "b": rng.randint(60, 200)}
    print(f"seed {seed}: {shares}, {mean}")
    others = {n: spoken(rng.randint(1, 2 * m) for _ in count()) for n, m in mean.items()}
    sources = tuple(MixSource(name=n, share=s) for n, s in shares.items())
    examples, said = made([judged(n) for n in range(150)], others, seed, sources=sources, unit="tokens", rows=rows)
    tokens = Counter()
    for e in examples:
        tokens[e.origin] += letters(e)
    for portion in made.portions:
        assert portion.tokens == tokens[portion.name]
        assert portion.of_tokens == pytest.approx(shares.get(portion.name, 1 - sum(shares.values())), abs=0.02)
    if rows is None:  # every trace once
        assert Counter(e.id for e in examples if e.origin == "teacher") == {f"s/train/{n}#0": 1 for n in range(150)}
    else:
        assert len(examples) == pytest.approx(rows, rel=0.15)
    assert f"of what is learned {made.portions[0].of_tokens:.0%}" in said[0]


def test_by_tokens_a_source_of_long_replies_has_fewer_rows_than_by_rows(made):
    source = (MixSource(name="a", share=0.5),)
    for unit, fewer in (("rows", False), ("tokens", True)):
        made([judged(n) for n in range(50)], {"a": spoken([400] * 90)}, sources=source, unit=unit)
        teacher, other = made.portions
        assert (other.rows < teacher.rows / 4) == fewer and (other.of_tokens > 0.85) != fewer


def test_what_comes_again_is_told_apart_on_record(made):
    made(several(2, 1), {"a": chat("a", 3)}, rows=20, sources=(MixSource(name="a", share=0.5),))
    assert [(p.name, p.rows, p.different, p.asked, p.unit) for p in made.portions] == [
        ("teacher", 10, 2, 0.5, "rows"), ("a", 10, 3, 0.5, "rows")
    ]  # fmt: skip


# --- thinking ---------------------------------------------------------------------------------------------------------

THINKS = "<think>\nHm.\n</think>\n\nHello!"
TOLD = [
    (Thinking.AUTO, [THINKS, "Hello!", "<think>\nHm.\n</think>"], 0),
    (Thinking.ALWAYS, [THINKS, "<think>\nHm.\n</think>"], 1),
    (Thinking.NEVER, ["Hello!", "Hello!"], 1),
    (Thinking.EMPTY, ["<think>\n\n</think>\n\nHello!"] * 2, 1),
]


@pytest.mark.parametrize(("thinking", "replies", "left_out"), TOLD)
def test_replies_of_a_source_think_as_it_says(thinking, replies, left_out):
    turns = [
        (Message(role="user", content="Hi"), Message(role="assistant", content=reply))
        for reply in (THINKS, "Hello!", "<think>\nHm.\n</think>")
    ]
    found = list(talk(MixSource(name="a", share=0.5, thinking=thinking), turns))
    assert [one.messages[-1].content for one in found if isinstance(one, Example)] == replies
    assert sum(isinstance(one, LeftOut) for one in found) == left_out


def test_rows_left_out_are_counted_and_a_source_of_no_use_is_refused(made):
    source = (MixSource(name="a", share=0.5, thinking="always"),)
    turns = [(Message(role="user", content="Hi"), Message(role="assistant", content=r)) for r in ("No.", THINKS) * 5]
    made(several(4, 1), {"a": turns}, sources=source)
    assert made.portions[1].left_out == {"does not think": 4}
    with pytest.raises(UnderstudyError, match=r"the source 'a' has no conversations of use \(10000: does not think\)"):
        made(several(4, 1), {"a": chat("a")}, sources=source)


# --- what a recipe may not ask ----------------------------------------------------------------------------------------

REFUSED = [
    ({"pretrain": {"sources": [{"name": "small_talk", "share": 0.1, "replies": "base"}]}}, "there is no base yet"),
    ({"mix": {"sources": [{"name": "rationale", "share": 0.1, "thinking": "never"}]}}, "laid out as the traces are"),
    ({"mix": {"sources": [{"name": "rationale", "share": 0.1, "replies": "base"}]}}, "laid out as the traces are"),
    ({"mix": {"coarse_steps": 1}}, "Expected `int` >= 2".replace("`", "")),
]


@pytest.mark.parametrize(("parts", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_a_source_cannot_do_is_refused(parts, says):
    with pytest.raises(RecipeError, match=says):
        build(parts)
