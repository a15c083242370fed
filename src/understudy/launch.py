"""What `accelerate launch` starts: one of several processes that train a step together, as far as its last checkpoint.

    accelerate launch … --module understudy.launch FOLDER AT STEP

The process that started them makes the records from that checkpoint. See pipeline/launching.py.
"""

import os
import sys
from pathlib import Path

import msgspec
import torch
from accelerate import PartialState
from accelerate.utils import DistributedType, broadcast_object_list

from understudy import pipeline, workers
from understudy.errors import UnderstudyError, UserError
from understudy.pipeline.launching import ERROR, RECIPE, SAID, STOP
from understudy.pipeline.making import Hands
from understudy.recipe import Recipe, Strategy
from understudy.store import Run
from understudy.training import Trained


class _Together:
    """The teller of processes that train together: the first one speaks, and they stop as one."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    def say(self, line: str) -> None:
        if workers.rank() == 0:
            with (self.scratch / SAID).open("a", encoding="utf-8") as file:
                file.write(line.replace("\n", "\r") + "\n")

    def tick(self, done: int, total: int, note: str = "") -> None:
        """Nobody watches."""

    def stop(self) -> bool:
        """What the first process sees. Each of them must ask, or those that do wait for the others."""
        return bool(broadcast_object_list([(self.scratch / STOP).exists()])[0])


def main(folder: str, at: str, name: str) -> int:
    """0 also where it was told to stop: what was trained is in the last checkpoint."""
    workers.dies_with(os.getppid())
    state = PartialState(cpu=not torch.cuda.is_available())  # each process takes its device
    run = Run(Path(folder))
    scratch = run.folder / at / "checkpoints"
    recipe = msgspec.json.decode((scratch / RECIPE).read_bytes(), type=Recipe)
    hands = Hands(recipe, run, _Together(scratch), set())
    step = next(one for one in pipeline.story(recipe, hands) if one.name == name)
    try:
        if recipe.compute.strategy is Strategy.FSDP2 and state.distributed_type is DistributedType.MULTI_CPU:
            raise UserError("compute: strategy: fsdp2: weights are spread over GPUs, and there is none. Take ddp.")
        for _ in step.make():
            pass
    except (KeyboardInterrupt, Trained):
        pass
    except UnderstudyError as error:
        (scratch / ERROR).write_text(str(error), encoding="utf-8")
        return 1
    state.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
