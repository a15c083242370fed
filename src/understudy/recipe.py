"""Everything that can be turned, with unit and default; and how a recipe file becomes it.

A recipe holds only what differs from these defaults. Unknown keys are refused, with the nearest name.
"""

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml

from understudy.errors import RecipeError
from understudy.records import Kind

Count = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a recipe."""


class Counts(Part, frozen=True, kw_only=True):
    """How many problems of each split a procedural source makes."""

    train: int = 0
    dev: int = 0
    calibration: int = 0
    test: int = 0


class Source(Part, frozen=True, kw_only=True):
    """Where problems come from: a named set, an own file, or problems made on the spot."""

    name: str | None = None
    """A named set (gsm8k, svamp, commonsenseqa, …), a Hub id, or word_problems / probes (made here)."""
    path: str | None = None
    """An own file (.csv, .jsonl, .json, .parquet), or a local copy of the named set. Relative to the recipe."""
    config: str | None = None
    """The Hub set's configuration."""
    split: str | None = None
    """The split that all rows belong to; None = the set's own, else by hash of the question."""
    question: str = "question"
    """Column; dots reach inside: "meta.text"."""
    answer: str | None = "answer"
    choices: str = "choices"
    rationale: str | None = "rationale"
    """Column; None = this source has none."""
    id: str = "id"
    kind: Kind | None = None
    """Sort of answer; None = the set's own, or guessed from the answers."""
    limit: Count | None = None
    """First so many rows of each split."""
    counts: Counts = Counts()
    """Problems to make (procedural sources)."""
    steps: tuple[int, ...] = (1, 2, 3, 4)
    """Numbers of reasoning steps to make problems of (procedural sources)."""


class Build(Part, frozen=True, kw_only=True):
    """The shape of a student made on the spot: Qwen3's architecture."""

    layers: Count = 4
    width: Count = 128
    heads: Count = 4
    kv_heads: Count = 4
    head_width: Count = 32
    ffn: Count = 384
    vocabulary: Count = 1000
    """Most tokens of the tokenizer that is trained for it."""
    context: Count = 512
    """Longest sequence, tokens."""


class StudentPart(Part, frozen=True, kw_only=True):
    """Which model is taught."""

    model: str | None = None
    """Hub id or local folder; None = built here by `build` and `pretrain`."""
    build: Build = Build()


class Adapter(StrEnum):
    """How a student is fine-tuned."""

    FULL = "full"
    LORA = "lora"


class Optimizer(StrEnum):
    """Who takes the steps."""

    ADAMW = "adamw"
    MUON = "muon"
    """torch.optim.Muon on matrices, AdamW on the rest."""


class Train(Part, frozen=True, kw_only=True):
    """How a training step runs."""

    steps: Count | None = None
    """Optimizer steps; None = `epochs`."""
    epochs: Amount = 3.0
    learned_tokens_of: str | None = None
    """Name of an arm: train until as many tokens are learned as there (instead of `steps`)."""
    batch: Count = 16
    """Conversations per optimizer step."""
    accumulate: Count = 1
    """Forward passes that one optimizer step is spread over."""
    lr: float | tuple[float, ...] = 1e-3
    """Peak learning rate of AdamW (Muon's is `muon_lr_ratio` times it); of several, the one best on dev is kept."""
    muon_lr_ratio: Amount = 10.0
    optimizer: Optimizer = Optimizer.ADAMW
    warmup: Share = 0.05
    """Share of the steps in which the learning rate rises."""
    decay: Share = 0.4
    """Share of the steps, at the end, in which it falls to zero (warm-up, stable, decay)."""
    weight_decay: Amount = 0.01
    max_length: Count = 512
    """Tokens; longer conversations are counted and left out, never cut."""
    activation_checkpointing: bool = False
    """Reckon the activations anew in the backward pass: less memory, a third more time."""
    save_every: Count = 100
    """Steps between checkpoints; after a crash at most so many are done again."""
    log_every: Count = 20


class MixSource(Part, frozen=True, kw_only=True):
    """Another source of conversations beside the teacher's traces."""

    name: str
    """small_talk or sums (made here), rationale (the problems' own solutions), or a name for the file at `path`."""
    path: str | None = None
    """File of conversations, or Hub id. Relative to the recipe."""
    share: Share
    """Share of the rows, 0 to 1."""
    limit: Count | None = None
    """First so many rows are read."""
    of: tuple[str, ...] = ()
    """rationale: only the solutions of these sources; () = all."""


class Pretrain(Train, frozen=True, kw_only=True):
    """Base training of a student built here: questions with bare answers, and conversation."""

    sources: tuple[MixSource, ...] = ()
    """Conversations beside the bare answers, each with its share of the rows."""
    rows: Count | None = None
    """Conversations in all; None = as many as use every train problem once."""


