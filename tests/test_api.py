"""`grade`, as it is called from Python: one line of verdicts for each row, from files and from mappings."""

import gzip
import json

import pytest

from understudy import grade
from understudy.errors import SourceError
from understudy.grading.names import Grader
from understudy.grading.rows import Columns
from understudy.records import Kind, Verdict

ROWS = [{"id": "a", "text": "<think>72</think>It is 72.", "gold": "72"}, {"text": "71", "answer": 72}]


def test_rows_are_judged_wherever_they_come_from(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
    given, read = list(grade(ROWS)), list(grade(path))
    assert given == read == list(grade(str(path)))
    first, second = given
    assert (first.line, first.id, first.verdict, first.gold, first.kind) == (1, "a", Verdict.RIGHT, "72", Kind.NUMBER)
    assert (first.thought, first.thought_answer, first.consistent, first.rule) == (True, "72", True, "sentence")
    assert (second.line, second.id, second.verdict, second.answer) == (2, None, Verdict.WRONG, "71")


def test_a_kind_that_is_given_is_that_of_every_row():
    row = {"text": "The answer is B.", "gold": "B", "kind": "number"}
    assert [next(grade([row], kind)).verdict.value for kind in (Kind.CHOICE, None)] == ["right", "no_answer"]


def test_columns_and_grader_can_be_chosen():
    row = {"meta": {"said": "#### 7"}, "truth": "7.0"}
    columns = Columns(text="meta.said", gold="truth")
    verdicts = [next(grade([row], columns=columns, grader=one)).verdict.value for one in list(Grader)[:3]]
    assert verdicts == ["right", "wrong", "wrong"]


def test_a_row_that_cannot_be_judged_is_an_error_or_set_aside():
    bad = [{"gold": "72"}, *ROWS]
    with pytest.raises(SourceError, match="rows:1: there is no text"):
        list(grade(bad))
    aside = []
    assert len(list(grade(bad, aside=aside))) == 2
    assert (aside[0].line, aside[0].path) == (1, "rows")
