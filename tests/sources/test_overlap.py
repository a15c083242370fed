"""What shares its question with a test is marked, wherever it is learned from; and nothing else is."""

import random
from pathlib import Path

import msgspec
import pytest

from understudy import sources
from understudy.recipe import Counts, Source
from understudy.records import Kind, Message, Option, Problem, Rejected, Split
from understudy.sources.overlap import NEARLY, Tests, marked

DATA = Path(__file__).parents[3] / "shared" / "data"

QUESTION = "A box holds 12 eggs and a farmer fills 3 boxes and then adds 4 more eggs. How many eggs are there?"
THIRTEEN = "box holds 12 eggs and a farmer fills 3 boxes and then adds"
OPTIONS = (Option(label="A", text="zoo"), Option(label="B", text="wooded area"))


def make_problem(number=0, question=QUESTION, split="train", **change):
    return Problem(id=f"eggs/{split}/{number}", question=question, source="eggs", split=Split(split), **change)


def found(problem, tests, words=13, share=0.5):
    """What is said of the problem, which stands before the tests: why it is not learned from, and what is let pass."""
    first, *rest = marked(lambda: [problem, *tests], words, share)
    assert rest == tests
    return first.overlap, first.resembles


def overlap(problem, tests, words=13):
    return found(problem, tests, words, 0)[0]


def leak(question, *tests, options=(), words=13):
    asked = [make_problem(i, q, "test", choices=o) for i, (q, o) in enumerate(tests)]
    return overlap(make_problem(question=question, choices=options), asked, words)


@pytest.mark.parametrize(
    "question", [QUESTION.upper(), f'"{QUESTION}"', QUESTION.replace(". ", " .\n "), QUESTION.rstrip("?")]
)
def test_the_same_question_is_found_however_it_is_written(question):
    assert leak(question, (QUESTION, ())) == "same question as eggs/test/0"


def test_the_same_question_with_other_quotation_marks_is_found():
    curly = QUESTION.replace("How", "\N{LEFT DOUBLE QUOTATION MARK}How") + "\N{RIGHT DOUBLE QUOTATION MARK}"
    assert leak(curly, (QUESTION, ())) == "same question as eggs/test/0"


def test_thirteen_words_in_a_row_are_seen_and_twelve_are_not():
    half, quarter = "50% of the runs of 13 in the shorter question", "25% of the runs of 13 in the shorter question"
    assert leak(QUESTION, (f"Once a {THIRTEEN} salt.", ())) == f"14 words as in eggs/test/0 ({half}): 'a {THIRTEEN}'"
    assert leak(QUESTION, (f"Once the {THIRTEEN} salt.", ())) == f"13 words as in eggs/test/0 ({quarter}): '{THIRTEEN}'"
    assert leak(QUESTION, (THIRTEEN.removesuffix(" adds") + " salt", ())) is None
    assert leak(QUESTION, (THIRTEEN.removesuffix(" adds") + " salt", ()), words=12) is not None


SHARED = [  # words of their own around fifteen shared ones, in the problem and in the test; share of the shorter one's
    ("", "", None),
    ("x1 x2", "y1 y2 y3 y4 y5 y6 y7", 3 / 5),
    ("x1 x2 x3", "y1 y2 y3 y4 y5 y6 y7", 3 / 6),
    ("x1 x2 x3 x4 x5 x6 x7", "y1 y2", 3 / 5),
    ("", "y1 y2 y3 y4 y5 y6 y7 y8 y9", 1),
]


@pytest.mark.parametrize(("mine", "theirs", "share"), SHARED)
def test_more_than_half_of_the_shorter_question_is_never_learned_from(mine, theirs, share):
    words = " ".join(f"s{i}" for i in range(15))
    problem, test = make_problem(question=f"{words} {mine}"), make_problem(0, f"{theirs} {words}", "test")
    overlap, resembles = found(problem, [test])
    if share is None:
        assert (overlap, resembles) == ("same question as eggs/test/0", None)
        return
    why = f"15 words as in eggs/test/0 ({share:.0%} of the runs of 13 in the shorter question): '{words}'"
    assert (overlap, resembles) == ((why, None) if share > 0.5 else (None, why))
    assert found(problem, [test], share=0) == (why, None)
    assert found(problem, [test], share=1) == (None, why)


def test_of_several_tests_the_one_with_most_in_common_is_named():
    words = " ".join(f"s{i}" for i in range(20))
    tests = [make_problem(0, f"{words[:50]} y1 y2 y3 y4 y5", "test"), make_problem(1, f"y1 y2 y3 y4 {words}", "test")]
    assert found(make_problem(question=f"x1 x2 {words}"), tests)[0].startswith("20 words as in eggs/test/1 (80%")


FORTY = " ".join(f"w{i}" for i in range(40))


def test_one_word_of_forty_changed_is_nearly_the_same_question():
    tests = [make_problem(0, f"{FORTY}?", "test")]
    changed = FORTY.replace("w20", "x")
    why = "nearly the same question as eggs/test/0 (90% of the word pairs): 'w0 w1"
    assert found(make_problem(question=changed), tests, share=1)[0].startswith(why)
    assert found(make_problem(question=changed), tests, share=1)[0].endswith(" w19'")
    assert found(make_problem(question=changed.replace("w30", "x")), tests, share=1)[0] is None


