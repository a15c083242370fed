"""Documents become sequences without losing, doubling or mixing any, from every place in the stream on."""

import json
from itertools import islice

import msgspec
import pytest

pytest.importorskip("datasets")

from understudy.errors import SourceError  # noqa: E402
from understudy.recipe import Text  # noqa: E402
from understudy.sources.texts import Documents, Place  # noqa: E402
from understudy.steps.pretrain.packing import (  # noqa: E402
    Ahead,
    Mark,
    Packed,
    Stream,
    contents,
    labels,
    positions,
    shares,
)

END = 0


def encode(texts: list[str]) -> list[list[int]]:
    """Every word is its number."""
    return [[*map(int, text.split()), END] for text in texts]


def words(number: int, count: int) -> str:
    """A document that knows itself by its first word."""
    return " ".join([str(number), *["7"] * count])


def documents(name: str, first: int, count: int, **change) -> Documents:
    made = [words(first + i, i % 9) for i in range(count)]
    return Documents(Text(name=name), made, **{"block": 4, "seed": 0} | change)


def stream(mark=None, apart=True, length=16) -> Stream:
    texts = {"a": documents("a", 100, 10), "b": documents("b", 200, 13)}
    return Stream(texts, shares({"a": 3, "b": 1}, {}, 10**9), encode, length, apart, mark or Mark())


def drawn(n, mark=None, **change) -> list[tuple[Packed, Mark]]:
    return list(islice(iter(stream(mark, **change)), n))


@pytest.mark.parametrize("at", range(1, 24, 3))
def test_from_a_mark_on_the_stream_is_what_it_would_have_been(at):
    whole = drawn(30)
    mark = msgspec.json.decode(msgspec.json.encode(whole[at - 1][1]), type=Mark)
    assert mark.sequences == at and drawn(30 - at, mark) == whole[at:]


def test_no_token_is_lost_or_doubled_and_no_document_mixed():
    found = [one.ids for one, _ in drawn(60)]
    assert {len(ids) for ids in found} == {16}
    for name in "ab":
        own = [ids for ids in found if min(t for t in ids if t > 7) // 100 == "ab".index(name) + 1]
        flat = [t for ids in own for t in ids]
        read = [
            d for block in islice(stream()._texts[name].after(Place()), 40) for d in encode([x.text for x in block])
        ]
        assert flat == [t for d in read for t in d][: len(flat)]


def test_each_reading_has_every_document_once_in_another_order():
    texts = [d.text for block in islice(documents("a", 100, 10).after(Place()), 9) for d in block]
    assert sorted(texts[:10]) == sorted(texts[10:20]) == sorted(texts[20:30]) and texts[:10] != texts[10:20]
    assert texts[:10] != [words(100 + i, i % 9) for i in range(10)]
    plain = documents("a", 100, 10, block=1)
    assert [d.text for block in islice(plain.after(Place()), 10) for d in block] == plain.made


def test_shares_are_kept_to_the_sequence():
    counts = drawn(40)[-1][1]
    assert counts.credit == {"a": 0.0, "b": 0.0}  # 30 of a, 10 of b: nobody is owed
    many = shares({"a": 1}, {"b": 0.3}, 20)
    texts = {"a": documents("a", 100, 10), "b": documents("b", 200, 10)}
    own = [one for one, _ in islice(iter(Stream(texts, many, encode, 16, True, Mark())), 40)]
    kinds = ["b" if min(t for t in one.ids if t > 7) >= 200 else "a" for one in own]
    assert kinds[:20] == ["a"] * 20 and kinds[20:].count("b") == 6


def test_positions_begin_anew_and_what_no_own_word_comes_before_is_not_learned():
    one = Packed([5, 6, END, 8, END, 9], [0, 3, 5])
    assert positions(one, True) == [0, 1, 2, 0, 1, 0] and positions(one, False) == [0, 1, 2, 3, 4, 5]
    assert labels(one, True) == [-100, 6, END, -100, END, -100] and labels(one, False) == one.ids
    (packed, mark), *_ = drawn(1)
    assert mark.learned == 16 - len(packed.starts) == sum(t != -100 for t in labels(packed, True))
    assert drawn(1, apart=False)[0][1].learned == 15


def test_a_thread_that_reads_ahead_changes_nothing_and_says_what_went_wrong():
    ahead = Ahead(iter(stream()), 3)
    assert list(islice(iter(ahead), 20)) == drawn(20)
    ahead.close()
    empty = Stream({"a": Documents(Text(name="a"), [" "], 4, 0)}, lambda n: {"a": 1.0}, encode, 8, True, Mark())
    with pytest.raises(SourceError, match="a: no document in it. Give pretrain.texts another path or column."):
        next(iter(Ahead(iter(empty), 3)))


def test_a_tokenizer_is_shown_each_text_once():
    one, two = documents("a", 100, 10), documents("b", 200, 13)
    shown = list(contents([one, two], 12))
    assert sorted(shown[:10]) == sorted(one.made or []) and len(shown) == 22 and len({*shown}) == 22


# --- where text comes from --------------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path):
    """The same documents as files of every kind."""
    texts = [words(100 + i, i) for i in range(6)]
    rows = [json.dumps({"id": i, "body": t}) for i, t in enumerate(texts)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows) + "\n")
    folder = tmp_path / "parts"
    folder.mkdir()
    for part in range(2):
        (folder / f"{part}.jsonl").write_text("\n".join(rows[3 * part : 3 * part + 3]) + "\n")
    (tmp_path / "plain.txt").write_text("\n\n".join(texts) + "\n")
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"body": texts}), tmp_path / "table.parquet")
    return tmp_path, texts


