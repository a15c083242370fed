"""Named public sets: where the Hub keeps them, what their columns are called, who may read which part."""

import difflib
from collections.abc import Mapping
from typing import NamedTuple

from understudy.errors import SourceError
from understudy.records import Kind, Split
from understudy.sources.columns import Columns
from understudy.sources.files import HUB_ID, Table, hub, tables

SAME = {split: split for split in Split}


class SetSpec(NamedTuple):
    """A named set. Columns hold for the Hub's copy and for a local one with `question` and `answer`."""

    hub: str
    config: str | None
    kind: Kind
    columns: Columns
    splits: Mapping[Split, Split] = SAME
    """What a part is called there, and the split it is here; a part without a row is not read."""


SETS = {
    "gsm8k": SetSpec(
        "openai/gsm8k",
        "main",
        Kind.NUMBER,
        Columns(lines="steps"),
    ),
    "svamp": SetSpec(
        "ChilleD/SVAMP",
        None,
        Kind.NUMBER,
        Columns(
            question=("question", "Question"),
            answer=("answer", "Answer"),
            id=("id", "ID"),
            body=("Body",),
            slices=(("type", ("meta.type", "Type")),),
        ),
    ),
    "commonsenseqa": SetSpec(
        "tau/commonsense_qa",
        None,
        Kind.CHOICE,
        Columns(answer=("answer", "answerKey")),
        # Its test has no answers: its dev is the test here, as in most papers, and dev is a part of train.
        {Split.TRAIN: Split.TRAIN, Split.DEV: Split.TEST},
    ),
    "aqua": SetSpec(
        "deepmind/aqua_rat",
        "raw",
        Kind.CHOICE,
        Columns(answer=("answer", "correct"), choices=("choices", "options")),
    ),
    "strategyqa": SetSpec(
        "ChilleD/StrategyQA",
        None,
        Kind.BOOL,
        Columns(rationale=("rationale", "facts"), id=("id", "qid")),
    ),
    "math500": SetSpec(
        "HuggingFaceH4/MATH-500",
        None,
        Kind.MATH,
        Columns(
            question=("question", "problem"),
            rationale=("rationale", "solution"),
            id=("id", "unique_id"),
            slices=(("level", ("level", "meta.difficulty")), ("subject", ("subject",))),
        ),
    ),
}
"""Every named set."""


def parts(name: str, spec: SetSpec, path: str | None, config: str | None = None) -> list[Table]:
    """The tables of a named set, from a local copy or from the Hub, under the splits they have here.

    Raises:
        SourceError: there is no such copy, the Hub cannot be reached, or no part of the set is there.
    """
    found = tables(path, config or spec.config) if path else hub(spec.hub, config or spec.config, name)
    if path and len(found) == 1 and found[0].split not in spec.splits:
        return found  # one file named on purpose is read, whatever it is called
    kept = [part._replace(split=part.split and spec.splits[part.split]) for part in found if _is_part(part, spec)]
    if not kept:
        raise SourceError(f"{path or spec.hub}: none of train, dev and test is there. Give another sources.path")
    return kept


def _is_part(part: Table, spec: SetSpec) -> bool:
    return part.split is None or part.split in spec.splits


def unknown(name: str, others: tuple[str, ...]) -> SourceError | None:
    """The error that no set has this name; None if it may be a Hub id."""
    if HUB_ID.fullmatch(name):
        return None
    known = [*SETS, *others]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return SourceError(
        f"sources.name: no set is called '{name}'. {hint}Sets: {', '.join(known)}; a Hub id is owner/name; "
        "an own file goes to sources.path"
    )
