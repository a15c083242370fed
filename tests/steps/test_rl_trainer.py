"""A course of reinforcement: what is rewarded becomes likelier, by each algorithm's own formula; resumed = straight."""

import os
import signal
from functools import partial

import msgspec
import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import student  # noqa: E402
from understudy.answers import Judgement  # noqa: E402
from understudy.engines.base import Drawn  # noqa: E402
from understudy.engines.drawing import Drawing  # noqa: E402
from understudy.errors import UnderstudyError  # noqa: E402
from understudy.pipeline import practising  # noqa: E402
from understudy.prompts import solve  # noqa: E402
from understudy.recipe import Adapter, Build, Rl, build  # noqa: E402
from understudy.records import Metric, Problem, Reinforced, Sample, Sampling, Split, Stop, Student, Verdict  # noqa: E402
from understudy.steps.rl import trainer as course  # noqa: E402
from understudy.steps.rl.reinforcing import reinforce  # noqa: E402
from understudy.steps.rl.rewards import Exam  # noqa: E402
from understudy.steps.rl.rolling import Rolling  # noqa: E402
from understudy.student import Loaded  # noqa: E402
from understudy.training import Scored  # noqa: E402

SHAPE = Build(layers=1, width=32, heads=2, kv_heads=1, head_width=16, ffn=64, vocabulary=300, context=128)
PROBLEMS = [
    Problem(
        id=f"p{n}", question=f"How many is {n} and {n}?" + " Say." * (n % 3), answer="7", source="s", split=Split.TRAIN
    )
    for n in range(12)
]


@pytest.fixture(scope="module")
def tokenizer():
    return student.train_tokenizer([p.question for p in PROBLEMS], 300)


@pytest.fixture
def fresh(tokenizer):
    return lambda: Loaded(student.build(SHAPE, tokenizer, 0), tokenizer)


def grade(problem, sample) -> Judgement:
    """Right is whatever begins with a letter of the first half of the alphabet: half of what is said at random."""
    right = sample.text[:1].lower() in [*"abcdefghijklm"]
    verdict = Verdict.RIGHT if right else Verdict.WRONG
    return Judgement(verdict, sample.text[:1], None, len(sample.text) > 8, None, "line", "")


class Ended(Drawing):
    """Rollouts that count as ended: an untrained model hardly ever ends one."""

    def __call__(self, prompts, sampling):
        drawn = super().__call__(prompts, sampling)
        return [d._replace(sample=msgspec.structs.replace(d.sample, stop=Stop.END)) for d in drawn]


def settings(**change) -> Rl:
    plain = {"steps": 4, "prompts": 2, "group": 4, "max_tokens": 6, "lr": 1e-2, "warmup": 0.0, "log_every": 1}
    return msgspec.convert(plain | {"save_every": 2, "stop_same": 1.0, "stop_fall": 0.0} | change, Rl)


def score(loaded) -> Scored:
    """As likely as the tokens that are rewarded."""
    drawn = Drawing(loaded, 64)([solve(p) for p in PROBLEMS[:4]], Sampling(n=8, temperature=1.0, max_tokens=6, seed=9))
    return Scored(sum(grade(None, d.sample).verdict is Verdict.RIGHT for d in drawn) / 8, 4)


@pytest.fixture
def practised(fresh, tmp_path):
    """Practise with a fresh student: its weights, and what the course says of itself."""

    def ran(folder="run", say=lambda line: None, stop=lambda: False, seed=0, ask=score, judge=grade, **change):
        how, loaded = settings(**change), fresh()
        rolling = Rolling(PROBLEMS, Ended(loaded, how.batch), Exam(solve, judge), how, seed)
        done = course.practise(loaded, rolling, how, tmp_path / folder, ask, say, stop)
        return {k: v.clone() for k, v in loaded.model.state_dict().items()}, done

    return ran


def delta(one, two) -> float:
    """Greatest difference of two models."""
    return max(float((one[k] - two[k]).abs().max()) for k in one)


def last(loaded) -> Scored:
    """Dev that likes the last best."""
    last.asked += 1
    return Scored(last.asked, 1000)


last.asked = 0  # type: ignore[attr-defined]


# --- the algorithms ---------------------------------------------------------------------------------------------------


