"""Why a run cannot go on, in words that say what to do next."""

from collections.abc import Sequence

from understudy.engines.http.asking import Address
from understudy.engines.http.fates import Failure
from understudy.engines.http.servers import Server
from understudy.errors import EngineError

SHOWN = 10
"""Names of models."""


def nobody(servers: Sequence[Server], failure: Failure, model: str | None) -> EngineError:
    """No server was ever there."""
    where = " or ".join(server.url for server in servers)
    return EngineError(f"No server answers at {where} ({failure.told}). Start one, for example: vllm serve {model}")


def asked_to_wait(server: Server, failure: Failure, seconds: float) -> EngineError:
    """A server wants to be left alone for longer than there is patience."""
    return EngineError(
        f"The server at {server.url} asks to wait {seconds:,.0f} seconds ({failure.told}). "
        "What was collected is kept: run the same command then."
    )


def silent(server: Server, failure: Failure, seconds: float) -> EngineError:
    """No server has answered for longer than there is patience."""
    return EngineError(
        f"The server at {server.url} has not answered for {seconds:,.0f} seconds ({failure.told}). "
        "What was collected is kept: run the same command when it does."
    )


def refuses_all(server: Server, failure: Failure) -> EngineError:
    """Every prompt is refused: it is not the prompts."""
    return EngineError(
        f"The server at {server.url} refuses every prompt ({failure.told}). "
        "Change what is sent: generate.max_tokens, or model, extra and max_tokens_field of generate.teacher"
    )


def stopped(address: Address, failure: Failure) -> EngineError:
    """A server says that it will answer no prompt."""
    url = address.url
    if failure.status == 401 and address.key:
        return EngineError(f"The server at {url} refuses the key in {address.key_env} (401). Set it to one it knows.")
    if failure.status == 401:
        name = address.key_env or "a variable of the environment, named in generate.teacher.key_env"
        return EngineError(f"The server at {url} wants a key (401). Put it into {name}.")
    if failure.status in (402, 429):
        return EngineError(
            f"Nothing is left to spend at {url} ({failure.told}). "
            "What was collected is kept: top it up and run the same command again."
        )
    return EngineError(f"The server at {url} cannot be asked ({failure.told}). Is generate.teacher.url right?")


def no_model(url: str, failure: Failure, model: str | None, models: Sequence[str] | None) -> EngineError:
    """Neither model nor chat was found; `models`: those that the server has, None = it does not say."""
    if models is None:
        return EngineError(
            f"There is no chat at {url} ({failure.told}). Is generate.teacher.url right? It mostly ends in /v1."
        )
    if model in models:
        return EngineError(f"The server at {url} has {model}, and no chat ({failure.told}).")
    more = f" and {len(models) - SHOWN} more" if len(models) > SHOWN else ""
    return EngineError(
        f"The server at {url} has no model '{model}'; it has: {', '.join(models[:SHOWN]) or 'none'}{more}. "
        "Set generate.teacher.model."
    )
