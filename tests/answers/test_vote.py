"""The vote over the answers of several samples."""

from understudy.answers import vote
from understudy.records import Kind


def test_spellings_of_one_value_vote_together():
    assert vote(["41", "1/2", "0.50", "50%"]) == ("1/2", 0.75, 1)


def test_none_never_wins_but_counts():
    assert vote([None, None, "8"]) == ("8", 1 / 3, 2)
    assert vote([None, None]) == (None, 0.0, None)
    assert vote([]) == (None, 0.0, None)


def test_of_equals_the_first_seen_wins():
    assert vote(["5", "6", "6", "5"]) == ("5", 0.5, 0)


def test_what_has_no_value_votes_by_its_words():
    assert vote(["blue", "blue", "3"]).answer == "blue"


def test_choices_and_texts_vote_by_their_kind():
    assert vote(["(b)", "B", "A"], Kind.CHOICE) == ("(b)", 2 / 3, 0)
    assert vote(["Rome", "rome", "Oslo"], Kind.TEXT).agreement == 2 / 3
