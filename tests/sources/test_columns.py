"""A row becomes a problem: its columns, its kind of answer, its split; and a gold answer must be right."""

import json
from collections import Counter

import pytest

from understudy.errors import SourceError
from understudy.recipe import Source
from understudy.records import Kind, Option, Problem, Rejected, Split
from understudy.sources import load
from understudy.sources.columns import by_hash, guessed, normalised


@pytest.fixture
def write(tmp_path):
    def to(rows, name="own.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows))
        return str(path)

    return to


def read(path, **fields):
    """Problems and rejected rows of one source."""
    found = list(load([Source(path=path, **fields)], 0))
    return [p for p in found if isinstance(p, Problem)], [r for r in found if isinstance(r, Rejected)]


def one(write, row, **fields):
    (problem,), () = read(write([row]), **fields)
    return problem


SUM = {"question": "2 + 2?", "answer": "4"}

# --- columns ----------------------------------------------------------------------------------------------------------


def test_columns_are_named_in_the_recipe(write):
    path = write("Frage;Loesung;Nr\nWas ist 2 + 2?;4;a7\n", "aufgaben.csv")
    (problem,), () = read(path, question="Frage", answer="Loesung", id="Nr")
    assert (problem.question, problem.answer, problem.extra) == ("Was ist 2 + 2?", "4", {"id": "a7"})
    assert problem.id == f"aufgaben/{problem.split}/0"


def test_a_wrong_column_is_one_sentence(write):
    path = write("Frage;Loesung\nWas ist 2 + 2?;4\n", "aufgaben.csv")
    with pytest.raises(SourceError) as error:
        read(path, question="Frge", answer="Loesung")
    expected = "there is no column 'Frge'. Did you mean 'Frage'? Columns: Frage, Loesung. Set sources.question."
    assert str(error.value) == f"{path}: {expected}"


def test_a_column_that_the_recipe_names_must_be_there(write):
    with pytest.raises(SourceError, match=r"no column 'ration'.*Set sources\.rationale\."):
        read(write([SUM]), rationale="ration")


def test_a_missing_answer_column_says_what_to_do_without_one(write):
    with pytest.raises(SourceError, match="null where there are no gold answers"):
        read(write([{"question": "2 + 2?"}]))
    problem = one(write, {"question": "Tell a joke."}, answer=None)
    assert (problem.kind, problem.answer) == (Kind.OPEN, None)


def test_dotted_columns_reach_inside(write):
    row = {"question": "2 + 2?", "meta": {"gold": 4, "why": "Two and two."}}
    problem = one(write, row, answer="meta.gold", rationale="meta.why")
    assert (problem.answer, problem.rationale) == ("4", "Two and two.")


def test_rows_without_a_column_are_set_aside_one_by_one(write):
    problems, rejected = read(
        write([{"q": 1}, SUM, {"question": "", "answer": "1"}, {"question": "x", "answer": None}])
    )
    assert len(problems) == 1
    assert [(r.line, r.why) for r in rejected] == [(1, "no column 'question'"), (3, "no question"), (4, "no answer")]


def test_four_hashes_begin_the_answer(write):
    problem = one(write, {"question": "Eggs?", "answer": "9 * 2 = <<9*2=18>>18.\n#### 1,018"})
    assert (problem.answer, problem.rationale) == ("1,018", "9 * 2 = <<9*2=18>>18.")


def test_a_source_without_rationales_has_none_however_it_is_written(write):
    row = {"question": "Eggs?", "rationale": "Two nines.", "answer": "18"}
    assert one(write, row).rationale == "Two nines."
    assert one(write, row, rationale=None).rationale is None
    problem = one(write, {"question": "Eggs?", "answer": "9 * 2 = 18.\n#### 18"}, rationale=None)
    assert (problem.answer, problem.rationale) == ("18", None)


def test_short_columns_are_kept_for_a_suites_own_scorer(write):
    problem = one(write, SUM | {"id": 7, "template": "t1", "log": "x" * 600, "none": None})
    assert problem.extra == {"id": "7", "template": "t1"}


# --- kinds and choices ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("72", Kind.NUMBER),
        ("-3.5", Kind.NUMBER),
        ("$1,234.50", Kind.NUMBER),
        ("50%", Kind.NUMBER),
        ("3/4", Kind.NUMBER),
        ("Yes", Kind.BOOL),
        ("\\frac{1}{2}", Kind.MATH),
        ("x^2 + 1", Kind.MATH),
        ("Paris", Kind.TEXT),
        (None, Kind.OPEN),
    ],
)
def test_kinds_are_guessed(answer, kind):
    assert guessed(answer) is kind


@pytest.mark.parametrize(("given", "text"), [(True, "yes"), (False, "no"), (4, "4"), (4.0, "4"), (0.25, "0.25")])
def test_answers_need_not_be_text(write, given, text):
    assert one(write, {"question": "?", "answer": given}).answer == text


THREE = tuple(Option(label=label, text=text) for label, text in zip("ABC", ("bank", "mall", "new york"), strict=True))


@pytest.mark.parametrize(
    "choices",
    [
        ["bank", "mall", "new york"],
        ["A) bank", "B) mall", "C) new york"],
        ["(a) bank", "(b) mall", "(c) new york"],
        {"label": ["A", "B", "C"], "text": ["bank", "mall", "new york"]},
        {"A": "bank", "B": "mall", "C": "new york"},
        [{"label": "A", "text": "bank"}, {"label": "B", "text": "mall"}, {"label": "C", "text": "new york"}],
        "bank | mall | new york",
        "A) bank\nB) mall\nC) new york",
        '["bank", "mall", "new york"]',
    ],
)
def test_choices_come_in_many_layouts(write, choices):
    problem = one(write, {"question": "Where?", "answer": "B", "choices": choices})
    assert (problem.choices, problem.kind) == (THREE, Kind.CHOICE)


