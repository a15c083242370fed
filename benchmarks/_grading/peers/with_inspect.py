"""inspect-ai's scorer `math()`, one reply after the other in one event loop."""

import asyncio

from inspect_ai.model import ModelOutput
from inspect_ai.scorer import CORRECT, Target, math
from inspect_ai.solver import TaskState
from serve import serve, version

SCORE = math()
LOOP = asyncio.new_event_loop()


def says(text, gold):
    output = ModelOutput.from_content("mock/model", text)
    state = TaskState("mock/model", "1", 1, "question", [], output=output)
    return LOOP.run_until_complete(SCORE(state, Target(gold))).value == CORRECT


serve(says, version("inspect-ai"))
