"""Whoever turns prompts into samples: teachers and students, behind one seam (`base`)."""

import difflib
from collections.abc import Callable, Mapping

import msgspec

from understudy.engines.base import Engine
from understudy.errors import RecipeError
from understudy.recipe import Teacher, digest
from understudy.records import Problem


def teacher(settings: Teacher, problems: Mapping[str, Problem]) -> Engine:
    """The engine that a recipe names as its teacher.

    Raises:
        RecipeError: there is no engine of that name, or a setting it needs is missing.
        EngineError: it cannot serve.
    """
    if settings.engine not in TEACHERS:
        near = difflib.get_close_matches(settings.engine, TEACHERS, 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(TEACHERS)}."
        raise RecipeError(f"generate: teacher: there is no engine '{settings.engine}'. {hint}")
    return TEACHERS[settings.engine](settings, problems)


FREE = ("oracle", "replay")
"""Teachers that cost nothing to ask again: nobody keeps their samples apart from the traces."""


def identity(settings: Teacher) -> str:
    """Who answers, wherever: samples of one identity are the same teacher's, whatever the address or the key.

    >>> identity(Teacher(engine="http", model="m", url="http://a")) == identity(Teacher(engine="http", model="m"))
    True
    """
    plain = msgspec.to_builtins(settings)
    return digest([plain.get(name) for name in SAID_BY])


SAID_BY = ("engine", "model", "extra", "prefill", "arguments")
"""The settings of a teacher that decide what it says."""


def _oracle(settings: Teacher, problems: Mapping[str, Problem]) -> Engine:
    from understudy.engines.oracle import Oracle

    return Oracle(problems, settings.messy)


def _replay(settings: Teacher, problems: Mapping[str, Problem]) -> Engine:
    from understudy.engines.replay import Replay

    if settings.path is None:
        raise RecipeError("generate: teacher: replay needs the file of recorded traces. Set generate.teacher.path.")
    return Replay(settings.path, settings.question, settings.text, settings.answer, settings.model)


def _local(settings: Teacher, problems: Mapping[str, Problem]) -> Engine:
    # Imported here, so that everything but training and local sampling works without torch.
    from understudy.engines.local import Local
    from understudy.student import load

    if settings.model is None:
        raise RecipeError("generate: teacher: local needs a Hub id or folder. Set generate.teacher.model.")
    return Local(load(settings.model), settings.model)


def _http(settings: Teacher, problems: Mapping[str, Problem]) -> Engine:
    from understudy.engines.http import Http

    if not settings.url or not settings.model:
        raise RecipeError(
            "generate: teacher: http needs a server and the name of its model. "
            "Set generate.teacher.url, for example http://127.0.0.1:8000/v1, and generate.teacher.model."
        )
    return Http(settings)


def _vllm(settings: Teacher, problems: Mapping[str, Problem]) -> Engine:
    from understudy.engines.vllm import Vllm

    if settings.model is None:
        raise RecipeError("generate: teacher: vllm needs a Hub id or folder. Set generate.teacher.model.")
    return Vllm(settings)


TEACHERS: dict[str, Callable[[Teacher, Mapping[str, Problem]], Engine]] = {
    "oracle": _oracle,
    "replay": _replay,
    "local": _local,
    "vllm": _vllm,
    "http": _http,
}
"""The one place where teachers are named."""
