"""The student is pulled to its teacher by the divergence that was asked for, on rows that the seed alone decides."""

import json
import math
from collections import Counter

import pytest

pytest.importorskip("trl")

import msgspec  # noqa: E402
import torch  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

from understudy import student  # noqa: E402
from understudy.engines.drawing import Drawing  # noqa: E402
from understudy.errors import UserError  # noqa: E402
from understudy.recipe import Adapter, Build, OnPolicy, Optimizer  # noqa: E402
from understudy.records import Divergence, Example, Message, Prompt, Sampling, Student  # noqa: E402
from understudy.render import prompt_ids  # noqa: E402
from understudy.steps.onpolicy import Plan, Pool, onpolicy, same_tokenizer  # noqa: E402
from understudy.steps.onpolicy.asking import Kind, Row  # noqa: E402
from understudy.steps.onpolicy.trainer import Rate  # noqa: E402
from understudy.student import Loaded  # noqa: E402

SHAPE = Build(layers=1, width=32, heads=2, kv_heads=1, head_width=16, ffn=64, vocabulary=300, context=64)
TEXTS = [f"What is {n} plus 1? The answer is {n + 1}." for n in range(40)]
START = Student(path="start", base="b", hash="h", tokenizer_hash="t")


def user(text: str) -> Message:
    return Message(role="user", content=text)


def example(n: int) -> Example:
    turns = (user(f"What is {n} plus 1?"), Message(role="assistant", content=f"The answer is {n + 1}."))
    return Example(id=f"e{n}", messages=turns, weights=(0.0, 1.0), origin="teacher")


ASKED = Pool("sums", 1.0, [Prompt(id=f"p{n}", messages=(user(f"What is {n} plus 1?"),)) for n in range(20)])
MIX = [example(n) for n in range(20)]


@pytest.fixture(scope="module")
def tokenizer():
    return student.train_tokenizer(TEXTS, 300)


@pytest.fixture(scope="module")
def models(tokenizer, tmp_path_factory):
    """A folder with a student, and teachers: sharp as one that was trained, wider, and padded to more tokens."""
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("start", "teacher", "wide", "padded")):
        shape = msgspec.structs.replace(SHAPE, width=48) if name == "wide" else SHAPE
        model = student.build(shape, tokenizer, seed)
        with torch.no_grad():
            model.model.norm.weight *= 1 if name == "start" else 12
        if name == "padded":
            model.resize_token_embeddings(len(tokenizer) + 8)
        student.save(Loaded(model, tokenizer), folder / name)
    return folder


class Ran(list):
    """What came out: the record, then the curve."""

    def __init__(self, found, folder, said, asked, drawn):
        super().__init__(found)
        self.folder, self.said, self.asked, self.drawn = folder, said, asked, drawn
        self.record, self.curve = found[0], found[1:]

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        return student.load(str(self.folder / "model")).model.state_dict()


class Killed(Exception):
    """Stands for a kill: what is on disk stays as it is."""


def distilled(
    models, folder, teacher="teacher", pools=(ASKED,), mix=(), learn=None, seed=0, until=None, stops=None, draw=None,
    **change,
) -> Ran:  # fmt: skip
    """Distil in `folder`; `until`: killed at that point of the curve; `stops`: told to stop there."""
    fields = {"steps": 6, "prompts": 4, "max_tokens": 8, "lr": 3e-3, "log_every": 2, "save_every": 4, "batch": 4}
    how = OnPolicy(**fields | change)
    said, asked_for, drawn = [], [], []
    sampling = Sampling(temperature=how.temperature, max_tokens=how.max_tokens, seed=seed)

    def say(line):
        said.append(line)
        if until is not None and line.startswith(f"step {until:>5} "):
            raise Killed

    def stop():
        return any(line.startswith(f"step {stops:>5} ") for line in said) if stops else False

    def written(loaded, prompts):
        found = Drawing(loaded, how.batch)(prompts, sampling)
        asked_for.append([one.asked for one in found])
        drawn.append([one.reply for one in found])
        return drawn[-1]

    start, tutor = str(models / "start"), str(models / teacher)
    found = onpolicy(
        pools, mix, START, start, tutor, how, seed, learn, draw or written, folder, folder.name, say, stop
    )  # fmt: skip
    return Ran(list(found), folder, said, asked_for, drawn)


