"""What is reckoned with a run's students after it has ended, kept in its folder by the hash of the student."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from understudy.pipeline.steps import left_by
from understudy.recipe import Recipe
from understudy.records import Student
from understudy.store import Run

if TYPE_CHECKING:
    from understudy.engines.local import Local

V = TypeVar("V")
BATCH = 50


class Kept(Generic[V]):
    """Values of one kind, of every student that they were reckoned for."""

    def __init__(self, run: Run, name: str, kind: type[V]) -> None:
        self.run, self.path = run, run.folder / f"{name}.json"
        self.known = msgspec.json.decode(self.path.read_bytes(), type=dict[str, kind]) if self.path.exists() else {}  # type: ignore[valid-type]

    def of(self, label: str, arm: Recipe, reckon: "Callable[[Local], V]") -> V:
        """The arm's own, reckoned now if its student was not met before."""
        student: Student = next(iter(self.run.rows(left_by(label, arm))))
        if student.hash not in self.known:
            self.known[student.hash] = reckon(self._loaded(student))
            self.path.write_bytes(msgspec.json.encode(self.known))
        return self.known[student.hash]

    def _loaded(self, student: Student) -> "Local":
        from understudy.engines.local import Local
        from understudy.student import load

        inside = self.run.folder / student.path
        return Local(load(str(inside if inside.exists() else student.path)), self.path.stem, BATCH)
