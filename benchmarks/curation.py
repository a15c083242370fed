"""Curation, measured: near-duplicates, words shared with tests, cheap rules, and the whole step on a million traces.

    make bench NAME=curation                      or, with options:
    .venv/bin/python benchmarks/curation.py --quick
    .venv/bin/python benchmarks/curation.py --only near,grams --rows 20000 --peers rensa

Texts are made on the spot (`_texts.py`), so that it is known what is a copy of what; solutions of GSM8K are timed, too,
where --data is there. "Cheap" are the rules that compare no text with others and need neither the student nor
Math-Verify's process: every row of `curate.RULES`, each of which looks at one trace, and `duplicate`. Every client
works on the same rows in a process of its own, on one core, in an order drawn anew for each round; times are the least
CPU time of the rounds, of the work alone: without start-up and reading. Run it when nothing else runs: a ratio bears
some noise, and a time none.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from _texts import contaminated, jaccard, near_copies, runs
from _traces import oracles, saved, solutions, synthetic
from _venvs import interpreter

HERE = Path(__file__).parent
PACKAGES = {
    "understudy": (),
    "set": (),
    "rensa": ("rensa==0.5.0",),
    "datasketch": ("datasketch==2.0.0",),
    "datatrove": ("datatrove[processing]==0.10.1", "spacy", "orjson", "xxhash<4"),  # MinHash crashes on xxhash 4
}
"""Peer to what its environment holds."""
BESIDE = HERE.parents[1] / "shared" / "data"
TESTS, PLANTED = 2000, 300
"""Test questions, and rows that share words with them on purpose."""
LIMIT_MB = 2048
CHEAP, WITHIN = 8000, 30
"""Traces a second that the cheap rules are to reach on a core; microseconds a trace that they may take beside the
grader.
"""
TIMED = 12_000
"""Traces of a sort that the cheap rules are timed on."""
KILLED_AFTER = 5
"""Seconds until the first run of the whole step is killed."""


class Client(NamedTuple):
    """Who does the work."""

    label: str
    peer: str
    arguments: tuple[str, ...] = ()


NEAR = (
    Client("understudy", "understudy"),
    Client("rensa, runs of five words", "rensa", ("runs",)),
    Client("rensa, words (its README)", "rensa", ("words",)),
    Client("datasketch", "datasketch"),
    Client("datatrove", "datatrove"),
)
GRAMS = (
    Client("understudy", "understudy"),
    Client("set of tuples", "set"),
    Client("datatrove", "datatrove"),
)


class Took(NamedTuple):
    """The best of a client's rounds, and what it found."""

    cpu: float
    """Seconds."""
    wall: float
    peak_mb: float
    found: list[tuple[str, str | None]]


class Row(NamedTuple):
    """A figure that is to be reached."""

    what: str
    to_reach: str
    measured: str
    reached: bool


def main() -> None:
    flags = parsed()
    work = Path(tempfile.mkdtemp(prefix="understudy-bench-"))
    rows: list[Row] = []
    try:
        for name in flags.only:
            began = time.monotonic()
            rows += PARTS[name](work, flags)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    lines = [(row.what, row.to_reach, row.measured, "yes" if row.reached else "NO") for row in rows]
    show("Results", ("what", "to reach", "measured", "reached?"), lines)
    sys.exit(any(not row.reached for row in rows))


# --- near-duplicates --------------------------------------------------------------------------------------------------