@pytest.fixture
def run(models, tmp_path):
    return lambda folder="run", **change: distilled(models, tmp_path / folder, **change)


@pytest.fixture(scope="module")
def plain(models, tmp_path_factory):
    """A run of which nothing is said."""
    return distilled(models, tmp_path_factory.mktemp("plain") / "run")


def delta(one, two) -> float:
    return max(float((one[k] - two[k]).abs().max()) for k in one)


def start_weights(models) -> dict[str, torch.Tensor]:
    return student.load(str(models / "start")).model.state_dict()


# --- the divergence ---------------------------------------------------------------------------------------------------


def by_hand(one: list[float], two: list[float], beta: float, temperature: float) -> float:
    """Divergence of a student's logits `one` from a teacher's `two`, in nats."""
    p, q = ([math.exp(x / temperature) for x in logits] for logits in (one, two))
    p, q = [x / sum(p) for x in p], [x / sum(q) for x in q]
    if beta in (0.0, 1.0):
        a, b = (q, p) if beta == 0 else (p, q)
        return sum(x * math.log(x / y) for x, y in zip(a, b, strict=True))
    m = [beta * y + (1 - beta) * x for x, y in zip(p, q, strict=True)]
    of_teacher = sum(y * math.log(y / z) for y, z in zip(q, m, strict=True))
    return beta * of_teacher + (1 - beta) * sum(x * math.log(x / z) for x, z in zip(p, m, strict=True))


def logits(models, name: str, row: Row) -> list[list[float]]:
    """Of each token of the reply, (N, V)."""
    with torch.no_grad():
        found = student.load(str(models / name)).model(torch.tensor([row.ids + row.reply])).logits[0]
    return found[len(row.ids) - 1 : -1].double().tolist()


@pytest.mark.parametrize(
    ("beta", "temperature"), [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (0.1, 1.0), (1.0, 2.0), (0.0, 0.5)]
)
def test_the_divergence_is_what_is_reckoned_by_hand(beta, temperature, run, models, tokenizer):
    found = run(
        mix=MIX[:1], sampled=0.0, steps=1, prompts=1, log_every=1, beta=beta, temperature=temperature, max_tokens=20
    )
    reply = tokenizer.encode("The answer is 1.<|im_end|>", add_special_tokens=False)
    row = Row(ASKED.prompts[0], prompt_ids(MIX[0].messages[:1], tokenizer), reply)
    pairs = zip(logits(models, "start", row), logits(models, "teacher", row), strict=True)
    each = [by_hand(one, two, beta, temperature) for one, two in pairs]
    assert found.curve[0].divergence == pytest.approx(sum(each) / len(each), abs=2e-4)
    assert found.curve[0].learned_tokens == len(each) == len(row.reply) and found.drawn == []


def test_the_divergence_is_taken_where_the_student_has_been(run, models, tokenizer):
    found = run(steps=1, prompts=3, log_every=1)
    rows = [Row(ASKED.prompts[0], ids, reply) for ids, reply in zip(found.asked[0], found.drawn[0], strict=True)]
    each = [
        by_hand(one, two, 1.0, 1.0)
        for row in rows
        for one, two in zip(logits(models, "start", row), logits(models, "teacher", row), strict=True)
    ]
    assert found.curve[0].divergence == pytest.approx(sum(each) / len(each), abs=2e-4)
    assert found.curve[0].learned_tokens == len(each)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_a_student_is_not_pulled_from_itself(beta, run, models):
    found = run(teacher="start", beta=beta)
    assert delta(found.weights, start_weights(models)) == 0
    assert {point.divergence for point in found.curve} == {0.0}


