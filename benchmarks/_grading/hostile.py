"""Texts that stall graders, and how long ours takes over each: alone, and in eight threads at once."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from _grading.place import Place
from _grading.table import Row, brief

from understudy.answers import flags, judge, slips, symbolic
from understudy.records import Kind, Option, Verdict

WORST = 0.2
"""Seconds."""
THREADS = 8
CHOICES = tuple(Option(label=label, text=text) for label, text in zip("ABC", ("5", "15", "25"), strict=True))
TEXTS: dict[str, str] = {
    "tower of powers": "\\boxed{9^{9^{9^{9}}}}",
    "tower of powers, code": "So 9**9**9**9 = 3. The answer is 9**9**9**9.",
    "power of a power": "The answer is 2**(2**40).",
    "10^10^10": "The answer is $10^{10^{10}}$.",
    "large root": "\\boxed{\\sqrt[9999999]{9999999^{9999999}}}",
    "factorial": "\\boxed{99999999!}",
    "factorial of factorials": "\\boxed{9!!!!!!!!!!}",
    "binomial": "\\boxed{\\binom{9999999}{4999999}}",
    "big sum": "\\boxed{\\sum_{k=1}^{10^{12}} \\frac{1}{k^2}}",
    "integral": "\\boxed{\\int_0^\\infty \\frac{\\sin^{9}(x^7)}{x^3+e^{x^2}} dx}",
    "power of a sum": "\\boxed{(1+x)^{5000}}",
    "product of sums": f"\\boxed{{{'(a+b)(c+d)' * 400}}}",
    "60 brackets": f"\\boxed{{{'(' * 60}5{')' * 60}}}",
    "5,000 brackets": "(" * 5000,
    "5,000 brackets, closed": f"\\boxed{{{'(' * 5000}5{')' * 5000}}}",
    "5,000 square brackets": f"{'[' * 5000}5{']' * 5000}",
    "5,000 braces": "{" * 5000,
    "5,000 boxes, open": "\\boxed{" * 5000,
    "5,000 boxes, closed": f"{chr(92)}boxed{{" * 5000 + "5" + "}" * 5000,
    "5,000 fractions": "\\boxed{" + "\\frac{1}{" * 5000 + "5" + "}" * 5001,
    "continued fraction": "\\boxed{" + "1+\\cfrac{1}{" * 40 + "5" + "}" * 41,
    "100,000 digits": f"The answer is {'9' * 100_000}.",
    "100,000 digits, boxed": f"\\boxed{{{'7' * 100_000}}}",
    "100,000 decimals": f"The answer is 0.{'3' * 100_000}.",
    "100,000 digits in threes": f"The answer is {'1,000,' * 16_000}000.",
    "30,000 equals signs": "1 = " * 30_000,
    "30,000 sums": "1+" * 30_000 + "1 = 30001",
    "30,000 products": "9*" * 30_000 + "9 = 1",
    "30,000 quotients": "1/" * 30_000 + "3 = 1",
    "10,000 equations": "7 * 6 = 42. " * 10_000,
    "10,000 false equations": "7 * 6 = 41. " * 10_000,
    "10,000 different equations": " ".join(f"{n} * 3 = {3 * n + n % 2}." for n in range(10_000)),
    "10,000 notes": "<<7*6=42>>" * 10_000,
    "30,000 open notes": "<<" * 30_000,
    "a large exponent": "9 ** 999999999 = 3 and 2^99999999 = 4",
    "1e999999999": "The answer is 1e999999999.",
    "a percent of percents": "5% of " * 8000 + "5 = 1",
    "10,000 thoughts": "<think>5</think>" * 10_000,
    "10,000 thoughts, open": "<think>" * 10_000,
    "10,000 closing tags": "</think>5" * 10_000,
    "30,000 open angles": "<" * 30_000,
    "10,000 answer tags": "<answer>5" * 10_000,
    "5,000 declarations": "The answer is 5. " * 5000,
    "5,000 empty declarations": "The answer is " * 5000,
    "5,000 hashes": "#### 5\n" * 5000,
    "5,000 alternatives": "\\boxed{" + "5 or " * 5000 + "5}",
    "10,000 questions": "Q: 5\n" * 10_000,
    "10,000 words for numbers": "two hundred and " * 10_000,
    "10,000 mixed numbers": "1 1/2 " * 10_000,
    "10,000 times": "2:30 pm " * 10_000,
    "ratio of 10,000": "The answer is " + "1:" * 10_000 + "1.",
    "set of 10,000": "\\boxed{\\{" + "1, " * 10_000 + "1\\}}",
    "100,000 spaces": "The answer is" + " " * 100_000 + "5",
    "100,000 line breaks": "5" + "\n" * 100_000,
    "100,000 stars": "*" * 100_000,
    "100,000 dollars": "$" * 100_000,
    "100,000 backslashes": "\\" * 100_000,
    "100,000 commas": "5" + "," * 100_000,
    "100,000 minus signs": "-" * 100_000 + "5",
    "50,000 zero-width spaces": "5\u200b" * 50_000,
    "table of 5,000 rows": "| 5 | 6 |\n" * 5000,
    "50,000 words": "not 5 apples which are after " * 8000,
}  # fmt: skip


class Job(NamedTuple):
    """What is done with a text."""

    name: str
    do: Callable[[str], object]
    waits: bool = False
    """It may ask Math-Verify, which works in another process: not only its own CPU time counts, but all time."""


JOBS = (
    Job("judge", lambda text: judge(text, "5").verdict),
    Job("judge, choice", lambda text: judge(text, "A", Kind.CHOICE, choices=CHOICES).verdict),
    Job("judge, math", lambda text: judge(text, "5", Kind.MATH).verdict, True),
    Job("judge, as gold", lambda text: judge("\\boxed{5}", text, Kind.MATH).verdict, True),
    Job("slips", lambda text: len(slips(text))),
    Job("flags", lambda text: flags(text, "What is 2 + 3?")),
)


class Took(NamedTuple):
    """One job on one text."""

    what: str
    seconds: float
    """CPU of the thread; all that passed where it waits for another process."""
    wall: float
    gave: object


def took(name: str, job: Job) -> Took:
    wall, cpu = time.perf_counter(), time.thread_time()
    try:
        gave = job.do(TEXTS[name])
    except Exception as error:
        gave = f"crashed: {type(error).__name__}: {error}"
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    return Took(f"{name} ({job.name})", wall if job.waits else cpu, wall, gave)


def hostile(place: Place) -> Iterator[Row]:
    """The rows of the table: alone, and in threads."""
    symbolic.ask("\\sqrt{2}+\\pi", "\\pi+\\sqrt{2}")  # loading Math-Verify takes seconds, once
    pairs = [(name, job) for job in JOBS for name in TEXTS]
    alone = [took(name, job) for name, job in pairs]
    yield figure(f"hostile texts, {len(JOBS)} jobs each, alone", alone, {})
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda pair: took(*pair), pairs))
    # A thread waits for the others' turns at the interpreter, so that what passes is no measure there.
    own = [
        one._replace(seconds=alone[i].seconds if pairs[i][1].waits else one.seconds) for i, one in enumerate(together)
    ]
    yield figure(f"hostile texts in {THREADS} threads", own, {one.what: one.gave for one in alone})


def figure(what: str, found: list[Took], before: dict[str, object]) -> Row:
    """The worst of them, and whether any crashed, is too slow, or says something else than `before`."""
    worst = max(found, key=lambda one: one.seconds)
    slow = [f"{one.what}: {one.seconds:.2f} s" for one in found if one.seconds > WORST]
    wild = [f"{one.what}: {brief(str(one.gave))}" for one in found if str(one.gave).startswith("crashed")]
    other = [f"{o.what}: {before[o.what]}, in threads {o.gave}" for o in found if before.get(o.what, o.gave) != o.gave]
    false = [f"{one.what}: judged {one.gave}" for one in found if one.gave is Verdict.FAILED]
    said = f"worst {worst.seconds:.3f} s: {worst.what}; {len(wild)} crashed"
    said += f"; {len(other)} other verdicts" if before else ""
    amiss = (*wild, *other, *false, *slow)
    return Row(what, len(found), f"<= {WORST} s each, no crash", said, not amiss, amiss)
