"""The story of a run: every step in order, what it follows and what it reads. A step that is made already is kept."""

import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import msgspec

from understudy import engines, sources, store, workers
from understudy.errors import RecipeError, UserError
from understudy.recipe import MixSource, Recipe, arms, digest
from understudy.records import Message, Problem, Record, Rejected, Split, Student
from understudy.sources.overlap import marked
from understudy.store import Made, Rows, Run, Timing

STEPS = ("source", "pretrain", "generate", "curate", "mix", "sft", "solve", "evaluate", "report")
"""In the order in which they are made. From mix to solve each arm has its own."""


class Teller(Protocol):
    """Whoever watches a run."""

    def say(self, line: str) -> None:
        """One line for a person."""

    def tick(self, done: int, total: int) -> None:
        """Progress inside a step."""

    def stop(self) -> bool:
        """Whether to finish what is in flight and leave."""


def distil(
    recipe: Recipe, run: Run, teller: Teller, only: str | None = None, start: str | None = None, command: str = ""
) -> None:
    """Make what the recipe asks for in the run folder; keep what is made already.

    `only` makes that step alone, `start` makes that step and all after it anew.

    Raises:
        KeyboardInterrupt: the teller said stop; what was in flight is on disk.
        UnderstudyError: a step failed; the steps before it are kept.
    """
    for step in (only, start):
        if step is not None and step not in STEPS:
            raise UserError(f"There is no step '{step}'. The steps are: {', '.join(STEPS)}.")
    with run.locked():
        work = _Work(recipe, run, teller, only, start)
        work.source()
        work.pretrain()
        work.generate()
        work.curate()
        named = arms(recipe)
        for name, arm in named.items():
            work.mix(name, arm)
        work.train_ahead(named)
        for name, arm in named.items():
            work.sft(name, arm)
            work.solve(name, arm)
        work.evaluate(named)
        work.report(command)


