"""Flags: each is raised by its own cases, the sample outputs of two real students among them, and by none of the plain.

The outputs are those printed in "Inducing reasoning in small language models" (44David, 2026-01-13), in part.
"""

from pathlib import Path
from time import perf_counter

import pytest

from understudy.answers import flags as flags_of
from understudy.answers import judge, split
from understudy.answers.flags import FLAGS, NEEDS, in_a_row, look, possible
from understudy.answers.flags.train import RUN, Repeat, TrainIndex
from understudy.records import Kind, Stop

BAKERY = (
    "A bakery makes 12 batches of cookies. Each batch has 24 cookies. They sell 3/4 of all the cookies. How many "
    "cookies are left?"
)
V1_BAKERY = (
    "<think> The bakery makes 12 batches of cookies, and each batch has 24 cookies. So, the total number of "
    "cookies made is 12 * 24 = 288 cookies. They sell 3/4 of all the cookies. To find out how many cookies they "
    "sell, we multiply the total number of cookies by 3/4. So, the number of cookies sold is 288 * 3/4 = 288 * "
    "0.85 = 256 cookies. To find out how many cookies are left, we subtract the number of cookies sold from the "
    "total number of cookies made. So, the number of cookies left is 288 - 256 = 32 cookies. So the answer is "
    "$\\boxed{32}$.</think> The bakery has made 12 x 24 = 288 cookies. They sold 288 x 3/4 = 256 cookies. So, 288 "
    "- 256 = 32 cookies are left."
)
BASE_BAKERY = "There are 36 cookies left after selling 3/4 of the cookies."
V2_BAKERY = (
    "<think> The bakery makes 12 batches of cookies, and each batch has 24 cookies, so there are a total of 12 * "
    "24 = 288 cookies. They sell 3/4 of all the cookies, so they sell 3/4 * 288 = 216 cookies. Therefore, there "
    "are 288 - 216 = 72 cookies left. The answer is $\\boxed{72}$.</think> The bakery has 12 * 24 = 288 cookies. "
    "They sell 288 * 3/4 = 216. Thus there are 288 - 216 = 72 cookies left."
)
SOLUTION = (
    "The wheelbarrow cost $30 because 60 / 2 = 30 The farmer earned $60 from selling fowl because 30 / (1/2) = 60 "
    "The farmer earned $40 selling chickens because 5 x 8 = 40 The farmer earned $20 selling ducks because 60 - 40 "
    "= 20 The farmer sold 2 ducks because 20 / 10 = 2"
)
V1_HELLO = (
    "<think> Let's denote the number of ducks the farmer sold as D. The farmer sold 5 chickens, so the total "
    "number of animals he sold is D + 5. The price of each chicken is $8, so the total earnings from selling "
    "chickens is 5 * $8 = $40. So, the farmer sold $\\boxed{2}$ ducks.</think> " + SOLUTION
)
V2_HELLO = "Hello! How can I help you?"
FRANCE = "What is the capital of France?"
V1_FRANCE = (
    "<think> The capital of France is France. The answer is $\\boxed{ France}$.</think> The capital of France is: "
    "France = 146ks The capital of Germany is: Germany = 98ks The capital of Russia is: Russia = 31ks The capital "
    "of Belgium is: Belgium = 21ks The capital of Canada is: Canada = 11ks"
)
V2_FRANCE = "The capital of France is Paris."
AGES = "John is 3 times as old as his sister. In 5 years, he will be twice as old as his sister. How old is John now?"
V2_AGES = (
    "<think> First, let's substitute the first equation (J = 3S) into the second equation: 3S + 5 = 2S + 10. Then, "
    "let's subtract 3S from both sides of the equation: 5 = 2S + 10 - 3S. Simplify the right side of the equation: "
    "5 = 7S. Finally, let's divide both sides of the equation by 7 to solve for S: S = 5 / 7. Since S represents "
    "John's sister's age, we can find John's age by substituting S = 5 / 7 into the first equation: J = 3 * (5 / "
    "7) = 15 / 7 = 2. So, John is currently 2 years old. So the answer is $\\boxed{2}$.</think> Let X be "
    "John\u00e2\u20ac\u2122s age now. So his sister is X/3 years old now. So (X + 5) = 4X. So X = 5 / 4. So John "
    "is 5 / 4 * X = 5 / 4 * 4 = 5 years old."
)
JOKE = "What did the egg say when it hit the wall? It was hit, not broken."
NUMBER, OPEN = Kind.NUMBER, Kind.OPEN

