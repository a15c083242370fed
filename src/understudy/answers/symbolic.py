"""Math-Verify, asked where exact values leave it open whether two answers are equal: bounded, and in no one's way."""

import atexit
import json
import os
import re
import subprocess
import sys
import threading
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from understudy.answers import keeper
from understudy.answers.groups import depth

SECONDS = 0.15
"""Most processor time of the solver for one question; by the clock it may take keeper.LATE longer."""
STARTS_IN = 60.0
"""Seconds that loading Math-Verify may take on a busy machine."""
GRACE = 5.0
"""Seconds by which a keeper may be late before it is killed itself."""
NOT_INSTALLED = "Math-Verify is not installed: pip install 'understudy[math]'"

MAX_LENGTH = 500
MAX_DEPTH = 12
MAX_DIGITS = 25
MAX_EXPONENT = 99
MAX_TOKENS = 160
DIGITS = re.compile(r"\d+")
RAISED = re.compile(r"(?:\^|\*\*)\s*(?:[{(]\s*)*-?\s*(\d+)")
TOWER = re.compile(r"(?:\^|\*\*)\s*[{(\s]*-?\d+\s*(?:\^|\*\*)")
FACTORIAL = re.compile(r"\d{3,}\s*[})]*\s*!|\^\s*\{?\s*\d+\s*\}?\s*!|![\s})]*!|\\(?:d|t)?binom[^\\]*?\d{4,}")
UNEVALUATED = re.compile(r"\\(?:(?:i{1,4}|o|idots)nt|lim(?:sup|inf)?|sum|prod)(?![a-z])|[\u222b-\u2233\u2211\u220f]")
"""Integrals, limits, sums and products: to work one out may take any time."""
BRACES = re.compile(r"\\[{}]")
PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{3,}")
MAX_WORDS = 4
EITHER = re.compile(r"(?<![A-Za-z])or(?![A-Za-z])")
PARTS = re.compile(r"\\[A-Za-z]+|\d|[A-Za-z]+|\S")


class Opinion(NamedTuple):
    """What Math-Verify says of two answers."""

    equal: bool | None
    """None = not decided."""
    why: str
    """Why it was not decided, else ""."""


def same(a: str, b: str, seconds: float = SECONDS) -> bool | None:
    """The reply's answer `a` is the gold answer `b` by Math-Verify; None = not decided: not installed, too large,
    unreadable, out of time (`seconds`, of the solver's processor) or out of memory.

    Safe in threads, asyncio and forked or spawned processes; one question at a time in each process.
    """
    return ask(a, b, seconds=seconds).equal


def available() -> bool:
    """Math-Verify is installed."""
    return find_spec("math_verify") is not None


@lru_cache(maxsize=4096)
def ask(a: str, b: str, rounded: bool = True, seconds: float = SECONDS) -> Opinion:
    """The opinion on two answers as they are written; `rounded`: a decimal may be the gold value correctly rounded."""
    for text in (a, b):
        if (what := refused(text)) is not None:
            return Opinion(None, f"not for Math-Verify: {what}")
    return put({"do": "same", "a": a, "b": b, "rounded": rounded}, seconds)


def graded(text: str, gold: str, seconds: float = SECONDS) -> tuple[Opinion, str | None]:
    """Math-Verify's own verdict on a whole reply, and the answer it reads there; no checks of size."""
    opinion = put({"do": "grade", "a": text, "b": gold}, seconds)
    head, mark, answer = opinion.why.partition("\n")
    return Opinion(opinion.equal, head), answer if mark else None


def refused(text: str) -> str | None:
    """What of the text is out of bounds; None if nothing is."""
    if len(text) > MAX_LENGTH:
        return f"{len(text)} characters"
    if (deep := depth(text)) > MAX_DEPTH:
        return f"{deep} brackets deep"
    if any(len(m.group()) > MAX_DIGITS for m in DIGITS.finditer(text)):
        return "a number of many digits"
    if any(int(m[1]) > MAX_EXPONENT for m in RAISED.finditer(text)) or TOWER.search(text):
        return "a large exponent"
    if FACTORIAL.search(text):
        return "a large factorial"
    if UNEVALUATED.search(text):
        return "an integral, limit, sum or product"
    if BRACES.sub("", text).count("{") != BRACES.sub("", text).count("}"):
        return "open braces"
    if len(PROSE.findall(text)) > MAX_WORDS:
        return "prose"
    if EITHER.search(text):
        return "two answers"
    return "too many parts" if sum(1 for _ in PARTS.finditer(text)) > MAX_TOKENS else None


# --- the side that asks -----------------------------------------------------------------------------------------------


class Gone(Exception):
    """The keeper does not answer. Never leaves this file."""


class Keeper:
    """The process that holds Math-Verify, as its parent sees it."""

    def __init__(self) -> None:
        # -P: the folder of that file holds modules whose names a library might know.
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", keeper.__file__, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"},
            bufsize=0,
            process_group=0,  # Ctrl-C is the parent's to hear
        )
        try:
            self.read(STARTS_IN)
        except BaseException:
            self.stop()
            raise

    def ask(self, question: dict[str, Any], seconds: float) -> Opinion:
        """The opinion on one question."""
        assert self.process.stdin is not None
        try:
            line = json.dumps(question | {"seconds": seconds}).encode() + b"\n"
            keeper.write_all(self.process.stdin.fileno(), line)
        except OSError:
            raise Gone from None
        return Opinion(*json.loads(self.read(seconds + keeper.LATE + GRACE)))

    def read(self, seconds: float) -> bytes:
        """One line, if it comes in time."""
        assert self.process.stdout is not None
        line = keeper.read_line(self.process.stdout.fileno(), seconds)
        if line is None:
            raise Gone
        return line

    def stop(self) -> None:
        """The process is gone, at once."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def leave(self) -> None:
        """Of a forked child: it is the parent's. Its pipes are closed here, so that the end of the parent is seen."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.returncode = 0  # there is nothing to wait for


_lock = threading.Lock()
_keeper: Keeper | None = None
_prepared = False
_broken = False
"""Math-Verify is there and cannot be loaded: not tried again."""


def put(question: dict[str, Any], seconds: float) -> Opinion:
    """The question to this process's keeper, which is started if there is none."""
    global _keeper, _broken
    if not available():
        return Opinion(None, NOT_INSTALLED)
    with _lock:
        for _ in range(2):  # a keeper that was killed from outside is replaced once
            try:
                if _keeper is None and not _broken:
                    _prepare()
                    _keeper = _started()
                if _keeper is None:
                    return Opinion(None, "Math-Verify cannot be started")
                return _keeper.ask(question, seconds)
            except BaseException as error:  # also Ctrl-C: an answer that nobody has read would be the next one's
                if _keeper is not None:
                    _keeper.stop()
                _keeper = None
                if not isinstance(error, Gone):
                    raise
    return Opinion(None, "Math-Verify ended without an answer")


def _started() -> Keeper | None:
    global _broken
    try:
        return Keeper()
    except (Gone, OSError):
        _broken = True
        return None


def _prepare() -> None:
    """Once: what is to happen at a fork and at the end."""
    global _prepared
    if not _prepared:
        os.register_at_fork(after_in_child=_forked)
        atexit.register(_end)
        _prepared = True


def _forked() -> None:
    global _lock, _keeper
    _lock = threading.Lock()  # another thread may have held it
    if _keeper is not None:
        _keeper.leave()
    _keeper = None


def _end() -> None:
    global _keeper
    if _keeper is not None:
        _keeper.stop()
    _keeper = None
