"""Base training on text: where each text comes from, and that no test question is in it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from understudy.recipe import Text
from understudy.records import Message, Record, Split
from understudy.sources.overlap import Tests

if TYPE_CHECKING:  # that room imports this one
    from understudy.pipeline.making import Hands

MADE = 10_000
"""Conversations of a text that is made here and never ends."""


def based(hands: "Hands") -> Iterator[Record]:
    """The base and its learning curve."""
    # Imported here, so that everything but training and local sampling works without torch.
    from understudy.steps.pretrain import Corpus, base

    recipe = hands.recipe
    settings = recipe.pretrain
    made = {t.name: _made(hands, t) for t in settings.all_texts if t.path is None}
    return base(
        Corpus(made, _leaks(hands)),
        recipe.student.build,
        settings,
        recipe.compute,
        recipe.seed,
        hands.run.folder / "pretrain",
        "pretrain",
        (lambda line: None) if "pretrain" in hands.ahead else hands.teller.say,  # the processes have said it all
        hands.teller.stop,
        lambda speed: hands.run.sped("pretrain", speed),
    )


def _made(hands: "Hands", text: Text) -> list[tuple[Message, ...]]:
    from understudy.sources.chat import small_talk
    from understudy.sources.sums import sums
    from understudy.steps.mix import bare, rationales

    seed = hands.recipe.seed
    made: dict[str, Callable[[], Iterable[tuple[Message, ...]]]] = {
        "bare": lambda: (e.messages for e in bare(hands._learnable(Split.TRAIN))),
        "rationale": lambda: (e.messages for e in rationales(hands._learnable(Split.TRAIN), hands.recipe.mix)),
        "small_talk": lambda: islice(small_talk(seed), text.limit or MADE),
        "sums": lambda: islice(sums(seed), text.limit or MADE),
    }
    return list(islice(made[text.name](), text.limit))


def _leaks(hands: "Hands") -> Callable[[str], bool]:
    """Whether a document holds a test question."""
    words = hands.recipe.overlap_words
    if words is None or all(text.path is None for text in hands.recipe.pretrain.all_texts):  # made here, without tests
        return lambda document: False
    tests = Tests(hands._of(Split.TEST), words, hands.recipe.overlap_share)
    return lambda document: tests.leak_text(document) is not None
