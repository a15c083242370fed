"""Traces that curation is timed on: the oracle's, models' solutions of GSM8K, and those made on the spot."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec
from _texts import made

from understudy.engines.oracle import Oracle
from understudy.recipe import Counts, Source
from understudy.records import Problem, Prompt, Sample, Sampling, Split, Trace
from understudy.sources import word_problems

PER_PROBLEM = 4
MESSY = 0.37
SOLUTIONS = (
    ("gsm8k_model_solutions/test_6b", "solution"),
    ("gsm8k_test_traces/mixtral-8x7b-instruct", "rationale"),
    ("gsm8k_test_traces/gpt-4-1106-preview", "rationale"),
)
"""File and field of the solutions of four models to each of GSM8K's test questions."""

Asked = tuple[Problem, list[Trace]]
"""A problem with its traces."""


class Size(NamedTuple):
    """Of a folder of traces."""

    traces: int
    characters: float
    """Of a trace, on average."""


def saved(folder: Path, rows: Iterable[Asked]) -> Size:
    """What `problems.jsonl` and `traces.jsonl` of that folder hold now."""
    folder.mkdir(exist_ok=True)
    count = characters = 0
    with (folder / "problems.jsonl").open("wb") as problems, (folder / "traces.jsonl").open("wb") as traces:
        for problem, some in rows:
            problems.write(msgspec.json.encode(problem) + b"\n")
            traces.writelines(msgspec.json.encode(trace) + b"\n" for trace in some)
            count += len(some)
            characters += sum(len(trace.sample.text) for trace in some)
    return Size(count, characters / max(count, 1))


def oracles(count: int, seed: int) -> Iterator[Asked]:
    """So many traces of the demo's programmatic teacher."""
    counts = Counts(train=max(count // PER_PROBLEM, 1), test=0, dev=0, calibration=0)
    problems = {p.id: p for p in word_problems.problems(Source(name="word_problems", counts=counts), seed)}
    teacher = Oracle(problems, MESSY)
    for key, problem in problems.items():
        drawn = teacher.sample([Prompt(id=key, messages=())], Sampling(n=PER_PROBLEM, seed=seed))
        yield problem, [_trace(key, one.number, one.sample) for one in drawn]


def solutions(data: Path | None, count: int) -> Iterator[Asked]:
    """Of so many traces at most, those of each question together; none where the files are not there."""
    asked: dict[str, tuple[str, list[str]]] = {}
    for name, field in SOLUTIONS if data is not None else ():
        for line in (data / f"{name}.jsonl").read_bytes().splitlines() if data is not None else ():
            row = msgspec.json.decode(line)
            asked.setdefault(row["question"], (str(row["answer"]), []))[1].append(row[field])
    for number, (question, (answer, texts)) in enumerate(islice(asked.items(), count // PER_PROBLEM)):
        key = f"gsm8k/train/{number}"
        problem = Problem(id=key, question=question, answer=answer, source="gsm8k", split=Split.TRAIN)
        yield problem, [_trace(key, i, Sample(text=text, tokens_out=len(text) // 4)) for i, text in enumerate(texts)]


def synthetic(count: int, seed: int) -> Iterator[Asked]:
    """So many traces of about a kilobyte, a fifth of them faulty: the teacher's name says how."""
    for problem, planted in made(max(count // PER_PROBLEM, 1), PER_PROBLEM, seed):
        yield problem, [one.trace for one in planted]


def _trace(problem: str, number: int, sample: Sample) -> Trace:
    return Trace(
        id=f"{problem}#{number}", problem=problem, teacher="t", prompt_hash="p", sampling_hash="s", sample=sample
    )
