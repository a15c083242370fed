"""demo, run, plan: what makes something."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from understudy import recipe as recipes
from understudy.cli.terminal import Watch, complain, out
from understudy.errors import UserError
from understudy.recipe import Build, Compute, Recipe, Shape
from understudy.store import Run

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PART.SETTING=VALUE", help="Change one setting; may be given several times."),
]
Folder = Annotated[Path | None, typer.Option(help="Run folder.", show_default="runs/<name of the recipe>")]
RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe file, or the name of one in the package.")]


def demo(
    folder: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/demo"),
    sets: Sets = None,
) -> None:
    """Teach a million-parameter student, offline, in minutes.

    The same as: understudy run demo
    """
    _make("demo", sets or [], folder, "understudy demo")


def run(
    name: RecipeName,
    sets: Sets = None,
    folder: Folder = None,
    only: Annotated[str | None, typer.Option(metavar="STEP", help="Make this step alone.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="STEP", help="Make this and later steps anew.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no teacher: what it said before, or nothing.")
    ] = False,
    keep_errors: Annotated[
        bool, typer.Option("--keep-errors", help="Do not try again what the teacher failed at.")
    ] = False,
) -> None:
    """Make what a recipe asks for; what is made already is kept."""
    command = shlex.join(["understudy", "run", name])
    _make(name, sets or [], folder, command, only, start, offline, keep_errors)


def plan(
    name: Annotated[
        str | None, typer.Argument(metavar="RECIPE", help="A recipe; without one, training alone is reckoned.")
    ] = None,
    sets: Sets = None,
    folder: Folder = None,
    pilot: Annotated[
        int | None,
        typer.Option(
            metavar="PROBLEMS", help="Ask the teacher so many for real (20 to 50), and reckon with what comes."
        ),
    ] = None,
    shape: Annotated[
        Shape | None, typer.Option(help="Without a recipe: of the model that is trained on --tokens.")
    ] = None,
    tokens: Annotated[float | None, typer.Option(help="With --shape: how many, for example 100e9.")] = None,
    length: Annotated[int, typer.Option(help="With --shape: tokens of a sequence.")] = 4096,
    gpus: Annotated[int | None, typer.Option(help="Devices.", show_default="the recipe's compute.processes")] = None,
    peak: Annotated[
        str | None, typer.Option(help="Dense bf16 peak of one, in TFLOP/s, or its name: B200, H100, …")
    ] = None,
    mfu: Annotated[float | None, typer.Option(help="Say how long training takes at this share of the peak.")] = None,
    hours: Annotated[float | None, typer.Option(help="Say which share of the peak so many hours ask for.")] = None,
) -> None:
    """Say what would be made, from what, and what it takes. Makes nothing but a pilot's samples, which a run keeps.

    How long training takes: understudy plan --shape qwen3-1.7b --tokens 100e9 --gpus 8 --peak B200 --hours 60
    """
    from understudy.cli.planning import piloted, planned
    from understudy.cli.reckoning import Load, reckoned, terms

    if name is None:
        if shape is None or tokens is None:
            raise UserError("plan: name a recipe, or a model and its text: --shape qwen3-1.7b --tokens 100e9.")
        load = Load(Build(shape=shape).form, tokens, length)
        out().print(reckoned(load, terms(Compute(), gpus, peak, mfu, hours)))
        return
    recipe = recipes.load(name, sets or [])
    run = Run(folder or default_folder(recipe, name))
    console = out()
    if pilot is not None:
        with Watch().listening() as watch:
            console.print(piloted(recipe, run, watch, pilot))
        return
    for part in planned(recipe, run, terms(recipe.compute, gpus, peak, mfu, hours)):
        console.print(part)


def default_folder(recipe: Recipe, name: str) -> Path:
    """Where a run goes that names no folder."""
    return Path("runs") / (recipe.name if recipe.name != Recipe().name else Path(name).stem)


def _make(
    name: str,
    sets: list[str],
    folder: Path | None,
    command: str,
    only: str | None = None,
    start: str | None = None,
    offline: bool = False,
    keep_errors: bool = False,
) -> None:
    # Imported here, so that --help is quick.
    from understudy import pipeline
    from understudy.cli.summary import summary

    recipe = recipes.load(name, sets)
    run = Run(folder or default_folder(recipe, name))
    command += "".join(f" --set {shlex.quote(s)}" for s in sets)
    command += f" --folder {shlex.quote(str(folder))}" if folder and folder != Path("runs/demo") else ""
    command += f" --only {only}" if only else f" --from {start}" if start else ""
    with Watch().listening() as watch:
        try:
            pipeline.distil(recipe, run, watch, only, start, command, pipeline.Asking(offline, keep_errors))
        except KeyboardInterrupt:
            complain(f"Stopped. What is done is in {run.folder}; the same command goes on from there.")
            raise
    if only is None or run.has("metrics"):
        console = out()
        for part in summary(recipe, run):
            console.print(part)
