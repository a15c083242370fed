"""Training takes the steps that were drawn, learns what was shown, and resumed is what it would have been."""

import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import student, training  # noqa: E402
from understudy.recipe import Adapter, Optimizer  # noqa: E402
from understudy.records import Loss  # noqa: E402
from understudy.training import Scored  # noqa: E402


@pytest.mark.parametrize("optimizer", Optimizer)
@pytest.mark.parametrize("until", [2, 8])
def test_resumed_is_straight(optimizer, until, run, delta):
    weights, curve = run("straight", optimizer=optimizer)
    with pytest.raises(KeyboardInterrupt):
        run("resumed", optimizer=optimizer, until=until)
    again, same = run("resumed", optimizer=optimizer)
    assert delta(weights, again) == 0 and curve == same


def test_a_finished_run_takes_no_step_more(run, delta):
    weights, curve = run("run")
    assert delta(weights, run("run")[0]) == 0 and run("run")[1] == curve


def test_the_curve_ends_where_the_run_does(run):
    weights, curve = run(steps=7, log_every=3)
    assert [point.step for point in curve] == [3, 6, 7]
    assert curve[-1].lr >= 0 and curve[0].learned_tokens < curve[-1].learned_tokens


def test_the_loss_falls_and_is_that_of_the_learned_part(run, fresh, rows, settings):
    _, curve = run(steps=40, log_every=1, optimizer=Optimizer.MUON)
    first = [rows[i] for i in training.batches(rows, settings(), 0)[0]]
    model, total, count = fresh().model, 0.0, 0
    with torch.no_grad():
        for row in first:
            logprobs = model(torch.tensor([row.ids])).logits[0, :-1].log_softmax(-1)
            for t, (token, weight) in enumerate(zip(row.ids[1:], row.weights[1:], strict=True)):
                total, count = (total - float(logprobs[t, token]), count + 1) if weight else (total, count)
    assert curve[0].loss == pytest.approx(total / count, abs=2e-3) and curve[0].learned_tokens == count
    assert curve[-1].loss < curve[0].loss - 1


def test_accumulated_is_at_once(run, delta):
    once, curve = run("once", steps=4, batch=8)
    spread, other = run("spread", steps=4, batch=8, accumulate=2)
    assert delta(once, spread) < 2e-4 and [p.loss for p in other] == pytest.approx([p.loss for p in curve], abs=2e-3)


def test_the_same_run_is_the_same_to_the_last_bit(run, delta):
    assert delta(run("one")[0], run("two")[0]) == 0


# --- fine-tuning ------------------------------------------------------------------------------------------------------


def test_lora_learns_an_adapter_that_is_merged_when_it_is_loaded(tune, tmp_path, fresh, delta):
    record, *curve = tune(adapter=Adapter.LORA, rank=4, alpha=8, lr=1e-2)
    folder = tmp_path / "arms" / "x" / "model"
    assert record.adapter == record.path == "arms/x/model" and (folder / "adapter_model.safetensors").exists()
    assert not (folder / "model.safetensors").exists() and curve[-1].loss < curve[0].loss
    merged, base = student.load(str(folder)), student.load(str(tmp_path / "base"))
    assert merged.model.state_dict().keys() == base.model.state_dict().keys()
    assert delta(merged.model.state_dict(), base.model.state_dict()) > 0
    ids = torch.tensor([merged.tokenizer.encode("What is 3 plus 1?")])
    from peft import AutoPeftModelForCausalLM

    apart = AutoPeftModelForCausalLM.from_pretrained(folder)
    assert torch.allclose(apart(ids).logits, merged.model(ids).logits, atol=1e-5)


def test_a_full_student_is_whole_in_its_folder(tune, tmp_path):
    record, *_ = tune()
    assert record.adapter is None and (tmp_path / record.path / "model.safetensors").exists()
    assert not (tmp_path / "arms" / "x" / "model.part").exists()


def test_of_several_rates_the_best_on_dev_goes_all_the_way(tune):
    scores = iter([Scored(1, 10), Scored(7, 10), Scored(7, 10)])
    said = []
    out = tune(lambda loaded: next(scores), said, lr=(1e-4, 2e-3, 3e-3), search_share=0.5)
    trials = [m for m in out if type(m).__name__ == "Metric"]
    assert [(m.slice, m.value, m.n) for m in trials if m.name == "dev_accuracy"] == [
        ("lr=0.0001", 0.1, 10), ("lr=0.002", 0.7, 10), ("lr=0.003", 0.7, 10)
    ]  # fmt: skip
    assert [m.value for m in trials if m.name == "chosen_lr"] == [0.002]  # of equals the first
    assert [line for line in said if line.startswith("learning rate")][0].endswith("1/10 right on dev after 3 steps")
    assert max(p.lr for p in out if isinstance(p, Loss)) <= 2e-3
