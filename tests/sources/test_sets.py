"""Named sets: the Hub's columns and a local copy's give the same problem; on real data nearly every gold passes."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from understudy.errors import SourceError
from understudy.recipe import Source
from understudy.records import Kind, Problem, Rejected, Split
from understudy.sources import load
from understudy.sources.sets import SETS

DATA = Path(__file__).parents[3] / "shared" / "data"

# One row as the Hub has it, the same as a local copy has it, and what it must become.
ROWS = {
    "gsm8k": (
        {"question": "Clips?", "answer": "48/2 = <<48/2=24>>24.\n48+24 = <<48+24=72>>72.\n#### 72"},
        {"question": "Clips?", "answer": "72", "rationale": "48/2 = <<48/2=24>>24.\n48+24 = <<48+24=72>>72."},
        ("Clips?", "72", "48/2 = <<48/2=24>>24.\n48+24 = <<48+24=72>>72.", {"steps": "2"}),
    ),
    "svamp": (
        {"ID": "chal-1", "Body": "Each costs 76", "Question": "And both?", "Answer": "152.0", "Type": "Addition"},
        {"question": "Each costs 76. And both?", "answer": "152.0", "meta": {"type": "Addition"}},
        ("Each costs 76. And both?", "152.0", None, {"type": "Addition"}),
    ),
    "commonsenseqa": (
        {"question": "Where?", "choices": {"label": ["A", "B"], "text": ["bank", "mall"]}, "answerKey": "B"},
        {
            "question": "Where?",
            "choices": [{"label": "A", "text": "bank"}, {"label": "B", "text": "mall"}],
            "answer": "B",
        },
        ("Where?", "B", None, {}),
    ),
    "aqua": (
        {"question": "Speed?", "options": ["A)21", "B)21.5"], "rationale": "v = 21.5. Answer B", "correct": "B"},
        {"question": "Speed?", "choices": ["21", "21.5"], "rationale": "v = 21.5. Answer B", "answer": "B"},
        ("Speed?", "B", "v = 21.5. Answer B", {}),
    ),
    "strategyqa": (
        {"qid": "a", "question": "Frost in May?", "answer": True, "facts": ["Frost is cold.", "May is not."]},
        {
            "question": "Frost in May?",
            "answer": "yes",
            "rationale": "Frost is cold. May is not.",
            "choices": [{"label": "yes", "text": "Yes"}, {"label": "no", "text": "No"}],
        },
        ("Frost in May?", "yes", "Frost is cold. May is not.", {}),
    ),
    "math500": (
        {"problem": "Half?", "solution": "It is $\\boxed{\\frac12}$.", "answer": "\\frac{1}{2}", "level": 2},
        {
            "question": "Half?",
            "rationale": "It is $\\boxed{\\frac12}$.",
            "answer": "\\frac{1}{2}",
            "meta": {"difficulty": 2.0},
        },
        ("Half?", "\\frac{1}{2}", "It is $\\boxed{\\frac12}$.", {"level": "2"}),
    ),
}


def test_every_set_has_its_rows():
    assert set(ROWS) == set(SETS)


@pytest.mark.parametrize("name", ROWS)
def test_the_hubs_columns_and_a_local_copys_give_the_same_problem(tmp_path, name):
    *layouts, expected = ROWS[name]
    for row in layouts:
        (tmp_path / "test.jsonl").write_text(json.dumps(row))
        (problem,) = load([Source(name=name, path=str(tmp_path / "test.jsonl"))], 0)
        assert isinstance(problem, Problem)
        assert (problem.question, problem.answer, problem.rationale, problem.slices) == expected
        assert (problem.id, problem.kind) == (f"{name}/test/0", SETS[name].kind)


def test_what_commonsenseqa_calls_dev_is_its_test(tmp_path):
    row = ROWS["commonsenseqa"][0]
    (tmp_path / "train.jsonl").write_text(
        "".join(json.dumps(row | {"question": f"Where {n}?"}) + "\n" for n in range(99))
    )
    (tmp_path / "validation.jsonl").write_text(json.dumps(row))
    (tmp_path / "test.jsonl").write_text(json.dumps(row | {"answerKey": ""}))
    found = list(load([Source(name="commonsenseqa", path=str(tmp_path))], 0))
    splits = Counter(p.split for p in found if isinstance(p, Problem))
    assert len(found) == 100
    assert splits[Split.TEST] == 1
    assert 0 < splits[Split.DEV] < 30


def test_a_hub_clone_is_read_by_its_configuration(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    for config, answer in (("main", "#### 72"), ("socratic", "#### 73")):
        (tmp_path / config).mkdir()
        table = arrow.Table.from_pylist([{"question": "Clips?", "answer": answer}])
        parquet.write_table(table, tmp_path / config / "test-00000-of-00001.parquet")
    assert [p.answer for p in load([Source(name="gsm8k", path=str(tmp_path))], 0)] == ["72"]
    assert [p.answer for p in load([Source(name="gsm8k", path=str(tmp_path), config="socratic")], 0)] == ["73"]


def test_the_hub_door_reads_what_the_hubs_library_reads(tmp_path, monkeypatch):
    # The library takes a folder for an id, too: the same door, without a network.
    pytest.importorskip("datasets")
    from understudy.sources.files import hub

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "owner" / "sums"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text('{"question": "2 + 2?", "answer": "4"}\n')
    (folder / "test.jsonl").write_text('{"question": "3 + 3?", "answer": "6"}\n')
    found = {table.split: [row.data for row in table.rows()] for table in hub(str(folder))}
    assert found == {
        Split.TRAIN: [{"question": "2 + 2?", "answer": "4"}],
        Split.TEST: [{"question": "3 + 3?", "answer": "6"}],
    }


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (ConnectionError("no route"), "gsm8k: the Hub cannot be reached. Give a local copy: sources.path"),
        (FileNotFoundError("404"), "gsm8k: the Hub has no such set, or it is private."),
        (ValueError("BuilderConfig 'x' not found.\nAvailable: main"), "gsm8k: BuilderConfig 'x' not found. Check its"),
    ],
)
def test_a_hub_that_does_not_answer_is_one_sentence(monkeypatch, raised, message):
    datasets = pytest.importorskip("datasets")

    def fail(*args, **kwargs):
        raise raised

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(SourceError) as error:
        list(load([Source(name="gsm8k")], 0))
    assert str(error.value).startswith(message)


def test_a_misspelt_set_names_its_neighbour():
    with pytest.raises(SourceError, match=r"no set is called 'gms8k'\. Did you mean 'gsm8k'\?"):
        list(load([Source(name="gms8k")], 0))


REAL = {  # problems and rejected rows
    "gsm8k": (8792, 0),
    "svamp": (1000, 0),
    "commonsenseqa": (10962, 0),
    "aqua": (508, 0),
    "strategyqa": (2290, 0),
    "math500": (500, 0),
}


@pytest.mark.parametrize("name", REAL)
def test_every_gold_answer_of_the_real_set_is_right_against_itself(name):
    if not (DATA / name).is_dir():
        pytest.skip(f"no copy of {name} beside the repository")
    found = list(load([Source(name=name, path=os.fspath(DATA / name))], 0))
    rejected = [row for row in found if isinstance(row, Rejected)]
    assert len(found) == sum(REAL[name])
    # The grader may still learn: three answers with a plus-minus sign are all that may fail.
    assert len(rejected) <= 3 and all("pm" in row.why for row in rejected), rejected[:3]
    assert len({p.id for p in found if isinstance(p, Problem)}) == len(found) - len(rejected)


def test_kinds_of_own_files_are_those_of_the_named_sets():
    if not DATA.is_dir():
        pytest.skip("no data beside the repository")
    for name, kind in (("gsm8k", Kind.NUMBER), ("aqua", Kind.CHOICE), ("strategyqa", Kind.BOOL)):
        found = load([Source(path=os.fspath(DATA / name / "test.jsonl"), limit=100)], 0)
        assert {p.kind for p in found if isinstance(p, Problem)} == {kind}
