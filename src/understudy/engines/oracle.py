"""A programmatic teacher: knows how each problem was made, words its traces differently each time, and makes a known
share of them messy. What it planted is not in the trace; `fault` tells it to whoever checks the curation.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from understudy.engines.base import Sampled, Wanted, always, cut
from understudy.errors import EngineError
from understudy.records import Problem, Prompt, Sample, Sampling, Stop
from understudy.sources.word_problems import Plan, plan_of, solution

FILLER = (
    "Hmm, let me think about this for a moment.",
    "Wait, is that really what the question asks?",
    "Let me read the problem again to be sure.",
    "Actually, I should look at it from another side.",
    "Okay, so where was I?",
    "Many people get this kind of question wrong.",
    "There was something about a friend, I believe.",
    "Perhaps the box matters, perhaps it does not.",
    "I could draw a picture of all this.",
    "My own teacher used to ask such things.",
    "No, that does not seem to help.",
    "One more look at the words, slowly.",
)
FOREIGN = (
    ("我们从{v}开始。", "然后{a}{op}{k}={b}。"),
    ("Сначала есть {v}.", "Потом {a}{op}{k}={b}."),
    ("Στην αρχή {v}.", "Μετά {a}{op}{k}={b}."),
)


class Steps(NamedTuple):
    """A trace in the making."""

    lines: list[str]
    answer: int


class Oracle:
    """Writes traces for problems made on the spot; a share `messy` of them has one planted fault."""

    name = "oracle"

    def __init__(self, problems: Mapping[str, Problem], messy: float = 0.37) -> None:
        self.plans = {key: plan for key, p in problems.items() if (plan := plan_of(p)) is not None}
        self.messy = messy
        if not self.plans:
            raise EngineError(
                "The oracle knows only problems made here (word_problems). "
                "Name another teacher: generate.teacher.engine = replay, local or http."
            )

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        """`sampling.n` differently worded traces of each prompt."""
        for index, prompt in enumerate(prompts):
            for number in range(sampling.n):
                if wanted(index, number):
                    yield Sampled(index, number, cut(self._one(prompt.id, number, sampling), sampling.stop))

    def fault(self, problem: str, number: int, seed: int) -> str | None:
        """The fault planted in that sample; None = it is clean."""
        rng = random.Random(f"oracle/{seed}/{problem}/{number}")
        return rng.choice(sorted(FAULTS)) if rng.random() < self.messy else None

    def close(self) -> None:
        """Nothing is held."""

    def _one(self, problem: str, number: int, sampling: Sampling) -> Sample:
        plan = self.plans.get(problem)
        if plan is None:
            return Sample(text="", stop=Stop.ERROR, error="the oracle does not know this problem")
        fault = self.fault(problem, number, sampling.seed)
        rng = random.Random(f"words/{sampling.seed}/{problem}/{number}")
        sample = FAULTS[fault](rng, plan) if fault else _reply(_write(rng, plan))
        words = sample.text.split()
        if len(words) > sampling.max_tokens:
            return Sample(text=" ".join(words[: sampling.max_tokens]), stop=Stop.LENGTH, tokens_out=sampling.max_tokens)
        return Sample(text=sample.text, stop=sample.stop, tokens_out=len(words))


def _write(rng: random.Random, plan: Plan, slip_at: int | None = None) -> Steps:
    return Steps(*solution(rng, plan, slip_at))


def _reply(steps: Steps, answer: str | None = None) -> Sample:
    thought = " ".join(steps.lines)
    return Sample(text=f"<think>\n{thought}\n</think>\n\n" + (answer or f"The answer is \\boxed{{{steps.answer}}}."))


def _false_arithmetic(rng: random.Random, plan: Plan) -> Sample:
    """A false step; the reply gives the right answer half of the time, as real teachers do."""
    steps = _write(rng, plan, slip_at=rng.randrange(len(plan.steps)))
    right = plan.values()[-1]
    return _reply(steps, f"The answer is \\boxed{{{right}}}." if rng.random() < 0.5 else None)


def _wrong_answer(rng: random.Random, plan: Plan) -> Sample:
    steps = _write(rng, plan)
    return _reply(steps, f"The answer is \\boxed{{{steps.answer + rng.choice([-10, -2, -1, 1, 2, 10])}}}.")


def _loop(rng: random.Random, plan: Plan) -> Sample:
    steps = _write(rng, plan)
    at = rng.randrange(len(steps.lines))
    again = [steps.lines[at]] * rng.randint(5, 9)
    return _reply(Steps(steps.lines[:at] + again + steps.lines[at:], steps.answer))


def _cut_off(rng: random.Random, plan: Plan) -> Sample:
    text = _reply(_write(rng, plan)).text
    return Sample(text=text[: rng.randint(len(text) // 3, len(text) - 12)], stop=Stop.LENGTH)


def _rambling(rng: random.Random, plan: Plan) -> Sample:
    steps = _write(rng, plan)
    lines = [*steps.lines]
    for line in rng.sample(FILLER, len(FILLER)) + rng.sample(FILLER, rng.randint(0, 6)):
        lines.insert(rng.randint(0, len(lines) - 1), line)
    return _reply(Steps(lines, steps.answer))


def _other_language(rng: random.Random, plan: Plan) -> Sample:
    opening, step = rng.choice(FOREIGN)
    values = plan.values()
    lines = [opening.format(v=plan.start)]
    lines += [step.format(a=a, op=op, k=k, b=b) for a, b, (op, k) in zip(values, values[1:], plan.steps, strict=False)]
    return _reply(Steps(lines, values[-1]))


def _two_answers(rng: random.Random, plan: Plan) -> Sample:
    steps = _write(rng, plan)
    other = steps.answer + rng.choice([-2, -1, 1, 2])
    pair = [steps.answer, other]
    rng.shuffle(pair)
    return _reply(steps, f"The answer is \\boxed{{{pair[0]}}} or \\boxed{{{pair[1]}}}.")


FAULTS: dict[str, Callable[[random.Random, Plan], Sample]] = {
    "false_arithmetic": _false_arithmetic,
    "wrong_answer": _wrong_answer,
    "loop": _loop,
    "cut_off": _cut_off,
    "rambling": _rambling,
    "other_language": _other_language,
    "two_answers": _two_answers,
}
