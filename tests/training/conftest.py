"""A student of one layer and forty conversations, which several files of this folder train."""

import pytest

pytest.importorskip("trl")

import torch  # noqa: E402

from understudy import student, training  # noqa: E402
from understudy.recipe import Build, Sft, Train  # noqa: E402
from understudy.records import Example, Loss, Message, Student  # noqa: E402
from understudy.steps.sft import sft  # noqa: E402
from understudy.student import Loaded  # noqa: E402
from understudy.training import Scored  # noqa: E402

SHAPE = Build(layers=1, width=32, heads=2, kv_heads=1, head_width=16, ffn=64, vocabulary=320, context=128)


def an_example(n: int, weight: float = 1.0, **change) -> Example:
    turns = (
        Message(role="user", content=f"What is {n} plus 1?" + " please" * (n % 4)),
        Message(role="assistant", content=f"The answer is {n + 1}."),
    )
    return Example(**{"id": f"e{n}", "messages": turns, "weights": (0.0, weight), "origin": "teacher"} | change)


EXAMPLES = [an_example(n) for n in range(40)]


@pytest.fixture(scope="session")
def example():
    return an_example


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    return EXAMPLES


@pytest.fixture(scope="session")
def tokenizer():
    return student.train_tokenizer([m.content for e in EXAMPLES for m in e.messages], 320)


@pytest.fixture(scope="session")
def rows(tokenizer):
    return training.preflight(EXAMPLES, tokenizer, 128).rows


@pytest.fixture
def fresh(tokenizer):
    return lambda: Loaded(student.build(SHAPE, tokenizer, 0), tokenizer)


def some_settings(**change) -> Sft:
    return Sft(**{"steps": 12, "batch": 4, "save_every": 4, "log_every": 2, "max_length": 128} | change)


@pytest.fixture(scope="session")
def settings():
    """Those of a short run."""
    return some_settings


@pytest.fixture
def run(fresh, rows, tmp_path):
    """Train a fresh student; its weights and its curve. `until`: interrupted at that step."""

    def ran(
        folder="run", until=None, lr=3e-3, given=rows, said=None, asking=None, **change
    ) -> tuple[dict[str, torch.Tensor], list[Loss]]:
        how: Train = some_settings(**change)
        lines: list[str] = said if said is not None else []
        loaded = fresh()
        stop = (lambda: any(f"step {until:>5}/" in line for line in lines)) if until else (lambda: False)
        plan = training.batches(given, how, 0)
        curve = training.train(loaded, given, plan, how, lr, tmp_path / folder, lines.append, stop, asking)
        return {k: v.clone() for k, v in loaded.model.state_dict().items()}, curve

    return ran


@pytest.fixture(scope="session")
def delta():
    """Greatest difference of the weights of two models."""
    return lambda one, two: max(float((one[k] - two[k]).abs().max()) for k in one)


@pytest.fixture
def tune(fresh, tmp_path):
    """Fine-tune; what came out. The base lies in a folder, as it does in a run."""
    student.save(fresh(), tmp_path / "base")
    base = Student(path="base", base="b", hash="h", tokenizer_hash="t")

    def tuned(score=lambda loaded: Scored(1, 2), said=None, at="arms/x", until=None, **change):
        how = some_settings(**{"steps": 6, "save_every": 2} | change)
        lines = said if said is not None else []
        stop = (lambda: any(f"step {until:>5}/" in line for line in lines)) if until else (lambda: False)
        return list(
            sft(EXAMPLES, base, str(tmp_path / "base"), how, 0, None, score, tmp_path / at, at, lines.append, stop)
        )

    return tuned
