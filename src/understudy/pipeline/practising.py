"""What dev says of a student that practises: by the greedy reply, by samples, and by what talk does to it."""

from collections.abc import Callable, Sequence

import msgspec

from understudy.answers import judge
from understudy.engines.drawing import Drawing
from understudy.engines.local import Local
from understudy.pipeline.mixing import plainly
from understudy.recipe import Recipe
from understudy.records import Problem, Sample, Sampling, Verdict
from understudy.sources.dev_probes import dev_probes
from understudy.steps.sft import harmed
from understudy.steps.solve import rollouts
from understudy.student import Loaded
from understudy.training import Scored


def on_dev_sampled(loaded: Loaded, dev: Sequence[Problem], arm: Recipe, stop: Callable[[], bool]) -> Scored:
    """Problems of dev solved, half by the greedy reply and half by the mean of the samples, and chat probes harmed.

    What practice is to raise is the share of right samples; that the greedy reply does not fall counts as much.
    """
    how = arm.rl
    assert how is not None
    ask = plainly(arm)
    draw, asked = Drawing(loaded, how.batch), [ask(p) for p in dev]

    def solved(n: int, temperature: float) -> float:
        drawn = draw(asked, Sampling(n=n, temperature=temperature, max_tokens=how.max_tokens, seed=arm.seed))
        return sum(_right(d.sample, dev[d.prompt]) for d in drawn) / n

    chats = list(dev_probes())
    greedy = msgspec.structs.replace(arm.solve, greedy=True, samples=0, limit=None)
    engine = Local(loaded, "dev", arm.solve.batch)
    harm = harmed(list(rollouts(chats, engine, greedy, "dev", arm.seed, lambda done, total: None, stop, ask)))
    return Scored((solved(1, 0.0) + solved(how.dev_samples, how.temperature)) / 2, len(dev), harm, len(chats))


def _right(sample: Sample, problem: Problem) -> bool:
    read = judge(sample.text, problem.answer, problem.kind, sample.stop, sample.thought, choices=problem.choices)
    return read.verdict is Verdict.RIGHT
