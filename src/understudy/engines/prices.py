"""What a teacher's tokens cost: as the recipe says, else the user's own table, else a small one that tells its age."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from understudy.errors import RecipeError
from understudy.recipe import Generate, Price

OWN = Path("~/.config/understudy/prices.yaml")
"""The user's table: {model: {input: …, output: …}}, dollars per million tokens."""
PACKAGE = Path(__file__).with_name("prices.yaml")


class Known(NamedTuple):
    """A price and where it comes from."""

    price: Price
    told: str


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    input: float
    output: float
    seen: str | None = None


def price(settings: Generate) -> Known | None:
    """Of the recipe's teacher; None = not known, which is said and never guessed.

    Raises:
        RecipeError: the user's table cannot be read.
    """
    if settings.price is not None:
        return Known(settings.price, "as the recipe says")
    if settings.teacher.engine in ("local", "vllm"):
        return Known(Price(input=0.0, output=0.0), "on this machine")
    model = settings.teacher.model or ""
    own = OWN.expanduser()
    for path, told in ((own, f"as {own} says"), (PACKAGE, "list price of {}; it may have changed: generate.price")):
        row = _table(path).get(model)
        if row is not None:
            return Known(Price(input=row.input, output=row.output), told.format(row.seen))
    return None


def _table(path: Path) -> dict[str, _Row]:
    if not path.exists():
        return {}
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) or {}
        return msgspec.convert(found, dict[str, _Row], strict=False)
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise RecipeError(
            f"{path}: not a table of prices ({' '.join(str(error).split())}). Write: model: {{input: 0.1, output: 0.4}}"
        ) from None
