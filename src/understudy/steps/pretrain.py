"""Base training of a student built here: a tokenizer from its own texts, fresh weights, questions with bare answers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from understudy import student, training
from understudy.recipe import Build, Pretrain
from understudy.records import Example, Loss, Student


def pretrain(
    examples: Sequence[Example],
    texts: Iterable[str],
    build: Build,
    settings: Pretrain,
    seed: int,
    folder: Path,
    at: str,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Iterator[Student | Loss]:
    """The base and its learning curve.

    `texts` are read by the tokenizer alone; `at` is the folder's name in the run.
    """
    tokenizer = student.train_tokenizer((t for part in (_contents(examples), texts) for t in part), build.vocabulary)
    loaded = student.Loaded(student.build(build, tokenizer, seed), tokenizer)
    ready = training.preflight(examples, tokenizer, settings.max_length)
    say(training.told(ready, student.count(loaded.model)))
    plan = training.batches(ready.rows, settings, seed)
    lr = settings.lr if isinstance(settings.lr, float) else settings.lr[0]
    curve = training.train(loaded, ready.rows, plan, settings, lr, folder / "checkpoints", say, stop)
    yield training.keep(loaded, folder, at, base="built here")
    yield from curve


def _contents(examples: Iterable[Example]) -> Iterator[str]:
    for example in examples:
        yield from (m.content for m in example.messages)
