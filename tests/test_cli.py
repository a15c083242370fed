"""What is typed and what comes back: results alone on stdout, errors as sentences, and nothing drives a terminal."""

import gzip
import json
import re
import signal
import sys
import time
from types import SimpleNamespace

import msgspec
import pytest
from typer.testing import CliRunner

from understudy import pipeline
from understudy.cli import app
from understudy.cli.planning import parameters
from understudy.cli.terminal import Watch, clean
from understudy.engines.scripted import Scripted
from understudy.errors import EngineError, LockedError, RecipeError, StoreError
from understudy.recipe import StudentPart
from understudy.records import Judged, Metric, Problem, Sample, Student, Trace, Verdict

EVIL = "\x1b[31mred \x1b]0;title\x07\x9b2J\rover \u202e[bold]markup[/bold]"
HARMLESS = "red 2Jover [bold]markup[/bold]"


def call(*arguments: object):
    """As a shell would, through the app."""
    return CliRunner().invoke(app, [str(a) for a in arguments], prog_name="understudy")


@pytest.fixture
def judged():
    """A trace that a rule dropped, or none."""

    def made(number: int = 0, rule: str | None = "wrong", text: str = EVIL) -> Judged:
        trace = Trace(
            id=f"p/train/{number}#0", problem=f"p/train/{number}", teacher="t", prompt_hash="", sampling_hash="",
            sample=Sample(text=text),
        )  # fmt: skip
        return Judged(trace=trace, verdict=Verdict.WRONG, dropped_by=rule, why=f"why {number}" if rule else None)

    return made


# --- the door ---------------------------------------------------------------------------------------------------------


LOOKED_AT = """
import sys, time
begun = time.monotonic()
from understudy.cli import main
try:
    main()
except SystemExit as end:
    print(end.code, "torch" in sys.modules, "transformers" in sys.modules, time.monotonic() - begun < 1)
"""
"""Exit code, two heavy imports, and whether it was quick."""


def test_help_names_every_group_and_imports_no_torch(python):
    shown = python("-c", LOOKED_AT, "--help")
    assert shown.stdout.splitlines()[-1] == "0 False False True"
    assert all(panel in shown.stdout for panel in ("Make", "Look", "Judge", "Serve"))


ERRORS = [
    (RecipeError("bad.yaml: there is no 'x'."), 2),
    (EngineError("No server answers."), 1),
    (LockedError("process 7 works here."), 1),
    (StoreError("the disk is full."), 1),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=[type(e).__name__ for e, _ in ERRORS])
def test_an_error_is_a_sentence_on_stderr_and_an_exit_code(error, code, tiny, monkeypatch):
    def distil(*_, **__):
        raise error

    monkeypatch.setattr(pipeline, "distil", distil)
    shown = call("run", tiny)
    assert (shown.exit_code, shown.stdout, shown.stderr) == (code, "", f"understudy: {error}\n")


def test_an_error_cannot_drive_the_terminal(tiny):
    shown = call("run", tiny, "--set", f"{EVIL}=1")
    assert shown.exit_code == 2 and not re.search(r"[\x1b\x07\x9b\r\u202e]", shown.stderr)


def test_a_bug_keeps_its_traceback(tiny, monkeypatch):
    monkeypatch.setattr(pipeline, "distil", lambda *_, **__: 1 / 0)
    assert isinstance(call("run", tiny).exception, ZeroDivisionError)


LEAVING = """
import subprocess, sys
show = [sys.executable, "-m", "understudy", "show", "r", "metrics", "--json"]
process = subprocess.Popen(show, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
process.stdout.readline()
process.stdout.close()
print(process.stderr.read(), process.wait())
"""


def test_a_reader_that_has_left_is_no_error(tiny, python, keep, metric):
    keep(tiny, tiny.parent / "r", *(metric(n=i) for i in range(3000)))
    assert python("-c", LEAVING).stdout == "b'' 141\n"


def test_a_missing_library_is_no_bug(tiny, monkeypatch):
    def distil(*_, **__):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(pipeline, "distil", distil)
    shown = call("run", tiny)
    assert shown.exit_code == 2
    says = "torch is not installed. Install what this needs: pip install 'understudy[train]'"
    assert shown.stderr == f"understudy: {says}\n"


