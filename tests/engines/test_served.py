"""A real model behind a real server: what comes over HTTP is what the model says, and a recipe is taught by it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("trl")
pytest.importorskip("fastapi")

import torch  # noqa: E402

from understudy import pipeline, student  # noqa: E402
from understudy import recipe as recipes  # noqa: E402
from understudy.engines.http import Http  # noqa: E402
from understudy.engines.local import Local  # noqa: E402
from understudy.recipe import Build, Teacher  # noqa: E402
from understudy.records import Message, Prompt, Sampling, Stop  # noqa: E402
from understudy.steps.curate import ALL_RULES  # noqa: E402
from understudy.store import Run  # noqa: E402

TEXTS = [f"{name} has {n} apples and buys {n + 3} more. How many?" for name in ("Anna", "Ben") for n in range(40)]
SHAPE = Build(layers=1, width=32, heads=2, kv_heads=1, head_width=16, ffn=64, vocabulary=400, context=512)
PROMPTS = [Prompt(id=f"p{i}", messages=(Message(role="user", content=text),)) for i, text in enumerate(TEXTS[:4])]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A student that says something, whatever it is."""
    folder = tmp_path_factory.mktemp("served") / "model"
    tokenizer = student.train_tokenizer(TEXTS, 400)
    built = student.build(SHAPE, tokenizer, 0)
    with torch.no_grad():
        for name, weight in built.named_parameters():
            weight.mul_(15 if weight.ndim == 2 and "embed" not in name else 1)
    built.generation_config.do_sample = True  # else the server samples nothing, whatever the temperature
    built.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def url(model):
    """`transformers serve` on loopback, with the model loaded."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model)]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(server, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(20)


def _wait(server: subprocess.Popen, url: str) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the server does not answer")


def test_greedy_over_http_is_greedy_in_the_process(url, model):
    http, local = Http(Teacher(engine="http", url=url, model=str(model))), Local(student.load(str(model)), "m")
    how = Sampling(max_tokens=12)
    try:
        served = {one.prompt: one.sample for one in http.sample(PROMPTS, how)}
    finally:
        http.close()
    own = {one.prompt: one.sample for one in local.sample(PROMPTS, how)}
    assert [served[i].text.strip() for i in range(4)] == [own[i].text.strip() for i in range(4)]
    assert all(served[i].text.strip() for i in range(4))
    assert [served[i].tokens_in for i in range(4)] == [own[i].tokens_in for i in range(4)]
    assert {one.stop for one in served.values()} <= {Stop.END, Stop.LENGTH}


def test_several_samples_come_from_a_server_that_gives_one_at_a_time(url, model):
    """It ignores n: found out once, and asked one by one."""
    http = Http(Teacher(engine="http", url=url, model=str(model)))
    try:
        drawn = list(http.sample(PROMPTS[:2], Sampling(n=3, temperature=20.0, max_tokens=12)))
    finally:
        http.close()
    assert sorted((one.prompt, one.number) for one in drawn) == [(i, n) for i in range(2) for n in range(3)]
    assert not any(one.sample.error for one in drawn) and http.tally.uncounted == 0
    assert len({one.sample.text for one in drawn}) > 2


def test_a_recipe_is_taught_by_a_served_model(url, model, kill, tmp_path, listener):
    """All the way to the report; that the teacher talks nonsense is what the rules are left out for."""
    rules = ", ".join(name for name in ALL_RULES if name not in ("failed", "contaminated"))
    sets = [
        *kill.SETS,
        "generate.teacher.engine=http", f"generate.teacher.url={url}", f"generate.teacher.model={model}",
        "generate.n=2", "generate.limit=6", "generate.max_tokens=16",
        f"curate.without=[{rules}]",
        "workers=1", "arms={student: {}}", "evaluate={}", "solve.samples=0",
    ]  # fmt: skip
    run = Run(tmp_path / "run")
    pipeline.distil(recipes.load("demo", sets), run, listener)
    traces = list(run.rows("traces"))
    assert len(traces) == 12 and all(t.teacher == str(model) and t.sample.tokens_in > 0 for t in traces)
    assert (run.folder / "report.html").exists() and list(run.rows("metrics"))
