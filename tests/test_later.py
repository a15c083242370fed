"""Steps that train on what fine-tuning has left: each reads the student before it, and the last one answers."""

import sys
from types import SimpleNamespace

import pytest

from understudy.cli.looking import named
from understudy.cli.planning import steps_of
from understudy.cli.serving import _student
from understudy.errors import RecipeError
from understudy.pipeline.making import Hands
from understudy.pipeline.reporting import inputs
from understudy.pipeline.steps import STEPS, left_by
from understudy.recipe import arms, build
from understudy.records import Problem, Split, Student
from understudy.store import Made, Run, write


class Silent:
    def say(self, line): ...

    def tick(self, done, total, note=""): ...

    def stop(self):
        return False


def student(name: str) -> Student:
    return Student(path=name, base="b", hash=name, tokenizer_hash="t")


def recipe(**parts):
    return build({"sources": [{"name": "word_problems", "counts": {"train": 4, "dev": 2, "test": 2}}]} | parts)


LATER = {
    "none": ({}, [], "arms/student/student"),
    "rl": ({"rl": {}}, ["rl"], "arms/student/rl/student"),
    "onpolicy": ({"onpolicy": {}}, ["onpolicy"], "arms/student/onpolicy/student"),
    "both": ({"rl": {}, "onpolicy": {}}, ["rl", "onpolicy"], "arms/student/onpolicy/student"),
}


@pytest.mark.parametrize("name", LATER)
def test_each_step_reads_the_student_before_it_and_the_last_one_answers(name, tmp_path):
    parts, later, last = LATER[name]
    steps = {s.step: s for s in steps_of(recipe(**parts), Run(tmp_path))}
    arm = [n.split("/")[-1] for n in steps if n.startswith("arms/")]
    assert arm == ["mix", "sft", *later, "rollouts", "solve"] and [*STEPS].index("rl") == [*STEPS].index("sft") + 1
    before = "arms/student/student"
    for step in later:
        made = steps[f"arms/student/{step}"]
        assert before in made.reads and f"arms/student/{step}/student" in made.files
        before = f"arms/student/{step}/student"
    assert last == before == left_by("student", arms(recipe(**parts))["student"])
    assert [n for n in steps["arms/student/rollouts"].reads if n.endswith("student")] == [last]
    assert ("arms/student/rl/trials" in steps["evaluate"].reads) == ("rl" in later)


def test_an_arm_may_practise_where_the_others_do_not(tmp_path):
    made = recipe(rl={}, arms={"plain": {"rl": None}, "more": {"rl": {"steps": 9}}, "base": {"sft": {"skip": True}}})
    named = arms(made)
    assert named["plain"].rl is None and named["more"].rl.steps == 9
    steps = [s.step for s in steps_of(made, Run(tmp_path))]
    assert [n for n in steps if n.endswith("/rl")] == ["arms/more/rl", "arms/base/rl"]


@pytest.mark.parametrize(("problems", "read"), [("train", "problems:train"), ("pool", "pool")])
def test_what_is_practised_is_read(problems, read, tmp_path):
    steps = {s.step: s for s in steps_of(recipe(rl={"problems": problems}), Run(tmp_path))}
    assert {*steps["arms/student/rl"].reads} == {"arms/student/student", "problems:dev", read}


def test_an_arm_that_curates_otherwise_practises_on_its_own_pool(tmp_path):
    made = recipe(rl={"problems": "pool"}, arms={"a": {}, "b": {"curate": {"declared": True}}})
    steps = {s.step: s for s in steps_of(made, Run(tmp_path))}
    assert "pool" in steps["arms/a/rl"].reads and "arms/b/pool" in steps["arms/b/rl"].reads


@pytest.mark.parametrize("problems", ["train", "pool"])
def test_nothing_that_overlaps_with_a_test_is_practised_or_chosen_with(problems, tmp_path, monkeypatch):
    """With stand-ins for the modules that need torch."""
    run, seen = Run(tmp_path), {}
    rows = [
        Problem(id=f"{split}/{i}", question=f"{i}?", answer=answer, source="s", split=split, overlap=overlap)
        for split in (Split.TRAIN, Split.DEV)
        for i, (answer, overlap) in enumerate((("7", None), ("7", "same question"), (None, None)))
    ]
    write(run, "", ["problems"], rows)
    write(run, "", ["pool"], [p for p in rows if p.split is Split.TRAIN])
    write(run, "arms/x", ["student"], [student("p")])

    def reinforce(asked, start, source, how, seed, draws, exam, score, *others):
        seen.update(asked=[p.id for p in asked], source=source, dev=score(None))
        verdicts = [exam.judge(rows[0], SimpleNamespace(text=t, stop="end", thought=None)).verdict for t in ("7", "8")]
        seen.update(verdicts=verdicts, at=others[1])
        yield from ()

    stand_ins = {
        "understudy.steps.rl.reinforcing": SimpleNamespace(reinforce=reinforce),
        "understudy.engines.drawing": SimpleNamespace(Drawing=object),
        "understudy.pipeline.practising": SimpleNamespace(on_dev_sampled=lambda loaded, dev, *_: [p.id for p in dev]),
    }
    for name, module in stand_ins.items():
        monkeypatch.setitem(sys.modules, name, module)
    made = recipe(rl={"problems": problems}, arms={"x": {}})
    pool = "pool" if problems == "pool" else None
    list(Hands(made, run, Silent(), set()).reinforced("x", arms(made)["x"], "arms/x/student", pool))
    assert seen["asked"] == ["train/0"] and seen["dev"] == ["dev/0", "dev/2"] and seen["at"] == "arms/x/rl"
    assert seen["verdicts"] == ["right", "wrong"] and seen["source"] == "p"


def test_the_report_and_ask_read_the_last_student(tmp_path):
    run, made = Run(tmp_path), recipe(rl={})
    write(run, "arms/student", ["student"], [student("tuned")])
    assert _student(run, None)[0].hash == "tuned"
    write(run, "arms/student/rl", ["student"], [student("practised")])
    read = {"arms/student/rl/student": "h"}
    run.finished(Made(step="arms/student/rollouts", settings="", reads=read, files={}, seed=0, versions={}))
    assert _student(run, None)[0].hash == "practised"
    assert inputs(made, run, "").students["student"].hash == "practised"
    assert named(run, "student") == ["arms/student/student", "arms/student/rl/student"]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"adapter": "qlora"}, "qlora is for sft alone"),
        ({"prompts": 3, "group": 3, "accumulate": 2}, "2 does not divide prompts x group"),
        ({"algorithm": "dapo", "control": 0.001}, "only grpo"),
        ({"overlong": 600}, "600 tokens are more than max_tokens, 512"),
        ({"band": [0.8, 0.2]}, "begins above its end"),
        ({"group": 1}, "Expected `?int`? >= 2"),
        ({"grup": 4}, "Did you mean 'group'"),
    ],
)
def test_a_course_that_could_not_be_is_refused(settings, why):
    with pytest.raises(RecipeError, match=why):
        recipe(rl=settings)
