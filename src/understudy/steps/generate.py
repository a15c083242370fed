"""Ask the teacher: several traces of each training problem. A call that fails is a trace with its error."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from understudy.answers import judge
from understudy.engines.base import Engine, Sampled
from understudy.errors import RecipeError
from understudy.prompts import ask, told
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
        logprobs=settings.logprobs,
    )


def generate(
    problems: Sequence[Problem],
    engine: Engine,
    settings: Generate,
    seed: int,
    tick: Tick,
    stop: Callable[[], bool],
    solved: Sequence[Problem] = (),
) -> Iterator[Trace | Prompt]:
    """The first problem's prompt in each style, then traces in (problem, sample) order, however the engine gives them.

    Each trace comes as soon as all before it are there. `solved` are problems that may be shown as worked examples.

    Raises:
        KeyboardInterrupt: `stop` became true; what is in flight was finished first.
        RecipeError: there are fewer solved problems than are to be shown.
    """
    asked = sampling(settings, seed)
    styles = len(settings.ask.styles)
    prompts = list(_prompts(problems, settings, _shown(solved, settings, seed)))
    yield from prompts[:styles]
    how, each = digest(msgspec.to_builtins(asked)), -(-asked.n // styles)
    quality, waiting, head = Quality(), dict[tuple[int, int], Trace](), (0, 0)

    def number(prompt: int, one: int) -> int:
        """Of a problem's samples, whose styles take turns."""
        return one * styles + prompt % styles

    drawn = engine.sample(
        prompts, msgspec.structs.replace(asked, n=each), lambda i, n: number(i, n) < asked.n and not stop()
    )
    for done, one in enumerate(drawn, 1):
        at = one.prompt // styles, number(one.prompt, one.number)
        waiting[at] = _trace(prompts[one.prompt], engine.name, how, at[1], one)
        quality.see(problems[at[0]], one)
        tick(done, len(problems) * asked.n, quality.told())
        while head in waiting:
            yield waiting.pop(head)
            head = (head[0], head[1] + 1) if head[1] + 1 < asked.n else (head[0] + 1, 0)
    if stop():
        raise KeyboardInterrupt
    for key in sorted(waiting):
        yield waiting[key]


def _prompts(problems: Sequence[Problem], settings: Generate, shown: Sequence[Problem]) -> Iterator[Prompt]:
    """Problem by problem, one of each style."""
    words = [told(style, settings.ask.file) for style in settings.ask.styles]
    for problem in problems:
        others = [p for p in shown if p.id != problem.id][: settings.ask.examples]
        yield from (ask(problem, said, others) for said in words)


def _shown(solved: Sequence[Problem], settings: Generate, seed: int) -> Sequence[Problem]:
    """Worked examples drawn at random, one more than are shown: a problem is no example of itself."""
    wanted = settings.ask.examples + 1
    able = [p for p in solved if p.rationale and p.answer is not None]
    if settings.ask.examples and len(able) < wanted:
        raise RecipeError(
            f"generate: ask: examples: {settings.ask.examples} are to be shown, and {len(able)} train problems have a "
            "rationale. Show fewer, or give a source whose problems are solved."
        )
    return random.Random(f"examples/{seed}").sample(able, wanted) if settings.ask.examples else ()


def _trace(prompt: Prompt, teacher: str, how: str, number: int, one: Sampled) -> Trace:
    return Trace(
        id=f"{prompt.id}#{number}",
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
