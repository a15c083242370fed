"""What shares its question with a test is asked and dropped, never learned from; and sources can be chosen."""

import json
import sys
from types import SimpleNamespace

import pytest

from understudy import engines
from understudy.engines.scripted import Scripted
from understudy.pipeline import distil
from understudy.pipeline.making import Hands
from understudy.recipe import build
from understudy.records import Split, Student
from understudy.store import Run, write

TWICE = "Ann has 3 eggs and buys 4 more. How many eggs has Ann?"
"""A question in every split."""
GOOD = "<think>3 + 4 = 7.</think>The answer is \\boxed{7}."


class Silent:
    def say(self, line):
        pass

    def tick(self, done, total, note=""):
        pass

    def stop(self):
        return False


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Sources `a` and `b`, of each split two questions, of which one is also a test question; a teacher that knows."""
    for name in "ab":
        rows = [
            {"question": question, "answer": "7", "rationale": f"Of {name}: 3 + 4 = 7.", "split": split}
            for split in Split
            for question in (TWICE, f"What is 3 plus 4, asks {name} in {split.value}?")
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setitem(engines.TEACHERS, "oracle", lambda settings, problems: Scripted(lambda prompt, number: GOOD))
    return Run(tmp_path / "run")


def recipe(run, **parts):
    own = [{"path": str(run.folder.parent / f"{name}.jsonl")} for name in "ab"]
    return build({"sources": own, "generate": {"n": 1}} | parts)


def make(run, *steps, **parts):
    for step in steps:
        distil(recipe(run, **parts), run, Silent(), only=step)


def hands(run, **parts):
    return Hands(recipe(run, **parts), run, Silent(), set())


def test_overlaps_are_found_once_and_dropped_with_evidence(run):
    make(run, "source", "generate", "curate")
    found = {p.id: p.overlap for p in run.rows("problems") if p.overlap}
    assert len(found) == 6 and not any(id.split("/")[1] == "test" for id in found)
    assert {t.problem for t in run.rows("traces")} == {p.id for p in run.rows("problems") if p.split is Split.TRAIN}
    dropped = [j for j in run.rows("judged") if j.dropped_by == "contaminated"]
    assert [j.why for j in dropped] == ["same question as a/test/6"] * 2
    assert run.manifest()["curate"].reads.keys() == {"problems:train", "traces"}


def test_without_decontamination_all_is_learned_from(run):
    make(run, "source")
    marked = run.manifest()["source"].settings
    make(run, "source", overlap_words=None)
    assert run.manifest()["source"].settings != marked
    assert not any(p.overlap for p in run.rows("problems"))


def test_the_teacher_is_asked_the_sources_that_are_named(run):
    make(run, "source", "generate", generate={"n": 1, "sources": ["b"], "limit": 1})
    assert [t.problem for t in run.rows("traces")] == ["b/train/0"]


@pytest.mark.parametrize(("of", "sources"), [([], "ab"), (["b"], "b")])
def test_rationales_are_of_the_named_sources_and_of_no_test_question(run, of, sources):
    make(run, "source")
    asked = recipe(run, mix={"sources": [{"name": "rationale", "share": 0.2, "of": of}]})
    found = list(hands(run)._conversations(asked.mix.sources, asked)["rationale"])
    assert [c[0].content.startswith(TWICE) for c in found] == [False] * len(sources)
    assert [f"Of {name}: 3 + 4 = 7." in c[-1].content for c, name in zip(found, sources, strict=True)]


def test_base_training_and_the_choice_on_dev_leave_overlaps_out(run, monkeypatch):
    """With stand-ins for the modules that need torch."""
    make(run, "source")
    seen = {}

    def pretrain(examples, texts, *others):
        seen["pretrain"] = [e.messages[0].content for e in examples], texts

    def sft(examples, base, source, settings, seed, learn, score, *others):
        seen["dev"] = score(None)
        yield from ()

    choosing = SimpleNamespace(on_dev=lambda loaded, dev, arm, stop: dev)
    monkeypatch.setitem(sys.modules, "understudy.pipeline.choosing", choosing)
    monkeypatch.setitem(sys.modules, "understudy.steps.pretrain", SimpleNamespace(pretrain=pretrain))
    monkeypatch.setitem(sys.modules, "understudy.steps.sft", SimpleNamespace(sft=sft, learned=None))
    base = Student(path="p", base="b", hash="h", tokenizer_hash="t")
    write(run, "pretrain", ["student"], [base])
    write(run, "arms/x", ["examples"], [])
    hands(run).pretrained()
    list(hands(run, arms={"x": {}}).tuned("x"))
    questions, texts = seen["pretrain"]
    assert len(questions) == len(texts) == 2 and not any(q.startswith(TWICE) for q in questions)
    assert len(seen["dev"]) == 2 and not any(p.question.startswith(TWICE) for p in seen["dev"])


def test_a_conversation_with_a_test_question_in_it_is_not_learned_from(run):
    turns = [TWICE, "Say hello.", f"Solve this for me. {TWICE}"]
    path = run.folder.parent / "chat.jsonl"
    rows = [[{"role": "user", "content": turn}, {"role": "assistant", "content": "Yes."}] for turn in turns]
    path.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    make(run, "source")
    mixed = {"sources": [{"name": "chat", "path": str(path), "share": 0.5}]}
    for words, left in ((13, ["Say hello."]), (None, turns)):
        asked = recipe(run, mix=mixed, overlap_words=words)
        found = Hands(asked, run, Silent(), set())._conversations(asked.mix.sources, asked)["chat"]
        assert [c[0].content for c in found] == left
