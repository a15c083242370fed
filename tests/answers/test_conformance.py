"""The labelled cases of the project, and the gold answers of public sets judged against themselves."""

import json
from pathlib import Path

import pytest

from understudy.answers import judge, slips
from understudy.records import Kind, Option, Stop

SHARED = Path(__file__).resolve().parents[3] / "shared"
SETS = [
    ("gsm8k/test", Kind.NUMBER), ("svamp/test", Kind.NUMBER), ("aqua/test", Kind.CHOICE),
    ("strategyqa/test", Kind.BOOL), ("commonsenseqa/dev", Kind.CHOICE), ("math500/test", Kind.MATH),
]  # fmt: skip


def rows(path: str) -> list[dict]:
    file = SHARED / path
    if not file.exists():
        pytest.skip(f"{path} is not beside this checkout")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_every_labelled_answer_gets_its_verdict():
    for row in rows("conformance/answers.jsonl"):
        found = judge(row["text"], row["gold"], Kind(row.get("kind", "number")), Stop(row.get("stop", "end")))
        assert found.verdict == row["verdict"], row


def test_every_labelled_slip_is_found_and_no_other():
    for row in rows("conformance/slips.jsonl"):
        assert [s.equation for s in slips(row["text"])] == row["slips"], row


@pytest.mark.parametrize("form", ["\\boxed{%s}", "The answer is %s."])
@pytest.mark.parametrize(("name", "kind"), SETS, ids=[name for name, _ in SETS])
def test_every_gold_answer_is_right_against_itself(name, kind, form):
    for row in rows(f"data/{name}.jsonl"):
        choices = tuple(Option(**c) for c in row.get("choices", ()))
        if row["answer"] is not None:
            assert judge(form % row["answer"], row["answer"], kind, choices=choices).verdict == "right", row["id"]
