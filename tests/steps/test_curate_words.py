"""Many texts are looked at together, and nothing that a rule looks for is overlooked."""

import pytest

from understudy.steps.curate.wording import META
from understudy.steps.curate.words import Sought

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

SOUGHT = Sought(frozenset(["given", "hint", "explanation"]), frozenset(["los", "que"]))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", (False, False)),
        ("The answer is 5.", (False, False)),
        ("As Given, 5.", (True, False)),
        ("**hint**: que?", (True, True)),
        ("hints, forgiven, lost", (False, False)),
        ("an explanatory note", (True, False)),  # what begins with the same eight letters is looked at again
        ("5\u00a0eggs", (True, True)),  # so is what is not ASCII
        ("\x1dlos\x1d", (False, True)),
    ],
)
def test_a_text_may_hold_the_words_of_a_set(text, holds):
    found = SOUGHT.look(["given que", text, "neither"])
    assert tuple(marks[1] for marks in found.holds) == holds
    assert [tuple(marks[i] for marks in found.holds) for i in (0, 2)] == [(True, True), (False, False)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8") | st.sampled_from(" \n\t\x0b\x1f\x00\u2003"), max_size=40)))
def test_words_are_those_that_splitting_finds(texts):
    assert SOUGHT.look(texts).words == [len(text.split()) for text in texts]


@pytest.mark.parametrize(("cues", "phrase"), [(cues, phrase) for _, cues, phrase in META])
def test_every_phrase_about_the_task_has_one_of_its_cues(cues, phrase):
    sought = Sought(frozenset(cues.split()))

    @settings(max_examples=40, deadline=None)
    @given(st.from_regex(phrase, fullmatch=True, alphabet=st.characters(max_codepoint=126)))
    def holds(said):
        assert sought.look([f"So {said}."]).holds == [[True]]

    holds()