class Sft(Train, frozen=True, kw_only=True):
    """Fine-tuning on the mix."""

    skip: bool = False
    """True = the arm is the base itself."""
    adapter: Adapter = Adapter.FULL
    rank: Count = 32
    """LoRA rank."""
    alpha: Count = 32
    dropout: Share = 0.0
    search_share: Share = 1.0
    """Share of the steps that each learning rate of several gets before the best goes all the way; 1 = all of them."""


class Teacher(Part, frozen=True, kw_only=True):
    """Who writes the traces."""

    engine: str = "oracle"
    """oracle, replay, local, http"""
    model: str | None = None
    """local: Hub id or folder. http: the model's name at the server."""
    url: str | None = None
    """http: the server's base URL."""
    key_env: str = "OPENAI_API_KEY"
    """http: the environment variable that holds the key."""
    licence: str | None = None
    """Whose terms cover the teacher's outputs."""
    path: str | None = None
    """replay: file, folder or Hub id of recorded traces. Relative to the recipe."""
    question: str | None = None
    """replay: column of the question; None = found by its usual names."""
    text: str | None = None
    """replay: column of the trace."""
    answer: str | None = None
    """replay: column of the teacher's own answer, added where the trace does not say it."""
    messy: Share = 0.37
    """oracle: share of traces with a planted fault."""


class Generate(Part, frozen=True, kw_only=True):
    """Collecting traces."""

    teacher: Teacher = Teacher()
    n: Count = 4
    """Traces per problem."""
    temperature: Amount = 1.0
    top_p: Share = 1.0
    max_tokens: Count = 1024
    limit: Count | None = None
    """First so many train problems; None = all."""
    sources: tuple[str, ...] = ()
    """Names of the sources whose train problems the teacher is asked; () = all."""


class Curate(Part, frozen=True, kw_only=True):
    """Which traces are dropped. Every rule is a row of `curate.RULES`; `without` names those not used."""

    without: tuple[str, ...] = ()
    max_tokens: Count | None = None
    """Longest kept reply, tokens as the teacher counts them."""
    long_ratio: float | None = 4.0
    """Longest kept trace, as a multiple of the median length in words of its source's right ones; None = any."""
    keep_per_problem: Count | None = None
    """Most traces kept of one problem; None = all that are distinct."""


class Layout(StrEnum):
    """How a target is laid out."""

    THINK_FIRST = "think_first"
    ANSWER_FIRST = "answer_first"
    NONE = "none"
    """The answer alone."""
    GLUED = "glued"
    """The teacher's thought, then the problem's own solution: two hands in one target, for studies of that fault."""


class Mix(Part, frozen=True, kw_only=True):
    """What the student learns from."""

    layout: Layout = Layout.THINK_FIRST
    sources: tuple[MixSource, ...] = ()
    rows: Count | None = None
    """Conversations in the mix; None = as many as use every kept trace once."""


class Strategy(StrEnum):
    """How rollouts become an answer."""

    GREEDY = "greedy"
    SAMPLE = "sample"
    """Each sample on its own."""
    VOTE = "vote"


