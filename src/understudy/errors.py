"""What can go wrong, drawn once. Every one is shown without a traceback and ends in the next step to take.

UnderstudyError          exit 1   the work failed: a teacher of which nothing is kept, a full disk
├── UserError            exit 2   what was asked cannot be done: a wrong recipe, a missing file
│   ├── RecipeError               a key, a type or a value of the recipe
│   └── SourceError               a file of problems or traces
├── EngineError          exit 1   an engine cannot serve at all (a single failed call is a record)
│   └── BudgetError               the money, tokens or hours of a recipe are spent
├── StoreError           exit 1   a run folder cannot be read or written
└── LockedError          exit 1   another process works in this run folder
"""


class UnderstudyError(Exception):
    """The work failed. The message says where, what, and what to do next."""

    exit_code = 1


class UserError(UnderstudyError):
    """What was asked cannot be done as it was asked."""

    exit_code = 2


class RecipeError(UserError):
    """A key, a type or a value of the recipe is wrong."""


class SourceError(UserError):
    """A file of problems, conversations or traces cannot be used."""


class EngineError(UnderstudyError):
    """An engine cannot serve at all."""


class BudgetError(EngineError):
    """The money, the tokens or the hours that a recipe allows are spent; what was paid for is kept."""


class StoreError(UnderstudyError):
    """A run folder cannot be read or written."""


class LockedError(UnderstudyError):
    """Another process works in this run folder."""
