"""Step 8. Score predictions and sum them up. Needs no model: predictions are on record."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from understudy import answers, stats
from understudy.errors import UnderstudyError
from understudy.recipe import Evaluate
from understudy.records import Metric, Prediction, Problem, Rollout, Score, Stop, Verdict
from understudy.steps.evaluate.pool import curve

DIGITS = 6
"""Decimals of a figure on record, so that bytes are stable."""


# --- one prediction after the other -----------------------------------------------------------------------------------


def score(
    predictions: Iterable[Prediction], rollouts: Iterable[Rollout], problems: Mapping[str, Problem]
) -> Iterator[Score]:
    """One Score per answer given: of a vote one, else one per rollout. In the order of the predictions.

    Raises:
        UnderstudyError: a prediction names a problem or a rollout that is not there.
    """
    rolled = {(r.problem, r.model, r.number): r for r in rollouts}
    for prediction in predictions:
        problem = problems.get(prediction.problem)
        keys = [(prediction.problem, prediction.model, number) for number in prediction.rollouts]
        mine = [rolled[key] for key in keys if key in rolled]
        if problem is None or len(mine) < len(keys):
            raise UnderstudyError(
                f"{prediction.model}: the {prediction.strategy} prediction for '{prediction.problem}' has no "
                f"{'problem' if problem is None else 'rollouts'} on record. Remove the predictions and run again."
            )
        if prediction.strategy.startswith("vote@"):
            yield _score(prediction, problem, _voted(prediction, problem, mine), sum(r.sample.tokens_out for r in mine))
        else:
            yield from (_replied(prediction, problem, r, number) for number, r in enumerate(mine))


def _replied(prediction: Prediction, problem: Problem, rollout: Rollout, number: int) -> Score:
    sample, judged = rollout.sample, _judge(rollout, problem)
    flags = answers.flags(sample.text, problem.question, problem.kind, sample.stop, sample.thought, judged)
    return _score(prediction, problem, judged.verdict, sample.tokens_out, number, judged, flags)


def _voted(prediction: Prediction, problem: Problem, rollouts: Sequence[Rollout]) -> Verdict:
    """The verdict on the answer that won; without one, on why there is none."""
    if prediction.answer is not None:
        found = answers.Found(prediction.answer, "vote", 0, len(prediction.answer), True)
        return answers.verdict_of(found, False, problem.answer, problem.kind, answers.Policy(), problem.choices)[0]
    replies = [r for r in rollouts if r.sample.stop is not Stop.ERROR]
    if not replies:
        return Verdict.FAILED
    if all(r.sample.stop is Stop.LENGTH or _judge(r, problem).verdict is Verdict.CUT_OFF for r in replies):
        return Verdict.CUT_OFF
    return Verdict.UNGRADED if problem.answer is None else Verdict.NO_ANSWER


def _named(judged: answers.Judgement, problem: Problem) -> str | None:
    """The answer that counts, an option by its label."""
    if judged.answer is None or judged.verdict in (Verdict.CUT_OFF, Verdict.FAILED):
        return None
    option = answers.option(judged.answer, problem.choices) if problem.choices else None
    return option.label if option else judged.answer


def _judge(rollout: Rollout, problem: Problem) -> answers.Judgement:
    s = rollout.sample
    return answers.judge(s.text, problem.answer, problem.kind, s.stop, s.thought, choices=problem.choices)


def _score(
    prediction: Prediction,
    problem: Problem,
    verdict: Verdict,
    tokens: int,
    number: int = 0,
    judged: answers.Judgement | None = None,
    flags: tuple[str, ...] = (),
) -> Score:
    return Score(
        problem=problem.id,
        suite=problem.suite,
        cluster=problem.parent or problem.id,
        slices={name: value for name, value in problem.slices.items() if name != "suite"},
        model=prediction.model,
        strategy=prediction.strategy,
        number=number,
        verdict=verdict,
        answer=prediction.answer if judged is None else _named(judged, problem),
        flags=flags,
        thought=judged is not None and judged.thought,
        consistent=judged.consistent if judged else None,
        tokens=tokens,
        samples=len(prediction.rollouts) if prediction.strategy.startswith("vote@") else 1,
    )


# --- what is measured of each reply -----------------------------------------------------------------------------------

GRADES = {Verdict.RIGHT: 1.0, Verdict.WRONG: 0.0, Verdict.NO_ANSWER: 0.0, Verdict.CUT_OFF: 0.0}
"""What counts in an accuracy; failed and ungraded do not."""


class Measure(NamedTuple):
    """A figure that is a mean over replies."""

    name: str
    of: Callable[[Score], float | None]
    """None = this reply says nothing of it."""
    strategies: tuple[str, ...]
    """Without their "@8"."""
    graded: bool = False
    """Only for suites with gold answers."""
    share: bool = True
    """Each value is 0 or 1."""


def _given(claim: Callable[[Score], float]) -> Callable[[Score], float | None]:
    """The claim about a reply, if there is a reply."""
    return lambda s: None if s.verdict is Verdict.FAILED else float(claim(s))


MEASURES = (
    Measure("accuracy", lambda s: GRADES.get(s.verdict), ("greedy", "sample", "vote"), graded=True),
    Measure("think_rate", _given(lambda s: s.thought), ("greedy",)),
    Measure("cut_off_rate", _given(lambda s: s.verdict is Verdict.CUT_OFF), ("greedy", "sample", "vote")),
    Measure("no_answer_rate", _given(lambda s: s.verdict is Verdict.NO_ANSWER), ("greedy", "sample", "vote"), True),
    Measure("consistency", lambda s: None if s.consistent is None else float(s.consistent), ("greedy", "sample")),
    Measure("mean_tokens", _given(lambda s: s.tokens), ("greedy", "sample", "vote"), share=False),
    Measure("mean_samples", _given(lambda s: s.samples), ("vote",), share=False),
)
"""Every figure of one arm, in the order in which they are told."""


# --- all arms together ------------------------------------------------------------------------------------------------

Replies = dict[tuple[str, str], list[Score]]
"""Of one suite: model and strategy to their scores."""


def metrics(scores: Iterable[Score], settings: Evaluate, arms: Sequence[str]) -> Iterator[Metric]:
    """Every figure with its interval, by suite, arm, strategy, name and slice; then the differences of arms.

    Models that are no arm stand behind the arms. A figure of no replies is left out; an accuracy or a difference that
    could not be measured says so (value None).
    """
    suites: defaultdict[str, Replies] = defaultdict(lambda: defaultdict(list))
    for one in scores:
        suites[one.suite][one.model, one.strategy].append(one)
    for suite in sorted(suites, key=_natural):
        replies = suites[suite]
        graded = _graded(replies)
        for model in dict.fromkeys((*arms, *sorted({model for model, _ in replies}))):
            yield from _of_model(suite, model, replies, graded, settings.by)
        for a, b in settings.compare if graded else ():
            yield from _compared(suite, a, b, replies, settings.by)


def _graded(replies: Replies) -> bool:
    """The suite has gold answers: of conversation a reply may fail or be cut off, but nothing else is said."""
    seen = {s.verdict for scores in replies.values() for s in scores}
    return bool(seen & {Verdict.RIGHT, Verdict.WRONG, Verdict.NO_ANSWER}) or Verdict.UNGRADED not in seen


def _of_model(suite: str, model: str, replies: Replies, graded: bool, by: Sequence[str]) -> Iterator[Metric]:
    strategies = sorted((strategy for name, strategy in replies if name == model), key=_natural)
    for strategy in strategies:
        parts = _sliced(replies[model, strategy], by)
        for measure in MEASURES:
            if strategy.partition("@")[0] in measure.strategies and (graded or not measure.graded):
                for name, part in parts.items():
                    yield from _mean(measure, Place(suite, model, strategy, name), part)
    for strategy in strategies:
        if graded and strategy.startswith("sample@"):
            yield from _curve(Place(suite, model, strategy, "all"), replies[model, strategy], by)
    for vote in strategies:
        other = _beside(vote)
        if graded and other in strategies:
            pairs = _pairs(replies[model, vote], replies[model, other])
            yield from _differences(Place(suite, model, f"{vote}-{other}", "all"), pairs, by)


def _beside(vote: str) -> str | None:
    """What a vote is compared with: one that was stopped with the whole, and the whole with a single sample.

    >>> _beside("vote@8:lead"), _beside("vote@8"), _beside("greedy")
    ('vote@8', 'sample@8', None)
    """
    whole, stopped, _ = vote.partition(":")
    head, _, k = whole.partition("@")
    return None if head != "vote" else whole if stopped else f"sample@{k}"


def _compared(suite: str, a: str, b: str, replies: Replies, by: Sequence[str]) -> Iterator[Metric]:
    """Greedy replies of two arms to the same problems."""
    pairs = _pairs(replies.get((a, "greedy"), ()), replies.get((b, "greedy"), ()))
    place = Place(suite, f"{a}-{b}", "greedy", "all")
    yield from _differences(place, pairs, by)
    yield _mcnemar(place, pairs)


# --- one figure -------------------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """Which row of which table a figure belongs to."""

    suite: str
    model: str
    strategy: str
    slice: str


class Pair(NamedTuple):
    """Two grades, 0 to 1, of one problem; None = that side says nothing."""

    cluster: str
    slices: Mapping[str, str]
    first: float | None
    second: float | None


def _mean(measure: Measure, place: Place, scores: Sequence[Score]) -> Iterator[Metric]:
    """Wilson's interval for shares of independent replies, else one that is robust to clusters."""
    counted = [(value, s.cluster) for s in scores if (value := measure.of(s)) is not None]
    values, clusters = [value for value, _ in counted], [cluster for _, cluster in counted]
    unscored = len(scores) - len(values)
    if not measure.share or len(set(clusters)) < len(clusters):
        method, interval = "cluster_t", stats.cluster_mean(values, clusters) if values else None
    else:
        method, interval = "wilson", stats.wilson(round(sum(values)), len(values)) if values else None
    if interval is not None or measure.name == "accuracy":
        yield _metric(measure.name, place, interval, len(values), unscored, method)


