"""What shares its question with a test is marked, wherever it is learned from; and nothing else is."""

from pathlib import Path

import msgspec
import pytest

from understudy import sources
from understudy.recipe import Counts, Source
from understudy.records import Kind, Option, Problem, Rejected, Split
from understudy.sources.overlap import marked

DATA = Path(__file__).parents[3] / "shared" / "data"

QUESTION = "A box holds 12 eggs and a farmer fills 3 boxes and then adds 4 more eggs. How many eggs are there?"
THIRTEEN = "box holds 12 eggs and a farmer fills 3 boxes and then adds"
OPTIONS = (Option(label="A", text="zoo"), Option(label="B", text="wooded area"))


def make_problem(number=0, question=QUESTION, split="train", **change):
    return Problem(id=f"eggs/{split}/{number}", question=question, source="eggs", split=Split(split), **change)


def overlap(problem, tests, words=13):
    """What is said of the problem, which stands before the tests."""
    first, *rest = marked(lambda: [problem, *tests], words)
    assert rest == tests
    return first.overlap


def leak(question, *tests, options=(), words=13):
    asked = [make_problem(i, q, "test", choices=o) for i, (q, o) in enumerate(tests)]
    return overlap(make_problem(question=question, choices=options), asked, words)


@pytest.mark.parametrize(
    "question", [QUESTION.upper(), f'"{QUESTION}"', QUESTION.replace(". ", " .\n "), QUESTION.rstrip("?")]
)
def test_the_same_question_is_found_however_it_is_written(question):
    assert leak(question, (QUESTION, ())) == "same question as eggs/test/0"


def test_thirteen_words_in_a_row_are_a_leak_and_twelve_are_none():
    assert leak(QUESTION, (f"Once a {THIRTEEN} salt.", ())) == f"14 words as in eggs/test/0: 'a {THIRTEEN}'"
    assert leak(QUESTION, (f"Once the {THIRTEEN} salt.", ())) == f"13 words as in eggs/test/0: '{THIRTEEN}'"
    assert leak(QUESTION, (THIRTEEN.removesuffix(" adds") + " salt", ())) is None
    assert leak(QUESTION, (THIRTEEN.removesuffix(" adds") + " salt", ()), words=12) is not None


def test_short_questions_must_be_equal():
    assert leak("Where is a good place to put a rose?", ("Where is a good place to put a hamburger?", ())) is None
    assert leak("What is 2 - 3?", ("What is 2 + 3?", ())) is None
    assert leak("What is 2 - 3?", ("what is  2 - 3", ())) == "same question as eggs/test/0"


def test_a_general_question_with_other_options_is_another():
    rocks = (Option(label="A", text="basalt"), Option(label="B", text="granite"))
    assert leak("Which of these is true?", ("Which of these is true?", OPTIONS), options=rocks) is None
    assert leak("Which of these is true?", ("Which of these is true?", OPTIONS), options=OPTIONS[::-1]) is not None
    assert leak("Which of these is true?", ("Which of these is true?", OPTIONS)) is not None


def test_words_of_many_tests_are_a_phrase_but_variants_count_once():
    many = [make_problem(i, f"Number {i}: a {THIRTEEN} nothing.", "test") for i in range(11)]
    variants = [msgspec.structs.replace(p, parent="eggs/test/0") for p in many]
    assert overlap(make_problem(), many[:10]) is not None
    assert overlap(make_problem(), many) is None
    assert overlap(make_problem(), variants) is not None


def test_every_split_but_the_test_is_marked_and_the_rest_comes_as_it_is():
    rejected = Rejected(path="eggs.csv", line=3, why="no question", raw="")
    rows = [make_problem(split=split) for split in Split] + [rejected, make_problem(1, "How many hens?")]
    got = list(marked(lambda: iter(rows), 13))
    assert [(p.split.value, p.overlap) for p in got[:4]] == [
        ("train", "same question as eggs/test/0"),
        ("dev", "same question as eggs/test/0"),
        ("calibration", "same question as eggs/test/0"),
        ("test", None),
    ]
    assert got[3:] == rows[3:]


def test_without_a_number_of_words_nothing_is_looked_for():
    passes = []

    def load():
        passes.append(1)
        return iter([make_problem(), make_problem(split="test")])

    assert [p.overlap for p in marked(load, None)] == [None, None]
    assert len(passes) == 1


def test_no_row_is_held_back():
    """A million rows do not have to fit: the first comes out before the second pass has read the second."""
    read = []

    def load():
        for i in range(3):
            read.append(i)
            yield make_problem(i)

    next(marked(load, 13))
    assert read == [0, 1, 2, 0]


def test_made_problems_share_little():
    source = Source(name="word_problems", counts=Counts(train=300, test=200))
    train = [p for p in marked(lambda: sources.load([source], 0), 13) if p.split == "train"]
    assert sum(p.overlap is not None for p in train) <= 0.1 * len(train)


@pytest.mark.skipif(not DATA.is_dir(), reason="no local copies of public sets")
def test_all_questions_that_two_public_sets_share_are_found():
    path = str(DATA / "distilling_step_by_step" / "svamp_train.jsonl")
    named = [
        Source(name="svamp_palm", path=path, kind=Kind.NUMBER, split="train"),
        Source(name="svamp", path=str(DATA / "svamp")),
    ]
    got = [p for p in marked(lambda: sources.load(named, 0), 13) if isinstance(p, Problem)]
    train = [p for p in got if p.source == "svamp_palm"]
    assert (len(train), sum(p.split == "test" for p in got)) == (800, 300)
    assert sum((p.overlap or "").startswith("same question as svamp/test/") for p in train) == 100
