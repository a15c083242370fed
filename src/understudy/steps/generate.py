"""Ask the teacher: several traces of each training problem. A call that fails is a trace with its error."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from understudy.engines.base import Engine
from understudy.prompts import ask
from understudy.recipe import Generate, digest
from understudy.records import Problem, Sampling, Trace


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
    tick: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> Iterator[Trace]:
    """Traces in (problem, sample) order, however the engine gives them.

    Raises:
        KeyboardInterrupt: `stop` became true; what is in flight was finished first.
    """
    asked = sampling(settings, seed)
    prompts = [ask(p) for p in problems]
    waiting: dict[tuple[int, int], Trace] = {}
    for done, one in enumerate(engine.sample(prompts, asked, lambda _: not stop()), 1):
        prompt = prompts[one.prompt]
        waiting[one.prompt, one.number] = Trace(
            id=f"{prompt.id}#{one.number}",
            problem=prompt.id,
            teacher=engine.name,
            prompt_hash=digest(msgspec.to_builtins(prompt.messages)),
            sampling_hash=digest(msgspec.to_builtins(asked)),
            sample=one.sample,
        )
        tick(done, len(prompts) * asked.n)
    if stop():
        raise KeyboardInterrupt
    for key in sorted(waiting):
        yield waiting[key]
