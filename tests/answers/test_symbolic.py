"""Math-Verify is asked only where exact values leave it open, is killed in time, and leaves no process behind."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from understudy.answers import Policy, judge, keeper, symbolic
from understudy.answers.symbolic import refused
from understudy.records import Kind, Verdict

pytestmark = pytest.mark.skipif(not symbolic.available(), reason="the extra `math` is not installed")

SLACK = 5  # machines that run tests are busy


@pytest.fixture(autouse=True)
def forget():
    """What one test has asked, the next asks again."""
    symbolic.ask.cache_clear()


PAIRS = [  # gold answer, reply, equal
    ("\\tan x", "\\frac{\\sin x}{\\cos x}", True),
    ("\\tan x", "\\frac{\\cos x}{\\sin x}", False),
    ("\\ln 12", "\\ln 3 + 2\\ln 2", True),
    ("\\ln 12", "\\ln 3 + \\ln 2", False),
    ("(m+4)(n-1)", "mn - m + 4n - 4", True),
    ("(m+4)(n-1)", "mn - m + 4n + 4", False),
    ("\\frac{k+5}{k-1}", "1 + \\frac{6}{k-1}", True),
    ("\\sqrt{7+4\\sqrt{3}}", "2+\\sqrt{3}", True),
    ("\\sqrt{7+4\\sqrt{3}}", "3+\\sqrt{2}", False),
    ("\\sin 15^\\circ", "\\frac{\\sqrt{6}-\\sqrt{2}}{4}", True),
    ("[0,2) \\cup [2,3]", "[0,3]", True),
    ("[0,2) \\cup (2,3]", "[0,3]", False),
    ("2y = 3x + 8", "y = 1.5x + 4", True),
    ("2y = 3x + 8", "y = 1.5x + 5", False),
    ("2y = 3\\sqrt{x} + 8", "y = 1.5\\sqrt{x} + 4", True),
    ("2y = 3x^2 + 8\\sin x", "y = 1.5x^2 + 4\\sin x", True),
]


@pytest.mark.parametrize(("gold", "reply", "equal"), PAIRS)
def test_what_exact_values_leave_open_is_decided(gold, reply, equal):
    found = judge(f"\\boxed{{{reply}}}", gold, Kind.MATH)
    assert (found.verdict is Verdict.RIGHT) is equal
    assert found.rule == "box" and found.why.endswith(", says Math-Verify")
    assert judge(f"\\boxed{{{reply}}}", gold, Kind.MATH, policy=Policy(symbolic=False)).verdict is Verdict.WRONG


DECIMALS = [("3.17", True), ("3.18", False), ("3.2", True), ("3.169925001", True), ("3.169925", True), ("3.0", False)]


@pytest.mark.parametrize(("reply", "right"), DECIMALS)
def test_a_decimal_is_right_only_if_it_is_the_gold_value_correctly_rounded(reply, right):
    assert symbolic.ask(reply, "\\log_2 9").equal is right
    assert symbolic.ask(reply, "\\log_2 9", rounded=False).equal is False
    assert symbolic.ask("\\log_2 9", reply).equal is False


EXACT = [("12", "13"), ("(1,2)", "(2,1)"), ("[3,5)", "(3,5)"), ("x^2-1", "x^2+1"), ("1011_2", "1011_3"),
         ("even", "odd"), ("(\\tan x, 1)", "[\\tan x, 1]")]  # fmt: skip


@pytest.mark.parametrize(("reply", "gold"), EXACT)
def test_what_is_decided_already_is_not_asked(reply, gold, monkeypatch):
    monkeypatch.setattr(symbolic, "put", lambda *_: pytest.fail("it was asked"))
    assert judge(f"\\boxed{{{reply}}}", gold, Kind.MATH).verdict is Verdict.WRONG


def test_other_kinds_never_ask(monkeypatch):
    monkeypatch.setattr(symbolic, "put", lambda *_: pytest.fail("it was asked"))
    for kind in set(Kind) - {Kind.MATH}:
        judge("\\boxed{\\tan x}", "\\cot x", kind)


LARGE = ["9^{9^{9^9}}", "9**9**9", "(1+x)^{5000}", "(" * 60 + "x" + ")" * 60, "7" * 100_000, "9999!", "x!!!",
         "x+" * 400, "\\frac{" * 30 + "1", "\\tan x}", "\\binom{100000}{50000}",
         "\\int_0^\\infty \\frac{\\sin^9(x^7)}{x^3+e^{x^2}} dx", "\\iint xy dx dy",
         "\\lim_{x\\to 0} \\frac{\\sin x}{x}", "\\sum_{n=1}^{\\infty} n^{-7}", "\\prod_{k=1}^{50} (x+k)",
         "2^{99}!", "\u222b x^2 dx",
         "\\tan x \\text{ or } \\cot x", "it is surely the case that x is large"]  # fmt: skip


@pytest.mark.parametrize("text", LARGE, ids=[text[:20] for text in LARGE])
def test_what_is_out_of_bounds_is_refused_at_once(text, monkeypatch):
    monkeypatch.setattr(symbolic, "put", lambda *_: pytest.fail("it was asked"))
    begun = time.perf_counter()
    assert symbolic.same(text, "\\cot x") is None
    assert judge("\\boxed{\\cot x}", text, Kind.MATH).verdict is Verdict.WRONG
    assert time.perf_counter() - begun < 0.2 * SLACK


@pytest.mark.parametrize(
    "text", ["e^{x^2}", "\\frac{\\sin^9(x^3+1)}{e^{x^2}+\\ln(x+2)}", "10!", "x^{99}", "\\sqrt[3]{2}"]
)
def test_what_people_write_is_not_refused(text):
    assert refused(text) is None


SLOW = "(a+b+c+d+e)^{40}(f+g+h)^{30}"
"""Passes every check of size, and takes minutes."""


def test_a_question_that_takes_too_long_is_ended_and_the_next_is_answered():
    symbolic.same("\\tan x", "\\cot x")
    for _ in range(2):
        symbolic.ask.cache_clear()
        begun = time.perf_counter()
        found = judge(f"\\boxed{{{SLOW}}}", "\\cot x", Kind.MATH)
        assert symbolic.SECONDS < time.perf_counter() - begun < (symbolic.SECONDS + 0.1) * SLACK
        assert found.verdict is Verdict.WRONG and found.why.endswith("as spelled; Math-Verify took too long")
        assert symbolic.same("\\frac{1}{\\tan x}", "\\cot x") is True


def test_a_solver_has_so_much_memory_and_no_more(monkeypatch):
    monkeypatch.setitem(keeper.OPINIONS, "eat", lambda question: (len(bytearray(2 << 30)) > 0, ""))
    solver = keeper.Solver()
    os.write(solver.to, b'{"do": "eat", "seconds": 5}\n')
    assert keeper.read_line(solver.back, 10) == b'[null, "Math-Verify ran out of memory"]\n'
    assert solver.kill()


def test_a_keeper_that_was_killed_is_replaced():
    assert symbolic.same("\\frac{1}{\\tan x}", "\\cot x") is True
    os.kill(symbolic._keeper.process.pid, signal.SIGKILL)
    symbolic.ask.cache_clear()
    assert symbolic.same("\\frac{1}{\\tan x}", "\\cot x") is True


def test_without_math_verify_the_exact_path_decides_alone_and_says_so(monkeypatch):
    monkeypatch.setattr(symbolic, "available", lambda: False)
    found = judge("\\boxed{\\frac{1}{\\tan x}}", "\\cot x", Kind.MATH)
    assert found.verdict is Verdict.WRONG
    assert found.why.endswith("Math-Verify is not installed: pip install 'understudy[math]'")


# --- where it is asked from -------------------------------------------------------------------------------------------

MANY = [(f"\\frac{{{n}}}{{\\tan x}}", f"{n + n % 2}\\cot x", n % 2 == 0) for n in range(1, 17)]


def verdicts() -> list[bool]:
    return [symbolic.same(a, b) is True for a, b, _ in MANY]


def test_eight_threads_at_once_get_the_same_verdicts():
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda pair: symbolic.same(pair[0], pair[1]), MANY))
    assert found == [equal for _, _, equal in MANY]


def test_a_worker_outlives_the_thread_that_started_it():
    symbolic._end()
    thread = threading.Thread(target=verdicts)
    thread.start()
    thread.join()
    process = symbolic._keeper.process
    time.sleep(0.2)
    assert process.poll() is None
    symbolic.ask.cache_clear()
    verdicts()
    assert symbolic._keeper.process is process


def test_it_works_from_asyncio():
    async def all_of_them() -> list[bool | None]:
        return await asyncio.gather(*(asyncio.to_thread(symbolic.same, a, b) for a, b, _ in MANY))

    assert asyncio.run(all_of_them()) == [equal for _, _, equal in MANY]


def test_it_works_from_a_spawned_process():
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(symbolic.same, "\\frac{1}{\\tan x}", "\\cot x").result(60) is True


FORKS = """
import os
from understudy.answers import symbolic
assert symbolic.same("\\\\frac{1}{\\\\tan x}", "\\\\cot x")
mine = symbolic._keeper.process.pid
child = os.fork()
symbolic.ask.cache_clear()
found = symbolic.same("\\\\frac{1}{\\\\tan x}", "\\\\cot x"), symbolic._keeper.process.pid == mine
if child == 0:
    os._exit(0 if found == (True, False) else 1)