def _curve(place: Place, scores: Sequence[Score], by: Sequence[str]) -> Iterator[Metric]:
    """pass@k, all@k and maj@k for every k, from one pool of samples."""
    for name, part in _sliced(scores, by).items():
        for figure, interval, n in curve(part):
            yield _metric(figure, place._replace(slice=name), interval, n, 0, "exact, cluster_t")


def _pairs(first: Iterable[Score], second: Iterable[Score]) -> list[Pair]:
    """Pairs of the problems that both have scores of; of several samples of one problem their mean."""
    a, b = _by_problem(first), _by_problem(second)
    return [Pair(a[p][0].cluster, a[p][0].slices, _grade(a[p]), _grade(b[p])) for p in a if p in b]


def _by_problem(scores: Iterable[Score]) -> dict[str, list[Score]]:
    found: defaultdict[str, list[Score]] = defaultdict(list)
    for one in scores:
        found[one.problem].append(one)
    return found


def _grade(scores: Sequence[Score]) -> float | None:
    grades = [GRADES[s.verdict] for s in scores if s.verdict in GRADES]
    return sum(grades) / len(grades) if grades else None


def _told(pairs: Sequence[Pair]) -> tuple[list[float], list[float], list[str]]:
    """Both grades and the cluster of the pairs that have both."""
    both = [(p.first, p.second, p.cluster) for p in pairs if p.first is not None and p.second is not None]
    return [a for a, _, _ in both], [b for _, b, _ in both], [cluster for _, _, cluster in both]


