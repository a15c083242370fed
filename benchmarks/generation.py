"""Asking a teacher, measured: what it costs, what is lost, what is asked twice, and how that compares with others.

    make bench NAME=generation                      or, with options:
    .venv/bin/python benchmarks/generation.py --only cost,faults --rows 500 --peers all

Every client asks the same prompts of the same server on this machine, in an order drawn anew for each round; figures
are medians with their range. Nothing leaves the machine, except that peers are installed when they are first measured.
Run it when nothing else runs: a ratio bears some noise, and a time none.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from _generation.bench import Bench, Row, Table
from _generation.clients import PEERS
from _generation.cost import cost, flight
from _generation.keeping import again, faults, kill, more
from _generation.limits import budget, memory, start
from _generation.processes import Failed, Mock

ROWS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "cost": cost,
    "flight": flight,
    "faults": faults,
    "kill": kill,
    "again": again,
    "more": more,
    "start": start,
    "memory": memory,
    "budget": budget,
}
REACHED = {True: "yes", False: "NO", None: "–"}


def main() -> None:
    flags = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that server and folder go, too
    work = Path(tempfile.mkdtemp(prefix="understudy-bench-"))
    found: list[Row] = []
    try:
        with Mock(work) as mock:
            bench = Bench(mock, work, flags.rows, flags.rounds, flags.peers)
            for name in flags.only:
                found += measured(name, bench)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for table in bench.tables:
        show(table)
    header = ("what", "to reach", "measured", "reached?")
    lines = [(row.what, row.to_reach, row.measured, REACHED[row.reached]) for row in found]
    how = f"{flags.rows} prompts, {flags.rounds} rounds"
    show(Table(f"Results ({how})", header, lines))
    sys.exit(any(row.reached is False for row in found))


def measured(name: str, bench: Bench) -> list[Row]:
    """The rows of one name; one that says why, where they could not be measured."""
    began = time.monotonic()
    found: list[Row] = []
    try:
        for row in ROWS[name](bench):
            found.append(row)
            print(f"{name}: {row.what}: {row.measured}", file=sys.stderr, flush=True)
    except Failed as error:
        found.append(Row(name, "", f"failed: {error}", False))
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return found


def show(table: Table) -> None:
    """As Markdown."""
    print(f"\n{table.title}\n")
    for line in (table.header, tuple("---" for _ in table.header), *table.lines):
        print("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help="prompts; large rows take 50 times as many (default: 2000)")
    parser.add_argument("--rounds", type=int, help="of every measurement (default: 5)")
    parser.add_argument("--quick", action="store_true", help="200 prompts, one round, no peers but aiohttp: a minute")
    parser.add_argument("--only", default=",".join(ROWS), help="of: %(default)s")
    parser.add_argument("--peers", help=f"all, or some of: {', '.join(PEERS)} (default: aiohttp,curator,distilabel)")
    flags = parser.parse_args()
    flags.rows = flags.rows or (200 if flags.quick else 2000)
    flags.rounds = flags.rounds or (1 if flags.quick else 5)
    flags.only = names(parser, flags.only, list(ROWS))
    peers = flags.peers or ("aiohttp" if flags.quick else "aiohttp,curator,distilabel")
    flags.peers = list(PEERS) if peers == "all" else names(parser, peers, list(PEERS))
    return flags


def names(parser: argparse.ArgumentParser, said: str, known: list[str]) -> list[str]:
    """What was said, word by word."""
    for name in (words := said.split(",")):
        if name not in known:
            parser.error(f"there is no '{name}'. There are: {', '.join(known)}")
    return words


if __name__ == "__main__":
    main()
