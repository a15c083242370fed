"""Requests go out in a file, results come in by another, and the run finds them as if it had asked."""

import json

import pytest

from understudy import pipeline
from understudy.engines import batch
from understudy.engines.batch import Requests, Results
from understudy.errors import RecipeError, UserError
from understudy.pipeline import Asking, batching
from understudy.recipe import build
from understudy.store import Run


class Silent:
    def say(self, line):
        pass

    def tick(self, done, total, note=""):
        pass

    def stop(self):
        return False


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run")


def recipe(run, rows=5, **generate):
    path = run.folder.parent / "sums.jsonl"
    path.write_text(
        "".join(json.dumps({"question": f"What is {n} plus 1?", "answer": str(n + 1)}) + "\n" for n in range(rows))
    )
    asked = {"teacher": {"engine": "http", "model": "m"}, "n": 3, "max_tokens": 50} | generate
    made = build({"sources": [{"path": str(path), "split": "train"}], "generate": asked, "overlap_words": None})
    pipeline.distil(made, run, Silent(), only="source")
    return made


def written(made, run, name="requests.jsonl") -> list[dict]:
    requests = Requests(made.generate.teacher, run.folder.parent / name)
    batching.write(made, run, Silent(), requests)
    return [json.loads(line) for file in requests.files for line in file.read_text().splitlines()]


def answered(request: dict, **change) -> dict:
    """As a vendor answers: one choice for each that was asked."""
    choices = [
        {
            "index": n,
            "message": {"role": "assistant", "content": f"{request['custom_id']} {n}"},
            "finish_reason": "stop",
        }
        for n in range(request["body"].get("n", 1))
    ]
    body = {"choices": choices, "usage": {"prompt_tokens": 9, "completion_tokens": 6}}
    return {
        "id": "x",
        "custom_id": request["custom_id"],
        "response": {"status_code": 200, "body": body},
        "error": None,
    } | change


def collected(made, run, results) -> Results:
    path = run.folder.parent / "results.jsonl"
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in results))
    found = Results(made.generate.teacher, path)
    batching.collect(made, run, Silent(), found)
    return found


def traces(made, run):
    pipeline.distil(made, run, Silent(), only="generate", asking=Asking(offline=True))
    return list(run.rows("traces"))


def test_what_comes_back_is_what_the_run_finds(run):
    made = recipe(run)
    asked = written(made, run)
    assert [r["body"]["n"] for r in asked] == [3] * 5 and {r["url"] for r in asked} == {"/v1/chat/completions"}
    assert all(r["body"]["model"] == "m" and r["body"]["max_tokens"] == 50 for r in asked)
    collected(made, run, map(answered, reversed(asked)))
    found = traces(made, run)
    assert [t.id for t in found] == [f"sums/train/{p}#{n}" for p in range(5) for n in range(3)]
    assert [t.sample.text for t in found[:3]] == [f"{asked[0]['custom_id']} {n}" for n in range(3)]


def test_only_what_is_missing_is_written(run):
    made = recipe(run)
    collected(made, run, map(answered, written(made, run)))
    with pytest.raises(UserError, match="Nothing is missing"):
        written(made, run)
    more = written(recipe(run, rows=6, n=4), run)
    assert [r["custom_id"].split("-")[1:] for r in more] == [["3", "1"]] * 5 + [["0", "4"]]


def test_a_request_that_failed_is_written_again(run):
    made = recipe(run)
    asked = written(made, run)
    error = {"status_code": 500, "body": {"error": {"message": "overloaded"}}}
    results = [answered(r) for r in asked]
    results[1] = answered(asked[1], response=error)
    results[2] = answered(asked[2], response=None, error={"code": "batch_expired", "message": "too late"})
    collected(made, run, results)
    assert [r["custom_id"] for r in written(made, run)] == [asked[1]["custom_id"], asked[2]["custom_id"]]
    errors = [t.sample.error for t in traces(made, run) if t.sample.error]
    assert errors == ["HTTP 500: overloaded"] * 3 + ["too late"] * 3


def test_lines_that_are_no_results_are_counted_and_cost_nothing_else(run):
    made = recipe(run)
    good = [answered(r) for r in written(made, run)]
    other = {**good[0], "custom_id": "0123456789abcdef-0-3"}
    found = collected(made, run, ["{torn\n", *good, other, {"custom_id": "x"}])
    assert found.samples == 15 and len(found.unread) == 3
    assert found.unread[0].startswith("line 1: no result") and "does not ask" in found.unread[1]


def test_fewer_choices_than_asked_for_are_failed_samples(run):
    made = recipe(run, rows=1)
    (asked,) = written(made, run)
    short = answered(asked)
    short["response"]["body"]["choices"].pop()
    collected(made, run, [short])
    assert [t.sample.error for t in traces(made, run)] == [None, None, "fewer choices than asked for"]


def test_a_file_holds_no_more_than_a_vendor_takes(run, monkeypatch):
    monkeypatch.setattr(batch, "MOST", 2)
    made = recipe(run)
    written(made, run)
    lines = [(run.folder.parent / f"requests{part}.jsonl").read_text().count("\n") for part in ("", "-2", "-3")]
    assert lines == [2, 2, 1]


def test_a_teacher_in_the_process_takes_no_files(run):
    made = recipe(run, teacher={"engine": "local", "model": "m"})
    with pytest.raises(RecipeError, match="Batch files are for a server"):
        written(made, run)
