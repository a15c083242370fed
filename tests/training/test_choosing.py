"""Of several checkpoints dev chooses one, by reasoning and by chat; a resumed run chooses the same."""

import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import student, training  # noqa: E402
from understudy.recipe import Adapter, SelectBy, Selection  # noqa: E402
from understudy.records import Metric, Rollout, Sample, Stop  # noqa: E402
from understudy.steps.sft import harmed  # noqa: E402
from understudy.training import Asking, Scored  # noqa: E402


@pytest.mark.parametrize(
    ("steps", "count", "expected"), [(450, 4, [112, 225, 338, 450]), (3, 4, [1, 2, 3]), (1, 1, [1]), (7, 1, [7])]
)
def test_dev_is_asked_at_equal_distances_and_at_the_end(steps, count, expected):
    assert training.points(steps, count) == expected


BEST = [  # step to what dev said, the step that is chosen
    ({10: Scored(5, 10), 20: Scored(8, 10), 30: Scored(7, 10)}, 20),
    ({10: Scored(5, 10), 20: Scored(8, 10), 30: Scored(8, 10)}, 20),
    ({10: Scored(5, 10, 0, 20), 20: Scored(8, 10, 10, 20), 30: Scored(4, 10, 0, 20)}, 10),  # 0.3 for 0.5 of chat
    ({10: Scored(5, 10, 20, 20), 20: Scored(4, 10, 0, 20)}, 20),
    ({10: Scored(0, 0, 5, 10), 20: Scored(0, 0, 4, 10)}, 20),
]


@pytest.mark.parametrize(("found", "step"), BEST)
def test_the_best_is_worth_most_reasoning_less_chat_harm(found, step):
    assert training.best(found) == step


def reply(text: str, stop: Stop = Stop.END) -> Rollout:
    return Rollout(problem="p", model="dev", sampling_hash="h", number=0, sample=Sample(text=text, stop=stop))


HARM = [
    ("Hello!", Stop.END, 0),
    ("<think>\n\n</think>\n\nHello!", Stop.END, 0),  # the empty block of a student that does both
    ("<think>\n3 + 4 = 7\n</think>\n\nHello!", Stop.END, 1),
    ("The answer is \\boxed{7}.", Stop.END, 1),
    ("Hello hello hello", Stop.LENGTH, 1),
]


@pytest.mark.parametrize(("text", "stop", "count"), HARM)
def test_a_chat_probe_is_harmed_by_a_thought_a_box_or_no_end(text, stop, count):
    assert harmed([reply(text, stop)]) == count


@pytest.fixture
def scorer():
    """Says of the first, second, … student that it is asked about what it is told; remembers their weights."""

    def made(*scores: Scored):
        seen: list[dict[str, torch.Tensor]] = []

        def score(loaded) -> Scored:
            torch.rand(3)  # as sampling would
            loaded.model.eval()
            seen.append({k: v.clone() for k, v in loaded.model.state_dict().items()})
            return scores[len(seen) - 1]

        return score, seen

    return made


def test_the_weights_of_the_best_point_are_the_students(tune, scorer, tmp_path, delta):
    score, seen = scorer(Scored(1, 10), Scored(6, 10, 1, 20), Scored(3, 10))
    student_, *rest = [r for r in tune(score, select=Selection.DEV, select_points=3) if not isinstance(r, Metric)]
    kept = student.load(str(tmp_path / student_.path)).model.state_dict()
    assert delta(kept, seen[1]) == 0 and delta(kept, seen[2]) > 0 and len(seen) == 3
    assert [p.name for p in (tmp_path / "arms/x/checkpoints").rglob("best-*")] == ["best-4.safetensors"]


def test_what_dev_said_is_on_record(tune, scorer):
    score, _ = scorer(Scored(1, 10, 0, 20), Scored(6, 10, 5, 20))
    found = {
        (m.name, m.slice): m.value for m in tune(score, select=Selection.DEV, select_points=2) if type(m) is Metric
    }
    assert found == {
        ("point_accuracy", "step=3"): 0.1, ("point_chat_harm", "step=3"): 0.0,
        ("point_accuracy", "step=6"): 0.6, ("point_chat_harm", "step=6"): 0.25, ("chosen_step", "all"): 6,
    }  # fmt: skip


def test_pass_at_k_is_told_by_its_name(tune, scorer):
    score, _ = scorer(Scored(2.5, 10))
    found = tune(score, select=Selection.DEV, select_points=1, select_by=SelectBy.PASS_AT_K, select_k=4)
    assert [(m.name, m.value) for m in found if type(m) is Metric][0] == ("point_pass@4", 0.25)


def test_the_last_one_is_the_student_unless_it_is_asked_for(tune, scorer):
    score, seen = scorer()
    assert not any(isinstance(r, Metric) for r in tune(score)) and seen == []


def test_an_adapter_is_chosen_as_well(tune, scorer, tmp_path):
    score, seen = scorer(Scored(9, 10), Scored(1, 10))
    tune(score, select=Selection.DEV, select_points=2, adapter=Adapter.LORA, rank=4, lr=1e-2)
    from peft import AutoPeftModelForCausalLM

    kept = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "arms/x/model").state_dict()
    assert all(torch.equal(kept[k], seen[0][k]) for k in kept if "lora_" in k)
    assert any(not torch.equal(kept[k], seen[1][k]) for k in kept if "lora_" in k)


def test_asking_dev_changes_nothing_of_the_course(run, delta, tmp_path):
    asking = Asking(lambda loaded: (loaded.model.eval(), torch.rand(5), Scored(1, 2))[-1], [3, 9], tmp_path / "asked")
    (one, curve), (two, other) = run("straight"), run("asked", asking=asking)
    assert delta(one, two) == 0 and curve == other


@pytest.mark.parametrize("until", [2, 6, 8])
def test_a_resumed_run_asks_nothing_twice_and_keeps_the_same(until, run, scorer, tmp_path):
    says = (Scored(3, 10), Scored(7, 10), Scored(5, 10))
    score, seen = scorer(*says)
    asking = Asking(score, [3, 6, 9], tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        run("run", until=until, asking=asking)
    asked = len(seen)
    run("run", asking=asking)
    assert asked == {2: 1, 6: 2, 8: 3}[until] and len(seen) == 3
    assert training.scores(tmp_path / "run") == dict(zip([3, 6, 9], says, strict=True))
    assert [p.name for p in (tmp_path / "run").glob("best-*")] == ["best-6.safetensors"]


def test_a_score_that_a_kill_came_before_is_asked_again(run, scorer, tmp_path):
    """Killed after the weights were kept and before the score was written."""
    score, seen = scorer(Scored(3, 10), Scored(7, 10), Scored(7, 10))
    asking = Asking(score, [4, 8], tmp_path / "run")
    run("run", asking=asking)
    (tmp_path / "run" / "scores.json").write_text('{"4": [3, 10, 0, 0]}')
    for folder in ("checkpoint-8", "checkpoint-12"):
        (tmp_path / "run" / folder / training.COMPLETE).unlink()
    with pytest.raises(FileNotFoundError):  # the best of those on record is of step 4, and step 8's are kept
        training.restore(torch.nn.Linear(1, 1), tmp_path / "run", training.best(training.scores(tmp_path / "run")))
    run("run", asking=asking)
    assert len(seen) == 3 and training.best(training.scores(tmp_path / "run")) == 8
    assert [p.name for p in (tmp_path / "run").glob("best-*")] == ["best-8.safetensors"]
