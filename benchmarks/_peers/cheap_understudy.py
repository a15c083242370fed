"""This project's rules that look at one trace, timed with and without the grader in them, which takes most of it.

python cheap_understudy.py FOLDER RESULT.json      FOLDER holds problems.jsonl and traces.jsonl

`cheap`: every row of `RULES`, and `duplicate`; the usual lengths, the verdict, its flags and the structure's score with
them. No trace is compared with those of other words, no student is asked, and Math-Verify only where a rule's exact
values leave an answer open, as in any run. `answers`: the judge, the flags and the equations alone. `whole`: from a
file of traces to the bytes of three others, near-duplicates and the ledger with it.
"""

import gc
import json
import sys
import time
from pathlib import Path

import msgspec

from understudy import answers
from understudy.recipe import Curate
from understudy.records import Problem, Trace
from understudy.steps.curate import SET_RULES, curate, with_ledger
from understudy.store import Rows

CHEAP = Curate(without=tuple(name for name in SET_RULES if name != "duplicate"))
BEST_OF = 3


def graded(traces, problems):
    for trace in traces:
        problem, s = problems[trace.problem], trace.sample
        said = answers.judge(s.text, problem.answer, problem.kind, s.stop, s.thought, choices=problem.choices)
        answers.split(s.text, s.thought)
        answers.flags(s.text, problem.question, problem.kind, s.stop, s.thought, said)
        answers.equations(f"{s.thought}\n{s.text}" if s.thought else s.text)


def silent(line):
    """Nobody watches."""


def least(jobs):
    """CPU seconds of each job; they take turns, so that a busy machine slows down all of them."""
    best = dict.fromkeys(jobs, float("inf"))
    for _ in range(BEST_OF):
        for name, job in jobs.items():
            began = time.process_time()
            job()
            best[name] = min(best[name], time.process_time() - began)
    return best


def main():
    folder, result_path = Path(sys.argv[1]), Path(sys.argv[2])
    problems = {problem.id: problem for problem in Rows(folder / "problems.jsonl", Problem)}
    rows = Rows(folder / "traces.jsonl", Trace)
    traces, encode = list(rows), msgspec.json.Encoder().encode
    gc.collect()
    gc.freeze()  # a run reads its traces one by one: those held here are no work for the collector
    jobs = {
        "answers": lambda: graded(traces, problems),
        "cheap": lambda: sum(1 for _ in curate(traces, problems, CHEAP, silent)),
        "whole": lambda: sum(
            len(encode(one)) for one in with_ledger(curate(rows, problems, Curate(), silent), problems, silent)
        ),
    }
    result_path.write_text(json.dumps(least(jobs)))


if __name__ == "__main__":  # Math-Verify's process imports this file
    main()
