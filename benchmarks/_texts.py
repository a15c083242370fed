"""Texts made on the spot for the benchmarks: word problems with planted copies, and traces with planted faults."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from understudy.records import Problem, Sample, Split, Stop, Trace

HEADS = "bal cor dan fen gor hal jun kel lam mor nar pel quor ros sel tam ul ven wil yor".split()
TAILS = "ack ber cott den er fall gate holm ing kin low mer nett ow pole ridge son ter wick yard".split()
WORDS = [f"{head}{middle}{tail}" for tail in TAILS for middle in ("", *"aeiou") for head in HEADS]
"""Words nobody knows: real texts repeat their phrases far less than a few templates filled with a few words do."""
NAMES = [word.title() for word in WORDS[::3]]
THINGS = [f"{word}s" for word in WORDS[1::3]]
PLACES = WORDS[2::3]
SENTENCES = (
    "{name} carries {n} {thing} from the {place} to the {place2} with {name2}.",
    "On that day the {place} orders {n} {thing} and sends {m} of them to {name}.",
    "A {place2} box at the {place} holds {n} {thing} and {m} {thing2}.",
    "{name} and {name2} share {n} {thing} that they found near the {place}.",
    "After {m} days only {n} of the {thing} are left at the {place}.",
    "{name2} pays {m} dollars for every {thing2} and sells {n} {thing} to {name}.",
    "Each of the {m} {thing2} in the {place} makes {n} {thing} before noon.",
    "The {place} is {n} miles from the {place2}, and {name} walks {m} miles of it.",
    "If {name} gives {m} {thing} to {name2}, then {n} {thing2} remain.",
    "There are {n} rows of {thing} in the {place}, with {m} {thing2} in each row.",
)
QUESTIONS = (
    "How many {thing} does {name} have in the end?",
    "How much money does {name} earn from the {thing}?",
    "How many {thing} are there in the {place} now?",
    "What is the number of {thing} that {name2} still needs?",
)


def _filled(rng: random.Random, form: str) -> str:
    return form.format(
        name=rng.choice(NAMES),
        name2=rng.choice(NAMES),
        thing=rng.choice(THINGS),
        thing2=rng.choice(THINGS),
        place=rng.choice(PLACES),
        place2=rng.choice(PLACES),
        n=rng.randint(2, 999),
        m=rng.randint(2, 99),
    )


def word_problem(rng: random.Random) -> str:
    """About 50 words, 280 characters."""
    told = rng.sample(SENTENCES, rng.randint(2, 4))
    return " ".join(_filled(rng, form) for form in (*told, rng.choice(QUESTIONS)))


# --- near copies ------------------------------------------------------------------------------------------------------


def runs(text: str, length: int = 5) -> set[tuple[str, ...]]:
    """Of the lower-cased words; a shorter text is one run."""
    words = text.lower().split()
    return {tuple(words[i : i + length]) for i in range(max(1, len(words) - length + 1))}


def jaccard(one: set[Any], other: set[Any]) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both)


KINDS = (("exact", 0.35, 1.0, 1.1), ("near", 0.40, 0.8, 1.0), ("decoy", 0.25, 0.5, 0.8))
"""Kind of copy, its share, and its Jaccard index: from, below."""


def near_copies(n: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of id and text; a fifth are copies of an earlier one, with `of`, their `kind` and the exact `jaccard`."""
    rng = random.Random(f"near/{seed}")
    texts: dict[int, str] = {}
    for i in range(n):
        if i > n // 20 and rng.random() < 0.2:
            of = rng.choice(list(texts)) if i < 2000 else _any(rng, texts, i)
            (kind, _, low, high) = rng.choices(KINDS, [share for _, share, _, _ in KINDS])[0]
            text, found = _copy(rng, texts[of], low, high)
            yield {"id": str(i), "text": text, "of": str(of), "kind": kind, "jaccard": found}
        else:
            texts[i] = word_problem(rng)
            yield {"id": str(i), "text": texts[i]}


def _any(rng: random.Random, texts: dict[int, str], below: int) -> int:
    while (i := rng.randrange(below)) not in texts:
        pass
    return i


def _copy(rng: random.Random, text: str, low: float, high: float) -> tuple[str, float]:
    """The text with words exchanged until its Jaccard index is in the band; an exact copy differs in case and space."""
    if low == 1:
        return (text.upper() if rng.random() < 0.3 else text.replace(" ", "  ", 3)), 1.0
    original = runs(text)
    while True:
        words = text.split()
        for _ in range(rng.randint(1, 4)):
            at = rng.choice((0, 1, len(words) - 1, len(words) - 2, rng.randrange(len(words))))
            words[at] = rng.choice((*NAMES, *THINGS, *PLACES, str(rng.randint(2, 999))))
        found = jaccard(original, runs(" ".join(words)))
        if low <= found < high:
            return " ".join(words), found


# --- questions that share words with tests ----------------------------------------------------------------------------


def contaminated(n: int, tests: int, planted: int, seed: int) -> Iterator[dict[str, Any]]:
    """`tests` rows of `split` test, then `n` of train; `planted` of these share 13 words or more with a test."""
    rng = random.Random(f"grams/{seed}")
    asked = [word_problem(rng) for _ in range(tests)]
    for i, text in enumerate(asked):
        yield {"id": f"test/{i}", "split": "test", "text": text}
    chosen = set(rng.sample(range(n), planted))
    for i in range(n):
        text = word_problem(rng)
        if i in chosen:
            words = rng.choice(asked).split()
            at = rng.randint(0, len(words) - 20)
            text = f"{text} {' '.join(words[at : at + rng.randint(18, 30)])}"
        yield {"id": f"train/{i}", "split": "train", "text": text}


