"""A price is the recipe's, the user's, or a list price that tells its age; else it is not known."""

import pytest

from understudy.engines import prices
from understudy.errors import RecipeError
from understudy.recipe import Generate, Price, Teacher


def known(engine="http", model="gpt-4o-mini", price=None):
    return prices.price(Generate(teacher=Teacher(engine=engine, model=model), price=price))


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(prices, "OWN", tmp_path / "prices.yaml")
    return tmp_path / "prices.yaml"


def test_the_recipe_wins_over_the_users_table_and_that_over_the_list(own):
    assert known().price == Price(input=0.15, output=0.6) and "list price of 2025-08" in known().told
    own.write_text("gpt-4o-mini: {input: 0.1, output: 0.3}\nmine: {input: 1, output: 2}\n")
    assert known().price == Price(input=0.1, output=0.3) and str(own) in known().told
    assert known(model="mine").price == Price(input=1, output=2)
    assert known(price=Price(input=9, output=9)) == (Price(input=9, output=9), "as the recipe says")


def test_what_nobody_knows_is_not_guessed():
    assert known(model="gpt-4o-mini-2") is None and known(model=None) is None


def test_a_model_on_this_machine_costs_no_money():
    assert known("local", "x").price == known("vllm", "x").price == Price(input=0, output=0)


def test_a_table_that_is_none_is_a_sentence(own):
    for text in ("- 1", "m: {input: a, output: 1}", "m: {in: 1}", "{"):
        own.write_text(text)
        with pytest.raises(RecipeError, match="not a table of prices"):
            known()
