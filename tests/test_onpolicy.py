"""On-policy distillation as a part of a recipe: what is refused, what is asked of whom, and a run of it to its end."""

import os
import shutil
import signal
from types import SimpleNamespace

import pytest

from understudy import recipe as recipes
from understudy.errors import RecipeError
from understudy.pipeline import STEPS, distil
from understudy.pipeline.steps import left_by, onpolicy
from understudy.prompts import ask, told
from understudy.recipe import Style, build
from understudy.records import Problem
from understudy.store import Run

TALK = {"name": "small_talk", "share": 0.6}
REFUSED = [
    ({"b": {"onpolicy": {"prompts": 5, "accumulate": 2}}}, "b: onpolicy: accumulate: 2 does not divide prompts, 5."),
    (
        {"b": {"onpolicy": {"sources": [TALK, {"name": "sums", "share": 0.5}]}}},
        "b: onpolicy: the shares of sources are more than the whole. Let them sum to 1 at most.",
    ),
    (
        {"a": {}, "b": {"onpolicy": {"teacher": {"model": "m", "arm": "a"}}}},
        "b: onpolicy: teacher: both a model and an arm are named. Name one of them.",
    ),
    (
        {"b": {"onpolicy": {"teacher": {"arm": "a"}}}, "a": {}},
        "b: onpolicy: teacher: arm: no arm 'a' stands before this one. Before it: none.",
    ),
    (
        {"a": {}, "b": {"onpolicy": {"learned_tokens_of": "c"}}},
        "b: onpolicy: learned_tokens_of: no arm 'c' stands before this one. Before it: a.",
    ),
    (
        {"a": {"sft": {"skip": True}}, "b": {"onpolicy": {"learned_tokens_of": "a"}}},
        "b: onpolicy: learned_tokens_of: the sft of 'a' is skipped. Name another.",
    ),
    (
        {"b": {"sft": {"skip": True}, "onpolicy": {"sampled": 0.5}}},
        "b: onpolicy: sampled: an arm whose sft is skipped has no mix to take the other rows from.",
    ),
    ({"b": {"onpolicy": {"adapter": "qlora"}}}, "b: onpolicy: adapter: qlora is for sft alone. Take lora or full."),
    ({"b": {"onpolicy": {"stop_growth": 1}}}, "onpolicy: stop_growth: Expected float > 1.0"),
    ({"b": {"onpolicy": {"temperature": 0}}}, "onpolicy: temperature: Expected float > 0.0"),
    ({"b": {"onpolicy": {"teachers": {}}}}, "onpolicy: there is no 'teachers'. Did you mean 'teacher'?"),
    ({"b": {"onpolicy": {"teacher": "base"}}}, "teacher: Expected object, got str"),
]


@pytest.mark.parametrize(("arms", "says"), REFUSED, ids=[says[:60] for _, says in REFUSED])
def test_what_could_not_be_made_is_refused(arms, says):
    with pytest.raises(RecipeError) as refused:
        build({"arms": arms}, "own.yaml")
    assert says in str(refused.value)


def test_an_arm_may_have_it_and_another_not():
    named = recipes.arms(build({"onpolicy": {"steps": 7}, "arms": {"a": {}, "b": {"onpolicy": None}}}))
    assert named["a"].onpolicy is not None and named["a"].onpolicy.steps == 7 and named["b"].onpolicy is None


def test_it_comes_after_fine_tuning_and_reinforcement():
    assert STEPS.index("sft") < STEPS.index("rl") < STEPS.index("onpolicy") < STEPS.index("solve")
    arm = build({"rl": {}, "onpolicy": {}})
    assert left_by("a", arm, "onpolicy") == "arms/a/rl/student" and left_by("a", arm) == "arms/a/onpolicy/student"


FILES = [
    ({}, {"pretrain/student"}, set()),
    ({"teacher": {"arm": "a"}}, {"arms/a/student"}, {"pretrain/student"}),
    ({"teacher": {"model": "some/model"}}, set(), {"pretrain/student", "arms/a/student"}),
    ({"sampled": 0.5}, {"arms/b/examples"}, set()),
    ({"learned_tokens_of": "a"}, {"arms/a/losses", "arms/b/losses"}, set()),
    ({"sources": [TALK | {"path": "talk.jsonl"}]}, {"problems:test"}, set()),
]


@pytest.mark.parametrize(("part", "there", "absent"), FILES, ids=[" ".join(part) or "base" for part, _, _ in FILES])
def test_it_follows_what_decides_it(part, there, absent):
    named = recipes.arms(build({"arms": {"a": {}, "b": {"onpolicy": part}}}))
    step = onpolicy("b", named, SimpleNamespace())
    assert {"arms/b/student", "problems:train"} | there <= {*step.reads} and not absent & {*step.reads}


