"""Several processes take the steps of one, go on after a kill, and leave nobody behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("trl")

from understudy import pipeline  # noqa: E402
from understudy import recipe as recipes  # noqa: E402
from understudy.errors import UnderstudyError  # noqa: E402
from understudy.pipeline import launching  # noqa: E402
from understudy.pipeline.launching import SAID  # noqa: E402
from understudy.pipeline.steps import Step  # noqa: E402
from understudy.store import Run  # noqa: E402

RECIPE = """
sources: [{name: word_problems, counts: {train: 8, test: 2}}]
student: {build: {layers: 1, width: 32, heads: 2, kv_heads: 1, head_width: 16, ffn: 64, vocabulary: 320, context: 64}}
pretrain:
  {texts: [{name: sums, share: 3}, {name: small_talk, limit: 200}], steps: 24, batch: 4, length: 32, lr: 3e-3,
   log_every: 2, save_every: 4}
compute: {peak_tflops: 1}
"""
TWO = "compute.processes=2"


@pytest.fixture
def written(tmp_path) -> Path:
    path = tmp_path / "launched.yaml"
    path.write_text(RECIPE)
    return path


def base(path: Path, folder: Path, listener, *sets: str) -> Run:
    run = Run(folder)
    for step in ("source", "pretrain"):
        pipeline.distil(recipes.load(str(path), sets), run, listener, only=step)
    return run


def at_work(folder: Path) -> list[str]:
    """Processes that name that folder."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = one.read_bytes()
        except OSError:
            continue
        if b"understudy.launch" in said and os.fsencode(folder) in said:
            found.append(one.parent.name)
    return found


def waited(until, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_two_processes_are_one_also_after_a_kill_and_leave_nobody(written, tmp_path, listener):
    folder = tmp_path / "two"
    source = str(Path(pipeline.__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": source}
    command = [sys.executable, "-m", "understudy", "run", str(written), "--set", TWO, "--folder", str(folder), "--only"]
    pipeline.distil(recipes.load(str(written), [TWO]), Run(folder), listener, only="source")
    first = subprocess.Popen([*command, "pretrain"], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    said = folder / "pretrain" / "checkpoints" / SAID
    assert waited(lambda: said.exists() and "step     6/24" in said.read_text(), 60), first.communicate()
    first.kill()
    first.communicate()
    assert waited(lambda: not at_work(folder), 5)
    run = base(written, folder, listener, TWO)
    assert not any("step     2/24" in line for line in listener.said) and "step    24/24" in " ".join(listener.said)
    alone = base(written, tmp_path / "one", listener)
    losses = [[p.loss for p in one.rows("pretrain/losses")] for one in (alone, run)]
    assert losses[1] == pytest.approx(losses[0], abs=2e-3) and len(losses[0]) == 12
    (speed,) = (t.speed for t in run.timings() if t.step == "pretrain")
    assert speed is not None and speed.tokens_per_second > 0 and 0 < speed.mfu < 1 and speed.peak_tflops == 1


def test_what_processes_refuse_is_said_as_one_process_would(written, tmp_path, listener, monkeypatch):
    """Without starting any: what a launch leaves behind decides what is said."""

    def started(line: str):
        return lambda compute, machine, folder, step: [sys.executable, "-c", line.format(at=folder / step.at)]

    write = "open('{at}/checkpoints/error', 'w').write('student: no.'); raise SystemExit(1)"
    monkeypatch.setattr(launching, "_line", started(write))
    with pytest.raises(UnderstudyError, match=r"^student: no\.$"):
        base(written, tmp_path / "run", listener, TWO)
    monkeypatch.setattr(launching, "_line", started("raise OSError('no device')"))
    with pytest.raises(UnderstudyError, match="pretrain: the training processes failed. Read (.|\n)*no device"):
        base(written, tmp_path / "run", listener, TWO)


REFUSED = [
    ("compute.processes=3", "pretrain: batch: 4 does not divide by accumulate x processes, 3."),
    ("compute={processes: 3, machines: 2}", "machines: 3 processes do not divide among 2."),
    ("compute={processes: 4, machines: 2}", "several machines meet at the first. Give its address as host:port."),
]


@pytest.mark.parametrize(("change", "says"), REFUSED, ids=[says[:20] for _, says in REFUSED])
def test_a_launch_that_cannot_be_is_refused_before_it(change, says, written):
    with pytest.raises(UnderstudyError, match=says):
        recipes.load(str(written), [change])


def test_the_line_that_starts_them_says_what_the_recipe_says(tmp_path):
    def line(machine: int = 0, **compute) -> list[str]:
        step = Step("arms/a/sft", [], (), list, at="arms/a")
        return launching._line(recipes.build({"compute": compute}).compute, machine, tmp_path, step)

    plain = line(processes=2)
    assert plain[plain.index("--num_processes") + 1] == "2" and "--multi_gpu" in plain and "--use_fsdp" not in plain
    assert plain[-4:] == ["understudy.launch", str(tmp_path), "arms/a", "arms/a/sft"]
    spread = line(processes=2, strategy="fsdp2")
    assert spread[spread.index("--fsdp_version") + 1] == "2" and "--multi_gpu" not in spread
    two = line(1, processes=4, machines=2, address="one:29500")
    told = {two[i]: two[i + 1] for i in range(len(two) - 1)}
    assert [told[f"--{n}"] for n in ("num_machines", "machine_rank", "main_process_ip", "main_process_port")] == [
        "2", "1", "one", "29500",
    ]  # fmt: skip