class _Work:
    """One pass over the steps of a run."""

    def __init__(self, recipe: Recipe, run: Run, teller: Teller, only: str | None, start: str | None) -> None:
        self.recipe, self.run, self.teller = recipe, run, teller
        self.only, self.start = only, start
        self.manifest = run.manifest()
        self.ahead: set[str] = set()
        """Fine-tuning steps whose checkpoints were made side by side in this pass."""

    # --- the steps ----------------------------------------------------------------------------------------------------

    def source(self) -> None:
        recipe = self.recipe
        self._step(
            "source",
            settings=[recipe.sources, recipe.seed, recipe.overlap_words],
            reads=_paths(s.path for s in recipe.sources),
            files=("problems", "rejected"),
            make=lambda: marked(lambda: sources.load(recipe.sources, recipe.seed), recipe.overlap_words),
            more=lambda: {f"problems:{split}": h for split, h in self._split_hashes().items()},
        )

    def pretrain(self) -> None:
        recipe, student = self.recipe, self.recipe.student
        built = student.model is None
        laid_out = [recipe.mix.layout] if any(s.name == "rationale" for s in recipe.pretrain.sources) else []
        self._step(
            "pretrain",
            settings=[student, recipe.pretrain, recipe.seed, *laid_out] if built else [student],
            reads=self._hash("problems:train") | _paths(s.path for s in recipe.pretrain.sources) if built else {},
            at="pretrain",
            files=("student", "losses"),
            make=self._pretrain if built else self._given,
            trains=built,
        )

    def generate(self) -> None:
        settings = self.recipe.generate
        self._step(
            "generate",
            settings=[settings, self.recipe.seed],
            reads=self._hash("problems:train") | _paths([settings.teacher.path]),
            files=("traces",),
            make=self._generate,
        )

    def curate(self) -> None:
        from understudy.steps.curate import curate

        self._step(
            "curate",
            settings=[self.recipe.curate],
            reads=self._hash("problems:train", "traces"),
            files=("judged",),
            make=lambda: curate(self.run.rows("traces"), self._by_id(Split.TRAIN), self.recipe.curate, self.teller.say),
        )

    def mix(self, name: str, arm: Recipe) -> None:
        from understudy.steps.mix import mix

        if arm.sft.skip:
            return
        self._step(
            f"arms/{name}/mix",
            settings=[arm.mix, arm.seed],
            reads=self._hash("problems:train", "judged") | _paths(s.path for s in arm.mix.sources),
            at=f"arms/{name}",
            files=("examples",),
            make=lambda: mix(
                self.run.rows("judged"),
                self._by_id(Split.TRAIN),
                self._conversations(arm.mix.sources, arm),
                arm.mix,
                arm.seed,
                self.teller.say,
            ),
        )

    def train_ahead(self, named: Mapping[str, Recipe]) -> None:
        """Train the arms side by side, where the recipe asks for it; `sft` then finds their last checkpoints."""
        todo = [name for name in named if self._wanted("sft") and not named[name].sft.skip and self._stale(name, named)]
        at_once = min(self.recipe.workers, os.cpu_count() or 1, len(todo))
        if at_once < 2:
            return
        for name in todo:
            settings, reads = self._sft_key(name, named)
            self.run.scratch(f"arms/{name}", digest([_key(settings), reads]), self._anew("sft"))
            self.ahead.add(f"arms/{name}/sft")
        # Longest first: what learns as many tokens as another takes many times its steps.
        todo.sort(key=lambda name: named[name].sft.learned_tokens_of is None)
        self.teller.say(f"{'sft':<26} … {', '.join(todo)}: {at_once} at a time{self._expected('sft')}")
        begun = time.monotonic()
        calls = [(self.recipe, str(self.run.folder), name) for name in todo]
        for i in workers.side_by_side(_train_arm, calls, at_once, self.teller.say, self.teller.stop):
            self.teller.say(f"{calls[i][2]}: trained")
        self._timed("sft", begun, at_once)

    def sft(self, name: str, arm: Recipe) -> None:
        at = f"arms/{name}"
        settings, reads = self._sft_key(name, arms(self.recipe))
        self._step(
            f"{at}/sft",
            settings=settings,
            reads=reads,
            at=at,
            files=("student", "losses", "trials"),
            make=(lambda: iter(self.run.rows("pretrain/student"))) if arm.sft.skip else (lambda: self.tune(name)),
            trains=not arm.sft.skip,
        )

    def _sft_key(self, name: str, named: Mapping[str, Recipe]) -> tuple[list[object], dict[str, str]]:
        """What an arm's fine-tuning follows, and what it reads."""
        arm, reads = named[name], self._hash("pretrain/student")
        if arm.sft.skip:
            return [arm.sft.skip], reads
        searched = isinstance(arm.sft.lr, tuple) and len(arm.sft.lr) > 1
        reads |= self._hash(f"arms/{name}/examples", *(["problems:dev"] if searched else []))
        follows: list[object] = [arm.sft, arm.seed, *([arm.solve.max_tokens, arm.solve.batch] if searched else [])]
        other = arm.sft.learned_tokens_of
        if other is not None:
            reads |= self._hash(f"arms/{other}/examples")
            follows += [named[other].sft, named[other].seed]
        return follows, reads

    def _stale(self, name: str, named: Mapping[str, Recipe]) -> bool:
        settings, reads = self._sft_key(name, named)
        return not self._kept(f"arms/{name}/sft", _key(settings), reads, [f"arms/{name}/student"])

    def solve(self, name: str, arm: Recipe) -> None:
        from understudy.steps.solve import predictions

        at = f"arms/{name}"
        self._step(
            f"{at}/rollouts",
            settings=[arm.solve, arm.seed],
            reads=self._hash("problems:test", f"{at}/student"),
            at=at,
            files=("rollouts",),
            make=lambda: self._rollouts(name, arm),
        )
        self._step(
            f"{at}/solve",
            settings=[arm.solve],
            reads=self._hash("problems:test", f"{at}/rollouts"),
            at=at,
            files=("predictions",),
            make=lambda: predictions(self.run.rows(f"{at}/rollouts"), self._by_id(Split.TEST), arm.solve),
        )

    def evaluate(self, named: Mapping[str, Recipe]) -> None:
        from understudy.steps import evaluate

        parts = [f"arms/{name}/{file}" for name in named for file in ("rollouts", "predictions", "trials")]
        tests = self._by_id(Split.TEST) if self._wanted("evaluate") else {}
        self._step(
            "evaluate/scores",
            settings=[list(named)],
            reads=self._hash("problems:test", *parts),
            files=("scores",),
            make=lambda: chain.from_iterable(
                evaluate.score(self.run.rows(f"arms/{name}/predictions"), self.run.rows(f"arms/{name}/rollouts"), tests)
                for name in named
            ),
        )
        self._step(
            "evaluate",
            settings=[self.recipe.evaluate, list(named)],
            reads=self._hash("scores", *(p for p in parts if p.endswith("trials"))),
            files=("metrics",),
            make=lambda: chain(
                evaluate.metrics(self.run.rows("scores"), self.recipe.evaluate, list(named)),
                *(self.run.rows(p) for p in parts if p.endswith("trials")),
            ),
        )

    def report(self, command: str) -> None:
        path = self.run.folder / "report.html"
        key = digest(msgspec.to_builtins(self.recipe))
        reads = {name: h for made in self.manifest.values() if made.step != "report" for name, h in made.files.items()}
        made = self.manifest.get("report")
        fresh = made is not None and store.same_reads(made, reads, key) and path.exists()
        if not self._wanted("report") or (fresh and not self._anew("report")):
            return
        from understudy.steps.report import page

        begun = time.monotonic()
        self.run.forget("report")
        store.replace(path, page(inputs(self.recipe, self.run, command)).encode())
        self._finished("report", key, reads, {})
        self._timed("report", begun)

    # --- what they are made with --------------------------------------------------------------------------------------

    def _pretrain(self) -> Iterator[Record]:
        # Imported here, so that everything but training and local sampling works without torch.
        from understudy.steps.mix import bare, blend
        from understudy.steps.pretrain import pretrain

        settings, seed = self.recipe.pretrain, self.recipe.seed
        others = self._conversations(settings.sources, self.recipe)
        train = list(self._learnable(Split.TRAIN))
        mixed = blend(list(bare(train)), others, settings.sources, settings.rows, seed, self.teller.say)
        return pretrain(
            list(mixed),
            [p.rationale for p in train if p.rationale],
            self.recipe.student.build,
            settings,
            seed,
            self.run.folder / "pretrain",
            "pretrain",
            self.teller.say,
            self.teller.stop,
        )

    def _given(self) -> Iterator[Student]:
        from understudy.student import describe

        yield describe(str(self.recipe.student.model))

    def _generate(self) -> Iterator[Record]:
        from understudy.engines.cached import Cached
        from understudy.steps.generate import generate

        settings = self.recipe.generate
        train = list(islice(_from(self._of(Split.TRAIN), settings.sources), settings.limit))
        teacher = engines.teacher(settings.teacher, {p.id: p for p in train})
        # What costs nothing to draw again is not kept twice: the oracle's and the replayed traces are on record anyway.
        paid = settings.teacher.engine not in ("oracle", "replay")
        model = digest(msgspec.to_builtins(settings.teacher))
        together = settings.teacher.engine == "local"
        engine = Cached(teacher, self.run.folder / "samples" / "teacher.jsonl", model, together) if paid else teacher
        try:
            yield from generate(train, engine, settings, self.recipe.seed, self.teller.tick, self.teller.stop)
        finally:
            engine.close()

    def tune(self, name: str) -> Iterator[Record]:
        """An arm's student, its learning curve and its trials; continues from the checkpoints that are there."""
        from understudy.engines.local import Local
        from understudy.steps.sft import learned, sft
        from understudy.steps.solve import right, rollouts
        from understudy.student import Loaded

        named = arms(self.recipe)
        arm, at = named[name], f"arms/{name}"
        dev = list(self._learnable(Split.DEV))

        def score(loaded: Loaded) -> tuple[int, int]:
            how = msgspec.structs.replace(arm.solve, greedy=True, samples=0, limit=None)
            engine = Local(loaded, "dev", how.batch)
            rolled = rollouts(dev, engine, how, "dev", arm.seed, lambda done, total: None, self.teller.stop)
            return right(rolled, {p.id: p for p in dev}), len(dev)

        base: Student = next(iter(self.run.rows("pretrain/student")))
        other, learn = arm.sft.learned_tokens_of, None
        if other is not None:
            taught = list(self.run.rows(f"arms/{other}/examples"))
            learn = learned(taught, self._place(base), named[other].sft, named[other].seed)
        yield from sft(
            list(self.run.rows(f"{at}/examples")),
            base,
            self._place(base),
            arm.sft,
            arm.seed,
            learn,
            score,
            self.run.folder / at,
            at,
            (lambda line: None) if f"{at}/sft" in self.ahead else self.teller.say,  # the worker has said it all
            self.teller.stop,
        )

    def _rollouts(self, name: str, arm: Recipe) -> Iterator[Record]:
        from understudy.engines.cached import Cached
        from understudy.engines.local import Local
        from understudy.steps.solve import rollouts
        from understudy.student import load

        student: Student = next(iter(self.run.rows(f"arms/{name}/student")))
        local = Local(load(self._place(student)), name, arm.solve.batch)
        engine = Cached(local, self.run.folder / "samples" / f"{name}.jsonl", f"{student.hash}/{arm.solve.batch}", True)
        tests = list(self._of(Split.TEST))
        try:
            yield from rollouts(tests, engine, arm.solve, name, arm.seed, self.teller.tick, self.teller.stop)
        finally:
            engine.close()

    # --- how a step is kept or made -----------------------------------------------------------------------------------

    def _step(
        self,
        step: str,
        settings: Sequence[object],
        reads: dict[str, str],
        files: Sequence[str],
        make: Callable[[], Iterable[Record]],
        at: str = "",
        more: Callable[[], dict[str, str]] = dict,
        trains: bool = False,
    ) -> None:
        """Keep what is made already from the same settings and the same files; else make it."""
        key = _key(settings)
        names = [f"{at}/{f}" if at else f for f in files]
        fresh = self._kept(step, key, reads, names)
        if not self._wanted(step) or (fresh and not self._anew(step)):
            if fresh:
                self.teller.say(f"{step:<26} kept")
                if trains:  # a kill may have come between the last word on a step and this
                    self.run.tidy(at)
            return
        if self.teller.stop():
            raise KeyboardInterrupt
        self.teller.say(f"{step:<26} …{self._expected(step)}")
        begun = time.monotonic()
        self.run.forget(step)
        if trains:
            self.run.scratch(at, digest([key, reads]), self._anew(step) and step not in self.ahead)
        hashes = store.write(self.run, at, files, make())
        self._finished(step, key, reads, hashes | more())
        if trains:
            self.run.tidy(at)
        self._timed(step, begun)
        counts = ", ".join(f"{len(Rows(self.run.path(n), Record))} {n.rpartition('/')[2]}" for n in names)
        self.teller.say(f"{step:<26} {counts} ({time.monotonic() - begun:.1f} s)")

    def _kept(self, step: str, key: str, reads: dict[str, str], names: Sequence[str]) -> bool:
        made = self.manifest.get(step)
        return made is not None and store.same_reads(made, reads, key) and all(map(self.run.has, names))

    def _finished(self, step: str, settings: str, reads: dict[str, str], files: dict[str, str]) -> None:
        made = Made(step=step, settings=settings, reads=reads, files=files, seed=self.recipe.seed, versions=versions())
        self.run.finished(made)
        self.manifest[step] = made

    def _wanted(self, step: str) -> bool:
        return self.only is None or _verb(step) == self.only

    def _anew(self, step: str) -> bool:
        return self.start is not None and STEPS.index(_verb(step)) >= STEPS.index(self.start)

    def _expected(self, step: str) -> str:
        minutes = self._budget(step)
        return f" about {minutes:g} min" if minutes else ""

    def _budget(self, step: str) -> float | None:
        return self.recipe.minutes.get(step) or self.recipe.minutes.get(_verb(step))

    def _timed(self, step: str, begun: float, beside: int = 0) -> None:
        """`beside`: processes that ran side by side; each is counted with the most that any child has held."""
        own, child = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        peak = (own + beside * child) / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        self.run.timed(
            Timing(
                step=step.rpartition("/")[2],
                arm=step.split("/")[1] if step.startswith("arms/") else None,
                seconds=round(time.monotonic() - begun, 2),
                budget=self._budget(step),
                peak_mib=round(peak),
            )
        )

    def _hash(self, *names: str) -> dict[str, str]:
        """Hashes of files that earlier steps made.

        Raises:
            UserError: one is not made yet (with --only).
        """
        known = {name: h for made in self.manifest.values() for name, h in made.files.items()}
        missing = [n for n in names if n not in known]
        if missing and self.only is None:
            raise UserError(f"{self.run.folder}: {missing[0]} is not made yet. Run without --only first.")
        return {n: known.get(n, "") for n in names}

    def _split_hashes(self) -> dict[str, str]:
        """One hash per split, so that more test problems do not train anything anew."""
        found: dict[Split, list[Any]] = {split: [] for split in Split}
        for problem in self.run.rows("problems"):
            found[problem.split].append(digest(msgspec.to_builtins(problem)))
        return {split: digest(hashes) for split, hashes in found.items()}

    def _of(self, split: Split) -> Iterator[Problem]:
        return (p for p in self.run.rows("problems") if p.split is split)

    def _learnable(self, split: Split) -> Iterator[Problem]:
        """Those of a split that a student may be taught or chosen with: they share nothing with a test."""
        return (p for p in self._of(split) if p.overlap is None)

    def _by_id(self, split: Split) -> dict[str, Problem]:
        return {p.id: p for p in self._of(split)}

    def _place(self, student: Student) -> str:
        """Where a student lies: in the run folder, or at its own path or Hub id."""
        inside = self.run.folder / student.path
        return str(inside) if inside.exists() else student.path

    def _conversations(self, wanted: Sequence[MixSource], arm: Recipe) -> dict[str, Iterable[tuple[Message, ...]]]:
        from understudy.sources.chat import small_talk
        from understudy.sources.conversations import conversations
        from understudy.sources.sums import sums
        from understudy.steps.mix import rationales

        made: dict[str, Callable[[MixSource], Iterable[tuple[Message, ...]]]] = {
            "small_talk": lambda _: small_talk(arm.seed),
            "sums": lambda _: sums(arm.seed),
            "rationale": lambda s: rationales(_from(self._learnable(Split.TRAIN), s.of), arm.mix.layout),
        }
        found: dict[str, Iterable[tuple[Message, ...]]] = {}
        for source in wanted:
            if source.path is not None:
                read = conversations(source.path, source.limit)
                found[source.name] = (c for c in read if not isinstance(c, Rejected))
            elif source.name in made:
                found[source.name] = made[source.name](source)
            else:
                raise RecipeError(
                    f"mix: sources: '{source.name}' is none of {', '.join(made)}. "
                    "Give the file or Hub id it is in: path."
                )
        return found