SEEN = [  # what the students did: text, question, kind, gold; all flags it must show, and no other
    (V1_HELLO, "Hello!", OPEN, None,
     "rederives ungrounded_quantity train_regurgitation box_on_chat think_on_chat"),
    (V1_FRANCE, FRANCE, OPEN, None, "box_nonnumeric degenerate_list box_on_chat think_on_chat"),
    (V1_BAKERY, BAKERY, NUMBER, "72",
     "slip fraction_slip product_slip error_propagated box_location rederives"),
    (BASE_BAKERY, BAKERY, NUMBER, "72", "no_reasoning"),
    (V2_BAKERY, BAKERY, NUMBER, "72", "box_location rederives"),
    (V2_HELLO, "Hello!", OPEN, None, ""),
    (V2_FRANCE, FRANCE, OPEN, None, ""),
    (V2_AGES, AGES, NUMBER, "15",
     "slip step_rounds_to_int algebra_step mismatch box_location rederives encoding implausible_value"),
    (JOKE, "Tell me a joke", OPEN, None, ""),
]  # fmt: skip
HOW_OLD = "How old is Sally?"
PLAIN = "<think>6 * 4 = 24, and 24 + 3 = 27.</think>The answer is \\boxed{27}."
PENS = "A pen costs $3. Tom buys 7 pens and a book for $12. How much does he pay?"
KIDS = "A third of the 20 children and the 3 girls sing. How many children sing?"


def said_between(times: int) -> str:
    """A sentence of eight words said so often, with a dozen other words in between."""
    between = (" ".join(f"w{12 * n + i}" for i in range(12)) for n in range(times))
    return " ".join(f"we had then still to add them up {words}" for words in between)


