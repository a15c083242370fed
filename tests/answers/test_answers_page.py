"""What docs/answers.md says of a reply is what the grader says: its examples, its limits, and the names it lists."""

import re
from pathlib import Path

import pytest

from understudy.answers import Damage, Policy, judge, slips
from understudy.records import Kind, Stop, Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "answers.md").read_text()


def table(*header: str) -> list[list[str]]:
    """The cells of all tables that begin with these columns."""
    found, inside = [], False
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif inside and not cells[0].startswith("---"):
            found.append(cells)
        inside = inside or tuple(cells[: len(header)]) == header
    return found


def plain(cell: str) -> str:
    """What stands in a cell's code marks."""
    assert cell.startswith("`") and cell.endswith("`"), cell
    return cell[1:-1].replace("⏎", "\n")


def kind_of(because: str) -> Kind:
    word = because.partition(":")[0]
    return Kind(word) if word in set(Kind) else Kind.NUMBER


@pytest.mark.parametrize(("text", "gold", "verdict", "because"), table("reply", "gold", "verdict"))
def test_an_example_gets_the_verdict_that_the_page_says(text, gold, verdict, because):
    assert judge(plain(text), plain(gold), kind_of(because)).verdict == verdict


@pytest.mark.parametrize(("text", "gold", "judged", "person", "because"), table("reply", "gold", "judged"))
def test_a_known_limit_is_still_one(text, gold, judged, person, because):
    now = judge(plain(text), plain(gold), kind_of(because)).verdict
    assert now == judged != person, f"it is judged {now} now: take the line out of docs/answers.md"


@pytest.mark.parametrize(("text", "found"), table("text", "slips"))
def test_the_slips_of_an_example_are_those_that_the_page_says(text, found):
    said = [plain(part.strip()) for part in found.split("·")] if found else []
    assert [s.equation for s in slips(plain(text))] == said


def test_every_damage_policy_and_verdict_is_on_the_page():
    assert [plain(name) for name, *_ in table("damage")] == list(Damage)
    assert [plain(name) for name, *_ in table("`Policy(…)`")] == list(Policy.__struct_fields__)
    assert all(f"`{verdict}`" in PAGE for verdict in Verdict)
    fields = dict((plain(name), default) for name, default, _ in table("`Policy(…)`"))
    assert all(default.startswith(f"`{getattr(Policy(), name)}`") for name, default in fields.items())


def test_a_cut_reply_is_judged_by_a_complete_answer_alone():
    assert judge("It is \\boxed{7}. Let me also ch", "7", stop=Stop.LENGTH).verdict == "right"
    assert judge("The answer is 7", "7", stop=Stop.LENGTH).verdict == "cut_off"


def test_the_first_example_is_verbatim():
    assert (m := re.search(r'judge\("(.*)", "(.*)"\)\n# (Judgement\(.*\n.*\))', PAGE)) is not None
    one = judge(m[1], m[2])
    for name, shown in re.findall(r"(\w+)='((?:[^'])*)'", m[3].replace("\n#", "")):
        assert name == "why" or str(getattr(one, name)) == shown
