"""grade, schema, doctor: what says whether something is as it should be."""

import platform
import shutil
import sys
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import yaml
from rich import box
from rich.table import Table

from understudy import recipe as recipes
from understudy.cli.terminal import complain, out, plain
from understudy.recipe import Recipe
from understudy.records import Kind, Rejected, Verdict


def grade(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help=".jsonl, .json, .csv or .parquet; columns text and gold (or answer), "
            "and if wanted kind, choices, stop, thought, id.",
        ),
    ],
    kind: Annotated[
        Kind | None, typer.Option(help="Sort of answer.", show_default="the row's, or by its gold answer")
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Counts and accuracy instead of a line for each row.")
    ] = False,
) -> None:
    """Judge replies against gold answers: one verdict a line, as JSON."""
    from understudy.api import grade as graded

    aside: list[Rejected] = []
    counts: Counter[Verdict] = Counter()
    for one in graded(file, kind, aside):
        counts[one.verdict] += 1
        if not summary:
            print(msgspec.json.encode(one).decode())
    if summary:
        _counted(counts)
    if aside:
        for row in aside[:SHOWN]:
            complain(row.why)
        complain(f"{len(aside)} of {counts.total() + len(aside)} rows were set aside, not judged.")
        raise typer.Exit(1)


SHOWN = 10
"""Rows set aside that are told one by one."""


def _counted(counts: Counter[Verdict]) -> None:
    from understudy.stats import wilson

    for verdict in Verdict:
        if counts[verdict]:
            print(f"{verdict.value:<10} {counts[verdict]:>7}")
    n = counts.total() - counts[Verdict.FAILED] - counts[Verdict.UNGRADED]
    if n:
        value, low, high = wilson(counts[Verdict.RIGHT], n)
        print(f"{'accuracy':<10} {value:>7.1%}  [{low:.1%}, {high:.1%}] 95 %, n {n}")


def schema(
    defaults: Annotated[
        bool, typer.Option("--defaults", help="A recipe with every default, as YAML, instead.")
    ] = False,
) -> None:
    """The JSON schema of a recipe."""
    if defaults:
        print(yaml.safe_dump(msgspec.to_builtins(Recipe()), sort_keys=False, allow_unicode=True), end="")
    else:
        print(msgspec.json.format(msgspec.json.encode(recipes.schema())).decode())


NEEDED = (
    ("training and local students", ("torch", "transformers", "trl", "accelerate", "tokenizers", "datasets"), "train"),
    ("LoRA", ("peft",), "train"),
    ("Parquet files", ("pyarrow",), "files"),
    ("a second grader for maths", ("math_verify",), "math"),
)
"""What can be done, the modules that it needs, and the extra that brings them."""


def doctor() -> None:
    """What is installed, what it runs on, and what can be done with it."""
    console = out()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    table.add_row("understudy", _version("understudy") or "not installed, run from its source")
    table.add_row("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in ("torch", "transformers", "trl", "peft", "accelerate", "datasets"):
        table.add_row(name, _version(name) or "not installed")
    table.add_row("accelerator", _accelerator())
    table.add_row("free disk", f"{shutil.disk_usage('.').free / 1e9:.0f} GB here")
    console.print(table)
    console.print(plain("Can be done: recipes, replayed traces, curation, grading, reports, and:"))
    for what, modules, extra in NEEDED:
        missing = ", ".join(m for m in modules if find_spec(m) is None)
        hint = f"no: {missing} missing. Install: pip install 'understudy[{extra}]'"
        console.print(plain(f"  {what}: {hint if missing else 'yes'}"))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _accelerator() -> str:
    if find_spec("torch") is None:
        return "not known without torch" + (", but there is nvidia-smi" if shutil.which("nvidia-smi") else "")
    try:
        from understudy.student import device
    except (ImportError, OSError) as error:  # a torch that is built for another machine
        print(f"torch cannot be loaded: {str(error).splitlines()[0]}", file=sys.stderr)
        return "torch cannot be loaded"
    found = device()
    return {"cpu": "none: the processor alone"}.get(found, found)