# --- traces -----------------------------------------------------------------------------------------------------------

STEPS = {
    "+": (
        "{name} gets {k} more {thing} at the {place}, so now there are {a} + {k} = {b} {thing}.",
        "Then {k} {thing} come from the {place}. Adding them gives {a} + {k} = {b} in all.",
        "Next we add the {k} {thing} of the {place}: {a} + {k} = {b}, which is more than before.",
        "With the {k} {thing} that {name} finds at the {place} the sum is {a} + {k} = {b}.",
    ),
    "-": (
        "{name} gives away {k} {thing} at the {place}, which leaves {a} - {k} = {b} {thing}.",
        "Then {k} {thing} are lost near the {place}. Taking them away gives {a} - {k} = {b} left.",
        "Next we subtract the {k} {thing} sold at the {place}: {a} - {k} = {b}, fewer than before.",
        "Without the {k} {thing} that stay at the {place} there are only {a} - {k} = {b} of them.",
    ),
}
ASKED = {"+": "{name} gets {k} more at the {place}.", "-": "{name} loses {k} at the {place}."}
OPENINGS = (
    "Let us look at what {name} has in the beginning: that is {a} {thing}.",
    "We want to know how many {thing} {name} has in the end, and the start is {a}.",
    "At first {name} owns {a} {thing}, and every change is worked out in turn.",
)
CLOSINGS = (
    "So {name} has {a} {thing} in the end.",
    "That leaves {name} with {a} {thing}.",
    "The result is {a} {thing}.",
)


class Planted(NamedTuple):
    """A trace, and what is wrong with it."""

    trace: Trace
    fault: str | None
    """wrong, slip, cut_off, copy or None"""


FAULTS = (("wrong", 0.06), ("slip", 0.04), ("cut_off", 0.04), ("copy", 0.06))


def made(problems: int, per_problem: int, seed: int) -> Iterator[tuple[Problem, list[Planted]]]:
    """Problems with their traces of about a kilobyte, a fifth of them faulty."""
    for number in range(problems):
        rng = random.Random(f"traces/{seed}/{number}")
        problem, plan = _problem(rng, number)
        texts: list[str] = []
        traces: list[Planted] = []
        for i in range(per_problem):
            text, fault = _trace(rng, plan, texts)
            texts.append(text)
            sample = Sample(text=text, stop=Stop.LENGTH if fault == "cut_off" else Stop.END, tokens_out=len(text) // 4)
            trace = Trace(
                id=f"{problem.id}#{i}",
                problem=problem.id,
                teacher=f"made, {fault or 'clean'}",
                prompt_hash="made",
                sampling_hash="made",
                sample=sample,
            )
            traces.append(Planted(trace, fault))
        yield problem, traces


class Plan(NamedTuple):
    """What happens in a problem."""

    name: str
    thing: str
    start: int
    steps: tuple[tuple[str, int, str], ...]
    """Sign, number, place."""


def _problem(rng: random.Random, number: int) -> tuple[Problem, Plan]:
    plan = Plan(rng.choice(NAMES), rng.choice(THINGS), rng.randint(50, 999), ())
    value, steps = plan.start, []
    for _ in range(rng.randint(7, 9)):
        k = rng.randint(2, 99)
        sign = "-" if value > k + 10 and rng.random() < 0.5 else "+"
        value += k if sign == "+" else -k
        steps.append((sign, k, rng.choice(PLACES)))
    told = [ASKED[sign].format(name=plan.name, k=k, place=place) for sign, k, place in steps]
    question = (
        f"{plan.name} has {plan.start} {plan.thing}. {' '.join(told)} How many {plan.thing} does {plan.name} have?"
    )
    problem = Problem(id=f"made/train/{number}", question=question, answer=str(value), source="made", split=Split.TRAIN)
    return problem, plan._replace(steps=tuple(steps))


def _trace(rng: random.Random, plan: Plan, earlier: list[str]) -> tuple[str, str | None]:
    fault = rng.choices([name for name, _ in FAULTS] + [None], [share for _, share in FAULTS] + [0.8])[0]
    if fault == "copy" and earlier:
        return earlier[0].replace("\n", " \n", 1).replace("So ", "Thus "), fault
    value, about = plan.start, {"name": plan.name, "thing": plan.thing}
    lines = [rng.choice(OPENINGS).format(a=value, **about)]
    false_at = rng.randrange(len(plan.steps)) if fault == "slip" else -1
    for i, (sign, k, place) in enumerate(plan.steps):
        after = value + k if sign == "+" else value - k
        told = after + 3 if i == false_at else after
        lines.append(rng.choice(STEPS[sign]).format(a=value, b=told, k=k, place=place, **about))
        value = after
    answer = value + 7 if fault == "wrong" else value
    lines.append(rng.choice(CLOSINGS).format(a=answer, **about))
    thought = "\n".join(lines)
    if fault == "cut_off":
        return f"<think>{thought[: len(thought) * 2 // 3]}", fault
    return f"<think>{thought}</think>\nThe answer is \\boxed{{{answer}}}.", None if fault == "copy" else fault