EXHAUSTED = [
    (OSError(28, "No space left on device"), "The disk is full."),
    (RuntimeError("IoError(Os { code: 28, kind: StorageFull })"), "The disk is full."),
    (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory."), "There is not enough memory."),
]


@pytest.mark.parametrize(("error", "says"), EXHAUSTED, ids=[type(e).__name__ for e, _ in EXHAUSTED])
def test_what_runs_out_is_no_bug(error, says, tiny, monkeypatch):
    def distil(*_, **__):
        raise error

    monkeypatch.setattr(pipeline, "distil", distil)
    shown = call("run", tiny)
    assert shown.exit_code == 1 and shown.stderr.startswith(f"understudy: {says}")


def test_interrupted_is_130(tiny, monkeypatch):
    def distil(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "distil", distil)
    assert call("run", tiny).exit_code == 130


TWICE = """
import os, signal
from understudy.cli.terminal import Watch
with Watch().listening() as watch:
    os.kill(os.getpid(), signal.SIGINT)
    print(watch.stop(), flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    print("still here")
"""


def test_the_first_ctrl_c_asks_and_the_second_leaves(python):
    shown = python("-c", TWICE)
    assert (shown.returncode, shown.stdout) == (130, "True\n")
    assert "finishing what is in flight; press again to leave now" in shown.stderr


def test_ctrl_c_is_as_before_after_a_run():
    before = signal.getsignal(signal.SIGINT)
    with Watch().listening():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


# --- terminal ---------------------------------------------------------------------------------------------------------


def test_what_a_teacher_writes_is_harmless():
    assert clean(EVIL) == HARMLESS
    assert clean("two\nlines\tand a tab, é, 数") == "two\nlines\tand a tab, é, 数"


def test_progress_without_a_terminal_is_a_line_now_and_then(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = Watch()
    for done in range(1, 31):
        now[0] += 1
        watch.tick(done, 30)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split() for line in lines] == [
        ["11/30", "1.0/s", "19", "s", "left"],
        ["21/30", "1.0/s", "9", "s", "left"],
    ]


# --- make -------------------------------------------------------------------------------------------------------------


def test_a_kept_run_loads_no_torch_and_sums_up_at_once(tiny, keep, metric, python):
    keep(tiny, tiny.parent / "runs" / "tiny", metric(), metric(model="base", value=None, low=None, high=None))
    shown = python("-c", LOOKED_AT, "run", "tiny.yaml")
    assert shown.stdout.splitlines()[-1] == "0 False False True", shown.stderr
    assert "41.2 % [36.5, 46.1]" in shown.stdout and "not measured" in shown.stdout
    assert "of 2 min meant for it" in shown.stdout and "Report: runs/tiny/report.html" in shown.stdout
    assert (tiny.parent / "runs" / "tiny" / "report.html").read_text() == "<!doctype html>"
    assert shown.stderr.count("kept") == 13 and "kept" not in shown.stdout


def test_a_plan_makes_nothing_and_says_what_is_kept(tiny, keep):
    shown = call("plan", tiny)
    assert shown.exit_code == 0 and "8 train, 4 test" in shown.stdout and "32 traces at most" in shown.stdout
    assert "13 steps to make in runs/tiny" in shown.stdout and not (tiny.parent / "runs").exists()
    keep(tiny, tiny.parent / "runs" / "tiny")
    assert "All of it is made already" in call("plan", tiny).stdout
    changed = call("plan", tiny, "--set", "sft.steps=5").stdout.splitlines()
    assert [line.split()[0] for line in changed if " to make " in line and "steps" not in line.split()[1]] == [
        "arms/student/sft", "arms/student/rollouts", "arms/student/solve", "evaluate/scores", "evaluate",
    ]  # fmt: skip


def test_a_plan_counts_paid_calls(tiny):
    sets = ["generate.teacher={engine: http, model: m}", "generate.max_tokens=1000", "generate.n=5"]
    shown = call("plan", tiny, *(word for s in sets for word in ("--set", s)))
    assert "40 calls, at most 40,000 tokens" in shown.stdout


def test_parameters_are_counted_without_torch():
    assert parameters(StudentPart()) == 981_376
    assert parameters(StudentPart(model="Qwen/Qwen3-0.6B")) == 600_000_000
    assert parameters(StudentPart(model="a/b")) is None


# --- look -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tiny, keep, metric, judged):
    """A run with something in it, in runs/r."""
    gold = Problem(id="p/train/0", question=f"How many? {EVIL}", answer="3", source="p", split="train")
    traces = [judged(0, None), judged(1), judged(2), judged(3, "cut_off")]
    return keep(tiny, tiny.parent / "runs" / "r", metric(), metric(model="base"), gold, *traces)


def test_metrics_as_json_are_one_metric_a_line(run):
    shown = call("show", "r", "metrics", "--json")
    found = [msgspec.json.decode(line, type=Metric) for line in shown.stdout.splitlines()]
    assert [m.model for m in found] == ["student", "base"] and shown.stderr == ""


def test_dropped_traces_come_with_rule_and_evidence_one_of_each_first(run):
    shown = call("show", "r", "judged", "--dropped", "-n", 2)
    assert [line for line in shown.stdout.splitlines() if "dropped by" in line] == [
        "dropped by wrong: why 1",
        "dropped by cut_off: why 3",
    ]
    assert shown.stderr == "1 kept. Dropped: 2 wrong, 1 cut_off.\n"
    assert len(call("show", "r", "judged", "--dropped", "--json").stdout.splitlines()) == 3


@pytest.mark.parametrize("kind", ["judged", "problems", "curate"])
def test_what_is_shown_is_harmless(run, kind):
    shown = call("show", "r", kind).stdout
    assert HARMLESS in shown and not re.search(r"[\x1b\x07\x9b\r\u202e]", shown)


def test_json_is_exact_and_harmless(run):
    shown = call("show", "r", "judged", "--json").stdout
    assert json.loads(shown.splitlines()[0])["trace"]["sample"]["text"] == EVIL
    assert not re.search(r"[\x1b\x07\x9b\r\u202e]", shown)


@pytest.mark.parametrize("kind", ["student", "arms/student/student", "student/student", "sft", "trials"])
def test_a_kind_may_be_named_in_several_ways(run, kind):
    assert call("show", "r", kind).exit_code == 0


def test_a_run_is_named_by_its_folder_or_its_name(run):
    assert call("show", "runs/r").stdout == call("show", "r").stdout
    assert "judged" in call("show", "r").stdout


REFUSED = [
    (("show", "q"), "There is no run q. There are: r."),
    (("show", "r", "metrix"), "Did you mean metrics?"),
    (("show", "r", "metrics", "--dropped"), "--dropped goes with judged traces"),
    (("run", "demmo"), "There is no recipe demmo. Did you mean demo?"),
    (("run", "demo", "--only", "sff"), "There is no step 'sff'."),
    (("grade", "no.jsonl"), "no.jsonl: there is no such file."),
    (("ask", "r", " "), "There is no question."),
    (("ask", "r", "?", "--arm", "x"), "there is no arm 'x'. There are: base, student."),
]


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=[" ".join(a) for a, _ in REFUSED])
def test_what_cannot_be_done_is_said(run, arguments, says):
    shown = call(*arguments)
    assert shown.exit_code == 2 and says in shown.stderr and shown.stderr.startswith("understudy: ")