class Solve(Part, frozen=True, kw_only=True):
    """Letting the student answer the test problems."""

    greedy: bool = True
    samples: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Samples per problem, drawn once, for `sample` and `vote`; 0 = none."""
    sample_limit: Count | None = None
    """Test problems of each slice that samples are drawn for; None = all."""
    temperature: Amount = 1.0
    top_p: Share = 1.0
    max_tokens: Count = 512
    batch: Count = 64
    """Prompts per batch; part of what makes a run the same bytes again."""
    limit: Count | None = None
    """First so many test problems of each suite; None = all."""


class Evaluate(Part, frozen=True, kw_only=True):
    """Judging and summing up."""

    compare: tuple[tuple[str, str], ...] = ()
    """Pairs of arms whose difference is reported, first minus second."""
    by: tuple[str, ...] = ()
    """Slices that get a row of their own."""


class Report(Part, frozen=True, kw_only=True):
    """The page."""

    title: str | None = None
    examples: int = 3
    """Examples of each drop reason."""


class Recipe(Part, frozen=True, kw_only=True):
    """A whole run."""

    name: str = "run"
    data: str | None = None
    """Folder that paths of the form {data}/… start from."""
    seed: int = 0
    seeds: tuple[int, ...] = ()
    """Train every arm once with each; () = with `seed` alone."""
    workers: Count = 1
    """Arms trained side by side, each on its share of the cores: pays for students so small that cores wait."""
    budget_minutes: float | None = None
    """What the run should take, shown beside what it took."""
    minutes: dict[str, float] = {}
    """Expected minutes of each step, shown before it."""
    sources: tuple[Source, ...] = ()
    overlap_words: int | None = 13
    """A problem whose question shares so many consecutive words with a test question is never learned from.

    A shorter question must be equal as a whole. None = no decontamination.
    """
    student: StudentPart = StudentPart()
    pretrain: Pretrain = Pretrain()
    generate: Generate = Generate()
    curate: Curate = Curate()
    mix: Mix = Mix()
    sft: Sft = Sft()
    solve: Solve = Solve()
    evaluate: Evaluate = Evaluate()
    report: Report = Report()
    arms: dict[str, dict[str, Any] | None] = {}
    """Name to what differs from the recipe above, from `mix` on."""


ARM_PARTS = ("seed", "mix", "sft", "solve")
"""What an arm may change."""


# --- from a file to a Recipe ------------------------------------------------------------------------------------------

REQUIRED = "???"
"""A value that a recipe leaves to its user."""


class _Yaml(yaml.SafeLoader):
    """YAML as people mean it: 3e-3 is a number; on, off, yes and no are words."""

    yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in found if not tag.endswith((":bool", ":float"))]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?$"),
    list("-+0123456789."),
)


def find(name: str) -> Path:
    """The recipe file of that path, or of that name in the package.

    Raises:
        RecipeError: there is none; names those there are.
    """
    here = Path(name)
    if here.is_file():
        return here
    shipped = {p.stem: p for p in sorted(package_recipes())}
    stem = name.removesuffix(".yaml")
    if stem in shipped:
        return shipped[stem]
    near = difflib.get_close_matches(stem, shipped, 1)
    hint = f"Did you mean {near[0]}?" if near else f"Recipes in the package: {', '.join(shipped)}."
    raise RecipeError(f"There is no recipe {name}. {hint}")


def package_recipes() -> list[Path]:
    """Every recipe that comes with the package."""
    return list(Path(str(files("understudy"))).joinpath("recipes").rglob("*.yaml"))


def load(name: str, sets: Sequence[str] = ()) -> Recipe:
    """The recipe of that name or path, with `sets` ("sft.steps=100") on top.

    Raises:
        RecipeError: a key is unknown, a value ill-typed, or a required one not given.
    """
    path = find(name)
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Yaml) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path.name}: not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise RecipeError(f"{path.name}: a recipe is a mapping of parts. See: understudy schema")
    for text in sets:
        _set(data, text)
    return build(data, path.name)


def build(data: dict[str, Any], where: str = "recipe") -> Recipe:
    """A plain mapping as a checked recipe, every arm included.

    Raises:
        RecipeError: says where, what, and the nearest name.
    """
    data = _filled(dict(data), where)
    if isinstance(data.get("sources"), Mapping):
        data["sources"] = [data["sources"]]
    recipe = _convert(data, where)
    _check(recipe, arms(recipe, where), where)
    return recipe


def _check(recipe: Recipe, named: Mapping[str, Recipe], where: str) -> None:
    """Refuses what types cannot: settings that do not go together."""
    for pair in recipe.evaluate.compare:
        for name in pair:
            if name not in named:
                raise RecipeError(
                    f"{where}: evaluate: compare: there is no arm '{name}'. There are: {', '.join(named)}."
                )
    for name, arm in named.items():
        for part, train in (("pretrain", arm.pretrain), ("sft", arm.sft)):
            if train.batch % train.accumulate:
                raise RecipeError(
                    f"{where}: {part}: accumulate: {train.accumulate} does not divide batch, {train.batch}."
                )
        for part, mixed in (("pretrain", arm.pretrain.sources), ("mix", arm.mix.sources)):
            if sum(s.share for s in mixed) >= 1:
                raise RecipeError(
                    f"{where}: {part}: the shares of sources leave nothing for the rest. Sum to less than 1."
                )
        if not arm.solve.greedy and not arm.solve.samples:
            raise RecipeError(f"{where}: arms: {name}: solve: neither greedy nor samples: nothing would be answered.")


def arms(recipe: Recipe, where: str = "recipe") -> dict[str, Recipe]:
    """Each arm's own recipe, one per seed where there are several ("student", "student@1", …).

    Raises:
        RecipeError: an arm changes what all arms share.
    """
    plain = msgspec.to_builtins(msgspec.structs.replace(recipe, arms={}, seeds=()))
    found: dict[str, Recipe] = {}
    for name, change in (recipe.arms or {"student": {}}).items():
        change = change or {}  # "student:" with nothing after it
        for part in change:
            if part not in ARM_PARTS:
                raise RecipeError(f"{where}: arms: {name}: an arm cannot change '{part}', only {', '.join(ARM_PARTS)}.")
        if not name.replace("_", "").replace("-", "").isalnum():
            raise RecipeError(f"{where}: arms: '{name}' cannot be a folder's name. Use letters, digits, - and _.")
        for seed in recipe.seeds or (recipe.seed,):
            label = name if seed == (recipe.seeds or (recipe.seed,))[0] else f"{name}@{seed}"
            merged = _merged(plain, change | {"seed": change.get("seed", seed)})
            found[label] = _convert(merged, f"{where}: arms: {name}")
    for label, arm in found.items():
        other = arm.sft.learned_tokens_of
        if other is not None and other not in found:
            raise RecipeError(f"{where}: arms: {label}: sft: learned_tokens_of: there is no arm '{other}'.")
    return found


def schema() -> dict[str, Any]:
    """The JSON schema of a recipe."""
    return msgspec.json.schema(Recipe)


def digest(value: object) -> str:
    """Sixteen hex digits that stand for a plain value, whatever the order of its keys.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:16]


