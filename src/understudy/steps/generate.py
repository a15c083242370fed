"""Ask the teacher: several traces of each training problem. A call that fails is a trace with its error."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from understudy.answers import judge
from understudy.engines.base import Engine, Sampled
from understudy.prompts import ask
from understudy.recipe import Generate, digest
from understudy.records import Problem, Prompt, Sampling, Trace, Verdict

Tick = Callable[[int, int, str], None]
"""Samples done, samples in all, and how good they are so far."""


def sampling(settings: Generate, seed: int) -> Sampling:
    """How the teacher is asked."""
    return Sampling(
        n=settings.n,
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_tokens=settings.max_tokens,
        seed=seed,
    )


def generate(
    problems: Sequence[Problem],
    engine: Engine,
    settings: Generate,
    seed: int,
    tick: Tick,
    stop: Callable[[], bool],
) -> Iterator[Trace]:
    """Traces in (problem, sample) order, however the engine gives them; each as soon as all before it are there.

    Raises:
        KeyboardInterrupt: `stop` became true; what is in flight was finished first.
    """
    asked = sampling(settings, seed)
    prompts = [ask(p) for p in problems]
    how = digest(msgspec.to_builtins(asked))
    quality = Quality()
    waiting: dict[tuple[int, int], Trace] = {}
    head = (0, 0)
    for done, one in enumerate(engine.sample(prompts, asked, lambda *_: not stop()), 1):
        waiting[one.prompt, one.number] = _trace(prompts[one.prompt], engine.name, how, one)
        quality.see(problems[one.prompt], one)
        tick(done, len(prompts) * asked.n, quality.told())
        while head in waiting:
            yield waiting.pop(head)
            head = (head[0], head[1] + 1) if head[1] + 1 < asked.n else (head[0] + 1, 0)
    if stop():
        raise KeyboardInterrupt
    for key in sorted(waiting):
        yield waiting[key]


def _trace(prompt: Prompt, teacher: str, how: str, one: Sampled) -> Trace:
    return Trace(
        id=f"{prompt.id}#{one.number}",
        problem=prompt.id,
        teacher=teacher,
        prompt_hash=digest(msgspec.to_builtins(prompt.messages)),
        sampling_hash=how,
        sample=one.sample,
    )


class Quality:
    """How good the samples are that have come so far."""

    def __init__(self) -> None:
        self.verdicts: Counter[Verdict] = Counter()

    def see(self, problem: Problem, one: Sampled) -> None:
        """Count one more."""
        s = one.sample
        found = judge(s.text, problem.answer, problem.kind, s.stop, s.thought, choices=problem.choices)
        self.verdicts[found.verdict] += 1

    def told(self) -> str:
        """The shares that people look at; what cannot be graded is not among them.

        >>> quality = Quality()
        >>> quality.verdicts.update({Verdict.RIGHT: 3, Verdict.CUT_OFF: 1, Verdict.FAILED: 1})
        >>> quality.told()
        '75% right, 25% cut off, 1 failed'
        """
        of, failed = self.verdicts, self.verdicts[Verdict.FAILED]
        graded = of.total() - failed - of[Verdict.UNGRADED]
        parts = (
            [f"{of[Verdict.RIGHT] / graded:.0%} right", f"{of[Verdict.CUT_OFF] / graded:.0%} cut off"] if graded else []
        )
        return ", ".join(parts + ([f"{failed} failed"] if failed else []))
