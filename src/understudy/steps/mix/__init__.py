"""What the student learns from: kept traces laid out as targets, among conversation, drawn at random with a seed."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from understudy import prompts
from understudy.errors import UnderstudyError
from understudy.prompts import EXPLAIN, PREDICT, Piece
from understudy.recipe import Among, Class, Draw, Layout, Mix, MixSource, Thinking, Unit, Weights
from understudy.records import Example, Judged, Message, Portion, Problem, Sample
from understudy.steps.mix.pots import Bundle, Learned, LeftOut, Pot, Row, Tokens, by_rows, by_tokens, flat, portions
from understudy.steps.mix.replay import replay

__all__ = ["Conversation", "Learned", "LeftOut", "Row", "bare", "blend", "mix", "rationales", "replay", "talk"]

Conversation = tuple[Message, ...]


def mix(
    judged: Iterable[Judged],
    problems: Mapping[str, Problem],
    others: Mapping[str, Iterable[Row]],
    settings: Mix,
    seed: int,
    say: Callable[[str], None],
    learned: Learned,
    held_out: Collection[str] = (),
) -> Iterator[Example | Portion]:
    """Kept traces and the shares of `settings.sources` among them, shuffled; then what each source has of them.

    `learned` counts the tokens that the student learns of an example; `held_out` are problems that none is taught of.

    Raises:
        UnderstudyError: no trace was kept or none is left, or a source has nothing.
    """
    room = _room(settings.sources)
    taught = _Taught(settings, held_out, seed)
    for one in judged:
        taught.add(one, problems[one.trace.problem])
    tokens, rng = Tokens(learned), random.Random(f"mix/{seed}")
    main = taught.pots(room)
    added = [Pot(s.name, s.share, others[s.name], s.limit) for s in settings.sources]
    drawn = (
        by_rows(main, added, settings.rows, rng)
        if settings.unit is Unit.ROWS
        else by_tokens(main, added, settings.rows, rng, tokens)
    )
    told = list(portions([*main, *added], drawn, settings.unit, tokens))
    say("mix: " + ", ".join(f"{p.name} {p.rows} ({p.of_rows:.0%}; of what is learned {p.of_tokens:.0%})" for p in told))
    for portion in told:
        if portion.left_out:
            say(f"mix: {portion.name}: left out " + ", ".join(f"{n} ({why})" for why, n in portion.left_out.items()))
    chosen = [bundle for part in drawn for bundle in part]
    rng.shuffle(chosen)
    yield from _two_tasks(list(flat(chosen)), settings.alpha, tokens)
    yield from told


def blend(
    main: Sequence[Example],
    others: Mapping[str, Iterable[Conversation]],
    sources: Sequence[MixSource],
    rows: int | None,
    seed: int,
    say: Callable[[str], None],
) -> Iterator[Example]:
    """`main` and the shares of the other sources, shuffled; each source repeats itself only when it is used up."""
    rng, room = random.Random(f"mix/{seed}"), _room(sources)
    pots = [Pot(s.name, s.share, talk(s, others[s.name]), s.limit) for s in sources]
    drawn = by_rows([_full("main", room, [(one,) for one in main])], pots, rows, rng)
    chosen = list(flat(bundle for part in drawn for bundle in part))
    rng.shuffle(chosen)
    counts = Counter(e.origin for e in chosen)
    say("mix: " + ", ".join(f"{origin} {n} ({n / len(chosen):.0%})" for origin, n in sorted(counts.items())))
    yield from chosen


def bare(problems: Iterable[Problem]) -> Iterator[Example]:
    """Problems with their answers alone, for base training."""
    for problem in problems:
        if problem.answer is not None:
            yield _example(problem.id, prompts.question(problem), prompts.final(problem.answer), "answer")


def rationales(problems: Iterable[Problem], settings: Mix) -> Iterator[Example]:
    """Problems with the solution they came with, laid out as the teacher's are."""
    for problem in problems:
        thought = prompts.rationale(problem)
        if thought and problem.answer is not None:
            yield from _laid_out(f"rationale/{problem.id}", problem, thought, problem.answer, settings, "rationale")


