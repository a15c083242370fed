"""Whether a teacher speaks in the student's own tokens, and what is different where it does not."""

import json
from typing import Any

from understudy.errors import UserError
from understudy.student import Loaded

SPECIAL = ("eos_token", "bos_token", "pad_token", "unk_token")
CUTTING = ("merges", "added_tokens", "normalizer", "pre_tokenizer")
"""What decides how a text is cut, beside the vocabulary."""


def same_tokenizer(mine: Any, theirs: Any, teacher: str) -> None:
    """Refuses a teacher whose distribution is over other tokens.

    Raises:
        UserError: names the first difference.
    """
    found = difference(mine, theirs)
    if found is not None:
        raise UserError(
            f"onpolicy: {teacher} has another tokenizer than the student: {found} Its distribution says nothing of the "
            "student's tokens. Take a teacher of the same family, or let it write traces and fine-tune on them (sft)."
        )


def difference(mine: Any, theirs: Any) -> str | None:
    """The first difference of two tokenizers as a sentence; None where both make the same ids of every text."""
    one, two = ({i: t for t, i in tokenizer.get_vocab().items()} for tokenizer in (mine, theirs))
    for i in sorted({*one, *two}):
        if one.get(i) != two.get(i):
            return f"token {i} is {_said(one.get(i))} in the student's and {_said(two.get(i))} in the teacher's."
    for name in SPECIAL:
        a, b = getattr(mine, name), getattr(theirs, name)
        if a != b:
            return f"{name} is {_said(a)} in the student's and {_said(b)} in the teacher's."
    for name, (a, b) in zip(CUTTING, zip(_cutting(mine), _cutting(theirs), strict=True), strict=True):
        if a != b:
            where = _first(a, b) if isinstance(a, list) and isinstance(b, list) else ""
            return f"they differ in {name.replace('_', ' ')}{where}."
    return None


def fit(tutor: Loaded, loaded: Loaded, teacher: str) -> None:
    """Cut the rows of the teacher's embedding that stand for no token, where it has more of them than the student.

    Models of one family are padded to different sizes: Qwen2.5 has 151,936 rows, and 152,064 from 7B on.

    Raises:
        UserError: it has fewer.
    """
    mine, theirs = (one.model.config.get_text_config().vocab_size for one in (loaded, tutor))
    if theirs < mine:
        raise UserError(
            f"onpolicy: {teacher} gives probabilities to {theirs} tokens and the student to {mine}, though their "
            "tokenizers are the same. Take a teacher whose embedding is at least as large as the student's."
        )
    if theirs > mine:
        tutor.model.resize_token_embeddings(mine)


def _cutting(tokenizer: Any) -> list[Any]:
    """In the order of `CUTTING`; a tokenizer written in Python does not say."""
    if not tokenizer.is_fast:
        return [None for _ in CUTTING]
    whole = json.loads(tokenizer.backend_tokenizer.to_str())
    return [whole["model"].get(name) if name == "merges" else whole.get(name) for name in CUTTING]


def _first(a: list[Any], b: list[Any]) -> str:
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    one, two = (_said(x[at] if at < len(x) else None) for x in (a, b))
    return f": number {at} is {one} in the student's and {two} in the teacher's"


def _said(what: Any) -> str:
    return "missing" if what is None else repr(what)
