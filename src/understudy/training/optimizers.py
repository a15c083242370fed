"""Who takes the steps: AdamW, or Muon on matrices and AdamW on the rest."""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import AdamW, Muon, Optimizer

from understudy.recipe import Optimizer as Choice
from understudy.recipe import Train


class MuonAdamW(Optimizer):
    """Muon on matrices and AdamW on the rest, as one optimizer with one state dict.

    Embeddings are left to AdamW: a row of them is not a map between spaces.
    """

    def __init__(self, model: torch.nn.Module, lr: float, muon_ratio: float, weight_decay: float) -> None:
        # Optimizer.__init__ is not called: this object holds no parameters of its own, only the two that do.
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n and "lm_head" not in n]
        chosen = {id(p) for p in matrices}
        self.muon = Muon(matrices, lr=lr * muon_ratio, weight_decay=weight_decay)
        self.adamw = AdamW([p for _, p in named if id(p) not in chosen], lr=lr, weight_decay=0.0, betas=(0.9, 0.95))
        self.defaults: dict[str, Any] = {}

    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Of both, so that a schedule reaches both."""
        return self.muon.param_groups + self.adamw.param_groups

    @property
    def state(self) -> dict[Any, Any]:  # type: ignore[override]
        """Of both."""
        return {**self.muon.state, **self.adamw.state}

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step of each."""
        self.muon.step(closure)
        self.adamw.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of both."""
        self.muon.zero_grad(set_to_none)
        self.adamw.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """Both states, for an exact resume."""
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Both states back."""
        self.muon.load_state_dict(state_dict["muon"])
        self.adamw.load_state_dict(state_dict["adamw"])


def optimizer(model: torch.nn.Module, settings: Train, lr: float) -> Optimizer:
    """The optimizer that the settings name."""
    if settings.optimizer is Choice.MUON:
        return MuonAdamW(model, lr, settings.muon_lr_ratio, settings.weight_decay)
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
    rest = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return AdamW(groups, lr=lr, betas=(0.9, 0.95))
