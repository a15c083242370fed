"""Let a student answer. Rollouts are drawn once; every strategy is read off them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from understudy import prompts
from understudy.answers import classes, judge, option, vote
from understudy.engines.base import Engine
from understudy.recipe import Solve, digest
from understudy.records import Kind, Prediction, Problem, Prompt, Rollout, Sample, Sampling, Verdict
from understudy.stopping import Stop, used


def rollouts(
    problems: Sequence[Problem],
    engine: Engine,
    settings: Solve,
    model: str,
    seed: int,
    tick: Callable[[int, int], None],
    stop: Callable[[], bool],
    ask: Callable[[Problem], Prompt] = prompts.solve,
) -> Iterator[Rollout]:
    """Rollouts in (problem, number) order: 0 is greedy, 1 to `settings.samples` are sampled.

    Raises:
        KeyboardInterrupt: `stop` became true; the batch in flight was finished first.
    """
    asked = chosen(problems, settings)
    greedy = asked if settings.greedy else []
    sampled = sampled_problems(asked, settings) if settings.samples else []
    total = len(greedy) + settings.samples * len(sampled)
    found: dict[tuple[str, int], Rollout] = {}
    for part, first, how in (
        (greedy, 0, Sampling(n=1, max_tokens=settings.max_tokens, stop=settings.end_at, seed=seed)),
        (sampled, 1, _sampling(settings, seed)),
    ):
        if not part:
            continue
        key = digest(msgspec.to_builtins(how))
        for one in engine.sample([ask(p) for p in part], how, lambda *_: not stop()):
            asked_id, number = part[one.prompt].id, one.number + first
            found[asked_id, number] = Rollout(
                problem=asked_id, model=model, sampling_hash=key, number=number, sample=one.sample
            )
            tick(len(found), total)
    if stop():
        raise KeyboardInterrupt
    for problem in asked:
        for number in range(settings.samples + 1):
            if (problem.id, number) in found:
                yield found[problem.id, number]


def predictions(rolled: Iterable[Rollout], problems: Mapping[str, Problem], settings: Solve) -> Iterator[Prediction]:
    """What each strategy makes of the rollouts, problem by problem."""
    for key, group in groupby(rolled, lambda r: r.problem):
        of_problem = list(group)
        problem = problems[key]
        greedy = [r for r in of_problem if r.number == 0]
        samples = [r for r in of_problem if r.number > 0]
        if greedy:
            yield _prediction("greedy", greedy, problem)
        if samples:
            yield _prediction(f"sample@{settings.samples}", samples, problem)
            yield _prediction(f"vote@{settings.samples}", samples, problem)
            yield from _stopped(samples, problem, settings)


def chosen(problems: Iterable[Problem], settings: Solve) -> list[Problem]:
    """The first `settings.limit` problems of each suite."""
    return _first(problems, settings.limit, lambda p: (p.suite,))


def sampled_problems(problems: Iterable[Problem], settings: Solve) -> list[Problem]:
    """Those that samples are drawn for: of each suite and number of steps the first `sample_limit`; no conversation."""
    graded = (p for p in problems if p.kind is not Kind.OPEN and p.source != "probes")
    return _first(graded, settings.sample_limit, lambda p: (p.suite, p.slices.get("steps")))


def answer(sample: Sample, problem: Problem) -> str | None:
    """The answer a sample gives, an option by its label; None if it was cut off, failed or gives none: such a sample
    never wins a vote."""
    read = judge(sample.text, None, problem.kind, sample.stop, sample.thought, choices=problem.choices)
    if read.verdict in (Verdict.CUT_OFF, Verdict.FAILED) or read.answer is None:
        return None
    named = option(read.answer, problem.choices) if problem.choices else None
    return named.label if named else read.answer


def _stopped(samples: Sequence[Rollout], problem: Problem, settings: Solve) -> Iterator[Prediction]:
    """The same vote, ended by each rule as soon as it may be: strategy "vote@8:lead"."""
    if settings.stops:
        seen = classes([answer(r.sample, problem) for r in samples], problem.kind)
        for rule in settings.stops:
            drawn = used(seen, Stop(rule, settings.stop_risk, settings.stop_window))
            yield _prediction(f"vote@{settings.samples}:{rule}", samples[:drawn], problem)


def _prediction(strategy: str, rolled: Sequence[Rollout], problem: Problem) -> Prediction:
    result = vote([answer(r.sample, problem) for r in rolled], problem.kind)
    return Prediction(
        problem=rolled[0].problem,
        model=rolled[0].model,
        strategy=strategy,
        rollouts=tuple(r.number for r in rolled),
        answer=result.answer,
        agreement=round(result.agreement, 6),
    )


def _sampling(settings: Solve, seed: int) -> Sampling:
    return Sampling(
        n=max(1, settings.samples),
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_tokens=settings.max_tokens,
        stop=settings.end_at,
        seed=seed,
    )


def _first(
    problems: Iterable[Problem], limit: int | None, key: Callable[[Problem], tuple[str | None, ...]]
) -> list[Problem]:
    taken: dict[tuple[str | None, ...], int] = {}
    found = []
    for problem in problems:
        slot = key(problem)
        taken[slot] = taken.get(slot, 0) + 1
        if limit is None or taken[slot] <= limit:
            found.append(problem)
    return found


def right(rolled: Iterable[Rollout], problems: Mapping[str, Problem]) -> int:
    """How many greedy rollouts are right."""
    verdicts = (verdict(r, problems[r.problem]) for r in rolled if r.number == 0)
    return sum(v is Verdict.RIGHT for v in verdicts)


def verdict(rollout: Rollout, problem: Problem) -> Verdict:
    """What the grader says of one rollout."""
    sample = rollout.sample
    return judge(
        sample.text, problem.answer, problem.kind, sample.stop, sample.thought, choices=problem.choices
    ).verdict
