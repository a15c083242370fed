"""Killed while it asks, a run asks for nothing again that had reached the disk, and ends with the same bytes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
PROBLEMS, SAMPLES, WIDE = 120, 4, 8


def recipe(folder: Path, url: str, n: int = SAMPLES) -> list[str]:
    """The command that asks for the traces of a recipe."""
    rows = [{"question": f"What is {i} plus {i}?", "answer": str(2 * i)} for i in range(PROBLEMS)]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = {"teacher": {"engine": "http", "model": "tiny", "url": url, "concurrency": WIDE}, "n": n}
    parts = {"sources": [{"path": str(folder / "sums.jsonl"), "split": "train"}], "generate": asked}
    (folder / "r.yaml").write_text(json.dumps(parts | {"overlap_words": None}))
    return [sys.executable, "-m", "understudy", "run", str(folder / "r.yaml"), "--folder", str(folder / "run")]


def start(command: list[str], step: str) -> subprocess.Popen:
    path = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [*command, "--only", step], env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def made(command: list[str], step: str = "generate") -> None:
    child = start(command, step)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors.decode()


def kept(folder: Path) -> set[tuple[str, int]]:
    """Prompt and number of each sample that has reached the disk."""
    lines = [line for path in (folder / "run" / "samples" / "teacher").glob("0*") for line in path.open("rb")]
    whole = [json.loads(line) for line in lines if line.endswith(b"\n")]
    return {(one["prompt"], one["number"]) for one in whole}


def asked(server) -> Counter[tuple[str, int]]:
    """How often each seed of each prompt was asked for."""
    found: Counter[tuple[str, int]] = Counter()
    for one in server.asked:
        found.update((one.prompt, one.body["seed"] + k) for k in range(one.body.get("n", 1)))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_costs_what_was_in_flight_and_nothing_else(seed, servers, tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    for folder in (whole, torn):
        folder.mkdir()
    with servers.Server(seconds=0.01) as server:
        made(recipe(whole, server.url), "source")
        made(recipe(whole, server.url))
        reference = (whole / "run" / "traces.jsonl").read_bytes()
    with servers.Server(seconds=0.01) as server:
        command = recipe(torn, server.url)
        made(command, "source")
        for until in sorted(random.Random(seed).sample(range(5, PROBLEMS), 2)):
            child = start(command, "generate")
            while len(server.asked) < until and child.poll() is None:
                time.sleep(0.002)
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
        before = kept(torn)
        made(command)
        assert (torn / "run" / "traces.jsonl").read_bytes() == reference
        times = asked(server)
        assert len(times) == PROBLEMS * SAMPLES  # the same seeds, whoever asks
        again = times.total() - len(times)
        assert again <= 2 * WIDE * SAMPLES and len(kept(torn)) == PROBLEMS * SAMPLES and before


def test_the_same_command_and_more_samples_ask_for_nothing_twice(servers, tmp_path):
    with servers.Server() as server:
        command = recipe(tmp_path, server.url)
        made(command, "source")
        made(command)
        first = len(server.asked)
        (tmp_path / "run" / "traces.jsonl").unlink()
        made(command)
        assert len(server.asked) == first
        made(recipe(tmp_path, server.url, n=7))
        assert set(asked(server).values()) == {1} and asked(server).total() == PROBLEMS * 7
        new = [one.body.get("n", 1) for one in server.asked[first:]]
        assert new == [3] * PROBLEMS


def test_the_store_says_what_it_holds_and_gives_it_out(servers, tmp_path):
    with servers.Server() as server:
        command = recipe(tmp_path, server.url, n=2)
        made(command, "source")
        made(command)
        made([*command, "--set", "generate.n=3"])
    told = understudy(tmp_path, "store", "run", "--export", "all.jsonl")
    assert "360 " in told and "240 of 600" in told and "360 samples in all.jsonl" in told
    kept_there = [json.loads(line) for line in (tmp_path / "all.jsonl").open()]
    assert len(kept_there) == 360 and {one["model"] for one in kept_there} == {"tiny"}
    assert "0 lines dropped" in understudy(tmp_path, "store", "run", "--compact")


def test_batch_files_go_out_and_come_in_by_the_command_line(tmp_path):
    recipe(tmp_path, "http://127.0.0.1:9/v1", n=2)
    said = understudy(tmp_path, "batch", "r.yaml", "--folder", "run", "--write", "asked.jsonl")
    assert "120 requests for 240 samples in asked.jsonl" in said
    choice = {"finish_reason": "stop", "message": {"content": "4"}}
    body = {"choices": [{"index": 0} | choice, {"index": 1} | choice]}
    asked_for = [json.loads(line)["custom_id"] for line in (tmp_path / "asked.jsonl").open()]
    results = [{"custom_id": key, "response": {"status_code": 200, "body": body}} for key in asked_for]
    (tmp_path / "got.jsonl").write_text("".join(json.dumps(one) + "\n" for one in results))
    assert "240 samples kept" in understudy(tmp_path, "batch", "r.yaml", "--folder", "run", "--collect", "got.jsonl")


def understudy(folder: Path, *arguments: str) -> str:
    """What a command prints."""
    path = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "understudy", *arguments],
        cwd=folder, env=os.environ | {"PYTHONPATH": path, "COLUMNS": "200"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