def test_runs_says_who_is_finished_who_works_and_who_stopped(run, tiny):
    def states():
        return [line.split()[:2] for line in call("runs").stdout.splitlines()[3:] if line.strip()]

    (run.folder / "lock").touch()
    assert states() == [["runs/r", "finished"]]
    with run.locked():
        assert states() == [["runs/r", "working"]]
    (run.folder / "report.html").unlink()
    assert states() == [["runs/r", "stopped"]]


# --- judge ------------------------------------------------------------------------------------------------------------

REPLIES = [
    ({"text": "So it is \\boxed{72}.", "gold": "72", "id": "a"}, "right"),
    ({"text": "71", "answer": 72}, "wrong"),
    ({"text": "It is 72", "gold": "72", "stop": "length"}, "cut_off"),
    ({"text": "The answer is (B).", "gold": "B", "kind": "choice", "choices": ["cat", "dog"]}, "right"),
    ({"text": "hello"}, "ungraded"),
    ({"text": "<think>72</think>", "gold": "72"}, "no_answer"),
]


def test_every_row_comes_back_with_its_verdict(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row, _ in REPLIES))
    shown = call("grade", path)
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [row["verdict"] for row in rows] == [verdict for _, verdict in REPLIES]
    assert (rows[0]["id"], rows[1]["given_answer"], rows[1]["answer"]) == ("a", 72, "71")
    assert "accuracy       40.0%  [11.8%, 76.9%] 95 %, n 5, 1 set aside" in shown.stderr
    summed = call("grade", path, "--summary")
    assert "accuracy       40.0%" in summed.stdout and "verdict" not in summed.stdout and summed.stderr == ""