def test_a_teacher_in_a_folder_is_followed_by_its_weights(tmp_path):
    (tmp_path / "model.safetensors").write_text("x")
    named = recipes.arms(build({"arms": {"b": {"onpolicy": {"teacher": {"model": str(tmp_path)}}}}}))
    assert onpolicy("b", named, SimpleNamespace()).paths == (str(tmp_path / "model.safetensors"),)


def test_a_teacher_that_has_learned_how_to_reply_is_asked_the_question_alone():
    problem = Problem(id="s/train/0", question="How many?", answer="1", source="s", split="train")
    assert [m.role for m in ask(problem, told(Style.BARE, None)).messages] == ["user"]
    assert [m.role for m in ask(problem, told(Style.STEPS, None)).messages] == ["system", "user"]


# --- a run ------------------------------------------------------------------------------------------------------------

TALKS = "[{name: small_talk, share: 1, limit: 9}]"
MEND = f"{{sources: {TALKS}, steps: 5, prompts: 4, max_tokens: 8, log_every: 2, save_every: 2}}"
COPY = "{teacher: {arm: student}, learned_tokens_of: student, sampled: 0.5, prompts: 64, max_tokens: 90, log_every: 2}"


def recipe_of(kill):
    return recipes.load("demo", [*kill.SETS, f"arms.student.onpolicy={MEND}", f"arms.control.onpolicy={COPY}"])


class Listener:
    """A teller that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def tick(self, done: int, total: int, note: str = "") -> None:
        pass

    def stop(self) -> bool:
        return False

    @property
    def made(self) -> list[str]:
        return [line.split()[0] for line in self.said if line.split()[1:2] == ["…"]]


@pytest.fixture(scope="module")
def made(reference, kill, tmp_path_factory):
    """The miniature with two of its arms distilled, and what was said."""
    pytest.importorskip("trl")
    run, listener = Run(tmp_path_factory.mktemp("onpolicy") / "run"), Listener()
    shutil.copytree(reference.folder, run.folder)
    recipe = recipe_of(kill)
    distil(recipe, run, listener, only="onpolicy")
    return SimpleNamespace(run=run, recipe=recipe, listener=listener)


def rows(made, file: str) -> list:
    return list(made.run.rows(file))


def test_a_run_distils_where_an_arm_asks_for_it(made):
    assert made.listener.made == ["arms/student/onpolicy", "arms/control/onpolicy"]
    mended, copied = (rows(made, f"arms/{name}/onpolicy/student")[0] for name in ("student", "control"))
    assert {mended.base, copied.base} == {rows(made, f"arms/{name}/student")[0].hash for name in ("student", "control")}
    assert [point.step for point in rows(made, "arms/student/onpolicy/divergences")] == [2, 4, 5]
    assert not (made.run.folder / "arms/student/onpolicy/checkpoints").exists()
    assert "onpolicy: 100% of the rows are of small_talk; 0 of 9 too long" in made.listener.said
    # ... and as many tokens in all as the fine-tuning of the other arm
    tuned, other = (rows(made, f"arms/{name}/losses")[-1].learned_tokens for name in ("control", "student"))
    learned = rows(made, "arms/control/onpolicy/divergences")[-1].learned_tokens
    assert 0 <= tuned + learned - other < 64 * 90
    made.listener.said.clear()
    distil(made.recipe, made.run, made.listener, only="onpolicy")
    assert made.listener.made == []
    distil(made.recipe, made.run, made.listener, only="solve")  # the tests are answered by the students as they end
    assert {line.split("/")[1] for line in made.listener.made} == {"student", "control"}


def test_killed_in_the_middle_it_ends_in_the_same_bytes(made, reference, kill, tmp_path):
    run = Run(tmp_path / "killed")
    shutil.copytree(reference.folder, run.folder)

    class Doomed(Listener):
        def say(self, line):
            if line.startswith("step     4 "):  # after the checkpoint of step 2, before that of step 4
                os.kill(os.getpid(), signal.SIGKILL)

    pid = kill.child(lambda: distil(made.recipe, run, Doomed(), only="onpolicy"), tmp_path / "log")
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL, (tmp_path / "log").read_text()
    there = [p.name for p in (run.folder / "arms/student/onpolicy/checkpoints").glob("checkpoint-*")]
    assert there == ["checkpoint-2"] and not run.has("arms/student/onpolicy/student")
    distil(made.recipe, run, Listener(), only="onpolicy")
    for name in ("student", "control"):
        for file in ("student.jsonl", "divergences.jsonl", "model/model.safetensors"):
            one, two = (folder / "arms" / name / "onpolicy" / file for folder in (run.folder, made.run.folder))
            assert one.read_bytes() == two.read_bytes(), file
