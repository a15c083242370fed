"""A near-duplicate names the earlier text it repeats, with their exact likeness; and nothing else is one."""

import random
import tempfile

import pytest

from understudy.records import Option, Problem, Split
from understudy.sources import near
from understudy.sources.near import Near, Twin, near_duplicates, same_questions

TEN = "one two three four five six seven eight nine ten"


def runs(text):
    words = text.split()
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def jaccard(one, other):
    return len(runs(one) & runs(other)) / len(runs(one) | runs(other))


def made(rng, words=40):
    return " ".join(f"w{rng.randrange(2000)}" for _ in range(words))


def edited(rng, text):
    words = text.split()
    for _ in range(rng.randrange(5)):
        words[rng.randrange(len(words))] = f"x{rng.randrange(10**6)}"
    return " ".join(words)


def many(n, seed=0):
    """Texts of which every third is an edited copy of an earlier one."""
    rng, texts = random.Random(seed), []
    for i in range(n):
        texts.append(edited(rng, rng.choice(texts)) if i % 3 == 2 else made(rng, rng.choice((30, 60, 120))))
    return [(str(i), text) for i, text in enumerate(texts)]


ALIKE = [  # two texts, their Jaccard index by hand
    (TEN, TEN, 1.0),
    (TEN, f"  {TEN.upper()}\n", 1.0),
    (TEN, TEN.replace("five", "\N{LATIN SMALL LIGATURE FI}ve"), 1.0),
    (TEN, f"{TEN} eleven", 6 / 7),
    (TEN, f"zero {TEN} eleven", None),  # 6 of 8
    (TEN, TEN.replace("five", "nine"), None),
    (TEN, TEN.replace("ten", "TEN."), None),  # 5 of 7: a word is what stands between spaces
    (f"{TEN} {TEN}", TEN, None),  # sets: 4 of the 10 runs are where the two halves meet
    ("yes", "Yes", 1.0),
    ("yes", "no", None),
    ("one two", "one two three", None),
    ("", "  ", 1.0),
    ("", "one", None),
    ("Größe " * 3 + TEN, "GRÖSSE " * 3 + TEN, 1.0),
    (f"\N{FULLWIDTH DIGIT TWO} {TEN}", f"2 {TEN}", 1.0),
    (f"\ud800 {TEN} eleven", f"\ud800 {TEN}", 7 / 8),
]


@pytest.mark.parametrize(("one", "other", "expected"), ALIKE)
def test_texts_are_compared_by_their_sets_of_five_words(one, other, expected):
    found = Near()
    assert found.add("first", one) is None
    assert found.add("second", other) == (None if expected is None else Twin("first", expected))


def test_nearly_all_copies_are_found_and_no_partner_is_false():
    rows = many(3000)
    texts = dict(rows)
    found = {key: (twin, index) for key, twin, index in near_duplicates(rows)}
    for key, (twin, index) in found.items():
        assert int(twin) < int(key) and twin not in found
        assert index == jaccard(texts[key], texts[twin]) >= 0.8
    seen: dict[tuple, list[str]] = {}  # every pair that shares anything, the slow way
    close = set()
    for key, text in rows:
        others = {other for run in runs(text) for other in seen.get(run, ())} - found.keys()
        close |= {key} if any(jaccard(text, texts[other]) >= 0.8 for other in others) else set()
        for run in runs(text):
            seen.setdefault(run, []).append(key)
    assert found.keys() <= close and len(close) > 300
    assert len(found) >= 0.99 * len(close)


@pytest.mark.parametrize("batch", [1, 300, 5000, 1 << 18])
def test_it_does_not_matter_how_many_come_at_once(batch, monkeypatch):
    rows = many(300)
    expected = list(near_duplicates(rows))
    monkeypatch.setattr(near, "BATCH", batch)
    monkeypatch.setattr(near, "AT_ONCE", batch)
    assert list(near_duplicates(iter(rows))) == expected
    one_by_one = Near()
    assert [(key, *twin) for key, text in rows if (twin := one_by_one.add(key, text))] == expected