def _differences(place: Place, pairs: Sequence[Pair], by: Sequence[str]) -> Iterator[Metric]:
    """First minus second, of all pairs and of each slice."""
    for name, part in _sliced(pairs, by).items():
        first, second, clusters = _told(part)
        interval = stats.paired_bootstrap(first, second, clusters) if first else None
        unscored = len(part) - len(first)
        yield _metric(
            "paired_difference", place._replace(slice=name), interval, len(first), unscored, "paired_bootstrap"
        )


def _mcnemar(place: Place, pairs: Sequence[Pair]) -> Metric:
    """The p-value of no difference; None where pairs are not independent, as the test takes them to be."""
    first, second, clusters = _told(pairs)
    metric = _metric("mcnemar_p", place, None, len(first), len(pairs) - len(first), "mcnemar_mid_p")
    if not first or len(set(clusters)) < len(clusters):
        return metric
    only_first = sum(a > b for a, b in zip(first, second, strict=True))
    only_second = sum(a < b for a, b in zip(first, second, strict=True))
    return msgspec.structs.replace(metric, value=_rounded(stats.mcnemar(only_first, only_second)))


def _metric(name: str, place: Place, interval: stats.Interval | None, n: int, unscored: int, method: str) -> Metric:
    value, low, high = (_rounded(x) for x in interval) if interval else (None, None, None)
    return Metric(
        name=name,
        suite=place.suite,
        model=place.model,
        strategy=place.strategy,
        slice=place.slice,
        value=value,
        low=low,
        high=high,
        n=n,
        unscored=unscored,
        method=method,
    )


def _rounded(x: float) -> float:
    return round(float(x), DIGITS) + 0.0  # no -0.0


# --- slices -----------------------------------------------------------------------------------------------------------


class Sliced(Protocol):
    """What can be told apart by slices."""

    @property
    def slices(self) -> Mapping[str, str]: ...


S = TypeVar("S", bound=Sliced)


def _sliced(things: Sequence[S], by: Sequence[str]) -> dict[str, list[S]]:
    """All of them under "all", then each name=value in `by` that occurs, steps=10 after steps=9."""
    parts: defaultdict[str, list[S]] = defaultdict(list)
    for thing in things:
        for name in dict.fromkeys(by):
            if name in thing.slices:
                parts[f"{name}={thing.slices[name]}"].append(thing)
    return {"all": list(things)} | {name: parts[name] for name in sorted(parts, key=_natural)}


def _natural(text: str) -> list[tuple[int, str]]:
    """Sort key under which numbers within a text count as numbers."""
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]