print(found, os.waitpid(child, 0)[1])
"""


def test_a_forked_process_has_one_of_its_own(python):
    assert python("-W", "error", "-c", FORKS).stdout == "(True, True) 0\n"


ENDS = {
    "exits": "",
    "raises": "raise SystemExit(3)",
    "leaves at once": "import os; os._exit(0)",
    "is killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "is killed in the midst of a question": (
        "import os, signal, threading\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
        f"symbolic.same({SLOW!r}, 'x', 5)"
    ),
    "is killed, and a fork of it lives on": (
        "import os, signal, time\nif os.fork() == 0: time.sleep(5); os._exit(0)\nos.kill(os.getpid(), signal.SIGKILL)"
    ),
}
ASKED = """
from understudy.answers import symbolic
assert symbolic.same("\\\\frac{1}{\\\\tan x}", "\\\\cot x")
keeper = symbolic._keeper.process.pid  # it and its child are named before the end, which takes both along
print(keeper, open(f"/proc/{keeper}/task/{keeper}/children").read(), flush=True)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
@pytest.mark.parametrize("end", ENDS.values(), ids=list(ENDS))
def test_no_process_is_left_when_the_parent(end):
    source = str(Path(symbolic.__file__).parents[2])
    path = os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-c", ASKED + end], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    family = [int(pid) for pid in process.stdout.readline().split()]
    assert len(family) == 2
    process.wait(30)
    until = time.monotonic() + 3
    while (left := [pid for pid in family if alive(pid)]) and time.monotonic() < until:
        time.sleep(0.02)
    assert left == []
    process.stdout.close()


def alive(pid: int) -> bool:
    """It runs: one that has ended and that nobody has buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
