"""grade, schema, doctor: what says whether something is as it should be."""

import os
import platform
import shutil
import sys
from collections import Counter
from contextlib import nullcontext
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Annotated

import msgspec
import typer
import yaml
from rich import box
from rich.table import Table

from understudy import recipe as recipes
from understudy.cli.terminal import complain, out, plain
from understudy.grading.names import USUAL, Grader
from understudy.recipe import Recipe
from understudy.records import Kind, Verdict


def grade(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help=".jsonl (also .gz, .zst), .csv, .json or .parquet; - for stdin."),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", help="File for the rows: .jsonl, .jsonl.gz or .jsonl.zst.", show_default="stdout"
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The reply.", show_default=" or ".join(USUAL["text"]))
    ] = None,
    gold: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The gold answer.", show_default=" or ".join(USUAL["gold"]))
    ] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="COLUMN", help=f"Sort of answer: {', '.join(Kind)}.", show_default="kind")
    ] = None,
    stop: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Why the reply ended: length = cut off.", show_default="stop")
    ] = None,
    thought: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="A server's separate reasoning.", show_default="thought")
    ] = None,
    default_kind: Annotated[
        Kind | None, typer.Option(help="Of rows that name none.", show_default="number; choice where there are choices")
    ] = None,
    grader: Annotated[Grader, typer.Option("--as", help="Judge by the rules of another grader.")] = Grader.UNDERSTUDY,
    corrections: Annotated[
        str | None, typer.Option(metavar="FILE", help="Corrected gold answers, as audit --apply keeps them.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Print the counts instead of the rows.")] = False,
) -> None:
    """Judge replies against gold answers: each row back in its place, with verdict, answer, slips and flags.

    A column of the file that is called like one of these is kept as given_answer and so on.
    A row that cannot be judged comes back as failed, with the reason; then the exit code is 1.
    """
    from understudy.grading.lines import lines, writing
    from understudy.grading.many import graded
    from understudy.grading.rows import Columns, Settings

    settings = Settings(
        columns=Columns(text=text, gold=gold, kind=kind, stop=stop, thought=thought),
        default_kind=default_kind,
        grader=grader,
        corrections=corrections,
    )
    counts: Counter[Verdict] = Counter()
    unusable: list[tuple[int, str]] = []
    dones = graded(lines(file), settings, jobs or os.cpu_count() or 1, file)
    with writing(output) if output or not summary else nullcontext() as out_file:
        for done in dones:
            if out_file is not None:
                out_file.write(done.lines)
            counts += done.counts
            unusable += done.unusable
    print(counted(counts), file=sys.stdout if summary else sys.stderr)
    if unusable:
        for number, why in unusable[:SHOWN]:
            complain(f"{file}:{number}: {why}.")
        complain(f"{len(unusable)} of {counts.total()} rows could not be judged: see their `why`.")
        raise typer.Exit(1)


SHOWN = 10
"""Rows that could not be judged and are told one by one."""


def counted(counts: Counter[Verdict]) -> str:
    """A line for each verdict there is, and the accuracy with its interval."""
    from understudy.stats import wilson

    told = [f"{verdict.value:<10} {counts[verdict]:>9}" for verdict in Verdict if counts[verdict]]
    aside = counts[Verdict.FAILED] + counts[Verdict.UNGRADED]
    n = counts.total() - aside
    if n:
        value, low, high = wilson(counts[Verdict.RIGHT], n)
        told.append(f"{'accuracy':<10} {value:>9.1%}  [{low:.1%}, {high:.1%}] 95 %, n {n}, {aside} set aside")
    return "\n".join(told) or "There are no rows."


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