CASES = [  # flag, a text that shows it, one like it that does not, question, kind
    ("slip", "6 * 4 = 25", "6 * 4 = 24", HOW_OLD, NUMBER),
    ("fraction_slip", "3/8 = 0.357", "3/8 = 0.375", HOW_OLD, NUMBER),
    ("fraction_slip", "She has 40 * 3/4 = 40 * 0.85.", "She has 40 * 3/4 = 40 * 0.75.", HOW_OLD, NUMBER),
    ("product_slip", "12 * 24 = 278", "12 + 24 = 37", HOW_OLD, NUMBER),
    ("step_rounds_to_int", "15 / 7 = 2", "15 / 7 = 2.14", HOW_OLD, NUMBER),
    ("step_rounds_to_int", "26 / 4 = 6", "26 / 4 = 9", HOW_OLD, NUMBER),
    ("algebra_step", "2x + 6 = 20, so 2x = 26", "2x + 6 = 20, so 2x = 14", HOW_OLD, NUMBER),
    ("error_propagated", "7 * 3 = 24, and 24 + 12 = 36.", "7 * 3 = 24, but 7 + 7 + 7 + 12 = 33.", PENS, NUMBER),
    ("error_propagated", "7 * 3 = 24, and 24 + 12 = 36.", "7 * 3 = 21, and 21 + 12 = 33.", PENS, NUMBER),
    ("mismatch", "<think>So \\boxed{2}.</think>Sally is 5.", "<think>\\boxed{2}</think>It is 2.", HOW_OLD, NUMBER),
    ("unclosed_thought", "<think>6 * 4 = 24", "<think>6 * 4 = 24</think>24", HOW_OLD, NUMBER),
    ("empty_thought", "<think>\n\n</think>Sally is 5.", "<think>Easy.</think>Sally is 5.", HOW_OLD, NUMBER),
    ("several_thoughts", "<think>a</think>5<think>b</think>6", "<think>a</think>5", HOW_OLD, NUMBER),
    ("several_thoughts", "<think>a<think>b</think>5", "<think>a</think>Talk of `<think>`: 5", HOW_OLD, NUMBER),
    ("several_boxes", "\\boxed{2}, again \\boxed{2}", "<think>\\boxed{2}</think>\\boxed{2}", HOW_OLD, NUMBER),
    ("box_location", "<think>\\boxed{27}</think>It is 27.", "<think>27</think>\\boxed{27}", HOW_OLD, NUMBER),
    ("box_nonnumeric", "\\boxed{Sally}", "\\boxed{27 \\text{ years}}", HOW_OLD, NUMBER),
    ("box_nonnumeric", "\\boxed{France}", "\\boxed{Paris}", FRANCE, Kind.TEXT),
    ("box_nonnumeric", "\\boxed{France}", "\\boxed{Paris}", FRANCE, OPEN),
    ("rederives", "<think>6 * 4 = 24</think>6 * 4 = 24 and 24 + 1 = 25, so \\boxed{25}", PLAIN, HOW_OLD, NUMBER),
    ("repeats", "<think>a</think>" + "Germany is larger.\n" * 4, "Germany is larger.\n" * 3, FRANCE, OPEN),
    ("repeats", "so we add three and then " * 12, "so we add three and then " * 2, HOW_OLD, NUMBER),
    ("repeats", "We add 4." + " So it is 9." * 4, "We add 4." + " So it is 9." * 3, HOW_OLD, NUMBER),
    ("repeats", "No! No! No! No!", "No! No! No!", FRANCE, OPEN),
    ("repeats", "\u6211\u4eec\u7b97\u3002" * 4, "\u6211\u4eec\u7b97\u3002" * 3, "\u591a\u5927?", OPEN),
    ("repeats", said_between(8), said_between(7), HOW_OLD, NUMBER),
    ("degenerate_list", "Rome = 1kz Oslo = 9kz Bonn = 3kz Bern = 7kz", "Rome = 1km Oslo = 9km Bonn = 3km Bern = 7km",
     FRANCE, OPEN),
    ("degenerate_list", "- Bob has 3qs\n- Eve has 5qs\n- Tim has 7qs\n- Ann has 9qs", "Use 3qs. It is 5qs. So 7qs, 9qs",
     FRANCE, OPEN),
    ("other_script", "<think>\u6211\u4eec\u5148\u7b97</think>2", "The angle \u03b8 is 2\u03c0.", HOW_OLD, NUMBER),
    ("other_script", "\u041e\u043d\u0430 \u0442\u0430\u043c", "Caf\u00e9 \u2013 \u201cna\u00efve\u201d", "Hi", OPEN),
    ("encoding", "Sally\u00e2\u20ac\u2122s age", "Sally\u2019s age", HOW_OLD, NUMBER),
    ("encoding", "caf\u00c3\u00a9", "CAF\u00c9 \u00c0 LA CARTE, \u00c2GE D\u2019OR", HOW_OLD, NUMBER),
    ("encoding", "7 \u221a\u00f3 6", "7 \u00d7 \u221a6", HOW_OLD, NUMBER),
    ("encoding", "a\ufffdb", "\u00bb\u00c9t\u00e9\u00a0\u00bb", HOW_OLD, NUMBER),
    ("no_reasoning", "The answer is 27.", "6 * 4 = 24 and 24 + 3 = 27.", HOW_OLD, NUMBER),
    ("refusal", "It is not possible to determine her age.", "It is possible to find: she is 5.", HOW_OLD, NUMBER),
    ("refusal", "I'm sorry, but I can't help with that.", "I can't believe it! Sorry that I am late.", "Hi", OPEN),
    ("ungrounded_quantity", "7 * 3 = 21, and 21 + 58 = 79.", "7 * 3 = 21, and 21 + 12 = 33.", PENS, NUMBER),
    ("ungrounded_quantity", "He pays 7 * 23 = 161 dollars.", "He pays 7 * 3 + 12 = 33 dollars.", PENS, NUMBER),
    ("implausible_value", "So 20 / 3 + 3 = 29/3. \\boxed{29/3}", "So \\boxed{9}.", KIDS, NUMBER),
    ("implausible_value", "The answer is -4.", "The answer is 4.", KIDS, NUMBER),
    ("implausible_value", "The answer is 5/7.", "The answer is 7.5.", HOW_OLD, NUMBER),
    ("box_on_chat", "Hello! \\boxed{2}", "Hello! A box of 2.", "Hi", OPEN),
    ("think_on_chat", "<think>A greeting.</think>Hello!", "<think></think>Hello!", "Hi", OPEN),
    ("two_answers", "<think>a</think>\\boxed{5} or \\boxed{6}", "\\boxed{5}, that is \\boxed{5.0}", HOW_OLD, NUMBER),
    ("two_answers", "\\boxed{4 \\text{ or } 6}", "The answer is 5 of her 9 years.\n#### 5", HOW_OLD, NUMBER),
    ("two_answers", "The answer is 5. Wait. The answer is 6.", "The answer is 5. The answer is 5.", HOW_OLD, NUMBER),
]  # fmt: skip
GRADED = {"error_propagated", "error_independent"}
"""They are told with the verdict."""


