"""What a rollout earns, and whether it looks like a trick to earn it."""

import re
from collections.abc import Callable
from typing import NamedTuple

from understudy.answers import Judgement, declared, flags, same, split
from understudy.recipe import Rl
from understudy.records import Problem, Prompt, Sample, Stop, Verdict

Judge = Callable[[Problem, Sample], Judgement]
"""The grader: what it says of one rollout."""


class Exam(NamedTuple):
    """How a problem is put to the student, and its reply judged."""

    ask: Callable[[Problem], Prompt]
    judge: Judge


NUMBER = re.compile(r"\d(?:[\d,]*\d)?(?:\.\d+)?")
WORD = re.compile(r"\w+")
TRICKS = ("several_boxes", "two_answers", "empty_thought", "no_reasoning")
"""Flags of `answers` that are shares of the rollouts in the records of a course."""


class Earned(NamedTuple):
    """What one rollout earns."""

    reward: float
    parts: dict[str, float]
    """right, thought, overlong: they sum to the reward."""
    verdict: Verdict
    tricks: tuple[str, ...]


def earned(problem: Problem, sample: Sample, judge: Judge, settings: Rl) -> Earned:
    """1 for a right answer that is the only one given, ended by the student itself; else 0, and what the settings add.

    The last answer wins where a person grades; here a second, different one earns nothing, so that giving many pays
    nobody.
    """
    judged = judge(problem, sample)
    shown = flags(sample.text, problem.question, problem.kind, sample.stop, sample.thought, judged)
    right = judged.verdict is Verdict.RIGHT and sample.stop is Stop.END and "two_answers" not in shown
    parts = {"right": float(right)}
    if settings.thought_reward is not None:
        parts["thought"] = settings.thought_reward - 1 if right and judged.thought else 0.0
    if settings.overlong is not None:
        parts["overlong"] = -overlong(sample.tokens_out, settings.max_tokens, settings.overlong)
    tricks = tuple(name for name in TRICKS if name in shown)
    tricks += tuple(name for name, shows in OTHERS.items() if shows(problem, sample, judged))
    return Earned(sum(parts.values()), parts, judged.verdict, tricks)


def overlong(tokens: int, most: int, buffer: int) -> float:
    """0 to 1: how far a rollout reaches into the last `buffer` tokens before `most` (2503.14476, equation 13).

    >>> [overlong(n, 100, 20) for n in (80, 90, 100)]
    [0.0, 0.5, 1.0]
    """
    return min(1.0, max(0.0, (tokens - (most - buffer)) / buffer))


def echo(problem: Problem, sample: Sample, judged: Judgement) -> bool:
    """It answers with a number of the question, and wrongly."""
    said = judged.answer
    if said is None or judged.verdict is not Verdict.WRONG:
        return False
    return any(same(said, number, problem.kind) for number in NUMBER.findall(problem.question))


def answer_first(problem: Problem, sample: Sample, judged: Judgement) -> bool:
    """The answer stands before the thought; without a thought, before most of what is said."""
    text = sample.text
    first = min(declared(text, problem.kind), key=lambda found: found.start, default=None)
    if first is None:
        return False
    thought = split(text, sample.thought).thought
    if thought:
        return first.start < text.find(thought)
    return len(WORD.findall(text[first.end :])) > len(WORD.findall(text[: first.start]))


OTHERS: dict[str, Callable[[Problem, Sample, Judgement], bool]] = {"echo": echo, "answer_first": answer_first}
