"""What looks at many traces: near-duplicates, the student's surprise, and which of the good traces are kept."""

import random
from collections import Counter

import pytest

from understudy.recipe import Curate, Prefer, Scope, Select
from understudy.steps.curate import case, curate, funnel

PLAIN = {"length_band": None, "long_ratio": None}
WORDS = [f"w{i}" for i in range(500)]


def kept(judged):
    return [one.trace.id for one in judged if one.dropped_by is None]


@pytest.fixture
def longer(told, think):
    """A good trace with so many words more."""

    def made(problem, number, words, **change):
        more = " ".join(f"w{number}x{i}" for i in range(words))
        return told(problem, number, think(f"{more} 12 * 3 = 36. 36 + 4 = 40."), **change)

    return made


# --- too alike --------------------------------------------------------------------------------------------------------


def runs(words):
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def test_near_duplicates_are_those_that_share_so_many_runs(eggs, told, curated):
    rng, problem = random.Random(5), eggs()
    found = Counter()
    for _ in range(300):
        first = [rng.choice(WORDS) for _ in range(rng.randint(30, 200))]
        second = [rng.choice(WORDS) if rng.random() < rng.choice([0.005, 0.02, 0.05]) else w for w in first]
        a, b = ([*text, "It", "is", "40."] for text in (first, second))
        shared = len(runs(a) & runs(b)) / len(runs(a) | runs(b))
        got = curated([told(problem, i, " ".join(t)) for i, t in enumerate((a, b))], [problem], **PLAIN)
        alike = got[1].dropped_by in ("near_duplicate", "duplicate")
        found[alike, shared >= 0.8] += 1
    print(found)
    assert found[True, False] == 0 and found[True, True] >= 0.98 * (found[True, True] + found[False, True])
    assert min(found[True, True], found[False, False]) > 50


def test_near_duplicates_of_two_problems_share_question_and_trace(eggs, told, curated):
    problems = [eggs(0), eggs(1), eggs(2, question="How many eggs are three dozen and four, if boxes hold twelve?")]
    got = curated([told(p) for p in problems], problems, near=Scope.ALL)
    assert [one.dropped_by for one in got] == [None, "near_duplicate", None]
    assert funnel(curated([told(p) for p in problems], problems)) == {"kept": 3}


def test_near_duplicates_are_found_beyond_one_batch(eggs, told, longer, curated, monkeypatch):
    monkeypatch.setattr(case, "AT_ONCE", 3)
    problems = [eggs(i) for i in range(10)]
    traces = [longer(p, 0, 60) for p in problems]
    assert funnel(curated(traces, problems, near=Scope.ALL)) == {"kept": 1, "near_duplicate": 9}
    assert funnel(curated(traces, problems)) == {"kept": 10}


def test_an_earlier_pass_makes_no_duplicates(eggs, told, curated):
    problems = [eggs(i, question=" ".join(f"{i}{word}" for word in WORDS[:40])) for i in range(4)]
    settings = {"near": Scope.ALL, "select": Select(problems=3)}
    got = curated([told(p) for p in problems], problems, surprise=lambda batch: iter([1.0] * len(batch)), **settings)
    assert funnel(got) == {"kept": 3, "diversity": 1}


# --- the student's surprise -------------------------------------------------------------------------------------------


def test_the_student_is_asked_once_about_what_is_left(eggs, longer, told, curated):
    problems = [eggs(i) for i in range(60)]
    traces = [t for p in problems for t in (*(longer(p, i, 5 + i) for i in range(10)), told(p, 10, text="41"))]
    asked = []

    def surprise(batch):
        asked.extend(t.id for t in batch)
        return (float(int(t.id.rpartition("#")[2])) for t in batch)

    said = []
    got = curated(traces, problems, said.append, surprise=surprise, surprise_band=(0.1, 0.75))
    assert funnel(got) == {"kept": 480, "wrong": 60, "surprise": 120}
    assert {one.trace.id.rpartition("#")[2] for one in got if one.dropped_by == "surprise"} == {"9", "8"}
    assert asked == [t.id for t in traces if not t.id.endswith("#10")]
    assert said[-1] == "curate       pass 2 of 3: the student's surprise is 0.00 to 7.00 nats a token"


def test_without_a_student_nothing_is_surprising(eggs, told, curated):
    assert funnel(curated([told(eggs())], [eggs()], surprise_band=(0.4, 0.6))) == {"kept": 1}


# --- of one problem ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prefer", "first"), [(Prefer.FIRST, 0), (Prefer.SHORTEST, 2), (Prefer.LONGEST, 1)])
def test_of_a_problem_so_many_traces_are_kept(prefer, first, eggs, longer, curated):
    problem = eggs()
    traces = [longer(problem, i, words) for i, words in enumerate((20, 30, 10, 15))]
    got = curated(traces, [problem], select=Select(most=1, prefer=prefer))
    assert kept(got) == [traces[first].id] and got[first].trace == traces[first]
    assert funnel(got) == {"kept": 1, "enough": 3}


def test_the_shortest_right_one_is_right(eggs, longer, told, curated):
    problem = eggs()
    traces = [told(problem, 0, "41"), longer(problem, 1, 9), longer(problem, 2, 8)]
    assert kept(curated(traces, [problem], select=Select(most=1, prefer=Prefer.SHORTEST))) == [traces[2].id]


