"""An OpenAI-compatible server on loopback that does whatever a good one never does, decided by (prompt, attempt).

    with Server(fault=lambda prompt, attempt: "500" if attempt == 0 else None) as server: ...

Choice k of a request says the prompt and seed + k, so that a sample tells which prompt, number and seed it is of.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A request as it came."""

    prompt: str
    attempt: int
    """Of this prompt, from 0."""
    body: dict[str, Any]
    headers: dict[str, str]


class Sent(NamedTuple):
    """What goes back; None for `data` = nothing, ever."""

    data: bytes | None
    cut: bool = False
    """The connection is broken off after it."""


def http(status: int, body: bytes, kind: str = "application/json", length: int | None = None, **more: str) -> bytes:
    headers = {"Content-Type": kind, "Content-Length": str(len(body) if length is None else length)}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in (headers | more).items()]
    return "\r\n".join([f"HTTP/1.1 {status} Said", *lines, "", ""]).encode() + body


def error(status: int, message: str = "told so", code: str | None = None, **more: str) -> Sent:
    return Sent(http(status, json.dumps({"error": {"message": message, "code": code}}).encode(), **more))


def reply(asked: Asked, texts: list[str] | None = None, **change: Any) -> dict[str, Any]:
    """A good reply; fields of its message are changed by `message`, of its choices by `choice`."""
    count, seed = asked.body.get("n", 1), asked.body.get("seed", 0)
    texts = [f"{asked.prompt} says {seed + k}" for k in range(count)] if texts is None else texts
    choices = [
        {
            "index": k,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": text} | change.get("message", {}),
        }
        | change.get("choice", {})
        for k, text in enumerate(texts)
    ]
    tokens = sum(len(text.split()) for text in texts)
    return {"id": "1", "choices": choices, "usage": {"prompt_tokens": 7, "completion_tokens": tokens}}


def good(asked: Asked, **change: Any) -> Sent:
    return said(reply(asked, **change))


def said(value: object) -> Sent:
    return Sent(http(200, json.dumps(value).encode()))


def _cut(asked: Asked) -> Sent:
    whole = http(200, json.dumps(reply(asked)).encode())
    return Sent(whole[:-20], cut=True)


def _truncated(asked: Asked) -> Sent:
    return Sent(http(200, json.dumps(reply(asked)).encode()[:-20]))


def _few(asked: Asked) -> Sent:
    """One choice less than was asked for."""
    whole = reply(asked)
    return said(whole | {"choices": whole["choices"][:-1] or whole["choices"]})


def _many(asked: Asked) -> Sent:
    whole = reply(asked)
    return said(whole | {"choices": [*whole["choices"], whole["choices"][0] | {"index": 99}]})


PAGE = b"<html><head><style>b {}</style></head><body><h1>502 Bad Gateway</h1></body></html>"
FAULTS: dict[str, Callable[[Asked], Sent]] = {
    "429": lambda asked: error(429, Retry_After="0.05"),
    "429 bare": lambda asked: error(429),
    "429 date": lambda asked: error(429, Retry_After=formatdate(time.time(), usegmt=True)),
    "500": lambda asked: error(500),
    "502": lambda asked: Sent(http(502, PAGE, "text/html")),
    "503": lambda asked: error(503, Retry_After="0.05"),
    "504": lambda asked: Sent(http(504, b"")),
    "529": lambda asked: error(529),
    "drop": lambda asked: Sent(b"", cut=True),
    "cut": _cut,
    "truncated": _truncated,
    "page": lambda asked: Sent(http(200, PAGE, "text/html")),
    "nothing": lambda asked: Sent(http(200, b"")),
    "no choices": lambda asked: said({"choices": []}),
    "null choices": lambda asked: said({"choices": None, "usage": None}),
    "no message": lambda asked: said({"choices": [{"index": 0}]}),
    "empty": lambda asked: good(asked, message={"content": ""}),
    "null": lambda asked: good(asked, message={"content": None}),
    "error as success": lambda asked: said({"error": {"message": "busy", "code": 503}}),
    "broke off": lambda asked: good(asked, choice={"finish_reason": "abort"}),
    "no utf-8": lambda asked: Sent(http(200, json.dumps(reply(asked)).encode().replace(b"says", b"s\xff\xfes"))),
    "endless": lambda asked: Sent(http(200, b" " * (16 << 20))),
    "no http": lambda asked: Sent(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", cut=True),
    "hang": lambda asked: Sent(None),
    "fewer": _few,
    "more": _many,
}
"""What passes: a client that comes again gets what it asked for. The last two are good as far as they go."""
REFUSALS: dict[str, Callable[[Asked], Sent]] = {
    "400": lambda asked: error(400, "no such parameter"),
    "too long": lambda asked: error(400, "maximum context length is 8 tokens", "context_length_exceeded"),
    "401": lambda asked: error(401, f"Incorrect API key provided: {asked.headers.get('authorization', '')}"),
    "402": lambda asked: error(402, "Insufficient Balance"),
    "403": lambda asked: error(403, "no access"),
    "404": lambda asked: error(404, f"The model `{asked.body['model']}` does not exist."),
    "422": lambda asked: Sent(http(422, b'{"detail": [{"msg": "bad field"}]}')),
    "quota": lambda asked: error(429, "You exceeded your current quota", "insufficient_quota"),
    "moved": lambda asked: Sent(http(308, b"", Location="https://elsewhere.example/v1")),
    "filtered": lambda asked: good(asked, message={"content": ""}, choice={"finish_reason": "content_filter"}),
}
"""What does not pass."""


class Server:
    """Answers from a thread of its own, for as long as it is entered."""

    def __init__(
        self,
        fault: Callable[[str, int], str | None] = lambda prompt, attempt: None,
        answer: Callable[[Asked], Sent] = good,
        seconds: float = 0.0,
        models: tuple[str, ...] = ("tiny",),
        port: int = 0,
    ) -> None:
        self.fault, self.answer, self.seconds, self.models, self.port = fault, answer, seconds, models, port
        self.asked: list[Asked] = []
        self.in_flight = self.most_in_flight = 0
        self._attempts: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._listening: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "Server":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(5)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _open(self) -> None:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._listening is not None
        self._listening.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                sent = await self._sent(first.split()[1], headers, body)
                if sent.data is None:
                    await asyncio.sleep(3600)
                writer.write(sent.data or b"")
                await writer.drain()
                if sent.cut:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _sent(self, path: str, headers: dict[str, str], body: bytes) -> Sent:
        if path.endswith("/models"):
            return said({"data": [{"id": name} for name in self.models]})
        fields = json.loads(body)
        prompt = next(turn["content"] for turn in reversed(fields["messages"]) if turn["role"] == "user")
        asked = Asked(prompt, self._attempts[prompt], fields, headers)
        self._attempts[prompt] += 1
        self.asked.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.in_flight -= 1
        fault = self.fault(asked.prompt, asked.attempt)
        return (FAULTS | REFUSALS)[fault](asked) if fault else self.answer(asked)
