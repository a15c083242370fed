"""Rollouts to train on: what is drawn follows from seed, prompt and number, and is as likely as the model says."""

import msgspec
import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import student  # noqa: E402
from understudy.engines.drawing import Drawing  # noqa: E402
from understudy.engines.local import Local  # noqa: E402
from understudy.prompts import solve  # noqa: E402
from understudy.recipe import Build  # noqa: E402
from understudy.records import Problem, Sampling, Split, Stop  # noqa: E402
from understudy.student import Loaded  # noqa: E402

SHAPE = Build(layers=1, width=32, heads=2, kv_heads=1, head_width=16, ffn=64, vocabulary=300, context=128)
QUESTIONS = [f"How many is {n} and {n}?" + " Say." * (n % 3) for n in range(12)]
PROBLEMS = [Problem(id=q, question=q, answer="7", source="s", split=Split.TRAIN) for q in QUESTIONS]


@pytest.fixture(scope="module")
def tokenizer():
    return student.train_tokenizer(QUESTIONS, 300)


@pytest.fixture
def fresh(tokenizer):
    return lambda: Loaded(student.build(SHAPE, tokenizer, 0), tokenizer)


def test_a_rollout_does_not_depend_on_its_batch(fresh):
    loaded, how = fresh(), Sampling(n=3, temperature=1.0, max_tokens=12, seed=1)
    prompts = [solve(p) for p in PROBLEMS]
    together = Drawing(loaded, 64)(prompts, how)
    alone = [d for p in prompts for d in Drawing(loaded, 3)([p], how)]
    assert [d.reply for d in together] == [d.reply for d in alone] and len(together) == 36
    assert [(d.prompt, d.number) for d in together] == [(i, n) for i in range(12) for n in range(3)]
    other = Drawing(loaded, 64)(prompts, msgspec.structs.replace(how, seed=2))
    assert sum(a.reply != b.reply for a, b in zip(together, other, strict=True)) > 30


def test_what_is_greedy_is_what_the_engine_says(fresh):
    loaded, how = fresh(), Sampling(max_tokens=12)
    prompts = [solve(p) for p in PROBLEMS]
    ours = [d.sample for d in Drawing(loaded, 64)(prompts, how)]
    theirs = {s.prompt: s.sample for s in Local(loaded, "x").sample(prompts, how)}
    assert ours == [theirs[i] for i in range(12)]


def test_what_a_reply_begins_with_is_part_of_it(fresh):
    prompt = solve(PROBLEMS[0], prefill="<think>\n")
    (plain,), (begun,) = (Drawing(fresh(), 8)([p], Sampling(max_tokens=4)) for p in (solve(PROBLEMS[0]), prompt))
    assert begun.sample.text.startswith("<think>\n") and len(begun.asked) > len(plain.asked) and len(begun.reply) == 4


def test_tokens_are_drawn_as_often_as_they_are_likely(fresh):
    loaded = fresh()
    for temperature in (1.0, 0.5):
        how = Sampling(n=4000, temperature=temperature, max_tokens=1, seed=3)
        drawn = Drawing(loaded, 4000)([solve(PROBLEMS[0])], how)
        with torch.no_grad():
            logits = loaded.model(torch.tensor([drawn[0].asked])).logits[0, -1]
        expected = (logits / temperature).softmax(-1) * 4000
        counts = torch.bincount(torch.tensor([d.reply[0] for d in drawn]), minlength=len(expected))
        chi = float(((counts - expected) ** 2 / expected).sum())
        free = len(expected) - 1
        assert abs(chi - free) < 5 * (2 * free) ** 0.5


def test_a_reply_holds_the_token_that_ends_it_and_a_cut_off_one_none(fresh, tokenizer):
    drawn = Drawing(fresh(), 256)([solve(p) for p in PROBLEMS], Sampling(n=40, temperature=1.0, max_tokens=30, seed=0))
    assert {d.sample.stop for d in drawn} == {Stop.END, Stop.LENGTH}
    for d in drawn:
        ended = d.sample.stop is Stop.END
        assert (d.reply[-1] == tokenizer.eos_token_id) == ended and tokenizer.eos_token_id not in d.reply[:-1]
        assert len(d.reply) == d.sample.tokens_out and (ended or len(d.reply) == 30)
