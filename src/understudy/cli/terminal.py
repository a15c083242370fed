"""What is written to a terminal: untrusted text made harmless, progress, and what two Ctrl-C do."""

import os
import re
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

QUIET = {
    "DATASETS_VERBOSITY": "error",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # Transformers' bars too: "Loading weights", "Writing model shards"
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}
"""What the libraries read when they are imported; a user's own setting wins."""

HARMFUL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # window title, clipboard
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # turn the direction of writing
)

SOON = 2.0
"""Seconds before a bar is shown."""
LINE_EVERY = 10.0
"""Seconds between lines of progress where there is no terminal."""


def quiet() -> None:
    """No noise of libraries. To be called before they are imported."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def clean(text: str) -> str:
    """Text of a teacher or user without what could drive a terminal.

    >>> clean("\\x1b[31mred\\x1b]0;title\\x07 \\x9b2J72\\r")
    'red 2J72'
    """
    return HARMFUL.sub("", text)


def plain(text: str, style: str = "") -> Text:
    """Harmless text, in which nothing is markup."""
    return Text(clean(text), style=style)


def learned(text: Text) -> Text:
    """The text, what a student learns of it in colour: that stands in ⟦ ⟧."""
    text.highlight_regex(r"⟦[^⟧]*⟧", "green")
    return text


def out() -> Console:
    """Where results go. Not a terminal: wide enough that no table is folded."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


def complain(message: str) -> None:
    """One error on stderr."""
    print(f"understudy: {clean(message)}", file=sys.stderr)


class Watch:
    """The `pipeline.Teller` of a person: lines and a bar on stderr; stops at the first Ctrl-C."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.bar: Progress | None = None
        self.stopped = False
        self.over = True
        """No loop is going on."""
        self.begun = self.told = 0.0
        self.done = self.done_then = 0

    def say(self, line: str) -> None:
        """The line, above the bar where there is one."""
        if self.console.is_terminal:
            self.console.print(learned(plain(line)))
        else:
            print(clean(line), file=sys.stderr, flush=True)

    def tick(self, done: int, total: int, note: str = "") -> None:
        """Progress, where it takes longer than a moment."""
        now = time.monotonic()
        if self.over or done < self.done:  # another loop has begun
            self.close()
            self.begun = self.told = now
            self.done_then = done
        self.done, self.over = done, done >= total
        if self.over:
            self.close()
        elif self.console.is_terminal:
            if now - self.begun > SOON:
                self._draw(done, total, note)
        elif now - self.told >= LINE_EVERY:
            rate = (done - self.done_then) / (now - self.told)
            left = f"{done:>8}/{total}  {rate:.1f}/s  {duration((total - done) / rate)} left"
            self.say(f"{left}  {note}".rstrip())
            self.told, self.done_then = now, done

    def stop(self) -> bool:
        """Ctrl-C was pressed."""
        return self.stopped

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    @contextmanager
    def listening(self) -> Iterator["Watch"]:
        """Meanwhile the first Ctrl-C asks to stop, and the second leaves."""
        before = signal.signal(signal.SIGINT, self._interrupted)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)
            self.close()

    def _draw(self, done: int, total: int, note: str) -> None:
        if self.bar is None:
            columns: tuple[ProgressColumn, ...] = (
                BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(), TextColumn("left"),
                TextColumn("{task.description}"),
            )  # fmt: skip
            self.bar = Progress(*columns, console=self.console, transient=True)
            self.bar.add_task("", total=total)
            self.bar.start()
        self.bar.update(self.bar.task_ids[0], completed=done, description=escape(clean(note)))

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        # os.write: a handler may interrupt a print, and a second print inside it would fail.
        if self.stopped:
            os.write(2, b"\x1b[?25h\n" if self.console.is_terminal else b"\n")
            os._exit(130)  # what was done is on disk: a run survives being killed
        self.stopped = True
        os.write(2, b"\nunderstudy: finishing what is in flight; press again to leave now\n")


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


def duration(seconds: float) -> str:
    """In the unit that a person would use.

    >>> duration(8), duration(90), duration(8000)
    ('8 s', '1.5 min', '2.2 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
