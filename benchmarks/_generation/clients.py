"""The clients that are compared: each a script, most of them in an environment of their own."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from _generation.processes import HERE, Failed
from _venvs import interpreter

OURS, BARE = "understudy", "aiohttp"


class Peer(NamedTuple):
    """Another client."""

    script: str
    """In peers/, without .py."""
    packages: tuple[str, ...] = ()
    """What its environment holds, the client first; () = it runs in our own."""


PEERS = {
    BARE: Peer("aiohttp_bare"),
    "curator": Peer("curator_block", ("bespokelabs-curator==0.1.31",)),
    "distilabel": Peer("distilabel_pipe", ("distilabel[openai]==1.5.3", "requests")),  # it forgets requests
    "openai": Peer("openai_async", ("openai==3.52.0",)),
    "httpx": Peer("httpx_bare", ("httpx==0.28.1",)),
    "litellm": Peer("litellm_async", ("litellm==1.106.2",)),
    "lm-eval": Peer("lmeval_chat", ("lm_eval[api]",)),
    "inspect-ai": Peer("inspect_task", ("inspect-ai==0.3.285", "openai==3.52.0")),
}


def program(name: str) -> list[Path]:
    """How a client is begun.

    Raises:
        Failed: it cannot be installed; says why.
    """
    if name == OURS:
        return [Path(sys.executable), HERE / "ours.py"]
    try:
        python = interpreter(name, PEERS[name].packages)
    except RuntimeError as error:
        raise Failed(str(error)) from None
    return [python, HERE / "peers" / f"{PEERS[name].script}.py"]


def version(name: str) -> str:
    """Of a client as it is installed."""
    package = name if name == OURS else (PEERS[name].packages or (name,))[0].split("=")[0].split("[")[0]
    line = f"from importlib.metadata import version; print(version('{package}'))"
    return subprocess.run([program(name)[0], "-c", line], capture_output=True, text=True).stdout.strip()
