"""What the scripts of this folder share: rows in, what was found and what it took out. Runs in any environment.

python SCRIPT.py ROWS.jsonl RESULT.json [ARGUMENT ...]
"""

import json
import resource
import sys
import time

WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def timed(job):
    """Call `job(rows, *arguments)`, which gives pairs of an id that is to go and the id it repeats (or None)."""
    rows_path, result_path, *arguments = sys.argv[1:]
    with open(rows_path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    wall, used = time.perf_counter(), cpu()
    found = job(rows, *arguments)
    result = {"cpu": cpu() - used, "wall": time.perf_counter() - wall, "found": [list(pair) for pair in found]}
    result["peak_mb"] = peak_mb()
    with open(result_path, "w", encoding="utf-8") as file:
        json.dump(result, file)


def cpu():
    """Seconds, user and system, of this process and of those it waited for."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, WHO))


def peak_mb():
    """Most memory of this process."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024
    except OSError:  # not Linux, where the usual count begins with what the parent held
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1024)


def word_runs(text, length=5):
    """The runs of so many words, each as one string; a shorter text is one run."""
    words = text.lower().split()
    return [" ".join(words[i : i + length]) for i in range(max(1, len(words) - length + 1))]
