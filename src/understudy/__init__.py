"""Teach a small language model to reason from the traces of a large one, and measure what it gained.

The public API is five names. Importing this package imports none of what they need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.answers import judge, vote
    from understudy.api import grade, run
    from understudy.recipe import load

__all__ = ["grade", "judge", "load", "run", "vote"]

HOMES = {"grade": "api", "judge": "answers", "load": "recipe", "run": "api", "vote": "answers"}


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return getattr(import_module(f"understudy.{HOMES[name]}"), name)
    raise AttributeError(f"module 'understudy' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
