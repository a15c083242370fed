"""Training takes the steps that were drawn, learns what was shown, and resumed is what it would have been."""

from collections import Counter

import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import student, training  # noqa: E402
from understudy.errors import UnderstudyError  # noqa: E402
from understudy.recipe import Adapter, Build, Optimizer, Sft, Train  # noqa: E402
from understudy.records import Example, Loss, Message, Student  # noqa: E402
from understudy.render import Rendered  # noqa: E402
from understudy.steps.sft import sft  # noqa: E402
from understudy.student import Loaded  # noqa: E402

SHAPE = Build(layers=1, width=32, heads=2, kv_heads=1, head_width=16, ffn=64, vocabulary=320, context=128)


def example(n: int, weight: float = 1.0, **change) -> Example:
    turns = (
        Message(role="user", content=f"What is {n} plus 1?" + " please" * (n % 4)),
        Message(role="assistant", content=f"The answer is {n + 1}."),
    )
    return Example(**{"id": f"e{n}", "messages": turns, "weights": (0.0, weight), "origin": "teacher"} | change)


EXAMPLES = [example(n) for n in range(40)]
TEXTS = [m.content for e in EXAMPLES for m in e.messages]


@pytest.fixture(scope="module")
def tokenizer():
    return student.train_tokenizer(TEXTS, 320)


@pytest.fixture
def fresh(tokenizer):
    return lambda: Loaded(student.build(SHAPE, tokenizer, 0), tokenizer)


def settings(**change) -> Train:
    return Train(**{"steps": 12, "batch": 4, "save_every": 4, "log_every": 2, "max_length": 128} | change)


@pytest.fixture
def run(fresh, tokenizer, tmp_path):
    """Train a fresh student; its weights and its curve. `until`: interrupted at that step."""

    def ran(folder="run", until=None, lr=3e-3, **change) -> tuple[dict[str, torch.Tensor], list[Loss]]:
        how, said = settings(**change), []
        rows = training.preflight(EXAMPLES, tokenizer, how.max_length).rows
        plan = training.batches(rows, how, 0)
        loaded = fresh()
        stop = (lambda: any(f"step {until:>5}/" in line for line in said)) if until else (lambda: False)
        curve = training.train(loaded, rows, plan, how, lr, tmp_path / folder, said.append, stop)
        return {k: v.clone() for k, v in loaded.model.state_dict().items()}, curve

    return ran


def delta(one, two) -> float:
    """Greatest difference of two models."""
    return max(float((one[k] - two[k]).abs().max()) for k in one)


# --- the order --------------------------------------------------------------------------------------------------------


def rows_of(*lengths: int) -> list[Rendered]:
    return [Rendered([0] * n, [0.0] * (n - 2) + [1.0] * 2) for n in lengths]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_order_is_drawn_once_from_the_seed(seed):
    rows = rows_of(*(3 + i % 17 for i in range(100)))
    one, two = (training.batches(rows, settings(steps=60), seed) for _ in range(2))
    assert one == two != training.batches(rows, settings(steps=60), seed + 1)
    assert all(len(batch) == 4 for batch in one) and len(one) == 60


def test_a_longer_run_begins_as_a_shorter_one():
    rows = rows_of(*range(3, 80))
    assert training.batches(rows, settings(steps=90), 0)[:20] == training.batches(rows, settings(steps=20), 0)


@pytest.mark.parametrize("n", [5, 33, 100, 257])
def test_every_row_comes_once_before_any_comes_twice_more(n):
    plan = training.batches(rows_of(*(3 + i % 29 for i in range(n))), settings(steps=8 * 40), 0)
    for groups in range(1, 41):  # rows of like length are put together within groups of eight batches
        seen = Counter(i for batch in plan[: 8 * groups] for i in batch)
        counts = [seen[i] for i in range(n)]
        assert max(counts) - min(counts) <= 1 and sum(counts) == 32 * groups


def test_rows_of_like_length_stand_together():
    rows = rows_of(*(3 + (7 * i) % 101 for i in range(400)))
    spread = [
        max(len(rows[i].ids) for i in b) - min(len(rows[i].ids) for i in b)
        for b in training.batches(rows, settings(), 0)
    ]
    assert sum(spread) / len(spread) < 20


