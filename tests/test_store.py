"""Files are whole or not there, a folder has one owner, and a journal loses no line that it was given."""

import errno
import multiprocessing
import os
from pathlib import Path

import msgspec
import pytest

from understudy import store
from understudy.errors import LockedError, StoreError
from understudy.records import Loss, Metric, Student
from understudy.store import Journal, Made, Run, Timing, whole_lines

STUDENT = Student(path="p", base="b", hash="h", tokenizer_hash="t")


def loss(step: int) -> Loss:
    return Loss(step=step, loss=1.5, lr=0.1, learned_tokens=10 * step)


@pytest.fixture
def run(tmp_path) -> Run:
    return Run(tmp_path / "run")


@pytest.fixture
def full(monkeypatch):
    """A disk with room for so many bytes from now on."""

    def until(room: int) -> None:
        left = [room]

        def write(file, data) -> int:
            taken = min(left[0], len(data))
            left[0] -= taken
            if taken == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return file.__class__.write(file, data[:taken])

        class Full:
            def __init__(self, file, buffered: bool) -> None:
                self.file, self.buffered, self.held = file, buffered, b""

            def write(self, data) -> int:
                if not self.buffered:
                    return write(self.file, data)
                self.held += bytes(data)
                return len(data)

            def flush(self) -> None:
                while self.held:
                    self.held = self.held[write(self.file, self.held) :]
                self.file.flush()

            def close(self) -> None:
                if not self.file.closed:
                    try:
                        self.flush()
                    finally:
                        self.file.close()

            def __getattr__(self, name):
                return getattr(self.file, name)

        opened = Path.open

        def opens(path, mode="r", buffering=-1, **how):
            file = opened(path, mode, buffering, **how)
            return Full(file, buffering != 0) if mode in ("wb", "ab") else file

        monkeypatch.setattr(Path, "open", opens)

    return until


# --- record files -----------------------------------------------------------------------------------------------------


def test_a_record_goes_to_the_file_of_its_kind(run):
    hashes = store.write(run, "arms/a", ["student", "losses"], [loss(1), STUDENT, loss(2)])
    assert list(run.rows("arms/a/losses")) == [loss(1), loss(2)] and list(run.rows("arms/a/student")) == [STUDENT]
    assert hashes == {name: store.hash_file(run.path(name)) for name in ("arms/a/student", "arms/a/losses")}


def test_rows_are_read_anew_each_time(run):
    store.write(run, "", ["losses"], map(loss, range(3)))
    rows = run.rows("losses")
    assert list(rows) == list(rows) and len(rows) == 3


def test_what_fails_in_the_middle_leaves_what_was_there(run):
    store.write(run, "a", ["student", "losses"], [STUDENT, loss(1)])

    def broken():
        yield loss(7)
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        store.write(run, "a", ["student", "losses"], broken())
    assert list(run.rows("a/losses")) == [loss(1)] and list(run.rows("a/student")) == [STUDENT]
    assert not list(run.folder.rglob("*.part"))


@pytest.mark.parametrize("room", [0, 1, 60, 100, 150])
def test_a_full_disk_is_a_sentence_and_leaves_what_was_there(run, full, room):
    store.write(run, "a", ["student", "losses"], [STUDENT, loss(1)])
    full(room)
    with pytest.raises(StoreError, match="the disk is full. Make room and run the same command again.") as error:
        store.write(run, "a", ["student", "losses"], [STUDENT, *map(loss, range(9))])
    assert error.value.exit_code == 1
    assert list(run.rows("a/losses")) == [loss(1)] and list(run.rows("a/student")) == [STUDENT]
    assert not list(run.folder.rglob("*.part"))


def test_a_full_disk_leaves_the_manifest(run, full):
    made = Made(step="curate", settings="s", reads={}, files={}, seed=0, versions={})
    run.folder.mkdir()
    run.finished(made)
    full(20)
    with pytest.raises(StoreError, match="the disk is full"):
        run.finished(msgspec.structs.replace(made, step="mix"))
    assert run.manifest() == {"curate": made} and not list(run.folder.rglob("*.part"))


def test_a_line_that_is_no_record_is_named(run):
    store.write(run, "", ["losses"], [loss(1)])
    with run.path("losses").open("a") as file:
        file.write('{"step": 2}\n')
    with pytest.raises(StoreError, match=r"losses.jsonl:2: not a Loss .* delete it and run the same command again"):
        list(run.rows("losses"))