@pytest.mark.parametrize("teacher", ["teacher", "wide", "padded"])
def test_a_student_comes_nearer_to_its_teacher(teacher, run):
    found = run(teacher=teacher, steps=24, lr=1e-2)
    assert found.curve[-1].divergence < 0.8 * found.curve[0].divergence


def test_the_record_is_a_whole_student(plain, models):
    assert plain.record.path == "run/model" and plain.record.base == "h" and plain.record.adapter is None
    assert delta(plain.weights, start_weights(models)) > 0


# --- the same tokenizer -----------------------------------------------------------------------------------------------


def changed(tokenizer, change) -> PreTrainedTokenizerFast:
    """The tokenizer with its file changed."""
    data = json.loads(tokenizer.backend_tokenizer.to_str())
    change(data)
    made = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(data)), eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    made.chat_template = tokenizer.chat_template
    return made


def renamed(data) -> None:
    vocabulary = data["model"]["vocab"]
    token = next(t for t, i in vocabulary.items() if i == 5)
    vocabulary["Z'"] = vocabulary.pop(token)


def swapped(data) -> None:
    merges = data["model"]["merges"]
    merges[3], merges[4] = merges[4], merges[3]


def lower(data) -> None:
    data["normalizer"] = {"type": "Lowercase"}


def whole_word(data) -> None:
    data["added_tokens"][-1]["single_word"] = True


DIFFERENT = [
    (renamed, r"token 5 is '.' in the student's and \"Z'\" in the teacher's"),
    (swapped, r"they differ in merges: number 3 is \['.*'\] in the student's and \['.*'\] in the teacher's"),
    (lower, r"they differ in normalizer\."),
    (whole_word, r"they differ in added tokens: number \d+ is \{.*'single_word': False.*\} in the student's and \{"),
]


@pytest.mark.parametrize(("change", "says"), DIFFERENT, ids=[change.__name__ for change, _ in DIFFERENT])
def test_another_tokenizer_is_refused_with_the_first_difference(change, says, tokenizer):
    says = f"onpolicy: big has another tokenizer than the student: {says}.* Take a teacher of the same family"
    with pytest.raises(UserError, match=says):
        same_tokenizer(tokenizer, changed(tokenizer, change), "big")


def test_another_end_is_another_tokenizer(tokenizer):
    other = changed(tokenizer, lambda data: None)
    same_tokenizer(tokenizer, other, "big")
    other.eos_token = "<|endoftext|>"
    with pytest.raises(UserError, match=r"eos_token is '<\|im_end\|>' in the student's and '<\|endoftext\|>' in"):
        same_tokenizer(tokenizer, other, "big")


def test_a_larger_vocabulary_is_another_tokenizer(tokenizer):
    other = student.train_tokenizer(TEXTS, 270)
    with pytest.raises(UserError, match="token 26[0-9] is .* in the student's and"):
        same_tokenizer(tokenizer, other, "big")


def test_a_teacher_of_another_tokenizer_is_refused_before_anything_is_made(run, models, tokenizer, tmp_path):
    other = student.train_tokenizer(TEXTS, 270)
    student.save(Loaded(student.build(SHAPE, other, 0), other), models / "other")
    with pytest.raises(UserError, match="other has another tokenizer"):
        run(teacher="other")
    assert not (tmp_path / "run").exists()


def test_a_teacher_with_fewer_rows_than_the_student_is_refused(models, tokenizer):
    from understudy.steps.onpolicy.tokens import fit

    small, padded = (student.load(str(models / name)) for name in ("start", "padded"))
    with pytest.raises(UserError, match="big gives probabilities to 279 tokens and the student to 287"):
        fit(small, padded, "big")


# --- what is asked ----------------------------------------------------------------------------------------------------


def kinds(**sizes: tuple[float, int]) -> list[Kind]:
    return [
        Kind(share, [Row(Prompt(id=f"{name}{i}", messages=()), [0], None) for i in range(n)])
        for name, (share, n) in sizes.items()
    ]


