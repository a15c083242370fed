"""The order is drawn once: batches of like length, every row as often as any other."""

from collections import Counter

import pytest

pytest.importorskip("trl")

from understudy import training  # noqa: E402
from understudy.render import Rendered  # noqa: E402
from understudy.training.batches import padded  # noqa: E402


def rows_of(*lengths: int) -> list[Rendered]:
    return [Rendered([0] * n, [0.0] * (n - 2) + [1.0] * 2) for n in lengths]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_order_is_drawn_once_from_the_seed(seed, settings):
    rows = rows_of(*(3 + i % 17 for i in range(100)))
    one, two = (training.batches(rows, settings(steps=60), seed) for _ in range(2))
    assert one == two != training.batches(rows, settings(steps=60), seed + 1)
    assert all(len(batch) == 4 for batch in one) and len(one) == 60


def test_a_longer_run_begins_as_a_shorter_one(settings):
    rows = rows_of(*range(3, 80))
    assert training.batches(rows, settings(steps=90), 0)[:20] == training.batches(rows, settings(steps=20), 0)


@pytest.mark.parametrize("n", [5, 33, 100, 257])
def test_every_row_comes_once_before_any_comes_twice_more(n, settings):
    plan = training.batches(rows_of(*(3 + i % 29 for i in range(n))), settings(steps=8 * 40), 0)
    for groups in range(1, 41):  # rows of like length are put together within groups of eight batches
        seen = Counter(i for batch in plan[: 8 * groups] for i in batch)
        counts = [seen[i] for i in range(n)]
        assert max(counts) - min(counts) <= 1 and sum(counts) == 32 * groups


def test_rows_of_like_length_stand_together(settings):
    rows = rows_of(*(3 + (7 * i) % 101 for i in range(400)))
    spread = [
        max(len(rows[i].ids) for i in b) - min(len(rows[i].ids) for i in b)
        for b in training.batches(rows, settings(group_by_length=True), 0)
    ]
    assert sum(spread) / len(spread) < 20


def test_epochs_and_steps_say_how_long_a_run_is(settings):
    rows = rows_of(*[5] * 40)
    assert len(training.batches(rows, settings(steps=None, epochs=2.5), 0)) == 25
    assert len(training.batches(rows, settings(steps=7), 0)) == 7
    assert len(training.batches(rows[:1], settings(steps=None, epochs=0.1), 0)) == 1


@pytest.mark.parametrize("learn", [1, 16, 100, 101, 999])
def test_a_run_goes_on_until_so_many_tokens_are_learned(learn, settings):
    rows = rows_of(*[6] * 30)  # two learned of each: eight a batch
    plan = training.batches(rows, settings(steps=3), 0, learn)
    assert 0 <= 8 * len(plan) - learn < 8


def test_of_a_group_each_epoch_learns_one_row(settings):
    rows = [r._replace(group=f"g{i // 3}") for i, r in enumerate(rows_of(*[5] * 48))]  # 16 groups of three
    plan = training.batches(rows, settings(steps=None, epochs=60), 0)
    assert len(plan) == 60 * 16 // 4
    for epoch in range(0, len(plan), 8):  # two epochs are put in order at a time
        seen = Counter(i // 3 for batch in plan[epoch : epoch + 8] for i in batch)
        assert set(seen.values()) == {2} and len(seen) == 16
    drawn = Counter(i for batch in plan for i in batch)
    assert len(drawn) == 48 and max(drawn.values()) < 3 * min(drawn.values())


def test_at_random_more_is_padding(settings):
    rows = rows_of(*(3 + (7 * i) % 101 for i in range(400)))
    tokens = [
        sum(padded(rows, training.batches(rows, settings(steps=100, group_by_length=by_length), 0), 4))
        for by_length in (True, False)
    ]
    assert tokens[0] < 0.85 * tokens[1]


def test_each_forward_pass_is_padded_to_its_longest_row():
    rows = rows_of(10, 20, 30, 40)
    assert padded(rows, [[0, 3], [1, 2]], 2) == [80, 60] and padded(rows, [[0, 3]], 1) == [10, 40]
