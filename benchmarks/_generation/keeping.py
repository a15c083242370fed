"""What is lost, doubled or asked twice: under faults, after kill -9, when a recipe is run again, when n is raised."""

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from _generation.bench import WIDTH, Bench, Row, checked, lines, stored, tags
from _generation.processes import done, ran, spread

SAMPLES = 4
FAULTS = {
    "latency": 0.05,
    "busy": 0.05,
    "retry_after": 1.0,
    "broken": 0.03,
    "dropped": 0.02,
    "cut": 0.01,
    "torn": 0.01,
    "never": 0.02,
}


def faults(bench: Bench) -> Iterator[Row]:
    """Rows on a server with mixed faults: one that gives several choices at once, and one that does not."""
    prompts, never = bench.prompts(bench.rows), FAULTS["never"]
    for several in (True, False):
        bench.mock.set(several=several, **FAULTS)
        work = bench.fresh("faults")
        run = bench.ours(work, bench.rows, "--samples", str(SAMPLES), "--out", work / "out")
        found, outcomes = checked(work / "out", prompts, SAMPLES, never), bench.mock.counts()["outcomes"]
        kept = sum(sample.get("stop") == "error" for sample in stored(work / "store"))
        bad = sum(count for name, count in outcomes.items() if name != "ok")
        told = (
            f"{found.lost} lost, {found.doubled} doubled, {found.mispaired} mispaired; {found.failed} final failures, "
            f"{kept} in the store, {found.unsaid} unsaid; {bad} faults in {sum(outcomes.values())} requests, "
            f"{run.wall:.1f} s"
        )
        how = "n in one request" if several else "one choice a request"
        good = not (found.lost or found.doubled or found.mispaired or found.unsaid) and kept == found.failed
        what = f"mixed faults, {bench.rows} prompts × {SAMPLES} ({how})"
        yield Row(what, "0 lost, 0 doubled, 0 mispaired; every final failure on record", told, good)


def kill(bench: Bench) -> Iterator[Row]:
    """The row on kill -9: once at half, and as often as there are rounds anywhere."""
    bench.mock.set(latency=0.05)
    whole = bench.sourced("undisturbed", bench.rows)
    done(ran(bench.command(whole, "--only", "generate")))
    traces = (whole / "run" / "traces.jsonl").read_bytes()
    rng, again, from_disk, paid_twice, equal = random.Random(0), list[int](), 0, list[int](), True
    on_the_way: list[int] = []
    for number in range(bench.rounds):
        share = rng.uniform(0.05, 0.95) if number else 0.5
        folder = bench.sourced("killed", bench.rows)
        disk, asked, paid, flying = _killed(bench, folder, int(share * bench.rows * SAMPLES))
        bench.mock.set(latency=0.05)
        done(ran(bench.command(folder, "--only", "generate")))
        second = bench.mock.asked()
        from_disk += len(disk & second.keys())
        again.append(len(asked & second.keys()))
        paid_twice.append(len(paid & second.keys()))
        on_the_way.append(flying)
        equal &= (folder / "run" / "traces.jsonl").read_bytes() == traces
    told = (
        f"{from_disk} samples on disk asked again; re-asked {spread(again, '{:.0f}')}, of these answered before "
        f"{spread(paid_twice, '{:.0f}')} (in flight as the server saw it {spread(on_the_way, '{:.0f}')}, at most "
        f"{WIDTH * SAMPLES}); final traces {'byte-equal' if equal else 'DIFFER'}; {bench.rounds} kills"
    )
    to_reach = "0 of those on disk; re-asked ≤ in flight; final files byte-equal"
    good = not from_disk and equal and max(again) <= WIDTH * SAMPLES
    yield Row("kill -9 halfway, run again", to_reach, told, good)


def _killed(bench: Bench, folder: Path, samples: int) -> tuple[set[str], set[str], set[str], int]:
    """On disk, asked, answered and in flight when a run was killed after so many samples."""
    bench.mock.set(latency=0.05)
    ran(bench.command(folder, "--only", "generate"), kill=lambda: bench.mock.counts()["samples"] >= samples)
    while (counts := bench.mock.counts())["in_flight"]:
        time.sleep(0.01)
    disk = tags(folder / "run" / "samples" / "teacher")
    return disk, set(bench.mock.asked()), set(bench.mock.answered()), counts["abandoned"] * SAMPLES


def again(bench: Bench) -> Iterator[Row]:
    """Rows on running the same recipe again, and on reading a large store."""
    bench.mock.set()
    first, second = bench.sourced("first", bench.rows), bench.sourced("second", bench.rows)
    done(ran(bench.command(first, "--only", "generate")))
    bench.mock.set()
    done(ran(bench.command(first, "--only", "generate")))
    here = bench.mock.counts()["requests"]
    store = f"generate.store={first / 'run' / 'samples' / 'teacher'}"
    done(ran(bench.command(second, "--only", "generate", "--set", store)))
    there = bench.mock.counts()["requests"] - here
    traces = [(folder / "run" / "traces.jsonl").read_bytes() for folder in (first, second)]
    same = "the same traces" if traces[0] == traces[1] else "OTHER TRACES"
    told = f"{here} requests in the same folder; {there} in another one with the same store, {same}"
    yield Row("same recipe again", "0 requests", told, not here and not there and traces[0] == traces[1])
    work, prompts = bench.fresh("large"), bench.many // SAMPLES
    filled = bench.ours(work, prompts, "--samples", str(SAMPLES), "--fill")
    size = sum(path.stat().st_size for path in (work / "store").glob("[0-9]*.jsonl"))
    runs = [bench.ours(work, prompts, "--samples", str(SAMPLES), "--offline") for _ in range(bench.rounds)]
    taken = {run.facts["taken"] for run in runs}
    wall, cpu = spread([run.wall for run in runs]), spread([run.cpu for run in runs])
    told = (
        f"{wall} s, the process's start and reading the prompts included ({cpu} s CPU, {runs[0].peak_mb:.0f} MB); "
        f"{size / 1e6:.0f} MB on disk; writing them took {filled.facts['wall']:.1f} s"
    )
    good = statistics.median(run.wall for run in runs) <= 5 and taken == {prompts * SAMPLES}
    yield Row(f"{prompts * SAMPLES:,} cached samples read back", "≤ 5 s", told, good)


def more(bench: Bench) -> Iterator[Row]:
    """The row on n raised from 4 to 8."""
    bench.mock.set()
    folder = bench.sourced("more", bench.rows)
    done(ran(bench.command(folder, "--only", "generate")))
    first = bench.mock.asked()
    bench.mock.set()
    done(ran(bench.command(folder, "--only", "generate", "--set", "generate.n=8")))
    second, requests = bench.mock.asked(), bench.mock.counts()["requests"]
    twice = len(first.keys() & second.keys()) + sum(count > 1 for count in second.values())
    traces = sum(1 for _ in lines(folder / "run" / "traces.jsonl"))
    told = f"{len(second)} new samples in {requests} requests, {twice} asked twice; {traces} traces"
    good = len(second) == 4 * bench.rows and not twice and traces == 8 * bench.rows
    yield Row("n raised from 4 to 8", f"exactly the {4 * bench.rows} new samples asked", told, good)