def by_hand(loaded, how, rolling) -> torch.Tensor:
    """The gradient of one step, by the formula of the algorithm."""
    groups = rolling.batch(0).asked
    rows, total = [], 0.0
    for group in groups:
        rewards = torch.tensor([e.reward for e in group.earned])
        n = len(rewards)
        advantage = {
            "grpo": (rewards - rewards.mean()) / (rewards.std() + 1e-4),
            "dr_grpo": rewards - rewards.mean(),
            "dapo": (rewards - rewards.mean()) / (rewards.std() + 1e-4),
            "rloo": rewards - (rewards.sum() - rewards) / (n - 1),
        }[how.algorithm]
        for drawn, a in zip(group.drawn, advantage, strict=True):
            ids = torch.tensor([drawn.asked + drawn.reply])
            logits = loaded.model(ids).logits[0, len(drawn.asked) - 1 : -1] / how.temperature
            each = logits.log_softmax(-1).gather(1, torch.tensor(drawn.reply)[:, None])[:, 0]
            rows.append((a, each))
    tokens = sum(len(each) for _, each in rows)
    for a, each in rows:
        share = {
            "grpo": len(each) * len(rows),
            "dr_grpo": how.max_tokens * len(rows),
            "dapo": tokens,
            "rloo": len(rows),
        }
        total = total - a * each.sum() / share[how.algorithm]
    loaded.model.zero_grad()
    total.backward()
    return torch.cat([p.grad.flatten() for p in loaded.model.parameters()]).detach()


@pytest.mark.parametrize("algorithm", ["grpo", "dr_grpo", "dapo", "rloo"])
def test_a_step_goes_down_the_gradient_of_the_formula(algorithm, fresh, practised, monkeypatch):
    monkeypatch.setattr(course, "optimizer", lambda model, how, lr: torch.optim.SGD(model.parameters(), lr))
    how = settings(algorithm=algorithm, dynamic=False, steps=1, prompts=3, group=6, temperature=0.9, lr=1e-3)
    before = fresh()
    after, _ = practised(ask=last, **msgspec.to_builtins(how))
    wanted = by_hand(before, how, Rolling(PROBLEMS, Ended(before, 64), Exam(solve, grade), how, 0))
    moved = torch.cat([(p.detach() - after[n]).flatten() for n, p in before.model.named_parameters()]) / 1e-3
    cut = min(1.0, 1.0 / float(wanted.norm()))  # a gradient longer than 1 is shortened
    assert float((moved - cut * wanted).norm() / (cut * wanted).norm()) < 0.02


@pytest.mark.parametrize("algorithm", ["grpo", "dr_grpo", "dapo", "rloo"])
def test_what_is_rewarded_becomes_likelier(algorithm, practised):
    _, done = practised(algorithm=algorithm, steps=12, prompts=4, group=8, save_every=6, max_tokens=3, lr=3e-2)
    points = done.state.points
    assert points[-1].reward > points[0].reward + 0.2 and done.worths[12] > done.worths[0] + 0.2
    assert [p.step for p in points] == [*range(1, 13)] and done.kept in (6, 12)
    if algorithm == "dapo":
        assert all(p.trained_same == 0 for p in points)


def test_first_token_alone_learns_little_where_it_weighs_little(practised, fresh, monkeypatch):
    """DeGRPO: the control token has a weight of its own beside the mean over a reply."""
    monkeypatch.setattr(course, "optimizer", lambda model, how, lr: torch.optim.SGD(model.parameters(), lr))
    moved = {}
    for control in (None, 0.0, 1.0):
        after, _ = practised(folder=str(control), ask=last, control=control, steps=1, max_tokens=1)
        moved[control] = delta(after, fresh().model.state_dict())
    assert moved[0.0] == 0 and moved[1.0] == pytest.approx(moved[None]) != 0  # a reply of one token is all control


def always(problem, sample) -> Judgement:
    """Right whatever is said; what begins with a letter of the first half of the alphabet is thought about."""
    judged = grade(problem, sample)
    return judged._replace(verdict=Verdict.RIGHT, thought=judged.verdict is Verdict.RIGHT)


@pytest.mark.parametrize(
    ("change", "cost", "share"),
    [
        ({"thought_reward": 0.5}, lambda p: -p.parts["thought"], 0.6),
        ({"thought_reward": 0.5, "control": 1.0, "algorithm": "grpo"}, lambda p: -p.parts["thought"], 0.6),
        ({"overlong": 8}, lambda p: p.tokens, 0.9),
    ],
)
def test_what_costs_is_unlearned(change, cost, share, practised):
    """Conditional thinking and the soft punishment of long replies, where every answer is right."""
    how = {
        "steps": 16,
        "prompts": 4,
        "group": 8,
        "save_every": 16,
        "max_tokens": 8,
        "algorithm": "dapo",
        "dynamic": False,
        "lr": 3e-2,
    }
    points = practised(ask=last, judge=always, **how | change)[1].state.points
    assert sum(map(cost, points[-3:])) < share * sum(map(cost, points[:3]))


# --- resumed = straight -----------------------------------------------------------------------------------------------


def same(one, two) -> None:
    assert delta(one[0], two[0]) == 0 and one[1].state.points == two[1].state.points
    assert (one[1].kept, one[1].worths, one[1].state) == (two[1].kept, two[1].worths, two[1].state)


