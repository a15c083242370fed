"""Behaviours that a sample shows, by name: one table, name to function. Examples and rates: docs/flags.md."""

from collections.abc import Callable
from functools import lru_cache

from understudy.answers.flags.amounts import implausible_value
from understudy.answers.flags.form import (
    box_location,
    box_nonnumeric,
    box_on_chat,
    boxed,
    empty_thought,
    mismatch,
    rederives,
    refusal,
    several_boxes,
    several_thoughts,
    think_on_chat,
    two_answers,
    unclosed_thought,
)
from understudy.answers.flags.grounding import ungrounded_quantity
from understudy.answers.flags.seen import Origin, Seen, whole
from understudy.answers.flags.speech import (
    IN_A_ROW,
    degenerate_list,
    encoding,
    in_a_row,
    no_reasoning,
    other_script,
    repeats,
    script,
)
from understudy.answers.flags.steps import (
    algebra_step,
    error_independent,
    error_propagated,
    fraction_slip,
    product_slip,
    slip,
    step_rounds_to_int,
)
from understudy.answers.judge import Judgement, judge
from understudy.answers.slips import equations
from understudy.answers.split import split
from understudy.records import Kind, Stop, Verdict

__all__ = ["FLAGS", "IN_A_ROW", "Origin", "Seen", "flags", "in_a_row", "script", "whole"]


def flags(
    text: str,
    question: str,
    kind: Kind = Kind.NUMBER,
    stop: Stop = Stop.END,
    thought: str | None = None,
    judgement: Judgement | None = None,
    train: Origin | None = None,
) -> tuple[str, ...]:
    """The names of the behaviours seen, in the order of `FLAGS`; a failed call shows none.

    `judgement` is that of the same sample, which is then not judged again; only one with a gold answer shows
    `error_independent`. Without `train`, nothing is compared with training rows.

    >>> flags("<think>6 * 7 = 41</think>The answer is 42.", "What is 6 * 7?")
    ('slip', 'product_slip', 'mismatch')
    """
    if stop is Stop.ERROR:
        return ()
    seen = look(text, question, kind, judgement or judge(text, None, kind, stop, thought), thought, train)
    return tuple([name for name, shows in possible(seen) if shows(seen)])


def look(text: str, question: str, kind: Kind, judgement: Judgement, thought: str | None, train: Origin | None) -> Seen:
    """The sample with what several flags need."""
    parts, said = split(text, thought), whole(text, thought)
    plain = f"{parts.thought}\n{parts.reply}" if parts.thought else parts.reply
    found = equations(said)
    slips = [e for e in found if e.kind] if found else []
    raw = said.encode("utf-8", "replace")
    return Seen(said, question, kind, parts, judgement, found, slips, plain, plain.split(), raw, train)


def possible(seen: Seen) -> tuple[tuple[str, Callable[[Seen], bool]], ...]:
    """The flags that a sample made of such parts can show."""
    plain = seen.text.isascii() and seen.question.isascii()
    marked = seen.parts.thought is not None or seen.parts.damage is not None
    unanswered = seen.judged.answer is None or seen.kind is Kind.OPEN
    return showable(
        bool(seen.slips), bool(seen.equations), not seen.equations, marked, boxed(seen.text), not plain, unanswered,
        seen.judged.verdict is Verdict.WRONG, seen.train is not None,
    )  # fmt: skip


@lru_cache(maxsize=512)
def showable(*has: bool) -> tuple[tuple[str, Callable[[Seen], bool]], ...]:
    """`FLAGS` without those whose part, in the order of `NEEDS`, a sample has not: most samples lack most of them."""
    out = {name for there, names in zip(has, NEEDS.values(), strict=True) if not there for name in names}
    return tuple((name, shows) for name, shows in FLAGS.items() if name not in out)


def train_regurgitation(seen: Seen) -> bool:
    """It repeats a training row that the question does not ask about."""
    return seen.train is not None and seen.train.repeated(seen.text, seen.question) is not None


FLAGS: dict[str, Callable[[Seen], bool]] = {
    "slip": slip,
    "fraction_slip": fraction_slip,
    "product_slip": product_slip,
    "step_rounds_to_int": step_rounds_to_int,
    "algebra_step": algebra_step,
    "error_propagated": error_propagated,
    "error_independent": error_independent,
    "mismatch": mismatch,
    "unclosed_thought": unclosed_thought,
    "empty_thought": empty_thought,
    "several_thoughts": several_thoughts,
    "several_boxes": several_boxes,
    "box_location": box_location,
    "box_nonnumeric": box_nonnumeric,
    "rederives": rederives,
    "repeats": repeats,
    "degenerate_list": degenerate_list,
    "other_script": other_script,
    "encoding": encoding,
    "no_reasoning": no_reasoning,
    "refusal": refusal,
    "ungrounded_quantity": ungrounded_quantity,
    "implausible_value": implausible_value,
    "train_regurgitation": train_regurgitation,
    "box_on_chat": box_on_chat,
    "think_on_chat": think_on_chat,
    "two_answers": two_answers,
}
NEEDS: dict[str, tuple[str, ...]] = {
    "false equations": ("slip", "fraction_slip", "product_slip", "step_rounds_to_int", "error_propagated"),
    "equations": ("algebra_step", "ungrounded_quantity"),
    "no equations": ("no_reasoning",),
    "marks of a thought": (
        "mismatch", "unclosed_thought", "empty_thought", "several_thoughts", "box_location", "rederives",
        "think_on_chat",
    ),
    "a box": ("several_boxes", "box_location", "box_nonnumeric", "box_on_chat"),
    "characters beyond ASCII": ("other_script", "encoding"),
    "no answer, or none that is sought": ("refusal",),
    "a wrong answer": ("error_independent",),
    "an index of training rows": ("train_regurgitation",),
}  # fmt: skip
"""What a sample has that shows one of these flags."""