def talk(source: MixSource, conversations: Iterable[Conversation | LeftOut]) -> Iterator[Example | LeftOut]:
    """Conversations whose last turn is learned, thinking as the source says."""
    for number, one in enumerate(conversations):
        if isinstance(one, LeftOut):
            yield one
            continue
        *before, last = one
        reply = _thinking(last.content, source.thinking)
        if isinstance(reply, LeftOut):
            yield reply
        else:
            yield _example(f"{source.name}/{number}", tuple(before), reply, source.name)


class _Of(msgspec.Struct):
    """A kept trace, laid out."""

    problem: str
    teacher: str
    tokens: int
    """Of the reply, as the teacher counts them."""
    examples: list[Example]


class _Taught:
    """The kept traces that the settings choose."""

    def __init__(self, settings: Mix, held_out: Collection[str], seed: int) -> None:
        self.settings, self.held_out, self.seed = settings, held_out, seed
        self.problems: set[str] = set()
        """With kept traces."""
        self.dropped: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.kept: list[_Of] = []

    def add(self, judged: Judged, problem: Problem) -> None:
        """Take a trace in, or count why not."""
        if judged.dropped_by is not None:
            self.dropped[judged.dropped_by] += 1
            return
        trace = judged.trace
        self.problems.add(problem.id)
        examples = list(self._examples(judged, problem))
        if problem.id in self.held_out or not examples:
            self.left_out["nothing to lay out" if not examples else "held out"] += 1
            return
        self.kept.append(_Of(problem.id, trace.teacher, _length(trace.sample), examples))

    def pots(self, room: float) -> list[Pot]:
        """The traces by class, which share `room`.

        Raises:
            UnderstudyError: there are none.
        """
        if not self.kept:
            why = ", ".join(f"{n} {rule}" for rule, n in self.dropped.most_common()) or "there were none"
            if self.left_out:
                why += "; left out: " + ", ".join(f"{n} ({rule})" for rule, n in self.left_out.items())
            raise UnderstudyError(f"No trace was kept. Dropped: {why}. Read some: understudy show RUN judged --dropped")
        among, kept = self.settings.among, self._chosen()
        if among is None:
            found = [_full("teacher", room, self._bundles(kept))]
        else:
            classes = list(_classes(kept, among))
            found = [_full(name, room * share, self._bundles(of)) for name, share, of in classes]
            self.left_out["of another class"] += len(kept) - sum(len(of) for _, _, of in classes)
        found[0].left_out = +self.left_out
        return found

    def _examples(self, judged: Judged, problem: Problem) -> Iterator[Example]:
        settings = self.settings
        answer = judged.answer if judged.answer is not None else problem.answer
        thought = prompts.reasoning(judged.trace.sample, problem.kind)
        # Where all steps were deleted on purpose, that is the lesson.
        empty = not thought and judged.corrupted is None and settings.layout not in (Layout.NONE, Layout.EMPTY_THINK)
        if answer is None or empty:
            return
        for one in _laid_out(judged.trace.id, problem, thought, answer, settings, "teacher"):
            if settings.traces is Draw.ONE_PER_EPOCH:
                one = msgspec.structs.replace(one, group=problem.id + one.id.removeprefix(judged.trace.id))
            yield one

    def _chosen(self) -> list[_Of]:
        """The traces of the share of the problems."""
        names = sorted(self.problems)
        random.Random(f"problems/{self.seed}").shuffle(names)
        chosen = {*names[: max(1, round(self.settings.problems * len(names)))]}
        kept = [one for one in self.kept if one.problem in chosen]
        if not kept:
            raise UnderstudyError(
                f"mix: problems: of {len(chosen)} of {len(names)} problems no trace can be laid out. Raise the share."
            )
        self.left_out["of other problems"] += len(self.kept) - len(kept)
        return kept

    def _bundles(self, kept: Iterable[_Of]) -> list[Bundle]:
        """Examples that each epoch learns one of; alone, where there is no group."""
        examples = [example for one in kept for example in one.examples]
        if self.settings.traces is Draw.ALL:
            return [(example,) for example in examples]
        found: dict[str | None, list[Example]] = {}
        for example in examples:
            found.setdefault(example.group, []).append(example)
        return [tuple(of) for of in found.values()]