def test_a_file_that_is_not_there_is_named(run):
    with pytest.raises(StoreError, match="There is no .*losses.jsonl. Make it: understudy run"):
        list(run.rows("losses"))


def test_a_folder_that_cannot_be_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"), Run(tmp_path / "file" / "run").locked():
        pass


def test_two_metrics_of_one_step_are_told_apart_by_their_file_alone(run):
    metric = Metric(name="m", suite="s", model="a", strategy="greedy", value=None, n=0, method="none")
    store.write(run, "", ["metrics"], [metric])
    assert list(run.rows("metrics")) == [metric]


# --- the run folder ---------------------------------------------------------------------------------------------------


def test_the_manifest_keeps_the_order_of_making(run):
    run.folder.mkdir()
    for step in ("source", "mix", "curate"):
        run.finished(
            Made(step=step, settings="s", reads={"x": "1"}, files={"y": "2"}, seed=3, versions={"python": "3"})
        )
    run.forget("mix")
    run.forget("never made")
    assert [*run.manifest()] == ["source", "curate"] and run.manifest()["source"].seed == 3


def test_a_manifest_that_cannot_be_read_says_what_to_do(run):
    run.folder.mkdir()
    (run.folder / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match="Delete it: every step is made anew"):
        run.manifest()


def test_the_latest_timing_of_a_step_counts_and_a_torn_one_does_not(run):
    for seconds in (1.0, 2.0):
        run.timed(Timing(step="mix", arm="a", seconds=seconds))
    with (run.folder / "timings.jsonl").open("ab") as file:
        file.write(b'{"step":"sft","arm"')
    run.timed(Timing(step="solve", seconds=3.0))
    assert [(t.step, t.seconds) for t in run.timings()] == [("mix", 2.0), ("solve", 3.0)]


def hold(folder: Path, held, leave) -> None:
    with Run(folder).locked():
        held.set()
        leave.wait(20)


def test_a_second_process_is_told_who_works_here(run):
    context = multiprocessing.get_context("spawn")
    held, leave = context.Event(), context.Event()
    other = context.Process(target=hold, args=(run.folder, held, leave))
    other.start()
    try:
        assert held.wait(20)
        with pytest.raises(LockedError, match=f"process {other.pid} works here. Wait for it") as error, run.locked():
            pass
        assert error.value.exit_code == 1
    finally:
        leave.set()
        other.join(20)
    with run.locked():  # free again, also after a kill: the lock is the system's
        assert (run.folder / "lock").read_text() == str(os.getpid())


def test_unfinished_work_is_used_by_its_own_key_alone(run):
    run.scratch("arms/a", "key", anew=False)
    checkpoint = run.folder / "arms/a/checkpoints/checkpoint-6"
    checkpoint.mkdir()
    run.scratch("arms/a", "key", anew=False)
    assert checkpoint.exists()
    run.scratch("arms/a", "other", anew=False)
    assert not checkpoint.exists()
    checkpoint.mkdir()
    run.scratch("arms/a", "other", anew=True)
    assert not checkpoint.exists()
    run.tidy("arms/a")
    run.tidy("arms/a")
    assert not checkpoint.parent.exists()


# --- the journal ------------------------------------------------------------------------------------------------------


def test_a_journal_hands_over_each_line_at_once(tmp_path):
    journal = Journal(tmp_path / "samples" / "x.jsonl")
    for n in range(3):
        journal.add({"n": n})
        assert len((tmp_path / "samples" / "x.jsonl").read_bytes().splitlines()) == n + 1
    journal.close()


@pytest.mark.parametrize("torn", [b'{"n":', b'{"n":1}', b"\x00\x00"])
def test_a_torn_last_line_is_cut_off(tmp_path, torn):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"n":0}\n' + torn)
    journal = Journal(path)
    journal.add({"n": 2})
    journal.close()
    assert [*whole_lines(path)] == [b'{"n":0}\n', b'{"n":2}\n']


def test_a_journal_on_a_full_disk_says_so_and_goes_on_later(tmp_path, full, monkeypatch):
    path = tmp_path / "x.jsonl"
    with monkeypatch.context():
        full(12)
        journal = Journal(path)
        journal.add({"n": 0})
        with pytest.raises(StoreError, match="the disk is full"):
            journal.add({"n": 1})
        monkeypatch.undo()
    assert path.read_bytes() == b'{"n":0}\n{"n"'
    journal = Journal(path)
    journal.add({"n": 2})
    journal.close()
    assert path.read_bytes() == b'{"n":0}\n{"n":2}\n'
