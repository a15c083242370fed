"""The graders that are compared, each in a process of its own that is asked line by line."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from _venvs import ROOT, interpreter

PEERS = Path(__file__).parent / "peers"
STARTS_IN = 180.0
"""Seconds that a grader may take to load on a busy machine."""
LONGEST = 900.0
"""Seconds after which an answer is no longer waited for."""


class Grader(NamedTuple):
    """Who judges."""

    label: str
    script: str
    """In peers/, with its arguments."""
    home: str = ""
    """The environment under .bench/; "" = our own."""
    packages: tuple[str, ...] = ()
    """What that one holds."""


VERDICT, WHOLE, MATH_VERIFY = "understudy, verdict", "understudy, verdict, slips and flags", "Math-Verify"
LM_EVAL = ("lm-eval", ("lm_eval[api]",))
GRADERS = (
    Grader(VERDICT, "with_understudy.py verdict"),
    Grader(WHOLE, "with_understudy.py all"),
    Grader("regex, declared answer", "with_regex.py declared"),
    Grader("regex, last number", "with_regex.py last"),
    Grader(MATH_VERIFY, "with_math_verify.py", "math-verify", ("math-verify[antlr4_13_2]==0.9.0",)),
    Grader("lm-eval strict", "with_lm_eval.py strict-match", *LM_EVAL),
    Grader("lm-eval flexible", "with_lm_eval.py flexible-extract", *LM_EVAL),
    Grader(
        "inspect-ai math()", "with_inspect.py", "inspect-ai-math",
        ("inspect-ai==0.3.285", "latex2sympy2-extended[antlr4_13_2]==1.11.0"),
    ),
    Grader("TRL accuracy_reward", "with_trl.py"),
    Grader(
        "lighteval", "with_lighteval.py", "lighteval",
        ("torch==2.13.0", "lighteval==0.13.0", "math-verify[antlr4_13_2]"),
    ),
)  # fmt: skip
OURS = (VERDICT, WHOLE)
LARGE = ("lighteval",)
SLOW = ("inspect-ai math()",)
"""Some tens of replies a second: given few."""


NAMES = "; ".join(one.label for one in GRADERS)


class Failed(Exception):
    """A grader does not answer; says why."""


class Worker:
    """A grader's process, for as long as it is entered."""

    def __init__(self, grader: Grader) -> None:
        self.grader = grader

    def __enter__(self) -> "Worker":
        script, *arguments = self.grader.script.split()
        try:
            python = interpreter(self.grader.home, self.grader.packages)
        except RuntimeError as error:
            raise Failed(str(error)) from None
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [str(python), str(PEERS / script), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=_one_thread(), text=True,
        )  # fmt: skip
        try:
            self.version: str = self._read(STARTS_IN)["ready"]
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def said(self, rows: Sequence[tuple[str, str]]) -> list[bool | None]:
        """Of each reply and its gold answer, whether it is right; None = the grader refuses to say."""
        found: list[bool | None] = self._asked({"rows": rows})["said"]
        return found

    def rate(self, file: Path, start: int, stop: int, seconds: float) -> float:
        """Rows of the file that it judges in a second of CPU."""
        asked = {"file": str(file), "start": start, "stop": stop, "seconds": seconds}
        found = self._asked({"time": asked})
        return float(found["rows"] / found["cpu"])

    def _asked(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # said by the end of the other pipe
        return self._read(LONGEST)

    def _read(self, seconds: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        clock = threading.Timer(seconds, self.process.kill)
        clock.start()
        try:
            line = self.process.stdout.readline()
        finally:
            clock.cancel()
        if not line:
            self.log.seek(0)
            said = " ".join(self.log.read().decode("utf-8", "replace").split())
            raise Failed(f"{self.grader.label}: {said[-300:] or 'it took too long'}")
        found: dict[str, Any] = json.loads(line)
        return found

    def _stop(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.log.close()


def chosen(labels: Sequence[str]) -> list[Grader]:
    """The graders whose labels begin so; where none is named all but large ones that are not there."""
    if labels:
        return [one for one in GRADERS if any(one.label.lower().startswith(said) for said in labels)]
    absent = [one for one in GRADERS if one.home in LARGE and not (ROOT / ".bench" / one.home / "installed").exists()]
    for one in absent:
        told(f"{one.label} is left out: its environment takes gigabytes. --graders {one.home} makes it, once")
    return [one for one in GRADERS if one not in absent]


def named(parser: argparse.ArgumentParser, said: str) -> list[str]:
    """What was said, word by word."""
    words = [word.strip().lower() for word in said.split(",") if word.strip()]
    for word in words:
        if not any(one.label.lower().startswith(word) for one in GRADERS):
            parser.error(f"there is no grader '{word}'. There are: {NAMES}")
    return words


def told(line: str) -> None:
    """To whoever watches."""
    print(line, file=sys.stderr, flush=True)


def _one_thread() -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    return os.environ | {name: "1" for name in names} | {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