def asked(plan: Plan, steps: int) -> list[list[str]]:
    return [[plan.row(step * plan.size + place).prompt.id for place in range(plan.size)] for step in range(steps)]


@pytest.mark.parametrize("shares", [(1.0,), (0.5, 0.5), (0.3, 0.7), (0.1, 0.2, 0.7), (0.05, 0.95), (1 / 3, 2 / 3)])
@pytest.mark.parametrize("size", [1, 4, 7])
def test_every_kind_has_its_share_at_any_time_and_every_row_its_turn(shares, size):
    plan = Plan(kinds(**{"abc"[i]: (share, 5 + i) for i, share in enumerate(shares)}), size, 0)
    seen: Counter[str] = Counter()
    for step, ids in enumerate(asked(plan, 40), 1):
        seen.update(ids)
        for i, share in enumerate(shares):
            counts = [seen[f"{'abc'[i]}{n}"] for n in range(5 + i)]
            assert abs(sum(counts) - share * size * step) < 2 and max(counts) - min(counts) <= 1


def test_the_order_comes_from_the_seed_alone():
    one, two, other = (asked(Plan(kinds(a=(0.5, 9), b=(0.5, 9)), 4, seed), 30) for seed in (0, 0, 1))
    assert one == two != other


def test_rows_that_are_too_long_are_counted_and_left_out(run):
    long = Prompt(id="long", messages=(user("What is 1 plus 1? " * 9),))
    found = run(pools=(ASKED._replace(prompts=[*ASKED.prompts, long]),), steps=1)
    assert "onpolicy: 100% of the rows are of sums; 1 of 21 too long" in found.said
    with pytest.raises(UserError, match="nothing of sums can be asked: none of 1 has a prompt of at most 56"):
        run("refused", pools=(ASKED._replace(prompts=[long]),))


def test_off_the_policy_stands_what_the_mix_says(run):
    half = run(mix=MIX, sampled=0.5, max_tokens=20, steps=3)
    assert [len(step) for step in half.drawn] == [2, 2, 2]  # two of four rows are the student's
    assert "onpolicy: 50% of the rows are of the mix; 0 of 20 too long" in half.said
    none = run("none", mix=MIX, sampled=0.0, max_tokens=20, steps=3)
    assert none.drawn == [] and {point.tokens for point in none.curve} == {None}


def test_shares_of_sources_are_of_what_the_student_writes(run):
    talk = Pool("talk", 0.5, [Prompt(id="t", messages=(user("Hi"),))])
    said = run(pools=(talk, ASKED._replace(share=0.5)), mix=MIX, sampled=0.5, max_tokens=20, steps=1).said
    assert [line.split(";")[0] for line in said if "of the rows" in line] == [
        "onpolicy: 25% of the rows are of talk", "onpolicy: 25% of the rows are of sums",
        "onpolicy: 50% of the rows are of the mix",
    ]  # fmt: skip


def test_an_anchor_pulls_the_student_to_itself_as_it_came(run, models):
    held = ASKED._replace(share=0.5, anchored=True, prompts=ASKED.prompts[:5])
    found = run(pools=(ASKED._replace(share=0.5), held), anchor=0.5, lr=1e-2, steps=10)
    free = run("free", lr=1e-2, steps=10)
    assert found.curve[0].drift < found.curve[0].divergence and {point.drift for point in free.curve} == {None}
    assert found.curve[-1].divergence < found.curve[0].divergence
    assert found.curve[-1].divergence > free.curve[-1].divergence  # it is held back
    alone = run("alone", pools=(held._replace(share=1.0),), anchor=1.0)
    assert delta(alone.weights, start_weights(models)) == 0 and {point.drift for point in alone.curve} == {0.0}


