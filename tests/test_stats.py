"""Known values, and the promises that intervals make: measured by simulation."""

import math
import random
from functools import cache

import numpy as np
import pytest

from understudy.stats import (
    cluster_mean,
    g_pass_at_k,
    holm,
    majority_at_k,
    mcnemar,
    mean_g_pass_at_k,
    minimum_detectable_effect,
    paired_bootstrap,
    pass_all_at_k,
    pass_at_k,
    ratio,
    t_quantile,
    wilson,
)

# --- Wilson -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (5, 10, 0.2366, 0.7634),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_has_its_published_values(right, n, low, high):
    assert wilson(right, n) == pytest.approx((right / n, low, high), abs=5e-5)


@pytest.mark.parametrize("n", [20, 50, 200, 500])
def test_wilson_covers_19_of_20_on_average(n):
    # Exact: the chance of each count, and whether its interval holds the truth.
    ends = np.array([wilson(k, n)[1:] for k in range(n + 1)])
    shares = np.linspace(0.05, 0.95, 91)
    covered = [sum(_binomial(k, n, p) for k in range(n + 1) if ends[k, 0] <= p <= ends[k, 1]) for p in shares]
    assert 0.94 <= np.mean(covered) <= 0.97


def _binomial(k, n, p):
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log(1 - p)
    return math.exp(log)


def test_wilson_is_mirrored_and_ordered():
    for n in (1, 7, 100):
        for k in range(n + 1):
            here, there = wilson(k, n), wilson(n - k, n)
            assert 0 <= here.low <= here.value <= here.high <= 1
            assert here.low == pytest.approx(1 - there.high)


def test_wilson_widens_with_its_level():
    assert wilson(5, 10, level=0.99).low < wilson(5, 10).low