def near(work: Path, flags: argparse.Namespace) -> Iterator[Row]:
    rows = list(near_copies(flags.rows, flags.seed))
    took = raced("near", NEAR, rows, work, flags)
    truth = {row["id"] for row in rows if row.get("jaccard", 0) >= 0.8}
    closest = {label: Closest(rows, one.found) for label, one in took.items()}
    ours, lines = took["understudy"], []
    for label, one in took.items():
        of, gone = closest[label], {key for key, _ in one.found}
        recall = len(truth & gone) / len(truth)
        lines.append(
            (
                label, f"{len(rows) / one.cpu:,.0f}", f"{one.cpu / ours.cpu:.2f}", f"{recall:.4f}",
                str(of.below(0.8)), str(of.below(0.5)), str(of.false()), f"{one.peak_mb:.0f}",
            )
        )  # fmt: skip
    show(
        f"Near-duplicates: {len(rows):,} texts of {mean(len(row['text']) for row in rows):.0f} characters, "
        f"{len(truth):,} planted copies at Jaccard >= .8 and {sum('of' in row for row in rows) - len(truth):,} below",
        ("", "rows/s", "time, ours = 1", "recall", "gone, nothing >= .8", "nothing >= .5", "false partner", "peak MB"),
        lines,
    )
    recall = len(truth & {key for key, _ in ours.found}) / len(truth)
    yield Row("near-duplicates found at Jaccard >= .8", ">= .98", f"{recall:.4f}", recall >= 0.98)
    false = closest["understudy"].below(0.8) + closest["understudy"].false()
    yield Row("false partners", "0", str(false), not false)
    for label, least in (("rensa, runs of five words", 0.8), ("rensa, words (its README)", 0.8), ("datatrove", 30)):
        if label in took:
            ratio = took[label].cpu / ours.cpu
            yield Row(f"rows/s, times {label}", f">= {least}", f"{ratio:.2f}", ratio >= least)


