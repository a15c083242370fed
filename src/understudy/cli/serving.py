"""ask: a student answers."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from understudy.cli.looking import found
from understudy.cli.terminal import clean, plain
from understudy.errors import UserError
from understudy.records import Kind, Problem, Sampling, Split, Stop, Student
from understudy.store import Run

LEAD = "student"
"""The arm that is asked where none is named."""


def ask(
    name: Annotated[str, typer.Argument(metavar="RUN", help="A run folder, or the name of one in runs/.")],
    question: Annotated[str, typer.Argument(help="The question; - reads it from stdin.")],
    arm: Annotated[str | None, typer.Option(help="Which arm answers.", show_default="student, else the last")] = None,
    max_tokens: Annotated[int, typer.Option(help="Longest reply, thought included.")] = 512,
    temperature: Annotated[float, typer.Option(help="0 = the likeliest reply.")] = 0.0,
    seed: int = 0,
) -> None:
    """Let a student answer: its thought on stderr, its answer alone on stdout."""
    run = found(name)
    text = (sys.stdin.read() if question == "-" else question).strip()
    if not text:
        raise UserError('There is no question. Ask one: understudy ask RUN "3 boxes of 12 eggs: how many eggs?"')
    student, chosen = _student(run, arm)
    # Imported here, so that everything but training and local sampling works without torch.
    from understudy import prompts
    from understudy.answers import split
    from understudy.engines.local import Local
    from understudy.student import load

    inside = run.folder / student.path
    engine = Local(load(str(inside) if inside.exists() else student.path), chosen)
    problem = Problem(id="asked", question=text, kind=Kind.OPEN, source="asked", split=Split.TEST)
    how = Sampling(temperature=temperature, max_tokens=max_tokens, seed=seed)
    sample = next(iter(engine.sample([prompts.solve(problem)], how))).sample
    parts = split(sample.text, sample.thought)
    if parts.thought:
        Console(stderr=True, highlight=False).print(plain(parts.thought.strip(), "dim"))
    if sample.stop is Stop.LENGTH:
        Console(stderr=True, highlight=False).print(
            plain(f"Cut off at {max_tokens} tokens. Allow more: --max-tokens", "yellow")
        )
    if not parts.unfinished:
        print(clean(parts.reply.strip()))


def _student(run: Run, arm: str | None) -> tuple[Student, str]:
    """The student of that arm, and the arm's name."""
    names = [p.parent.name for p in sorted(run.folder.glob("arms/*/student.jsonl"))]
    if not names:
        raise UserError(
            f"{run.folder}: no student is trained there yet. Train one: understudy run RECIPE --folder {run.folder}"
        )
    chosen = arm or (LEAD if LEAD in names else names[-1])
    if chosen not in names:
        raise UserError(f"{run.folder}: there is no arm '{chosen}'. There are: {', '.join(names)}.")
    return next(iter(run.rows(_answering(run, chosen)))), chosen


def _answering(run: Run, arm: str) -> str:
    """The file of the student that answered the tests, which is the arm's last; while none has, of the fine-tuned."""
    made = run.manifest().get(f"arms/{arm}/rollouts")
    return next((name for name in (made.reads if made else ()) if name.endswith("/student")), f"arms/{arm}/student")
