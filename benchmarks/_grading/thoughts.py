"""Real replies of many models, split into thought and reply; held against a count of their marks."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from _grading.place import Place, real
from _grading.table import Row, brief, missing, show

from understudy.answers import Damage, Reply, split

SET = "think_style_mixed/humor"
OPEN, SHUT = "<think>", "</think>"


def thoughts(place: Place) -> Iterator[Row]:
    """Every reply is split, or its damage has a name."""
    what, to_reach = f"thought splitting, {SET}", "all split, or the damage named"
    found = real(place, SET)
    if not found:
        yield missing(what, to_reach)
        return
    fates: defaultdict[str, Counter[str]] = defaultdict(Counter)
    amiss = []
    for number, row in enumerate(found, 1):
        text = row["messages"][-1]["content"]
        one = split(text)
        fates[row["meta"]["generator_model"]][
            one.damage or ("in order" if one.thought is not None else "no marks")
        ] += 1
        if (why := contradicts(text, one)) is not None:
            amiss.append(f"{SET}:{number}: {why}; it ends: {brief(text)}")
    names = ("in order", "no marks", *Damage)
    shown = [name for name in names if any(counts[name] for counts in fates.values())]
    show(
        f"Thought and reply, {len(found):,} replies",
        ("model", "replies", *shown),
        [(m, str(c.total()), *(str(c[name]) for name in shown)) for m, c in sorted(fates.items())],
    )
    damaged = sum(counts[damage] for counts in fates.values() for damage in Damage)
    said = f"{len(found) - len(amiss):,} ({damaged} with a named damage)"
    yield Row(what, len(found), to_reach, said, not amiss, tuple(amiss))


def contradicts(text: str, one: Reply) -> str | None:
    """What a plain count of the marks holds against a split; None = nothing."""
    opened, shut = text.rfind(OPEN), text.rfind(SHUT)
    if OPEN in one.reply or SHUT in one.reply:
        return "the reply holds a mark"
    if (one.thought is not None) != (max(opened, shut) >= 0):
        return "a thought where no mark is, or none where one is"
    if one.unfinished != (opened > shut) or one.unfinished != (one.damage is Damage.UNCLOSED):
        return f"unfinished: {one.unfinished}, damage: {one.damage}"
    plain = text.count(OPEN) == text.count(SHUT) <= 1 and text.count("<answer>") == text.count("</answer>") <= 1
    if plain and one.damage is not None:
        return f"marks in order, and called {one.damage}"
    if not plain and one.damage is None and text.count("<answer>") <= 1:
        return "marks out of order, and no damage named"
    words = sum(len(piece.split()) for piece in (one.thought or "", one.reply))
    lost = len(text.replace(OPEN, " ").replace(SHUT, " ").split()) - words
    return f"{lost} words are in neither" if lost > 0 else None
