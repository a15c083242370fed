"""Chat probes that training may be chosen by: like those of `probes`, which tests alone read, and none of them."""

from collections.abc import Iterator

from understudy.records import Kind, Problem, Split

ASKED: dict[str, tuple[str, ...]] = {
    "greeting": ("Hello again!", "Hi friend!", "Good day to you!", "Hey, I am Paul.", "Hello, nice day!"),
    "thanks": ("Thanks, very kind!", "Thank you for that!", "Okay, thank you!", "Thanks a million!"),
    "fact": ("Do tell me the capital of Italy.", "What is the capital city of Peru?", "Is Oslo a capital?"),
    "instruction": ("Write about the rain.", "Tell me a joke about bread.", "Say something about spring.",
                    "Describe a bird for me."),
    "talk": ("What do you do?", "I feel good today.", "Are you a person?", "Good night to you!", "I like the sea."),
    "looks_like_a_problem": ("How many people live in Spain?", "I have 4 birds.", "My friend is 11 years old.",
                             "Write a poem about 6 dogs.", "How many legs has a cat?", "I like 40 as a number."),
}  # fmt: skip


def dev_probes() -> Iterator[Problem]:
    """Conversation that needs no thought; by the names of `probes.PLAIN`."""
    for name, texts in ASKED.items():
        for i, text in enumerate(texts):
            yield Problem(
                id=f"dev_probes/{name}/{i}",
                question=text,
                kind=Kind.OPEN,
                source="dev_probes",
                split=Split.DEV,
                slices={"suite": "chat", "class": name, "think": "no"},
            )
