"""What the student learns from: kept traces laid out as targets, among conversation, drawn at random with a seed."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from understudy import prompts
from understudy.errors import UnderstudyError
from understudy.recipe import Layout, Mix, MixSource
from understudy.records import Example, Judged, Message, Problem

Conversation = tuple[Message, ...]


def mix(
    judged: Iterable[Judged],
    problems: Mapping[str, Problem],
    others: Mapping[str, Iterable[Conversation]],
    settings: Mix,
    seed: int,
    say: Callable[[str], None],
) -> Iterator[Example]:
    """Kept traces and the shares of `settings.sources` among them, shuffled.

    Raises:
        UnderstudyError: no trace was kept, or a source has nothing.
    """
    dropped: Counter[str] = Counter()
    taught = list[Example]()
    for one in judged:
        if one.dropped_by is not None:
            dropped[one.dropped_by] += 1
        elif (example := _of_trace(one, problems[one.trace.problem], settings.layout)) is not None:
            taught.append(example)
    if not taught:
        why = ", ".join(f"{n} {rule}" for rule, n in dropped.most_common()) or "there were none"
        raise UnderstudyError(f"No trace was kept. Dropped: {why}. Read some: understudy show RUN judged --dropped")
    yield from blend(taught, others, settings.sources, settings.rows, seed, say)


def bare(problems: Iterable[Problem]) -> Iterator[Example]:
    """Problems with their answers alone, for base training."""
    for problem in problems:
        if problem.answer is not None:
            yield _example(problem.id, prompts.question(problem), prompts.final(problem.answer), "answer")


def rationales(problems: Iterable[Problem], layout: Layout) -> Iterator[Conversation]:
    """Problems with the solution they came with, laid out as the teacher's are."""
    for problem in problems:
        thought = prompts.rationale(problem)
        if thought and problem.answer is not None:
            reply = prompts.target(thought, problem.answer, layout)
            yield (*prompts.question(problem), Message(role="assistant", content=reply))


def blend(
    main: Sequence[Example],
    others: Mapping[str, Iterable[Conversation]],
    sources: Sequence[MixSource],
    rows: int | None,
    seed: int,
    say: Callable[[str], None],
) -> Iterator[Example]:
    """`main` and the shares of the other sources, shuffled; each source repeats itself only when it is used up."""
    rng = random.Random(f"mix/{seed}")
    left = 1 - sum(s.share for s in sources)
    if left <= 0:
        raise UnderstudyError(
            "mix: the shares of its sources leave no room for the traces. Let them sum to less than 1."
        )
    total = rows or round(len(main) / left)
    chosen = _draw(main, total - sum(round(s.share * total) for s in sources), rng)
    for source in sources:
        found = [
            _example(f"{source.name}/{i}", c[:-1], c[-1].content, source.name)
            for i, c in enumerate(islice(others[source.name], source.limit or max(1, round(source.share * total))))
        ]
        if not found:
            raise UnderstudyError(
                f"mix: the source '{source.name}' has no conversations. Check its path, or take it out."
            )
        chosen += _draw(found, round(source.share * total), rng)
    rng.shuffle(chosen)
    counts = Counter(e.origin for e in chosen)
    say("mix: " + ", ".join(f"{origin} {n} ({n / len(chosen):.0%})" for origin, n in sorted(counts.items())))
    yield from chosen


def _draw(pool: Sequence[Example], count: int, rng: random.Random) -> list[Example]:
    """`count` of the pool: each once before any twice."""
    drawn: list[Example] = []
    while len(drawn) < count:
        drawn += rng.sample(pool, min(len(pool), count - len(drawn)))
    return drawn


def _of_trace(judged: Judged, problem: Problem, layout: Layout) -> Example | None:
    answer = judged.answer if judged.answer is not None else problem.answer
    thought = prompts.reasoning(judged.trace.sample, problem.kind)
    empty = not thought and judged.corrupted is None  # where all steps were deleted on purpose, that is the lesson
    if answer is None or (empty and layout is not Layout.NONE):
        return None
    reply = prompts.target(thought, answer, layout, prompts.rationale(problem))
    return _example(judged.trace.id, prompts.question(problem), reply, "teacher")


def _example(key: str, before: Conversation, reply: str, origin: str) -> Example:
    messages = (*before, Message(role="assistant", content=reply))
    return Example(id=key, messages=messages, weights=(*(0.0 for _ in before), 1.0), origin=origin)