@pytest.mark.parametrize("answer", ["B", "b", "(B)", "B.", "mall", "Mall"])
def test_a_choice_is_named_by_label_or_text(write, answer):
    assert one(write, {"question": "Where?", "answer": answer, "choices": ["bank", "mall", "park"]}).answer == "B"


@pytest.mark.parametrize(
    ("answer", "why"),
    [("D", "none of the choices A, B"), ("bank", "the text of 2 choices"), (1, "none of the choices")],
)
def test_an_answer_that_names_no_choice_is_set_aside(write, answer, why):
    rows = [{"question": "Where?", "answer": answer, "choices": ["bank", "bank"]}, SUM]
    assert why in read(write(rows))[1][0].why


def test_a_gold_answer_that_is_not_right_against_itself_is_set_aside(write):
    problems, rejected = read(write([SUM, {"question": "How many?", "answer": "three or four"}]), kind=Kind.NUMBER)
    assert len(problems) == 1
    assert rejected[0].line == 2
    assert "the gold answer 'three or four' (number) is judged" in rejected[0].why


# --- splits -----------------------------------------------------------------------------------------------------------

MANY = [{"question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(2000)]


def test_an_own_file_is_divided_by_hash(write):
    shares = Counter(p.split for p in read(write(MANY))[0])
    assert all(160 <= shares[s] <= 240 for s in (Split.DEV, Split.CALIBRATION, Split.TEST))
    assert shares.total() == 2000


def test_a_train_file_gives_a_tenth_to_dev_and_calibration_and_none_to_test(write):
    shares = Counter(p.split for p in read(write(MANY, "train.jsonl"))[0])
    assert all(160 <= shares[s] <= 240 for s in (Split.DEV, Split.CALIBRATION))
    assert Split.TEST not in shares


def test_what_a_folder_keeps_apart_stays_apart(write):
    for name in ("train", "dev", "test"):
        path = write(MANY[:300], f"mine/{name}.jsonl")
    problems, _ = read(path.rpartition("/")[0])
    counts = Counter((p.id.split("/")[1]) for p in problems)
    assert counts["dev"] == counts["test"] == 300
    assert 15 <= counts["calibration"] <= 50
    assert len({p.id for p in problems}) == 900


def test_a_split_column_is_kept_and_train_alone_divided(write):
    rows = [row | {"split": ("train", "validation", "test", "odd")[n % 4]} for n, row in enumerate(MANY)]
    problems, rejected = read(write(rows))
    shares = Counter(p.split for p in problems)
    assert shares[Split.DEV] == shares[Split.TEST] == 500
    assert 30 <= shares[Split.CALIBRATION] <= 75
    assert len(rejected) == 500
    assert "split 'odd' is none of" in rejected[0].why
    assert len({p.id for p in problems}) == 1500


def test_the_recipe_can_put_all_rows_in_one_split(write):
    assert {p.split for p in read(write(MANY[:50], "train.jsonl"), split="calibration")[0]} == {Split.CALIBRATION}
    with pytest.raises(SourceError, match="'exam' is none of"):
        read(write(MANY[:5]), split="exam")


def test_duplicates_never_straddle(write):
    rows = [
        row | {"question": text(row["question"])} for row in MANY[:200] for text in (str, str.upper, "  {} ".format)
    ]
    where = {}
    for problem in read(write(rows))[0]:
        where.setdefault(normalised(problem.question), set()).add(problem.split)
    assert all(len(splits) == 1 for splits in where.values())
    assert len(where) == 200


def test_a_question_keeps_its_split_wherever_it_stands(write):
    first = {p.question: p.split for p in read(write(MANY[:500]))[0]}
    again = {p.question: p.split for p in read(write(MANY[499::-1], "again.jsonl"))[0]}
    assert first == again
    assert by_hash("What is 1 + 1?") is by_hash(" WHAT  is 1 + 1? ")


def test_the_limit_counts_each_split(write):
    shares = Counter(p.split for p in read(write(MANY), limit=20)[0])
    assert set(shares.values()) == {20}
    assert len(shares) == 4


def test_mending_a_row_renames_no_other(write):
    problems, _ = read(write([{"question": "x", "answer": None}, SUM]), split="test")
    assert problems[0].id == "own/test/1"


# --- load -------------------------------------------------------------------------------------------------------------


def test_two_sources_of_one_name_share_no_id(write):
    first, second = write(MANY[:50], "a/own.jsonl"), write(MANY[50:100], "b/own.jsonl")
    found = [p.id for p in load([Source(path=first, limit=5), Source(path=second)], 0) if isinstance(p, Problem)]
    assert len(set(found)) == len(found)


def test_a_source_without_a_problem_says_why(write):
    with pytest.raises(SourceError, match=r"there is no problem in it \(line 1: no answer\)"):
        read(write([{"question": "x", "answer": None}]))


def test_without_a_source_there_is_nothing_to_load():
    for sources in ([], [Source()]):
        with pytest.raises(SourceError, match="sources"):
            list(load(sources, 0))


def test_made_problems_need_no_file():
    from understudy.recipe import Counts

    found = list(load([Source(name="word_problems", counts=Counts(train=3, test=2))], 0))
    assert Counter(p.split for p in found)[Split.TEST] >= 1
