"""Every rule refuses its own with evidence, the oracle's planted faults are found, and real rationales pass."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from understudy import sources
from understudy.engines.oracle import Oracle
from understudy.engines.replay import Replay
from understudy.errors import RecipeError, UnderstudyError
from understudy.recipe import Counts, Curate, KeepWrong, Scope, Select, Source
from understudy.records import Kind, Message, Metric, Option, Prompt, Sampling, Stop, Verdict
from understudy.sources.overlap import marked
from understudy.steps.curate import ALL_RULES, curate, funnel, survey, with_ledger

DATA = Path(__file__).parents[3] / "shared" / "data"
GOOD = "12 * 3 = 36. 36 + 4 = 40."
LONG = "First the boxes are counted: there are three of them, with twelve eggs in each one, which makes 12 * 3 = 36. "
MORE = " ".join(f"so{i}" for i in range(40))


def think(thought, reply="The answer is \\boxed{40}."):
    return f"<think>\n{thought}\n</think>\n\n{reply}"


def rows(*changes):
    return [dict(change) for change in changes]


# The traces of one problem, the last of which is refused; what differs in the problem and the settings; the evidence.
REFUSED = {
    "failed": (rows({"text": "", "stop": Stop.ERROR, "error": "HTTP 503"}), {}, {}, "HTTP 503"),
    "contaminated": (rows({}), {"overlap": "same question as eggs/test/12"}, {}, "same question as eggs/test/12"),
    "cut_off": (rows({"text": "<think>\n12 * 3 = 36.", "stop": Stop.LENGTH}), {}, {}, "the thought was not closed"),
    "no_answer": (rows({"text": think("Eggs are oval.", "I do not know.")}), {}, {}, "which ends: ...<think> Eggs are"),
    "several_answers": (rows({"text": think("...", "\\boxed{40}, no: \\boxed{39}")}), {}, {}, "gives '40' and '39'"),
    "wrong": (rows({"text": think("36 + 4 = 41.", "It is \\boxed{41}.")}), {}, {}, "'41' (box) is not '40'"),
    "consensus": (
        rows({}, {}, {"text": think("36 + 5 = 41.", "It is \\boxed{41}.")}),
        {"answer": None},
        {"without": ("duplicate", "near_duplicate")},
        "2 of 3 samples say '40', this one '41'",
    ),
    "tags": (rows({"text": "<think>a <think>12 * 3 = 36</think> 36 + 4 = 40.</think> 40"}), {}, {}, "marks: nested"),
    "mismatch": (rows({"text": think("The answer is 36.")}), {}, {}, "the thought says '36', the reply '40'"),
    "slip": (rows({"text": think("12 * 3 = 37. 36 + 4 = 40.")}), {}, {}, "false: 12 * 3 = 37"),
    "repeats": (rows({"text": think("12 * 3 = 36. " * 5 + "36 + 4 = 40.")}), {}, {}, "5 times in a row: 12 * 3 = 36."),
    "other_script": (rows({"text": think("我们从12开始。然后加到40。")}), {}, {}, "cjk letters: 我们从12"),
    "other_language": (
        rows({"text": think("Primero las cajas: 12 * 3 = 36. Entonces el total que tiene es 36 + 4 = 40.")}), {}, {},
        "spanish words: el, las, que, tiene",
    ),
    "meta": (rows({"text": think(GOOD + " This matches the provided answer.")}), {}, {}, "says 'the provided answer'"),
    "too_short": (
        [*({"text": think(LONG + f"Egg {i}. It is 40.")} for i in range(20)), {"text": "40"}], {},
        {"without": ("near_duplicate",), "length_band": (0.1, 1)}, "1 words, right ones have 3",
    ),
    "too_long": (rows({"tokens_out": 60}), {}, {"max_tokens": 50}, "60 tokens, at most 50 are kept"),
    "structure": (
        rows({"text": think("12 * 17 = 204. 36 + 4 = 40.")}), {}, {"min_structure": 0.9}, "17 in '12 * 17 = 204' comes",
    ),
    "duplicate": (rows({}, {"text": think(GOOD.upper() + "\n\n")}), {}, {}, "the same text as eggs/train/0#0"),
    "near_duplicate": (
        rows({"text": think(LONG * 2 + f"{MORE} {GOOD}")}, {"text": think(LONG * 2 + f"{MORE} Now {GOOD}")}), {}, {},
        "like eggs/train/0#0: they share",
    ),
    "surprise": (
        rows({}, {"text": think("3 * 12 = 36. 36 + 4 = 40.")}), {}, {"surprise_band": (0, 0)}, "2.000 nats a token",
    ),
    "same_path": (
        rows({}, {"text": think("Now: 12*3=36. Then: 36+4=40.")}), {}, {"select": Select(distinct_paths=True)},
        "the equations of eggs/train/0#0",
    ),
    "difficulty": (rows({}), {}, {"select": Select(pass_rate=(0, 0.5))}, "solves 100% of its samples, 0% to 50%"),
    "enough": (
        rows({}, {"text": think("3 * 12 = 36. 36 + 4 = 40.")}), {}, {"select": Select(most=1)}, "1 of this problem are",
    ),
    "too_few": (rows({}), {}, {"select": Select(least=2)}, "1 of this problem, at least 2 are wanted"),
    "diversity": (rows({}), {}, {"select": Select(problems=1)}, "not among the 1 problems that were drawn"),
    "budget": (rows({"tokens_out": 9}), {}, {"select": Select(tokens=10)}, "the 10 tokens are spent"),
}  # fmt: skip
WHOLE = ("diversity", "budget")
"""Rules that choose among problems: a second problem is there."""


@pytest.fixture
def case(eggs, told, curated):
    """What is made of the traces of a row."""

    def judged(rule, **more):
        changes, change, settings, _ = REFUSED[rule]
        problems = [eggs(n, **change) for n in range(2 if rule in WHOLE else 1)]
        traces = [told(p, i, **some) for p in problems for i, some in enumerate(changes)]
        values = iter(range(1, len(traces) + 1))
        student = (lambda batch: (float(next(values)) for _ in batch)) if rule == "surprise" else None
        return curated(traces, problems, surprise=student, **settings | more)

    return judged


@pytest.mark.parametrize("rule", REFUSED)
def test_each_rule_refuses_its_own(rule, case):
    judged = case(rule)
    (last,) = [one for one in judged if one.dropped_by == rule] if rule in WHOLE else judged[-1:]
    assert (last.dropped_by, last.against[0]) == (rule, rule)
    assert REFUSED[rule][3] in last.why and "\n" not in last.why


@pytest.mark.parametrize("rule", [rule for rule in REFUSED if rule != "contaminated"])
def test_a_rule_that_is_off_refuses_nothing(rule, case):
    left_out = (*REFUSED[rule][2].get("without", ()), rule)
    assert all(rule not in one.against for one in case(rule, without=left_out))


def test_every_rule_has_a_case():
    assert tuple(REFUSED) == ALL_RULES


def test_a_good_trace_is_kept_with_its_verdict(eggs, told, curated):
    (one,) = curated([told(eggs())], [eggs()])
    assert (one.dropped_by, one.why, one.against, one.verdict, one.answer) == (None, None, (), Verdict.RIGHT, "40")
    assert one.structure == 1


def test_every_rule_against_a_trace_is_on_record_and_the_first_names_the_drop(eggs, told, curated):
    text = think("12 * 3 = 35. 35 + 4 = 39. The provided answer is 40.", "\\boxed{39}")
    (one,) = curated([told(eggs(overlap="same question as eggs/test/1"), text=text)], [eggs(overlap="same question")])
    assert one.against == ("contaminated", "wrong", "mismatch", "slip", "meta")
    assert (one.dropped_by, one.why) == ("contaminated", "same question")


def test_rules_of_the_whole_set_are_asked_of_what_is_left(eggs, told, curated):
    traces = [told(eggs(), i, think("36 + 4 = 41.", "\\boxed{41}")) for i in range(2)]
    assert [one.against for one in curated(traces, [eggs()])] == [("wrong", "slip")] * 2


def test_what_overlaps_with_a_test_is_never_learned_from():
    with pytest.raises(RecipeError, match="overlap_words: null"):
        curate([], {}, Curate(without=("contaminated",)), print)


def test_an_unknown_rule_is_named_with_the_nearest():
    with pytest.raises(RecipeError, match="there is no rule 'repeat'. Did you mean 'repeats'"):
        curate([], {}, Curate(without=("repeat",)), print)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"length_band": (0.9, 0.1)}, "length_band: 0.9 is more than 0.1"),
        ({"select": Select(pass_rate=(1, 0))}, "select: pass_rate: 1 is more than 0"),
        ({"select": Select(most=1, least=2)}, "Let least be at most most"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message):
    with pytest.raises(RecipeError, match=message):
        curate([], {}, Curate(**settings), print)


def test_a_trace_of_no_problem_says_what_to_do(eggs, told, curated):
    with pytest.raises(UnderstudyError, match="remove the traces"):
        curated([told(eggs())], [])


def test_traces_that_do_not_stand_together_are_refused(eggs, told, curated):
    a, b = eggs(0), eggs(1)
    with pytest.raises(UnderstudyError, match="Sort them by problem"):
        curated([told(a), told(b), told(a, 1)], [a, b], length_band=None, long_ratio=None)


def test_one_line_per_trace_in_their_order(eggs, told, curated):
    problems = [eggs(i) for i in range(3)]
    traces = [told(p, n, think(GOOD) + " " * n) for p in problems for n in range(3)]
    got = curated(traces, problems)
    assert [one.trace for one in got] == traces
    assert funnel(got) == {"kept": 3, "duplicate": 6}


def test_the_funnel_stands_in_the_order_of_the_rules(eggs, told, curated):
    problem = eggs()
    texts = [think(GOOD)] * 2 + [think("36 + 4 = 41.", "\\boxed{41}"), "I do not know.", think(GOOD + " Yes.")]
    assert list(funnel(curated([told(problem, i, t) for i, t in enumerate(texts)], [problem]))) == [
        "kept", "no_answer", "wrong", "duplicate",
    ]  # fmt: skip
    assert funnel([]) == {"kept": 0}


def test_nothing_kept_is_no_error(eggs, told, curated):
    assert [one.dropped_by for one in curated([told(eggs(), text="41")], [eggs()])] == ["wrong"]
    assert curated([], []) == []


# --- rules at their edges ---------------------------------------------------------------------------------------------


@pytest.fixture
def only(eggs, told, curated):
    """The one trace, judged; said is what differs."""

    def judged(text=None, problem=None, stop=Stop.END, **settings):
        problem = problem or eggs()
        (one,) = curated([told(problem, text=text or think(GOOD), stop=stop)], [problem], **settings)
        return one

    return judged


def test_a_reply_cut_off_behind_its_answer_is_no_target(only):
    one = only(think(GOOD) + " And so", stop=Stop.LENGTH)
    assert (one.verdict, one.dropped_by) == (Verdict.RIGHT, "cut_off")


@pytest.mark.parametrize(
    ("share", "rule"), [(1.0, "slip"), (0.7, "slip"), (0.6, None)], ids=["all right", "most right", "two of three"]
)
def test_so_many_equations_must_be_right(only, share, rule):
    assert only(think("12 * 3 = 36. 12 * 2 = 25. 36 + 4 = 40."), slip_share=share).dropped_by == rule


def test_an_answer_may_have_to_be_marked(only):
    text = "12 * 3 = 36. So there are 36 + 4 = 40 eggs."
    assert (only(text).dropped_by, only(text, declared=True).dropped_by) == (None, "tags")
    assert only(declared=True).dropped_by is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{GOOD}</think> \\boxed{{40}}", None),  # the template has opened it
        (f"<think>{GOOD}</think> Well. <think>Yes.</think> \\boxed{{40}}", "thinking marks: repeated"),
        (f"<think>{GOOD}</think> \\boxed{{40}}</think>", "thinking marks: stray close"),
        (f"<think>{GOOD}</think> <answer>40", "thinking marks: open answer"),
        (f"<think>{GOOD}</think> \\boxed{{40}}, so it is \\boxed{{40}}.", "the reply has several boxes"),
    ],
)
def test_damage_of_the_marks_is_named(only, text, why):
    one = only(text)
    assert (one.why, one.dropped_by) == (why, why and "tags")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("A: 40", None),
        ("#### $40.00", None),
        ("A: 13", "mismatch"),  # cut off 13.33
        ("A: 13.3", None),
        ("A: 1333", None),  # in cents
        ("A: 5", "mismatch"),
        ("Answer: 5.", "mismatch"),
        ("A: 3", None),  # said in a word
        ("A: 0", None),
        ("That leaves 5 of them.", None),  # a step of its own, in the head
        ("\\boxed{5}", "mismatch"),
    ],
)
def test_a_last_line_says_what_was_said_before(only, eggs, line, rule):
    text = f"12 * 3 = 36. 36 + 4 = 40.\nShared by three, that is 40 / 3 = 13.33.\n{line}"
    assert only(text, problem=eggs(answer=None), consensus=None).dropped_by == rule


@pytest.mark.parametrize("keep", KeepWrong)
def test_wrong_ones_are_kept_where_they_are_wanted(only, keep):
    wrong = only(think("12 * 3 = 36. 36 + 5 = 41.", "\\boxed{41}"), keep_wrong=keep)
    right = only(keep_wrong=keep)
    assert [wrong.dropped_by, right.dropped_by] == {
        "no": ["wrong", None], "also": [None, None], "only": [None, "wrong"],
    }[keep]  # fmt: skip
    assert (wrong.verdict, wrong.answer, right.verdict) == (Verdict.WRONG, "41", Verdict.RIGHT)


def test_wrong_ones_that_are_kept_are_clean_otherwise(only):
    assert only(think("12 * 3 = 36. 36 + 4 = 41.", "\\boxed{41}"), keep_wrong=KeepWrong.ONLY).dropped_by == "slip"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (think("12*3=36. As an AI, I like eggs. 36+4=40."), "meta"),
        (think("According to the hint, 12*3=36. 36+4=40."), "meta"),
        (think("12*3=36. 36+4=40, which agrees with the expected answer."), "meta"),
        (think("The given answer is 40, so 12*3=36 and 36+4=40."), "meta"),
        (think("There is a mistake in the problem. 12*3=36. 36+4=40."), "meta"),
        (think("12*3=36. 36+4=40. So the correct answer is 40."), None),
        (think("Working backwards, 40-4=36 and 36/3=12."), None),
        (think("The final answer should be a number. 12*3=36. 36+4=40."), None),
    ],
)
def test_talk_of_the_task_is_told_from_talk_of_the_problem(only, text, rule):
    assert only(text, without=("mismatch",)).dropped_by == rule


def test_a_phrase_of_the_question_is_no_talk_of_the_task(only, eggs):
    problem = eggs(question="The given answer is wrong. " + eggs().question)
    assert only(think("The given answer is wrong: 12*3=36. 36+4=40."), problem=problem).dropped_by is None


HUEVOS = "¿Cuántos huevos tiene el granjero que llena 3 cajas de 12?"


@pytest.mark.parametrize(
    ("question", "text", "rule"),
    [
        (HUEVOS, "El granjero tiene las cajas: 12*3=36. Entonces son 40.", None),
        (HUEVOS, "The farmer has the boxes and they are 3, so that is 40.", "other_language"),
        ("12 * 3 + 4 = ?", "The boxes are of the farmer and so the sum is 40.", None),
        ("How many people are in Los Angeles and Las Vegas?", "Los Angeles and Las Vegas: the sum is 40.", None),
    ],
)
def test_a_trace_speaks_the_language_of_its_question(only, eggs, question, text, rule):
    assert only(text, problem=eggs(question=question)).dropped_by == rule


LOOPS = [
    ("Now 3. " * 4 + "It is 40.", "repeats"),
    ("Now 3. " * 3 + "It is 40.", None),
    ("wait\n" * 4 + "It is 40.", "repeats"),
    ("the same words over and over again " * 8 + "It is 40.", "repeats"),
    ("\n".join(f"a{i} b{i} c{i} d{i}\nx = y" for i in range(4)) + " It is 40.", None),
    ("\n".join(f"a{i} b{i} c{i} d{i}\nx = y" for i in range(5)) + " It is 40.", "repeats"),
]


@pytest.mark.parametrize(("text", "rule"), LOOPS)
def test_running_in_circles_is_told_from_length(only, text, rule):
    got = only(text, without=("too_long",))
    assert got.dropped_by == rule
    assert rule is None or rule in got.flags  # what the rule builds on


def test_limits_of_circles_can_be_tighter_than_the_flag(only):
    assert only("Now 3. " * 3 + "It is 40.", repeat_lines=3).dropped_by == "repeats"


def test_the_usual_length_is_that_of_the_right_ones_of_the_same_source(eggs, told, curated):
    def source(name, words, count):
        problem = eggs(source=name)
        return problem, [told(problem, i, think("so " * words + f"{i}. It is 40.")) for i in range(count)]

    (a, short), (b, long), (c, few) = source("short", 10, 12), source("long", 90, 12), source("few", 1, 8)
    last = [told(p, 99, think("so " * 90 + "40.")) for p in (a, b, c)]
    said = []
    got = curated(
        [*short, last[0], *long, last[1], *few, last[2]], [a, b, c], said.append,
        without=("repeats", "near_duplicate"), length_band=None,
    )  # fmt: skip
    assert [(one.trace.id, one.why) for one in got if one.dropped_by] == [
        (f"{a.id}#99", "97 words, 4.8 times the usual 20")
    ]
    assert said == ["curate       pass 1 of 2: usual length 100 words (long; 97 to 100), 20 words (short; 20 to 97)"]


def test_a_band_of_lengths_drops_at_most_its_share_of_the_right_ones(eggs, told, curated):
    problem = eggs()
    traces = [told(problem, i, think(" ".join(f"w{j}" for j in range(i)) + f" {GOOD}")) for i in range(100)]
    got = curated(traces, [problem], length_band=(0.05, 0.9), long_ratio=None, near=Scope.OFF)
    assert funnel(got) == {"kept": 87, "too_short": 4, "too_long": 9}
    assert funnel(curated(traces, [problem], length_band=None, long_ratio=None, near=Scope.OFF)) == {"kept": 100}


def test_a_large_source_is_sampled_whatever_the_order(eggs, told, monkeypatch):
    monkeypatch.setattr(survey, "SAMPLE", 50)
    problems = {p.id: p for p in (eggs(i) for i in range(100))}
    traces = [told(p, 0, think("so " * (i % 20) + GOOD)) for i, p in enumerate(problems.values())]
    forwards = survey.first_pass(traces, problems, Curate())
    assert forwards == survey.first_pass(traces[::-1], problems, Curate())
    assert forwards.sampled and 22 <= forwards.usual["eggs"].median <= 32


# --- questions without a gold answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "consensus", "kept"),
    [
        ("40 40 41", 0.5, "40 40"),
        ("40 40.0 41", 0.5, "40 40"),
        ("40 41", 0.5, ""),
        ("40 40 41 42 43", 0.5, ""),
        ("40 40 41 42 43", 0.4, "40 40"),
        ("40 41", None, "40 41"),
        ("40", 0.5, "40"),
    ],
)
def test_without_a_gold_answer_so_many_samples_must_agree(said, consensus, kept, eggs, told, curated):
    problem = eggs(answer=None)
    texts = [f"It is \\boxed{{{answer}}}, I say for the time {i}." for i, answer in enumerate(said.split())]
    got = curated([told(problem, i, t) for i, t in enumerate(texts)], [problem], consensus=consensus)
    assert " ".join(one.answer for one in got if one.dropped_by is None) == kept
    assert all(one.dropped_by in (None, "consensus") for one in got)


def test_conversation_needs_no_consensus(eggs, told, curated):
    problem = eggs(kind=Kind.OPEN, answer=None)
    got = curated([told(problem, i, t) for i, t in enumerate(("Eggs are lovely.", "They are oval."))], [problem])
    assert funnel(got) == {"kept": 2}


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
        ({"answer": None}, think(GOOD), None),
        ({"answer": None}, "Who knows?", "no_answer"),
        ({"answer": None}, think("12 * 3 = 36."), "mismatch"),
    ],
)
def test_other_kinds_are_judged_as_what_they_are(change, text, rule, eggs, only):
    assert only(text, problem=eggs(**change)).dropped_by == rule


def test_conversation_cut_off_is_dropped(only, eggs):
    assert only("Eggs", problem=eggs(kind=Kind.OPEN, answer=None), stop=Stop.LENGTH).dropped_by == "cut_off"


# --- planted faults, and real rationales ------------------------------------------------------------------------------


def sampled(engine, problems, n, told, seed=0):
    prompts = [Prompt(id=p.id, messages=(Message(role="user", content=p.question),)) for p in problems]
    found = engine.sample(prompts, Sampling(n=n, max_tokens=1024, seed=seed))
    for one in sorted(found, key=lambda s: s[:2]):
        trace = told(problems[one.prompt], one.number)
        yield msgspec.structs.replace(trace, sample=one.sample)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_oracles_planted_faults_are_found_and_its_clean_traces_kept(seed, told):
    source = Source(name="word_problems", counts=Counts(train=250, test=150), steps=(1, 2, 3, 4))
    train = [p for p in marked(lambda: sources.load([source], seed), 13) if p.split == "train"]
    by_id, oracle = {p.id: p for p in train}, Oracle({p.id: p for p in train}, messy=0.37)
    judged = curate(list(sampled(oracle, train, 4, told, seed)), by_id, Curate(), print)
    book = list(with_ledger(judged, by_id, print, lambda t: oracle.fault(t.problem, int(t.id.partition("#")[2]), seed)))
    found = {(m.name, m.slice): m.value for m in book if isinstance(m, Metric) and m.suite == "planted"}
    print(found)
    assert found["f1", "all"] >= 0.95
    assert min(value for (name, _), value in found.items() if name == "recall") >= 0.9


@pytest.mark.skipif(not DATA.is_dir(), reason="no local copies of public sets")
def test_real_rationales_give_sensible_counts(told, curated):
    path = str(DATA / "distilling_step_by_step" / "svamp_train.jsonl")
    problems = list(sources.load([Source(name="svamp_palm", path=path, kind=Kind.NUMBER, split="train")], 0))
    traces = list(sampled(Replay(path), problems, 1, told))
    got = curated(traces, problems, long_ratio=None, length_band=None)
    assert len(problems) == len(got) == 800
    right = sum(one.verdict is Verdict.RIGHT for one in got)
    assert 585 <= right <= 605  # the set's own parser finds 585, and cannot read 13
    counts = Counter(funnel(got))
    assert counts["kept"] + counts["slip"] >= 0.97 * right
    assert counts["slip"] <= 20 and counts["meta"] == counts["other_language"] == 0
