"""This project's whole curation, rules as they are by default: what it took, and what became of each planted fault.

python curate_understudy.py FOLDER RESULT.json      FOLDER holds problems.jsonl and traces.jsonl
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

from timed import cpu, peak_mb

from understudy.recipe import Curate
from understudy.records import Problem, Trace
from understudy.steps.curate import curate
from understudy.store import Rows


def main():
    folder, result_path = Path(sys.argv[1]), Path(sys.argv[2])
    problems = {problem.id: problem for problem in Rows(folder / "problems.jsonl", Problem)}
    traces = Rows(folder / "traces.jsonl", Trace)
    wall, used = time.perf_counter(), cpu()
    fates = Counter()
    for judged in curate(traces, problems, Curate(), lambda line: None):
        fates[judged.trace.teacher, judged.dropped_by or "kept"] += 1
    result = {"cpu": cpu() - used, "wall": time.perf_counter() - wall, "peak_mb": peak_mb()}
    result["fates"] = [[*fate, n] for fate, n in sorted(fates.items())]
    result_path.write_text(json.dumps(result))


if __name__ == "__main__":  # curation may use processes of its own
    main()
