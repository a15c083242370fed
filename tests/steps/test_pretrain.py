"""Base training on text keeps documents apart, draws as it was told, and resumed is what it would have been."""

import re
from itertools import islice
from pathlib import Path

import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import recipe as recipes  # noqa: E402
from understudy import reckon, student  # noqa: E402
from understudy.errors import RecipeError, UserError  # noqa: E402
from understudy.recipe import Anneal, Build, Compute, Pretrain, Separate, Text  # noqa: E402
from understudy.records import Loss, Student  # noqa: E402
from understudy.sources.chat import small_talk  # noqa: E402
from understudy.sources.sums import sums  # noqa: E402
from understudy.steps.pretrain import Corpus, base  # noqa: E402
from understudy.steps.pretrain.packing import Packed, labels, positions  # noqa: E402
from understudy.steps.pretrain.running import _arguments, _together, _Trainer  # noqa: E402
from understudy.store import Speed  # noqa: E402
from understudy.student import Loaded  # noqa: E402

SHAPE = Build(layers=1, width=32, heads=2, kv_heads=1, head_width=16, ffn=64, vocabulary=320, context=64)
MADE = {"sums": list(islice(sums(0), 60)), "small_talk": list(islice(small_talk(0), 60))}
CORPUS = Corpus(MADE, lambda document: False)
STATED = Compute(peak_tflops=1)


def settings(**change) -> Pretrain:
    texts = (Text(name="sums", share=3), Text(name="small_talk"))
    usual = {"steps": 12, "batch": 4, "length": 32, "save_every": 4, "log_every": 2, "lr": 3e-3, "texts": texts}
    return Pretrain(**usual | {"shuffle": 16} | change)


@pytest.fixture
def run(tmp_path):
    """Train a base; its record, its curve and its weights. `until`: interrupted at that step."""

    def ran(folder="run", until=None, build=SHAPE, said=None, told=None, **change):
        heard: list[str] = said if said is not None else []
        speeds: list[Speed] = told if told is not None else []
        stop = (lambda: any(f"step {until:>5}/" in line for line in heard)) if until else (lambda: False)
        place = tmp_path / folder
        made = base(CORPUS, build, settings(**change), STATED, 0, place, "pretrain", heard.append, stop, speeds.append)
        record, *curve = made
        return record, curve, (place / "model" / "model.safetensors").read_bytes()

    return ran


@pytest.fixture
def given(tmp_path) -> Path:
    """A tokenizer in a folder."""
    tokenizer = student.train_tokenizer((m.content for turns in MADE["small_talk"] for m in turns), 300)
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


@pytest.mark.parametrize("until", [2, 8])
def test_resumed_is_straight(until, run):
    _, curve, weights = run("straight")
    with pytest.raises(KeyboardInterrupt):
        run("resumed", until=until)
    said: list[str] = []
    _, same, again = run("resumed", said=said)
    assert weights == again and curve == same and any(f"step {until + 4:>5}/" in line for line in said)
    assert not any(line.startswith(f"step {until:>5}/") for line in said)


def test_a_run_learns_and_tells_how_fast(run, tmp_path):
    said: list[str] = []
    speeds: list[Speed] = []
    record, curve, _ = run(said=said, told=speeds, steps=40, decay=0.2, log_every=8)
    assert isinstance(record, Student) and record.base == "built here" and all(isinstance(p, Loss) for p in curve)
    assert curve[-1].loss < curve[0].loss - 1 and [p.step for p in curve] == [8, 16, 24, 32, 40]
    assert curve[-1].learned_tokens < 40 * 4 * 32 and curve[0].learned_tokens > 8 * 4 * 16
    assert "40 steps of 4 sequences of 32, 0.0 M tokens" in said[0] and "75% sums, 25% small_talk" in said[0]
    assert "MFU is the share of 1 TFLOP/s on each of 1 devices, as stated" in said[1]
    (speed,) = speeds
    assert "tokens/s  MFU" in said[-1] and 0 < speed.mfu < 1 and speed.peak_tflops == 1
    tokens = len(student.load(str(tmp_path / "run" / "model")).tokenizer)
    each = reckon.per_token(SHAPE.form._replace(vocabulary=tokens), 32)
    assert speed.mfu == pytest.approx(speed.tokens_per_second * each / 1e12, abs=1e-4)


def test_the_last_steps_draw_from_the_anneal(run, given):
    shape = Build(layers=1, width=32, heads=2, kv_heads=1, head_width=16, ffn=64, vocabulary=384, tokenizer=str(given))
    how = {"build": shape, "texts": (Text(name="sums"),), "decay": 0.5}
    late = Anneal(texts=(Text(name="small_talk", share=1.0),))
    said: list[str] = []
    _, without, _ = run("without", **how)
    _, curve, _ = run("with", said=said, anneal=late, **how)
    assert "in the last 50% of the steps 0% sums, 100% small_talk" in said[0]
    assert curve[:3] == without[:3] and curve[3].loss > without[3].loss + 0.1  # what it has not seen before
    _, third, _ = run("third", anneal=Anneal(texts=late.texts, share=1 / 6), **how)
    assert third[:5] == without[:5] and third[5] != without[5]


# --- documents in one sequence ----------------------------------------------------------------------------------------


@pytest.fixture
def trainer(tmp_path):
    def made(compute=STATED, **change) -> _Trainer:
        tokenizer = student.train_tokenizer((m.content for turns in MADE["sums"] for m in turns), 320)
        loaded = Loaded(student.build(SHAPE, tokenizer, 0), tokenizer)
        trainer = _Trainer(loaded, settings(**change), compute, tmp_path / "t", [1], [])  # type: ignore[arg-type]
        trainer.model.eval()
        return trainer

    return made


