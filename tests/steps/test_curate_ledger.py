"""The ledger adds up, shows what hard questions lose, and holds what was dropped against hidden faults."""

import msgspec
import pytest

from understudy.records import Judged, Metric, Problem, Verdict
from understudy.steps.curate import with_ledger

RIGHT, WRONG, FAILED = Verdict.RIGHT, Verdict.WRONG, Verdict.FAILED


@pytest.fixture
def booked(eggs, told):
    """What the ledger makes of problems, each given as its slices and the rules against each of its traces."""

    def made(*problems, planted=None, **change):
        said, by_id, judged = [], {}, []
        for number, (slices, traces) in enumerate(problems):
            problem = eggs(number, slices=slices, **change)
            by_id[problem.id] = problem
            for i, (verdict, *against) in enumerate(traces):
                rules = {"dropped_by": against[0], "against": tuple(against)} if against else {}
                judged.append(Judged(trace=told(problem, i), verdict=verdict, **rules))
        records = list(with_ledger(iter(judged), by_id, said.append, planted))
        assert [r for r in records if isinstance(r, Judged)] == judged
        return records, said

    return made


def figures(records, name, suite="curation"):
    mine = [m for m in records if isinstance(m, Metric) and (m.name, m.suite) == (name, suite)]
    return {m.slice: (round(m.value * m.n), m.n) for m in mine}


def test_everything_is_counted_in_out_and_by_rule(booked):
    records, _ = booked(
        ({}, [(RIGHT,), (RIGHT, "slip"), (WRONG, "wrong", "slip")]),
        ({}, [(WRONG, "wrong"), (WRONG, "wrong", "slip"), (FAILED, "failed")]),
    )
    assert figures(records, "kept")["all"] == (1, 6)
    assert figures(records, "kept_problems")["all"] == (1, 2)
    assert figures(records, "dropped") == {"rule=wrong": (3, 6), "rule=failed": (1, 6), "rule=slip": (1, 6)}
    assert figures(records, "refused") == {"rule=slip": (3, 6), "rule=wrong": (3, 6), "rule=failed": (1, 6)}
    assert figures(records, "refused_together") == {
        "rules=wrong+slip": (2, 6), "rules=failed": (1, 6), "rules=slip": (1, 6), "rules=wrong": (1, 6),
    }  # fmt: skip
    sums = [sum(k for k, _ in figures(records, name).values()) for name in ("dropped", "refused_together")]
    assert sums == [5, 5]
    assert all(m.low <= m.value <= m.high for m in records if isinstance(m, Metric))


@pytest.mark.parametrize(
    ("verdicts", "bin"),
    [
        ([WRONG] * 4, "0"),
        ([RIGHT] + [WRONG] * 3, "(0, 0.25]"),
        ([RIGHT, WRONG], "(0.25, 0.5]"),
        ([RIGHT, RIGHT, WRONG, Verdict.NO_ANSWER], "(0.25, 0.5]"),
        ([RIGHT, RIGHT, Verdict.CUT_OFF], "(0.5, 0.75]"),
        ([RIGHT] * 4 + [WRONG], "(0.75, 1)"),
        ([RIGHT, FAILED], "1"),
        ([Verdict.UNGRADED], "ungraded"),
    ],
)
def test_a_problem_is_as_hard_as_its_samples_say(verdicts, bin, booked):
    records, _ = booked(({}, [(v,) if v is RIGHT else (v, "wrong") for v in verdicts]))
    assert figures(records, "kept")[f"pass_rate={bin}"] == (verdicts.count(RIGHT), len(verdicts))
    assert len([name for name in figures(records, "kept") if name.startswith("pass_rate")]) == 1


def test_slices_are_counted_unless_they_have_too_many_values(booked):
    problems = [({"steps": str(n % 2), "name": str(n)}, [(RIGHT,), (WRONG, "wrong")]) for n in range(30)]
    records, _ = booked(*problems)
    names = [name for name in figures(records, "kept") if not name.startswith("pass_rate")]
    assert names == ["all", "steps=0", "steps=1"]
    assert figures(records, "kept")["steps=1"] == (15, 30) and figures(records, "kept_problems")["steps=1"] == (15, 15)


@pytest.mark.parametrize(("lost", "tells"), [(40, True), (5, False)])
def test_losing_the_hard_questions_is_said(lost, tells, booked):
    hard = [({}, [(RIGHT, "too_long") if n < lost else (RIGHT,), (WRONG, "wrong")]) for n in range(50)]
    easy = [({}, [(RIGHT,), (RIGHT,)]) for _ in range(200)]
    _, said = booked(*hard, *easy)
    assert said == tells * [
        "curate       hard questions are lost first: of 50 that the teacher solves at most half the time 20% are kept, "
        "of 200 others 100%"
    ]


@pytest.mark.parametrize(
    ("verdicts", "change", "pooled"),
    [
        ([WRONG, Verdict.CUT_OFF], {}, True),
        ([WRONG, FAILED], {}, True),
        ([WRONG, RIGHT], {}, False),
        ([FAILED, FAILED], {}, False),  # says nothing of the question
        ([WRONG, WRONG], {"overlap": "same question as eggs/test/1"}, False),
        ([Verdict.UNGRADED], {"answer": None}, False),
    ],
)
def test_questions_that_the_teacher_cannot_solve_are_kept_to_learn_from_otherwise(verdicts, change, pooled, booked):
    records, _ = booked(({}, [(v, "wrong") for v in verdicts]), **change)
    assert [r.id for r in records if isinstance(r, Problem)] == pooled * ["eggs/train/0"]


def test_hidden_faults_are_recalled_and_false_alarms_counted(booked):
    hidden = {0: "loop", 1: "loop", 2: "loop", 3: "slip"}
    records, _ = booked(
        ({}, [(RIGHT, "repeats"), (RIGHT, "repeats"), (RIGHT,), (RIGHT, "wrong", "slip"), (RIGHT,), (RIGHT, "repeats"),
              (RIGHT, "duplicate"), (RIGHT, "contaminated")]),
        planted=lambda trace: hidden.get(int(trace.id.rpartition("#")[2])),
    )  # fmt: skip
    assert figures(records, "recall", "planted") == {"fault=loop": (2, 3), "fault=slip": (1, 1), "all": (3, 4)}
    assert figures(records, "precision", "planted") == {
        "fault=loop": (2, 3), "fault=slip": (1, 1), "rule=repeats": (2, 3), "rule=wrong": (1, 1), "all": (3, 4),
    }  # fmt: skip
    assert {m.value for m in records if isinstance(m, Metric) and m.name == "f1"} == {0.75}


def test_an_empty_curation_has_an_empty_ledger(booked):
    assert booked() == ([], [])


def test_the_same_traces_give_the_same_bytes(booked):
    problems = [({"steps": str(n % 3)}, [(RIGHT,), (WRONG, "wrong", "slip"), (RIGHT, "slip")]) for n in range(20)]
    one, other = (booked(*problems)[0] for _ in range(2))
    assert msgspec.json.encode(one) == msgspec.json.encode(other)
