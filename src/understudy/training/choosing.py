"""Which checkpoint becomes the student: dev is asked on the way, and the weights that are worth most are kept.

What was found is on disk before the checkpoint of that step is, so a resumed run asks nothing twice and keeps the same.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from understudy.student import Loaded


class Scored(NamedTuple):
    """What dev says of a student."""

    right: float
    """Problems solved; of pass@k the sum over problems."""
    n: int
    harmed: int = 0
    """Chat probes that are thought about, answered in a box or not brought to an end."""
    chats: int = 0

    @property
    def worth(self) -> float:
        """Share of the problems solved minus share of the chat probes harmed."""
        return (self.right / self.n if self.n else 0.0) - (self.harmed / self.chats if self.chats else 0.0)


Scorer = Callable[[Loaded], Scored]
"""What dev says of a model."""


def points(steps: int, count: int) -> list[int]:
    """`count` steps of a run at equal distances, the last one included.

    >>> points(450, 4)
    [112, 225, 338, 450]
    """
    return sorted({max(1, round(steps * i / count)) for i in range(1, count + 1)})


def best(found: dict[int, Scored]) -> int:
    """The step that is worth most; of equals the first."""
    return max(sorted(found), key=lambda step: found[step].worth)


class Chooser(TrainerCallback):
    """Asks dev at some steps and keeps the weights of the best one."""

    def __init__(
        self, loaded: Loaded, steps: Collection[int], score: Scorer, folder: Path, say: Callable[[str], None]
    ) -> None:
        self.loaded, self.steps, self.score, self.folder, self.say = loaded, steps, score, folder, say
        self.found = scores(folder)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        step = state.global_step
        if step not in self.steps or step in self.found:
            return
        with torch.random.fork_rng():
            scored = self.score(self.loaded)
        self.loaded.model.train()
        self.found[step] = scored
        self.say(f"step {step:>5}  {told(scored)}")
        if state.is_world_process_zero:
            self._keep(step)

    def _keep(self, step: int) -> None:
        """The weights where they are the best, then the scores, then no other weights: in this order for a kill."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if best(self.found) == step:
            save_file(learned_weights(self.loaded.model), self.folder / "best.part")
            (self.folder / "best.part").replace(_weights(self.folder, step))
        text = msgspec.json.encode({str(k): v for k, v in self.found.items()})
        (self.folder / "scores.part").write_bytes(text)
        (self.folder / "scores.part").replace(self.folder / "scores.json")
        for path in self.folder.glob("best-*.safetensors"):
            if path != _weights(self.folder, best(self.found)):
                path.unlink()


def scores(folder: Path) -> dict[int, Scored]:
    """What dev said, by step; {} where it was not asked yet."""
    path = folder / "scores.json"
    return msgspec.json.decode(path.read_bytes(), type=dict[int, Scored]) if path.exists() else {}


def restore(model: torch.nn.Module, folder: Path, step: int) -> None:
    """The weights that were kept at that step, into the model."""
    kept = load_file(_weights(folder, step))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                weight.copy_(kept[name])


def learned_weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Those that training changes, tied ones once."""
    return {n: p.detach().cpu().contiguous() for n, p in model.named_parameters() if p.requires_grad}


def told(scored: Scored) -> str:
    """In words."""
    right = f"{scored.right:g}/{scored.n} right on dev"
    return right if not scored.chats else f"{right}, {scored.harmed}/{scored.chats} chat probes harmed"


def _weights(folder: Path, step: int) -> Path:
    return folder / f"best-{step}.safetensors"
