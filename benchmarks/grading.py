"""Graders, timed: how many replies a second on one core, ours beside others on the same rows.

    make bench NAME=grading                      or, with options:
    .venv/bin/python benchmarks/grading.py --data FOLDER --rounds 5 --graders understudy,math-verify

FOLDER holds gsm8k, gsm8k_model_solutions and gsm8k_test_traces, one JSON object a line (default: ../shared/data beside
this checkout); without it replies are made on the spot. Every grader is a process of its own on the same core. In each
round all of them, in an order drawn anew, judge rows that none has met before; counted is CPU time, without start-up
and reading. The range is that of the rounds; a ratio is the median of the rounds' ratios.
"""

import argparse
import random
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from _grading.clients import (
    GRADERS,
    MATH_VERIFY,
    NAMES,
    SLOW,
    VERDICT,
    WHOLE,
    Failed,
    Grader,
    Worker,
    chosen,
    named,
    told,
)
from _grading.rows import RowSet, row_sets
from _grading.table import Row, show, show_rows

BESIDE = Path(__file__).parents[2] / "shared" / "data"
Rates = Mapping[tuple[str, str], Sequence[float]]
"""(row set, grader) to rows/s, one for each round."""
TARGETS = (
    ("verdict alone, GSM8K solutions", "solutions", VERDICT, 25_000),
    ("with slips and flags, GSM8K solutions", "solutions", WHOLE, 10_000),
    ("verdict alone, 16 kB traces", "16 kB", VERDICT, 5_000),
)
TIMES = 15
"""Rows/s of the verdict alone, as a multiple of Math-Verify's."""


def main() -> None:
    flags = parsed()
    sets = row_sets(flags.data, flags.rows * flags.rounds, flags.seed)
    rates, versions = raced(sets, chosen(flags.graders), flags.rounds, flags.seconds, flags.seed)
    for one in sets:
        show_set(one, rates, versions, flags.rounds)
    found = list(figures(sets, rates))
    show_rows("Results (the best round; ratios: the median)", found)
    sys.exit(any(row.reached is False for row in found))


def raced(
    sets: Sequence[RowSet], graders: Sequence[Grader], rounds: int, seconds: float, seed: int
) -> tuple[Rates, dict[str, str]]:
    """Rows/s of every grader on every set, round by round, and the graders' versions. Who fails is left out."""
    rng, rates, versions = random.Random(seed), defaultdict[tuple[str, str], list[float]](list), dict[str, str]()
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as work, ExitStack() as stack:
        files = {one.name: written(one, Path(work) / f"{number}.jsonl") for number, one in enumerate(sets)}
        workers = []
        for grader in graders:
            try:
                workers.append(stack.enter_context(Worker(grader)))
                versions[grader.label] = workers[-1].version
            except Failed as error:
                told(str(error))
        for turn in range(rounds):
            for one in sets:
                each = len(one.rows) // rounds
                for worker in rng.sample(workers, len(workers)):
                    rate = attempted(worker, files[one.name], turn * each, each, seconds)
                    if rate is None:
                        workers.remove(worker)
                    else:
                        rates[one.name, worker.grader.label].append(rate)
            told(f"round {turn + 1} of {rounds}")
    return rates, versions


def attempted(worker: Worker, file: Path, start: int, rows: int, seconds: float) -> float | None:
    """Rows/s; None where the grader broke."""
    try:
        return worker.rate(file, start, start + rows, seconds / 3 if worker.grader.label in SLOW else seconds)
    except Failed as error:
        told(str(error))
        return None


def written(one: RowSet, path: Path) -> Path:
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in one.rows))
    return path


def ratios(rates: Rates, name: str, label: str) -> list[float]:
    """Rows/s as multiples of Math-Verify's, round by round."""
    return [a / b for a, b in zip(rates.get((name, label), ()), rates.get((name, MATH_VERIFY), ()), strict=False)]


def show_set(one: RowSet, rates: Rates, versions: Mapping[str, str], rounds: int) -> None:
    lines = []
    for grader in GRADERS:
        if found := rates.get((one.name, grader.label)):
            times = ratios(rates, one.name, grader.label)
            speeds = [f"{f(found):,.0f}" for f in (min, statistics.median, max)]
            ratio = f"{statistics.median(times):.2f}" if times else "–"
            lines.append((grader.label, versions[grader.label], *speeds, ratio))
    size = sum(len(row[0]) for row in one.rows) / len(one.rows)
    show(
        f"{one.name}{' (made on the spot)' if one.made else ''}: {rounds} rounds of {len(one.rows) // rounds:,} rows "
        f"of {size:,.0f} characters, one core",
        ("", "version", "rows/s: least", "median", "most", "times Math-Verify"),
        lines,
    )


def figures(sets: Sequence[RowSet], rates: Rates) -> Iterator[Row]:
    """What is to be reached, on real replies."""
    made = {one.name for one in sets if one.made}
    for what, name, label, least in TARGETS:
        if found := rates.get((name, label)):
            said = f"{max(found):,.0f} rows/s (median {statistics.median(found):,.0f})"
            yield real_row(what, name in made, f">= {least:,}", said, max(found) >= least)
    times = ratios(rates, "solutions", VERDICT)
    if times:
        middle = statistics.median(times)
        said = f"{middle:.1f} ({min(times):.1f}–{max(times):.1f})"
        yield real_row("verdict alone, times Math-Verify", "solutions" in made, f">= {TIMES}", said, middle >= TIMES)


def real_row(what: str, made: bool, to_reach: str, measured: str, reached: bool) -> Row:
    """On replies made on the spot nothing is reached or missed."""
    said = f"{measured}, on replies made on the spot" if made else measured
    return Row(what, None, to_reach, said, None if made else reached)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=BESIDE if BESIDE.exists() else None, help="default: %(default)s")
    parser.add_argument("--rows", type=int, help="of a round (default: 1500)")
    parser.add_argument("--rounds", type=int, help="default: 5")
    parser.add_argument("--seconds", type=float, help="of CPU for a grader, set and round (default: 1.5)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="500 rows, 3 rounds, 0.5 s: a minute")
    parser.add_argument("--graders", default="", help=f"beginnings of: {NAMES}")
    flags = parser.parse_args()
    flags.rows = flags.rows or (500 if flags.quick else 1500)
    flags.rounds = flags.rounds or (3 if flags.quick else 5)
    flags.seconds = flags.seconds or (0.5 if flags.quick else 1.5)
    flags.graders = named(parser, flags.graders)
    return flags


if __name__ == "__main__":
    main()
