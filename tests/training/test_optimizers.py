"""The optimizers take the steps they name, and go on from their states as they would have."""

import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import training  # noqa: E402


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


def test_an_optimizer_from_its_state_goes_on_as_it_would_have(net, tmp_path, delta):
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


def test_weights_decay_where_they_are_matrices(fresh, settings):
    groups = training.optimizer(fresh().model, settings(weight_decay=0.1), 1e-3).param_groups
    assert [g["weight_decay"] for g in groups] == [0.1, 0.0] and all(p.ndim < 2 for p in groups[1]["params"])
