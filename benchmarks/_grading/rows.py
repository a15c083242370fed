"""Replies to time graders on: real ones where a data folder has them, else made on the spot; none comes twice."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from understudy.engines.oracle import Oracle
from understudy.recipe import Counts, Source
from understudy.records import Problem, Prompt, Sampling
from understudy.sources import word_problems

Row = tuple[str, str, str]
"""Reply, gold answer and question."""
LONG = 16_000
"""Characters of a long trace."""
FORMS = (
    "The answer is \\boxed{%s}.", "\\boxed{%s}", "So the final answer is $\\boxed{%s}$.", 
    "Therefore:\n\n\\[\\boxed{%s}\\]",
    "Altogether that makes %s, so the answer is $$\\boxed{%s}$$",
)  # fmt: skip


class RowSet(NamedTuple):
    """Rows of one sort."""

    name: str
    rows: list[Row]
    made: bool
    """There were no real ones."""


def row_sets(data: Path | None, n: int, seed: int) -> list[RowSet]:
    """So many rows of each sort; a sixth as many long ones."""
    rng = random.Random(f"rows/{seed}")
    solutions, messy = real_solutions(data), real_replies(data)
    made = [*made_solutions(n, seed)] if not solutions or not messy else []
    plain = solutions or made
    found = [
        RowSet("solutions", rng.sample(plain, min(n, len(plain))), not solutions),
        RowSet("boxed", [*boxed(n, rng)], True),
        RowSet("messy", rng.sample(messy, min(n, len(messy))) if messy else [*made_replies(n, seed)], not messy),
    ]
    return [*found, RowSet("16 kB", [*long_traces(max(n // 6, 10), plain, rng)], not solutions)]


def lines(path: Path) -> list[dict[str, object]]:
    """The rows of a file, or none."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def real_solutions(data: Path | None) -> list[Row]:
    """GSM8K's own solutions, with the notes and the last line that they have in the original."""
    if data is None:
        return []
    found = []
    for part in ("train", "test"):
        for row in lines(data / "gsm8k" / f"{part}.jsonl"):
            meta = row["meta"]
            assert isinstance(meta, dict)
            found.append((f"{row['rationale']}\n#### {meta['final_raw']}", str(row["answer"]), str(row["question"])))
    return found


REPLIES = (
    ("gsm8k_model_solutions/test_6b", "solution"), ("gsm8k_test_traces/mixtral-8x7b-instruct", "rationale"),
    ("gsm8k_test_traces/gpt-4-1106-preview", "rationale"),
)  # fmt: skip


def real_replies(data: Path | None) -> list[Row]:
    """What models wrote, right and wrong."""
    if data is None:
        return []
    return [
        (str(row[field]), str(row["answer"]), str(row["question"]))
        for name, field in REPLIES
        for row in lines(data / f"{name}.jsonl")
    ]


def asked(n: int, seed: int) -> dict[str, Problem]:
    """Problems made on the spot."""
    source = Source(name="word_problems", counts=Counts(train=n, test=0, dev=0, calibration=0))
    return {problem.id: problem for problem in word_problems.problems(source, seed)}


def made_solutions(n: int, seed: int) -> Iterator[Row]:
    """In the oracle's words, laid out as GSM8K's."""
    for number, problem in enumerate(asked(n, seed).values()):
        plan = word_problems.plan_of(problem)
        assert plan is not None
        told, value = word_problems.solution(random.Random(f"{seed}/{number}"), plan)
        yield "\n".join(told) + f"\n#### {value}", str(problem.answer), problem.question


def made_replies(n: int, seed: int) -> Iterator[Row]:
    """The oracle's, a third of them with a planted fault."""
    problems = asked(n, seed + 1)
    prompts = [Prompt(id=key, messages=()) for key in problems]
    for one in Oracle(problems).sample(prompts, Sampling(n=1, seed=seed)):
        problem = problems[prompts[one.prompt].id]
        yield one.sample.text, str(problem.answer), problem.question


def boxed(n: int, rng: random.Random) -> Iterator[Row]:
    """Short replies, three of four right."""
    for _ in range(n):
        number = rng.choice(
            (str(rng.randint(1, 99_999)), f"{rng.randint(1, 999)}.{rng.randint(10, 99)}", f"{rng.randint(2, 99)}/7")
        )
        form = rng.choice(FORMS)
        gold = number if rng.random() < 0.75 else str(rng.randint(1, 99_999))
        yield form.replace("%s", number), gold, f"A box holds {rng.randint(2, 99)} pens. How many are there in all?"


def long_traces(n: int, plain: list[Row], rng: random.Random) -> Iterator[Row]:
    """A thought of 16 kB out of many solutions, and a reply."""
    for _ in range(n):
        text, number, (_, _, question) = "", str(rng.randint(2, 9999)), rng.choice(plain)
        while len(text) < LONG:
            text += rng.choice(plain)[0].rpartition("\n")[0] + "\n\n"
        yield f"<think>\n{text[:LONG]}\n</think>\n\nThe answer is \\boxed{{{number}}}.", number, question