@pytest.fixture(scope="module")
def train() -> TrainIndex:
    """A few rows, the one behind `SOLUTION` among them, with the notes and lines it is trained on."""
    noted = SOLUTION.replace("5 x 8 = 40", "5 x 8 = <<5*8=40>>40").replace(" The farmer", "\nThe farmer")
    return TrainIndex([("ducks", noted), ("pens", f"{PENS} 7 * 3 = 21, and 21 + 12 = 33."), ("empty", "")])


def shown(text, question, kind, gold=None, train=None):
    return flags_of(text, question, kind, judgement=judge(text, gold, kind), train=train)


@pytest.mark.parametrize(("text", "question", "kind", "gold", "expected"), SEEN)
def test_what_the_students_did_is_told(text, question, kind, gold, expected, train):
    assert set(shown(text, question, kind, gold, train)) == set(expected.split())


@pytest.mark.parametrize(("flag", "text", "other", "question", "kind"), CASES)
def test_each_flag_is_raised_by_its_own_case_and_not_by_one_like_it(flag, text, other, question, kind):
    gold = "0" if flag in GRADED else None
    assert flag in shown(text, question, kind, gold)
    assert flag not in shown(other, question, kind, gold)


def test_every_flag_has_a_case():
    apart = {"train_regurgitation", "error_independent"}  # each has a test of its own
    assert {case[0] for case in CASES} | apart == set(FLAGS)


@pytest.mark.parametrize(("text", "other", "question", "kind"), [case[1:] for case in CASES])
def test_a_flag_that_is_not_asked_would_not_be_raised(text, other, question, kind, train):
    for said in (text, other):
        seen = look(said, question, kind, judge(said, "18", kind), None, train)
        asked = {name for name, _ in possible(seen)}
        assert not [name for name, shows in FLAGS.items() if name not in asked and shows(seen)]


def test_every_flag_that_needs_something_is_one():
    assert set().union(*NEEDS.values()) < set(FLAGS)


def test_a_plain_reply_raises_none():
    assert flags_of(PLAIN, "What is 6 * 4 + 3?") == ()
    assert flags_of("Hello! How are you?", "Hi", OPEN) == ()
    assert flags_of("<think></think>Hello!", "Hi", OPEN) == ()


