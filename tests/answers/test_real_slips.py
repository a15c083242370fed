"""Slips in real texts, as a person labelled them; the texts themselves are not part of the project."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from understudy.answers import algebra_slips, slips

LABELS = Path(__file__).parent / "real_slips.jsonl"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LABELLED = 3000
"""Characters of a text that were read for the labels."""
PRECISION, RECALL = 0.98, 0.90
UNIT_BEHIND = re.compile(r"(?<=[\d)])[A-Za-z/]+\Z")


def spelled(equation: str) -> str:
    """Without blanks, signs of money and the unit behind it."""
    return UNIT_BEHIND.sub("", re.sub(r"[\s$]|Rs\.", "", equation))


def labelled() -> list[tuple[dict, str]]:
    """Each label with its text."""
    if not DATA.exists():
        pytest.skip("shared/data is not beside this checkout")
    files: dict[str, list[str]] = {}
    out = []
    for line in LABELS.read_text().splitlines():
        label = json.loads(line)
        if label["set"] not in files:
            files[label["set"]] = (DATA / f"{label['set']}.jsonl").read_text().split("\n")
        out.append((label, json.loads(files[label["set"]][label["line"] - 1])[label["field"]][:LABELLED]))
    return out


def test_slips_in_real_texts_are_found_and_few_others():
    hits = extra = missed = 0
    for label, text in labelled():
        undecided = Counter(map(spelled, label.get("open", ())))
        told = Counter(spelled(s.equation) for s in slips(text)) - undecided
        wanted = Counter(map(spelled, label["slips"])) - undecided
        hits += (told & wanted).total()
        extra += (told - wanted).total()
        missed += (wanted - told).total()
    assert hits / (hits + extra) >= PRECISION and hits / (hits + missed) >= RECALL, (hits, extra, missed)


def test_steps_of_algebra_in_real_texts_are_found_and_no_others():
    for label, text in labelled():
        undecided = {spelled(step.split("->")[1]) for step in label.get("open", ()) if "->" in step}
        told = {spelled(s.equation.split("->")[1]) for s in algebra_slips(text)} - undecided
        assert told == {spelled(step.split("->")[1]) for step in label.get("algebra", ())}, label
