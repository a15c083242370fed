"""Base training of a student built here: fresh weights, and a tokenizer of its own texts where none is given."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from understudy import render, student, training
from understudy.recipe import Build, Compute, Pretrain
from understudy.records import Example, Loss, Message, Student
from understudy.sources.texts import Documents
from understudy.steps.pretrain.packing import Encode, contents, shares
from understudy.steps.pretrain.running import run
from understudy.store import Speed
from understudy.student import END_OF_TEXT, Loaded


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
    """The base and its learning curve, from questions with bare answers.

    `texts` are read by the tokenizer alone; `at` is the folder's name in the run.
    """
    tokenizer = _tokenizer(build, (t for part in (_contents(e.messages for e in examples), texts) for t in part))
    loaded = student.Loaded(student.build(build, tokenizer, seed), tokenizer)
    ready = training.preflight(examples, tokenizer, settings.max_length)
    say(training.told(ready, student.count(loaded.model)))
    plan = training.batches(ready.rows, settings, seed)
    curve = training.train(loaded, ready.rows, plan, settings, settings.rates[0], folder / "checkpoints", say, stop)
    yield training.keep(loaded, folder, at, base="built here")
    yield from curve


class Corpus(NamedTuple):
    """What texts are read through."""

    made: Mapping[str, Sequence[tuple[Message, ...]]]
    """The conversations of texts that are made here, by name."""
    leaks: Callable[[str], bool]
    """Whether a document of another text holds a test question."""


def base(
    corpus: Corpus,
    build: Build,
    settings: Pretrain,
    compute: Compute,
    seed: int,
    folder: Path,
    at: str,
    say: Callable[[str], None],
    stop: Callable[[], bool],
    measured: Callable[[Speed], None],
) -> Iterator[Student | Loss]:
    """The base and its learning curve, from a stream of plain text.

    `measured` is told how fast it went. What an unfinished run left in its checkpoints is used.

    Raises:
        KeyboardInterrupt: `stop` became true; a checkpoint was written first.
    """
    unread = _documents(corpus, settings, seed, lambda turns: "\n".join(_contents([turns])))
    tokenizer = _tokenizer(build, contents(list(unread.values()), settings.tokenizer_texts))
    texts = _documents(corpus, settings, seed, lambda turns: render.text(turns, tokenizer))
    encode = _encoder(tokenizer)
    first_late = round((1 - settings.late) * settings.batches) * settings.batch
    late = settings.anneal.texts if settings.anneal else ()
    drawn = shares({t.name: t.share for t in settings.texts}, {t.name: t.share for t in late}, first_late)
    fresh = Loaded(student.build(build, tokenizer, seed), tokenizer)
    say(_told(settings, student.count(fresh.model), drawn(0), drawn(first_late)))
    weights, curve = run(fresh, texts, drawn, encode, settings, compute, folder / "checkpoints", say, stop, measured)
    whole = Loaded(student.build(build, tokenizer, seed), tokenizer)
    whole.model.load_state_dict(weights)
    yield training.keep(whole, folder, at, base="built here")
    yield from curve


def _tokenizer(build: Build, texts: Iterable[str]) -> PreTrainedTokenizerBase:
    """The one that is given, else one trained on the texts."""
    if build.tokenizer is not None:
        return student.load_tokenizer(build.tokenizer)
    return student.train_tokenizer(texts, build.form.vocabulary)


def _encoder(tokenizer: PreTrainedTokenizerBase) -> Encode:
    """Every document ends with <|endoftext|>, or with the end of a turn where the tokenizer has no such token."""
    end = tokenizer.get_vocab().get(END_OF_TEXT, tokenizer.eos_token_id)
    return lambda texts: [[*ids, end] for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def _documents(
    corpus: Corpus, settings: Pretrain, seed: int, said: Callable[[tuple[Message, ...]], str]
) -> dict[str, Documents]:
    """Every text by its name; `said` writes a conversation that is made here as a document."""
    found = {}
    for text in settings.all_texts:
        made = None if text.path is not None else [said(turns) for turns in corpus.made[text.name]]
        leaks = corpus.leaks if made is None else None
        found[text.name] = Documents(text, made, settings.shuffle, seed, leaks)
    return found


def _told(settings: Pretrain, parameters: int, early: Mapping[str, float], late: Mapping[str, float]) -> str:
    """What is about to be learned, for the user to check."""
    tokens = settings.batches * settings.batch * settings.length
    mixed = ", ".join(f"{share:.0%} {name}" for name, share in early.items())
    end = f"; in the last {settings.late:.0%} of the steps " if settings.late else ""
    return (
        f"base training: {settings.batches} steps of {settings.batch} sequences of {settings.length}, "
        f"{tokens / 1e6:,.1f} M tokens; {parameters / 1e6:.2f} M parameters. Of the tokens {mixed}"
        + end
        + (", ".join(f"{share:.0%} {name}" for name, share in late.items()) if end else "")
    )


def _contents(conversations: Iterable[Sequence[Message]]) -> Iterator[str]:
    for turns in conversations:
        yield from (m.content for m in turns)
