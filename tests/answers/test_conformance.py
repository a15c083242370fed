"""The labelled cases of the project, and real answers: gold against itself, solutions against what people say."""

import json
from pathlib import Path

import pytest

from understudy.answers import Damage, find, judge, slips, split
from understudy.records import Kind, Option, Stop

HERE = Path(__file__).parent
SHARED = Path(__file__).resolve().parents[3] / "shared"
GOLD = [  # set, kind, field of the gold answer
    ("gsm8k/test", Kind.NUMBER), ("svamp/test", Kind.NUMBER), ("svamp/train", Kind.NUMBER), ("aqua/test", Kind.CHOICE),
    ("aqua/dev", Kind.CHOICE), ("strategyqa/test", Kind.BOOL), ("coin_flip/test", Kind.BOOL),
    ("commonsenseqa/dev", Kind.CHOICE), ("date_understanding/test", Kind.CHOICE), ("last_letters/test", Kind.TEXT),
    ("gsm_symbolic/p2", Kind.NUMBER), ("gsm_symbolic/templates_p1", Kind.NUMBER), ("math500/test", Kind.MATH),
    ("gsm_symbolic/templates_p2", Kind.NUMBER), ("distilling_step_by_step/svamp_test", Kind.NUMBER),
    ("distilling_step_by_step/cqa_test", Kind.CHOICE),
]  # fmt: skip
SOLUTIONS = ["gsm8k_test_traces/mixtral-8x7b-instruct", "gsm8k_test_traces/gpt-4-1106-preview"]


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().split("\n") if line]


def rows(path: str) -> list[dict]:
    file = SHARED / path
    if not file.exists():
        pytest.skip(f"{path} is not beside this checkout")
    return lines(file)


def verdict(row: dict) -> str:
    choices = tuple(Option(**c) for c in row.get("choices", ()))
    kind, stop = Kind(row.get("kind", "number")), Stop(row.get("stop", "end"))
    return judge(row["text"], row["gold"], kind, stop, choices=choices).verdict


FORMS = [row for name in ("forms", "more_forms", "kept_back_forms") for row in lines(HERE / f"{name}.jsonl")]


@pytest.mark.parametrize("row", FORMS, ids=lambda r: r["text"])
def test_every_form_gets_the_verdict_of_a_careful_person(row):
    assert verdict(row) == row["verdict"], row.get("reason")


def test_forms_labelled_by_readers_of_the_contract_alone_get_their_verdict_but_one():
    # 320 forms by two readers who never saw the grader: 318 at the first run, no false positive. One is left: by the
    # letter of the contract an equation's result comes before "…, leaving 25"; on real traces that costs right ones.
    amiss = [row for row in lines(HERE / "unseen_forms.jsonl") if verdict(row) != row["verdict"]]
    assert [row["text"] for row in amiss] == ["Thus Ben read 45 + 30 = 75 pages, leaving 25 for Sunday."]


def test_every_labelled_answer_gets_its_verdict():
    for row in rows("conformance/answers.jsonl"):
        assert verdict(row) == row["verdict"], row


def test_every_labelled_slip_is_found_and_no_other():
    for row in rows("conformance/slips.jsonl"):
        assert [s.equation for s in slips(row["text"])] == row["slips"], row


@pytest.mark.parametrize("form", ["\\boxed{%s}", "The answer is %s."])
@pytest.mark.parametrize(("name", "kind"), GOLD, ids=[name for name, _ in GOLD])
def test_every_gold_answer_is_right_against_itself(name, kind, form):
    for row in rows(f"data/{name}.jsonl"):
        choices = tuple(Option(**c) for c in row.get("choices", ()))
        assert judge(form % row["answer"], row["answer"], kind, choices=choices).verdict == "right", row["id"]


def test_a_date_is_the_same_day_in_words():
    for row in rows("data/date_understanding/test.jsonl"):
        month, day, year = row["meta"]["answer_text"].split("/")
        name = "January February March April May June July August September October November December".split()[
            int(month) - 1
        ]
        assert judge(f"So it is {name} {int(day)}, {year}.", row["meta"]["answer_text"], Kind.TEXT).verdict == "right"


def test_solutions_are_graded_as_their_publishers_did():
    for row in rows("data/gsm8k_model_solutions/test_6b.jsonl"):
        assert (judge(row["solution"], row["answer"]).verdict == "right") == row["is_correct"], row["id"]


@pytest.mark.parametrize("name", SOLUTIONS)
def test_solutions_on_which_graders_differ_are_graded_as_a_person_did(name):
    texts = rows(f"data/{name}.jsonl")
    for label in lines(HERE / "adjudicated.jsonl"):
        if label["set"] == name:
            row = texts[label["line"] - 1]
            assert judge(row["rationale"], row["answer"]).verdict == label["verdict"], label


@pytest.mark.parametrize("name", SOLUTIONS)
def test_where_the_publisher_was_not_overruled_the_grader_agrees_with_it(name):
    read = {label["line"] for label in lines(HERE / "adjudicated.jsonl") if label["set"] == name}
    for n, row in enumerate(rows(f"data/{name}.jsonl"), 1):
        if n not in read:
            assert (judge(row["rationale"], row["answer"]).verdict == "right") == row["is_correct"], row["id"]


@pytest.mark.parametrize(
    "form", ["The answer is %s.", "#### %s", "\\boxed{%s}", "<answer>%s</answer>", "Answer: %s", "%s"]
)
def test_an_answer_survives_whatever_words_follow_it(form):
    for row in rows("data/gsm8k_test_traces/gpt-4-1106-preview.jsonl"):
        text = row["rationale"].strip()
        found = find(text)
        if found is None or found.declared or judge(text, row["answer"]).verdict != "right":
            continue
        words = text[found.start :].partition("\n")[0].rstrip(".")
        assert judge(form % words, row["answer"]).verdict == "right", words
        assert judge(form % words, f"1{row['answer']}").verdict == "wrong", words


def test_every_reply_of_many_models_is_split_or_its_damage_named():
    for row in rows("data/think_style_mixed/humor.jsonl"):
        text = row["messages"][-1]["content"]
        found = split(text)
        opened, closed = text.rfind("<think>"), text.rfind("</think>")
        assert (found.thought is not None) == (max(opened, closed) >= 0), row["id"]
        assert found.unfinished == (opened > closed) == (found.damage is Damage.UNCLOSED), row["id"]
        assert (found.damage is None) == (
            text.count("<think>") in (0, 1)
            and text.count("<answer>") in (0, 1)
            and not found.unfinished
            and text.count("<answer>") == text.count("</answer>")
        )
        assert "<think>" not in found.reply and "</think>" not in found.reply, row["id"]