def test_other_signs_make_another_question():
    question = f"{FORTY} 2 + 3 * 4 + 5 * 6 + 7"
    tests = [make_problem(0, question, "test")]
    assert found(make_problem(question=question.replace("+", "-")), tests, share=1)[0] is None


def test_nearly_the_same_with_other_options_is_another():
    tests = [make_problem(0, FORTY, "test", choices=OPTIONS)]
    rocks = (Option(label="A", text="basalt"), Option(label="B", text="granite"))
    changed = FORTY.replace("w20", "x")
    assert found(make_problem(question=changed, choices=OPTIONS), tests, share=1)[0] is not None
    assert found(make_problem(question=changed, choices=rocks), tests, share=1)[0] is None


def test_the_short_ways_miss_nothing():
    """Few different words, so that texts share a lot: what the indexes find is what comparing with every test finds."""
    rng = random.Random(0)

    def text():
        return " ".join(rng.choices("abcdefgh", k=rng.randint(1, 30)))

    def near(question):
        words = list(question.split())
        words[rng.randrange(len(words))] = rng.choice("abcdefgh")
        return " ".join(words)

    def pairs(question):
        words = question.split()
        return set(zip(words, words[1:], strict=False))

    def runs(question, n=6):
        words = question.split()
        return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}

    def is_near(one, other):
        return bool(one) and len(one & other) / len(one | other) >= NEARLY

    tests = [make_problem(i, text(), "test") for i in range(60)]
    tests += [make_problem(60 + i, " ".join(near(tests[i].question).split() * 2), "test") for i in range(20)]
    index, counts = Tests(tests, 6), {"same": 0, "nearly": 0, "words": 0}
    for _ in range(600):
        question = rng.choice((text(), near(rng.choice(tests).question)))
        overlap, resembles = index.compared(make_problem(question=question))
        same = any(question == test.question for test in tests)
        nearly = not same and any(is_near(pairs(question), pairs(test.question)) for test in tests)
        words = any(runs(question) & runs(test.question) for test in tests)
        assert ((overlap or "").startswith("same"), (overlap or "").startswith("nearly")) == (same, nearly)
        if not same and not nearly:
            assert bool(overlap or resembles) == words
        for name, is_so in (("same", same), ("nearly", nearly), ("words", words)):
            counts[name] += is_so
    assert all(count > 20 for count in counts.values()), counts


def test_what_is_said_before_the_question_is_compared_too():
    said = tuple(Message(role=role, content=text) for role, text in (("user", QUESTION), ("assistant", "40")))
    problem = make_problem(question="And with 5 more?", messages=(*said, Message(role="user", content="And 5 more?")))
    assert overlap(problem, [make_problem(0, QUESTION, "test")]) == "same question as eggs/test/0"


def test_tests_from_elsewhere_count():
    rows = list(marked(lambda: [make_problem()], 13, more=[make_problem(7, QUESTION, "test")]))
    assert [row.overlap for row in rows] == ["same question as eggs/test/7"]


SHORT = "What is 2 + 3?"
SAID = [  # what somebody says in a conversation; why it may not be learned from
    (QUESTION, "same question as eggs/test/0"),
    (f"Please help me with my homework: {QUESTION} Thank you so much!", "22 words as in eggs/test/0 (100%"),
    (SHORT, "same question as eggs/test/1"),
    (f"Dear assistant.\nQuestion: {SHORT}\nAnswer:", "holds the question of eggs/test/1"),
    (f"I have a question. {SHORT} Thank you.", "holds the question of eggs/test/1"),
    ("What is 2 - 3?", None),
    ("What is 2 + 3 + 4?", None),
    ("Hello!", "same question as eggs/test/2"),
    ("Hello! Can you help me?", None),
    ("A farmer fills 3 boxes. How many eggs are there?", None),
]


@pytest.mark.parametrize(("text", "why"), SAID)
def test_a_message_that_holds_a_test_question_is_found(text, why):
    """A greeting among the tests has no answer to be learned: it may stand in a longer message."""
    asked = ((QUESTION, Kind.NUMBER), (SHORT, Kind.NUMBER), ("Hello!", Kind.OPEN))
    tests = Tests([make_problem(i, q, "test", kind=kind) for i, (q, kind) in enumerate(asked)], 13)
    found = tests.leak_text(text)
    assert found is None if why is None else found.startswith(why)


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
    assert sum(bool(p.overlap or p.resembles) for p in train) == 269
    assert sum(bool(p.overlap) for p in train) == 101


@pytest.mark.skipif(not DATA.is_dir(), reason="no local copies of public sets")
def test_gsm8k_asks_no_question_twice_and_shares_words_four_times():
    got = marked(lambda: sources.load([Source(name="gsm8k", path=str(DATA / "gsm8k"))], 0), 13)
    near = [p for p in got if isinstance(p, Problem) and (p.overlap or p.resembles)]
    assert len(near) == 4 and not any("question as" in (p.overlap or "") for p in near)