def _set(data: dict[str, Any], text: str) -> None:
    name, sign, value = text.partition("=")
    if not sign:
        raise RecipeError(f"--set {text}: write it as part.setting=value, for example sft.steps=100.")
    *path, last = name.split(".")
    at: Any = data
    try:
        for key in path:
            at = at[int(key)] if isinstance(at, list) else at.setdefault(key, {})
        at[int(last) if isinstance(at, list) else last] = yaml.load(value, _Yaml)
    except (ValueError, IndexError, TypeError, AttributeError):
        raise RecipeError(f"--set {text}: the recipe has no place {name}.") from None
    except yaml.YAMLError:
        raise RecipeError(f"--set {text}: '{value}' is not readable as YAML.") from None


def _filled(data: dict[str, Any], where: str) -> dict[str, Any]:
    """`data` with "{data}" in its paths filled in, and nothing required left open."""
    root = data.pop("data", None)

    def fill(value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            return {k: fill(v, f"{path}.{k}" if path else str(k)) for k, v in value.items()}
        if isinstance(value, list):
            return [fill(v, f"{path}.{i}") for i, v in enumerate(value)]
        if value == REQUIRED:
            raise RecipeError(f"{where}: {path} is left to you. Give it: --set {path}=…")
        if isinstance(value, str) and value.startswith("{data}"):
            if root is None or root == REQUIRED:
                raise RecipeError(f"{where}: data is left to you: the folder that holds the files. --set data=FOLDER")
            return str(root) + value.removeprefix("{data}")
        return value

    filled: dict[str, Any] = fill(data, "")
    return filled


def _merged(base: Any, change: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return {k: _merged(base.get(k), change[k]) if k in change else base[k] for k in {**base, **change}}


def _convert(data: dict[str, Any], where: str) -> Recipe:
    _check_keys(Recipe, data, where)
    try:
        recipe = msgspec.convert(data, Recipe, strict=True)
    except msgspec.ValidationError as error:
        what, _, at = str(error).partition(" - at `$")
        # msgspec says "[...]" for whatever key of a mapping.
        place = at.strip("`.").replace("[...]", "").replace(".", ": ").replace("[", ": ").replace("]", "")
        raise RecipeError(f"{where}: {place + ': ' if place else ''}{what.replace('`', '')}.") from None
    _check_values(recipe, where)
    return recipe


def _check_values(recipe: Recipe, where: str) -> None:
    """Refuses what has the right type and no sense."""
    words = recipe.overlap_words
    if words is not None and words < 1:
        raise RecipeError(
            f"{where}: overlap_words: {words} is no number of words. Give 1 or more, or null for no decontamination."
        )
    there = [source.name or Path(source.path or "").stem for source in recipe.sources]
    asked = [("generate: sources", recipe.generate.sources)]
    for part, sources in (("pretrain", recipe.pretrain.sources), ("mix", recipe.mix.sources)):
        asked += [(f"{part}: sources: {source.name}: of", source.of) for source in sources]
    for place, names in asked:
        for name in names:
            if name not in there:
                raise RecipeError(f"{where}: {place}: there is no source '{name}'. There are: {', '.join(there)}.")


def _check_keys(part: type, data: object, where: str) -> None:
    """Refuses unknown keys, all the way down."""
    if not isinstance(data, Mapping):
        return
    fields = {f.name: f.type for f in msgspec.structs.fields(part)}
    for key, value in data.items():
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, 1, 0.5)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(fields)}."
            raise RecipeError(f"{where}: there is no '{key}'. {hint}")
        inner = _part_in(fields[key])
        if inner is not None:
            for i, one in enumerate(value) if isinstance(value, list) else [("", value)]:
                _check_keys(inner, one, f"{where}: {key}" + (f": {i}" if i != "" else ""))


def _part_in(kind: Any) -> type | None:
    """The part that a field holds, bare or in a tuple."""
    for candidate in (kind, *getattr(kind, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, Part):
            return candidate
    return None