def test_epochs_and_steps_say_how_long_a_run_is():
    rows = rows_of(*[5] * 40)
    assert len(training.batches(rows, settings(steps=None, epochs=2.5), 0)) == 25
    assert len(training.batches(rows, settings(steps=7), 0)) == 7
    assert len(training.batches(rows[:1], settings(steps=None, epochs=0.1), 0)) == 1


@pytest.mark.parametrize("learn", [1, 16, 100, 101, 999])
def test_a_run_goes_on_until_so_many_tokens_are_learned(learn):
    rows = rows_of(*[6] * 30)  # two learned of each: eight a batch
    plan = training.batches(rows, settings(steps=3), 0, learn)
    assert 0 <= 8 * len(plan) - learn < 8


# --- preflight --------------------------------------------------------------------------------------------------------


def test_what_is_too_long_is_counted_and_left_out_whole(tokenizer):
    long = example(1, messages=(Message(role="user", content="a b " * 80), Message(role="assistant", content="x")))
    ready = training.preflight([*EXAMPLES[:5], long], tokenizer, 60)
    assert (len(ready.rows), ready.too_long) == (5, 1) and all(len(r.ids) <= 60 for r in ready.rows)
    assert "1 too long and left out" in training.told(ready, 1000) and "⟦The answer is 1.<|im_end|>⟧" in ready.sample


REFUSED = [
    ([example(1, weight=0.0)], 128, "nothing of e1 is learned. Give one of its turns a weight."),
    ([example(1)], 5, r"nothing to learn from \(1 conversations are longer than 5 tokens\). Raise max_length."),
    ([], 128, r"nothing to learn from \(0"),
    ([example(1, weight=0.5)], 128, r"e1 has the weights \(0.0, 0.5\).* Give each of its turns 0 or 1."),
]


@pytest.mark.parametrize(("examples", "longest", "says"), REFUSED, ids=[says[:24] for _, _, says in REFUSED])
def test_what_could_not_be_learned_from_is_refused(examples, longest, says, tokenizer):
    with pytest.raises(UnderstudyError, match=f"preflight: .*{says}"):
        training.preflight(examples, tokenizer, longest)