class Closest:
    """What the rows that a client removed resemble most among the rows before them, reckoned exactly."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], found: Iterable[tuple[str, str | None]]) -> None:
        self.texts = {row["id"]: row["text"] for row in rows}
        self.found = list(found)
        known = {row["id"]: row.get("jaccard", 0.0) for row in rows}
        self.best = {key: known[key] for key, _ in self.found}
        unsure = {key for key, index in self.best.items() if index < 0.8}
        self._search(rows, unsure)

    def _search(self, rows: Sequence[Mapping[str, Any]], unsure: set[str]) -> None:
        holders: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for row in rows:
            mine = runs(row["text"])
            if row["id"] in unsure:
                shared = Counter(key for run in mine for key in holders.get(run, ()))
                for key, _ in shared.most_common(20):
                    self.best[row["id"]] = max(self.best[row["id"]], jaccard(mine, runs(self.texts[key])))
            for run in mine:
                holders[run].append(row["id"])

    def below(self, index: float) -> int:
        """Rows removed though no earlier one is that near."""
        return sum(best < index for best in self.best.values())

    def false(self) -> int:
        """Rows removed for a named partner that is not near."""
        named = [(key, twin) for key, twin in self.found if twin is not None]
        return sum(jaccard(runs(self.texts[key]), runs(self.texts[twin])) < 0.8 for key, twin in named)


# --- words shared with tests ------------------------------------------------------------------------------------------


def grams(work: Path, flags: argparse.Namespace) -> Iterator[Row]:
    rows = list(contaminated(flags.rows, TESTS, PLANTED, flags.seed))
    train = len(rows) - TESTS
    took = raced("grams", GRAMS, rows, work, flags)
    tests = set().union(*(runs(row["text"], 13) for row in rows if row["split"] == "test"))
    truth = {row["id"] for row in rows if row["split"] == "train" and not tests.isdisjoint(runs(row["text"], 13))}
    ours, lines = took["understudy"], []
    for label, one in took.items():
        gone = {key for key, _ in one.found}
        speed, time = f"{train / one.cpu:,.0f}", f"{one.cpu / ours.cpu:.2f}"
        lines.append((label, speed, time, str(len(truth & gone)), str(len(gone - truth)), f"{one.peak_mb:.0f}"))
    show(
        f"13-grams shared with {TESTS:,} test questions: {train:,} rows, of which {len(truth)} share some "
        "(datatrove takes all numbers for one; the set has no evidence and no normal form)",
        ("", "rows/s", "time, ours = 1", "found", "others", "peak MB"),
        lines,
    )
    missed = len(truth - {key for key, _ in ours.found})
    yield Row("rows with a shared 13-gram that are not found", "0", str(missed), not missed)
    if "datatrove" in took:
        ratio = took["datatrove"].cpu / ours.cpu
        yield Row("13-grams: rows/s, times datatrove", ">= 20", f"{ratio:.1f}", ratio >= 20)


# --- rules ------------------------------------------------------------------------------------------------------------


class Cost(NamedTuple):
    """CPU seconds of a trace."""

    answers: float
    """Judge, slips and flags alone."""
    cheap: float
    """All cheap rules, those with them."""
    whole: float
    """From file to files, near-duplicates and the ledger with them."""

    @property
    def rest(self) -> float:
        """What the cheap rules take beside the grader."""
        return self.cheap - self.answers


def cheap(work: Path, flags: argparse.Namespace) -> Iterator[Row]:
    """All rules that look at one trace, with and without the grader in them."""
    count, lines = min(flags.traces, TIMED), []
    sorts = {
        "oracle's traces": oracles(count, flags.seed),
        "solutions of GSM8K": solutions(flags.data, count),
        "synthetic traces": synthetic(count, flags.seed),
    }
    for name, traces in sorts.items():
        size = saved(work / "cheap", traces)
        if not size.traces:
            continue
        rounds = [watched("cheap_understudy.py", work / "cheap", work / "cheap.json")[0] for _ in range(flags.rounds)]
        cost = Cost(*(min(took[part] for took in rounds) / size.traces for part in Cost._fields))
        us = (f"{seconds * 1e6:.0f}" for seconds in (cost.answers, cost.rest, cost.cheap))
        rates = (f"{1 / seconds:,.0f}" for seconds in (cost.cheap, cost.rest, cost.whole))
        lines.append((name, f"{size.traces:,}", f"{size.characters:.0f}", *us, *rates))
        yield Row(f"cheap rules, {name}: traces/s of a core", f">= {CHEAP:,}", lines[-1][-3], 1 / cost.cheap >= CHEAP)
        yield Row(f"us a trace without the grader, {name}", f"<= {WITHIN}", lines[-1][-5], cost.rest * 1e6 <= WITHIN)
    header = ("", "traces", "characters", "grader: us", "the rest: us", "together: us")
    show(
        "Cheap rules on one core",
        (*header, "traces/s", "without the grader", "from file to files, near-duplicates too"),
        lines,
    )


def million(work: Path, flags: argparse.Namespace) -> Iterator[Row]:
    """The whole step, from file to files."""
    folder, result = work / "million", work / "million.json"
    size = saved(folder, synthetic(flags.traces, flags.seed))
    n, given = size.traces, {"problems.jsonl", "traces.jsonl"}
    whole = {path.name for path in killed(folder, result).glob("*.jsonl")} - given
    found, peak = watched("curate_understudy.py", folder, result)
    fates: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for teacher, fate, times in found["fates"]:
        fates[teacher.removeprefix("made, ")][fate] += times
    show(
        f"The whole step: {n:,} traces of {size.characters:.0f} characters: {found['wall']:.0f} s, "
        f"{found['cpu']:.0f} s of CPU, {n / found['cpu']:,.0f} traces/s, {peak:,.0f} MB",
        ("planted", "traces", "what became of them"),
        [(fault, f"{c.total():,}", ", ".join(f"{f} {k:,}" for f, k in c.most_common(6))) for fault, c in fates.items()],
    )
    copies = fates["copy"]
    dropped = (copies.total() - copies["kept"]) / max(copies.total(), 1)
    yield Row("planted near copies of a trace that are dropped", ">= .98", f"{dropped:.4f}", dropped >= 0.98)
    yield Row(f"whole files of a run that is killed after {KILLED_AFTER} s", "0", str(len(whole)), not whole)
    most = f"{peak:,.0f} MB"
    yield Row(f"peak memory of all processes, {n:,} traces", f"<= {LIMIT_MB:,} MB", most, peak <= LIMIT_MB)


def killed(folder: Path, result: Path) -> Path:
    """The folder, in which a run was begun and killed."""
    process = subprocess.Popen(
        _command(Path(sys.executable), "curate_understudy.py", [folder, result]), env=_one_core()
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(KILLED_AFTER)
    process.kill()
    process.wait()
    return folder


PARTS = {"near": near, "grams": grams, "cheap": cheap, "million": million}


# --- clients ----------------------------------------------------------------------------------------------------------


def raced(
    task: str, clients: Sequence[Client], rows: Sequence[Mapping[str, Any]], work: Path, flags: argparse.Namespace
) -> dict[str, Took]:
    """Every client on the same rows, so many rounds."""
    path, rng = work / f"{task}.jsonl", random.Random(flags.seed)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    clients = [client for client in clients if client.peer in {"understudy", *flags.peers}]
    pythons = {client.peer: interpreter(client.peer, PACKAGES[client.peer]) for client in clients}
    best: dict[str, Took] = {}
    for _ in range(flags.rounds):
        for client in rng.sample(clients, len(clients)):
            one = _ran(
                pythons[client.peer], f"{task}_{client.peer}.py", [path, work / "result.json", *client.arguments]
            )
            if client.label not in best or one.cpu < best[client.label].cpu:
                best[client.label] = one
    return {client.label: best[client.label] for client in clients}


def _ran(python: Path, script: str, arguments: Sequence[str | Path]) -> Took:
    done = subprocess.run(_command(python, script, arguments), env=_one_core(), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr[-2000:]}")
    result = json.loads(Path(arguments[1]).read_text())
    return Took(result["cpu"], result["wall"], result["peak_mb"], [(key, twin) for key, twin in result["found"]])


def watched(script: str, folder: Path, result: Path) -> tuple[dict[str, Any], float]:
    """The result of one of our own scripts, and the most memory that it and its children held together, in MB."""
    peak, process = 0.0, subprocess.Popen(_command(Path(sys.executable), script, [folder, result]), env=_one_core())
    while process.poll() is None:
        peak = max(peak, sum(map(_held, _family(process.pid))))
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"{script} failed with {process.returncode}")
    found = json.loads(result.read_text())
    return found, max(peak, found.get("peak_mb", 0.0))


def _command(python: Path, script: str, arguments: Sequence[str | Path]) -> list[str]:
    return [str(python), str(HERE / "_peers" / script), *map(str, arguments)]


def _one_core() -> dict[str, str]:
    return os.environ | {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")}


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended, or this is not Linux
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _held(pid: int) -> float:
    """MB; of what several processes share, each its part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


