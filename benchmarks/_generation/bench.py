"""What every row of the benchmark is measured with: the mock, prompts, folders, and clients to run."""

import hashlib
import json
import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from _generation.mock import chance
from _generation.processes import HERE, Mock, Ran, done, ran
from _texts import word_problem

WIDTH = 64
"""Requests in flight, where nothing else is said."""
TAG = re.compile(r"\[([0-9a-f]{12})/(\d+)\]")
"""How the mock ends a reply: key of the question, seed."""
RECIPE = """\
name: bench
sources:
  - {path: PROBLEMS, split: train, rationale: null}
generate:
  n: 4
  teacher: {engine: http, model: mock, url: "URL", concurrency: 64}
"""


class Row(NamedTuple):
    """One line of the result."""

    what: str
    to_reach: str
    measured: str
    reached: bool | None
    """None = it could not be measured, or there is nothing to reach."""


class Table(NamedTuple):
    """Figures beside the result."""

    title: str
    header: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]


@dataclass
class Bench:
    """How much is measured, and where."""

    mock: Mock
    work: Path
    rows: int
    rounds: int
    peers: list[str]
    tables: list[Table] = field(default_factory=list)
    """Filled by the rows."""

    @property
    def many(self) -> int:
        """For what must hold on a large scale: 100,000 where 2,000 prompts are asked."""
        return 50 * self.rows

    def prompts(self, count: int) -> Path:
        """JSONL of so many different questions with made-up answers."""
        path = self.work / f"prompts-{count}.jsonl"
        if not path.exists():
            rng, seen = random.Random(count), set[str]()
            with path.open("w", encoding="utf-8") as file:
                while len(seen) < count:
                    question = word_problem(rng)
                    if question not in seen:
                        row = {"id": f"p{len(seen)}", "question": question, "answer": str(int(key(question)[:3], 16))}
                        file.write(json.dumps(row) + "\n")
                        seen.add(question)
        return path

    def fresh(self, name: str) -> Path:
        """An empty folder."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def ours(self, work: Path, count: int, *flags: str | Path) -> Ran:
        """Our engines by themselves, on so many prompts; rows go to `work`/out."""
        fixed = ("--work", work, "--prompts", self.prompts(count), "--url", self.mock.url)
        return done(ran([sys.executable, HERE / "ours.py", *fixed, *flags]))

    def sourced(self, name: str, count: int) -> Path:
        """A run folder in which the problems are made, and nothing else."""
        folder = self.fresh(name)
        recipe = RECIPE.replace("URL", self.mock.url).replace("PROBLEMS", str(self.prompts(count)))
        (folder / "bench.yaml").write_text(recipe)
        done(ran(self.command(folder, "--only", "source")))
        return folder

    def command(self, folder: Path, *flags: str | Path) -> list[str | Path]:
        """`understudy run` in a folder that `sourced` has made."""
        script = Path(sys.executable).with_name("understudy")
        return [sys.executable, script, "run", folder / "bench.yaml", "--folder", folder / "run", *flags]


def key(question: str) -> str:
    """As the mock names it."""
    return hashlib.sha1(question.encode()).hexdigest()[:12]


def lines(path: Path) -> Iterator[dict[str, object]]:
    """The rows of a file; a torn last one is left out."""
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.endswith("\n"))


class Checked(NamedTuple):
    """What came back, held against what was asked."""

    lost: int
    doubled: int
    mispaired: int
    """Another question's reply, or another sample's."""
    failed: int
    """Rows that say why there is no reply."""
    unsaid: int
    """Samples that cannot succeed and are not on record as failed, and the other way round."""


def checked(out: Path, prompts: Path, samples: int, never: float = 0.0) -> Checked:
    """Rows of id, number and text (or error) against the prompts; `never`: as the mock was told."""
    keys = {str(row["id"]): key(str(row["question"])) for row in lines(prompts)}
    seen, failed, mispaired = Counter[tuple[str, int]](), set[str](), 0
    seeds: dict[str, dict[int, int]] = {}
    for row in lines(out):
        id, number = str(row["id"]), int(str(row.get("number", 0)))
        seen[id, number] += 1
        if row.get("error"):
            failed.add(f"{id}/{number}")
            continue
        found = TAG.search(str(row.get("text") or ""))
        if found is None:
            seen[id, number] -= 1  # an empty row is a lost one
        elif found[1] != keys[id]:
            mispaired += 1
        else:
            seeds.setdefault(id, {})[number] = int(found[2])
    # Numbers of one prompt differ by as much as the seeds that they were drawn with.
    mispaired += sum(len({seed - number for number, seed in of.items()}) > 1 for of in seeds.values())
    wanted = {(id, number) for id in keys for number in range(samples)}
    hopeless = {f"{id}/{n}" for id, n in wanted if chance("never", keys[id]) < never}
    return Checked(
        lost=sum(not seen[one] for one in wanted),
        doubled=sum(count - 1 for count in seen.values() if count > 1),
        mispaired=mispaired,
        failed=len(failed),
        unsaid=len(failed ^ hopeless),
    )


def stored(folder: Path) -> Iterator[Mapping[str, str]]:
    """The samples in a store, read as anybody can read them."""
    for path in sorted(folder.glob("[0-9]*.jsonl")):
        for line in lines(path):
            sample = line["sample"]
            assert isinstance(sample, dict)
            yield sample


def tags(folder: Path) -> set[str]:
    """KEY/SEED of every sample in a store."""
    found = (TAG.search(sample["text"]) for sample in stored(folder))
    return {f"{match[1]}/{match[2]}" for match in found if match}