@pytest.mark.parametrize(("right", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_wilson_refuses_what_is_no_share(right, n):
    with pytest.raises(ValueError, match="no share"):
        wilson(right, n)


# --- McNemar ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("b", "c", "exact", "mid"),
    [
        (0, 0, 1.0, 1.0),
        (3, 3, 1.0, 1.0),
        (5, 0, 0.0625, 0.03125),
        (1, 9, 22 / 1024, 12 / 1024),
        (2, 8, 112 / 1024, 67 / 1024),
    ],
)
def test_mcnemar_has_its_hand_computed_values(b, c, exact, mid):
    assert mcnemar(b, c, mid_p=False) == pytest.approx(exact)
    assert mcnemar(b, c) == pytest.approx(mid)
    assert mcnemar(c, b) == mcnemar(b, c)


def test_mcnemar_of_many_pairs_nears_the_normal_test():
    # (1200 - 1000) / sqrt(2200) = 4.264: p = 2.0e-5
    assert mcnemar(1000, 1200) == pytest.approx(2.0e-5, rel=0.02)
    assert 0 <= mcnemar(0, 5000) < 1e-300


def test_mid_p_rejects_5_percent_of_true_nulls():
    m = 40
    wrong = sum(math.comb(m, b) for b in range(m + 1) if mcnemar(b, m - b) < 0.05) / 2**m
    assert 0.03 < wrong < 0.06


# --- paired bootstrap and cluster mean --------------------------------------------------------------------------------


def test_a_paired_difference_has_the_width_of_theory():
    a, b = [1.0, 0.0, 1.0, 1.0] * 100, [1.0, 0.0, 0.0, 1.0] * 100
    got = paired_bootstrap(a, b)
    error = math.sqrt(0.25 * 0.75 / 400)
    assert got.value == 0.25
    assert (got.high - got.low) / 2 == pytest.approx(1.966 * error, rel=0.03)


def test_the_same_seed_gives_the_same_interval():
    rng = random.Random(1)
    a, b = [rng.random() for _ in range(90)], [rng.random() for _ in range(90)]
    assert paired_bootstrap(a, b, seed=3, draws=500) == paired_bootstrap(a, b, seed=3, draws=500)
    assert paired_bootstrap(a, b, seed=3, draws=500) != paired_bootstrap(a, b, seed=4, draws=500)


def test_swapping_the_models_turns_the_interval_round():
    a, b = [1, 1, 0, 1, 0, 1, 1, 1, 0, 1] * 8, [1, 0, 0, 1, 0, 0, 1, 1, 1, 0] * 8
    here, there = paired_bootstrap(a, b), paired_bootstrap(b, a)
    assert (here.value, here.low, here.high) == pytest.approx((-there.value, -there.high, -there.low), abs=0.01)


@pytest.mark.parametrize("n", [1, 5, 20, 400])
def test_no_difference_seen_is_not_no_difference(n):
    got = paired_bootstrap([1.0] * n, [1.0] * n)
    unseen = wilson(0, n).high
    assert got == pytest.approx((0, -unseen, unseen))


def test_a_constant_difference_keeps_its_doubt_inside_what_is_possible():
    got = paired_bootstrap([1.0] * 20, [0.0] * 20)
    assert got.value == got.high == 1
    assert 0.6 < got.low < 0.8


def test_rows_of_one_cluster_count_once():
    a, b = [1.0] * 20, [1.0] * 20
    assert paired_bootstrap(a, b, ["one"] * 20) == paired_bootstrap([1.0], [1.0])
    copied = paired_bootstrap([1, 0, 1, 1] * 50, [0, 0, 1, 0] * 50, [str(i % 40) for i in range(200)])
    apart = paired_bootstrap([1, 0, 1, 1] * 50, [0, 0, 1, 0] * 50)
    assert copied.high - copied.low > 1.8 * (apart.high - apart.low)


def test_few_clusters_get_a_t_interval():
    a, names = [1, 0, 1, 1, 0, 1], ["x", "x", "y", "y", "z", "z"]
    got = paired_bootstrap(a, [0] * 6, names)
    # Sums 1, 2, 1 against 4/3 each: SE = sqrt(3/2 * 6/9) / 6 = 1/6, and t on 2 df is 4.303.
    assert got == pytest.approx((2 / 3, 2 / 3 - 4.3027 / 6, 1.0), abs=1e-4)


@pytest.mark.parametrize(("clusters", "size"), [(20, 10), (50, 10), (300, 1)])
def test_the_bootstrap_is_fooled_as_often_as_it_says(clusters, size):
    # No model is better, but a question (a cluster of variants) favours one of them: correlation .5 and more.
    rng = np.random.default_rng(clusters)
    names = [str(i // size) for i in range(clusters * size)]
    trials, fooled = 800, 0
    for trial in range(trials):
        easy = np.repeat(rng.beta(0.5, 0.5, (2, clusters)), size, axis=1)
        a, b = rng.random(easy.shape) < easy
        got = paired_bootstrap(a.astype(float), b.astype(float), names, seed=trial, draws=1000)
        fooled += not got.low <= 0 <= got.high
    assert 0.03 <= fooled / trials <= 0.07


def test_rows_taken_for_independent_fool_the_bootstrap():
    rng = np.random.default_rng(7)
    fooled = 0
    for trial in range(200):
        a, b = rng.random((2, 500)) < np.repeat(rng.beta(0.5, 0.5, (2, 50)), 10, axis=1)
        got = paired_bootstrap(a.astype(float), b.astype(float), seed=trial, draws=500)
        fooled += not got.low <= 0 <= got.high
    assert fooled > 40  # one in five, and not one in twenty: so clusters are named


def test_cluster_mean_has_its_hand_computed_value():
    got = cluster_mean([6, 4, 6, 6, 4, 9], ["x", "x", "y", "y", "z", "z"])
    # Sums 10, 12, 13 against 35/3 each: SE = sqrt(3/2 * 42/9) / 6 = 0.440959.
    assert got == pytest.approx((35 / 6, 35 / 6 - 4.3027 * 0.440959, 35 / 6 + 4.3027 * 0.440959), abs=1e-4)


@pytest.mark.parametrize(("clusters", "mixed"), [(20, 10), (40, 5)])
def test_few_clusters_get_an_interval_at_least_as_wide_as_as_many_items(clusters, mixed):
    got, apart = _mixed(clusters, mixed)
    assert got.low <= apart.low
    assert got.high >= apart.high


def test_many_clusters_get_the_interval_that_they_show():
    got, apart = _mixed(40, 20)
    assert apart.low < got.low < got.high < apart.high


def _mixed(clusters, mixed):
    """Of clusters of two right items, of which `mixed` have one wrong; and Wilson's for as many items as clusters."""
    values = [1.0, 0.0] * mixed + [1.0, 1.0] * (clusters - mixed)
    got = cluster_mean(values, [str(i // 2) for i in range(2 * clusters)])
    return got, wilson(got.value * clusters, clusters)


def test_few_clusters_with_a_rare_outcome_are_covered():
    # 20 clusters of 5, nineteen of twenty right, correlation .2: a t interval alone holds the truth in 82 of 100.
    rng = np.random.default_rng(3)
    names = [str(i // 5) for i in range(100)]
    held = 0
    for _ in range(300):
        values = rng.random(100) < np.repeat(rng.beta(3.8, 0.2, 20), 5)
        got = cluster_mean(values.astype(float), names)
        held += got.low <= 0.95 <= got.high
    assert held / 300 >= 0.94


def test_cluster_mean_without_clusters_is_the_t_interval():
    values = [2.0, 4.0, 4.0, 5.0, 7.0, 8.0]
    got = cluster_mean(values)
    half = 2.5706 * np.std(values, ddof=1) / math.sqrt(6)
    assert got == pytest.approx((5.0, 5 - half, min(8.0, 5 + half)), abs=1e-3)


def test_cluster_mean_of_what_never_varies_is_wilson():
    assert cluster_mean([1.0] * 12) == pytest.approx(wilson(12, 12))
    assert cluster_mean([0.0] * 12, [str(i // 2) for i in range(12)]) == pytest.approx(wilson(0, 6))


def test_cluster_mean_covers_19_of_20():
    rng = np.random.default_rng(5)
    names = [str(i // 8) for i in range(40 * 8)]
    held = 0
    for _ in range(1000):
        values = rng.random(320) < np.repeat(rng.beta(2, 2, 40), 8)
        got = cluster_mean(values.astype(float), names)
        held += got.low <= 0.5 <= got.high
    assert 0.93 <= held / 1000 <= 0.97


def test_unequal_lengths_are_refused():
    for call in (
        lambda: paired_bootstrap([1], [1, 0]),
        lambda: paired_bootstrap([], []),
        lambda: paired_bootstrap([1, 0], [1, 0], ["x"]),
        lambda: cluster_mean([]),
    ):
        with pytest.raises(ValueError):
            call()


# --- k samples --------------------------------------------------------------------------------------------------------


def test_pass_at_k_is_one_minus_all_wrong():
    for n, c, k in [(10, 3, 5), (4, 1, 2), (200, 7, 100), (8, 0, 8), (8, 8, 1)]:
        assert pass_at_k(n, c, k) == pytest.approx(1 - math.comb(n - c, k) / math.comb(n, k))
    assert pass_at_k(10, 3, 1) == pytest.approx(0.3)
    for n, c, k in [(4, 5, 1), (4, 1, 5), (4, 1, 0)]:
        with pytest.raises(ValueError, match="pass@"):
            pass_at_k(n, c, k)


def test_g_pass_at_k_runs_from_one_right_to_all_right():
    for n, c, k in [(10, 3, 5), (16, 12, 8), (8, 8, 8), (8, 0, 4)]:
        assert g_pass_at_k(n, c, k, 0) == pytest.approx(pass_at_k(n, c, k))
        assert pass_all_at_k(n, c, k) == pytest.approx(math.comb(c, k) / math.comb(n, k))
        steps = [g_pass_at_k(n, c, k, i / k) for i in range(1, k + 1)]
        assert steps == sorted(steps, reverse=True)
        assert sum(steps) / k == pytest.approx(c / n)  # the mean number right is that of any draw
    with pytest.raises(ValueError, match="G-Pass@"):
        g_pass_at_k(4, 2, 5, 0.5)


@pytest.mark.parametrize(("n", "c", "k", "tau"), [(32, 20, 8, 0.6), (16, 3, 4, 0.5), (64, 50, 16, 0.75)])
def test_g_pass_at_k_is_what_drawing_shows(n, c, k, tau):
    right = np.random.default_rng(1).hypergeometric(c, n - c, k, 40_000)
    shown = (right >= math.ceil(tau * k)).mean()
    error = math.sqrt(shown * (1 - shown) / 40_000)
    assert g_pass_at_k(n, c, k, tau) == pytest.approx(shown, abs=3 * error)


def test_mean_g_pass_at_k_counts_the_shares_above_one_half():
    by_hand = 2 / 5 * (g_pass_at_k(10, 7, 5, 0.8) + g_pass_at_k(10, 7, 5, 1.0))
    assert mean_g_pass_at_k(10, 7, 5) == pytest.approx(by_hand)
    assert mean_g_pass_at_k(8, 8, 4) == 1


def test_three_fifths_of_five_are_three():
    assert g_pass_at_k(5, 3, 5, 0.6) == 1


def test_exact_maj_at_8_strays_less_than_half_as_far_as_the_first_8():
    # 32 samples of each of 500 problems, drawn over and over: what the figure would be with other samples.
    rng = np.random.default_rng(4)
    chances = rng.dirichlet([0.9, 0.4, 0.3, 0.2], 500)
    exact, first = [], []
    for _ in range(24):
        pools = [rng.choice(4, size=32, p=p) for p in chances]
        exact.append(np.mean([_maj_at_8(tuple(np.bincount(pool, minlength=4).tolist())) for pool in pools]))
        votes = [np.bincount(pool[:8], minlength=4) for pool in pools]
        first.append(np.mean([(v[0] == v.max()) / (v == v.max()).sum() for v in votes]))
    assert np.std(exact) < 0.006
    assert np.std(exact) < 0.65 * np.std(first)


@cache
def _maj_at_8(counts):
    return majority_at_k(counts, 8)


def test_holm_is_never_bolder_than_one_test_alone_and_keeps_the_order():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    rng = np.random.default_rng(0)
    fooled = sum(min(holm(list(rng.random(6)))) < 0.05 for _ in range(4000)) / 4000
    assert 0.03 <= fooled <= 0.06  # of six tests without an effect any one: one in twenty, and not one in four


@pytest.mark.parametrize(
    ("counts", "k", "invalid", "expected"),
    [
        ([2, 1], 1, 0, 2 / 3),
        ([2, 1], 2, 0, 2 / 3),  # both gold 1/3; one of each 2/3, half of it won
        ([2, 1], 3, 0, 1.0),
        ([0, 4], 3, 0, 0.0),
        ([4], 2, 0, 1.0),
        ([1, 1, 1], 3, 0, 1 / 3),  # three alike: a third
        ([1], 2, 3, 1 / 2),  # drawn with an invalid one, the only vote wins
        ([1, 2], 4, 1, 0.0),
    ],
)
def test_maj_at_k_by_hand(counts, k, invalid, expected):
    assert majority_at_k(counts, k, invalid) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("counts", "k", "invalid"),
    [([10, 8, 5, 3, 2, 1, 1, 1, 1], 8, 0), ([6, 6, 4], 5, 4), ([3, 1, 1, 1, 1, 1, 1, 1], 6, 2), ([9, 12, 3], 16, 8)],
)
def test_maj_at_k_is_what_drawing_shows(counts, k, invalid):
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_hypergeometric([*counts, invalid], k, size=40_000)[:, :-1]
    top = drawn.max(1)
    won = (drawn[:, 0] == top) & (top > 0)
    shown = (won / (drawn == top[:, None]).sum(1)).mean()
    assert majority_at_k(counts, k, invalid) == pytest.approx(shown, abs=0.008)


def test_maj_at_k_of_one_is_the_share_and_of_all_the_vote():
    assert majority_at_k([7, 9, 4], 1, invalid=5) == pytest.approx(7 / 25)
    assert majority_at_k([7, 9, 4], 25, invalid=5) == 0
    assert majority_at_k([9, 7, 4], 25, invalid=5) == 1


def test_all_classes_share_the_vote():
    counts = [5, 4, 3, 1]
    won = sum(majority_at_k([counts[i], *counts[:i], *counts[i + 1 :]], 6) for i in range(4))
    assert won == pytest.approx(1)


def test_maj_at_k_of_a_thousand_samples_does_not_overflow():
    assert majority_at_k([400, 300, 300], 64, invalid=200) == pytest.approx(0.8, abs=0.2)


# --- quantiles and power ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("df", "p95", "p975", "p9995"),
    [
        (1, 6.3138, 12.7062, 636.619),
        (2, 2.9200, 4.3027, 31.599),
        (3, 2.3534, 3.1824, 12.924),
        (4, 2.1318, 2.7764, 8.610),
        (9, 1.8331, 2.2622, 4.781),
        (30, 1.6973, 2.0423, 3.646),
        (120, 1.6577, 1.9799, 3.373),
        (1000, 1.6464, 1.9623, 3.300),
    ],
)
def test_t_is_as_in_the_tables(df, p95, p975, p9995):
    assert t_quantile(0.95, df) == pytest.approx(p95, abs=6e-5)
    assert t_quantile(0.975, df) == pytest.approx(p975, abs=6e-5)
    assert t_quantile(0.9995, df) == pytest.approx(p9995, rel=2e-4)
    assert t_quantile(0.025, df) == pytest.approx(-p975, abs=6e-5)


def test_both_ways_to_t_meet():
    from understudy.stats import _cornish_fisher, _z

    assert t_quantile(0.975, 200) == pytest.approx(_cornish_fisher(_z(0.95), 200), abs=1e-8)


@pytest.mark.parametrize(("n", "discordant", "points"), [(30, 0.1, 16.2), (100, 0.2, 12.5), (1319, 0.3, 4.2)])
def test_detectable_effects_are_those_of_the_table(n, discordant, points):
    assert 100 * minimum_detectable_effect(n, discordant) == pytest.approx(points, abs=0.05)


def test_a_ratio_covers_the_true_one_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        cost = rng.gamma(4, 1, 30)  # of each problem
        kept = rng.binomial(4, 0.6, 30) * rng.binomial(1, 0.9, 30)
        low, high = ratio(kept, cost)[1:]
        covered += low <= 4 * 0.54 / 4 <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_a_ratio_without_a_miss_is_still_no_certainty():
    assert ratio([2, 2, 2], [2, 2, 2], 1.0).low < 0.7 and ratio([0, 0], [2, 2], 1.0).high > 0.3
    assert ratio([4, 4], [2, 2]) == (2, 2, 2)
    for bad in (([1], [1]), ([1, 2], [0, 0])):
        with pytest.raises(ValueError, match="A ratio needs two clusters"):
            ratio(*bad)
