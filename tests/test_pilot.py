"""A pilot asks a few problems for real, reckons with what comes, and pays for nothing that the run would pay again."""

import json

import pytest

from understudy import engines, pipeline
from understudy.cli.planning import piloted
from understudy.engines.scripted import Scripted
from understudy.errors import UserError
from understudy.pipeline.pilot import pilot
from understudy.recipe import build
from understudy.records import Sample
from understudy.store import Run


class Silent:
    def say(self, line):
        pass

    def tick(self, done, total, note=""):
        self.note = note

    def stop(self):
        return False


@pytest.fixture
def teacher(monkeypatch):
    """Right on even sums, wrong on odd ones; 100 tokens asked and 50 answered each time."""

    def reply(prompt, number):
        a, b = (int(word) for word in prompt.messages[-1].content.rstrip("?").split() if word.rstrip("?").isdigit())
        total = a + b + (a + b) % 2
        text = f"<think>{a} + {b} = {a + b}.</think>The answer is \\boxed{{{total}}}."
        return Sample(text=text, tokens_in=100, tokens_out=50)

    engine = Scripted(reply, name="m")
    monkeypatch.setitem(engines.TEACHERS, "http", lambda settings, problems: engine)
    return engine


def recipe(tmp_path, **generate):
    rows = [{"question": f"What is {n} plus {n % 7}?", "answer": str(n + n % 7), "split": "train"} for n in range(200)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = {"teacher": {"engine": "http", "model": "m"}, "n": 2} | generate
    sources = [{"path": str(tmp_path / "sums.jsonl"), "split": "train"}]
    return build({"sources": sources, "generate": asked})


def ask(recipe, run, count=40):
    pipeline.distil(recipe, run, Silent(), only="source")
    return pilot(recipe, run, Silent(), count)


def test_a_pilot_reckons_with_what_comes(teacher, tmp_path):
    found = ask(recipe(tmp_path, price={"input": 1.0, "output": 10.0}), Run(tmp_path / "run"))
    assert (found.problems, found.samples, found.all_problems, found.all_samples) == (40, 80, 200, 400)
    assert found.right.low < 0.57 < found.right.high  # of each seven sums four are even
    assert found.tokens_in.value == 100 and found.tokens_out.value == 50
    assert found.dollars.value == pytest.approx(400 * 600 / 1e6)
    assert found.per_dollar.value == pytest.approx(found.verified.value / 0.0006)
    assert found.verified.low < found.verified.value < found.verified.high


def test_the_run_asks_nothing_that_the_pilot_asked(teacher, tmp_path):
    made, run = recipe(tmp_path), Run(tmp_path / "run")
    ask(made, run)
    assert len(teacher.said) == 80
    ask(made, run)
    assert len(teacher.said) == 80
    pipeline.distil(made, run, Silent(), only="generate")
    assert len(teacher.said) == 400 and len(set(teacher.said)) == 400


def test_an_unknown_price_is_said_and_not_guessed(teacher, tmp_path):
    from rich.console import Console

    made = recipe(tmp_path, teacher={"engine": "http", "model": "m"})
    console = Console(width=200, record=True, file=open("/dev/null", "w"))
    console.print(piloted(made, Run(tmp_path / "run"), Silent(), 10))
    text = console.export_text()
    assert "The price is not known" in text and "Nobody has said whose terms cover the outputs of m" in text
    assert "200 problems: 400 samples, 60,000 tokens" in text


def test_too_few_problems_make_no_pilot(teacher, tmp_path):
    with pytest.raises(UserError, match="A pilot needs 2 train problems"):
        ask(recipe(tmp_path), Run(tmp_path / "run"), 1)
