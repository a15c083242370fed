"""What is printed: figures that are to be reached, and tables beside them."""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from understudy.stats import wilson


class Row(NamedTuple):
    """A figure that is to be reached."""

    what: str
    n: int | None
    """Of so many; None = it is no share."""
    to_reach: str
    measured: str
    reached: bool | None
    """None = nothing is to be reached, or it could not be measured."""
    amiss: tuple[str, ...] = ()
    """What is wrong, one line each."""


HEADER = ("what", "n", "to reach", "measured", "reached?")
REACHED = {True: "yes", False: "NO", None: "–"}


def missing(what: str, to_reach: str, needs: str = "--shared") -> Row:
    """The row of a figure whose data is not there."""
    return Row(what, None, to_reach, f"not measured: needs {needs}", None)


def show(title: str, header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """As Markdown."""
    print(f"\n{title}\n")
    for line in (header, ["---"] * len(header), *lines):
        print("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |")
    sys.stdout.flush()


def show_rows(title: str, rows: Iterable[Row]) -> None:
    """The figures."""
    lines = [(r.what, "–" if r.n is None else f"{r.n:,}", r.to_reach, r.measured, REACHED[r.reached]) for r in rows]
    show(title, HEADER, lines)


def show_amiss(rows: Iterable[Row], most: int) -> None:
    """What went wrong under each figure."""
    for row in rows:
        if row.amiss and most:
            print(f"\n{row.what}: {len(row.amiss)} amiss\n")
            for line in row.amiss[:most]:
                print(f"- {line}")
    sys.stdout.flush()


def share(part: int, of: int) -> str:
    """In percent with Wilson's interval.

    >>> share(9, 10)
    '90.0 % [59.6, 98.2]'
    """
    if not of:
        return "–"
    found = wilson(part, of)
    return f"{100 * part / of:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def brief(text: str, most: int = 90) -> str:
    """One line of a text, its end."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else f"… {plain[-most:]}"
