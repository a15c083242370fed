"""What an answer means for the next try: a table of statuses, one of broken connections, and when to come back."""

import asyncio
import email.utils
import os
import random
import ssl
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import aiohttp

from understudy.engines.http.replies import TOO_LONG, complaint, masked


class Fate(StrEnum):
    """What is to be done after a request that brought no reply."""

    AGAIN = "again"
    """It broke: try again."""
    SLOW = "slow"
    """No answer in time: try again, with less at once."""
    LATER = "later"
    """The server is too busy, and says so: come back. Such a try does not count like one that broke."""
    GONE = "gone"
    """No server there: try another one."""
    NEVER = "never"
    """This prompt will not be answered: a failed record."""
    STOP = "stop"
    """No prompt will be answered: the run ends."""


class Failure(NamedTuple):
    """A request that brought no reply."""

    fate: Fate
    what: str
    """"HTTP 503", "the connection was dropped" """
    said: str = ""
    """The server's own words, without keys."""
    after: float | None = None
    """Seconds that the server asks to wait."""
    status: int | None = None
    code: str = ""

    @property
    def told(self) -> str:
        """In one line."""
        return f"{self.what}: {self.said}" if self.said else self.what

    @property
    def too_long(self) -> bool:
        """It is this prompt's length that the server refuses."""
        return bool(TOO_LONG.search(self.said) or "context_length" in self.code)


STATUSES = {
    400: Fate.NEVER,
    401: Fate.STOP,
    402: Fate.STOP,
    403: Fate.STOP,
    404: Fate.STOP,
    405: Fate.STOP,
    408: Fate.AGAIN,
    409: Fate.AGAIN,
    413: Fate.NEVER,
    422: Fate.NEVER,
    425: Fate.AGAIN,
    429: Fate.LATER,
    503: Fate.LATER,
    529: Fate.LATER,
}
"""What is not here: 3xx stops the run, other 4xx are this prompt's fault, other 5xx are tried again."""
AFTER_ALL = {403: Fate.NEVER, 404: Fate.AGAIN, 405: Fate.AGAIN}
"""The same from a server that has answered already: one prompt is moderated, one machine behind it is amiss."""
CLASSES = {3: Fate.STOP, 4: Fate.NEVER, 5: Fate.AGAIN}
SPENT = {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance"}
"""Codes of a 429 that no waiting helps."""

SHORTEST, LONGEST = 0.5, 60.0
"""Seconds between two tries of one request."""

BROKEN: Sequence[tuple[type[BaseException], Fate, str]] = (
    (aiohttp.ClientConnectorCertificateError, Fate.STOP, "its certificate is not trusted"),
    (aiohttp.ClientConnectorDNSError, Fate.GONE, "no host of that name"),
    (aiohttp.ClientConnectorSSLError, Fate.GONE, "no encrypted connection"),
    (ssl.SSLError, Fate.AGAIN, "the encrypted connection broke"),
    (aiohttp.ClientProxyConnectionError, Fate.GONE, "the proxy does not answer"),
    (aiohttp.ClientConnectorError, Fate.GONE, "no connection"),
    (aiohttp.ConnectionTimeoutError, Fate.GONE, "no connection in time"),
    (asyncio.TimeoutError, Fate.SLOW, "no answer in time"),
    (aiohttp.ServerDisconnectedError, Fate.AGAIN, "the connection was dropped"),
    (aiohttp.ClientPayloadError, Fate.AGAIN, "the answer was cut off on its way"),
    (aiohttp.ClientOSError, Fate.AGAIN, "the connection was dropped"),
    (aiohttp.ClientError, Fate.AGAIN, "no proper HTTP"),
    (OSError, Fate.AGAIN, "the connection was dropped"),
)
"""The first that fits counts."""


def of_status(
    status: int, headers: Mapping[str, str], body: bytes, keys: Sequence[str] = (), known: bool = False
) -> Failure:
    """Of an answer that is no 200. `known`: the server has answered before."""
    fate = STATUSES.get(status) or CLASSES.get(status // 100, Fate.AGAIN)
    if known:
        fate = AFTER_ALL.get(status, fate)
    said, code = complaint(body, keys)
    if status == 429 and code in SPENT:
        fate = Fate.STOP
    if status // 100 == 3:
        said = masked(headers.get("Location", ""), keys)
    return Failure(fate, f"HTTP {status}", said, retry_after(headers), status, code)


def of_error(error: BaseException) -> Failure:
    """Of a connection that broke."""
    fate, what = next((fate, what) for kind, fate, what in BROKEN if isinstance(error, kind))
    if what != "no connection" or not isinstance(error, aiohttp.ClientConnectorError):
        return Failure(fate, what)
    number = error.os_error.errno or 0
    return Failure(fate, os.strerror(number).lower() if number > 0 else what)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait, which it says as milliseconds, seconds or a date; None = it does not say."""
    said = headers.get("retry-after-ms")
    if said is not None and (seconds := _number(said)) is not None:
        return seconds / 1000
    said = headers.get("Retry-After")
    if said is None or (seconds := _number(said)) is not None:
        return None if said is None else seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None


def per_minute(headers: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Requests and tokens that a server says it takes in a minute; None = it does not say."""
    requests, tokens = (_number(headers.get(f"x-ratelimit-limit-{of}", "")) for of in ("requests", "tokens"))
    return requests or None, tokens or None


def backoff(failed: int) -> float:
    """Seconds to wait after so many failed tries: each time twice as long; half of it chance.

    Chance, because those who failed together would come back together.
    """
    return min(LONGEST, SHORTEST * 2.0 ** (failed - 1)) * (0.5 + random.random() / 2)


def wait(after: float | None, failed: int, most: float) -> float:
    """Seconds until the next try, after so many, of which a server asks for `after`: if it means it, no more than that,
    but a little apart from the others."""
    if after is None or after < SHORTEST:
        return backoff(max(1, failed))
    return min(after, most) + backoff(1) / 4


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e12 else None
