"""What was measured: accuracy by steps and slices, paired differences, voting."""

from collections.abc import Sequence

from understudy.records import Metric
from understudy.steps.report.markup import (
    Html,
    badge,
    el,
    join,
    missing,
    note,
    part,
    percent,
    points,
    row,
    section,
    table,
)
from understudy.steps.report.measured import (
    View,
    cell,
    dot,
    drawn,
    heads,
    interval,
    legend,
    measured,
    methods,
    plain_cell,
    plainly,
    reach,
    sample,
    value,
)
from understudy.steps.report.plots import Dot, Series, both, dots
from understudy.steps.report.verdict import votes

RATES = {
    "cut_off_rate": "cut off before an answer",
    "no_answer_rate": "no answer in the reply",
    "consistency": "thought and reply agree",
}
Place = tuple[str, str]
"""suite, slice"""


# --- accuracy ---------------------------------------------------------------------------------------------------------


def accuracy(view: View) -> Html:
    """Section: accuracy by number of steps and by other slices, every arm."""
    lead = "The share of held-out problems that each arm solves with its one greedy reply."
    if not view.suites():
        what = "No accuracy is on record. Measure it:"
        return section("accuracy", "Accuracy", lead, missing(what, view.command))
    places = [(suite, "all") for suite in view.suites()]
    others = [(s, sl) for s in view.suites() for sl in view.slices("accuracy", s) if not sl.startswith("steps=")]
    parts = [legend(view.cast), *_by_steps(view), part("By suite", _matrix(view, "Accuracy by suite", places))]
    if others:
        parts.append(part("By other slices", _matrix(view, "Accuracy by slice", others)))
    parts.append(part("Other ways to fail", *_rates(view)))
    found = [view.get("accuracy", *p[:1], a.name, slice=p[1]) for p in places for a in view.cast.arms]
    return section("accuracy", "Accuracy", lead, *parts, note(methods(found)))


def _by_steps(view: View) -> list[Html]:
    places = sorted(
        ((s, sl) for s in view.suites() for sl in view.slices("accuracy", s) if sl.removeprefix("steps=").isdecimal()),
        key=lambda p: (view.facts.problems.beyond(p[0]), int(p[1][6:])),
    )
    if not places:
        return []
    series = [
        Series(a.name, a.slot, [dot(view.get("accuracy", s, a.name, slice=sl)) for s, sl in places])
        for a in view.cast.arms
    ]
    series = [s for s in series if any(s.dots)]
    beyond = sum(not view.facts.problems.beyond(s) for s, _ in places)
    names, says = [sl[6:] for _, sl in places], _steps_in_words(series, places, beyond)
    title = "Accuracy by number of steps"
    plot = both(lambda w: dots("steps", title, says, names, beyond, series, "steps to the answer", w))
    figure = el("figure", plot, el("figcaption", says))
    return [part("By number of steps", figure, _matrix(view, "Accuracy by number of steps", places))]


def _steps_in_words(series: Sequence[Series], places: Sequence[Place], beyond: int) -> str:
    """What the plot shows, for those who do not see it and those who want it said."""
    text = "Dots are shares solved, whiskers their intervals. "
    for start, end, opening in ((0, beyond, ""), (beyond, len(places), "Beyond training, ")):
        if start >= end:
            continue
        span = plainly(places[start][1])
        if end - start > 1:
            span = f"{places[start][1][6:]} to {plainly(places[end - 1][1])}"
        text += f"{opening}{span}: ".capitalize() if not opening else f"{opening}{span}: "
        text += ", ".join(_course(s, s.dots[start:end]) for s in series) + ". "
    return text.strip()


def _course(one: Series, some: Sequence[Dot | None]) -> str:
    shown = [d for d in some if d]
    if not shown:
        return f"{one.name} not measured"
    first, last = percent(shown[0].value), percent(shown[-1].value)
    return f"{one.name} {first}" + (f" to {last}" if len(shown) > 1 else "")


def _matrix(view: View, caption: str, places: Sequence[Place]) -> Html:
    """Places down, arms across."""
    names = [a.name for a in view.cast.arms]
    rows = []
    for suite, slice in places:
        beyond = view.facts.problems.beyond(suite)
        mark = join(el("br"), badge("beyond training")) if beyond else ""
        cells = [cell(view.get("accuracy", suite, n, slice=slice)) for n in names]
        what = "all" if slice == "all" else plainly(slice)
        rows.append(row(join(suite, mark), what, *cells, numeric=2, class_="apart" if beyond else None))
    return table(caption, ("suite", "problems", *heads(view.cast, names)), rows, 2)