def _classes(kept: Sequence[_Of], among: Among) -> Iterator[tuple[str, float, list[_Of]]]:
    """Name, share of all traces and traces of each class that is asked for.

    Raises:
        UnderstudyError: of one there are none.
    """
    found: dict[str, list[_Of]] = {}
    lengths = sorted(one.tokens for one in kept)
    long_from = among.long_from or lengths[(len(lengths) - 1) // 2] + 1
    for one in kept:
        by_length = "long" if one.tokens >= long_from else "short"
        found.setdefault(by_length if among.by is Class.LENGTH else one.teacher, []).append(one)
    for name, part in among.of.items():
        if name not in found:
            raise UnderstudyError(f"mix: among: no trace is of the class '{name}'. There are: {', '.join(found)}.")
        yield f"teacher: {name}", part / sum(among.of.values()), found[name]


def _two_tasks(examples: list[Example], alpha: float, tokens: Tokens) -> Iterator[Example]:
    """The examples; of two tasks, predicting weighs `alpha` in all and explaining the rest, whatever their lengths."""
    of = {task: [e for e in examples if e.id.endswith(f"/{task}")] for task in (PREDICT, EXPLAIN)}
    learned = {task: sum(map(tokens.example, these)) for task, these in of.items()}
    for example in examples:
        task = example.id.rpartition("/")[2]
        if task in learned:
            weight = round(_factor(task, alpha) * sum(learned.values()) / learned[task], 6)
            example = msgspec.structs.replace(example, weights=(*example.weights[:-1], weight))
        yield example


def _factor(task: str, alpha: float) -> float:
    return alpha if task == PREDICT else 1 - alpha


def _thinking(reply: str, thinking: Thinking) -> str | LeftOut:
    if thinking is Thinking.AUTO:
        return reply
    if thinking is Thinking.ALWAYS:
        return reply if prompts.thinks(reply) else LeftOut("does not think")
    return prompts.unthought(reply, thinking is Thinking.EMPTY) or LeftOut("is nothing but a thought")


def _room(sources: Sequence[MixSource]) -> float:
    room = 1 - sum(s.share for s in sources)
    if room <= 0:
        raise UnderstudyError(
            "mix: the shares of its sources leave no room for the traces. Let them sum to less than 1."
        )
    return room


def _full(name: str, share: float, bundles: Sequence[Bundle]) -> Pot:
    pot = Pot(name, share, bundles)
    pot.first(len(bundles))
    return pot


def _length(sample: Sample) -> int:
    return sample.tokens_out or len(f"{sample.thought or ''} {sample.text}".split())


def _laid_out(key: str, problem: Problem, thought: str, answer: str, settings: Mix, origin: str) -> Iterator[Example]:
    """What a thought teaches; of two tasks not the one that weighs nothing."""
    for target in prompts.targets(problem, thought, answer, settings):
        if settings.layout is not Layout.TWO_TASKS or _factor(target.task, settings.alpha) > 0:
            named = f"{key}/{target.task}" if target.task else key
            one = _example(named, target.before, prompts.written(target.pieces), origin)
            yield msgspec.structs.replace(one, spans=_spans(target.pieces, settings.weights))


def _spans(pieces: Sequence[Piece], weights: Weights) -> tuple[tuple[int, float], ...]:
    """Ends and factors of the pieces; () where all weigh 1."""
    if weights == Weights():
        return ()
    end, found = 0, list[tuple[int, float]]()
    for piece in pieces:
        end += len(piece.text)
        factor = float(getattr(weights, piece.role))
        if found and found[-1][1] == factor:
            found.pop()
        found.append((end, factor))
    return tuple(found)


def _example(key: str, before: Conversation, reply: str, origin: str) -> Example:
    messages = (*before, Message(role="assistant", content=reply))
    return Example(id=key, messages=messages, weights=(*(0.0 for _ in before), 1.0), origin=origin)
