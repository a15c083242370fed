"""A teacher that costs nothing: an OpenAI-compatible server on loopback with latency, faults and exact counts.

Every reply is a function of (question, seed) and ends in [KEY/SEED], KEY being the question's: whoever mixes replies up
is found out. Every fault is a function of (question, seed, attempt): all clients meet the same ones, in any order.
Standard library only, one process, a bare protocol: it must not be what is measured.

    POST /v1/chat/completions   POST /set {"latency": 0.05, …}   GET /counts   GET /answered   GET /asked
"""

import argparse
import asyncio
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

STEPS = (
    b"First we write down what is given and what is asked.",
    b"There are 12 boxes with 24 pencils each, so there are 12*24=288 pencils in all.",
    b"Half of them are given away, and 288/2=144 are left.",
    b"Each of the 4 children gets 144/4=36 pencils.",
    b"We check it once more: 36*4=144, and 144*2=288.",
    b"Nothing else is said, so this is what was asked for.",
)


@dataclass
class Settings:
    """What can be turned from run to run; probabilities are per attempt."""

    latency: float = 0.0
    """Seconds until a reply."""
    busy: float = 0.0
    """HTTP 429 with Retry-After."""
    retry_after: float = 1.0
    broken: float = 0.0
    """HTTP 500."""
    dropped: float = 0.0
    """The connection is closed without an answer."""
    cut: float = 0.0
    """Half of the announced bytes, then the connection is closed."""
    torn: float = 0.0
    """HTTP 200, and JSON that breaks off."""
    never: float = 0.0
    """Share of questions that fail at every attempt, half of them with 400, half with 500."""
    several: bool = True
    """`n` is honoured; else one choice comes, whatever was asked for."""
    short: bool = False
    """Replies of one sentence."""
    names: bool = True
    """Keep the name of every sample that was asked for and answered."""
    watch: int = 0
    """Tokens: replies are counted from when so many are used."""


FAULTS = ("busy", "broken", "dropped", "cut", "torn")


class Counts:
    """What clients really did."""

    def __init__(self) -> None:
        self.requests = self.replies = self.samples = self.abandoned = self.connections = 0
        self.tokens = 0
        """Asked and answered, as a vendor bills them: a prompt once per reply."""
        self.outcomes: Counter[str] = Counter()
        self.in_flight = self.most = 0
        self.after_watch = 0
        """Replies since the tokens that are watched for were used."""
        self.area = 0.0
        """Requests in flight times seconds."""
        self.first = self.last = self.at = 0.0
        """Seconds of the monotonic clock, which all processes share."""
        self.cpu = time.process_time()
        self.attempts: Counter[str] = Counter()
        """Sample (the first of a request) to its requests."""
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()

    def move(self, by: int) -> None:
        """One more or one less in flight."""
        now = time.monotonic()
        if not self.first:
            self.first = self.at = now
        self.area += self.in_flight * (now - self.at)
        self.at = now
        self.in_flight += by
        self.most = max(self.most, self.in_flight)
        if by < 0:
            self.last = now

    def told(self) -> dict[str, Any]:
        span = self.last - self.first
        names = "requests replies samples abandoned connections tokens in_flight most after_watch first last".split()
        return {name: getattr(self, name) for name in names} | {
            "outcomes": self.outcomes,
            "mean": self.area / span if span > 0 else 0.0,
            "cpu": time.process_time() - self.cpu,
        }


class Mock:
    """The server's state, of which every connection knows."""

    def __init__(self) -> None:
        self.settings, self.counts = Settings(), Counts()
        self.questions: dict[str, str] = {}
        """Question to key."""

    def set(self, **settings: Any) -> None:
        """Begin anew: other settings, counts at nothing."""
        self.settings, self.counts = Settings(**settings), Counts()
        self.questions = {}

    def key(self, question: str) -> str:
        found = self.questions.get(question)
        if found is None:
            found = self.questions[question] = hashlib.sha1(question.encode()).hexdigest()[:12]
        return found

    def fault(self, key: str, seed: int, attempt: int) -> str | None:
        s = self.settings
        if s.never and (u := chance("never", key)) < s.never:
            return "refused" if u < s.never / 2 else "broken"
        u = chance(key, seed, attempt)
        for name in FAULTS:
            u -= getattr(s, name)
            if u < 0:
                return name
        return None