# --- a run ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "change"),
    [
        (2, {}),
        (2, {"anchor": 0.5}),
        (6, {"optimizer": Optimizer.MUON, "accumulate": 2}),
        (6, {"adapter": Adapter.LORA, "rank": 4}),
    ],
)
def test_killed_and_resumed_is_straight(until, change, run):
    pools = (ASKED._replace(share=0.5), ASKED._replace(share=0.5, anchored=bool(change.get("anchor"))))
    straight = run("straight", pools=pools, steps=10, **change)
    with pytest.raises(Killed):
        run("killed", pools=pools, steps=10, until=until, **change)
    again = run("killed", pools=pools, steps=10, **change)
    assert again.curve == straight.curve and delta(again.weights, straight.weights) == 0
    assert again.record.hash == straight.record.hash


def test_a_run_by_tokens_resumes_too(run):
    straight = run("straight", learn=250)
    with pytest.raises(Killed):
        run("killed", learn=250, until=6)
    again = run("killed", learn=250)
    assert again.curve == straight.curve and delta(again.weights, straight.weights) == 0
    assert 250 <= again.curve[-1].learned_tokens < 250 + 4 * 8 and again.curve[-1].step > 6


def test_a_run_by_tokens_that_ends_where_a_checkpoint_would_stand_takes_no_step_more(run):
    def eight(loaded, prompts):
        return [[9] * 8 for _ in prompts]

    straight = run("straight", learn=256, draw=eight)
    with pytest.raises(Killed):
        run("killed", learn=256, draw=eight, until=8)
    assert [point.step for point in straight.curve] == [2, 4, 6, 8]
    assert run("killed", learn=256, draw=eight).curve == straight.curve


