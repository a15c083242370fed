"""Batch files, as OpenAI and others take them for half the price: requests go out in one, samples come in by another.

Both are engines, so the store keeps what comes in as it keeps any sample, and what is there already is not asked.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from understudy.engines.base import Sampled, Wanted, always
from understudy.engines.http.asking import Form
from understudy.engines.http.replies import Malformed, complaint, read
from understudy.errors import SourceError
from understudy.recipe import Teacher
from understudy.records import Prompt, Sample, Sampling, Stop

PATH = "/v1/chat/completions"
MOST = 50_000
"""Requests that a vendor takes in one file."""


class Requests:
    """Writes what is wanted into `path` (and path-2, …, of `MOST` lines each), and gives no sample."""

    def __init__(self, settings: Teacher, path: Path) -> None:
        self.name = settings.model or ""
        self.settings, self.path = settings, path
        self.files: list[Path] = []
        self.requests = self.samples = 0

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        """Nothing: the replies come back in another file."""
        form = Form(self.settings, sampling)
        lines = (line for i, prompt in enumerate(prompts) for line in self._lines(form, i, prompt, sampling, wanted))
        self._write(lines)
        yield from ()

    def close(self) -> None:
        """Nothing is held."""

    def _lines(self, form: Form, i: int, prompt: Prompt, sampling: Sampling, wanted: Wanted) -> Iterator[bytes]:
        for first, count in runs([n for n in range(sampling.n) if wanted(i, n)]):
            self.requests, self.samples = self.requests + 1, self.samples + count
            name = f"{_key(prompt)}-{first}-{count}".encode()
            body = form.body(prompt, first, count)
            yield b'{"custom_id":"%b","method":"POST","url":"%b","body":%b}\n' % (name, PATH.encode(), body)

    def _write(self, lines: Iterator[bytes]) -> None:
        file = None
        for number, line in enumerate(lines):
            if number % MOST == 0:
                if file is not None:
                    file.close()
                part = len(self.files) + 1
                name = self.path if part == 1 else self.path.with_stem(f"{self.path.stem}-{part}")
                file = name.open("wb")
                self.files.append(name)
            assert file is not None
            file.write(line)
        if file is not None:
            file.close()


class _Response(msgspec.Struct):
    status_code: int = 200
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Result(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: Any = None


class Results:
    """The samples in a vendor's results file; a request that failed is a failed sample."""

    def __init__(self, settings: Teacher, path: Path) -> None:
        self.name = settings.model or ""
        self.path = path
        self.unread: list[str] = []
        """Why lines were not used."""
        self.samples = 0

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        """What the file holds of what is wanted, in the order of the file.

        Raises:
            SourceError: the file cannot be read.
        """
        index = {_key(prompt): i for i, prompt in reversed(list(enumerate(prompts)))}
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise SourceError(
                f"{self.path}: cannot be read ({error.strerror}). Give the vendor's results file."
            ) from None
        with file:
            for number, line in enumerate(file, 1):
                for one in self._read(number, line, index, prompts, sampling):
                    if wanted(one.prompt, one.number):
                        self.samples += 1
                        yield one

    def close(self) -> None:
        """Nothing is held."""

    def _read(
        self, number: int, line: bytes, index: dict[str, int], prompts: Sequence[Prompt], sampling: Sampling
    ) -> Iterator[Sampled]:
        try:
            result = msgspec.json.decode(line, type=_Result)
            key, first, count = result.custom_id.split("-")
            i, begin, most = index[key], int(first), int(count)
        except KeyError:
            self.unread.append(f"line {number}: of a problem that the recipe does not ask")
            return
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            self.unread.append(f"line {number}: no result of such a request ({error})")
            return
        samples = _samples(result, prompts[i], sampling, most)
        yield from (Sampled(i, begin + n, sample) for n, sample in enumerate(samples))


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and count of each run of consecutive numbers.

    >>> runs([2, 3, 6])
    [(2, 2), (6, 1)]
    """
    found: list[tuple[int, int]] = []
    for n in numbers:
        if found and n == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((n, 1))
    return found


def _samples(result: _Result, prompt: Prompt, sampling: Sampling, count: int) -> list[Sample]:
    """As many as were asked for."""
    response = result.response
    if response is None:
        return [_failed(complaint(msgspec.json.encode({"error": result.error})).text)] * count
    if response.status_code != 200:
        return [_failed(f"HTTP {response.status_code}: {complaint(bytes(response.body)).text}")] * count
    try:
        found = [sample or _failed("empty") for sample in read(bytes(response.body), prompt, sampling).samples]
    except Malformed as error:
        return [_failed(str(error))] * count
    return [*found[:count], *[_failed("fewer choices than asked for")] * (count - len(found))]


def _failed(why: str) -> Sample:
    return Sample(text="", stop=Stop.ERROR, error=why)


def _key(prompt: Prompt) -> str:
    """Of the text alone: a batch may come back when the recipe has more problems."""
    said = msgspec.json.encode([prompt.messages, prompt.prefill])
    return hashlib.blake2b(said, digest_size=8).hexdigest()