def test_rows_are_read_from_stdin_and_written_packed(tmp_path):
    raw = gzip.compress(b'{"reply": "It is 7.", "truth": 7, "how": "math"}')
    options = ("--text", "reply", "--gold", "truth", "--kind", "how", "-o", tmp_path / "out.jsonl.gz")
    shown = CliRunner().invoke(app, ["grade", "-", *map(str, options)], input=raw)
    (row,) = map(json.loads, gzip.open(tmp_path / "out.jsonl.gz"))
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert list(row)[:4] == ["reply", "truth", "how", "verdict"] and row["verdict"] == "right"


def test_another_grader_is_named_in_what_it_says(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_text('{"text": "#### 18.00", "gold": "18"}')
    row = json.loads(call("grade", path, "--as", "lm-eval-strict").stdout)
    assert row["verdict"] == "wrong" and row["grader"].startswith("lm-eval-strict@understudy-")


def test_a_column_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_text('{"text": "18", "gold": "18"}')
    shown = call("grade", path, "--gold", "glod")
    assert shown.exit_code == 2 and "there is no column 'glod'. Did you mean 'gold'?" in shown.stderr


ROWS = [
    ('{"gold": "72"}', "bad.jsonl:1: there is no text in "),
    ('{"text": "72", "kind": "nmber"}', "bad.jsonl:1: kind: 'nmber' is none of number, choice"),
    ('{"text": "72", "gold": "1"}\n{"text": ', "bad.jsonl:2: not a JSON object"),
]


@pytest.mark.parametrize(("text", "says"), ROWS, ids=[text for text, _ in ROWS])
def test_a_row_that_cannot_be_judged_is_named_and_kept(text, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jsonl").write_text(text)
    shown = call("grade", "bad.jsonl")
    assert shown.exit_code == 1 and says in shown.stderr and "could not be judged" in shown.stderr
    assert json.loads(shown.stdout.splitlines()[-1])["verdict"] == "failed"


def test_the_schema_and_the_defaults_can_be_read_again(tmp_path):
    assert "Recipe" in json.loads(call("schema").stdout)["$defs"]
    path = tmp_path / "all.yaml"
    path.write_text(call("schema", "--defaults").stdout)
    assert call("plan", path, "--set", "sources=[{name: probes, counts: {train: 1}}]").exit_code == 0


def test_the_doctor_needs_no_torch(monkeypatch):
    monkeypatch.setattr("understudy.cli.judging.find_spec", lambda name: None)
    shown = call("doctor")
    assert shown.exit_code == 0 and "not known without torch" in shown.stdout
    assert "pip install 'understudy[train]'" in shown.stdout


# --- serve ------------------------------------------------------------------------------------------------------------


def test_the_answer_alone_is_on_stdout(run, keep, tiny, monkeypatch):
    """Without torch: a scripted engine stands where the student would."""
    student = Student(path="arms/student/model", base="b", hash="h", tokenizer_hash="t")
    keep(tiny, tiny.parent / "runs" / "s", student)
    reply = f"<think>\n3 + 4 = 7.\n</think>\n\nThe answer is 7. {EVIL}"
    asked = []

    def local(loaded, name):
        asked.append((loaded, name))
        return Scripted(lambda prompt, number: reply)

    monkeypatch.setitem(sys.modules, "understudy.engines.local", SimpleNamespace(Local=local))
    monkeypatch.setitem(sys.modules, "understudy.student", SimpleNamespace(load=lambda path: path))
    shown = call("ask", "s", "What is 3 + 4?")
    assert asked == [("arms/student/model", "student")]
    assert shown.stdout == f"The answer is 7. {HARMLESS}\n" and shown.stderr == "3 + 4 = 7.\n"
