"""Draws a study's picture beside its figures. Run by `studies.py` in an environment of its own, which has matplotlib.

python benchmarks/_studies/plot.py docs/studies/thinking-mix.jsonl
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

Figures = list[dict[str, Any]]
Found = tuple[list[float], list[list[float]]]
"""Values, and how far their intervals reach down and up, as matplotlib wants them."""


def main() -> None:
    """The command."""
    path = Path(sys.argv[1])
    figures = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    # The same figures give the same bytes: no date, and ids that follow from the content.
    plt.rcParams |= {"svg.hashsalt": path.stem, "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    drawn = PICTURES[path.stem](figures)
    drawn.savefig(path.with_suffix(".svg"), metadata={"Date": None}, bbox_inches="tight")


def frontier(figures: Figures) -> Any:
    """What conversation in the mix does: whether the student thinks where it should, and what it keeps and forgets."""
    arms, shares = ["mix_100", "mix_90", "mix_70", "mix_50"], [0, 10, 30, 50]
    drawn, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    for label, where, shape in (
        ("thinks about greetings", ("thinks", "chat", "class=greeting"), "o-"),
        ("thinks about all conversation", ("thinks", "chat", "think=no"), "s--"),
        ("thinks about problems", ("thinks", "steps_1_4", "all"), "^-"),
    ):
        values, reach = _found(figures, arms, *where, scale=100)
        left.errorbar(shares, values, yerr=reach, fmt=shape, capsize=3, label=label)
    left.set(xlabel="conversation in the mix, % of rows", ylabel="replies with a thought, %", ylim=(-4, 104))
    left.legend(frameon=False)
    for label, names, shape in (
        ("as many steps", arms, "o-"),
        ("as many traces", ["mix_100", "more_90", "more_70"], "s--"),
        ("base", ["base"], "^"),
    ):
        x, xr = _found(figures, names, "nats_on_talk", "small_talk", "all")
        y, yr = _found(figures, names, "right", "steps_1_4", "all", scale=100)
        right.errorbar(x, y, xerr=xr, yerr=yr, fmt=shape, capsize=3, label=label)
        for at, share in zip(zip(x, y, strict=True), shares if len(x) > 1 else (), strict=False):
            right.annotate(f"{100 - share}/{share}", at, textcoords="offset points", xytext=(6, 5))
    right.set(xlabel="surprise at small talk, nats/token (less is better)", ylabel="problems right, %", xscale="log")
    right.legend(frameon=False)
    drawn.tight_layout()
    return drawn


def _found(figures: Figures, arms: list[str], measure: str, suite: str, part: str, scale: float = 1) -> Found:
    """Of each arm."""
    wanted = {f["arm"]: f for f in figures if (f["measure"], f["suite"], f["slice"]) == (measure, suite, part)}
    mine = [wanted[arm] for arm in arms]
    values = [scale * f["value"] for f in mine]
    down, up = ([scale * abs(f[end] - f["value"]) for f in mine] for end in ("low", "high"))
    return values, [down, up]


PICTURES: dict[str, Callable[[Figures], Any]] = {"thinking-mix": frontier}

if __name__ == "__main__":
    main()
