"""This project's whole step of curation, rules as they are by default: what it took, and what became of each fault.

python curate_understudy.py FOLDER RESULT.json      FOLDER holds problems.jsonl and traces.jsonl

FOLDER gets judged.jsonl, ledger.jsonl and pool.jsonl, whole or not at all, as a run does.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

from timed import cpu, peak_mb

from understudy.recipe import Curate
from understudy.records import Judged, Problem, Trace
from understudy.steps.curate import curate, with_ledger
from understudy.store import Rows, Run, write


def counted(records, fates):
    """The records as they are, and the fates of the traces among them by teacher, whose name is the planted fault."""
    for one in records:
        if isinstance(one, Judged):
            fates[one.trace.teacher, one.dropped_by or "kept"] += 1
        yield one


def main():
    folder, result_path = Path(sys.argv[1]), Path(sys.argv[2])
    wall, used, fates = time.perf_counter(), cpu(), Counter()
    problems = {problem.id: problem for problem in Rows(folder / "problems.jsonl", Problem)}
    traces = Rows(folder / "traces.jsonl", Trace)
    judged = with_ledger(curate(traces, problems, Curate(), lambda line: None), problems, lambda line: None)
    files = write(Run(folder), "", ("judged", "ledger", "pool"), counted(judged, fates))
    result = {"cpu": cpu() - used, "wall": time.perf_counter() - wall, "peak_mb": peak_mb(), "files": files}
    result["fates"] = [[*fate, n] for fate, n in sorted(fates.items())]
    result_path.write_text(json.dumps(result))


if __name__ == "__main__":  # Math-Verify's process imports this file
    main()
