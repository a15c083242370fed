"""Where peers live: each in an environment of its own under .bench/, made when it is first needed."""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def interpreter(name: str, packages: Sequence[str]) -> Path:
    """The Python of an environment with these packages; our own where there are none to be installed.

    Raises:
        RuntimeError: they cannot be installed; says why.
    """
    if not packages:
        return Path(sys.executable)
    folder = ROOT / ".bench" / name
    python, mark = folder / "bin" / "python", folder / "installed"
    if not mark.exists() or mark.read_text().split("\n") != list(packages):
        print(f"installing {name} into {folder.relative_to(ROOT)} …", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", *packages]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{name} cannot be installed: {' '.join(done.stderr.split())[-300:]}")
        mark.write_text("\n".join(packages))
    return python