def _from(problems: Iterable[Problem], names: Sequence[str]) -> Iterator[Problem]:
    """Those of the named sources; of all where none is named."""
    return (p for p in problems if not names or p.source in names)


def _key(settings: Sequence[object]) -> str:
    return digest(msgspec.to_builtins(list(settings)))


class _Worker:
    """The teller of a worker: lines go to the parent."""

    def __init__(self, name: str) -> None:
        self.name = name

    def say(self, line: str) -> None:
        workers.said(f"{self.name}: {line}")

    def tick(self, done: int, total: int) -> None:
        """Nobody watches."""

    def stop(self) -> bool:
        return workers.stopped()


def _train_arm(recipe: Recipe, folder: str, name: str) -> None:
    """In a worker: an arm as far as its last checkpoint. The parent makes the records from it."""
    for _ in _Work(recipe, Run(Path(folder)), _Worker(name), None, None).tune(name):
        pass


def inputs(recipe: Recipe, run: Run, command: str) -> Any:
    """What the report is made from; what is not there is empty."""
    from understudy.steps.report import Inputs

    def rows(name: str) -> Iterable[Any]:
        return run.rows(name) if run.has(name) else ()

    named = list(arms(recipe))
    places = {"pretrain": "pretrain", **{name: f"arms/{name}" for name in named}}
    students = {name: next(iter(rows(f"{at}/student")), None) for name, at in places.items()}
    return Inputs(
        recipe=recipe,
        command=command,
        versions=versions(),
        problems=rows("problems"),
        rejected=rows("rejected"),
        judged=rows("judged"),
        examples={name: rows(f"arms/{name}/examples") for name in named if run.has(f"arms/{name}/examples")},
        losses={name: rows(f"{at}/losses") for name, at in places.items() if run.has(f"{at}/losses")},
        students={name: s for name, s in students.items() if s is not None},
        scores=rows("scores"),
        metrics=rows("metrics"),
        rollouts={name: rows(f"arms/{name}/rollouts") for name in named if run.has(f"arms/{name}/rollouts")},
        timings=run.timings(),
    )


def versions() -> dict[str, str]:
    """Of Python and of the libraries that a run depends on."""
    found = {"python": platform.python_version()}
    for name in ("understudy", "torch", "transformers", "trl", "peft", "accelerate", "datasets"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _verb(step: str) -> str:
    """The step's name without its arm and part: "arms/student/rollouts" is part of solve.

    >>> _verb("arms/student/rollouts"), _verb("evaluate/scores"), _verb("curate")
    ('solve', 'evaluate', 'curate')
    """
    last = step.rpartition("/")[2]
    return {"rollouts": "solve", "scores": "evaluate"}.get(last, last)


def _paths(named: Iterable[str | None]) -> dict[str, str]:
    """Hashes of the user's own files; a Hub id stands for itself."""
    found = {}
    for name in named:
        if name is not None:
            path = Path(name)
            found[name] = store.hash_file(path) if path.exists() else "hub"
    return found
