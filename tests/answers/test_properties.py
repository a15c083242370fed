"""Laws that hold for any number, text and reply: a number survives every spelling, and nothing crashes or stalls."""

from fractions import Fraction
from time import process_time

import pytest

from understudy.answers import Policy, find, judge, same, split, value
from understudy.records import Kind, Stop, Verdict

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

settings.register_profile("brief", max_examples=120, deadline=None, derandomize=True, database=None)
settings.load_profile("brief")

FRAMES = [
    "%s", "\\boxed{%s}", "$\\boxed{%s}$", "#### %s", "The answer is %s.", "Answer: %s", "**Final answer:** %s",
    "<think>5 or 6?</think>So the answer is %s.", "<answer>%s</answer>", "A try.\n\nThe final answer is: %s",
]  # fmt: skip
MINUSES = ["-", "\u2212", "\u2013", "\ufe63", "\uff0d", "minus ", "negative "]
SEPARATORS = [",", " ", "\u00a0", "\u2009", "\u202f", "'", "\u2019", "_", "{,}", "\\,", ",\\!"]
MONEY = ["$%s", "\\$%s", "\u20ac%s", "\u00a3%s", "%s dollars", "USD %s", "US$%s"]
UNITS = ["%s", "%s eggs", "%s km/h", "%s cm^2", "%s \\text{ cm}", "%s m\u00b2"]
SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()

naturals = st.integers(0, 10**9)
frames = st.sampled_from(FRAMES)