def test_a_failed_call_shows_no_behaviour():
    assert flags_of("", "What?", stop=Stop.ERROR) == ()


def test_the_servers_thought_is_looked_at_too():
    assert "slip" in flags_of("\\boxed{25}", "What is 6 * 4?", thought="6 * 4 = 25")
    assert "mismatch" in flags_of("\\boxed{25}", "What is 6 * 4?", thought="\\boxed{24}")


def test_a_judgement_that_is_given_changes_nothing_but_what_needs_the_verdict():
    for text, question, kind, gold, _ in SEEN:
        given, alone = shown(text, question, kind, gold), flags_of(text, question, kind)
        assert set(given) - GRADED == set(alone) - GRADED


# --- wrong, and why ---------------------------------------------------------------------------------------------------


def test_a_right_answer_is_no_propagated_error():
    text = "7 * 3 = 24, and 24 + 12 = 36."
    assert "error_propagated" in shown(text, PENS, NUMBER, "33")
    assert "error_propagated" not in shown(text, PENS, NUMBER, "36")


def test_a_false_value_that_the_question_gives_too_says_nothing_of_the_answer():
    text = "3 + 4 = 12, and 12 + 7 = 19."
    assert "slip" in shown(text, PENS, NUMBER, "33")
    assert "error_propagated" not in shown(text, PENS, NUMBER, "33")


def test_a_wrong_answer_of_true_equations_is_an_independent_error():
    text = "7 * 12 = 84."
    assert "error_independent" in shown(text, PENS, NUMBER, "33")
    assert "error_independent" not in shown(text, PENS, NUMBER, "84")
    assert "error_independent" not in shown(text, PENS, NUMBER)  # nobody knows
    assert "error_independent" not in shown("He pays 84.", PENS, NUMBER, "33")
    assert "error_independent" not in shown("7 + 12 = 18, and 7 * 12 = 84.", PENS, NUMBER, "33")


# --- where numbers come from ------------------------------------------------------------------------------------------

GROUNDED = [  # text, question: nothing in it comes from nowhere
    ("2 * 12 = 24 eggs", "How many eggs are two dozen?"),
    ("8 * 60 = 480 minutes", "How many minutes are eight hours?"),
    ("3.5 * 64 = 224", "She sold three and a half boxes of 64. How many bars?"),
    ("150 * 0.8 = 120", "A bag for $150 is 20% off. What does it cost?"),
    ("21 * 2 = 42", "There are twenty-one boys, and as many girls. How many children?"),
    ("4,500 / 9 = 500", "How much is a ninth of $4500?"),
    ("400000 - 250000 = 150000", "A house for $400 000 has a loan of $250 000. What is left?"),
    ("9 * 2 = 18", "Of 16 eggs 3 are eaten and 4 are baked; each of the rest brings $2. How much is it?"),
    ("x + 8 = 20, so x = 12. 12 * 12 = 144, and 35 + 1 = 36", "What is x?"),
    ("6 * 5 = 30", "Tom works from Monday to Saturday, 5 hours a day. How many hours?"),
    ("(50 + 80 + 80 + 60) / 4 = 67.5", "The scores are 50, 80, 80 and 60. What is the mean?"),
    ("8 x 1 1/2 = 12", "8 people eat 1 1/2 rolls each. How many rolls?"),
    ("200 / 3 = 66.67, so 200 - 2 * 67 = 66", "200 students are in 3 groups, two of one size. How big is the third?"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "question"), GROUNDED)
def test_what_follows_from_the_question_comes_from_somewhere(text, question):
    assert "ungrounded_quantity" not in flags_of(text, question)


def test_numbers_made_up_for_an_example_are_no_invention():
    asked = "How do I find a mean?"
    assert "ungrounded_quantity" in flags_of("The two were 17 and 29: (17 + 29) / 2 = 23.", asked, OPEN)
    assert "ungrounded_quantity" not in flags_of("For example, (17 + 29) / 2 = 23.", asked, OPEN)


