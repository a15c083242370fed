"""What the scripts of this folder share: replies in, what a grader says of them or how long it takes out. Runs in any
environment.

One JSON object a line on stdin, one on stdout; the first line out says that the grader is ready, and its version.
"""

import json
import os
import sys
import time


def serve(says, version):
    """Answer what is asked about `says(text, gold)`, which is true where the grader takes the reply for right."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    tell(out, {"ready": version})
    for line in sys.stdin:
        asked = json.loads(line)
        tell(
            out, timed(says, **asked["time"]) if "time" in asked else {"said": [right(says, *r) for r in asked["rows"]]}
        )


def timed(says, file, start, stop, seconds):
    """CPU seconds of this process for the rows of a file from `start` to `stop`, or as many as it gets through."""
    with open(file, encoding="utf-8") as lines:
        some = [json.loads(line) for number, line in enumerate(lines) if start <= number < stop]
    rows = [
        row[: says.__code__.co_argcount] for row in some
    ]  # text and gold answer; one of them reads the question, too
    right(says, *rows[0])  # what is loaded when it is first needed
    done, at_once = 0, (8 if len(rows) > 64 else 1)
    began = time.process_time()
    while done < len(rows) and time.process_time() - began < seconds:
        for row in rows[done : done + at_once]:
            right(says, *row)
        done += at_once
    return {"rows": min(done, len(rows)), "cpu": time.process_time() - began}


def right(says, *row):
    """None where the grader refuses to say."""
    try:
        said = says(*row)
    except Exception:
        return None
    return None if said is None else bool(said)


def tell(out, what):
    out.write(json.dumps(what) + "\n")
    out.flush()


def in_dollars(gold):
    """LaTeX as Math-Verify and those built on it want it."""
    return f"${gold}$" if "\\" in gold and "$" not in gold else gold


def version(package):
    """Of what is installed."""
    from importlib.metadata import version

    return f"{package} {version(package)}"
