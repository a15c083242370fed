"""The named modes of `understudy grade --as` against the graders that they reproduce, on the same real solutions."""

from collections.abc import Iterator

from _grading.clients import MATH_VERIFY, Failed, Worker, chosen
from _grading.place import Place, real
from _grading.solutions import READ
from _grading.table import Row, brief, missing

from understudy.grading.names import Grader as Mode
from understudy.grading.others import OTHERS
from understudy.records import Verdict

MODES = {
    Mode.LM_EVAL_STRICT: "lm-eval strict",
    Mode.LM_EVAL_FLEXIBLE: "lm-eval flexible",
    Mode.MATH_VERIFY: MATH_VERIFY,
}
"""Mode to the grader's label."""


def modes(place: Place) -> Iterator[Row]:
    """Rows on which a mode says what the grader itself says."""
    found = [(row["rationale"], row["answer"]) for name in READ for row in real(place, name)]
    for mode, label in MODES.items():
        what = f"grade --as {mode}, against {label}"
        [grader] = chosen([label.lower()])
        if not found:
            yield missing(what, "every row")
            continue
        try:
            with Worker(grader) as worker:
                theirs = worker.said(found)
        except Failed as error:
            yield Row(what, None, "every row", f"not measured: {error}", None)
            continue
        ours = [OTHERS[mode](text, gold).verdict is Verdict.RIGHT for text, gold in found]
        amiss = tuple(
            f"gold {gold}: the mode says {mine}, the grader {bool(other)}; it ends: {brief(text)}"
            for (text, gold), mine, other in zip(found, ours, theirs, strict=True)
            if mine != bool(other)
        )
        yield Row(what, len(found), "every row", f"{len(found) - len(amiss)} alike", not amiss, amiss)
