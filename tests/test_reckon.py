"""What training takes is reckoned as the literature does: the table of a 1.7B model's base training is met."""

import pytest
from typer.testing import CliRunner

from understudy import reckon
from understudy.cli import app
from understudy.cli.reckoning import form_of
from understudy.recipe import Build, Shape, StudentPart

B200 = 2250.0
"""Dense bf16 TFLOP/s of one."""

SIZES = [  # body and all, in 1e9
    (Shape.QWEN3_06B, 0.440, 0.596),
    (Shape.QWEN3_17B, 1.409, 1.721),
    (Shape.QWEN3_4B, 3.634, 4.02),
    (Shape.QWEN3_8B, 6.946, 8.19),
]
NEEDED = [  # tokens, length, MFU that 60 hours on eight devices ask for
    (100e9, 4096, 0.302),
    (80e9, 4096, 0.241),
    (100e9, 2048, 0.284),
    (100e9, 8192, 0.338),
]


def form(shape: Shape, **change):
    return Build(shape=shape, **change).form


@pytest.mark.parametrize(("shape", "body", "whole"), SIZES)
def test_shapes_have_the_published_numbers_of_parameters(shape, body, whole):
    assert reckon.body(form(shape)) / 1e9 == pytest.approx(body, abs=5e-4)
    assert reckon.parameters(form(shape)) / 1e9 == pytest.approx(whole, abs=5e-3 if whole > 2 else 5e-4)


@pytest.mark.parametrize(("tokens", "length", "share"), NEEDED)
def test_the_mfu_that_a_time_asks_for(tokens, length, share):
    operations = tokens * reckon.per_token(form(Shape.QWEN3_17B), length)
    assert reckon.mfu(operations, 60 * 3600, 8, B200) == pytest.approx(share, abs=5e-4)
    assert reckon.hours(operations, reckon.mfu(operations, 60 * 3600, 8, B200), 8, B200) == pytest.approx(60)


def test_operations_and_memory_of_the_1_7b_shape():
    one = form(Shape.QWEN3_17B)
    assert reckon.per_token(one, 4096) == pytest.approx(1.173e10, rel=5e-4)
    assert 100e9 * reckon.per_token(one, 4096) == pytest.approx(1.17e21, rel=5e-3)
    assert reckon.BYTES * reckon.parameters(one) / 1e9 == pytest.approx(31, abs=0.1)


def test_a_custom_shape_starts_from_a_named_one():
    """24 layers and 64k tokens of the 1.7B shape: a "1.5B" of 1.34 B parameters."""
    assert reckon.parameters(form(Shape.QWEN3_17B, layers=24, vocabulary=65_536)) / 1e9 == pytest.approx(1.34, abs=5e-3)
    assert form(Shape.DEMO, width=256)._replace(width=128) == form(Shape.DEMO)


@pytest.mark.parametrize(
    ("model", "shape"),
    [("Qwen/Qwen3-1.7B-Base", Shape.QWEN3_17B), ("Qwen/Qwen3-0.6B", Shape.QWEN3_06B), ("a/b", None)],
)
def test_a_published_model_is_known_by_its_name(model, shape):
    assert form_of(StudentPart(model=model)) == (form(shape) if shape else None)


def test_a_model_in_a_folder_is_known_by_its_configuration(tmp_path):
    (tmp_path / "config.json").write_text(
        '{"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, '
        '"intermediate_size": 128, "vocab_size": 100, "tie_word_embeddings": true}'
    )
    known = form_of(StudentPart(model=str(tmp_path)))
    assert (
        known is not None
        and known.head_width == 16
        and reckon.body(known) == 2 * (2 * 64 * 16 * 6 + 2 * 16 + 3 * 64 * 128 + 2 * 64) + 64
    )


@pytest.mark.parametrize(("device", "peak"), [("NVIDIA B200", 2250), ("nvidia h100 80gb", 989), ("Apple M3", None)])
def test_a_device_has_its_stated_peak(device, peak):
    assert reckon.peak(device) == peak


# --- as it is asked for -----------------------------------------------------------------------------------------------


def call(*arguments: str):
    return CliRunner().invoke(app, ["plan", *arguments], prog_name="understudy")


ASKED = ("--shape", "qwen3-1.7b", "--tokens", "100e9", "--gpus", "8")


def test_a_plan_without_a_recipe_is_the_table(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    shown = call(*ASKED, "--peak", "2250", "--hours", "60").stdout
    for figure in ("1.721 B", "1.409 B in layers", "31.0 GB", "1.173e+10", "1.17e+21", "462,963", "57,870 a device"):
        assert figure in shown
    assert "30.2% in sequences of 4,096 (28.4% in sequences of 2,048, 33.8% in sequences of 8,192)" in shown
    assert call(*ASKED, "--peak", "B200", "--hours", "60").stdout == shown


def test_a_plan_says_how_long_it_takes_at_a_stated_share():
    shown = call(*ASKED, "--peak", "B200", "--mfu", "0.302").stdout
    assert "at 30% MFU" in shown and "60.0 h" in shown
    assert "not known: give --peak" in call(*ASKED).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "plan: name a recipe, or a model and its text: --shape qwen3-1.7b --tokens 100e9."),
        ((*ASKED, "--peak", "abacus"), "--peak abacus: give 1e12 operations a second, or one of: B200"),
        ((*ASKED, "--mfu", "30"), "--mfu 30: MFU is a share of the peak, above 0 and at most 1."),
    ],
)
def test_what_cannot_be_reckoned_is_said(arguments, says):
    shown = call(*arguments)
    assert shown.exit_code == 2 and says in shown.stderr


def test_the_training_steps_of_a_recipe_are_reckoned(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    sets = ["student.build={shape: qwen3-1.7b}", "pretrain.texts=[{name: sums}]", "pretrain.tokens=100000000000"]
    sets += ["pretrain.steps=null", "pretrain.batch=256", "compute={processes: 8, peak_tflops: 2250}"]
    shown = call("demo", *(word for s in sets for word in ("--set", s)), "--hours", "60").stdout
    line = next(line for line in shown.splitlines() if line.strip().startswith("pretrain ") and "30.2%" in line)
    assert line.split()[1:3] == ["1.721", "B"] and "100.000 B" in line and line.rstrip().endswith("30.2%")
    assert "≤ 1.843 M" in shown  # of fine-tuning, the most that 450 steps of 8 conversations may be