def inputs(first: int, apart: bool) -> dict[str, torch.Tensor]:
    """Two sequences of three documents each; all tokens of the first are `first`."""
    packed = Packed([first] * 10 + [7] * 12 + [8] * 10, [0, 10, 22])
    row = {"input_ids": packed.ids, "labels": labels(packed, apart), "position_ids": positions(packed, apart)}
    return _together([row, row])


def leak(trainer: _Trainer, apart: bool) -> float:
    """Greatest change of what follows a document when every token of it changes, in the call that training makes."""
    heard: list[torch.Tensor] = []
    trainer.model.register_forward_hook(lambda module, given, out: heard.append(out.logits.detach()))
    for first in (5, 9):
        trainer.compute_loss(trainer.model, inputs(first, apart))
    one, two = heard
    assert float((one - two)[:, :10].abs().max()) > 0
    return float((one - two)[:, 10:].abs().max())


@pytest.mark.parametrize("attention", [None, "eager"])
def test_no_document_sees_another_where_they_are_masked(attention, trainer):
    how = Compute(peak_tflops=1, attention=attention)
    masked = trainer(how)
    assert leak(masked, apart=True) == 0 and masked.model.config._attn_implementation == (attention or "sdpa")
    assert leak(trainer(how, separate=Separate.EOS), apart=False) > 1e-4


def test_z_loss_is_the_mean_squared_log_of_the_softmax_sum(trainer):
    plain, weighed, given = trainer(), trainer(z_loss=0.1), inputs(5, True)
    loss, found = plain.compute_loss(plain.model, dict(given), True)
    learned = given["labels"][:, 1:] != -100
    z = found.logits[:, :-1].logsumexp(-1)[learned].square().mean()
    more = weighed.compute_loss(weighed.model, dict(given))
    assert float((more - loss).detach()) == pytest.approx(0.1 * float(z.detach()), rel=1e-5)
    halves = weighed.compute_loss(weighed.model, dict(given), num_items_in_batch=2 * learned.sum())
    assert float(halves.detach()) == pytest.approx(float(more.detach()) / 2, rel=1e-5)  # one of two forward passes


# --- tokenizers and shapes --------------------------------------------------------------------------------------------


def test_a_tokenizer_that_is_given_is_the_students(given, run, tmp_path):
    shape = Build(layers=1, width=32, heads=2, kv_heads=1, head_width=16, ffn=64, vocabulary=384, tokenizer=str(given))
    run(build=shape, steps=2)
    loaded = student.load(str(tmp_path / "run" / "model"))
    assert loaded.model.config.vocab_size == 384 and len(loaded.tokenizer) <= 300
    assert loaded.tokenizer.get_vocab() == student.load_tokenizer(str(given)).get_vocab()


def test_more_tokens_than_rows_of_the_embedding_are_refused(given, run):
    with pytest.raises(UserError, match=r"has \d+ tokens, and the embedding 128 rows. Set .*vocabulary=384"):
        run(build=Build(vocabulary=128, tokenizer=str(given)), steps=2)


def test_a_shape_is_built_as_it_is_described(given):
    tokenizer = student.load_tokenizer(str(given))
    shape = Build(shape="qwen3-0.6b", layers=1, vocabulary=512, tied=False, rope_theta=1e6, tokenizer=str(given))
    model = student.build(shape, tokenizer, 0)
    assert student.count(model) == reckon.parameters(shape.form)
    names = {name for name, _ in model.named_parameters()}
    assert "lm_head.weight" in names and "model.layers.0.self_attn.q_norm.weight" in names
    assert model.config.rope_parameters["rope_theta"] == 1e6 and model.config.head_dim == 128


# --- recipes ----------------------------------------------------------------------------------------------------------

REFUSED = [
    ({"texts": [{"name": "sums"}]}, "texts have no end. Say how much is learned: steps or tokens."),
    ({"texts": [{"name": "web"}], "steps": 1}, "'web' is none of bare, rationale, small_talk, sums. Give where it is"),
    ({"anneal": {"texts": [{"name": "sums"}]}}, "without texts there is nothing that it follows. Name texts."),
    (
        {"texts": [{"name": "sums"}], "steps": 1, "anneal": {"texts": [{"name": "small_talk", "share": 1.5}]}},
        "the shares are of all tokens. Let them sum to 1 at most.",
    ),
    (
        {"texts": [{"name": "a", "path": "x"}], "steps": 1, "anneal": {"texts": [{"name": "a", "path": "y"}]}},
        "'a' is another text before. Name it otherwise.",
    ),
]


@pytest.mark.parametrize(("settings", "says"), REFUSED, ids=[says[:20] for _, says in REFUSED])
def test_base_training_that_cannot_be_is_refused(settings, says):
    with pytest.raises(RecipeError, match=re.escape(says)):
        recipes.build({"pretrain": settings})


def test_heads_share_keys_evenly():
    with pytest.raises(RecipeError, match="student: build: kv_heads: 3 does not divide heads, 4."):
        recipes.build({"student": {"build": {"kv_heads": 3}}})


def test_so_many_tokens_are_so_many_steps():
    assert settings(steps=None, tokens=10_000).batches == 10_000 // (4 * 32) and settings(steps=7).batches == 7


def test_activations_are_reckoned_anew_where_the_recipe_says_so(tmp_path):
    on, off = (_arguments(settings(activation_checkpointing=yes), tmp_path) for yes in (True, False))
    assert on.gradient_checkpointing and not off.gradient_checkpointing
