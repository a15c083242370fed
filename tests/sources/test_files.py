"""Rows come out of every format; what is broken is set aside, and what cannot be used is said in a sentence."""

import contextlib
import json
import random
from itertools import islice

import pytest

from understudy.errors import SourceError
from understudy.records import Split
from understudy.sources.files import READERS, get, rows, split_named, tables


@pytest.fixture
def write(tmp_path):
    def to(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to


def data(path):
    return [row.data for row in rows(path)]


def aside(path):
    return [(row.line, row.why) for row in rows(path) if row.data is None]


SAME = [{"question": "2 + 2?", "answer": "4"}, {"question": "3 + 3?", "answer": "6"}]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("comma.csv", "question,answer\n2 + 2?,4\n3 + 3?,6\n"),
        ("semicolon.csv", "question;answer\n2 + 2?;4\n3 + 3?;6\n"),
        ("tab.tsv", "question\tanswer\n2 + 2?\t4\n3 + 3?\t6"),
        ("windows.csv", "\ufeffquestion,answer\r\n2 + 2?,4\r\n3 + 3?,6\r\n"),
        ("mac.csv", "question,answer\r2 + 2?,4\r3 + 3?,6\r"),
        ("gaps.csv", '"question",answer,\n\n2 + 2?,4,\n,,\n3 + 3?,6,\n'),
        ("lines.jsonl", '{"question": "2 + 2?", "answer": "4"}\n\n{"question": "3 + 3?", "answer": "6"}'),
        ("bom.jsonl", '\ufeff{"question": "2 + 2?", "answer": "4"}\r\n{"question": "3 + 3?", "answer": "6"}\r\n'),
        ("array.json", json.dumps(SAME, indent=2)),
        ("wrapped.json", json.dumps({"version": 1, "data": SAME}, indent=2)),
        ("lines.json", "\n".join(map(json.dumps, SAME))),
    ],
)
def test_every_format_gives_the_same_rows(write, name, text):
    assert data(write(name, text)) == SAME


def test_parquet_gives_the_same_rows(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(SAME * 1000), tmp_path / "p.parquet")
    got = list(rows(tmp_path / "p.parquet"))
    assert [row.data for row in got] == SAME * 1000
    assert got[-1].line == 2000


def test_a_quoted_field_may_hold_anything(write):
    path = write("q.csv", 'question,answer\n"one, two\nand ""three"";",3\nnext,4\n')
    assert data(path) == [{"question": 'one, two\nand "three";', "answer": "3"}, {"question": "next", "answer": "4"}]
    assert [row.line for row in rows(path)] == [2, 4]


def test_a_huge_field_is_a_field(write):
    assert len(data(write("huge.csv", "question,answer\n" + "x" * 300_000 + ",1\n"))[0]["question"]) == 300_000


BROKEN_CSV = [
    ('a,b\n1,2\n"open,3\n4,5\n6,7\n', [(3, "quotes")], 3),
    ('a,b\n"said "hi"",2\n3,4\n', [(2, "quotes")], 1),
    ("a,b\n1,2,3\n4,5\n", [(2, "3 fields, and the header has 2")], 1),
    ("a,b\n1\n4,5\n", [(2, "1 fields, and the header has 2")], 1),
    ("a,b\n1\0,2\n4,5\n", [(2, "NUL")], 1),
]


@pytest.mark.parametrize(("text", "expected", "kept"), BROKEN_CSV, ids=["open", "inner", "many", "few", "nul"])
def test_only_the_broken_line_of_a_csv_is_set_aside(write, text, expected, kept):
    path = write("x.csv", text)
    found = aside(path)
    assert [line for line, _ in found] == [line for line, _ in expected]
    assert all(why in got for (_, got), (_, why) in zip(found, expected, strict=True))
    assert sum(row.data is not None for row in rows(path)) == kept


