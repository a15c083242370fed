"""Training steps in several processes, under `accelerate launch`, as far as their last checkpoint.

The records are made by the one process that everything else runs in: it finds a finished checkpoint and only reads it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from understudy import workers
from understudy.errors import UnderstudyError
from understudy.pipeline.steps import Step
from understudy.recipe import Compute, Recipe, Strategy
from understudy.store import COMPLETE, Run, replace

if TYPE_CHECKING:  # the story imports this room
    from understudy.pipeline import Teller

RECIPE, SAID, STOP, ERROR, LOG = "launch.json", "said", "stop", "error", "launch.log"
"""Files beside the checkpoints: what is trained, what the processes say, that they should stop, why they refuse, and
all else that they print."""

MODULE = "understudy.launch"

FSDP2 = (
    "--use_fsdp", "--fsdp_version", "2", "--fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP",
    "--fsdp_state_dict_type", "FULL_STATE_DICT", "--fsdp_reshard_after_forward", "true",
)  # fmt: skip
"""Whole weights in a checkpoint: one process alone makes the student of them."""


SPREAD = ("pytorch_model_fsdp.bin", "optimizer.bin")
"""Files of checkpoints that only several processes read: of a finished training nobody needs them, and a single process
takes the whole weights beside them only where they are gone."""


def launched(recipe: Recipe, run: Run, step: Step, teller: "Teller") -> bool:
    """Whether a step was trained in several processes, as the recipe asks; False where it asks for one.

    Raises:
        KeyboardInterrupt: the teller said stop; a checkpoint was written first.
        UnderstudyError: they failed; says how.
    """
    compute = recipe.compute
    if compute.processes == 1:
        return False
    scratch = run.folder / step.at / "checkpoints"
    for name in (SAID, STOP, ERROR):
        (scratch / name).unlink(missing_ok=True)
    replace(scratch / RECIPE, msgspec.json.encode(recipe))
    _sweep(scratch)
    for machine in range(1, compute.machines):
        line = " ".join(_line(compute, machine, run.folder, step))
        teller.say(f"start on machine {machine} of {compute.machines}, where {run.folder} is the same folder: {line}")
    with (scratch / LOG).open("wb") as log:
        child = workers.with_parent(_line(compute, 0, run.folder, step), log, _environment(compute))
        code = _followed(child, scratch, teller)
    if teller.stop():
        raise KeyboardInterrupt
    if code:
        raise UnderstudyError(_why(scratch, step.name))
    for path in (p for name in SPREAD for p in scratch.rglob(name)):
        path.unlink()
    return True


def _followed(child: "subprocess.Popen[bytes]", scratch: Path, teller: "Teller") -> int:
    """Passes on what the processes say, and the wish to stop; how they ended."""
    heard = _lines(scratch / SAID)
    try:
        while (code := child.poll()) is None:
            for line in next(heard):
                teller.say(line)
            if teller.stop() and not (scratch / STOP).exists():
                (scratch / STOP).touch()
            time.sleep(0.05)
    finally:
        with suppress(ProcessLookupError):  # where this process is to end, they do not stay
            os.killpg(child.pid, signal.SIGKILL)
    for line in next(heard):
        teller.say(line)
    return code


def _lines(path: Path) -> Iterator[list[str]]:
    """What has come since, each time it is asked."""
    at = 0
    while True:
        text = path.read_bytes()[at:] if path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]
        at += len(whole)
        yield [line.replace("\r", "\n") for line in whole.decode().split("\n")[:-1]]


def _line(compute: Compute, machine: int, folder: Path, step: Step) -> list[str]:
    """The command that starts one machine's processes."""
    strategy: Sequence[str] = FSDP2 if compute.strategy is Strategy.FSDP2 else ("--multi_gpu",)
    where = ["--main_process_port", "0"]
    if compute.machines > 1:
        host, _, port = (compute.address or "").partition(":")
        where = ["--main_process_ip", host, "--main_process_port", port, "--machine_rank", str(machine)]
    return [
        sys.executable, "-m", "accelerate.commands.launch", "--num_processes", str(compute.processes),
        "--num_machines", str(compute.machines), *where, *strategy, "--mixed_precision", "no", "--dynamo_backend", "no",
        "--module", MODULE, str(folder.resolve()), step.at, step.name,
    ]  # fmt: skip


def _environment(compute: Compute) -> dict[str, str]:
    """Each process has its share of the cores, unless it was said how many."""
    threads = max(1, (os.cpu_count() or 1) * compute.machines // compute.processes)
    source = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    return {workers.THREADS: str(threads)} | os.environ | {"PYTHONPATH": path, "TOKENIZERS_PARALLELISM": "false"}


def _sweep(scratch: Path) -> None:
    """Remove torn checkpoints, before several processes look at once."""
    for path in scratch.rglob("checkpoint-*"):
        if path.is_dir() and not (path / COMPLETE).exists():
            shutil.rmtree(path)


def _why(scratch: Path, name: str) -> str:
    """What a failed launch has to say for itself."""
    if (scratch / ERROR).exists():
        return (scratch / ERROR).read_text(encoding="utf-8")
    last = (scratch / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
    return f"{name}: the training processes failed. Read {scratch / LOG}, which ends:\n" + "\n".join(last)
