"""Work in processes of its own, side by side: each on its share of the cores, and none outlives its parent."""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import IO, Any

THREADS = "OMP_NUM_THREADS"
"""Read by torch as it is imported, so it is set before a process starts."""

PR_SET_PDEATHSIG = 1
"""Of prctl(2)."""

_lines: "Queue[str]"
_stopping: Event


def side_by_side(
    work: Callable[..., Any],
    calls: Sequence[tuple[Any, ...]],
    at_once: int,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Iterator[int]:
    """Runs `work(*call)` of every call, `at_once` at a time, in their order; the index of each as it is done.

    `work` is a function of a module, and may use `said` and `stopped`.

    Raises:
        Whatever a call raises; KeyboardInterrupt where `stop` became true and a call heeded it.
    """
    context = multiprocessing.get_context("spawn")
    lines, stopping = context.Queue(), context.Event()
    before = os.environ.get(THREADS)
    os.environ[THREADS] = str(max(1, (os.cpu_count() or 1) // at_once))
    try:
        with ProcessPoolExecutor(at_once, context, _begin, (os.getpid(), lines, stopping)) as pool:
            waiting = {pool.submit(work, *call): i for i, call in enumerate(calls)}
            while waiting:
                done, _ = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
                while not lines.empty():
                    say(lines.get())
                if stop():
                    stopping.set()
                for future in done:
                    future.result()
                    yield waiting.pop(future)
    finally:
        if before is None:
            del os.environ[THREADS]
        else:
            os.environ[THREADS] = before


def rank() -> int:
    """Number of this process among those that train together, from 0; 0 too where there is one alone."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def said(line: str) -> None:
    """Of a worker: one line for the person who watches the parent."""
    _lines.put(line)


def stopped() -> bool:
    """Of a worker: whether to finish what is in flight and leave."""
    return _stopping.is_set()


def _begin(parent: int, lines: "Queue[str]", stopping: Event) -> None:
    global _lines, _stopping
    _lines, _stopping = lines, stopping
    dies_with(parent)


def dies_with(parent: int) -> None:
    """Of a process just begun: it ends when its parent does, and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and says what to do
    if sys.platform == "linux":  # at once with the parent: the same command may follow a kill -9 within milliseconds
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def with_parent(line: Sequence[str], output: IO[bytes], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """A program begun in a group of its own that ends when this process does, also by kill -9 (on Linux)."""
    parent, libc = os.getpid(), ctypes.CDLL(None)

    def begun() -> None:
        if sys.platform == "linux":
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it has ended meanwhile
                os._exit(1)

    return subprocess.Popen(
        line, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=dict(environment),
        start_new_session=True, preexec_fn=begun,
    )  # fmt: skip


def _follow(parent: int) -> None:
    """Leave when the parent has: after a kill -9 nobody else would say so."""
    while os.getppid() == parent:
        time.sleep(0.05)
    os._exit(1)
