"""audit: what is wrong with the gold answers and the graders, for a person to decide."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from understudy.cli.looking import RUNS, found
from understudy.cli.terminal import clean, out, plain

if TYPE_CHECKING:
    from understudy.grading.audit import Doubt


def audit(
    what: Annotated[
        list[str],
        typer.Argument(metavar="RUN|FILE...", help="A run, or files of replies with text, question and gold."),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File for the table, to fill in: .csv or .jsonl.")
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="Keep what was filled in: beside the data, which stays as it is."),
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="As of grade; so are the next two.")] = None,
    gold: Annotated[str | None, typer.Option(metavar="COLUMN")] = None,
    kind: Annotated[str | None, typer.Option(metavar="COLUMN")] = None,
    agreement: Annotated[
        float,
        typer.Option(
            min=0.5, max=1.0, help="Share of a question's replies that give one other answer.", show_default="2/3"
        ),
    ] = 2 / 3,
    least: Annotated[int, typer.Option(min=1, help="So many of them at least.")] = 2,
    math_verify: Annotated[bool, typer.Option(help="Ask Math-Verify, too, where it is installed.")] = True,
    n: Annotated[int, typer.Option("-n", min=0, help="Rows shown here.")] = 20,
) -> None:
    """Gold answers to doubt: where replies agree with each other against them, and where graders differ.

    Write the table with -o, fill its first column in (the right answer, "-" where none is
    right, nothing where the gold answer stands), and keep it with --apply. It is followed by
    a recipe (sources: [{name: ..., corrections: FILE}]) and by grade --corrections FILE.
    """
    from understudy.answers import symbolic
    from understudy.grading import audit as auditing
    from understudy.grading.rows import Columns, Settings
    from understudy.sources import corrections

    run = found(what[0]) if any((at / "manifest.json").exists() for at in (Path(what[0]), RUNS / what[0])) else None
    if apply is not None:
        beside = Path(what[0]).with_suffix(".corrections.jsonl") if run is None else run.folder / "corrections.jsonl"
        new, where = corrections.add(beside, auditing.filled(apply)), clean(str(beside))
        print(f"{new} corrections added to {where}")
        print(f"Followed by: understudy grade --corrections {where}; in recipes sources.corrections", file=sys.stderr)
        return
    second = math_verify and symbolic.available()
    settings = Settings(columns=Columns(text=text, gold=gold, kind=kind))
    replies = auditing.of_run(run) if run is not None else auditing.of_files(what, settings)
    doubts = list(auditing.doubts(replies, agreement, least, second))
    if output is not None:
        auditing.write(output, doubts)
    _doubtful(doubts[:n])
    sure = sum(d.doubt is auditing.Reason.GOLD for d in doubts)
    differ = f"{len(doubts) - sure} replies that graders differ on" if second else "Math-Verify was not asked"
    print(f"{sure} gold answers in doubt, {differ}.", file=sys.stderr)


SHOWN = ("doubt", "gold", "replies say", "votes", "who", "ours", "Math-Verify", "question")


def _doubtful(doubts: "list[Doubt]") -> None:
    table = Table(*SHOWN, box=box.SIMPLE_HEAD)
    for d in doubts:
        cells = (
            d.doubt,
            d.gold,
            d.answer or "",
            d.votes,
            d.who,
            d.ours,
            d.math_verify or "",
            " ".join(d.question.split()),
        )
        table.add_row(*(plain(str(cell)[:60]) for cell in cells))
    if doubts:
        out().print(table)