@pytest.mark.parametrize("change", [{}, {"algorithm": "dapo", "updates": 2, "optimizer": "muon"}, {"beta": 0.1}])
def test_a_resumed_course_is_what_it_would_have_been(change, practised):
    straight = practised("straight", steps=6, **change)
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        practised("broken", said.append, lambda: any("3/6" in line for line in said), steps=6, **change)
    same(straight, practised("broken", steps=6, **change))


@pytest.mark.parametrize("when", ["step     3/6", "step     4  ", "step     6  "])
def test_a_killed_course_is_what_it_would_have_been(when, practised, tmp_path):
    """kill -9 while a point is told, while dev is told between weights and checkpoint, and at the end."""
    straight = practised("straight", steps=6)
    pid = os.fork()
    if not pid:
        try:
            practised("broken", lambda line: os.kill(os.getpid(), signal.SIGKILL) if when in line else None, steps=6)
        finally:
            os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    same(straight, practised("broken", steps=6))


def test_a_course_that_has_stopped_itself_does_not_go_on(practised):
    said: list[str] = []
    change = {"stop_entropy": 100.0, "stop_logs": 2, "steps": 6}
    one = practised("one", said.append, **change)
    assert "stops itself after step 2: the entropy" in " ".join(said) and len(one[1].state.points) == 2
    same(one, practised("one", **change))


def test_the_checkpoint_that_dev_likes_best_is_kept(practised, fresh):
    worths = iter([3, 9, 1])
    after, done = practised("run", ask=lambda loaded: Scored(next(worths), 10))
    assert done.kept == 2 and done.worths == {0: 0.3, 2: 0.9, 4: 0.1}
    half, _ = practised("half", ask=last, steps=2)
    assert delta(after, half) == 0
    start, done = practised("worse", ask=lambda loaded: Scored(5 - loaded.model.training, 10), lr=0.5)
    assert done.kept == 0 and delta(start, fresh().model.state_dict()) == 0


# --- the settings -----------------------------------------------------------------------------------------------------


def moved(practised, fresh, folder, **change) -> float:
    after, _ = practised(folder, ask=last, **change)
    return delta(after, fresh().model.state_dict())


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"lr": 1e-4}, {"lr": 1e-2}),
        ({"warmup": 1.0}, {"warmup": 0.0}),
        ({"decay": 1.0}, {"decay": 0.0}),
        ({"steps": 1}, {"steps": 4}),
        ({"updates": 1}, {"updates": 3}),
        ({"optimizer": "muon", "muon_lr_ratio": 1.0}, {"optimizer": "muon", "muon_lr_ratio": 20.0}),
    ],
)
def test_a_setting_moves_the_student_as_far_as_it_says(less, more, practised, fresh):
    assert moved(practised, fresh, "less", **less) < moved(practised, fresh, "more", **more)


def test_weight_decay_pulls_to_zero(practised):
    sizes = []
    for decay in (0.0, 10.0):
        after, _ = practised(f"{decay}", ask=last, weight_decay=decay, lr=1e-3)
        sizes.append(sum(float(v.norm()) for k, v in after.items() if v.ndim == 2))
    assert sizes[1] < sizes[0]


def test_accumulated_is_at_once(practised):
    one, two = (practised(f"{n}", ask=last, accumulate=n, group=8, lr=1e-3)[0] for n in (1, 4))
    assert delta(one, two) < 2e-4


def test_clipping_binds_from_the_second_update_on(practised):
    def clipped(low, high, updates=2):
        how = {"updates": updates, "lr": 5e-2, "steps": 1, "clip_low": low, "clip_high": high}
        return practised(f"{low}{high}{updates}", ask=last, **how)[1].state.points[0].clipped

    assert clipped(0.2, 0.2) > clipped(0.2, 9.0) > clipped(1.0, 9.0) == 0 == clipped(0.2, 0.2, updates=1)
    assert clipped(0.2, None) == clipped(0.2, 0.2)


def test_beta_holds_the_student_back_and_says_how_far_it_is(practised, fresh):
    free, held = (practised(f"{b}", ask=last, beta=b, steps=8, lr=3e-2)[1].state.points for b in (0.001, 5.0))
    assert free[-1].kl > held[-1].kl >= 0 and free[0].kl == pytest.approx(0, abs=1e-5)
    assert practised("none", ask=last)[1].state.points[0].kl is None


def test_a_longer_horizon_and_a_higher_temperature_show(practised):
    def first(folder, **change):
        return practised(folder, ask=last, steps=1, prompts=4, group=8, **change)[1].state.points[0]

    assert first("short", max_tokens=4).tokens < first("long", max_tokens=40).tokens
    assert first("cold", temperature=0.3).entropy < first("hot", temperature=1.0).entropy


