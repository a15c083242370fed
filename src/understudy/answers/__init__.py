"""The answer contract: thought from reply, the answer, its exact value, the verdict; slips, flags and votes.

Pure functions of text: no model library, no eval(), safe in threads, bounded on hostile input.
"""

from understudy.answers.declared import Found
from understudy.answers.find import find
from understudy.answers.flags import flags
from understudy.answers.judge import Judgement, judge
from understudy.answers.numeric import Value
from understudy.answers.same import Policy, same
from understudy.answers.slips import Equation, Slip, equations, slips
from understudy.answers.split import Reply, split
from understudy.answers.value import value
from understudy.answers.vote import Vote, vote

VERSION = "1"
"""Of the grader: results carry it; it changes when any verdict can."""

__all__ = [
    "VERSION", "Equation", "Found", "Judgement", "Policy", "Reply", "Slip", "Value", "Vote", "equations", "find",
    "flags", "judge", "same", "slips", "split", "value", "vote",
]  # fmt: skip
