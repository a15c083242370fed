"""What columns are called, and whose rules may decide: words that the command line needs before anything is judged."""

from enum import StrEnum

from understudy.records import Stop

USUAL = {
    "text": ("text", "reply", "response", "completion", "prediction"),
    "gold": ("gold", "given_answer", "answer"),
    "kind": ("kind",),
    "stop": ("stop",),
    "thought": ("thought",),
    "question": ("question", "problem", "prompt"),
    "choices": ("choices",),
    "id": ("id",),
}
"""What a row needs or may have, and the columns that it is looked for in; the first that holds something counts."""

STOPS = {
    "stop": Stop.END, "eos": Stop.END, "eos_token": Stop.END, "end_turn": Stop.END, "max_tokens": Stop.LENGTH,
    "max_length": Stop.LENGTH, "stop_sequence": Stop.STOPPED,
}  # fmt: skip
"""What servers and peers call it."""


class Grader(StrEnum):
    """Whose rules decide."""

    UNDERSTUDY = "understudy"
    LM_EVAL_STRICT = "lm-eval-strict"
    """lm-evaluation-harness, task gsm8k, filter strict-match: the first number behind ####"""
    LM_EVAL_FLEXIBLE = "lm-eval-flexible"
    """The same task, filter flexible-extract: the last number"""
    MATH_VERIFY = "math-verify"
    """Math-Verify with its defaults"""
