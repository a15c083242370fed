"""Targets through the tokenizers that students have: every layout comes back, ends, and weighs where it should."""

import json
from pathlib import Path

import pytest

transformers = pytest.importorskip("transformers")

from understudy import answers, prompts, student  # noqa: E402
from understudy.recipe import Layout, Mix, Weights  # noqa: E402
from understudy.records import Kind, Message, Problem, Split, Verdict  # noqa: E402
from understudy.render import prompt_ids, render, rendered, text  # noqa: E402
from understudy.steps.mix import rationales  # noqa: E402

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
THOUGHT = "Café: 12 × 24 = 288 🥐.\nThree quarters: 288 * 3/4 = 216, and 288 - 216 = 72."
PROBLEM = Problem(
    id="s/train/0", question="12 batches of 24 🥐, 3/4 sold: how many are left?", answer="72",
    source="s", split=Split.TRAIN, rationale=THOUGHT,
)  # fmt: skip


@pytest.fixture(scope="module", params=["built here", "qwen2.5"])
def tokenizer(request):
    if request.param == "built here":
        return student.train_tokenizer([THOUGHT, PROBLEM.question], 320)
    if not (SHARED / "tokenizers" / "qwen2.5").exists():
        pytest.skip("tokenizers/qwen2.5 is not beside this checkout")
    return student.load_tokenizer(str(SHARED / "tokenizers" / "qwen2.5"))


@pytest.mark.parametrize("layout", Layout)
def test_every_layout_comes_back_ends_and_follows_what_will_be_asked(layout, tokenizer):
    for target in prompts.targets(PROBLEM, THOUGHT, "72", Mix(layout=layout)):
        reply = prompts.written(target.pieces)
        turns = (*target.before, Message(role="assistant", content=reply))
        row = render(turns, (*(0.0 for _ in target.before), 1.0), tokenizer)
        assert tokenizer.decode(row.ids) == text(turns, tokenizer)
        asked = prompt_ids(target.before, tokenizer)
        learned = [t for t, w in zip(row.ids, row.weights, strict=True) if w]
        assert row.ids[: len(asked)] == asked and row.ids[len(asked) :][: len(learned)] == learned
        assert learned[-1] == tokenizer.eos_token_id and tokenizer.decode(learned[:-1]) == reply
        if target.task == "" or target.task == prompts.PREDICT:
            assert prompts.solve(PROBLEM, layout).messages == target.before
        if target.task != prompts.EXPLAIN:
            assert answers.judge(tokenizer.decode(learned[:-1]), "72", Kind.NUMBER).verdict is Verdict.RIGHT


@pytest.mark.parametrize("layout", Layout)
def test_every_token_has_the_weight_of_the_part_it_begins_in(layout, tokenizer):
    weights = {prompts.Role.THOUGHT: 0.5, prompts.Role.ANSWER: 4.0, prompts.Role.FORMAT: 2.0}
    settings = Mix(layout=layout, weights=Weights(thought=0.5, answer=4, format=2))
    targets = list(prompts.targets(PROBLEM, prompts.rationale(PROBLEM), "72", settings))
    for target, example in zip(targets, rationales([PROBLEM], settings), strict=True):
        row = rendered(example, tokenizer)
        of_character = [weights[p.role] for p in target.pieces for _ in p.text]
        at = len(row.ids) - row.weights[::-1].index(1.0) - 1  # the end of the turn
        first = next(i for i, w in enumerate(row.weights) if w)
        reply = prompts.written(target.pieces)
        for i in range(first, at):
            before = tokenizer.decode(row.ids[first:i])
            if not before.endswith("\ufffd"):  # else within a character
                assert reply.startswith(before) and row.weights[i] == of_character[len(before)], (i, before[-9:])
        assert row.ids[at] == tokenizer.eos_token_id


@pytest.mark.parametrize("layout", prompts.OPENINGS)
def test_a_forced_mode_is_what_was_learned_to_the_token(layout, tokenizer):
    """A prefill that fell into other tokens than the target would ask for what was never learned."""
    reply = prompts.target(THOUGHT, "72", layout)
    asked = prompts.question(PROBLEM)
    whole = render((*asked, Message(role="assistant", content=reply)), (0, 1), tokenizer).ids
    begun = prompt_ids(asked, tokenizer, prompts.OPENINGS[layout])
    assert whole[: len(begun)] == begun


@pytest.mark.parametrize("layout", Layout)
def test_real_solutions_go_through(layout, tokenizer):
    path = SHARED / "gsm8k" / "train.jsonl"
    if not path.exists():
        pytest.skip("gsm8k is not beside this checkout")
    with path.open() as file:
        rows = [json.loads(next(file)) for _ in range(40)]
    fields = ("id", "question", "answer", "rationale")
    problems = [Problem(**{f: r[f] for f in fields}, source="g", split=Split.TRAIN) for r in rows]
    settings = Mix(layout=layout, weights=Weights(answer=3.0))
    examples = list(rationales(problems, settings))
    assert len(examples) >= (38 if layout is Layout.OUTLINE else 40)
    golds = [(p.question, p.answer) for p in problems]
    for example in examples:
        row = rendered(example, tokenizer)
        assert tokenizer.decode(row.ids) == text(example.messages, tokenizer)
        assert [t for t, w in zip(row.ids, row.weights, strict=True) if w][-1] == tokenizer.eos_token_id
        if not example.id.endswith(prompts.EXPLAIN):
            gold = next(a for q, a in golds if q in example.messages[0].content)
            heavy = tokenizer.decode([t for t, w in zip(row.ids, row.weights, strict=True) if w == 3.0])
            if layout is not Layout.GLUED:
                assert heavy == gold
                assert answers.judge(example.messages[-1].content, gold, Kind.NUMBER).verdict is Verdict.RIGHT
