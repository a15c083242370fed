"""A run that was killed, stopped or refused ends in the same bytes as one that nothing happened to.

UNDERSTUDY_MOMENTS says how often each expensive step is killed; tests/kill.py does it as often as one likes.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from understudy import pipeline
from understudy import recipe as recipes
from understudy.store import Run

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src"
MOMENTS = int(os.environ.get("UNDERSTUDY_MOMENTS", "1"))
SEED = int(os.environ.get("UNDERSTUDY_SEED", str(time.time_ns() % 10_000)))


@pytest.fixture
def environment():
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])}


@pytest.fixture
def killed(reference, environment, tmp_path):
    """What tests/kill.py finds, on a reference that is made already."""

    def ran(*options: str) -> list[dict]:
        if not (tmp_path / "reference").exists():
            shutil.copytree(reference.folder, tmp_path / "reference")
        command = [sys.executable, str(HERE / "kill.py"), str(tmp_path), *options]
        print(f"seed {SEED}:", *options)
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return ran


@pytest.mark.parametrize("step", ["source", "generate", "curate", "mix", "evaluate", "report"])
def test_a_cheap_step_may_be_killed_before_each_change_of_the_folder(step, killed):
    (result,) = killed("--steps", step, "--changes", "0")
    assert result["killed"] == result["trials"] == result["changes"] > 5


@pytest.mark.parametrize("step", ["pretrain", "sft", "solve"])
def test_an_expensive_step_may_be_killed_at_any_moment(step, killed):
    n = str(MOMENTS)
    (result,) = killed("--steps", step, "--moments", n, "--changes", n, "--seed", str(SEED))
    assert result["killed"] == result["trials"] == 2 * MOMENTS


@pytest.mark.parametrize("torn", ['{"key":', "\x00\x00\n", "\n"])
def test_a_sample_that_was_torn_is_drawn_again(torn, reference, kill, listener, tmp_path):
    kill.without(reference.folder, tmp_path / "run", "solve", rest=False)
    journal = reference.folder / "samples" / "student" / "0001.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    half = "".join(lines[: len(lines) // 2]) + torn
    kept = tmp_path / "run" / "samples" / "student" / "0001.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(half)
    pipeline.distil(kill.miniature(), Run(tmp_path / "run"), listener)
    assert listener.made == ["arms/student/rollouts", "arms/student/solve"]
    assert kill.differences(reference.folder, tmp_path / "run") == []
    assert kept.read_text().count("\n") >= len(lines)


def test_a_whole_sample_is_never_drawn_twice(reference, kill, listener, tmp_path, monkeypatch):
    from understudy.engines.local import Local

    kill.without(reference.folder, tmp_path / "run", "solve", rest=False)
    shutil.copytree(reference.folder / "samples", tmp_path / "run" / "samples", dirs_exist_ok=True)
    monkeypatch.setattr(Local, "_draw", lambda *given: pytest.fail("drawn again"))
    pipeline.distil(kill.miniature(), Run(tmp_path / "run"), listener)
    assert kill.differences(reference.folder, tmp_path / "run") == []


# --- work that is left over -------------------------------------------------------------------------------------------


class After:
    """A teller that says stop once a line matches."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.stopped, self.said = pattern, False, []

    def say(self, line: str) -> None:
        self.said.append(line)
        self.stopped = self.stopped or re.search(self.pattern, line) is not None

    def tick(self, done: int, total: int, note: str = "") -> None: ...

    def stop(self) -> bool:
        return self.stopped


@pytest.fixture
def stopped(reference, kill, tmp_path):
    """A run whose pretraining was left at a checkpoint."""

    def made(pattern: str) -> Run:
        kill.without(reference.folder, tmp_path / "run", "pretrain", rest=False)
        with pytest.raises(KeyboardInterrupt):
            pipeline.distil(kill.miniature(), Run(tmp_path / "run"), After(pattern))
        return Run(tmp_path / "run")

    return made


def checkpoints(run: Run) -> list[str]:
    return sorted(p.name for p in (run.folder / "pretrain" / "checkpoints").glob("checkpoint-*"))


