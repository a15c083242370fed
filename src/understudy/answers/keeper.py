"""The process in which Math-Verify runs, a program of its own: it imports nothing of the package.

It loads Math-Verify once and forks a solver, which it kills at the time limit and forks anew within milliseconds. It
ends with its parent, and the solver with it.
"""

import gc
import json
import os
import re
import resource
import select
import signal
import sys
from contextlib import suppress
from fractions import Fraction
from typing import Any

MEMORY = 1 << 30
"""Address space of a solver, bytes."""
LATE = 3.0
"""Seconds by the clock that a question may take beyond its processor time: other processes have theirs."""
USES = 1000
"""Questions after which a solver is replaced: sympy's caches grow."""
DECIMAL = re.compile(r"\s*\$?\s*(-?\d{0,15}\.\d{1,20})\s*\$?\s*")
DEGREES = re.compile(r"(\d+(?:\.\d+)?)\s*(?:\^\s*\{?\s*\\circ\s*\}?|\u00b0)")
DELIMITERS = re.compile(r"(?<!\\)\$|\\[()\[\]]")
TURNS = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-z])")


def read_line(file: int, seconds: float, other: int | None = None) -> bytes | None:
    """The next line of a pipe; None at its end, when time is over, or when `other` has something to say."""
    line = b""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    if other is not None:
        poll.register(other, select.POLLIN)
    while not line.endswith(b"\n"):
        found = {number for number, _ in poll.poll(1000 * seconds)}
        if file not in found:
            return None
        part = os.read(file, 1 << 16)
        if not part:
            return None
        line += part
    return line


def write_all(file: int, data: bytes) -> None:
    """All of it into a pipe: a signal may end a write in its midst."""
    while data:
        data = data[os.write(file, data) :]


TIMERS = (signal.SIGPROF, signal.SIGALRM)


class Solver:
    """A fork of the keeper that computes, and may be killed while it does."""

    def __init__(self) -> None:
        questions, to_solver = os.pipe()
        from_solver, answers = os.pipe()
        self.uses = 0
        self.pid = os.fork()
        if self.pid == 0:
            for file in (0, 1, to_solver, from_solver):
                os.close(file)
            solve(questions, answers)
        os.close(questions)
        os.close(answers)
        self.to, self.back = to_solver, from_solver

    def ask(self, line: bytes) -> bytes | None:
        """The answer; None where it is not there in time."""
        self.uses += 1
        with suppress(BrokenPipeError):  # said by the end of the other pipe
            write_all(self.to, line)
        return read_line(self.back, json.loads(line)["seconds"] + LATE, other=0)  # on 0: the parent has gone

    def kill(self) -> bool:
        """The solver is gone; whether it was alive until now, or ended by its own timers."""
        ended, status = os.waitpid(self.pid, os.WNOHANG)
        if ended == 0:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.to)
        os.close(self.back)
        return ended == 0 or os.WIFSIGNALED(status) and os.WTERMSIG(status) in TIMERS


def keep(parent: int) -> None:
    """The keeper's life: until the parent closes the pipe or has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    warm_up()
    gc.freeze()  # what is loaded is never collected, so that forks share it
    os.write(1, b"ready\n")
    solver: Solver | None = None
    while (line := next_question(parent)) is not None:
        solver = solver or Solver()
        answer = solver.ask(line)
        if answer is None:
            why = "Math-Verify took too long" if solver.kill() else "Math-Verify broke down"
            answer = json.dumps([None, why]).encode() + b"\n"
            solver = None
        elif solver.uses >= USES:
            solver.kill()
            solver = None
        os.write(1, answer)
    if solver is not None:
        solver.kill()


def next_question(parent: int) -> bytes | None:
    """The parent's next line; None when it has gone, which a fork that holds the pipe would hide."""
    line = b""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    while not line.endswith(b"\n"):
        if not poll.poll(100):
            if os.getppid() != parent:
                return None
            continue
        part = os.read(0, 1 << 16)
        if not part:
            return None
        line += part
    return line


def solve(questions: int, answers: int) -> None:
    """The solver's life. Never returns."""
    die_with_parent()
    for timer in TIMERS:
        signal.signal(timer, signal.SIG_DFL)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while (line := read_line(questions, 1e6)) is not None:
        question = json.loads(line)
        # Without a handler both kill, in the midst of C code too: SIGPROF in time, SIGALRM should the keeper be gone.
        signal.setitimer(signal.ITIMER_PROF, question["seconds"])
        signal.setitimer(signal.ITIMER_REAL, question["seconds"] + LATE + 0.2)
        try:
            opinion = OPINIONS[question["do"]](question)
        except (MemoryError, RecursionError):
            opinion = (None, "Math-Verify ran out of memory")
        except Exception as error:  # of any of four libraries
            opinion = (None, f"Math-Verify failed ({type(error).__name__})")
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.write(answers, json.dumps(opinion).encode() + b"\n")
    os._exit(0)


