"""The rules that look at one trace: a table of them, and for each what it holds against a trace, in one line."""

from collections.abc import Callable

from understudy import answers
from understudy.recipe import KeepWrong
from understudy.records import Kind, Stop, Verdict
from understudy.steps.curate.case import Case, Known
from understudy.steps.curate.structure import unsaid
from understudy.steps.curate.wording import circles, meta, other_language, other_letters

Rule = Callable[[Case, Known], str | None]
"""The evidence against a trace in one line; None = nothing against it."""

MARKED = ("box", "hash", "tag", "phrase")
"""Rules of the grader by which an answer is marked as such."""
ORDERLY = ("unclosed", "unopened")
"""Damage of the thinking marks that is another rule's, or none: the template has opened the thought."""


def failed(case: Case, known: Known) -> str | None:
    if case.judgement.verdict is not Verdict.FAILED:
        return None
    return case.trace.sample.error or case.judgement.why


def contaminated(case: Case, known: Known) -> str | None:
    """The question is, or overlaps with, one of a test."""
    return case.problem.overlap


def cut_off(case: Case, known: Known) -> str | None:
    """Also after a complete answer: a target must end where it ends."""
    if case.judgement.verdict is Verdict.CUT_OFF:
        return case.judgement.why
    return "cut off after the answer" if case.trace.sample.stop is Stop.LENGTH else None


def no_answer(case: Case, known: Known) -> str | None:
    lacks = case.judgement.answer is None and case.problem.kind is not Kind.OPEN
    if case.judgement.verdict is Verdict.NO_ANSWER or case.judgement.verdict is Verdict.UNGRADED and lacks:
        return f"no answer found in the reply, which ends: ...{case.trace.sample.text.strip()[-60:]}"
    return None


def several_answers(case: Case, known: Known) -> str | None:
    """Two different ones are declared, or joined by "or"."""
    if "two_answers" not in case.flags:
        return None
    reply = answers.until_next_question(case.parts.reply)
    found = [f.text for f in answers.declared(reply, case.problem.kind)] or [case.judgement.answer or ""]
    given = dict.fromkeys(_short(text) for text in found)
    return "the reply gives " + " and ".join(f"'{text}'" for text in given)


def wrong(case: Case, known: Known) -> str | None:
    """The answer is wrong; or right, where only wrong ones are wanted."""
    verdict, keep = case.judgement.verdict, known.settings.keep_wrong
    if verdict is Verdict.WRONG and keep is KeepWrong.NO:
        return case.judgement.why
    if verdict is Verdict.RIGHT and keep is KeepWrong.ONLY:
        return f"{case.judgement.why}; only wrong ones are kept"
    return None


def consensus(case: Case, known: Known) -> str | None:
    """Without a gold answer: too few samples agree, or this one does not."""
    agreed, least, mine = case.asked.agreed, known.settings.consensus, case.judgement.answer
    if agreed is None or least is None or mine is None:
        return None
    if agreed.answer is None:
        return f"two answers are as common among its {agreed.of} samples, or there is none"
    if agreed.times < least * agreed.of:
        said = f"the commonest answer, '{_short(agreed.answer)}', is given by {agreed.times} of {agreed.of} samples"
        return f"{said}, at least {least:.0%} must agree"
    if agree(mine, agreed.answer, case.problem.kind):
        return None
    return f"{agreed.times} of {agreed.of} samples say '{_short(agreed.answer)}', this one '{_short(mine)}'"


def tags(case: Case, known: Known) -> str | None:
    """Thinking marks out of order, an answer that is not marked, or several boxes."""
    if case.trace.sample.stop is Stop.ERROR:
        return None
    if case.damage is not None and case.damage not in ORDERLY:
        return f"thinking marks: {case.damage.replace('_', ' ')}"
    if "several_boxes" in case.flags:
        return "the reply has several boxes"
    rule = case.judgement.rule
    if known.settings.declared and case.judgement.answer is not None and rule not in MARKED:
        return f"the answer is not marked, it is read by the rule '{rule}'"
    return None


