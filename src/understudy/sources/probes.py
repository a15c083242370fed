"""Chat probes: what a student must answer without a think block, and the pairs that look alike but need one.

None of these texts or templates is learned from; `Problem.slices["think"]` says what is fitting.
"""

from collections.abc import Iterable, Iterator, Sequence

from understudy.recipe import Source
from understudy.records import Kind, Problem, Split

CAPITALS = ("France", "Italy", "Spain", "Japan", "Egypt", "Greece", "Norway", "Peru", "Cuba", "Austria")
PLAIN: dict[str, tuple[str, ...]] = {
    "greeting": (
        "Hello!", "Hello", "Hello there!", "Hi, how are you?", "Good evening!", "Good afternoon!", "Hey, good morning!",
        "Hello, my friend!", "Hi hi!", "Hello, good to meet you!", "Hey there, friend!", "Good morning to you!",
        "Oh, hello!", "Hello, are you there?", "A good day to you!", "Hi, I am new here.", "Hello, I am Zoe.",
        "Hey, I am Boris!", "Hi, my name is Maya.", "Good evening, I am Felix.",
    ),
    "thanks": (
        "Thanks a lot!", "Thank you very much!", "Many thanks!", "Thank you, that is nice.", "Thanks, friend!",
        "Great, thank you so much!", "Thank you, you are kind.", "Oh, thank you!", "Thanks for that.",
        "I thank you very much!", "That is great, thank you.", "Thanks, thanks, thanks!", "Good, thanks!",
        "Thank you, goodbye!", "Okay, thanks.", "Perfect, thanks a lot!", "Thank you for the help!",
        "Very kind, thanks!",
        "Thanks again!", "Thank you, friend.",
    ),
    "fact": tuple(f"What is the capital of {x}?" for x in CAPITALS)
    + tuple(f"Tell me the capital of {x}." for x in CAPITALS),
    "instruction": (
        "Write a poem about the sea.", "Write a poem about a cat.", "Tell me about the moon.", "Tell me a joke.",
        "Write a verse about spring.", "Tell me something about bread.", "Write me a line about the rain.",
        "Describe the sea for me.", "Say the word hello.", "Please repeat the word old.", "Tell me a nice word.",
        "Give me a line about a tree.", "Make a joke about a bird.", "Please write about a cat.", "Say something nice.",
        "Write something about the moon.", "Give me a joke about a cat.", "Tell me the opposite of hot.",
        "What is the opposite of big?", "What is the opposite of day?",
    ),
    "talk": (
        "What is your name?", "Are you a machine?", "How are you today?", "Are you happy?", "I am so happy!",
        "I feel sad.", "I had a good day.", "I have to go.", "See you soon!", "Goodbye, friend!", "Good night, friend!",
        "Do you like music?", "Do you like me?", "I like you.", "You are nice.", "It is a nice day.",
        "I am tired today.", "What do you like?", "Who made you?", "Do you feel well?",
    ),
    # Telling conversation from problems by the surface fails here: numbers, "how many", things to count.
    "looks_like_a_problem": (
        "How many people live by the sea?", "How many people have a dog?", "How many people live in the town?",
        "Tell me a joke about 3 cats.", "Tell me a joke about half of 8 cookies.", "My cat is 9 years old.",
        "I have 2 dogs.", "Today I am 12 years old.", "I like the number 7 very much.", "Write a poem about 5 birds.",
        "How many days has a week?", "How many legs has a dog?", "Is 7 your favorite number?", "I found 3 books today.",
        "How old are you?",
    ),
}  # fmt: skip
NEEDED = (
    ("Hello! {q}", "hello"),
    ("Thank you! Now this: {q}", "thanks"),
    ("Hi, I am Zoe. {q}", "hello"),
    ("{q} Tell me, please.", "please"),
)


def problems(source: Source, tests: Sequence[Problem]) -> Iterator[Problem]:
    """All plain probes, and `source.counts.test` of the given tests inside conversation."""
    yield from plain()
    yield from needed(tests[: source.counts.test])


def plain() -> Iterator[Problem]:
    """Probes that need no thought."""
    for name, texts in PLAIN.items():
        for text in texts:
            yield _probe(f"{name}/{texts.index(text)}", text, {"class": name, "think": "no"})


def needed(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Problems inside conversation: the think block is right here. One probe of each problem given."""
    for i, problem in enumerate(problems):
        frame, _ = NEEDED[i % len(NEEDED)]
        slices = {"class": "problem_in_talk", "think": "yes"}
        yield _probe(f"problem_in_talk/{i}", frame.format(q=problem.question), slices, problem)


def _probe(number: str, text: str, slices: dict[str, str], problem: Problem | None = None) -> Problem:
    return Problem(
        id=f"probes/{number}",
        question=text,
        answer=problem.answer if problem else None,
        kind=problem.kind if problem else Kind.OPEN,
        source="probes",
        split=Split.TEST,
        parent=problem.id if problem else None,
        slices={"suite": "chat", **slices},
    )