def first_step(listener) -> int:
    """That training has told of."""
    return next(int(m[1]) for line in listener.said if (m := re.match(r"step +(\d+)/20 ", line)))


def test_training_goes_on_from_its_last_checkpoint(stopped, reference, kill, listener):
    run = stopped(r"step +12/")
    assert checkpoints(run) == ["checkpoint-12", "checkpoint-15"]  # heard where the curve has its next point
    pipeline.distil(kill.miniature(), run, listener)
    assert first_step(listener) == 18 and kill.differences(reference.folder, run.folder) == []


def test_a_checkpoint_without_its_mark_is_not_trusted(stopped, reference, kill, listener):
    run = stopped(r"step +12/")
    (run.folder / "pretrain" / "checkpoints" / "checkpoint-15" / "complete").unlink()
    (run.folder / "pretrain" / "checkpoints" / "checkpoint-15" / "model.safetensors").write_bytes(b"half of it")
    pipeline.distil(kill.miniature(), run, listener)
    assert first_step(listener) == 15 and kill.differences(reference.folder, run.folder) == []


def test_a_checkpoint_of_other_settings_is_not_used(stopped, reference, kill, listener):
    run = stopped(r"step +12/")
    other = recipes.load("demo", [*kill.SETS, "pretrain.lr=1.0e-3"])
    with pytest.raises(KeyboardInterrupt):
        pipeline.distil(other, run, After(r"step +9/"))
    pipeline.distil(kill.miniature(), run, listener)
    assert first_step(listener) == 3 and kill.differences(reference.folder, run.folder) == []


def test_stop_between_two_steps_begins_no_other(reference, kill, tmp_path):
    kill.without(reference.folder, tmp_path / "run", "curate", rest=True)
    teller = After(r"^curate +…")
    with pytest.raises(KeyboardInterrupt):
        pipeline.distil(kill.miniature(), Run(tmp_path / "run"), teller)
    assert [*Run(tmp_path / "run").manifest()][-1] == "curate"
    assert [line.split()[0] for line in teller.said if "…" in line] == ["curate"]


def test_a_report_that_was_not_written_is_made_up_for(reference, kill, listener, tmp_path, monkeypatch):
    """Killed after the last figure and before the report, in a folder that holds an older report."""
    from understudy.steps import report

    shutil.copytree(reference.folder, tmp_path / "run")
    other = recipes.load("demo", [*kill.SETS, "evaluate.by=[steps]"])
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(report, "page", lambda inputs: 1 / 0)
        pipeline.distil(other, Run(tmp_path / "run"), listener)
    old = (tmp_path / "run" / "report.html").read_bytes()
    pipeline.distil(other, Run(tmp_path / "run"), listener)
    assert (tmp_path / "run" / "report.html").read_bytes() != old


# --- as a shell sees it -----------------------------------------------------------------------------------------------


def test_ctrl_c_finishes_what_is_in_flight_and_nobody_else_works_here_meanwhile(
    reference, kill, environment, listener, tmp_path
):
    folder = tmp_path / "run"
    kill.without(reference.folder, folder, "sft", rest=False)
    sets = [word for setting in kill.SETS for word in ("--set", setting)]
    command = [sys.executable, "-m", "understudy", "run", "demo", *sets, "--folder", str(folder)]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        for line in first.stderr:
            if line.startswith("arms/control/sft"):
                break
        second = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
        assert second.returncode == 1
        assert second.stderr.startswith(f"understudy: {folder}: process {first.pid} works here.")
        first.send_signal(signal.SIGINT)
        told = first.communicate(timeout=60)[1]
    finally:
        first.kill()
    assert first.returncode == 130 and "finishing what is in flight" in told and "Traceback" not in told
    assert "arms/control/sft" not in Run(folder).manifest()
    pipeline.distil(kill.miniature(), Run(folder), listener)
    assert listener.made == ["arms/control/sft"] and kill.differences(reference.folder, folder) == []
