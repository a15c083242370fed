"""How a course of reinforcement goes: its points, and when it stops itself."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from understudy.recipe import Rl
from understudy.records import Reinforced
from understudy.steps.rl.rolling import Tally


def point(step: int, tally: Tally, logs: dict[str, float]) -> Reinforced:
    """One point, of what was drawn and of what TRL has logged of the update."""
    return Reinforced(
        step=step,
        reward=tally.mean("reward"),
        parts=tally.means("part"),
        asked=tally.asked,
        all_right=tally.share(tally.all_right),
        all_wrong=tally.share(tally.all_wrong),
        trained_same=round(tally.trained_same / max(1, tally.trained), 6),
        tokens=round(tally.mean("tokens"), 2),
        cut_off=tally.mean("cut_off"),
        entropy=round(logs.get("entropy") or 0.0, 5),
        clipped=round(logs.get("clip_ratio/region_mean") or 0.0, 6),
        kl=round(logs["kl"], 6) if "kl" in logs else None,
        lr=logs["learning_rate"],
        tricks=tally.means("trick"),
    )


class Sign(NamedTuple):
    """A sign that a course is lost."""

    shows: Callable[[Reinforced, Reinforced, Rl], bool]
    """Of a point, the first point and the settings."""
    told: str


SIGNS = (
    Sign(lambda now, first, s: now.entropy < s.stop_entropy, "the entropy is {0.entropy:.3f} nats per token"),
    Sign(lambda now, first, s: now.all_right > s.stop_same, "{0.all_right:.0%} of the problems are always solved"),
    Sign(lambda now, first, s: now.all_wrong > s.stop_same, "{0.all_wrong:.0%} of the problems are never solved"),
    Sign(
        lambda now, first, s: now.all_right + now.all_wrong > s.stop_same,
        "too few of the problems are solved sometimes and missed sometimes",
    ),
    Sign(
        lambda now, first, s: first.reward - now.reward > (1 - s.stop_fall) * abs(first.reward),
        "the reward has fallen from {1.reward:.2f} to {0.reward:.2f}",
    ),
)


def over(points: Sequence[Reinforced], settings: Rl) -> str | None:
    """Why a course stops itself: one sign at each of the last `stop_logs` points. None = it goes on."""
    last = points[-settings.stop_logs :]
    if len(last) < settings.stop_logs:
        return None
    first = points[0]
    for sign in SIGNS:
        if all(sign.shows(now, first, settings) for now in last):
            return sign.told.format(last[-1], first)
    return None


def told(now: Reinforced, steps: int) -> str:
    """A point in a line."""
    same = now.all_right + now.all_wrong
    line = (
        f"step {now.step:>5}/{steps}  reward {now.reward:.3f}  {now.tokens:.0f} tokens, {now.cut_off:.0%} cut off  "
        f"entropy {now.entropy:.3f}  all the same {same:.0%}, learned from {now.trained_same:.0%}"
    )
    line += f"  clipped {now.clipped:.1%}" if now.clipped else ""
    line += f"  KL {now.kl:.4f}" if now.kl is not None else ""
    tricks = ", ".join(f"{name} {share:.0%}" for name, share in now.tricks.items() if share >= 0.005)
    return line + (f"  {tricks}" if tricks else "")
