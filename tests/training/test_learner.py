"""Each token weighs what it was given: the loss is sum w CE / sum w of all that a step learns."""

import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import student, training  # noqa: E402
from understudy.recipe import Adapter  # noqa: E402
from understudy.student import Loaded  # noqa: E402
from understudy.training import learner  # noqa: E402


@pytest.fixture(scope="module")
def uneven(rows):
    """The rows, token t of a row weighing a quarter, 1.25, 2.25 or 3.25."""
    return [r._replace(weights=[w * (0.25 + t % 4) for t, w in enumerate(r.weights)]) for r in rows]


def by_hand(model, rows) -> float:
    """sum w CE / sum w, a row at a time and without padding."""
    total = weight = 0.0
    with torch.no_grad():
        for row in rows:
            logprobs = model(torch.tensor([row.ids])).logits[0, :-1].log_softmax(-1)
            for t, (token, w) in enumerate(zip(row.ids[1:], row.weights[1:], strict=True)):
                total, weight = total - w * float(logprobs[t, token]), weight + w
    return total / weight


@pytest.mark.parametrize("change", [{}, {"accumulate": 2}, {"packing": True}], ids=str)
def test_the_loss_of_a_step_is_that_of_its_weights(change, run, fresh, uneven, settings):
    _, curve = run(given=uneven, steps=4, batch=8, log_every=1, **change)
    first = [uneven[i] for i in training.batches(uneven, settings(batch=8), 0)[0]]
    assert curve[0].loss == pytest.approx(by_hand(fresh().model, first), abs=1e-4)


def test_weights_of_one_half_are_weights_of_one(run, rows, delta):
    half = [r._replace(weights=[w / 2 for w in r.weights]) for r in rows]
    (one, curve), (two, other) = run("one"), run("half", given=half)
    assert delta(one, two) == 0 and curve == other


def test_a_token_of_no_weight_is_not_learned_and_a_heavier_one_more(run, rows, fresh, settings):
    """The first learned token counts a hundredfold: its loss falls further than when all count alike."""

    def first_token(weights, given) -> float:
        loaded = fresh()
        loaded.model.load_state_dict(weights)
        alone = [
            r._replace(weights=[float(i == next(k for k, w in enumerate(r.weights) if w)) for i in range(len(r.ids))])
            for r in given
        ]
        return by_hand(loaded.model, alone)

    heavy = [
        r._replace(weights=[100.0 * w if i and not r.weights[i - 1] else w for i, w in enumerate(r.weights)])
        for r in rows
    ]
    alike, more = run("alike", steps=6)[0], run("more", steps=6, given=heavy)[0]
    assert first_token(more, rows[:4]) < first_token(alike, rows[:4])


def test_accumulated_is_at_once_with_weights(run, uneven, delta):
    (once, curve), (spread, other) = (run(str(n), given=uneven, batch=8, accumulate=n) for n in (1, 4))
    assert delta(once, spread) < 1e-5 and [p.loss for p in other] == pytest.approx([p.loss for p in curve], abs=1e-4)


def test_the_own_head_is_trls(run, delta, monkeypatch):
    own, curve = run("own")
    monkeypatch.setattr(learner, "HELD", 0)
    theirs, other = run("theirs")
    assert 0 < delta(own, theirs) < 1e-5 and [p.loss for p in other] == pytest.approx([p.loss for p in curve], abs=1e-4)


def test_with_trls_head_weights_count_too(run, fresh, uneven, settings, monkeypatch):
    monkeypatch.setattr(learner, "HELD", 0)
    _, curve = run(given=uneven, steps=4, batch=8, log_every=1)
    first = [uneven[i] for i in training.batches(uneven, settings(batch=8), 0)[0]]
    assert curve[0].loss == pytest.approx(by_hand(fresh().model, first), abs=1e-4)


def test_a_model_that_caps_its_logits_keeps_trls_head(fresh):
    model = fresh().model
    model.config.final_logit_softcapping = 30.0
    assert not learner._add_head(model) and learner._add_head(fresh().model)


def test_merged_is_unmerged(fresh, rows, settings, tmp_path):
    how = settings(adapter=Adapter.LORA, rank=4, lr=1e-2)
    lora = student.with_lora(fresh(), how, 0)
    training.train(lora, rows, training.batches(rows, how, 0), how, 1e-2, tmp_path, lambda line: None, lambda: False)
    ids, model = torch.tensor([rows[0].ids]), lora.model.eval()
    with torch.no_grad():
        apart = model(ids).logits
        assert float((apart - fresh().model(ids).logits).abs().max()) > 0.01
        merged = Loaded(model.merge_and_unload(), lora.tokenizer).model(ids).logits
    assert float((apart - merged).abs().max()) < 1e-5


def test_rows_of_like_length_go_through_together_and_none_is_lost():
    found = learner.parts([200, 20, 190, 30])
    assert found == [([0, 2], 200), ([3, 1], 30)]
    assert learner.parts([7] * 9) == [(list(range(9)), 7)]
    many = learner.parts([5 + (37 * i) % 400 for i in range(64)])
    assert sorted(i for rows, _ in many for i in rows) == list(range(64)) and len(many) > 3
    assert learner.parts([9] * 65) == [(list(range(65)), 9)]


def test_parts_change_nothing_but_the_order_of_sums(run, uneven, delta, monkeypatch):
    """Of a batch at random; the pass costs nothing, so that every row goes alone."""
    monkeypatch.setattr(learner, "PASS", 0)
    apart, curve = run("apart", given=uneven)
    monkeypatch.setattr(learner, "PASS", 10**9)
    together, other = run("together", given=uneven)
    assert 0 < delta(apart, together) < 1e-5 and [p.loss for p in other] == pytest.approx(
        [p.loss for p in curve], abs=1e-4
    )