def test_only_the_broken_line_of_a_jsonl_is_set_aside(write):
    path = write("x.jsonl", b'{"a": 1}\n{"a": \n[1]\n{"a": "\xe9"}\n{"a": "\0"}\n{"a": NaN, "b": 2}\n"x"\n')
    assert [line for line, _ in aside(path)] == [2, 3, 4, 5, 7]
    assert "not UTF-8 (byte 0xe9)" in aside(path)[2][1]
    assert data(path)[-2] == {"a": None, "b": 2}  # pandas' empty cell
    assert [row.raw for row in rows(path)][1] == '{"a":'


def test_a_rejected_row_shows_its_first_500_characters(write):
    row = next(rows(write("x.jsonl", json.dumps({"a": "y" * 2000}))))
    assert row.rejected("x.jsonl", "too long").raw == '{"a": "' + "y" * 493


def test_rows_are_lazy(write):
    path = write("long.jsonl", '{"a": 1}\n' * 50_000)
    assert len(list(islice(rows(path), 3))) == 3


UNUSABLE = [
    ("empty.csv", b"", "empty.csv: the file is empty."),
    ("sheet.csv", b"PK\x03\x04rest", "this is an Excel or zip file. Save it as CSV (UTF-8)."),
    ("wide.csv", "a,b\n1,2".encode("utf-16"), "this is UTF-16. Save it as UTF-8."),
    ("old.csv", "a,b\n1,2\ngrün,2\n".encode("latin-1"), "line 3 is not UTF-8 (byte 0xfc); the file may be Latin-1."),
    ("twice.csv", b"a,a\n1,2", "two columns are called 'a'. Rename one."),
    ("text.txt", b"hello", "files ending in .csv, .tsv"),
    ("broken.json", b'[{"a": 1},', "broken.json: not JSON"),
    ("one.json", b'{"a": 1}', "neither a list of rows nor an object with one"),
    ("p.parquet", b"PARxxxx", "Parquet cannot be read"),
]


@pytest.mark.parametrize(("name", "content", "message"), UNUSABLE, ids=[name for name, _, _ in UNUSABLE])
def test_a_file_that_cannot_be_used_says_why(write, name, content, message):
    with pytest.raises(SourceError) as error:
        data(write(name, content))
    assert message in str(error.value)


def test_no_bytes_do_worse_than_an_error_in_a_sentence(write):
    rng = random.Random(0)
    letters = b"abc,;\t\"\n\r'{}[]:\\\x00\xe9 1.\xef\xbb\xbf"
    for _ in range(1500):
        start = rng.choice([b"a,b\n", b"", b'{"a": 1}\n', b"["])
        name = f"x{rng.choice(list(READERS))}"
        path = write(name, start + bytes(rng.choice(letters) for _ in range(rng.randrange(80))))
        with contextlib.suppress(SourceError):
            assert all((row.data is None) != (row.why is None) for row in rows(path))


def test_a_missing_file_names_its_neighbour(write):
    path = write("problems.csv", "a\n1")
    with pytest.raises(SourceError, match=r"problem\.csv: there is no such file\. Did you mean problems\.csv\?"):
        rows(path.parent / "problem.csv")


def test_a_folder_is_its_data_files(write):
    write("train.jsonl", '{"a": 1}')
    write("notes.md", "not data")
    folder = write("test-00000-of-00001.csv", "a\n2").parent
    assert [(table.split, [row.data for row in table.rows()]) for table in tables(str(folder))] == [
        (Split.TEST, [{"a": "2"}]),
        (Split.TRAIN, [{"a": 1}]),
    ]


def test_an_empty_folder_says_so(tmp_path):
    with pytest.raises(SourceError, match="holds no file ending in"):
        tables(str(tmp_path))


def test_names_tell_the_split():
    assert split_named("svamp_train") is Split.TRAIN
    assert split_named("validation-00000-of-00002") is Split.DEV
    assert split_named("latest") is split_named("contest2") is None


def test_dots_reach_inside_but_a_column_with_a_dot_comes_first():
    assert get({"meta": {"a": {"b": 1}}}, "meta.a.b") == 1
    assert get({"meta.a": 2, "meta": {"a": 1}}, "meta.a") == 2
    assert get({"meta": "text"}, "meta.a") is None
