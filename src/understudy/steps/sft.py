"""Fine-tuning on the mix, full or LoRA. Of several learning rates, and of several checkpoints, dev chooses."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from understudy import answers, student, training, workers
from understudy.recipe import Adapter, SelectBy, Selection, Sft
from understudy.records import Example, Kind, Loss, Metric, Rollout, Student
from understudy.stats import wilson
from understudy.student import Loaded
from understudy.training import Scored, Scorer


def sft(
    examples: Sequence[Example],
    base: Student,
    source: str,
    settings: Sft,
    seed: int,
    learn: int | None,
    score: Scorer,
    folder: Path,
    at: str,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Iterator[Student | Loss | Metric]:
    """The student, its learning curve, the trials of learning rates and what dev said of its checkpoints.

    `source` is where the base lies; `learn` is how many tokens to learn, where another arm decides it; `at` is the
    arm's folder in the run, and `folder` the same as a path. What an unfinished run left in its checkpoints is used.
    """
    student.check_adapter(settings)
    tokenizer = student.load(source).tokenizer
    ready = training.preflight(examples, tokenizer, settings.max_length)
    say(training.told(ready, base.parameters))
    plan = training.batches(ready.rows, settings, seed, learn)
    run = _Runs(source, ready, settings, seed, folder / "checkpoints", say, stop, score)
    rates = settings.rates
    best = rates[0]
    if len(rates) > 1:
        share = max(1, round(settings.search_share * len(plan)))
        trials = [run.trial(lr, plan[:share]) for lr in rates]
        best = rates[max(range(len(rates)), key=lambda i: trials[i].worth)]
        for lr, scored in zip(rates, trials, strict=True):
            yield from _said(at, settings, "dev", f"lr={lr:g}", scored)
        yield _chosen(at, "chosen_lr", best)
    select = settings.select is Selection.DEV
    loaded, curve = run.whole(best, plan, select)
    if select:
        found = training.scores(run.place(best, plan))
        for step, scored in found.items():
            yield from _said(at, settings, "point", f"step={step}", scored)
        yield _chosen(at, "chosen_step", training.best(found))
    yield training.keep(loaded, folder, at, base=base.hash, adapter=settings.adapter is not Adapter.FULL)
    yield from curve


def learned(examples: Sequence[Example], source: str, settings: Sft, seed: int) -> int:
    """How many tokens a run on these examples learns."""
    ready = training.preflight(examples, student.load(source).tokenizer, settings.max_length)
    return sum(ready.rows[i].learned for batch in training.batches(ready.rows, settings, seed) for i in batch)


def harmed(rolled: Iterable[Rollout]) -> int:
    """How many replies to chat probes are thought about, in a box, or not brought to an end."""
    return sum(_harmed(r) for r in rolled)


def _harmed(rollout: Rollout) -> bool:
    s = rollout.sample
    judged = answers.judge(s.text, None, Kind.OPEN, s.stop, s.thought)
    flags = answers.flags(s.text, "", Kind.OPEN, s.stop, s.thought, judged)
    return s.stop != "end" or judged.verdict == "cut_off" or bool({"think_on_chat", "box_on_chat"} & {*flags})


class _Runs:
    """Training runs that differ in their learning rate alone; a finished one is not trained again."""

    def __init__(
        self,
        source: str,
        ready: training.Preflight,
        settings: Sft,
        seed: int,
        folder: Path,
        say: Callable[[str], None],
        stop: Callable[[], bool],
        score: Scorer,
    ) -> None:
        self.source, self.ready, self.settings, self.seed = source, ready, settings, seed
        self.folder, self.say, self.stop, self.score = folder, say, stop, score

    def place(self, lr: float, plan: Sequence[Sequence[int]]) -> Path:
        """Where the checkpoints of that run lie."""
        return self.folder / f"{lr:g}-{len(plan)}"

    def trial(self, lr: float, plan: Sequence[Sequence[int]]) -> Scored:
        """What a run of that rate gets on dev."""
        done = self.place(lr, plan) / "score.json"
        if done.exists():
            scored = msgspec.json.decode(done.read_bytes(), type=Scored)
        else:
            loaded, _ = self.whole(lr, plan)
            scored = self.score(loaded)
            if workers.rank() == 0:  # of several processes each finds the same
                done.with_suffix(".part").write_bytes(msgspec.json.encode(scored))
                done.with_suffix(".part").replace(done)
        self.say(f"learning rate {lr:g}: {training.dev_told(scored)} after {len(plan)} steps")
        return scored

    def whole(self, lr: float, plan: Sequence[Sequence[int]], select: bool = False) -> tuple[Loaded, list[Loss]]:
        """The model after all of `plan`, from its last checkpoint on; `select`: as it was where dev liked it best."""
        settings, folder = self.settings, self.place(lr, plan)
        loaded = student.to_train(self.source, settings, self.seed)
        came = loaded.model.config.dtype
        steps = training.points(len(plan), settings.select_points)
        asking = training.Asking(self.score, steps, folder) if select else None
        curve = training.train(loaded, self.ready.rows, plan, settings, lr, folder, self.say, self.stop, asking)
        if select:
            best = training.best(training.scores(folder))
            training.restore(loaded.model, folder, best)
            self.say(f"chosen on dev: the student after step {best} of {len(plan)}")
        if settings.adapter is Adapter.FULL and came is not None:
            loaded.model.to(came)  # as the base is: it was trained in float32
        return loaded, curve


def _said(at: str, settings: Sft, what: str, where: str, scored: Scored) -> Iterator[Metric]:
    """What dev said, as figures with their intervals; of pass@k there is no simple one."""
    name = settings.select_by
    value = scored.right / scored.n if scored.n else None
    if name is SelectBy.ACCURACY:
        yield _share(at, f"{what}_accuracy", where, round(scored.right), scored.n)
    else:
        yield Metric(
            name=f"{what}_pass@{settings.select_k}",
            suite="dev",
            model=_arm(at),
            strategy=f"sample@{settings.select_k}",
            slice=where,
            value=None if value is None else round(value, 6),
            n=scored.n,
            method="pass@k",
        )
    if scored.chats:
        yield _share(at, f"{what}_chat_harm", where, scored.harmed, scored.chats)


def _share(at: str, name: str, where: str, count: int, n: int) -> Metric:
    value, low, high = (round(x, 6) for x in wilson(count, n))
    return Metric(
        name=name,
        suite="dev",
        model=_arm(at),
        strategy="greedy",
        slice=where,
        value=value,
        low=low,
        high=high,
        n=n,
        method="wilson",
    )


def _chosen(at: str, name: str, value: float) -> Metric:
    return Metric(name=name, suite="dev", model=_arm(at), strategy="greedy", value=value, n=1, method="argmax")


def _arm(at: str) -> str:
    return at.rpartition("/")[2]