def mismatch(case: Case, known: Known) -> str | None:
    """Thought and reply name different answers; or there is no thought, and a last line says what no step has."""
    judgement = case.judgement
    if judgement.consistent is False and case.problem.kind is not Kind.OPEN:
        return f"the thought says '{_short(judgement.thought_answer)}', the reply '{_short(judgement.answer)}'"
    if judgement.thought or case.structure is None or case.structure.arrives or not case.equations:
        return None
    line = unsaid(case.text, judgement.answer)
    return None if line is None else f"the last line is '{_short(line)}', a number that nothing before it says"


def slip(case: Case, known: Known) -> str | None:
    """Too many equations are false."""
    if "slip" not in case.flags:
        return None
    false = [e for e in case.equations if e.status == "slip"]
    checked = sum(e.status != "unchecked" for e in case.equations)
    if checked - len(false) >= known.settings.slip_share * checked:
        return None
    return f"false: {false[0].text}" + (f" and {len(false) - 1} more" if len(false) > 1 else "")


def repeats(case: Case, known: Known) -> str | None:
    """It runs in circles."""
    if known.flagged and "repeats" not in case.flags:
        return None
    return circles(case.text, case.parts, known.limits)


def other_script(case: Case, known: Known) -> str | None:
    """Letters of a script that the question does not use."""
    share, at = other_letters(case.text, case.asked.scripts)
    if share <= known.settings.script_share:
        return None
    return f"{answers.script(case.text[at]).lower()} letters: {_short(case.text[at:])}"


def other_tongue(case: Case, known: Known) -> str | None:
    """Words of a language that the question is not in."""
    native = case.asked.languages
    if not case.foreign and "english" in native:
        return None
    found = other_language(case.text.split(), native, known.settings.language_words)
    return None if found is None else f"{found[0]} words: {', '.join(found[1])}"


def talks_of_task(case: Case, known: Known) -> str | None:
    """It talks of itself, of a hint, or of an answer that it was shown."""
    found = meta(case.text, case.problem.question) if case.cued else None
    return None if found is None else f"it says '{found}'"


def too_short(case: Case, known: Known) -> str | None:
    usual, words = known.usual.get(case.problem.source), case.words
    if usual is None or words >= usual.low or case.trace.sample.stop is Stop.ERROR:
        return None
    return f"{words} words, right ones have {usual.low} and more"


def too_long(case: Case, known: Known) -> str | None:
    most, ratio = known.settings.max_tokens, known.settings.long_ratio
    if most is not None and case.trace.sample.tokens_out > most:
        return f"{case.trace.sample.tokens_out} tokens, at most {most} are kept"
    usual, words = known.usual.get(case.problem.source), case.words
    if usual is None:
        return None
    if ratio is not None and words > ratio * usual.median:
        return f"{words} words, {words / max(usual.median, 1):.1f} times the usual {usual.median}"
    return f"{words} words, right ones have {usual.high} and fewer" if words > usual.high else None


def structure(case: Case, known: Known) -> str | None:
    """Its steps do not hang together."""
    least, found = known.settings.min_structure, case.structure
    if least is None or found is None or found.score >= least:
        return None
    return f"structure {found.score:.2f}, at least {least:.2f}: {found.why}"


def agree(a: str, b: str, kind: Kind) -> bool:
    """Two answers are the same, whoever is taken for the gold one; what has no value is compared as text."""
    return a == b or answers.same(a, b, kind) or answers.same(b, a, kind)


def _short(text: str | None) -> str:
    return (text or "")[:60]


RULES: tuple[tuple[str, Rule], ...] = (
    ("failed", failed),
    ("contaminated", contaminated),
    ("cut_off", cut_off),
    ("no_answer", no_answer),
    ("several_answers", several_answers),
    ("wrong", wrong),
    ("consensus", consensus),
    ("tags", tags),
    ("mismatch", mismatch),
    ("slip", slip),
    ("repeats", repeats),
    ("other_script", other_script),
    ("other_language", other_tongue),
    ("meta", talks_of_task),
    ("too_short", too_short),
    ("too_long", too_long),
    ("structure", structure),
)
"""Every rule that looks at one trace, in order: the first that refuses names the drop, all that do are on record."""
