"""What training is chosen by is neither tested with nor taught."""

from itertools import islice

from understudy.records import Kind, Split
from understudy.sources.chat import every_text, small_talk
from understudy.sources.dev_probes import dev_probes
from understudy.sources.probes import PLAIN, plain


def test_no_dev_probe_is_tested_with_or_taught():
    asked = [p.question for p in dev_probes()]
    assert len(set(asked)) == len(asked)
    assert not {*asked} & {p.question for p in plain()} and not {*asked} & {*every_text()}
    assert not {*asked} & {m.content for row in islice(small_talk(0), 20_000) for m in row}


def test_they_are_of_dev_and_open_and_of_the_classes_that_are_tested():
    found = list(dev_probes())
    assert {p.split for p in found} == {Split.DEV} and {p.kind for p in found} == {Kind.OPEN}
    assert {p.slices["class"] for p in found} == {*PLAIN} and {p.slices["think"] for p in found} == {"no"}