def test_stopped_it_leaves_a_checkpoint_where_the_curve_has_a_point(run, plain, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run("stopped", stops=2, save_every=100)
    assert (tmp_path / "stopped" / "checkpoints" / "checkpoint-4" / "complete").exists()
    assert run("stopped", save_every=100).curve == plain.curve


def test_fine_tuning_that_has_learned_more_leaves_nothing_to_do(run):
    with pytest.raises(UserError, match="has learned from 7 tokens more than the arm it is to equal. Shorten sft"):
        run(learn=-7)


def growing(loaded, prompts):
    """Replies that are longer in every step; a prompt's name begins with the row's number."""
    return [[9] * (2 + int(prompt.id.split("/")[0]) // 8) for prompt in prompts]


def test_replies_that_grow_out_of_hand_stop_it_at_the_last_checkpoint(run):
    found = run(draw=growing, steps=40, max_tokens=40, stop_growth=2.0)
    why = "onpolicy: stopped: replies are 5 tokens long at step 8 and were 2 at the start. The student is that of "
    assert f"{why}checkpoint-4. Lower onpolicy.lr, or fine-tune more first." in found.said
    assert found.curve[-1].step == 8
    checkpoint = student.load(str(found.folder / "checkpoints" / "checkpoint-4")).model.state_dict()
    assert delta(found.weights, checkpoint) == 0
    assert run("free", draw=growing, steps=12, max_tokens=40, stop_growth=9.0).curve[-1].step == 12


def test_stopped_before_any_checkpoint_the_student_is_as_it_came(run, models):
    found = run(draw=growing, steps=40, max_tokens=40, save_every=100)
    assert "The student is as it came." in found.said[-1] and delta(found.weights, start_weights(models)) == 0


def test_many_replies_cut_off_stop_it_too(run):
    def late(loaded, prompts):
        end = loaded.tokenizer.eos_token_id
        return [[9, 9, 9 if int(prompt.id.split("/")[0]) >= 16 else end] for prompt in prompts]

    assert any("100% of the replies are cut off at step 6, 0% were" in line for line in run(draw=late, steps=9).said)


# --- every option does what it says -----------------------------------------------------------------------------------


def test_the_rate_rises_stays_and_falls():
    rate = Rate(warmup=0.2, decay=0.5, steps=10, learn=None)
    assert [round(rate(step), 3) for step in range(11)] == [0.1, 0.55, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0]
    assert {Rate(0.0, 0.0, 10, None)(step) for step in range(10)} == {1.0}
    by_tokens = Rate(warmup=0.0, decay=0.5, steps=1000, learn=100)
    by_tokens.learned = 75
    assert by_tokens(3) == 0.5 and not by_tokens.finished(3)


def test_steps_and_prompts_say_how_much_is_asked(run, plain):
    assert [len(step) for step in plain.drawn] == [4] * 6
    assert [len(step) for step in run(steps=2, prompts=5).drawn] == [5, 5]


def test_hot_replies_are_more_varied_and_max_tokens_cuts_them(run):
    cold, hot = (run(f"t{t}", temperature=t, steps=2) for t in (0.05, 5.0))
    several = [len({t for step in found.drawn for reply in step for t in reply}) for found in (cold, hot)]
    assert several[0] < several[1]
    assert max(len(reply) for step in run("short", max_tokens=3, steps=2).drawn for reply in step) == 3


def test_the_curve_says_length_and_cut_offs(plain):
    found = plain
    written = [reply for step in found.drawn[:2] for reply in step]
    first = found.curve[0]
    assert first.tokens == sum(map(len, written)) / len(written)
    ends = student.load(str(found.folder / "model")).tokenizer.eos_token_id
    assert first.cut_off == sum(reply[-1] != ends for reply in written) / len(written)
    assert [type(point) for point in found.curve] == [Divergence] * 3 and found.curve[-1].lr < 3e-3


CHANGES = [{"lr": 1e-2}, {"optimizer": Optimizer.MUON}, {"warmup": 0.9}, {"decay": 1.0}, {"beta": 0.0}]


@pytest.mark.parametrize("change", CHANGES, ids=[next(iter(c)) for c in CHANGES])
def test_what_changes_the_step_changes_the_student(change, run, plain):
    assert delta(plain.weights, run(**change).weights) > 1e-5


def test_decay_shrinks_and_a_higher_ratio_moves_further(run, plain, models):
    size = [sum(float(v.square().sum()) for v in ran.weights.values()) for ran in (run(weight_decay=10.0), plain)]
    assert size[0] < size[1]
    muon = {"optimizer": Optimizer.MUON}
    far = [delta(run(f"m{r}", muon_lr_ratio=r, **muon).weights, start_weights(models)) for r in (1.0, 10.0)]
    assert far[0] < far[1]


@pytest.mark.parametrize("change", [{"accumulate": 2}, {"batch": 1}], ids=["accumulate", "batch"])
def test_how_a_step_is_spread_changes_nothing_but_rounding(change, run, plain):
    other = run(**change)
    assert plain.drawn == other.drawn and delta(plain.weights, other.weights) < 1e-4


def test_an_adapter_moves_in_few_dimensions_and_is_merged(run, models):
    found = run(adapter=Adapter.LORA, rank=2, alpha=64, lr=1e-2)
    name = "model.layers.0.mlp.up_proj.weight"
    change = found.weights[name] - start_weights(models)[name]
    assert torch.linalg.matrix_rank(change, rtol=1e-4) == 2
    less = run("less", adapter=Adapter.LORA, rank=2, alpha=1, lr=1e-2)
    assert float((less.weights[name] - start_weights(models)[name]).norm()) < float(change.norm())


def test_an_adapter_learns_ten_times_as_fast():
    assert OnPolicy(adapter=Adapter.LORA).rate == 10 * OnPolicy().rate and OnPolicy(lr=0.5).rate == 0.5


def test_another_seed_asks_and_draws_otherwise(run, plain):
    other, again = run("other", seed=1), run("again")
    assert other.asked != plain.asked == again.asked and other.drawn != plain.drawn == again.drawn


def test_checkpoints_and_points_stand_where_they_are_asked_for(run, tmp_path):
    found = run(steps=5, save_every=2, log_every=2)
    assert [point.step for point in found.curve] == [2, 4, 5]
    assert saved(tmp_path) == {4, 5}  # the last two of 2, 4 and the end
    run("rarely", steps=5, save_every=100, log_every=1)
    assert saved(tmp_path, "rarely") == {5}


def saved(folder, name="run") -> set[int]:
    return {int(p.name.rpartition("-")[2]) for p in (folder / name / "checkpoints").glob("checkpoint-*")}