def test_group_and_prompts_say_what_a_step_asks(practised):
    points = {(p, g): practised(f"{p}{g}", ask=last, steps=1, prompts=p, group=g)[1].state for p, g in ((2, 4), (4, 2))}
    assert [(s.asked, s.drawn) for s in points.values()] == [(2, 8), (4, 8)]


def test_checkpoints_and_points_come_as_often_as_they_are_asked_for(practised):
    _, done = practised(steps=8, log_every=2, save_every=4)
    assert [p.step for p in done.state.points] == [2, 4, 6, 8] and list(done.worths) == [0, 4, 8]


# --- a whole course ---------------------------------------------------------------------------------------------------


@pytest.fixture
def whole(fresh, tmp_path):
    """The records of a whole course from a student on disk."""
    source = tmp_path / "start"
    student.save(fresh(), source)
    start = Student(path="start", base="b", hash="h", tokenizer_hash="t")

    def ran(folder="arms/x/rl", judge=grade, ask=score, **change):
        said: list[str] = []
        how = settings(**{"preflight": 4} | change)
        at = tmp_path / folder
        draws, exam = partial(Ended, batch=how.batch), Exam(solve, judge)
        records = reinforce(
            PROBLEMS, start, str(source), how, 0, draws, exam, ask, at, "arms/x/rl", said.append, lambda: False
        )
        return list(records), said, at

    return ran


def test_a_course_ends_in_a_student_its_points_and_what_dev_said(whole):
    records, said, at = whole(save_every=2)
    kinds = [type(r) for r in records]
    assert kinds[0] is Student and kinds.count(Reinforced) == 4 and records[0].base == "h"
    figures = {(m.name, m.slice): m for m in records if isinstance(m, Metric)}
    assert {"solve_rate", "rl_step_kept", "rl_problems_asked", "rl_solved_per_problem", "rl_dev"} == {
        n for n, _ in figures
    }
    assert figures["rl_problems_asked", "all"].value == 8 and ("rl_dev", "step=4") in figures
    assert student.load(str(at / "model")).model is not None
    assert any("s a step: sampling" in line for line in said) and any(
        "solve rates of 4 problems" in line for line in said
    )


def test_lora_trains_an_adapter_and_is_merged_at_the_end(whole):
    (one, *_), _, at = whole(ask=last, adapter="lora", rank=2, alpha=8)
    (two, *_), _, _ = whole("arms/y/rl", ask=last, adapter="lora", rank=4, alpha=8)
    (three, *_), _, _ = whole("arms/z/rl", ask=last, adapter="lora", rank=2, alpha=1)
    assert one.adapter is None and not (at / "model" / "adapter_config.json").exists()
    assert len({one.hash, two.hash, three.hash}) == 3 and one.parameters == two.parameters
    assert settings(adapter="lora").adapter is Adapter.LORA


def test_the_band_and_how_it_is_found_decide_what_is_practised(whole):
    said = {
        key: next(
            line
            for line in whole(f"arms/{i}/rl", steps=1, save_every=1, log_every=1, **change)[1]
            if "first pass" in line
        )
        for i, (key, change) in enumerate(
            {
                "wide": {"band": (0.0, 1.0)},
                "narrow": {"band": (0.4, 0.6), "band_samples": 2},
                "few": {"band": (0.0, 1.0), "band_problems": 5},
            }.items()
        )
    }
    assert "12 of 12 problems" in said["wide"] and "5 of 5 problems" in said["few"]
    assert 0 < int(said["narrow"].split()[2]) < 12


def test_before_the_first_step_it_is_refused_where_nothing_can_be_learned(whole):
    def never(problem, sample):
        return grade(problem, sample)._replace(verdict=Verdict.NO_ANSWER)

    with pytest.raises(UnderstudyError, match="Train it with sft first"):
        whole(judge=never)


# --- what dev says ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("samples", "right"), [(4, 1.25), (2, 1.5)])
def test_dev_counts_the_greedy_reply_as_much_as_all_samples(samples, right, fresh, monkeypatch):
    """Two problems: both greedy replies are right, and of the samples the first of each."""

    class Scripted(Drawing):
        def __call__(self, prompts, sampling):
            made = [(i, n) for i in range(len(prompts)) for n in range(sampling.n)]
            return [Drawn(i, n, [0], [1], Sample(text=f"\\boxed{{{7 if n == 0 else 8}}}")) for i, n in made]

    monkeypatch.setattr(practising, "Drawing", Scripted)
    monkeypatch.setattr(practising, "dev_probes", lambda: [])
    made = build({"sources": [{"name": "word_problems"}], "rl": {"dev_samples": samples}})
    scored = practising.on_dev_sampled(fresh(), PROBLEMS[:2], made, lambda: False)
    assert (scored.right, scored.n) == (right, 2)
