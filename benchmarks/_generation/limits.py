"""How soon the first request goes out, what memory a large run takes, and how far a budget is overshot."""

import statistics
import sys
from collections.abc import Iterator

from _generation.bench import WIDTH, Bench, Row
from _generation.processes import done, ran, spread

SAMPLES = 8
SHORT = 20
"""Problems of the run whose start is measured."""


def start(bench: Bench) -> Iterator[Row]:
    """The row on the time from the command to the first request, the sources made."""
    seconds = []
    for _ in range(max(3, bench.rounds)):
        folder = bench.sourced("start", SHORT)
        bench.mock.set()
        run = done(ran(bench.command(folder, "--only", "generate")))
        seconds.append(bench.mock.counts()["first"] - run.began)
    folder = bench.sourced("start", SHORT)
    told = done(ran([sys.executable, "-X", "importtime", *bench.command(folder, "--only", "generate")[1:]])).said
    torch = any(line.rpartition("|")[2].strip() == "torch" for line in told.splitlines())
    measured = f"{spread(seconds)} s; torch is {'IMPORTED' if torch else 'not imported'}"
    yield Row("start-up to first request", "≤ 0.5 s", measured, statistics.median(seconds) <= 0.5 and not torch)


def memory(bench: Bench) -> Iterator[Row]:
    """Rows on a large run with short replies: the step as `understudy run` makes it, and the engines by themselves."""
    folder = bench.sourced("memory", bench.many)
    bench.mock.set(short=True, names=False)
    run = done(ran(bench.command(folder, "--only", "generate", "--set", f"generate.n={SAMPLES}")))
    samples, what = bench.mock.counts()["samples"], f"memory, {bench.many:,} prompts × {SAMPLES}"
    told = f"{run.peak_mb:.0f} MB; {samples:,} samples in {run.wall:.0f} s, {1000 * run.cpu / samples:.3f} ms CPU each"
    yield Row(f"{what} (understudy run)", "≤ 500 MB", told, run.peak_mb <= 500 and samples == bench.many * SAMPLES)
    work = bench.fresh("memory")
    bench.mock.set(short=True, names=False)
    run = bench.ours(work, bench.many, "--samples", str(SAMPLES))
    told = f"{run.peak_mb:.0f} MB; {run.wall:.0f} s, {1000 * run.cpu / samples:.3f} ms CPU each"
    good = run.peak_mb <= 500 and run.facts["taken"] == bench.many * SAMPLES
    yield Row(f"{what} (the engines alone)", "≤ 500 MB", told, good)


def budget(bench: Bench) -> Iterator[Row]:
    """Rows on a limit of tokens, by the mock's own count: of one sample a request and of several, slow and at once."""
    for samples, latency in ((1, 0.05), (4, 0.05), (1, 0.0), (4, 0.0)):
        bench.mock.set(latency=latency)
        bench.ours(bench.fresh("whole"), bench.rows, "--samples", str(samples))
        whole, over, after, stopped = bench.mock.counts()["tokens"], list[float](), list[int](), True
        for number in range(bench.rounds):
            limit = int(whole * (number + 1) / (bench.rounds + 1))
            bench.mock.set(latency=latency, watch=limit)
            flags = ("--samples", str(samples), "--budget", str(limit))
            stopped &= bench.ours(bench.fresh("budget"), bench.rows, *flags).facts["stopped"]
            counts = bench.mock.counts()
            over.append(100 * (counts["tokens"] / limit - 1))
            after.append(counts["after_watch"])
        told = (
            f"{spread(after, '{:.0f}')} requests answered after the limit was reached, of {WIDTH} in flight; "
            f"the limit of tokens overshot by {spread(over, '{:.1f}')} %"
        )
        what = f"budget, {samples} sample{'s' if samples > 1 else ''} a request, {1000 * latency:.0f} ms latency"
        yield Row(what, "never over by more than what was in flight", told, stopped and max(after) <= WIDTH)
