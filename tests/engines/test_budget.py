"""A budget stops asking, finishes what is in flight, and goes on counting where it stopped."""

import pytest

from understudy.engines.base import Sampled
from understudy.engines.budget import Budget, dollars
from understudy.errors import BudgetError
from understudy.recipe import Price, Spending
from understudy.records import Prompt, Sample, Sampling, Stop

ASKED = [Prompt(id=str(i), messages=()) for i in range(50)]
CHEAP = Price(input=1.0, output=2.0)


class Window:
    """As a server with `wide` requests in flight: so many are asked before the first comes back."""

    name = "window"

    def __init__(self, wide: int = 4, fails: bool = False) -> None:
        self.wide, self.asked, self.fails = wide, 0, fails

    def sample(self, prompts, sampling, wanted):
        flying: list[Sampled] = []
        for i in range(len(prompts)):
            for n in range(sampling.n):
                if wanted(i, n):
                    self.asked += 1
                    error = "503" if self.fails else None
                    stop = Stop.ERROR if self.fails else Stop.END
                    flying.append(Sampled(i, n, Sample(text="x", stop=stop, error=error, tokens_in=100, tokens_out=50)))
                if len(flying) == self.wide:
                    yield flying.pop(0)
        yield from flying

    def close(self):
        pass


def draw(path, engine, price=CHEAP, n=1, **limits) -> list[Sampled]:
    budget = Budget(engine, Spending(**limits), price, path)
    found = []
    try:
        for one in budget.sample(ASKED, Sampling(n=n)):
            found.append(one)
    finally:
        budget.close()
        draw.found = found
    return found


LIMITS = [({"dollars": 0.0021}, 11), ({"tokens": 1500}, 10), ({"hours": 0.0}, 0)]


@pytest.mark.parametrize(("limits", "paid"), LIMITS, ids=["dollars", "tokens", "hours"])
@pytest.mark.parametrize("wide", [1, 4, 16])
def test_never_over_by_more_than_what_was_in_flight(tmp_path, limits, paid, wide):
    engine = Window(wide)
    with pytest.raises(BudgetError, match="The budget is spent"):
        draw(tmp_path / "spent", engine, **limits)
    assert paid <= engine.asked <= paid + (wide - 1 if paid else 0)
    assert len(draw.found) == engine.asked


def test_the_next_run_goes_on_counting(tmp_path):
    for _ in range(2):
        with pytest.raises(BudgetError):
            draw(tmp_path / "spent", engine := Window(1), tokens=1500)
    assert engine.asked == 0
    with pytest.raises(BudgetError):
        draw(tmp_path / "spent", engine, tokens=3000)
    assert engine.asked == 10


def test_enough_is_no_error(tmp_path):
    assert len(draw(tmp_path / "spent", Window(), tokens=150 * 50, dollars=1.0)) == 50


def test_nothing_wanted_costs_nothing_and_is_no_error(tmp_path):
    budget = Budget(Window(), Spending(tokens=1), CHEAP, tmp_path / "spent")
    assert list(budget.sample(ASKED, Sampling(), lambda i, n: False)) == []


def test_dollars_without_a_price_are_refused_and_not_guessed(tmp_path):
    engine = Window()
    with pytest.raises(BudgetError, match="price of window, which is not known"):
        draw(tmp_path / "spent", engine, price=None, dollars=1.0)
    assert engine.asked == 0
    budget = Budget(Window(), Spending(tokens=10**6), None, tmp_path / "other")
    list(budget.sample(ASKED, Sampling()))
    assert budget.told().startswith("unknown price, 7,500 tokens")


def test_failed_calls_count_for_what_they_took(tmp_path):
    with pytest.raises(BudgetError):
        draw(tmp_path / "spent", Window(1, fails=True), tokens=1500)


class Billed(Window):
    """As a server that bills a prompt once for all of its samples."""

    in_flight, notes = 3, ("The server ignores n.",)

    @property
    def billed(self):
        return -(-self.asked // 4) * 100, self.asked * 50


def test_a_server_that_counts_itself_is_believed(tmp_path):
    budget = Budget(Billed(1), Spending(), CHEAP, tmp_path / "spent")
    list(budget.sample(ASKED, Sampling(n=4)))
    assert (budget.spent.tokens_in, budget.spent.tokens_out) == (50 * 100, 200 * 50)
    assert budget.notes() == ("The server ignores n.",)
    assert budget.told().startswith("3 in flight, $0.0250, 15,000 tokens")


def test_what_tokens_cost():
    assert dollars(CHEAP, 2_000_000, 1_000_000) == 4.0 and dollars(None, 1, 1) is None