def _rates(view: View) -> list[Html]:
    names = [a.name for a in view.cast.arms]
    rows = []
    for suite in view.suites():
        for name, says in RATES.items():
            found = [view.get(name, suite, n) for n in names]
            if any(found):
                rows.append(row(says, suite, *map(cell, found), numeric=2))
        means = [view.get("mean_tokens", suite, n) for n in names]
        if any(means):
            rows.append(row("tokens of a reply, mean", suite, *map(plain_cell, means), numeric=2))
    if not rows:
        return [missing("Rates of cut-off, missing and inconsistent answers. Measure them:", view.command)]
    return [table("Replies beside right and wrong", ("", "suite", *heads(view.cast, names)), rows, 2)]


# --- differences ------------------------------------------------------------------------------------------------------


def differences(view: View) -> Html:
    """Section: paired differences between arms."""
    lead = (
        "Both arms answer the same problems, so the difference is taken problem by problem. "
        "A gain is shown where the whole interval lies right of zero."
    )
    found = [
        m
        for k, m in view.facts.metrics.items()
        if k[0] == "paired_difference" and not k[3].startswith("vote@") and measured(m)
    ]
    if not found:
        command = view.again("'evaluate.compare=[[student, control]]'")
        body = missing("No two arms were compared. Name arms in the recipe, and compare them:", command)
        return section("differences", "Differences", lead, body)
    wide = reach(found)
    rows = [_difference(view, m, wide) for m in found]
    scale = f"\u2212{100 * wide:.0f} \u2026 0 \u2026 +{100 * wide:.0f} points"
    head = ("comparison", "on", scale, "difference", "")
    caption = "Difference of accuracy in percentage points"
    return section("differences", "Differences", lead, table(caption, head, rows, 2), note(methods(found)))


def _difference(view: View, metric: Metric, wide: float) -> Html:
    pairs = {f"{a.name}-{b.name}": (a.name, b.name) for a in view.cast.arms for b in view.cast.arms}
    first, second = pairs.get(metric.model, (metric.model, ""))
    name = f"{first} \u2212 {second}" if second else first
    where = metric.suite if metric.slice == "all" else f"{metric.suite}, {plainly(metric.slice)}"
    slot = view.cast.of(first).slot
    return row(name, where, drawn(metric, slot, True, wide), cell(metric, signed=True), judged(metric), numeric=2)


def judged(metric: Metric) -> Html:
    """What an interval says of zero."""
    if metric.low is None or metric.high is None:
        return badge("no interval")
    if metric.low > 0:
        return badge("gain", "right")
    return badge("loss", "wrong") if metric.high < 0 else badge("not shown")


# --- voting -----------------------------------------------------------------------------------------------------------


def voting(view: View) -> Html:
    """Section: a vote among samples against single samples and greedy."""
    lead = (
        "Several sampled replies vote on the answer. Fair comparison: the vote against the average single sample of "
        "the same draw, on the same problems."
    )
    rows = _vote_rows(view)
    found = votes(view)
    if not rows:
        body = missing("Nothing was sampled. Draw eight samples of each problem:", view.again("solve.samples=8"))
        return section("voting", "Voting", lead, body)
    parts = [table("Accuracy by strategy", ("arm", "suite", "strategy", "0 \u2026 100 %", "accuracy"), rows, 3)]
    parts += [el("p", _vote_in_words(m)) for m in found if m.slice == "all"]
    if not found:
        parts.append(missing("The difference between vote and single sample. Measure it:", view.command))
    return section("voting", "Voting", lead, *parts, note(methods(found)))


def _vote_rows(view: View) -> list[Html]:
    rows = []
    keys = [k for k, m in view.facts.metrics.items() if k[0] == "accuracy" and k[4] == "all" and measured(m)]
    sampled = {(k[1], k[2]) for k in keys if "@" in k[3]}
    for suite, arm in dict.fromkeys((k[1], k[2]) for k in keys):
        if (suite, arm) not in sampled:
            continue
        for k in [k for k in keys if (k[1], k[2]) == (suite, arm)]:
            m = view.facts.metrics[k]
            rows.append(row(arm, suite, k[3], drawn(m, view.cast.of(arm).slot), cell(m), numeric=3))
    return rows


def _vote_in_words(metric: Metric) -> str:
    first, _, second = metric.strategy.partition("-")
    figures = f"{points(value(metric))} points {interval(metric, signed=True)}, {sample(metric)}"
    shown = metric.low is not None and metric.high is not None and not metric.low <= 0 <= metric.high
    ending = "" if shown else " No difference is shown."
    return f"{metric.model}, {metric.suite}: {first} against {second}, {figures}.{ending}"
