"""The answer contract: thought from reply, the answer, its exact value, the verdict; slips, flags and votes.

Pure functions of text: no model library, no eval(), safe in threads, bounded on hostile input.
"""

from understudy.answers.declared import Found, declared
from understudy.answers.find import find, until_next_question
from understudy.answers.flags import IN_A_ROW, flags, in_a_row, script
from understudy.answers.judge import Judgement, judge, option, verdict_of
from understudy.answers.numeric import Value
from understudy.answers.same import Policy, same
from understudy.answers.slips import Equation, Slip, equations, slips
from understudy.answers.split import Reply, split
from understudy.answers.value import value
from understudy.answers.vote import Vote, vote

VERSION = "1"
"""Of the grader: results carry it; it changes when any verdict can."""

__all__ = [
    "IN_A_ROW", "VERSION", "Equation", "Found", "Judgement", "Policy", "Reply", "Slip", "Value", "Vote", "declared",
    "equations", "find", "flags", "in_a_row", "judge", "option", "same", "script", "slips", "split",
    "until_next_question", "value", "verdict_of", "vote",
]  # fmt: skip