def chance(*parts: object) -> float:
    """From 0 to 1, always the same for the same parts."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def text(key: str, seed: int, short: bool) -> bytes:
    """A reply as it stands in JSON: 300 to 700 characters, or one sentence."""
    end = b"The answer is $\\\\boxed{%d}$.\\n[%b/%d]" % (int(key[:3], 16), key.encode(), seed)
    if short:
        return end
    steps = b"\\n".join(STEPS[(seed + i) % len(STEPS)] for i in range(4 + (seed ^ int(key[3:6], 16)) % 5))
    return b"<think>\\n%b\\n</think>\\n\\n%b" % (steps, end)


class Reply:
    """One request, from when it came until it is answered."""

    def __init__(self, mock: Mock, asked: dict[str, Any]) -> None:
        content = next(m["content"] for m in reversed(asked["messages"]) if m["role"] == "user")
        question = content if isinstance(content, str) else "".join(part["text"] for part in content)
        key, seed, counts, settings = mock.key(question), asked.get("seed") or 0, mock.counts, mock.settings
        count = (asked.get("n") or 1) if settings.several else 1
        first = f"{key}/{seed}"
        self.counts = counts
        self.names = [f"{key}/{seed + k}" for k in range(count)] if settings.names else []
        self.count = count
        self.fault = mock.fault(key, seed, counts.attempts[first])
        if settings.names or self.fault:
            counts.attempts[first] += 1
        counts.asked.update(self.names)
        counts.requests += 1
        texts = [text(key, seed + k, settings.short) for k in range(count)]
        tokens_in, tokens_out = 20 + len(question) // 4, sum(len(said) // 4 for said in texts)
        self.tokens = tokens_in + tokens_out
        self.body = _body(texts, tokens_in, tokens_out, asked.get("model", "mock"))
        counts.move(1)

    def done(self, watch: int) -> None:
        """It is answered, one way or another."""
        counts = self.counts
        counts.move(-1)
        counts.outcomes[self.fault or "ok"] += 1
        if self.fault:
            return
        counts.after_watch += bool(watch) and counts.tokens >= watch
        counts.replies += 1
        counts.samples += self.count
        counts.tokens += self.tokens
        counts.answered.update(self.names)

    def left(self) -> None:
        """Nobody is there any more."""
        self.counts.move(-1)
        self.counts.abandoned += 1


def _body(texts: Sequence[bytes], tokens_in: int, tokens_out: int, model: str) -> bytes:
    choices = b",".join(
        b'{"index":%d,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"%b"}}' % (i, said)
        for i, said in enumerate(texts)
    )
    usage = b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}'
    return b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"%b","choices":[%b],"usage":%b}' % (
        model.encode(),
        choices,
        usage % (tokens_in, tokens_out, tokens_in + tokens_out),
    )


STATUS = {200: b"OK", 400: b"Bad Request", 404: b"Not Found", 429: b"Too Many Requests", 500: b"Server Error"}


def answer(status: int, body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status,
        STATUS[status],
        len(body),
        more,
        body,
    )


def error(status: int, message: str, more: bytes = b"") -> bytes:
    return answer(status, json.dumps({"error": {"message": message, "type": "mock"}}).encode(), more)


class Connection(asyncio.Protocol):
    """One client's connection; one request after another."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        self.buffer = b""
        self.reply: Reply | None = None
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.mock.counts.connections += 1

    def connection_lost(self, error: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.reply is not None:
            self.reply.left()
            self.reply = None

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.reply is None and (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"\r\ncontent-length:")
            size = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + size:
                return
            path = self.buffer[: self.buffer.index(b"\r\n")].split(b" ")[1]
            body, self.buffer = self.buffer[end + 4 : end + 4 + size], self.buffer[end + 4 + size :]
            self.handle(path, body)

    def handle(self, path: bytes, body: bytes) -> None:
        mock = self.mock
        if path == b"/v1/chat/completions":
            asked = json.loads(body)
            if asked.get("messages"):
                self.ask(Reply(mock, asked))
            else:  # as a client does that wants to see a server's headers
                self.transport.write(error(400, "messages must not be empty"))
        elif path == b"/set":
            mock.set(**json.loads(body))
            self.transport.write(answer(200, json.dumps(asdict(mock.settings)).encode()))
        elif path == b"/counts":
            self.transport.write(answer(200, json.dumps(mock.counts.told()).encode()))
        elif path in (b"/asked", b"/answered"):
            found = mock.counts.asked if path == b"/asked" else mock.counts.answered
            self.transport.write(answer(200, json.dumps(found).encode()))
        elif path == b"/v1/models":
            self.transport.write(answer(200, b'{"object":"list","data":[{"id":"mock","object":"model"}]}'))
        else:
            self.transport.write(error(404, "not found"))

    def ask(self, reply: Reply) -> None:
        self.reply = reply
        if self.mock.settings.latency and reply.fault not in ("busy", "refused"):  # these are refused at the door
            self.timer = asyncio.get_running_loop().call_later(self.mock.settings.latency, self.finish)
        else:
            self.finish()

    def finish(self) -> None:
        if self.reply is None or self.transport.is_closing():  # counted when the connection is lost
            return
        reply, self.reply, self.timer = self.reply, None, None
        reply.done(self.mock.settings.watch)
        match reply.fault:
            case None:
                self.transport.write(answer(200, reply.body))
            case "busy":
                wait = b"Retry-After: %g\r\n" % self.mock.settings.retry_after
                self.transport.write(error(429, "Rate limit reached for requests", wait))
            case "broken":
                self.transport.write(error(500, "The server had an error"))
            case "refused":
                self.transport.write(error(400, "This prompt is not answered"))
            case "torn":
                self.transport.write(answer(200, reply.body[: len(reply.body) * 2 // 3]))
            case "cut":
                self.transport.write(answer(200, reply.body)[: -len(reply.body) // 2])
                self.transport.close()
            case _:
                self.transport.close()
        if self.buffer and not self.transport.is_closing():
            self.data_received(b"")


async def serve(port_file: Path) -> None:
    """Until killed; the port stands in the file as soon as there is one."""
    mock = Mock()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(mock), "127.0.0.1", 0, backlog=4096)
    beside = port_file.with_suffix(".part")
    beside.write_text(str(server.sockets[0].getsockname()[1]))
    os.replace(beside, port_file)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=f"Settings: {', '.join(f.name for f in fields(Settings))}")
    parser.add_argument("port_file", type=Path)
    asyncio.run(serve(parser.parse_args().port_file))
