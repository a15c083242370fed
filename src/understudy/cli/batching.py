"""batch: the teacher asked by files, at the price that vendors take for waiting."""

from pathlib import Path
from typing import Annotated

import typer

from understudy import recipe as recipes
from understudy.cli.making import Folder, RecipeName, Sets, default_folder
from understudy.cli.terminal import Watch, complain
from understudy.errors import UserError
from understudy.store import Run

SHOWN = 5
"""Lines that could not be used, told one by one."""


def batch(
    name: RecipeName,
    sets: Sets = None,
    folder: Folder = None,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the requests that are still to be made.")
    ] = None,
    collect: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take in the vendor's results; the run finds them.")
    ] = None,
) -> None:
    """Ask the teacher by batch files (OpenAI's JSONL), at about half the price where a vendor takes them."""
    from understudy import pipeline
    from understudy.engines.batch import Requests, Results
    from understudy.pipeline import batching

    if (write is None) == (collect is None):
        raise UserError("Give --write FILE to make the requests, or --collect FILE to take in the results.")
    recipe = recipes.load(name, sets or [])
    run = Run(folder or default_folder(recipe, name))
    with Watch().listening() as watch:
        pipeline.distil(recipe, run, watch, only="source")
        with run.locked():
            if write is not None:
                requests = Requests(recipe.generate.teacher, write)
                batching.write(recipe, run, watch, requests)
            elif collect is not None:
                results = Results(recipe.generate.teacher, collect)
                batching.collect(recipe, run, watch, results)
    if write is not None:
        files = ", ".join(str(file) for file in requests.files)
        print(f"{requests.requests:,} requests for {requests.samples:,} samples in {files}")
        return
    print(f"{results.samples:,} samples kept from {collect}")
    if results.unread:
        for why in results.unread[:SHOWN]:
            complain(f"{collect}: {why}")
        complain(
            f"{collect}: {len(results.unread)} lines were not used. Collect by the recipe that wrote the requests."
        )
        raise typer.Exit(1)
