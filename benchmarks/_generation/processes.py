"""Processes that are measured: the mock server, and clients with what they took; a client may be killed on the way."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

HERE = Path(__file__).parent
LONGEST = 900.0
"""Seconds after which a client is given up."""


class Ran(NamedTuple):
    """What a client took."""

    cpu: float
    """Seconds, user and system, of the process and of those it began and waited for."""
    wall: float
    peak_mb: float
    """Most memory of its largest process."""
    code: int
    """Exit code; negative: the signal that ended it."""
    began: float
    """Seconds of the monotonic clock."""
    said: str
    """stdout and stderr."""

    @property
    def facts(self) -> dict[str, Any]:
        """The last line that is JSON: how our own worker tells what it did."""
        lines = [line for line in self.said.splitlines() if line.startswith("{")]
        return dict(json.loads(lines[-1])) if lines else {}


class Failed(Exception):
    """A client that should have done its work did not."""


def ran(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    kill: Callable[[], bool] | None = None,
    cwd: Path | None = None,
) -> Ran:
    """Run a client to its end, or until `kill` becomes true: then its whole group is killed with signal 9."""
    with tempfile.TemporaryFile() as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=cwd,
            env={**os.environ, **(environment or {})}, start_new_session=True,
        )  # fmt: skip
        try:
            while not (found := os.wait4(process.pid, os.WNOHANG if kill else 0))[0]:
                if kill and kill() or time.monotonic() - began > LONGEST:
                    os.killpg(process.pid, signal.SIGKILL)
                    kill = None
                else:
                    time.sleep(0.002)
        finally:
            with suppress(ProcessLookupError):  # what it began and did not wait for
                os.killpg(process.pid, signal.SIGKILL)
        wall, (_, status, used) = time.monotonic() - began, found
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        said = log.read().decode("utf-8", "replace")
    return Ran(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, process.returncode, began, said)


def done(run: Ran) -> Ran:
    """The same.

    Raises:
        Failed: it did not end as it should.
    """
    if run.code:
        raise Failed(f"exit {run.code}: {' '.join(run.said.split())[-400:]}")
    return run


class Mock:
    """The mock server in a process of its own, for as long as it is entered."""

    def __init__(self, work: Path) -> None:
        self.port_file = work / "port"

    def __enter__(self) -> "Mock":
        self.port_file.unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, str(HERE / "mock.py"), str(self.port_file)])
        for _ in range(500):
            if self.port_file.exists():
                break
            time.sleep(0.02)
        self.root = f"http://127.0.0.1:{self.port_file.read_text()}"
        self.url = f"{self.root}/v1"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()

    def set(self, **settings: float | bool) -> None:
        """Other settings; counts begin at nothing."""
        self._asked("/set", json.dumps(settings).encode())

    def counts(self) -> dict[str, Any]:
        """What has happened since `set`."""
        return self._asked("/counts")

    def asked(self) -> dict[str, int]:
        """Every sample that was asked for, as KEY/SEED, and how often."""
        return self._asked("/asked")

    def answered(self) -> dict[str, int]:
        """Every sample that was sent, and how often."""
        return self._asked("/answered")

    def _asked(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        with urllib.request.urlopen(urllib.request.Request(self.root + path, body), timeout=60) as reply:
            return dict(json.load(reply))


def spread(values: Sequence[float], form: str = "{:.2f}") -> str:
    """Median and range.

    >>> spread([1.0, 2.0, 4.0])
    '2.00 (1.00–4.00)'
    """
    middle = form.format(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({form.format(min(values))}–{form.format(max(values))})"