def test_a_balanced_choice_has_as_many_of_every_problem(eggs, longer, told, curated):
    problems = [eggs(i) for i in range(5)]
    traces = [longer(p, i, 5 + 5 * i) for n, p in enumerate(problems) for i in range(n)]
    got = curated(traces, problems, select=Select(most=2, least=2))
    assert Counter(one.trace.problem for one in got if one.dropped_by is None) == {p.id: 2 for p in problems[2:]}
    assert funnel(got) == {"kept": 6, "enough": 3, "too_few": 1}


def test_traces_of_equal_equations_go_the_same_path(eggs, told, think, curated):
    problem = eggs()
    ways = ["12*3=36. 36+4=40.", "Well: 12 * 3 = $36. And 36 + 4 = 40 it is.", "3*12=36. 36+4=40."]
    ways += ["Just count. It is 40.", "One counts them all: it is 40."]
    traces = [told(problem, i, think(way)) for i, way in enumerate(ways)]
    got = curated(traces, [problem], select=Select(distinct_paths=True))
    assert [one.dropped_by for one in got] == [None, "same_path", None, None, None]
    shortest = curated(traces, [problem], select=Select(distinct_paths=True, prefer=Prefer.LONGEST))
    assert [one.dropped_by for one in shortest] == ["same_path", None, None, None, None]


@pytest.mark.parametrize(
    ("rate", "left"), [((0, 0.5), [1, 2]), ((0.5, 1), [2, 3, 4]), ((1, 1), [4]), (None, [1, 2, 3, 4])]
)
def test_problems_are_kept_by_how_often_the_teacher_solves_them(rate, left, eggs, longer, told, curated):
    problems = [eggs(i) for i in range(5)]  # of which i of four samples are right
    traces = [longer(p, j, 5 + 5 * j) if j < i else told(p, j, "41") for i, p in enumerate(problems) for j in range(4)]
    got = curated(traces, problems, select=Select(pass_rate=rate))
    assert sorted({int(key.split("/")[2].split("#")[0]) for key in kept(got)}) == left


# --- of all problems --------------------------------------------------------------------------------------------------


@pytest.fixture
def many(eggs, longer):
    """Problems of two domains, one much larger, each with one trace; the higher the number, the longer."""
    problems = [eggs(i, slices={"topic": "rare" if i % 10 == 0 else "common"}) for i in range(200)]
    return problems, [longer(p, 0, 5 + i, tokens_out=10) for i, p in enumerate(problems)]


def test_problems_are_drawn_from_the_domains_in_turn(many, curated):
    problems, traces = many
    got = curated(traces, problems, select=Select(problems=30, by="topic"), **PLAIN)
    topics = Counter(problems[int(key.split("/")[2].split("#")[0])].slices["topic"] for key in kept(got))
    assert topics.total() == 30 and min(topics.values()) >= 10


@pytest.mark.parametrize(("longest", "least", "most"), [(True, 180, 200), (False, 70, 130)])
def test_long_traces_are_drawn_first_where_that_is_asked_for(longest, least, most, many, curated):
    problems, traces = many
    got = curated(traces, problems, select=Select(problems=20, longest=longest), **PLAIN)
    numbers = [int(key.split("/")[2].split("#")[0]) for key in kept(got)]
    assert len(numbers) == 20 and least <= sum(numbers) / 20 <= most


def test_a_choice_is_the_same_in_every_order(many, curated):
    problems, traces = many
    select = Select(problems=50, tokens=300)
    one, other = (curated(some, problems, select=select, **PLAIN) for some in (traces, traces[::-1]))
    assert sorted(kept(one)) == sorted(kept(other)) and len(kept(one)) == 30
    assert funnel(one) == {"kept": 30, "diversity": 150, "budget": 20}


def test_a_budget_is_never_spent_twice(many, longer, curated):
    problems, traces = many
    traces = [t for trace, p in zip(traces, problems, strict=True) for t in (trace, longer(p, 1, 50, tokens_out=25))]
    got = curated(traces, problems, select=Select(tokens=1000), **PLAIN)
    spent = sum(one.trace.sample.tokens_out for one in got if one.dropped_by is None)
    assert 1000 - 35 < spent <= 1000
    assert {n for n in Counter(one.trace.problem for one in got if one.dropped_by is None).values()} == {2}


def test_passes_are_counted_for_whoever_watches(many, curated):
    problems, traces = many
    said = []
    curated(traces, problems, said.append, select=Select(problems=30, by="topic"), without=("too_long",))
    assert [line.split(":")[0] for line in said] == ["curate       pass 1 of 3", "curate       pass 2 of 3"]
    assert said[-1].endswith("30 problems of 2 domains, 300 tokens")


def test_only_so_many_traces_are_held_at_a_time(many, monkeypatch):
    monkeypatch.setattr(case, "AT_ONCE", 5)
    problems, traces = many
    read = []

    def watched():
        for trace in traces:
            read.append(trace.id)
            yield trace

    judged = curate(watched(), {p.id: p for p in problems}, Curate(**PLAIN), print)
    for number in range(30):
        assert next(judged).trace == traces[number]
        assert len(read) <= number + 6  # the next one says that a problem has ended
