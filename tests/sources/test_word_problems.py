"""Made problems are right, repeatable, and what the tests ask was never learned from."""

import re
from collections import Counter

import pytest

from understudy.recipe import Counts, Source
from understudy.records import Split
from understudy.sources import load
from understudy.sources.word_problems import (
    FORMS,
    HE,
    HE_NEW,
    LIMIT,
    OBJECTS,
    SHE,
    SHE_NEW,
    Plan,
    apply,
    plan_of,
    problems,
)  # fmt: skip

SOURCES = (
    Source(name="word_problems", counts=Counts(train=1500, dev=60, calibration=60, test=300)),
    Source(name="word_problems", steps=(5, 6), counts=Counts(test=80)),
)


@pytest.fixture(scope="module")
def made():
    return list(load(SOURCES, 0))


def test_a_third_of_the_forms_is_new_to_the_student():
    seen, new = (sum(len(getattr(forms, kind)) for forms in FORMS.values()) for kind in ("seen", "new"))
    assert 0.3 <= new / (seen + new) <= 0.4
    assert all(len(forms.seen) >= len(forms.new) >= 1 for forms in FORMS.values())


def test_no_form_is_both_seen_and_new():
    for forms in FORMS.values():
        assert not {*forms.seen} & {*forms.new} and len({*forms.seen, *forms.new}) == len(forms.seen) + len(forms.new)


def test_a_new_form_says_it_in_words_that_training_has():
    def words(forms) -> set[str]:
        return {w.lower() for form in forms for w in re.findall(r"[a-zA-Z]+", re.sub(r"\{.\}", "", form))}

    known = words(form for forms in FORMS.values() for form in forms.seen)
    assert words(form for forms in FORMS.values() for form in forms.new) <= known


def test_names_of_the_tests_are_never_in_training(made):
    new = {*SHE_NEW, *HE_NEW}
    assert not new & {*SHE, *HE}
    for p in made:
        named = {*re.findall(r"[A-Z][a-z]+", p.question)} & {*new, *SHE, *HE}
        assert named <= new if p.split is Split.TEST else not named & new, p.id


def test_new_forms_are_in_tests_alone_and_are_marked(made):
    assert {p.slices["forms"] for p in made if p.split is not Split.TEST} == {"seen"}
    counts = Counter(p.slices["forms"] for p in made if p.split is Split.TEST)
    assert min(counts["new"], counts["seen"]) >= 40
    for p in made:
        says_new = any(
            int(re.sub(r"\D*", "", form[2:] if form[0] in "*/" else form)) >= len(FORMS[kind].seen)
            for form in p.extra["forms"]
            for kind in [form[:2] if form[0] in "*/" else re.sub(r"\d+$", "", form)]
        )
        assert says_new == (p.slices["forms"] == "new"), p.id


def test_forms_and_numbers_of_a_test_are_never_in_training(made):
    def key(p) -> tuple:
        return tuple(p.extra["forms"]), p.extra["start"], str(p.extra["steps"])

    tests = {key(p) for p in made if p.split is Split.TEST}
    assert not tests & {key(p) for p in made if p.split is not Split.TEST}


def test_no_question_stands_in_two_splits(made):
    where = {}
    for p in made:
        assert where.setdefault(p.question, p.split) is p.split


def test_every_plan_arrives_at_the_gold_answer_over_small_whole_numbers(made):
    for p in made:
        plan = plan_of(p)
        assert str(plan.values()[-1]) == p.answer and str(len(plan.steps)) == p.slices["steps"]
        assert all(2 <= value <= LIMIT for value in plan.values())
        assert all(op != "/" or value % k == 0 for value, (op, k) in zip(plan.values(), plan.steps, strict=False))


def test_the_question_says_the_numbers_of_its_plan(made):
    for p in made:
        plan = plan_of(p)
        told = [str(plan.start), *(str(k) for op, k in plan.steps if op in "+-")]
        said = iter(re.findall(r"\d+", p.question))
        assert all(number in said for number in told), p.question  # in this order, asides between them


def test_the_rationale_ends_at_the_answer(made):
    for p in made:
        results = re.findall(r"=(-?\d+)", p.rationale)
        assert results[-1] == p.answer and len(results) == int(p.slices["steps"])
        for a, op, k, b in re.findall(r"(\d+)([-+*/])(\d+)=(\d+)", p.rationale):
            assert apply(int(a), op, int(k)) == int(b)


def test_ids_are_unique_and_say_where_they_belong(made):
    assert len({p.id for p in made}) == len(made)
    assert all(p.id == f"word_problems/{p.suite}/{p.split}/{p.id.rpartition('/')[2]}" for p in made)


def test_counts_and_steps_are_what_was_asked_for(made):
    assert Counter(p.split.value for p in made) == {"train": 1500, "dev": 60, "calibration": 60, "test": 380}
    assert {p.suite for p in made} == {"steps_1_4", "steps_5_6"}
    steps = Counter(p.slices["steps"] for p in made if p.split is Split.TEST)
    assert steps == {"1": 75, "2": 75, "3": 75, "4": 75, "5": 40, "6": 40}


def test_the_same_seed_makes_the_same_problems_and_another_one_others(made):
    assert list(load(SOURCES, 0)) == made
    other = list(load(SOURCES, 1))
    assert len({p.question for p in other} & {p.question for p in made}) < len(made) / 20


def test_more_of_a_split_begins_with_the_same():
    few, many = (list(problems(Source(counts=Counts(test=n)), 0)) for n in (20, 50))
    assert many[:20] == few


def test_every_object_is_met_in_training(made):
    text = " ".join(p.question for p in made if p.split is Split.TRAIN)
    assert all(o in text for o in OBJECTS)


def test_a_problem_from_elsewhere_has_no_plan(made):
    import msgspec

    assert plan_of(made[0]) == Plan(made[0].extra["start"], tuple((op, k) for op, k in made[0].extra["steps"]))
    assert plan_of(msgspec.structs.replace(made[0], extra={})) is None
    assert plan_of(msgspec.json.decode(msgspec.json.encode(made[0]), type=type(made[0]))) == plan_of(made[0])
