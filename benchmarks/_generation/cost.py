"""What a request costs the client's processor, and how many are in flight: ours, bare aiohttp and the peers."""

import random
import statistics
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from _generation.bench import WIDTH, Bench, Row, Table, checked
from _generation.clients import BARE, OURS, program, version
from _generation.processes import Failed, Ran, done, ran, spread

FEW = 8
"""Prompts of the run that is taken for the start-up."""
LESS = {"curator": 8.0, "distilabel": 15.0}
"""Peer to how many times less we want to take."""


class Setting(NamedTuple):
    """How the server answers and how wide it is asked."""

    name: str
    latency: float
    width: int


SETTINGS = (
    Setting("0 ms, 64 wide", 0.0, WIDTH),
    Setting("50 ms, 64 wide", 0.05, WIDTH),
    Setting("1 s, 256 wide", 1.0, 256),
)


WAYS = ("after start-up", "start-up included")
"""How processor time is counted: as in a long run, or as in one of so many prompts."""


class Measured(NamedTuple):
    """One client in one setting in one round."""

    cpu: float
    """Seconds, the whole process."""
    in_flight: float
    """Mean from the first request to the last reply, as the server counts."""
    peak_mb: float
    server_cpu: float
    """Milliseconds of the mock per request."""
    lost: int
    """Rows that are missing, doubled, mispaired or failed."""


class Found:
    """What was measured, and why some of it could not be."""

    def __init__(self, clients: list[str], rows: int, missing: dict[str, str]) -> None:
        self.clients, self.rows, self.missing = clients, rows, missing
        self.runs: dict[str, dict[str, list[Measured]]] = {s.name: {c: [] for c in clients} for s in SETTINGS}
        """Setting to client to its rounds."""
        self.starts: dict[str, list[Ran]] = {client: [] for client in clients}
        """Client to its runs of few prompts."""

    def cpu(self, setting: str, client: str, way: str) -> list[float]:
        """Milliseconds per request in each round."""
        whole = [one.cpu for one in self.runs[setting][client]]
        if way != WAYS[0]:
            return [1000 * cpu / self.rows for cpu in whole]
        start = statistics.median(run.cpu for run in self.starts[client])
        return [1000 * (cpu - start) / (self.rows - FEW) for cpu in whole]

    def ratios(self, one: str, other: str, way: str) -> dict[str, list[float]]:
        """Setting to the ratio of two clients in each round that both have ended."""
        found = {}
        for name in self.runs:
            pairs = zip(self.cpu(name, one, way), self.cpu(name, other, way), strict=False)
            found[name] = [a / b for a, b in pairs]
        return found

    @property
    def alive(self) -> list[str]:
        """Clients that have not failed."""
        return [client for client in self.clients if client not in self.missing]


def cost(bench: Bench) -> Iterator[Row]:
    """Rows on processor time."""
    clients, missing = _clients(bench.peers)
    found = Found(clients, bench.rows, missing)
    for number in range(bench.rounds):
        _round(bench, found, random.Random(number))
        print(f"  round {number + 1} of {bench.rounds} of cost is done", file=sys.stderr, flush=True)
    bench.tables.append(_table(found))
    for way in WAYS:
        ratios = found.ratios(OURS, BARE, way)
        good = max(map(statistics.median, ratios.values())) <= 1.5
        yield Row(f"CPU per request, store on, {way}", "≤ 1.5 × bare aiohttp", _told(ratios), good)
        for peer, less in LESS.items():
            what, to_reach = f"CPU per request, {peer} to ours, {way}", f"≥ {less:g} × less"
            if peer in found.alive:
                ratios = found.ratios(peer, OURS, way)
                yield Row(what, to_reach, _told(ratios), min(map(statistics.median, ratios.values())) >= less)
            else:
                yield Row(what, to_reach, f"not measured: {missing.get(peer, 'left out (--peers)')}", None)


