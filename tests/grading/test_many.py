"""Every row comes back in its place with all it had: in chunks, in several processes, however it was packed."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from understudy import answers
from understudy.errors import SourceError, UserError
from understudy.grading import many
from understudy.grading.lines import Line, lines, writing
from understudy.grading.many import graded
from understudy.grading.rows import Columns, Settings
from understudy.records import Verdict

ROWS = [{"id": i, "text": f"So it is {i % 5}.", "gold": str(i % 4), "note": {"n": [i, None, 1.0]}} for i in range(60)]


def encoded(rows) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def all_of(raw: bytes, jobs: int = 1, **settings) -> list[dict]:
    given = [Line(n, line) for n, line in enumerate(raw.splitlines(), 1)]
    return [
        json.loads(row) for done in graded(given, Settings(**settings), jobs, "x") for row in done.lines.splitlines()
    ]


def one(row: dict, **settings) -> dict:
    return all_of(encoded([row]), **settings)[0]


def test_every_row_keeps_its_columns_and_their_order():
    for row, out in zip(ROWS, all_of(encoded(ROWS)), strict=True):
        assert list(out) == [*row, *many.Judged.__struct_fields__]
        assert {name: out[name] for name in row} == row
        assert (out["verdict"] == "right") is (row["id"] % 5 == row["id"] % 4)


def test_what_is_not_looked_at_goes_out_as_it_came_in():
    raw = b'{"big": 12345678901234567890123, "e": 1.50e-3, "u": "\\u00e9\\/", "text": "72", "gold": "72"}'
    done = next(graded([Line(1, raw)], Settings(), 1, "x"))
    assert done.lines.startswith(
        b'{"big":12345678901234567890123,"e":1.50e-3,"u":"\\u00e9\\/","text":"72","gold":"72",'
    )


def test_a_column_that_is_called_like_ours_is_kept_under_another_name():
    out = one({"answer": "72", "text": "It is 71.", "verdict": "?", "given_verdict": 1})
    assert list(out)[:4] == ["given_answer", "text", "given_given_verdict", "given_verdict"]
    assert (out["given_answer"], out["answer"], out["verdict"], out["given_verdict"]) == ("72", "71", "wrong", 1)


def test_judging_again_gives_the_same_bytes():
    rows = [*ROWS[:5], {"answer": "72", "text": "It is 72."}, {"gold": "1"}]
    once = [Line(n, json.dumps(row).encode()) for n, row in enumerate(all_of(encoded(rows)), 1)]
    twice = next(graded(once, Settings(), 1, "x")).lines
    assert [json.loads(line) for line in twice.splitlines()] == [json.loads(line.raw) for line in once]


BROKEN = [
    (b"{", "not a JSON object"),
    (b"[1]", "not a JSON object"),
    (b'{"text": "\xff"}', "not UTF-8: byte 0xff"),
    (b'{"gold": "72"}', "there is no text"),
    (b'{"text": "72", "kind": "nmber"}', "kind: 'nmber' is none of"),
    (b"[" * 5000, "not a JSON object"),
]


@pytest.mark.parametrize(("raw", "why"), BROKEN)
def test_a_row_that_cannot_be_judged_stays_in_its_place_and_loses_nothing(raw, why):
    good = b'{"text": "72", "gold": "72"}'
    (done,) = graded([Line(1, good), Line(2, raw), Line(3, good)], Settings(), 1, "x")
    first, bad, last = (json.loads(line) for line in done.lines.splitlines())
    assert (first["verdict"], bad["verdict"], last["verdict"]) == ("right", "failed", "right")
    assert why in bad["why"] and done.unusable == [(2, bad["why"])] and done.counts[Verdict.FAILED] == 1
    kept = {name: value for name, value in bad.items() if name not in many.OURS}
    assert kept in (json.loads(raw) if b'"kind"' in raw or b'"gold"' in raw else {"raw": kept.get("raw")},)
    assert kept.get("raw", raw.decode("utf-8", "backslashreplace")) == raw.decode("utf-8", "backslashreplace")


def test_a_fault_of_the_grader_costs_one_row(monkeypatch):
    def judge(text, *_):
        return 1 / 0 if text == "72" else answers.judge(text, "71")

    monkeypatch.setattr("understudy.grading.rows.answers", SimpleNamespace(**vars(answers) | {"judge": judge}))
    bad, good = all_of(encoded([{"text": "72"}, {"text": "71"}]))
    assert (bad["verdict"], bad["why"]) == ("failed", "the grader failed: ZeroDivisionError: division by zero")
    assert good["verdict"] == "right"


def test_an_empty_cell_of_pandas_is_none():
    assert all_of(b'{"text": "72", "gold": NaN, "x": NaN}')[0]["verdict"] == "ungraded"


def test_several_processes_give_the_same_bytes_in_the_same_order(monkeypatch):
    monkeypatch.setattr(many, "ROWS", 7)
    monkeypatch.setattr(many, "ALONE", 2)
    raw = encoded(ROWS)
    assert all_of(raw, jobs=2) == all_of(raw, jobs=1)


def test_rows_are_read_as_they_are_needed(monkeypatch):
    monkeypatch.setattr(many, "ROWS", 10)
    seen = []

    def endless():
        n = 0
        while True:
            n += 1
            seen.append(n)
            yield Line(n, b'{"text": "72", "gold": "72"}')

    dones = graded(endless(), Settings(), 1, "x")
    for _ in range(20):
        next(dones)
    assert len(seen) <= 10 * (20 + 1)


@pytest.mark.parametrize("column", ["gold", "text", "kind", "stop", "thought"])
def test_a_column_that_is_in_no_row_is_one_error(column):
    with pytest.raises(SourceError, match=f"there is no column 'nmae'.*Set --{column}"):
        all_of(encoded([{"text": "72", "name": "a"}] * 3), columns=Columns(**{column: "nmae"}))
    assert len(all_of(encoded([{"text": "72"}, {"text": "72", "name": "end"}]), columns=Columns(stop="name"))) == 2


# --- files ------------------------------------------------------------------------------------------------------------


def pack(path: Path, raw: bytes) -> None:
    with writing(str(path)) as file:
        file.write(raw)


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.jsonl.gz", "a.jsonl.zst"])
def test_what_is_written_is_read_again_and_has_the_same_bytes_each_time(name, tmp_path):
    raw = encoded(ROWS)
    pack(tmp_path / name, raw)
    pack(tmp_path / f"b{name[1:]}", raw)
    assert [line.raw for line in lines(str(tmp_path / name))] == raw.splitlines()
    assert (tmp_path / name).read_bytes() == (tmp_path / f"b{name[1:]}").read_bytes()
    assert (tmp_path / name).stat().st_size < len(raw) or not name.endswith(("gz", "zst"))


def test_two_packed_files_one_after_the_other_are_one(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b'{"a": 1}\n') + gzip.compress(b'\n{"a": 2}'))
    assert [line.number for line in lines(str(tmp_path / "a.gz"))] == [1, 3]


def test_a_table_is_read_as_lines(tmp_path):
    (tmp_path / "a.csv").write_text('text,gold\n"It is 7, so",7\n8,\n')
    found = [json.loads(line.raw) for line in lines(str(tmp_path / "a.csv"))]
    assert found == [{"text": "It is 7, so", "gold": "7"}, {"text": "8", "gold": ""}]


REFUSED = [
    ("none.jsonl", None, "there is no such file"),
    ("none.jsonl.gz", None, "there is no such file"),
    ("a.csv.gz", b"\x1f\x8b", "Unpack it first"),
    ("a.txt", b"text", "files ending in"),
    ("a.jsonl.gz", gzip.compress(encoded(ROWS))[:-20], "cannot be read to its end"),
]


@pytest.mark.parametrize(("name", "raw", "says"), REFUSED)
def test_what_cannot_be_read_is_said(name, raw, says, tmp_path):
    if raw is not None:
        (tmp_path / name).write_bytes(raw)
    with pytest.raises(SourceError, match=says):
        list(lines(str(tmp_path / name)))


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), writing(str(path)) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_text() == "before" and os.listdir(tmp_path) == ["a.jsonl"]
    with pytest.raises(UserError, match="JSON lines are written"), writing(str(tmp_path / "a.csv")):
        pass


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_no_process_outlives_a_killed_command(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(encoded([{"text": "x " * 2000, "gold": "1"}]) * 20_000)
    source = str(Path(many.__file__).parents[2])
    command = [sys.executable, "-m", "understudy", "grade", str(tmp_path / "a.jsonl"), "--jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=os.environ | {"PYTHONPATH": source})  # fmt: skip
    until = time.monotonic() + 20
    while len(family := children(process.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(alive(pid) for pid in family) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(family) >= 2 and not any(alive(pid) for pid in family)


def children(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def alive(pid: int) -> bool:
    """It runs: one that has ended and that nobody has buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
