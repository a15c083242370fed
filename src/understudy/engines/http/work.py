"""One pass over the prompts: what is to be asked next, what waits for another try, and what is done."""

import asyncio
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count as counted
from queue import SimpleQueue

from understudy.engines.base import Sampled, Wanted
from understudy.records import Prompt, Sample, Sampling, Stop


@dataclass(slots=True)
class Manner:
    """How several samples of one prompt are asked for."""

    several: bool | None = None
    """In one request; False = one request each; None = in one, and whether that works is still to be seen."""


@dataclass(slots=True)
class Job:
    """Samples of one prompt that one request asks for."""

    prompt: int
    """Index into the prompts asked."""
    first: int
    """Sample number."""
    count: int = 1
    tries: int = 0
    """Those that broke."""
    refusals: int = 0
    since: float | None = None
    """When it was refused first."""
    empties: int = 0
    alone: bool = False
    """Asked singly, whatever the manner."""
    refused: bool = False
    """As one of several it was."""


class Work:
    """The jobs of one pass and its samples, which go from the thread that asks to the one that reads.

    `loop` runs the first; of the second are only `samples` and `drop`. What nobody has read yet counts as in flight: so
    the reader's pace bounds what is held, what a kill costs, and by how much a budget may be overrun.
    """

    def __init__(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        wanted: Wanted,
        manner: Manner,
        width: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.prompts, self.sampling, self.wanted = prompts, sampling, wanted
        self.manner = manner
        self.busy = 0
        """Requests in flight."""
        self.task: asyncio.Task[None] | None = None
        self._loop = loop
        self._jobs: Iterator[Job] | None = self._fresh()
        self._parked: list[tuple[float, int, Job]] = []
        self._serial = counted()
        self._idle: list[asyncio.Future[None]] = []
        self._done: list[Sampled] = []
        self._batches: SimpleQueue[list[Sampled] | None] = SimpleQueue()
        """From thread to thread; None comes last."""
        self._given = self._taken = 0
        self._most = width * sampling.n
        self._most_parked = 16 * width
        self._full = False

    # --- in the loop's thread -----------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Nothing is left to ask, and nothing will be."""
        return self._jobs is None and not self._parked and not self.busy

    @property
    def fresh(self) -> bool:
        """There may be something that was never asked."""
        return self._jobs is not None

    def next(self, trying: bool = False) -> Job | None:
        """What is to be asked now, `busy` until it is answered; None = nothing just now.

        `trying` a server that is lost: with something fresh, because a prompt that failed may be at fault itself.
        """
        if self._behind():
            return None
        job = self._first() or self._again() if trying else self._again() or self._first()
        self.busy += job is not None
        return job

    def _again(self) -> Job | None:
        """What has waited long enough for another try."""
        while self._parked and self._parked[0][0] <= self._loop.time():
            job = heapq.heappop(self._parked)[2]
            if self._idle and self._parked:
                self._loop.call_at(self._parked[0][0], self.stir, 1)
            if self._still(job):
                return self._narrowed(job)
        return None

    def _first(self) -> Job | None:
        """What was not asked yet."""
        if self._jobs is None or len(self._parked) >= self._most_parked:
            return None
        job = next(self._jobs, None)
        if job is None:
            self._jobs = None
        return job

    def park(self, job: Job, seconds: float = 0.0) -> None:
        """Ask it again, or the rest of it, after so many seconds."""
        due = self._loop.time() + seconds
        heapq.heappush(self._parked, (due, next(self._serial), job))
        if self._idle:
            self._loop.call_at(due, self.stir, 1)

    async def idle(self) -> None:
        """Returns when there may be something to ask again."""
        place = self._loop.create_future()
        self._idle.append(place)
        if self._parked and len(self._idle) == 1:
            self._loop.call_at(self._parked[0][0], self.stir, 1)
        await place

    def stir(self, most: int | None = None) -> None:
        """Wake those who are idle."""
        woken, self._idle = self._idle[:most], self._idle[len(self._idle) if most is None else most :]
        for place in woken:
            if not place.done():
                place.set_result(None)

    def prune(self) -> None:
        """Let go of what waits and is not wanted any more; a pass that is stopped does not wait for it."""
        self._parked = [parked for parked in self._parked if self._still(parked[2])]
        heapq.heapify(self._parked)
        if not self._parked and not self.busy and (job := self._first()) is not None:
            self.park(job)

    def give(self, job: Job, samples: Sequence[Sample | None]) -> None:
        """Hand over the first samples of a job, but those that are missing."""
        if not self._done:  # what comes in one turn of the loop is handed over at once: waking a thread costs
            self._loop.call_soon(self._hand_over)
        good = [(job.first + k, sample) for k, sample in enumerate(samples) if sample]
        self._done += [Sampled(job.prompt, n, sample, len(good) - i) for i, (n, sample) in enumerate(good, 1)]
        self._given += len(good)

    def fail(self, job: Job, error: str) -> None:
        """Put on record that a job failed for good."""
        self.give(job, [Sample(text="", stop=Stop.ERROR, error=error)] * job.count)

    def finish(self, task: asyncio.Task[None]) -> None:
        """The last thing: tell the reader."""
        if not task.cancelled():
            task.exception()  # seen: the reader raises it, unless it has left
        self._hand_over()
        self._batches.put(None)

    def _behind(self) -> bool:
        """As much as may be in flight is in flight, or done and not read: a kill must not cost more than that."""
        if self._given - self._taken + (self.busy + 1) * self.sampling.n <= self._most:
            return False
        self._full = True  # before looking once more: the reader may have caught up without seeing it
        self._full = self._given - self._taken + (self.busy + 1) * self.sampling.n > self._most
        return self._full

    def _hand_over(self) -> None:
        batch, self._done = self._done, []
        self._batches.put(batch)

    def _fresh(self) -> Iterator[Job]:
        """The samples that are wanted, prompt by prompt, as runs of numbers; asked for one run at a time."""
        for prompt in range(len(self.prompts)):
            job: Job | None = None
            for number in range(self.sampling.n):
                wanted = self.wanted(prompt, number)
                if wanted and job is not None:
                    job.count += 1
                elif wanted:
                    job = Job(prompt, number)
                if job is not None and (self.manner.several is False or not wanted):
                    yield job
                    job = None
            if job is not None:
                yield job

    def _still(self, job: Job) -> bool:
        return any(self.wanted(job.prompt, job.first + k) for k in range(job.count))

    def _narrowed(self, job: Job) -> Job:
        """The job, or its first sample if they are asked singly by now."""
        if job.count > 1 and (self.manner.several is False or job.alone):
            self.park(replace(job, first=job.first + 1, count=job.count - 1))
            job.count = 1
        return job

    # --- in the reader's thread ---------------------------------------------------------------------------------------

    def samples(self) -> Iterator[Sampled]:
        """Each sample as it is done."""
        while (batch := self._batches.get()) is not None:
            for sampled in batch:
                yield sampled
                self._taken += 1
            if self._full:
                self._full = False
                self._loop.call_soon_threadsafe(self.stir)

    def drop(self) -> None:
        """Ask nothing more, and wait until nothing is in flight."""
        if self.task is None or not self.task.done():
            self._loop.call_soon_threadsafe(lambda: self.task and self.task.cancel())
        while self._batches.get() is not None:
            pass
