"""Every rule refuses its own, the oracle's planted faults are found, and real rationales pass in sensible numbers."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from understudy import sources
from understudy.engines.oracle import Oracle
from understudy.engines.replay import Replay
from understudy.errors import RecipeError, UnderstudyError
from understudy.recipe import Counts, Curate, Source
from understudy.records import Kind, Message, Option, Problem, Prompt, Sample, Sampling, Stop, Trace, Verdict
from understudy.sources.overlap import marked
from understudy.steps.curate import RULES, curate, funnel

DATA = Path(__file__).parents[3] / "shared" / "data"

QUESTION = "A box holds 12 eggs and a farmer fills 3 boxes and then adds 4 more eggs. How many eggs are there?"
GOOD = "<think>\n12 * 3 = 36. 36 + 4 = 40.\n</think>\n\nThe answer is \\boxed{40}."


def make_problem(number=0, **change):
    fields = {"question": QUESTION, "answer": "40", "source": "eggs", "split": "train"} | change
    return Problem(id=f"{fields['source']}/{fields['split']}/{number}", **fields)


def make_trace(problem, number=0, text=GOOD, **change):
    return Trace(
        id=f"{problem.id}#{number}",
        problem=problem.id,
        teacher="t",
        prompt_hash="p",
        sampling_hash="s",
        sample=Sample(text=text, **change),
    )


def judged(traces, problems, say=lambda line: None, **settings):
    return list(curate(traces, {p.id: p for p in problems}, Curate(**settings), say))


def only(problem=None, **change):
    """The one trace, judged; `change` is what differs from a good one."""
    problem = problem or make_problem()
    (one,) = judged([make_trace(problem, **change)], [problem])
    return one


def think(thought, reply="The answer is \\boxed{40}."):
    return f"<think>\n{thought}\n</think>\n\n{reply}"


# What is changed in a good trace, around it, and in the settings; and the evidence.
REFUSED = {
    "failed": ({"text": "", "stop": Stop.ERROR, "error": "HTTP 503"}, {}, {}, "HTTP 503"),
    "contaminated": ({}, {"overlap": "same question as eggs/test/12"}, {}, "same question as eggs/test/12"),
    "cut_off": ({"text": "<think>\n12 * 3 = 36.", "stop": Stop.LENGTH}, {}, {}, "the thought was not closed"),
    "no_answer": ({"text": think("Eggs are oval.", "I do not know.")}, {}, {}, "which ends: ...<think> Eggs are oval."),
    "several_answers": ({"text": think("...", "\\boxed{40}, no: \\boxed{39}")}, {}, {}, "gives '40' and '39'"),
    "wrong": ({"text": think("36 + 4 = 41.", "It is \\boxed{41}.")}, {}, {}, "'41' (box) is not '40'"),
    "mismatch": ({"text": think("12 * 3 = 36.")}, {}, {}, "the thought says '36', the reply '40'"),
    "slip": ({"text": think("12 * 3 = 37. 36 + 4 = 40.")}, {}, {}, "false: 12 * 3 = 37"),
    "repeats": ({"text": think("12 * 3 = 36. " * 5 + "36 + 4 = 40.")}, {}, {}, "5 times in a row: 12 * 3 = 36."),
    "other_script": ({"text": think("我们从12开始。然后加到40。")}, {}, {}, "cjk letters: 我们从12"),
    "too_long": ({"tokens_out": 60}, {}, {"max_tokens": 50}, "60 tokens, at most 50 are kept"),
    "duplicate": ({"number": 1}, {"before": 1}, {}, "kept already"),
    "enough": ({"number": 1}, {"before": 1}, {"keep_per_problem": 1, "without": ("duplicate",)}, "1 of this problem"),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_each_rule_refuses_its_own(rule):
    change, more, settings, evidence = REFUSED[rule]
    problem = make_problem(overlap=more.get("overlap"))
    traces = [*(make_trace(problem) for _ in range(more.get("before", 0))), make_trace(problem, **change)]
    *_, last = judged(traces, [problem], **settings)
    assert last.dropped_by == rule
    assert evidence in last.why and "\n" not in last.why


@pytest.mark.parametrize("rule", [rule for rule in REFUSED if rule != "contaminated"])
def test_a_rule_that_is_off_refuses_nothing(rule):
    change, more, settings, _ = REFUSED[rule]
    problem = make_problem()
    left_out = (*settings.get("without", ()), rule)
    traces = [*(make_trace(problem) for _ in range(more.get("before", 0))), make_trace(problem, **change)]
    for one in judged(traces, [problem], **settings | {"without": left_out}):
        assert one.dropped_by != rule


def test_every_rule_has_a_case():
    assert list(REFUSED) == [name for name, _ in RULES]


def test_a_good_trace_is_kept_with_its_verdict():
    one = only()
    assert (one.dropped_by, one.why, one.verdict, one.answer) == (None, None, Verdict.RIGHT, "40")


def test_what_overlaps_with_a_test_is_never_learned_from():
    with pytest.raises(RecipeError, match="overlap_words: null"):
        curate([], {}, Curate(without=("contaminated",)), print)


def test_an_unknown_rule_is_named_with_the_nearest():
    with pytest.raises(RecipeError, match="there is no rule 'repeat'. Did you mean 'repeats'"):
        curate([], {}, Curate(without=("repeat",)), print)


def test_a_trace_of_no_problem_says_what_to_do():
    with pytest.raises(UnderstudyError, match="remove the traces"):
        judged([make_trace(make_problem())], [])


def test_one_line_per_trace_in_their_order():
    problems = [make_problem(i) for i in range(3)]
    traces = [make_trace(p, n, GOOD + " " * n) for p in problems for n in range(3)]
    got = judged(traces, problems)
    assert [one.trace for one in got] == traces
    assert funnel(got) == {"kept": 3, "duplicate": 6}


def test_the_funnel_stands_in_the_order_of_the_rules():
    problem = make_problem()
    texts = [GOOD, GOOD, think("36 + 4 = 41.", "\\boxed{41}"), "I do not know.", GOOD.replace("40", "forty")]
    assert list(funnel(judged([make_trace(problem, i, t) for i, t in enumerate(texts)], [problem]))) == [
        "kept", "no_answer", "wrong", "duplicate",
    ]  # fmt: skip
    assert funnel([]) == {"kept": 0}


def test_nothing_kept_is_no_error():
    assert only(text="41").dropped_by == "wrong"
    assert judged([], []) == []


# --- rules at their edges ---------------------------------------------------------------------------------------------


def test_a_reply_cut_off_behind_its_answer_is_no_target():
    one = only(text=GOOD + " And so", stop=Stop.LENGTH)
    assert (one.verdict, one.dropped_by) == (Verdict.RIGHT, "cut_off")


def test_the_usual_length_is_that_of_the_right_ones_of_the_same_source():
    def source(name, words, count):
        problem = make_problem(source=name)
        return problem, [make_trace(problem, i, think("so " * words + f"{i}. It is 40.")) for i in range(count)]

    (a, short), (b, long), (c, few) = source("short", 10, 12), source("long", 90, 12), source("few", 1, 8)
    traces = [*short, *long, *few, *(make_trace(p, 99, think("so " * 90 + "40.")) for p in (a, b, c))]
    said = []
    got = judged(traces, [a, b, c], say=said.append, without=("repeats",))
    assert [(one.trace.id, one.why) for one in got if one.dropped_by] == [
        (f"{a.id}#99", "97 words, 4.8 times the usual 20")
    ]
    assert said == ["curate       first of two passes: usual length 20 words (short), 100 words (long)"]


def test_no_length_is_too_long_without_a_ratio():
    problem = make_problem()
    traces = [make_trace(problem, i, think(f"Egg {i}. It is 40.")) for i in range(20)]
    traces.append(make_trace(problem, 99, think(" ".join(f"w{i}" for i in range(500)) + " It is 40.")))
    assert [j.dropped_by for j in judged(traces, [problem])][-1] == "too_long"
    assert [j.dropped_by for j in judged(traces, [problem], long_ratio=None)][-1] is None


def test_of_equal_texts_the_first_kept_one_stays():
    problem = make_problem()
    traces = [make_trace(problem, i, t) for i, t in enumerate(("41", GOOD, GOOD.replace(". ", ".\n").upper()))]
    assert [j.dropped_by for j in judged(traces, [problem])] == ["wrong", None, "duplicate"]


def test_equal_texts_of_two_problems_are_no_duplicates():
    problems = [make_problem(0), make_problem(1)]
    assert funnel(judged([make_trace(p) for p in problems], problems)) == {"kept": 2}


# --- other kinds ------------------------------------------------------------------------------------------------------

OPTIONS = (Option(label="A", text="zoo"), Option(label="B", text="wooded area"))


@pytest.mark.parametrize(
    ("change", "text", "rule"),
    [
        ({"kind": Kind.CHOICE, "answer": "B", "choices": OPTIONS}, "So the answer is wooded area.", None),
        ({"kind": Kind.CHOICE, "answer": "B", "choices": OPTIONS}, "So the answer is (a) zoo.", "wrong"),
        ({"kind": Kind.CHOICE, "answer": "B", "choices": OPTIONS}, "<think>It is wooded area: (B).</think>(B)", None),
        ({"kind": Kind.BOOL, "answer": "yes"}, "Eggs are oval. So the answer is yes.", None),
        ({"kind": Kind.BOOL, "answer": "yes"}, "So the answer is no.", "wrong"),
        ({"kind": Kind.OPEN, "answer": None}, "Eggs are lovely.", None),
        ({"kind": Kind.OPEN, "answer": None}, "Eggs are", None),
        ({"kind": Kind.OPEN, "answer": None}, "Eggs are good. " * 9, "repeats"),
        ({"answer": None}, GOOD, None),
        ({"answer": None}, "Who knows?", "no_answer"),
        ({"answer": None}, think("12 * 3 = 36."), "mismatch"),
    ],
)
def test_other_kinds_are_judged_as_what_they_are(change, text, rule):
    assert only(problem=make_problem(**change), text=text).dropped_by == rule


def test_conversation_cut_off_is_dropped():
    assert (
        only(problem=make_problem(kind=Kind.OPEN, answer=None), text="Eggs", stop=Stop.LENGTH).dropped_by == "cut_off"
    )


# --- planted faults, and real rationales ------------------------------------------------------------------------------


def sampled(engine, problems, n):
    prompts = [Prompt(id=p.id, messages=(Message(role="user", content=p.question),)) for p in problems]
    for found in sorted(engine.sample(prompts, Sampling(n=n, max_tokens=1024)), key=lambda s: s[:2]):
        problem = problems[found.prompt]
        yield msgspec.structs.replace(make_trace(problem, found.number), sample=found.sample)


def test_the_oracles_planted_faults_are_found_and_its_clean_traces_kept():
    source = Source(name="word_problems", counts=Counts(train=500, test=300), steps=(1, 2, 3, 4))
    train = [p for p in marked(lambda: sources.load([source], 0), 13) if p.split == "train"]
    oracle = Oracle({p.id: p for p in train}, messy=0.37)
    outcomes = {True: Counter(), False: Counter()}
    for one in judged(list(sampled(oracle, train, 4)), train):
        messy = oracle.fault(one.trace.problem, int(one.trace.id.partition("#")[2]), 0) is not None
        outcomes[messy][one.dropped_by] += 1
    messy, clean = outcomes[True], outcomes[False]
    allowed = clean[None] + clean["duplicate"] + clean["contaminated"]
    assert messy.total() > 600 and messy[None] <= 0.03 * messy.total()
    assert clean.total() - allowed <= 0.01 * clean.total()
    assert clean["contaminated"] <= 0.1 * clean.total()


@pytest.mark.skipif(not DATA.is_dir(), reason="no local copies of public sets")
def test_real_rationales_give_sensible_counts():
    path = str(DATA / "distilling_step_by_step" / "svamp_train.jsonl")
    problems = list(sources.load([Source(name="svamp_palm", path=path, kind=Kind.NUMBER, split="train")], 0))
    got = judged(sampled(Replay(path), problems, 1), problems, long_ratio=None)
    assert len(problems) == len(got) == 800
    right = sum(one.verdict is Verdict.RIGHT for one in got)
    assert 585 <= right <= 605  # the set's own parser finds 585, and cannot read 13
    counts = funnel(got)
    assert counts["kept"] + counts.get("slip", 0) >= 0.97 * right
    assert counts["slip"] <= 20
