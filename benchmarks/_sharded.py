"""`understudy.launch` with weights spread over CPUs: Accelerate spreads them over GPUs alone, torch over either."""

import sys
from typing import Any

from accelerate import PartialState
from accelerate.utils import DistributedType

from understudy import launch

begun = PartialState.__init__


def begin(self: PartialState, *given: Any, **named: Any) -> None:
    """As ever, and then as if these were GPUs."""
    begun(self, *given, **named)
    if self.distributed_type is DistributedType.MULTI_CPU:
        self.distributed_type = DistributedType.MULTI_GPU


if __name__ == "__main__":
    PartialState.__init__ = begin  # type: ignore[method-assign]
    sys.exit(launch.main(*sys.argv[1:]))