def read(path, count, place=None, column="body", **change) -> list[str]:
    text = Text(name="t", path=str(path), column=column, **change)
    found = (d.text.strip() for block in Documents(text, None, 4, 0).after(place or Place()) for d in block)
    return list(islice(found, count))


@pytest.mark.parametrize(
    ("name", "column"), [("rows.jsonl", "body"), ("parts", "body"), ("plain.txt", "text"), ("table.parquet", "body")]
)
def test_every_kind_of_file_is_read_and_gone_on_with(name, column, written):
    folder, texts = written
    text = Text(name="t", path=str(folder / name), column=column)
    found = list(islice((d for b in Documents(text, None, 4, 0).after(Place()) for d in b), 20))
    assert sorted(d.text.strip() for d in found[:6]) == texts
    place = msgspec.json.decode(msgspec.json.encode(found[9].place), type=Place)
    assert read(folder / name, 10, place, column) == [d.text.strip() for d in found[9:19]]


def test_only_the_first_documents_where_so_many_are_asked_for(written):
    folder, texts = written
    assert sorted({*read(folder / "rows.jsonl", 12, limit=3)}) == texts[:3]


def test_a_document_with_a_test_question_in_it_is_left_out(written):
    folder, texts = written
    text = Text(name="t", path=str(folder / "rows.jsonl"), column="body")
    clean = Documents(text, None, 4, 0, leaks=lambda document: document == texts[2])
    found = [d.text for block in islice(clean.after(Place()), 4) for d in block]
    assert texts[2] not in found and len(found) == 10


@pytest.mark.parametrize(
    ("name", "column", "says"),
    [
        ("rows.jsonl", "texts", "there is no column 'texts'. Give pretrain.texts a column of: id, body."),
        ("none", "body", "Give pretrain.texts a file, a folder or a Hub id."),
        (".", "body", "files of one kind are read, ending in .jsonl"),
    ],
)
def test_what_cannot_be_read_is_said(name, column, says, written, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SourceError, match=says.replace(".", r"\.")):
        read(written[0] / name, 1, column=column)


def test_a_hub_set_is_asked_for_by_its_parts(monkeypatch):
    from datasets import Dataset

    asked = []

    def load_dataset(*given, **named):
        asked.append((given, named))
        return Dataset.from_dict({"said": ["one", "two"]}).to_iterable_dataset()

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    assert sorted(read("some/set", 2, column="said", config="small", split="validation")) == ["one", "two"]
    assert asked == [(("some/set", "small"), {"split": "validation", "streaming": True})]
