"""What a teacher and a student are asked, and how a target is laid out. The reply format is stated here only."""

import re

from understudy.answers import find, split
from understudy.recipe import Layout
from understudy.records import Kind, Message, Problem, Prompt, Sample

FORMAT = (
    "Think step by step between <think> and </think>. "
    "Then reply in one short sentence that gives the final answer in \\boxed{}."
)
NOTES = re.compile(r"<<[^<>]*>>")
"""Calculator notes of GSM8K, which a student must not learn to write."""
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def question(problem: Problem) -> tuple[Message, ...]:
    """The turns that end in the question, its options below it."""
    lines = [problem.question, *(f"({o.label}) {o.text}" for o in problem.choices)]
    before = problem.messages[:-1] if problem.messages else ()
    return (*before, Message(role="user", content="\n".join(lines)))


def ask(problem: Problem) -> Prompt:
    """What a teacher is asked: the reply format, then the question."""
    return Prompt(id=problem.id, messages=(Message(role="system", content=FORMAT), *question(problem)))


def solve(problem: Problem) -> Prompt:
    """What a student is asked: the question alone. How to reply is what it has learned."""
    return Prompt(id=problem.id, messages=question(problem))


def final(answer: str) -> str:
    """The sentence that every reply ends in.

    >>> final("72")
    'The answer is \\\\boxed{72}.'
    """
    return f"The answer is \\boxed{{{answer}}}."


def target(thought: str, answer: str, layout: Layout, solution: str | None = None) -> str:
    """The assistant's turn to learn: thought and answer from one and the same source.

    `solution` is another's: read by `Layout.GLUED` alone, which exists to show what it does.
    """
    if layout is Layout.THINK_FIRST:
        return f"<think>\n{thought}\n</think>\n\n{final(answer)}"
    if layout is Layout.ANSWER_FIRST:
        return f"{final(answer)}\n\n<why>\n{thought}\n</why>"
    if layout is Layout.GLUED and solution is not None:
        return f"<think>\n{thought}\n</think>\n\n{solution}"
    return final(answer)


def reasoning(sample: Sample, kind: Kind) -> str:
    """The reasoning in a teacher's reply: its thought, or else the reply without the sentence that gives the answer."""
    thought, reply, _ = split(sample.text, sample.thought)
    if thought:
        return thought.strip()
    found = find(reply, kind)
    if found is None or not found.declared:
        return reply.strip()
    cuts = [m.end() for m in SENTENCE.finditer(reply) if m.end() <= found.start]
    # "So the answer is (b)." goes; a reply that is this sentence alone has no reasoning.
    return reply[: cuts[-1] if cuts else 0].strip()


def rationale(problem: Problem) -> str | None:
    """A problem's own solution as a thought, without calculator notes; None where it has none."""
    return NOTES.sub("", problem.rationale).strip() if problem.rationale else None
