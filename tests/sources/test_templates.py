"""Every instance keeps the conditions, answers itself, and comes again with the same seed."""

import json
import os
from fractions import Fraction
from pathlib import Path

import pytest

from understudy.answers import judge
from understudy.errors import SourceError, UserError
from understudy.recipe import Counts, Source
from understudy.records import Problem, Rejected, Verdict
from understudy.sources import load
from understudy.sources.templates import instances, parse, spelled

DATA = Path(__file__).parents[3] / "shared" / "data" / "gsm_symbolic"
CAKES = """{name,Ann} bakes {n,twelve} cakes. {name,Ann} sells {part,half} of them for {cur,$}{price,3} each. How much?

#init:
- name = sample(names_female)
- cur = sample(["$", "€"])
- $n = numbers_within(4, 40)
- $part = sample([("half", 1/2), ("a third", 1/3)])
- $price = np.arange(0.5, 3, 0.25)

#conditions:
- is_int(n * part)
- n * part * price > 5

#answer: n * part * price"""
SOLUTION = "She sells {n} * {part} = <<{n}*{part}={n*part}>>{n*part}.\nThat is {n*part*price}.\n#### {n*part*price}"


def test_instances_keep_the_conditions_and_say_words_for_numbers():
    found = list(instances(parse(CAKES, SOLUTION), 60, "0"))
    assert len({one.question for one in found}) == 60
    for one in found:
        part = {"half": Fraction(1, 2), "a third": Fraction(1, 3)}[one.values["part"]]
        sold = int(one.rationale.split(" = ")[1].split(".")[0])
        assert spelled(sold * Fraction(one.values["price"])) == one.answer
        assert Fraction(sold) / part <= 40 and "{" not in one.question and "<<" not in one.rationale
        assert one.question.count(one.values["name"]) == 2
    assert any("bakes twelve" in one.question or "bakes six" in one.question for one in found)


def test_a_seed_gives_the_same_problems_and_another_one_others():
    template = parse(CAKES, SOLUTION)
    first, again, other = (list(instances(template, 5, seed)) for seed in ("0", "0", "1"))
    assert first == again != other


def test_the_question_that_a_template_was_made_from_is_known():
    assert parse(CAKES).defaults == {"name": "Ann", "n": "twelve", "part": "half", "cur": "$", "price": "3"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("#answer", "#result"), "needs the sections"),
        (("- cur = ", "- cur: "), "draws nothing"),
        (("n * part * price > 5", "n > 100"), "gave 0 of 1"),
        (("n * part * price > 5", "m > 5"), "cannot be worked out"),
    ],
)
def test_a_template_that_makes_nothing_says_why(change, why, monkeypatch):
    monkeypatch.setattr("understudy.sources.templates.DRAWS", 100)
    with pytest.raises(UserError, match=why):
        list(instances(parse(CAKES.replace(*change)), 1, "0"))


def source(path, **counts):
    return Source(name="templates", path=str(path), counts=Counts(**counts or {"test": 3}))


def test_a_file_of_templates_is_a_source_and_what_contradicts_itself_is_set_aside(tmp_path):
    path = tmp_path / "t.jsonl"
    rows = [(CAKES, SOLUTION), (CAKES, SOLUTION.replace("#### {n", "#### {2 * n")), ("no template", "")]
    path.write_text(
        "\n".join(json.dumps({"question_annotated": q, "answer_annotated": a}) for q, a in rows), encoding="utf-8"
    )
    found = list(load([source(path, train=2, test=3)], 0))
    problems = [p for p in found if isinstance(p, Problem)]
    assert [p.id for p in problems] == [f"templates/{s}/{n}" for n, s in enumerate(["train"] * 2 + ["test"] * 3)]
    assert {p.parent for p in problems} == {"templates/template/1"}
    assert len({p.question for p in problems}) == 5
    why = [r.why for r in found if isinstance(r, Rejected)]
    assert "its own solution to" in why[0] and "needs the sections" in why[1]


def test_a_source_of_templates_needs_a_file_and_a_number(tmp_path):
    for wrong in (Source(name="templates", counts=Counts(test=1)), Source(name="templates", path="t.jsonl")):
        with pytest.raises(SourceError, match="how many problems"):
            list(load([wrong], 0))


@pytest.mark.skipif(not (DATA.is_dir() or os.environ.get("CI")), reason="the shared data is not here")
@pytest.mark.parametrize("name", ["symbolic", "p1"])
def test_gsm_symbolic_is_made_anew_and_every_gold_answer_passes(name):
    found = list(load([source(DATA / f"templates_{name}.jsonl", test=1)], 0))
    problems = [p for p in found if isinstance(p, Problem)]
    assert len(found) == 100 and 97 <= len(problems) < 100  # a contradiction shows with some values only
    for one in problems:
        assert judge(f"\\boxed{{{one.answer}}}", one.answer).verdict is Verdict.RIGHT
        assert "{" not in one.question and "{" not in (one.rationale or "")