@pytest.mark.parametrize("question", [
    "How many children are there per family?", "How many hours do the children sleep?", "How many degrees is it?",
    "How many pounds of fish are sold?", "How many more dollars has Tom?", "What is x?",
])  # fmt: skip
def test_what_may_be_a_part_or_below_zero_is_plausible(question):
    assert "implausible_value" not in flags_of("The answer is 2.5.", question)


# --- training rows ----------------------------------------------------------------------------------------------------


def test_a_repeated_row_is_named(train):
    found = train.repeated(V1_HELLO, "Hello!")
    assert isinstance(found, Repeat) and found.row == "ducks" and found.runs > 20


def test_a_row_that_the_question_asks_about_is_not_repeated(train):
    text = "7 * 3 = 21, and 21 + 12 = 33. A pen costs $3. Tom buys 7 pens and a book for $12."
    assert train.repeated(text, "Hello!").row == "pens"
    assert train.repeated(text, PENS) is None


def test_one_run_in_common_is_a_phrase(train):
    text = "The farmer earned $20 selling ducks because 60 was too much for him, and so he went home again to his own."
    assert train.repeated(text, "Hello!") is None
    assert "train_regurgitation" not in flags_of(text, "Hello!", OPEN, train=train)


def test_a_run_that_stands_in_many_rows_is_a_phrase():
    phrase = "so the total number of things that he has is "
    index = TrainIndex((f"row {n}", f"{phrase} {n}") for n in range(9))
    assert index.repeated(phrase, "Hello!") is None
    assert len(index.hashes) == 9 * len(f"{phrase} 0".split()) - 9 * RUN + 9 - 9 * 3


def test_rows_of_one_id_are_one_row():
    index = TrainIndex([("a", SOLUTION)] * 9)
    assert index.repeated(SOLUTION, "Hello!").row == "a"


def test_the_index_is_bounded_and_still_finds_a_long_repeat():
    words = " ".join(str(n * n) for n in range(4000))
    index = TrainIndex([("squares", words), ("ducks", SOLUTION)], most=500)
    assert len(index.hashes) <= 500
    assert index.repeated(words, "Hello!").row == "squares"


def test_an_empty_index_finds_nothing():
    assert TrainIndex([]).repeated(SOLUTION, "Hello!") is None


# --- the table, and time ----------------------------------------------------------------------------------------------


def test_the_longest_run_of_a_sentence_is_told():
    assert in_a_row(split("<think>So it is 9. So it is 9.</think>So it is 9. Yes.")) == ("So it is 9.", 3)


def test_every_flag_is_on_the_page():
    page = (Path(__file__).parents[2] / "docs" / "flags.md").read_text(encoding="utf-8")
    assert [flag for flag in FLAGS if f"\n| `{flag}` |" not in page] == []


HOSTILE = [
    "7 * 19 = 133 ", "= 146ks ", "Rome = 12kz\n", "\u00e2\u20ac\u2122", "S = 5/7 ", "1.2.3 * 4 = 5 ",
    "7 * 3 = 24, 24 + 12 = 36 ", "9" * 400 + " * 3 = 4 ", "\u6211\u3002", "three hundred and ", "$.5,.,. * 3 = 7 ",
    "No! ", "<think>\\boxed{a}", "7 * 3 = 24, " + "9" * 500 + " = 8, ", "2x + 3 = 7 so 2x = 9. ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("kind", [NUMBER, OPEN])
def test_a_hostile_text_is_done_in_time(piece, kind, train):
    text = (piece * 16_384)[:16_384]
    for question in ("How old are the 7 dogs?", text):
        start = perf_counter()
        shown(text, question, kind, "5", train)
        assert perf_counter() - start < 0.2 * 5 + 0.5  # with the judgement; machines that run tests are busy
