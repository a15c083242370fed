"""The door: what is typed, who is called, what is printed. Results go to stdout, everything else to stderr."""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from understudy.cli import judging, looking, making, serving
from understudy.cli.terminal import complain, quiet
from understudy.errors import UnderstudyError

BROKEN_PIPE = 141
"""As a shell says of a program whose reader has left."""


class Door(TyperGroup):
    """Turns what can go wrong into a sentence and an exit code; anything else is a bug and shows its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """The command's own result."""
        try:
            return super().invoke(ctx)
        except UnderstudyError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # Python would complain once more when it flushes stdout at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from None


app = typer.Typer(
    cls=Door,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

GROUPS = {
    "Make": (making.demo, making.run, making.plan),
    "Look": (looking.show, looking.runs),
    "Judge": (judging.grade, judging.schema, judging.doctor),
    "Serve": (serving.ask,),
}
"""Every command, by the panel of --help that it stands in."""

for panel, commands in GROUPS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


@app.callback()
def door() -> None:
    """Teach a small language model to reason from the traces of a large one, and measure what it gained."""


def main() -> None:
    """What the console script calls."""
    quiet()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without UTF-8 is no reason to fall
    app(prog_name="understudy")
