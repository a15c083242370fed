"""Which server is asked next, and how many requests it gets at once: health, width and pace. Opens no connection.

A server that refuses (429, 503, 529, no answer in time) more than now and then is left alone as long as it asks for,
and then gets as many requests at once as it bore; one that answers gets more again. One that does not answer at all is
left alone, and then tried with a single request. A single refusal changes nothing but the request that met it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

LOST, GONE = 8, 3
"""So many calls in a row without an answer, or refused connections, may shut a server."""
NOISE = 0.1
"""Share of refusals from which on a server gets no more at once."""
MEMORY = 1 / 64
"""Weight of the latest request in that share."""
CUT = 0.5
"""What is left of the width after an overload, at least."""
SHORTEST, LONGEST = 0.5, 30.0
"""Seconds between two tries of a server that is shut and does not say how long."""


class Bucket:
    """So many units a minute, evenly: a tenth of a second's worth may come at once. Debts are paid first."""

    def __init__(self, per_minute: float) -> None:
        self.rate = per_minute / 60
        self.most = max(1.0, self.rate / 10)
        self.level = self.most
        self.at: float | None = None

    def opens(self, now: float) -> float:
        """Seconds until something may be taken; 0 = now."""
        if self.at is not None:
            self.level = min(self.most, self.level + (now - self.at) * self.rate)
        self.at = now
        # Half a unit, because a level that is reckoned to reach 1 stops at 0.9999.
        return 0.0 if self.level >= 0.5 else (0.5 - self.level) / self.rate

    def take(self, amount: float) -> None:
        """Take it, into debt if need be; negative gives back."""
        self.level -= amount


class Server:
    """One server's health, width and pace. Times are seconds of any one clock."""

    def __init__(self, url: str, low: int, high: int, requests: float | None = None, tokens: float | None = None):
        self.url = url
        self.low, self.high = low, high
        self.width: float = high
        """Most requests in flight, just now."""
        self.in_flight = 0
        self.resting = 0
        """Requests that it refused and whose place is not taken yet: else one place would meet refusal upon refusal."""
        self.answered = 0
        """Replies that were of use."""
        self.silent = 0
        """Calls in a row without any answer of use."""
        self.gone = False
        """Not even a connection, the last time."""
        self.shut_until = 0.0
        self.requests = Bucket(requests) if requests else None
        self.tokens = Bucket(tokens) if tokens else None
        self._refused = 0.0
        """Moving share."""
        self._shut_at = -1.0
        self._shuts = 0
        """In a row, without an answer between."""
        self._bore: int | None = None
        """Answered since it was overloaded, of what it had then; None = it is not."""

    @property
    def shut(self) -> bool:
        """It was left alone, and has not answered since."""
        return self._shuts > 0

    def open(self, now: float) -> bool:
        """Whether it may be asked now."""
        if now < self.shut_until:
            return False
        if self._bore is not None:  # as much as it had and did not send away
            self.width = max(self.low, self.width * CUT, self._bore + self.in_flight)
            self._bore = None
        if self.in_flight + self.resting + 1 > (1 if self._shuts and self.silent >= GONE else self.width):
            return False
        return not (self.requests and self.requests.opens(now)) and not (self.tokens and self.tokens.opens(now))

    def opens(self, now: float) -> float:
        """Seconds until it may be asked, as far as time decides it."""
        paces = (bucket.opens(now) for bucket in (self.requests, self.tokens) if bucket)
        return max(self.shut_until - now, *paces, 0.0)

    def sent(self, tokens: float) -> None:
        """A request was sent that takes about so many tokens."""
        self._refused *= 1 - MEMORY
        if self.requests:
            self.requests.take(1)
        if self.tokens:
            self.tokens.take(tokens)

    def said_limits(self, requests: float | None, tokens: float | None) -> None:
        """What the server itself says it takes in a minute, where the recipe says nothing."""
        if requests and self.requests is None:
            self.requests = Bucket(requests)
        if tokens and self.tokens is None:
            self.tokens = Bucket(tokens)

    def answer(self, began: float, slow: bool) -> None:
        """It answered a request sent at `began`; `slow`: so late that more at once would meet the time limit."""
        self.answered += 1
        self.silent = self._shuts = 0
        self.gone = False
        if self._bore is not None and began <= self._shut_at:
            self._bore += 1
        elif self._refused < NOISE and not slow and self.width < self.high:
            # One more, or a twentieth, once all have answered.
            self.width = min(self.high, self.width + max(1 / self.width, 0.05))

    def refuse(self, now: float, began: float, after: float | None) -> None:
        """It was too busy for a request sent at `began`, and asks for `after` seconds of patience."""
        self._refused += MEMORY
        self.gone = False
        if self._lost(began, LOST):
            if not self._shuts:  # several in a row are an outage, which says nothing of the width
                self._bore = 0
            self.leave_alone(now, after)

    def fail(self, now: float, began: float, gone: bool) -> None:
        """No answer of use came; `gone`: not even a connection."""
        self.gone = gone
        if self._lost(began, GONE if gone else LOST):
            self.leave_alone(now, None)

    def _lost(self, began: float, most: int) -> bool:
        """Whether it is too many by now. What is in flight may be answered: refusals come sooner than answers."""
        self.silent += 1
        return self.silent >= most and self.silent > self.in_flight / 2 and began > self._shut_at

    def leave_alone(self, now: float, after: float | None) -> None:
        """Ask nothing for so many seconds; None: longer each time."""
        pause = min(LONGEST, SHORTEST * 2.0**self._shuts) if after is None else after
        self.shut_until, self._shut_at = now + pause, now
        self._shuts += 1


class Servers:
    """The servers of one teacher, and who waits for one."""

    def __init__(self, servers: Sequence[Server], clock: Callable[[], float]) -> None:
        self.all = tuple(servers)
        self.clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """Requests sent and not answered."""
        return sum(server.in_flight for server in self.all)

    @property
    def width(self) -> int:
        """Most requests in flight, just now."""
        return sum(int(server.width) for server in self.all)

    @property
    def widest(self) -> int:
        """Most that there may ever be."""
        return sum(server.high for server in self.all)

    def free(self) -> Server | None:
        """The least loaded server that may be asked now."""
        now = self.clock()
        return min((s for s in self.all if s.open(now)), key=lambda s: s.in_flight / s.width, default=None)

    async def enter(self) -> Server:
        """A server that may be asked, as soon as there is one. Leave it when it has answered."""
        while (server := self.free()) is None:
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            self._set_alarm()
            await place
        server.in_flight += 1
        if self._waiting:
            self._next()
        return server

    def leave(self, server: Server) -> None:
        """The request is over."""
        server.in_flight -= 1
        if self._waiting:
            self._next()

    def rest(self, server: Server, seconds: float) -> None:
        """Keep the place of a refused request for a while."""
        server.resting += 1
        asyncio.get_running_loop().call_later(seconds, self._rested, server)

    def _rested(self, server: Server) -> None:
        server.resting -= 1
        if self._waiting:
            self._next()

    def _next(self) -> None:
        """Let the first who waits in, if a server is open; else when one opens by the clock."""
        if self.free() is None:
            self._set_alarm()
            return
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return

    def _set_alarm(self) -> None:
        now = self.clock()
        waits = [wait for s in self.all if s.in_flight + s.resting < s.width and (wait := s.opens(now)) > 0]
        if not waits:
            return  # whoever leaves lets the next one in
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_later(min(waits) + 0.001, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._next()
