"""Our own client, made as a run makes it: Cached(Budget(Http)). Prompts in, rows out, like the drivers of the peers.

python ours.py --prompts FILE --work FOLDER --url URL --out FILE     ask
python ours.py --prompts FILE --work FOLDER --fill                   put samples of 1 kB into the store, unasked
python ours.py --prompts FILE --work FOLDER --offline                read them back
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from understudy.engines.base import Engine, Sampled, Wanted, always
from understudy.engines.cached import Cached
from understudy.engines.samples import Samples
from understudy.errors import BudgetError
from understudy.recipe import Spending, Teacher
from understudy.records import Message, Prompt, Sample, Sampling


class Row(msgspec.Struct):
    id: str
    question: str


class Made:
    """Samples of about a kilobyte, made on the spot."""

    name = "mock"
    text = "Each of the 12 boxes holds 24 pencils, so there are 12*24=288 pencils in all. " * 10

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        for i in range(len(prompts)):
            for number in range(sampling.n):
                if wanted(i, number):
                    yield Sampled(i, number, Sample(text=f"{self.text}[{i}/{number}]", tokens_in=60, tokens_out=200))

    def close(self) -> None:
        pass


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--url")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--max-tokens", type=int, default=1024)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--budget", type=int, help="tokens")
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("--offline", action="store_true")
    return parser.parse_args()


def engine(flags: argparse.Namespace) -> Engine | None:
    """What the store is put around."""
    if flags.offline:
        return None
    if flags.fill:
        return Made()
    from understudy.engines.budget import Budget
    from understudy.engines.http import Http

    http = Http(Teacher(engine="http", model="mock", url=flags.url, concurrency=flags.width))
    return Budget(http, Spending(tokens=flags.budget), None, flags.work / "spent.jsonl")


def prompts(path: Path, limit: int | None) -> list[Prompt]:
    decoder = msgspec.json.Decoder(Row)
    with path.open("rb") as file:
        rows = [decoder.decode(line) for line in file][:limit]
    return [Prompt(id=row.id, messages=(Message(role="user", content=row.question),)) for row in rows]


def main() -> None:
    flags = parsed()
    asked = prompts(flags.prompts, flags.limit)
    sampling = Sampling(n=flags.samples, temperature=0.7, max_tokens=flags.max_tokens)
    wall, cpu, stopped, taken = time.perf_counter(), time.process_time(), False, 0
    cached = Cached(engine(flags), Samples(flags.work / "store"), "http/mock", "mock")
    out = flags.out.open("wb") if flags.out else None
    try:
        for one in cached.sample(asked, sampling):
            taken += 1
            if out is not None:
                said = {"id": asked[one.prompt].id, "number": one.number}
                said |= {"error": one.sample.error} if one.sample.error else {"text": one.sample.text}
                out.write(msgspec.json.encode(said) + b"\n")
    except BudgetError:
        stopped = True
    finally:
        cached.close()
        if out is not None:
            out.close()
    facts = {"taken": taken, "hits": cached.hits, "asked": cached.asked, "failed": cached.failed, "stopped": stopped}
    print(json.dumps(facts | {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))


main()