def test_the_result_is_the_same_in_every_process(python):
    code = "from understudy.sources.near import *; print(list(near_duplicates((str(i), f'{i % 7} a b c d e') for i in "
    ran = [python("-c", f"{code}range(20))))").stdout for _ in range(2)]
    assert ran[0] == ran[1] and ran[0].count("1.0") == 13


def test_what_is_left_out_has_no_copies_of_its_own():
    """Else a chain of small changes would end anywhere."""
    first = " ".join(f"w{i}" for i in range(40))
    second, third = f"{first} x1 x2 x3 x4", f"{first} x1 x2 x3 x4 x5 x6 x7 x8"
    assert jaccard(first, second) >= 0.8 and jaccard(second, third) >= 0.8 and jaccard(first, third) == 36 / 44
    assert [key for key, _, _ in near_duplicates([("1", first), ("2", second), ("3", f"{third} x9 x10")])] == ["2"]


def test_only_texts_of_one_group_are_compared():
    found = Near()
    twins = found.add_all(["a#0", "b#0", "a#1", "b#1"], [TEN] * 4, ["a", "b", "a", "b"])
    assert twins == [None, None, Twin("a#0", 1.0), Twin("b#0", 1.0)]
    assert found.add("a#2", TEN, "a") == Twin("a#0", 1.0)
    assert found.add("c#0", TEN, "c") is None
    assert found.add("0", TEN) is None
    assert found.add_all(["1"], [TEN], [""]) == found.add_all(["1"], [TEN]) == [Twin("0", 1.0)]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9, 1.0])
def test_other_thresholds_are_kept_to(threshold):
    rows = many(1500)
    texts = dict(rows)
    found = list(near_duplicates(rows, threshold))
    assert all(index == jaccard(texts[key], texts[twin]) >= threshold for key, twin, index in found)
    equal = sum(int(key) % 3 == 2 for key, _, _ in near_duplicates(rows, 1.0))
    assert len(found) > equal if threshold < 1 else equal > 50


@pytest.mark.parametrize("threshold", [0, 1.2])
def test_a_threshold_is_a_share(threshold):
    with pytest.raises(ValueError, match="more than 0 and at most 1"):
        Near(threshold)


def test_what_many_texts_begin_with_does_not_make_them_candidates_of_each_other():
    """Boilerplate and a few words of their own: every text has tags in common with thousands."""
    opening = " ".join(f"o{i}" for i in range(30))
    found = Near()
    for start in range(0, 3000, 500):
        texts = [f"{opening} " + " ".join(f"w{i}_{k}" for k in range(30)) for i in range(start, start + 500)]
        assert found.add_all([str(i) for i in range(500)], texts) == [None] * 500
    tags = found._tags(*near._runs(texts, None))
    assert len(found._index.find(tags)) <= near.ROOM * tags.size
    assert found.add("again", texts[-1]) == Twin("499", 1.0)


def test_what_does_not_fit_into_memory_is_on_disk(monkeypatch, tmp_path):
    rows = many(900)
    expected = list(near_duplicates(rows))
    monkeypatch.setattr(near, "IN_MEMORY", 10_000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = Near()
    twins = found.add_all([key for key, _ in rows], [text for _, text in rows])
    assert found._shelf._disk is not None and len(found._shelf._memory) == 1250
    assert [(key, *twin) for (key, _), twin in zip(rows, twins, strict=True) if twin] == expected


def test_a_text_larger_than_a_batch_is_compared_too():
    rng = random.Random(0)
    long = made(rng, 100_000)
    assert list(near_duplicates([("a", long), ("b", TEN), ("c", f"{long} more"), ("d", TEN)])) == [
        ("c", "a", 99_996 / 99_997),
        ("d", "b", 1.0),
    ]


def make_problem(number, question, *options):
    choices = tuple(Option(label=label, text=text) for label, text in zip("ABC", options, strict=False))
    return Problem(id=str(number), question=question, choices=choices, source="p", split=Split.TRAIN)


def test_same_questions_have_the_same_options():
    question = "Which of these things is it that a beaver builds from wood?"
    problems = [
        make_problem(0, question, "a dam", "a nest"),
        make_problem(1, question, "a small house made of stone", "the tower of a church"),
        make_problem(2, question.upper(), "a dam", "a nest"),
        make_problem(3, question),
    ]
    assert same_questions(problems) == {"2": "0"}
