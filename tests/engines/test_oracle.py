"""The programmatic teacher writes a known share of faults; each sample depends on seed, problem and number alone."""

import math

import pytest

from understudy import answers
from understudy.engines.oracle import FAULTS, Oracle
from understudy.errors import EngineError
from understudy.prompts import ask
from understudy.recipe import Counts, Source
from understudy.records import Problem, Sampling, Split, Stop, Verdict
from understudy.sources.word_problems import plan_of, problems

MANY = {p.id: p for p in problems(Source(counts=Counts(train=600)), 0)}
FEW = {key: MANY[key] for key in list(MANY)[:40]}


def draw(some=FEW, n=4, seed=0, messy=0.37, max_tokens=1024, wanted=lambda index, number: True):
    prompts = [ask(p) for p in some.values()]
    sampled = Oracle(some, messy).sample(prompts, Sampling(n=n, seed=seed, max_tokens=max_tokens), wanted)
    return {(prompts[s.prompt].id, s.number): s.sample for s in sampled}


def judge(problem: Problem, sample):
    return answers.judge(sample.text, problem.answer, problem.kind, sample.stop, sample.thought)


def test_the_share_of_faults_is_the_one_asked_for():
    oracle = Oracle(MANY, 0.37)
    faults = [oracle.fault(key, number, 0) for key in MANY for number in range(4)]
    share = sum(f is not None for f in faults) / len(faults)
    assert abs(share - 0.37) < 4 * math.sqrt(0.37 * 0.63 / len(faults))
    assert {*faults} - {None} == {*FAULTS}


@pytest.mark.parametrize("messy", [0.0, 1.0])
def test_none_and_all_are_exact(messy):
    oracle = Oracle(FEW, messy)
    assert {oracle.fault(key, 0, 0) is not None for key in FEW} == {messy == 1.0}


def test_a_clean_trace_is_right_and_holds_no_slip():
    for (key, number), sample in draw(MANY).items():
        if Oracle(MANY).fault(key, number, 0) is None:
            read = judge(MANY[key], sample)
            assert read.verdict is Verdict.RIGHT and read.consistent, sample.text
            assert not answers.slips(sample.text) and sample.stop is Stop.END
            assert sample.tokens_out == len(sample.text.split())


def test_a_fault_does_what_its_name_says():
    oracle = Oracle(MANY, 1.0)
    faults = [(oracle.fault(key, n, 0), MANY[key], s) for (key, n), s in draw(MANY, messy=1.0, n=1).items()]
    for fault, problem, sample in faults:
        verdict = judge(problem, sample).verdict
        if fault == "wrong_answer":
            assert verdict is Verdict.WRONG
        if fault == "cut_off":
            assert sample.stop is Stop.LENGTH and not sample.text.endswith("}.")
        if fault in ("loop", "rambling", "other_language"):
            assert verdict is Verdict.RIGHT
    slipped = [bool(answers.slips(s.text)) for fault, _, s in faults if fault == "false_arithmetic"]
    assert sum(slipped) / len(slipped) > 0.8  # not all are found: see answers/slips


def test_a_sample_depends_on_seed_problem_and_number_alone():
    one = draw(n=4)
    assert draw(n=4) == one
    alone = dict(list(FEW.items())[7:8])
    assert {k: v for k, v in one.items() if k in draw(alone)} == draw(alone)
    assert draw(n=2) == {k: v for k, v in one.items() if k[1] < 2}
    backwards = dict(reversed(FEW.items()))
    assert draw(backwards) == one


def test_another_seed_draws_others():
    one, other = draw(seed=0), draw(seed=1)
    assert sum(one[k] == other[k] for k in one) < len(one) / 4


def test_samples_of_one_problem_differ():
    drawn = draw(MANY, n=4, messy=0.0)
    distinct = [len({drawn[key, n].text for n in range(4)}) for key in MANY if len(plan_of(MANY[key]).steps) > 1]
    assert sum(distinct) / len(distinct) > 3.5


def test_a_trace_may_be_cut_at_max_tokens():
    drawn = draw(messy=0.0, max_tokens=5)
    assert all(s.stop is Stop.LENGTH and s.tokens_out == len(s.text.split()) == 5 for s in drawn.values())


def test_what_is_not_wanted_is_not_drawn():
    assert {key for key, _ in draw(wanted=lambda index, number: index == 3)} == {list(FEW)[3]}


def test_a_problem_from_elsewhere_is_a_failed_call_and_none_known_is_refused():
    other = Problem(id="own/train/0", question="?", answer="1", source="own", split=Split.TRAIN)
    sample = draw(FEW | {other.id: other}, n=1)[other.id, 0]
    assert sample.stop is Stop.ERROR and "does not know" in sample.error
    with pytest.raises(EngineError, match="knows only problems made here"):
        Oracle({other.id: other})
