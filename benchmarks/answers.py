"""The answer contract and the curation built on it, measured: every figure with what is to be reached, in one table.

    make bench NAME=answers                      or, with options:
    .venv/bin/python benchmarks/answers.py --shared FOLDER --only forms,solutions --amiss 50

FOLDER holds conformance/ (answers.jsonl, slips.jsonl) and data/ (public sets, one JSON object a line; default:
../shared beside this checkout). What needs it says so where it is not there. Labels that are ours stand in tests/.
Other graders judge the same rows, each in an environment of its own under .bench/, made when it is first needed. Five
minutes once they are there; run it when nothing else runs.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import curation
import grading
from _grading.clients import NAMES, OURS, chosen, named, told
from _grading.curating import contamination, labelled, oracle
from _grading.equations import equations
from _grading.forms import beside, forms
from _grading.hostile import hostile
from _grading.modes import modes
from _grading.place import Place, Section
from _grading.rows import row_sets
from _grading.solutions import solutions
from _grading.table import Row, show_amiss, show_rows
from _grading.thoughts import thoughts

BESIDE = Path(__file__).parents[2] / "shared"
ROUNDS, ROWS, SECONDS = 3, 500, 0.5
"""Of the speeds; more of them: make bench NAME=grading."""
TEXTS, TRACES = 20_000, 50_000
"""Of curation; the figures asked for are of 50,000 and a million: make bench NAME=curation."""


def speed(place: Place) -> Iterator[Row]:
    """Graders on the same rows, one core."""
    sets = row_sets(place.shared / "data" if place.shared else None, ROWS * ROUNDS, place.seed)
    rates, versions = grading.raced(sets, (*chosen(["understudy"]), *place.graders), ROUNDS, SECONDS, place.seed)
    for one in sets:
        grading.show_set(one, rates, versions, ROUNDS)
    yield from grading.figures(sets, rates)


def curated(place: Place) -> Iterator[Row]:
    """Curation's own benchmark, small."""
    data = place.shared / "data" if place.shared else None
    peers = ["rensa", "datatrove"]
    flags = argparse.Namespace(rows=TEXTS, traces=TRACES, rounds=1, seed=place.seed, peers=peers, data=data)
    work = Path(tempfile.mkdtemp(prefix="understudy-bench-"))
    try:
        for part in (curation.near, curation.grams, curation.cheap, curation.million):
            for row in part(work, flags):
                yield Row(f"curation, small: {row.what}", None, row.to_reach, row.measured, row.reached)
    finally:
        shutil.rmtree(work, ignore_errors=True)


SECTIONS: dict[str, Section] = {
    "forms": forms,
    "beside": beside,
    "solutions": solutions,
    "modes": modes,
    "slips": equations,
    "thoughts": thoughts,
    "hostile": hostile,
    "speed": speed,
    "oracle": oracle,
    "traces": labelled,
    "curation": curated,
    "contamination": contamination,
}


LONG = ("beside", "modes", "speed", "curation")
"""Sections that a quick run leaves out."""


def main() -> None:
    flags = parsed()
    others = [] if flags.quick else [g for g in chosen(flags.graders) if g.label not in OURS]
    place = Place(flags.shared, others, flags.full, flags.seed)
    found: list[Row] = []
    for name in flags.only:
        began = time.monotonic()
        found += SECTIONS[name](place)
        told(f"{name}: {time.monotonic() - began:.0f} s")
    show_rows("Results", found)
    show_amiss(found, flags.amiss)
    sys.exit(any(row.reached is False for row in found))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=BESIDE if BESIDE.exists() else None, help="default: %(default)s")
    parser.add_argument("--only", default=",".join(SECTIONS), help="of: %(default)s")
    parser.add_argument("--graders", default="", help=f"beginnings of: {NAMES}")
    parser.add_argument("--quick", action="store_true", help="ours alone, neither speed nor curation's own: a minute")
    parser.add_argument("--full", action="store_true", help="slow graders judge every row, too: ten minutes more")
    parser.add_argument(
        "--amiss", type=int, default=10, help="lines shown of what is wrong under a figure (default: 10)"
    )
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    flags.only = [name for name in flags.only.split(",") if not (flags.quick and name in LONG)]
    flags.graders = named(parser, flags.graders)
    for name in flags.only:
        if name not in SECTIONS:
            parser.error(f"there is no '{name}'. There are: {', '.join(SECTIONS)}")
    return flags


if __name__ == "__main__":
    main()
