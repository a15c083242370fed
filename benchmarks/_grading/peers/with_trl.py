"""TRL's `accuracy_reward`; a gold answer in LaTeX gets the dollars it needs. What it skips is not called right."""

from serve import in_dollars, serve, version
from trl.rewards import accuracy_reward


def says(text, gold):
    [reward] = accuracy_reward([[{"role": "assistant", "content": text}]], [in_dollars(gold)])
    return None if reward is None else reward == 1


serve(says, version("trl"))
