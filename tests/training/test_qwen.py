"""A real tokenizer of a small model's family goes all the way, on a random student of its shape."""

from pathlib import Path

import pytest

pytest.importorskip("trl")

from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM  # noqa: E402

from understudy import training  # noqa: E402
from understudy.records import Example, Message  # noqa: E402
from understudy.student import Loaded  # noqa: E402

QWEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "tokenizers" / "qwen2.5"


@pytest.fixture(scope="module")
def qwen():
    if not QWEN.exists():
        pytest.skip("shared/data/tokenizers/qwen2.5 is not beside this checkout")
    return AutoTokenizer.from_pretrained(QWEN)


def conversation(n: int) -> Example:
    turns = (
        Message(role="user", content=f"Caf\u00e9 No. {n} sells {n} cakes a day. How many in 2 days?"),
        Message(role="assistant", content=f"<think>\n{n} * 2 = {2 * n}\n</think>\n\nThe answer is \\boxed{{{2 * n}}}."),
    )
    return Example(id=f"q{n}", messages=turns, weights=(0.0, 1.0), origin="teacher", spans=((9 + len(str(n)), 0.5),))


def test_it_is_shown_learned_and_saved(qwen, settings, tmp_path):
    ready = training.preflight([conversation(n) for n in range(12)], qwen, 128)
    assert "⟦<think>\n0 * 2 = 0\n</think>\n\nThe answer is \\boxed{0}.<|im_end|>⟧" in ready.sources["teacher"].sample
    assert {0.0, 0.5, 1.0} == {w for r in ready.rows for w in r.weights}
    shape = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, head_dim=8)
    config = Qwen3Config(vocab_size=len(qwen), num_key_value_heads=1, tie_word_embeddings=True, **shape)
    loaded = Loaded(Qwen3ForCausalLM(config), qwen)
    how = settings(steps=8, log_every=1, lr=1e-2)
    plan = training.batches(ready.rows, how, 0)
    curve = training.train(loaded, ready.rows, plan, how, 1e-2, tmp_path / "c", lambda line: None, lambda: False)
    assert curve[-1].loss < curve[0].loss - 0.1
    kept = training.keep(loaded, tmp_path, "arms/x", base="b")
    assert AutoTokenizer.from_pretrained(tmp_path / "model").chat_template == qwen.chat_template and kept.parameters