def die_with_parent() -> None:
    """Killed with the keeper, where the system can."""
    if sys.platform == "linux":  # the signal comes when the *thread* that forked has ended; the keeper has but one
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def opinion_of_two(question: dict[str, Any]) -> tuple[bool | None, str]:
    """Whether two answers are equal."""
    from math_verify import verify

    a, b = expressions(question["a"]), expressions(question["b"])
    if not a or not b:
        return None, "Math-Verify cannot read " + ("the reply's answer" if not a else "the gold answer")
    decimal = DECIMAL.fullmatch(question["a"])
    if decimal is not None:
        return is_rounding(decimal[1], b[0]) if question["rounded"] else False, ""
    if len(a) == len(b) == 1 and is_one_equation(a[0], b[0]):
        return True, ""
    return verify(b, a, float_rounding=30, numeric_precision=50, timeout_seconds=None, raise_on_error=True), ""


def is_one_equation(a: Any, b: Any) -> bool:
    """Two equations differ by a factor; with one unknown that is not asked, as 2x = 10 is still to be solved for x = 5.

    Math-Verify comes to the same, but may take a second over it.
    """
    import sympy

    if not isinstance(a, sympy.Eq) or not isinstance(b, sympy.Eq) or len(a.free_symbols) < 2:
        return False
    x, y = (sympy.expand(sympy.nsimplify(e.lhs - e.rhs, rational=True)).as_coefficients_dict() for e in (a, b))
    return x.keys() == y.keys() and len({x[term] / y[term] for term in x}) == 1


def is_rounding(decimal: str, gold: Any) -> bool:
    """The decimal is the gold value correctly rounded."""
    import sympy

    value = sympy.N(gold, 60)
    if not value.is_real or not value.is_number:
        return False
    exact = Fraction(str(value)) if "." in str(value) else Fraction(int(value))
    return abs(exact - Fraction(decimal)) <= Fraction(1, 2 * 10 ** len(decimal.partition(".")[2]))


def opinion_of_reply(question: dict[str, Any]) -> tuple[bool | None, str]:
    """Math-Verify's verdict on a reply, and after a line break what it read."""
    from math_verify import parse, verify

    gold = parse(question["b"], parsing_timeout=None) or parse(f"${question['b']}$", parsing_timeout=None)
    found = parse(question["a"], parsing_timeout=None)
    said = str(found[-1])[:200] if found else ""
    return verify(gold, found, timeout_seconds=None), f"\n{said}" if found else ""


def expressions(text: str) -> list[Any]:
    """What Math-Verify reads, without the text that it falls back to."""
    from math_verify import parse

    if TURNS.search(text):  # it would take the sine of 30 radians
        text = DEGREES.sub(r"(\\frac{\1 \\pi}{180})", text)
    text = DELIMITERS.sub(" ", text)
    return [found for found in parse(f"\\boxed{{{text}}}", parsing_timeout=None) if not isinstance(found, str)][:1]


OPINIONS = {"same": opinion_of_two, "grade": opinion_of_reply}


WARMING = (
    ("\\frac{1}{x+1}", "(x+1)^{-1}"), ("\\sin{x}", "\\cos{x}"), ("[1,2)", "x \\ge 1"), ("1.4", "\\sqrt{2}"),
    ("2y = 3x - 7", "y = \\frac{3x-7}{2}"), ("(a+2)(b-3)", "ab-3a+2b-5"), ("\\frac{x^2-4}{x-2}", "x+2"),
    ("\\cos 75^\\circ", "\\frac{\\sqrt{6}+\\sqrt{2}}{2}"), ("\\frac{\\sin 2x}{\\cos x}", "2\\tan x"),
    ("\\cos 4x", "1-2\\cos^2 x"), ("2.81", "\\log_2 7"), ("e^{2i\\pi}", "\\ln 5"), ("3^{x+2}", "9x^3"),
    ("[0,3)\\cup(4,5)", "(-\\infty,1)\\cup[2,\\infty)"), ("\\sqrt{9+4\\sqrt{5}}", "\\sqrt[3]{5}+\\sqrt{2}"),
)  # fmt: skip
"""One question of each sort that people's answers raise, true or not."""


def warm_up() -> None:
    """The first question of a sort builds tables that all later ones use, and takes up to five times as long."""
    import logging

    logging.disable(logging.CRITICAL)
    for a, b in WARMING:
        opinion_of_two({"a": a, "b": b, "rounded": True})


if __name__ == "__main__":
    keep(int(sys.argv[1]))