def flight(bench: Bench) -> Iterator[Row]:
    """The row on requests in flight, in whole waves: of 2,000 requests, 256 at once, the last wave is but 208.

    A client that loses nothing has 97.7 % in flight there, as the table of the other rows shows it.
    """
    waves, slow = max(2, bench.rows // 100), SETTINGS[-1]
    found: dict[str, list[float]] = {OURS: [], BARE: []}
    for number in range(min(3, bench.rounds)):
        for client in random.Random(number).sample(list(found), 2):
            _, counts, _ = _one(bench, client, slow, waves * slow.width)
            found[client].append(100 * counts["mean"] / slow.width)
    ours, bare = (spread(of, "{:.1f}") for of in found.values())
    told = f"{ours} % over {waves} waves (bare aiohttp: {bare} %)"
    yield Row("requests in flight at 1 s latency, 256 wide", "≥ 97 %", told, statistics.median(found[OURS]) >= 97)


def _clients(peers: list[str]) -> tuple[list[str], dict[str, str]]:
    """Ours, bare aiohttp and those that can be had; and why others cannot."""
    clients, missing = [OURS, BARE], dict[str, str]()
    for peer in peers:
        try:
            program(peer)
        except Failed as error:
            missing[peer] = str(error)
        else:
            clients += [peer] if peer not in clients else []
    return clients, missing


def _round(bench: Bench, found: Found, rng: random.Random) -> None:
    """Every client in every setting once, in an order drawn anew for each."""
    for setting in (None, *SETTINGS):
        for client in rng.sample(found.alive, len(found.alive)):
            try:
                run, counts, lost = _one(bench, client, setting or SETTINGS[0], bench.rows, None if setting else FEW)
            except Failed as error:
                found.missing[client] = str(error)
                continue
            if setting is None:
                found.starts[client].append(run)
            else:
                server = 1000 * counts["cpu"] / counts["requests"]
                measured = Measured(run.cpu, counts["mean"], run.peak_mb, server, lost)
                found.runs[setting.name][client].append(measured)


def _one(
    bench: Bench, client: str, setting: Setting, count: int, limit: int | None = None
) -> tuple[Ran, dict[str, Any], int]:
    """What a run took, what the server counted, and how many rows are not as they should be."""
    work, prompts = bench.fresh("client"), bench.prompts(count)
    files = ("--prompts", prompts, "--out", work / "out", "--work", work)
    flags = ("--url", bench.mock.url, "--width", str(setting.width), *(("--limit", str(limit)) if limit else ()))
    bench.mock.set(latency=setting.latency)
    run = done(ran([*program(client), *files, *flags], cwd=work))
    counts = bench.mock.counts()
    if not (work / "out").exists() or not counts["requests"]:
        raise Failed(f"wrote nothing: {' '.join(run.said.split())[-200:]}")
    lost = checked(work / "out", prompts, 1)
    return run, counts, 0 if limit else lost.lost + lost.mispaired + lost.doubled + lost.failed


def _told(ratios: dict[str, list[float]]) -> str:
    return "; ".join(f"{spread(of)} × at {name}" for name, of in ratios.items())


def _table(found: Found) -> Table:
    header = ["client", "version", *(f"ms CPU/request, {way}" for way in WAYS)]
    header += [f"{setting.name}: CPU × aiohttp after start-up · in flight" for setting in SETTINGS]
    header += ["peak MB", "start-up s", "server ms/request", "rows lost"]
    first, lines = SETTINGS[0].name, []
    for client in found.alive:
        cells = [client, version(client), *(spread(found.cpu(first, client, way), "{:.3f}") for way in WAYS)]
        for name, ratios in found.ratios(client, BARE, WAYS[0]).items():
            cells.append(f"{spread(ratios)} · {spread([m.in_flight for m in found.runs[name][client]], '{:.0f}')}")
        rounds = [m for of in found.runs.values() for m in of[client]]
        cells += [f"{max(m.peak_mb for m in rounds):.0f}", spread([run.wall for run in found.starts[client]])]
        cells.append(f"{statistics.median(m.server_cpu for m in found.runs[first][client]):.3f}")
        lines.append((*cells, str(max(m.lost for m in rounds))))
    lines += [(peer, f"not measured: {why}") for peer, why in found.missing.items()]
    return Table("Requests to a teacher, median (range) over rounds", tuple(header), lines)
