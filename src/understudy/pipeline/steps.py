"""What each step follows, reads and writes. Nothing is made here: whoever walks the steps decides what is."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from understudy.pipeline.making import Hands
from understudy.recipe import Generate, MixSource, Recipe, Solve, Spending, digest
from understudy.records import Record

STEPS = ("source", "pretrain", "generate", "curate", "mix", "sft", "solve", "evaluate", "report")
"""In the order in which they are made."""


class Step(NamedTuple):
    """One step of a run."""

    name: str
    """"curate", "arms/student/sft"."""
    follows: list[object]
    """The recipe's parts that decide what it makes."""
    files: tuple[str, ...]
    """Record files that it writes, under `at`."""
    make: Callable[[], Iterable[Record]]
    reads: tuple[str, ...] = ()
    """Record files that earlier steps made ("problems:train" is a part of one)."""
    paths: tuple[str | None, ...] = ()
    """The user's own files and Hub ids that it reads."""
    at: str = ""
    """Folder within the run's."""
    more: Callable[[], dict[str, str]] = dict
    """Hashes of parts of its files, for steps that read only those."""
    trains: bool = False
    """It leaves checkpoints while it is made."""

    @property
    def key(self) -> str:
        """Hash of what it follows."""
        return digest(msgspec.to_builtins(self.follows))

    @property
    def names(self) -> tuple[str, ...]:
        """Its files, from the run's folder on."""
        return tuple(f"{self.at}/{f}" if self.at else f for f in self.files)

    @property
    def verb(self) -> str:
        """One of `STEPS`: "arms/student/rollouts" is part of solve."""
        last = self.name.rpartition("/")[2]
        return {"rollouts": "solve", "scores": "evaluate"}.get(last, last)

    @property
    def arm(self) -> str | None:
        """The arm it belongs to; None = all share it."""
        return self.name.split("/")[1] if self.name.startswith("arms/") else None


def source(recipe: Recipe, hands: Hands) -> Step:
    return Step(
        "source",
        follows=[recipe.sources, recipe.seed, *_apart(recipe)],
        paths=tuple(path for s in recipe.sources for path in (s.path, s.corrections)),
        files=("problems", "rejected"),
        make=hands.problems,
        more=hands.split_hashes,
    )


def pretrain(recipe: Recipe, hands: Hands) -> Step:
    student, settings = recipe.student, recipe.pretrain
    if student.model is not None:
        return Step("pretrain", follows=[student], at="pretrain", files=("student", "losses"), make=hands.given)
    laid_out = [recipe.mix.layout] if any(s.name == "rationale" for s in settings.sources) else []
    return Step(
        "pretrain",
        follows=[student, settings, recipe.seed, *laid_out, *(_apart(recipe) if _read(settings.sources) else ())],
        reads=("problems:train", *_read(settings.sources)),
        paths=tuple(s.path for s in settings.sources),
        at="pretrain",
        files=("student", "losses"),
        make=hands.pretrained,
        trains=True,
    )


def generate(recipe: Recipe, hands: Hands) -> Step:
    return Step(
        "generate",
        follows=[asked(recipe.generate), recipe.seed],
        reads=("problems:train",),
        paths=(recipe.generate.teacher.path, recipe.generate.ask.file),
        files=("traces", "prompts"),
        make=hands.traces,
    )


def asked(settings: Generate) -> Generate:
    """The settings that decide what is asked: not what it may cost, nor where it is kept."""
    return msgspec.structs.replace(settings, price=None, budget=Spending(), store=None)


def curate(recipe: Recipe, hands: Hands) -> Step:
    asked = ("pretrain/student",) if recipe.curate.surprise_band is not None else ()
    return Step(
        "curate",
        follows=[recipe.curate],
        reads=("problems:train", "traces", *asked),
        files=("judged", "ledger", "pool"),
        make=hands.judged,
    )


def mix(name: str, arm: Recipe, hands: Hands) -> Step:
    return Step(
        f"arms/{name}/mix",
        follows=[arm.mix, arm.seed, *(_apart(arm) if _read(arm.mix.sources) else ())],
        reads=("problems:train", "judged", *_read(arm.mix.sources)),
        paths=tuple(s.path for s in arm.mix.sources),
        at=f"arms/{name}",
        files=("examples",),
        make=lambda: hands.examples(arm),
    )


def sft(name: str, named: Mapping[str, Recipe], hands: Hands) -> Step:
    """Of an arm that is skipped, the student is the base; else what it follows depends on how it is trained."""
    arm, at, files = named[name], f"arms/{name}", ("student", "losses", "trials")
    reads: list[str] = ["pretrain/student"]
    if arm.sft.skip:
        return Step(f"{at}/sft", [True], files, hands.base, tuple(reads), at=at)
    searched = isinstance(arm.sft.lr, tuple) and len(arm.sft.lr) > 1
    follows: list[object] = [arm.sft, arm.seed, *([arm.solve.max_tokens, arm.solve.batch] if searched else [])]
    reads += [f"{at}/examples", *(["problems:dev"] if searched else [])]
    other = arm.sft.learned_tokens_of
    if other is not None:
        reads.append(f"arms/{other}/examples")
        follows += [named[other].sft, named[other].seed]
    return Step(f"{at}/sft", follows, files, lambda: hands.tuned(name), tuple(reads), at=at, trains=True)


def rollouts(name: str, named: Mapping[str, Recipe], hands: Hands) -> Step:
    arm, at = named[name], f"arms/{name}"
    return Step(
        f"{at}/rollouts",
        follows=[drawn(arm.solve), arm.seed],
        reads=("problems:test", f"{at}/student"),
        at=at,
        files=("rollouts",),
        make=lambda: hands.rollouts(name, arm),
    )


def drawn(settings: Solve) -> Solve:
    """The settings that decide what is sampled: not the votes that are replayed on it."""
    return msgspec.structs.replace(settings, stops=(), stop_risk=Solve().stop_risk, stop_window=Solve().stop_window)


def solve(name: str, named: Mapping[str, Recipe], hands: Hands) -> Step:
    arm, at = named[name], f"arms/{name}"
    return Step(
        f"{at}/solve",
        follows=[arm.solve],
        reads=("problems:test", f"{at}/rollouts"),
        at=at,
        files=("predictions",),
        make=lambda: hands.predictions(name, arm),
    )


def scores(named: Mapping[str, Recipe], hands: Hands) -> Step:
    return Step(
        "evaluate/scores",
        follows=[list(named)],
        reads=("problems:test", *_of_arms(named, "rollouts", "predictions", "trials")),
        files=("scores",),
        make=lambda: hands.scores(list(named)),
    )


def evaluate(recipe: Recipe, named: Mapping[str, Recipe], hands: Hands) -> Step:
    trials = _of_arms(named, "trials")
    return Step(
        "evaluate",
        follows=[recipe.evaluate, list(named)],
        reads=("scores", *trials),
        files=("metrics",),
        make=lambda: hands.metrics(list(named), trials),
    )


def _apart(recipe: Recipe) -> tuple[object, ...]:
    """What keeps tests apart from training."""
    return recipe.overlap_words, recipe.overlap_share


def _read(sources: Iterable[MixSource]) -> tuple[str, ...]:
    """What conversations out of a file are compared with; those made here hold no test."""
    return ("problems:test",) if any(source.path is not None for source in sources) else ()


def _of_arms(named: Mapping[str, Recipe], *files: str) -> tuple[str, ...]:
    return tuple(f"arms/{name}/{file}" for name in named for file in files)