# --- the page ---------------------------------------------------------------------------------------------------------


def mean(numbers: Iterable[float]) -> float:
    found = list(numbers)
    return sum(found) / len(found)


def show(title: str, header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """As Markdown."""
    print(f"\n{title}\n")
    for line in (header, ["---"] * len(header), *lines):
        print("| " + " | ".join(line) + " |")
    sys.stdout.flush()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help="short texts (default: 50000)")
    parser.add_argument("--traces", type=int, help="for the whole step (default: 1000000)")
    parser.add_argument("--data", type=Path, default=BESIDE if BESIDE.exists() else None, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, help="of every client (default: 3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="5000 rows, 20000 traces, one round: a minute")
    parser.add_argument("--only", default=",".join(PARTS), help="of: %(default)s")
    parser.add_argument("--peers", default="set,rensa,datasketch,datatrove", help="of: %(default)s; none: ''")
    flags = parser.parse_args()
    flags.rows = flags.rows or (5000 if flags.quick else 50_000)
    flags.traces = flags.traces or (20_000 if flags.quick else 1_000_000)
    flags.rounds = flags.rounds or (1 if flags.quick else 3)
    flags.only, flags.peers = flags.only.split(","), [name for name in flags.peers.split(",") if name]
    for name in (*flags.only, *flags.peers):
        if name not in PARTS and name not in PACKAGES:
            parser.error(f"there is no '{name}'. There are: {', '.join((*PARTS, *PACKAGES))}")
    return flags


if __name__ == "__main__":
    main()