def test_a_template_without_an_end_of_turn_is_refused(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    from transformers import AutoTokenizer

    endless = AutoTokenizer.from_pretrained(tmp_path)
    endless.chat_template = "{%- for m in messages %}{{- m['role'] + ': ' + m['content'] + '\n' }}{%- endfor %}"
    endless.chat_template += "{%- if add_generation_prompt %}{{- 'assistant: ' }}{%- endif %}"
    with pytest.raises(UnderstudyError, match="no end of turn is learned in e1, so the student would never stop"):
        training.preflight([example(1)], endless, 128)


# --- the optimizer ----------------------------------------------------------------------------------------------------


@pytest.fixture
def net():
    def made() -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.ModuleDict(
            {"embed": torch.nn.Embedding(7, 8), "a": torch.nn.Linear(8, 8), "norm": torch.nn.LayerNorm(8)}
        )

    return made


def push(net, optimizer, seeds) -> None:
    for seed in seeds:
        x = torch.randint(0, 7, (5,), generator=torch.Generator().manual_seed(seed))
        optimizer.zero_grad()
        net["norm"](net["a"](net["embed"](x))).pow(3).sum().backward()
        optimizer.step()


def test_matrices_go_to_muon_and_the_rest_to_adamw(net):
    both = training.MuonAdamW(net(), lr=0.01, muon_ratio=3, weight_decay=0.1)
    shapes = [[tuple(p.shape) for g in part.param_groups for p in g["params"]] for part in (both.muon, both.adamw)]
    assert shapes == [[(8, 8)], [(7, 8), (8,), (8,), (8,)]]
    assert [g["lr"] for g in both.param_groups] == [0.03, 0.01]


def test_an_optimizer_from_its_state_goes_on_as_it_would_have(net, tmp_path):
    straight, halves = net(), net()
    push(straight, training.MuonAdamW(straight, 0.01, 3, 0.1), range(6))
    first = training.MuonAdamW(halves, 0.01, 3, 0.1)
    push(halves, first, range(3))
    torch.save(first.state_dict(), tmp_path / "state")
    second = training.MuonAdamW(halves, 0.5, 3, 0.1)
    second.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    push(halves, second, range(3, 6))
    assert delta(straight.state_dict(), halves.state_dict()) == 0


def test_a_schedule_reaches_both(net):
    both = training.MuonAdamW(net(), 0.01, 3, 0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(both, lambda step: 1 / (1 + step))
    push(net(), both, [])
    both.step()
    schedule.step()
    assert [g["lr"] for g in both.param_groups] == [0.015, 0.005]


def test_weights_decay_where_they_are_matrices(fresh):
    groups = training.optimizer(fresh().model, settings(weight_decay=0.1), 1e-3).param_groups
    assert [g["weight_decay"] for g in groups] == [0.1, 0.0] and all(p.ndim < 2 for p in groups[1]["params"])


# --- a run ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", Optimizer)
@pytest.mark.parametrize("until", [2, 8])
def test_resumed_is_straight(optimizer, until, run):
    weights, curve = run("straight", optimizer=optimizer)
    with pytest.raises(KeyboardInterrupt):
        run("resumed", optimizer=optimizer, until=until)
    again, same = run("resumed", optimizer=optimizer)
    assert delta(weights, again) == 0 and curve == same


def test_a_finished_run_takes_no_step_more(run):
    weights, curve = run("run")
    assert delta(weights, run("run")[0]) == 0 and run("run")[1] == curve


def test_the_curve_ends_where_the_run_does(run):
    weights, curve = run(steps=7, log_every=3)
    assert [point.step for point in curve] == [3, 6, 7]
    assert curve[-1].lr >= 0 and curve[0].learned_tokens < curve[-1].learned_tokens


def test_the_loss_falls_and_is_that_of_the_learned_part(run, fresh, tokenizer):
    _, curve = run(steps=40, log_every=1, optimizer=Optimizer.MUON)
    rows = training.preflight(EXAMPLES, tokenizer, 128).rows
    first = [rows[i] for i in training.batches(rows, settings(), 0)[0]]
    model, total, count = fresh().model, 0.0, 0
    with torch.no_grad():
        for row in first:
            logprobs = model(torch.tensor([row.ids])).logits[0, :-1].log_softmax(-1)
            for t, (token, weight) in enumerate(zip(row.ids[1:], row.weights[1:], strict=True)):
                total, count = (total - float(logprobs[t, token]), count + 1) if weight else (total, count)
    assert curve[0].loss == pytest.approx(total / count, abs=2e-3) and curve[0].learned_tokens == count
    assert curve[-1].loss < curve[0].loss - 1


def test_accumulated_is_at_once(run):
    once, curve = run("once", steps=4, batch=8)
    spread, other = run("spread", steps=4, batch=8, accumulate=2)
    assert delta(once, spread) < 2e-4 and [p.loss for p in other] == pytest.approx([p.loss for p in curve], abs=2e-3)


def test_the_same_run_is_the_same_to_the_last_bit(run):
    assert delta(run("one")[0], run("two")[0]) == 0


# --- fine-tuning ------------------------------------------------------------------------------------------------------


@pytest.fixture
def tune(fresh, tmp_path):
    """Fine-tune; what came out. The base lies in a folder, as it does in a run."""
    student.save(fresh(), tmp_path / "base")
    base = Student(path="base", base="b", hash="h", tokenizer_hash="t")

    def tuned(score=lambda loaded: (1, 2), said=None, **change):
        how = Sft(**{"steps": 6, "batch": 4, "log_every": 2, "save_every": 2, "max_length": 128} | change)
        say = said.append if said is not None else lambda line: None
        folder = tmp_path / "arms" / "x"
        return list(
            sft(EXAMPLES, base, str(tmp_path / "base"), how, 0, None, score, folder, "arms/x", say, lambda: False)
        )

    return tuned


def test_lora_learns_an_adapter_that_is_merged_when_it_is_loaded(tune, tmp_path, fresh):
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
    scores = iter([(1, 10), (7, 10), (7, 10)])
    said = []
    out = tune(lambda loaded: next(scores), said, lr=(1e-4, 2e-3, 3e-3), search_share=0.5)
    trials = [m for m in out if type(m).__name__ == "Metric"]
    assert [(m.slice, m.value, m.n) for m in trials if m.name == "dev_accuracy"] == [
        ("lr=0.0001", 0.1, 10), ("lr=0.002", 0.7, 10), ("lr=0.003", 0.7, 10)
    ]  # fmt: skip
    assert [m.value for m in trials if m.name == "chosen_lr"] == [0.002]  # of equals the first
    assert [line for line in said if line.startswith("learning rate")][0].endswith("1/10 right on dev after 3 steps")
    assert max(p.lr for p in out if isinstance(p, Loss)) <= 2e-3
