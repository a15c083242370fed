"""What a teacher and a student are asked, and how a target is laid out. The reply format is stated here only."""

import re
from collections.abc import Sequence
from pathlib import Path

from understudy.answers import find, split
from understudy.errors import RecipeError
from understudy.recipe import Layout, Style
from understudy.records import Kind, Message, Problem, Prompt, Sample

REPLY = "Then reply in one short sentence that gives the final answer in \\boxed{}."
STYLES: dict[Style, str] = {
    Style.STEPS: "Think step by step between <think> and </think>.",
    Style.SHORT: (
        "Think between <think> and </think>, in as few words as the reasoning allows: "
        "one fact or one equation a line, nothing said twice."
    ),
    Style.PLAN: (
        "Between <think> and </think>, first say in one line what is asked and what is given, "
        "then take one step a line towards it."
    ),
    Style.TEACH: "Between <think> and </think>, reason as you would tell a pupil: each step with its reason.",
    Style.CHECK: "Think step by step between <think> and </think>, and check the result once before you end.",
}
"""What a teacher is told, by style; each ends in the reply that a student is to give."""
FORMAT = f"{STYLES[Style.STEPS]} {REPLY}"
NOTES = re.compile(r"<<[^<>]*>>")
"""Calculator notes of GSM8K, which a student must not learn to write."""
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def question(problem: Problem) -> tuple[Message, ...]:
    """The turns that end in the question, its options below it."""
    lines = [problem.question, *(f"({o.label}) {o.text}" for o in problem.choices)]
    before = problem.messages[:-1] if problem.messages else ()
    return (*before, Message(role="user", content="\n".join(lines)))


def ask(problem: Problem, told: str = FORMAT, examples: Sequence[Problem] = ()) -> Prompt:
    """What a teacher is asked: how to reply, worked examples as earlier turns, then the question."""
    shown = (turn for example in examples for turn in (*question(example), worked(example)))
    return Prompt(id=problem.id, messages=(Message(role="system", content=told), *shown, *question(problem)))


def told(style: Style, file: str | None) -> str:
    """What a teacher is told before the question: the words of a file of one's own, or those of a style.

    The reply format is added to a file that does not ask for a box.

    Raises:
        RecipeError: the file is not there, or says nothing.
    """
    if file is None:
        return f"{STYLES[style]} {REPLY}"
    try:
        own = Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"generate: ask: file: {file} cannot be read ({error}). Give a text file.") from None
    if not own:
        raise RecipeError(f"generate: ask: file: {file} is empty. Write into it what the teacher is to be told.")
    return own if "\\boxed" in own else f"{own}\n\n{FORMAT}"


def worked(example: Problem) -> Message:
    """A problem's own solution as the turn that a teacher is to imitate."""
    reply = target(rationale(example) or "", example.answer or "", Layout.THINK_FIRST)
    return Message(role="assistant", content=reply)


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
    thought, reply, *_ = split(sample.text, sample.thought)
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
