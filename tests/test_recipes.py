"""Every shipped recipe fits the code, and a wrong one is refused in a sentence that says where and what next."""

import json

import msgspec
import pytest
import yaml

from understudy import recipe as recipes
from understudy.errors import RecipeError
from understudy.recipe import REQUIRED, Recipe

SHIPPED = recipes.package_recipes()


def left_open(value, at=""):
    """The places of a recipe that its user must fill."""
    if isinstance(value, dict):
        return [place for k, v in value.items() for place in left_open(v, f"{at}.{k}".lstrip("."))]
    if isinstance(value, list):
        return [place for i, v in enumerate(value) for place in left_open(v, f"{at}.{i}")]
    return [at] if value == REQUIRED else ["data"] if isinstance(value, str) and value.startswith("{data}") else []


@pytest.mark.parametrize("path", SHIPPED, ids=[p.stem for p in SHIPPED])
def test_every_shipped_recipe_loads(path, tmp_path):
    filled = [f"{place}={tmp_path}" for place in dict.fromkeys(left_open(yaml.safe_load(path.read_text())))]
    assert recipes.load(path.stem, filled).name == path.stem


@pytest.mark.parametrize("path", SHIPPED, ids=[p.stem for p in SHIPPED])
def test_every_shipped_recipe_begins_with_how_to_run_it(path):
    opening = path.read_text().splitlines()[:2]
    assert opening[0].startswith("# ") and f"understudy {path.stem}" in " ".join(opening).replace("run ", "")


REFUSED = [  # what is wrong with a recipe, what the user reads
    ("mix: {zzz: 1}", "mix: there is no 'zzz'. There are: layout,"),
    ("curate: {max_token: 5}", "curate: there is no 'max_token'. Did you mean 'max_tokens'?"),
    ("sources: [{name: x, limits: 3}]", "sources: 0: there is no 'limits'. Did you mean 'limit'?"),
    ("sources: {nam: x}", "there is no 'nam'. Did you mean 'name'?"),
    ("seeed: 1", "there is no 'seeed'. Did you mean 'seed'?"),
    ("sft: {steps: many}", "sft: steps: Expected int | null, got str"),
    ("sft: {batch: 1.5}", "sft: batch: Expected"),
    ("mix: {layout: thinkfirst}", "mix: layout: Invalid enum value 'thinkfirst'"),
    ("mix: {sources: [{name: sums}]}", "mix: sources: 0: Object missing required field share"),
    ("arms: {a: {generate: {}}}", "arms: a: an arm cannot change 'generate'"),
    ("arms: {a: {sft: {stepz: 1}}}", "arms: a: sft: there is no 'stepz'. Did you mean 'steps'?"),
    ("arms: {a/b: {}}", "arms: 'a/b' cannot be a folder's name"),
    ("arms: {a: {sft: {learned_tokens_of: b}}}", "there is no arm 'b'"),
    ("arms: [a]", "arms: Expected"),
    ("arms: {a: {sft: {skip: true}}, b: {sft: {learned_tokens_of: a}}}", "'a' does not say itself how much it learns"),
    ("arms: {a: 3}", "Expected object | null, got int"),
    ("student:\n  model: ???", "student.model is left to you. Give it: --set student.model="),
    ("sources: [{path: '{data}/x.csv'}]", "data is left to you"),
    ("[1, 2]", "a recipe is a mapping of parts. See: understudy schema"),
    ("a: [", "not readable as YAML"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_wrong_recipe_is_refused(text, says, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError) as refused:
        recipes.load(str(path))
    assert says in str(refused.value).replace("`", "") and str(refused.value).startswith("bad.yaml: ")


SETS = [
    ("sft.steps", "write it as part.setting=value"),
    ("sft.stepz=1", "there is no 'stepz'. Did you mean 'steps'?"),
    ("seed.x=1", "seed: Expected"),
    ("arms.student.sft.x.y.0=1", "there is no 'x'"),
    ("name.x.y=1", "the recipe has no place name.x.y"),
    ("sources.9.name=x", "the recipe has no place sources.9.name"),
    ("sft.lr=[", "is not readable as YAML"),
]


@pytest.mark.parametrize(("text", "says"), SETS, ids=[text for text, _ in SETS])
def test_a_wrong_set_is_refused(text, says, tiny):
    with pytest.raises(RecipeError) as refused:
        recipes.load(str(tiny), [text])
    assert says in str(refused.value)


def test_set_reaches_every_depth(tiny):
    sets = ["sft.lr=[0.1, 0.2]", "sources.0.counts.test=7", "arms.student.sft.steps=3", "student.model=a/b"]
    recipe = recipes.load(str(tiny), sets)
    assert recipe.sft.lr == (0.1, 0.2) and recipe.sources[0].counts.test == 7 and recipe.student.model == "a/b"
    assert recipes.arms(recipe)["student"].sft.steps == 3 and recipes.arms(recipe)["base"].sft.steps is None


def test_a_name_that_is_almost_right_is_told():
    with pytest.raises(RecipeError, match="There is no recipe demmo. Did you mean demo?"):
        recipes.load("demmo")


def test_a_recipe_is_the_same_after_a_round_trip():
    recipe = recipes.load("demo")
    assert recipes.build(msgspec.to_builtins(recipe)) == recipe


def test_the_schema_names_every_part():
    assert set(recipes.schema()["$defs"]["Recipe"]["properties"]) == set(Recipe.__struct_fields__)


def test_a_seed_each_makes_an_arm_each():
    recipe = recipes.build({"arms": {"a": {}, "b": {}}, "seeds": [3, 4]})
    assert {name: arm.seed for name, arm in recipes.arms(recipe).items()} == {"a": 3, "a@4": 4, "b": 3, "b@4": 4}


API = """
import json, sys, understudy
cheap = not [m for m in sys.modules if m.startswith("understudy.") or m in ("torch", "numpy", "msgspec")]
there = all(callable(getattr(understudy, name)) for name in understudy.__all__)
print(json.dumps([understudy.__all__, cheap, there, "torch" in sys.modules]))
"""


def test_the_public_api_is_five_names_and_costs_nothing_to_import(python):
    shown = python("-c", API)
    assert json.loads(shown.stdout) == [["grade", "judge", "load", "run", "vote"], True, True, False]
