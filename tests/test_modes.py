"""Targets all the way through a run: what is replayed, how the tests are asked, which mode the probe picks."""

import msgspec
import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import pipeline, prompts, student  # noqa: E402
from understudy.engines.local import Local  # noqa: E402
from understudy.pipeline.making import Hands  # noqa: E402
from understudy.pipeline.mixing import held_out  # noqa: E402
from understudy.recipe import Build, arms, build  # noqa: E402
from understudy.records import Message, Prompt, Stop  # noqa: E402
from understudy.store import Run  # noqa: E402
from understudy.student import Loaded  # noqa: E402

SMALL = {"layers": 1, "width": 32, "heads": 2, "kv_heads": 1, "head_width": 16, "ffn": 64}
TRAIN = {"steps": 6, "batch": 4, "log_every": 3, "save_every": 3}


def recipe():
    source = {"name": "own", "path": None, "share": 0.2}
    return build(
        {
            "sources": [
                {"name": "word_problems", "counts": {"train": 24, "test": 6}},
                {"name": "probes", "counts": {"test": 2}},
            ],
            "student": {"build": SMALL | {"vocabulary": 400, "context": 256}},
            "pretrain": TRAIN,
            "generate": {"teacher": {"engine": "oracle"}, "n": 2},
            "sft": TRAIN,
            "solve": {"max_tokens": 8, "batch": 16},
            "mix": {"replay": {"max_tokens": 6, "batch": 8}},
            "arms": {
                "adaptive": {"mix": {"layout": "adaptive", "perceive": {"held_out": 0.25}}},
                "forced": {"mix": {"layout": "adaptive"}, "solve": {"prefill": "The answer is", "end_at": ["<why>"]}},
                "two": {
                    "mix": {
                        "layout": "two_tasks",
                        "traces": "one_per_epoch",
                        "unit": "tokens",
                        "sources": [source | {"name": "small_talk", "replies": "base"}],
                    }
                },
            },
        }
    )


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    class Quiet:
        def say(self, line): ...
        def tick(self, done, total, note=""): ...
        def stop(self): return False  # fmt: skip

    run = Run(tmp_path_factory.mktemp("modes") / "run")
    # A base of six steps never ends a reply: this stands in for one that does.
    patch = pytest.MonkeyPatch()
    spoken = Local.sample

    def ending(self, *asked):
        own = {"text": "Hm.", "stop": Stop.END}
        for one in spoken(self, *asked):
            yield one._replace(sample=msgspec.structs.replace(one.sample, **own)) if self.name == "base" else one

    patch.setattr(Local, "sample", ending)
    pipeline.distil(recipe(), run, Quiet())
    patch.undo()
    return run, Hands(recipe(), run, Quiet(), set())


def test_what_the_base_said_itself_is_learned(walked):
    run, _ = walked
    own = [e for e in run.rows("arms/two/examples") if e.origin == "small_talk"]
    assert own and {e.messages[-1].content for e in own} == {"Hm."}
    assert any((run.folder / "samples" / "replay").glob("*.jsonl"))
    assert "pretrain/student" in run.manifest()["arms/two/mix"].reads


def test_shares_are_on_record_by_both_units(walked):
    run, _ = walked
    teacher, own = run.rows("arms/two/portions")
    assert (own.name, own.unit, own.asked) == ("small_talk", "tokens", 0.2)
    assert own.of_tokens == pytest.approx(0.2, abs=0.05) and own.of_rows > own.of_tokens
    assert teacher.of_tokens == pytest.approx(0.8, abs=0.05)


def test_of_held_out_problems_nothing_is_learned_and_the_probe_says_a_mode_for_each_question(walked):
    run, hands = walked
    named = arms(recipe())
    held = held_out(hands, named["adaptive"])
    assert len(held) == 6 and held_out(hands, named["two"]) == ()
    assert not any(e.id.startswith(tuple(f"{key}#" for key in held)) for e in run.rows("arms/adaptive/examples"))
    (probe,) = run.rows("arms/adaptive/probe")
    assert len(probe.weights) == SMALL["width"] and probe.layer == 1
    figures = {(m.name, m.strategy): m for m in run.rows("metrics") if m.suite == "held_out"}
    assert figures["accuracy", "oracle"].n == 6 and figures["tokens", "think_first"].value is not None


def test_replies_open_as_they_are_forced_or_as_the_probe_says(walked):
    run, _ = walked

    def texts(arm):
        return [r.sample.text for r in run.rows(f"arms/{arm}/rollouts") if "probes" not in r.problem]

    openings = tuple(prompts.OPENINGS.values())
    assert all(t.startswith("The answer is") for t in texts("forced")) and not run.has("arms/forced/probe")
    assert all(t.startswith(openings) for t in texts("adaptive")) and not all(
        t.startswith(openings) for t in texts("two")
    )


# --- the state that the probe reads -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded():
    tokenizer = student.train_tokenizer([f"What is {n} plus {n}?" for n in range(30)], 320)
    return Loaded(student.build(Build(**SMALL | {"layers": 3}, vocabulary=320, context=128), tokenizer, 0), tokenizer)


def test_a_state_is_that_of_the_last_token_whoever_shares_the_batch(loaded):
    asked = [Prompt(id=str(n), messages=(Message(role="user", content="What is 1 plus 2? " * n),)) for n in (3, 1, 2)]
    together, alone = Local(loaded, "m", 8), Local(loaded, "m", 1)
    assert [together.layer(d) for d in (0, 0.67, 1)] == [0, 2, 3]
    for layer in (0, 2, 3):
        got = torch.tensor(together.states(asked, layer))
        assert torch.allclose(got, torch.tensor(alone.states(asked, layer)), atol=1e-5)
        assert got.shape == (3, 32)
    last = alone.states(asked, 0)
    end = loaded.model.get_input_embeddings().weight[loaded.tokenizer.encode("\n", add_special_tokens=False)[-1]]
    assert all(torch.allclose(torch.tensor(one), end) for one in last)  # the prompt ends in the line break of the turn
