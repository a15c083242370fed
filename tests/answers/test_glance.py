"""The fast way to an equation is the slow way's result: on real texts, and on texts made of every shape and trap."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from understudy.answers import equations, slips
from understudy.answers.prepare import prepared
from understudy.answers.sides import left_side

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

BRIEF = settings(max_examples=250, deadline=None, derandomize=True, database=None)
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SETS = [  # name, field, every n-th row
    ("gsm8k/train", "rationale", 9), ("gsm8k/test", "rationale", 5), ("gsm8k_model_solutions/test_6b", "solution", 5),
    ("gsm8k_test_traces/mixtral-8x7b-instruct", "rationale", 3),
    ("gsm8k_test_traces/gpt-4-1106-preview", "rationale", 3),
    ("distilling_step_by_step/svamp_train", "rationale", 2), ("aqua/dev", "rationale", 1),
]  # fmt: skip
WORDS = "eggs boxes a the so total of she has hours hour each and is day cost then half rem with for in per".split()
TRAPS = [
    "x", "X", "percent", "that's", "K", "minus", "5th", "kg", "3", "5 x", "of.", "20%", "(a)", "a)", "1.", "-", "=>",
    "->", ":", "$", "**", "`", "\\times", "and 1/2", "1:30", "12/25/2020", "\u2248 3", "000", "(blue)", "!", "5!",
]  # fmt: skip
BETWEEN = [" "] * 9 + ["\n", ". ", ", ", ": ", "; ", " (", ") ", " = "]
SIGNS = [" = ", " = ", "=", " = $", "= $", " =\n", "\n= "]
OPERATORS = ["+", "-", "*", "/", "x", "\u00d7", "\u00f7"]

CLOSE_CALLS = [  # arithmetic that is true, with something beside it that belongs to it or may
    "K + 3 + 4 = 7", "K - 3 + 4 = 7", "y x 3 + 4 = 7", "20% of 3 + 4 = 7", "2 and 1/2 + 1 = 1.5", "J5 + 3 = 8",
    "x/3 + 4 = 7", "3:4 + 2 = 6", "3 : 4 + 2 = 6", "12.3.4 + 1 = 5", "(3 + 4 = 7", "5 * (3 + 4 = 7", "f(3 + 4) = 7",
    ".8 + . 3 + 4 = 7", "10 percent 3 + 4 = 7", "5 3 + 4 = 7", "1,5 + 3 = 8", "3 + 4 = 7x", "3 + 4 = 7 x 2",
    "3 + 4 = 7 eggs x 2", "3 + 4 = 7 + y", "3 + 4 = 7 eggs + 2", "3 + 4 = 7 of 20", "3 + 4 = 7%", "3 + 4 = 7 percent",
    "3 + 4 = 7.5.1", "3 + 4 = 7:30", "3 + 4 = 7th", "3 + 4 = 7 and 1/2", "3 + 4 = 7 000", "3 + 4 = 7 1/2", "3 + 4 = 7!",
    "3 + 4 = 7(2)", "3 + 4 = 7 (2)", "3 + 4 = 7...", "3 + 4 = 7-eleven", "3 + 4 = 7^1", "3 + 4 = 7 = y",
    "3 eggs are + 4 = 7", "3 times + 4 = 7", "3 percent + 4 = 4.03", "3 and + 4 = 7", "12/2/10 = 0.6",
    "5/6/2 + 1 = 17/12", "2021-03-04 = 2014", "3 + 4 == 7", "3 + 4 <= 7", "`3 + 4 = 7`", "3 + 4 = <<3+4=7>>7 * 2",
    "x = <<3*4=12>>12 * 2", "3 x = <<3*4=12>>12", "K3 + 4 = <<3+4=7>>7", "20% of 3 + 4 = <<3+4=7>>7",
    "3 + 4 = <<3+4=7>>7%", "3 + 4 = <<3+4=7>>7x", "100% - 40% = 60%", "100% - 40% = 60% of it", "100% - 40% = 0.6",
    "100% - 40 = 60%", "5 / 20 * 100% = 25%", "5 / 20 * 100% = 25% of 8", "50% * 50% - 5% = 20%", "100% - 40% = 60%$",
    "5 kids / 20 kids * 100% = 25% = y", "3 oz of gloss * 2 = 6", "3 of eggs * 2 = 6", "3 oz of 2 * 2 = 6",
    "3 oz of x * 2 = 6", "2 cups of tea per guest of a friend of the house * 4 = 8", "3 + 4 = 7 mail-in orders",
    "3 + 4 = <<3+4=7>>7 two-door cars", "3 + 4 = 7 mail-3", "3 + 4 = 7 mail - in", "3 + 4 = 7 of them", "3 + 4 = 7 of",
    "3 + 4 = 7 of $20", "3 + 4 = 7 of (2)", "a total of 3 + 4 = 7", "20% of of 3 + 4 = 7",
]  # fmt: skip

amounts = st.one_of(
    st.integers(0, 300).map(str), st.integers(0, 300).map("${}".format), st.integers(1, 99).map("{}%".format),
    st.integers(1000, 99999).map("{:,}".format), st.integers(0, 9999).map(lambda n: f"{n / 100:.2f}"),
    st.sampled_from([".5", "(1/4)", "(2 + 3)", "\u00bd", "2\u00bd", "-3", "1 1/2", "3\u00b2", "007", "1e3"]),
)  # fmt: skip
units = st.sampled_from([""] * 8 + [f" {w}" for w in WORDS] + ["/day", "kg", "%", " (red)", "'s", " eggs a day", " x"])
words = st.lists(st.sampled_from(WORDS * 4 + TRAPS), max_size=4)


@st.composite
def sides(draw) -> str:
    blank = draw(st.sampled_from([" ", " ", ""]))
    out = draw(amounts) + draw(units)
    for _ in range(draw(st.integers(0, 3))):
        out += blank + draw(st.sampled_from(OPERATORS)) + blank + draw(amounts) + draw(units)
    return out


def results(side: str) -> list[str]:
    """What may stand behind the sign, the true value among it."""
    worth = value(side)
    if worth is None:
        return ["12"]
    return [str(worth), f"{float(worth):.2f}", f"{float(worth):.1f}", f"{float(worth):,.0f}"]


def value(side: str) -> Fraction | None:
    plain = prepared(f"{side} =")
    left = left_side(plain, 0, len(plain) - 1)
    exact = left.value if left else None
    return Fraction(exact) if isinstance(exact, int | Fraction) and abs(exact) < 10**12 else None


@st.composite
def texts(draw) -> str:
    out = ""
    for _ in range(draw(st.integers(1, 3))):
        out += "".join(word + draw(st.sampled_from(BETWEEN)) for word in draw(words))
        side, sign = draw(sides()), draw(st.sampled_from(SIGNS))
        result = draw(st.sampled_from(results(side)))
        note = "".join(c for c in draw(st.sampled_from([side, side, draw(sides())])) if c in "0123456789.+-*/()x")
        out += side + sign + draw(st.sampled_from(["", f"<<{note}={result}>>"])) + result + draw(units)
        out += draw(st.sampled_from(["\n", ". ", ", ", " and ", " = ", " so ", ""]))
    return out


def both(text: str, monkeypatch) -> tuple[tuple, tuple]:
    """The equations with the fast way and without it."""
    module = sys.modules["understudy.answers.slips"]  # the package's name for it is the function
    ways = []
    for glances in (True, False):
        monkeypatch.setattr(module, "GLANCES", glances)
        equations.cache_clear()
        ways.append(equations(text))
    equations.cache_clear()
    return ways[0], ways[1]


@pytest.mark.parametrize(("name", "field", "step"), SETS, ids=[name for name, _, _ in SETS])
def test_real_texts_are_read_alike(name, field, step, monkeypatch):
    file = DATA / f"{name}.jsonl"
    if not file.exists():
        pytest.skip(f"{name} is not beside this checkout")
    for line in [line for line in file.read_text().split("\n") if line][::step]:
        text = json.loads(line).get(field) or ""
        fast, slow = both(text, monkeypatch)
        assert fast == slow, text


def test_made_texts_are_read_alike(monkeypatch):
    @BRIEF
    @given(texts())
    def holds(text: str) -> None:
        fast, slow = both(text, monkeypatch)
        assert fast == slow

    holds()


@pytest.mark.parametrize("text", CLOSE_CALLS)
def test_close_calls_are_read_alike(text, monkeypatch):
    fast, slow = both(f"So {text}\nThen", monkeypatch)
    assert fast == slow


FORMS = [
    "{a} + {b} = {c}", "{a} eggs + {b} eggs = {c} eggs", "${a} + ${b} = ${c}", "\\({a} + {b} = {c}\\)", "{a}+{b}={c}",
    "a total of {a} + {b} = {c} eggs", "Total: {a} + {b} = {c}", "x = {a} + {b} = {c}", "<<{a}+{b}={c}>>",
    "({a} + {b}) = {c}", "{a} + {b} = <<{a}+{b}={c}>>{c} eggs", "{a} (red) + {b} (blue) = {c}", "**{a} + {b} = {c}**",
    "1. {a} + {b} = {c}",
]  # fmt: skip


@BRIEF
@given(st.sampled_from(FORMS), st.integers(10, 10**6), st.integers(10, 10**6), st.sampled_from([-10, -1, 0, 1, 7, 100]))
def test_a_sum_is_a_slip_if_and_only_if_it_is_false(form, a, b, off):
    assert bool(slips(form.format(a=a, b=b, c=a + b + off))) == bool(off)


@BRIEF
@given(st.integers(1, 10**6), st.integers(2, 999), st.integers(1, 4), st.booleans())
def test_a_rounded_quotient_is_no_slip_and_its_neighbours_are(a, b, decimals, bar):
    unit = Fraction(1, 10**decimals)
    rounded = round(Fraction(a, b) / unit)
    side = f"\\frac{{{a}}}{{{b}}}" if bar else f"{a} / {b}"
    for off in (-1, 0, 1):
        text = f"{side} = {written(rounded + off, decimals)}"
        true = abs(Fraction(a, b) - (rounded + off) * unit) <= unit / 2
        assert bool(slips(text)) != true, text


def written(n: int, decimals: int) -> str:
    digits = f"{abs(n):0{decimals + 1}d}"
    return ("-" if n < 0 else "") + f"{digits[:-decimals]}.{digits[-decimals:]}"
