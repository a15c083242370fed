"""Kill a run at many moments and run it again: its files must be those of a run that nothing happened to.

    python tests/kill.py FOLDER --steps curate,sft --changes 20 --moments 20 --seed 0

FOLDER/reference is the run that nothing happened to; it is made where it is missing. Each trial copies it, takes the
step away (with --rest all later ones too), makes it in a child that is killed with kill -9, makes it again, compares.

--changes N: killed just before N changes of the folder (a file opened to write, renamed, removed), drawn with the
seed; 0 = before each of them. --moments N: killed N times at a moment drawn with the seed.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from understudy import pipeline
from understudy import recipe as recipes
from understudy.recipe import Recipe
from understudy.store import Run

SETS = Path(__file__).with_name("miniature.sets").read_text().splitlines()
PARTS = {  # step -> its entries in the manifest that are taken away
    "source": ("source",),
    "pretrain": ("pretrain",),
    "generate": ("generate",),
    "curate": ("curate",),
    "mix": ("arms/student/mix",),
    "sft": ("arms/control/sft",),
    "solve": ("arms/student/rollouts", "arms/student/solve"),
    "evaluate": ("evaluate/scores", "evaluate"),
    "report": ("report",),
}
HEAVY = {"pretrain", "mix", "sft", "solve"}
CHANGES = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"}
"""Audit events that come before a folder changes."""


class Quiet:
    """A teller with nothing to tell."""

    def say(self, line: str) -> None: ...

    def tick(self, done: int, total: int, note: str = "") -> None: ...

    def stop(self) -> bool:
        return False


def miniature() -> Recipe:
    """The demo, a thousand times smaller."""
    return recipes.load("demo", SETS)


def make(folder: Path) -> None:
    pipeline.distil(miniature(), Run(folder), Quiet())


def child(work: Callable[[], None], log: Path) -> int:
    """The process id of a child that does the work. A fork: what is imported here need not be imported again."""
    pid = os.fork()
    if pid:
        return pid
    os.setpgid(0, 0)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def done(pid: int, log: Path) -> None:
    """Wait for a child that must end well."""
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise SystemExit(f"the child ended with {status}:\n{log.read_text()[-3000:]}")


def counting(folder: Path, count: Callable[[int], None]) -> None:
    """Call `count` with 1, 2, … before each change of the folder."""
    n = 0

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal n
        if event not in CHANGES:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        path = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else ""
        if str(folder) in path or (path and not os.path.isabs(path)):  # rmtree names files within an open folder
            n += 1
            count(n)

    sys.addaudithook(heard)


def without(reference: Path, folder: Path, step: str, rest: bool) -> None:
    """A copy of the reference in which that step is not made yet."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(reference, folder)
    run = Run(folder)
    gone, begun = [], False
    for name in list(run.manifest()):
        begun = begun or name in PARTS[step]
        gone += [name] if name in PARTS[step] or (rest and begun) else []
    for name in gone:
        made = run.manifest()[name]
        for file in made.files:
            run.path(file).unlink(missing_ok=True)
        at = folder / "arms" / name.split("/")[1] if name.startswith("arms/") else folder / name
        if name.endswith(("sft", "pretrain")):
            shutil.rmtree(at / "model", ignore_errors=True)
        if name.endswith("rollouts"):
            shutil.rmtree(folder / "samples" / at.name, ignore_errors=True)
        if name == "report":
            (folder / "report.html").unlink()
        run.forget(name)


def differences(reference: Path, folder: Path) -> list[str]:
    """Names of what is not the same. Measured times and the journals' order may differ."""

    def files(at: Path) -> dict[str, bytes]:
        kept = (p for p in at.rglob("*") if p.is_file() and p.name not in ("timings.jsonl", "lock", "report.html"))
        return {str(p.relative_to(at)): p.read_bytes() for p in kept if p.relative_to(at).parts[0] != "samples"}

    def settled(at: Path) -> object:
        return {n: (m.settings, m.reads, m.files) for n, m in Run(at).manifest().items()}

    a, b = files(reference), files(folder)
    for one in (a, b):
        one.pop("manifest.json")
    found = [name for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]
    found += ["manifest"] if settled(reference) != settled(folder) else []
    return found + ([] if (folder / "report.html").exists() else ["report.html"])


def trial(folder: Path, log: Path, work: Callable[[], None], after: float | None = None) -> bool:
    """Whether a child was killed in its work (it may have ended before)."""
    pid = child(work, log)
    if after is not None:
        time.sleep(after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status != 0:
        raise SystemExit(f"the child ended with {status}:\n{log.read_text()[-3000:]}")
    return False


def trials(reference: Path, step: str, changes: int | None, moments: int, seed: int, rest: bool) -> dict[str, object]:
    """Kill and compare; how often it was done, and what differed."""
    folder, log = reference.with_name("killed"), reference.with_name("log")
    counted = reference.with_name("count")
    rng = random.Random(f"{seed}/{step}")

    def count() -> None:
        counting(folder, lambda n: counted.write_text(str(n)))
        make(folder)

    def until(last: int) -> Callable[[], None]:
        def work() -> None:
            counting(folder, lambda n: os.kill(os.getpid(), signal.SIGKILL) if n == last else None)
            make(folder)

        return work

    without(reference, folder, step, rest)
    begun = time.monotonic()
    done(child(count, log), log)
    seconds, total = time.monotonic() - begun, int(counted.read_text())
    plan: list[tuple[str, float]] = []
    if changes is not None:
        every = range(1, total + 1)
        plan += [("change", n) for n in (every if changes == 0 else sorted(rng.sample(every, min(changes, total))))]
    plan += [("moment", round(rng.uniform(0, seconds), 3)) for _ in range(moments)]
    killed, wrong = 0, []
    for kind, at in plan:
        without(reference, folder, step, rest)
        if kind == "change":
            killed += trial(folder, log, until(int(at)))
        else:
            while not trial(folder, log, lambda: make(folder), at):  # it was done before
                at *= 0.8
                without(reference, folder, step, rest)
            killed += 1
        done(child(lambda: make(folder), log), log)
        differ = differences(reference, folder)
        wrong += [{"kind": kind, "at": at, "differ": differ}] if differ else []
    return {
        "step": step, "seed": seed, "rest": rest, "changes": total, "seconds": round(seconds, 2),
        "trials": len(plan), "killed": killed, "wrong": wrong,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", default=",".join(PARTS))
    parser.add_argument("--changes", type=int)
    parser.add_argument("--moments", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rest", action="store_true")
    options = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    steps = options.steps.split(",")
    reference = options.folder.resolve() / "reference"
    if HEAVY & {*steps} or options.rest or not reference.exists():  # imported once, and never used, in the parent
        import understudy.engines.local
        import understudy.steps.pretrain
        import understudy.steps.sft  # noqa: F401
    if not reference.exists():
        reference.parent.mkdir(parents=True, exist_ok=True)
        log = reference.with_name("log")
        done(child(lambda: make(reference), log), log)
    wrong = 0
    for step in steps:
        result = trials(reference, step, options.changes, options.moments, options.seed, options.rest)
        wrong += len(result["wrong"])  # type: ignore[arg-type]
        print(json.dumps(result), flush=True)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