def spoken(n: int, hyphen: str, conjunction: str) -> str:
    """The number in words."""
    if n < 20:
        return SMALL[n]
    if n < 100:
        return TENS[n // 10] + (hyphen + SMALL[n % 10] if n % 10 else "")
    for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if n >= size:
            rest = n % size
            joint = conjunction if rest < 100 else " "
            return f"{spoken(n // size, hyphen, conjunction)} {name}" + (
                joint + spoken(rest, hyphen, conjunction) if rest else ""
            )
    raise AssertionError


def grouped(n: int, separator: str) -> str:
    return f"{n:,}".replace(",", separator)


def holds(text: str, gold: str, frame: str) -> None:
    """The text is the gold answer in its frame, and not one more or its opposite."""
    reply = frame % text
    assert judge(reply, gold).verdict is Verdict.RIGHT, reply
    exact = value(gold)
    assert exact is not None and isinstance(exact.key, Fraction)
    assert judge(reply, str(exact.key + 1)).verdict is Verdict.WRONG, reply
    if exact.key:
        assert judge(reply, str(-exact.key)).verdict is Verdict.WRONG, reply


@given(naturals, st.sampled_from(SEPARATORS), st.sampled_from(UNITS), frames)
def test_a_whole_number_survives_its_thousands_and_units(n, separator, unit, frame):
    holds(unit % grouped(n, separator), str(n), frame)


@given(st.integers(1, 10**6), st.sampled_from(MINUSES), frames)
def test_a_negative_number_survives_its_sign(n, minus, frame):
    holds(f"{minus}{n}", str(-n), frame)


@given(st.integers(0, 10**6), st.integers(0, 99), st.sampled_from(MONEY), frames)
def test_money_survives_its_currency(dollars, cents, money, frame):
    holds(money % f"{dollars:,}.{cents:02}", str(Fraction(dollars * 100 + cents, 100)), frame)


@given(st.integers(1, 10**7), st.integers(1, 6), st.integers(0, 3), frames)
def test_a_decimal_survives_trailing_zeros(digits, places, zeros, frame):
    exact = Fraction(digits, 10**places)
    whole, part = divmod(digits, 10**places)
    holds(f"{whole}.{part:0{places}}{'0' * zeros}", str(exact), frame)


@given(
    st.integers(1, 99), st.integers(2, 99), st.sampled_from(["%s/%s", "\\frac{%s}{%s}", "\\dfrac{ %s }{ %s }"]), frames
)
def test_a_fraction_survives_its_spelling(above, below, form, frame):
    holds(form % (above, below), f"{above}/{below}", frame)


@given(st.integers(1, 50), st.integers(2, 9), st.sampled_from(["%s %s/%s", "%s\\frac{%s}{%s}", "%s and %s/%s"]), frames)
def test_a_mixed_number_survives_its_spelling(whole, below, form, frame):
    above = below - 1
    holds(form % (whole, above, below), str(whole + Fraction(above, below)), frame)


@given(st.integers(1, 999), st.sampled_from(["%s%%", "%s\\%%", "%s percent", "%s per cent", "%s %%"]), frames)
def test_a_percentage_is_read_either_way(n, form, frame):
    for gold in (str(n), str(Fraction(n, 100)), f"{n}%"):
        assert judge(frame % (form % n), gold).verdict is Verdict.RIGHT


@given(
    st.integers(1, 999),
    st.integers(0, 9),
    st.sampled_from(["%se%s", "%s \\times 10^{%s}", "%s \u00d7 10^%s", "%s*10**%s"]),
    frames,
)
def test_scientific_notation_survives(mantissa, exponent, form, frame):
    whole, tenths = divmod(mantissa, 10)
    holds(form % (f"{whole}.{tenths}", exponent), str(Fraction(mantissa, 10) * 10**exponent), frame)


@given(st.integers(0, 999_999_999), st.sampled_from(["-", " "]), st.sampled_from([" and ", " "]), frames)
def test_a_number_survives_in_words(n, hyphen, conjunction, frame):
    holds(spoken(n, hyphen, conjunction), str(n), frame)


@given(st.integers(1, 10**5), frames)
def test_a_number_in_words_survives_its_sign(n, frame):
    holds(f"minus {spoken(n, '-', ' ')}", str(-n), frame)


@given(st.integers(0, 99), st.integers(1, 999), st.sampled_from(["(%s)", "\\overline{%s}", "\\overline %s"]), frames)
def test_a_repeating_decimal_is_exact(whole, repeated, form, frame):
    digits = str(repeated)
    exact = whole + Fraction(repeated, 10 ** len(digits) - 1)
    assert judge(frame % f"{whole}.{form % digits}", str(exact)).verdict is Verdict.RIGHT


PIECES = [
    "<think>", "</think>", "<think", "[THINK]", "<|channel|>final<|message|>", "<|end|>", "<answer>", "</answer>",
    "\\boxed{", "\\boxed", "}", "{", "####", " 12", "-3", ",", "1,000", "%", "$", "=", " or ", " and ", "\n", ". ",
    "The answer is", "answer", "not ", " is ", "x", "(", ")", "1/2", "\\frac", "Q: ", "A", "(B)", "yes", "no", "**",
    "`", "\x1b[31m", "\u200b", "\u00bd", "May 3, ", "2:30", " pm", "because ", "two ", "and a half", "...",
]  # fmt: skip
texts = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=40).map("".join))


@settings(max_examples=250)
@given(texts, st.sampled_from(list(Kind)))
def test_no_text_crashes_or_stalls_the_grader(text, kind):
    start = process_time()
    parts = split(text)
    for part in (parts.thought or "", parts.reply):
        found = find(part, kind)
        assert found is None or found.start <= found.end <= len(part)
    for stop in (Stop.END, Stop.LENGTH):
        judge(text, "12", kind, stop, policy=Policy(symbolic=False))
    assert process_time() - start < 1


@settings(max_examples=250)
@given(texts, texts)
def test_grading_twice_gives_the_same(text, gold):
    policy = Policy(symbolic=False)
    for kind in (Kind.NUMBER, Kind.TEXT, Kind.MATH):
        assert judge(text, gold, kind, policy=policy) == judge(text, gold, kind, policy=policy)


@given(texts)
def test_what_is_split_once_is_not_split_again(text):
    reply = split(text).reply
    assert split(reply).reply in reply


@given(st.text(min_size=1, max_size=40).filter(lambda t: value(t, Kind.TEXT) is not None))
def test_a_text_is_itself_whatever_its_case_and_blanks(text):
    assert same(text, text, Kind.TEXT)
    assert same(f"  {text} ", text, Kind.TEXT)
