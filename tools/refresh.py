"""Run notebooks again, in place, and store their outputs.

    python -m tools.refresh               every chapter
    python -m tools.refresh --only 02     one chapter

A notebook is written only when its execution succeeded; the others are refreshed all the same, and
the exit code is 1. Versions, date and seconds go to recorded/provenance.json.
"""

import argparse
import json
import platform
import resource
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tools import notebooks

PROVENANCE = notebooks.ROOT / "recorded" / "provenance.json"
PACKAGES = ("torch", "numpy", "matplotlib", "scipy", "scikit-learn", "bnutils")
BUDGET = 45  # CPU-seconds for a chapter


def main(arguments: list[str] | None = None) -> int:
    """Refresh what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.refresh", description=__doc__)
    parser.add_argument("--only", metavar="NN", help="one chapter, such as 02")
    only = parser.parse_args(arguments).only
    try:
        paths = notebooks.find(only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return refresh(paths, PROVENANCE)


def refresh(paths: list[Path], provenance: Path) -> int:
    """Refresh the notebooks at ``paths``; return 0 if all of them ran, else 1."""
    failed = []
    for path in paths:
        print(f"{path.name} ...", flush=True)
        try:
            changed, wall, cpu = refresh_one(path)
        except (notebooks.NotebookFailed, ValueError) as error:
            print(f"FAILED, left as it was: {error}", file=sys.stderr, flush=True)
            failed.append(path.name)
            continue
        record(path.stem, wall, cpu, provenance)
        print(f"  {'written' if changed else 'unchanged'}: {wall:.0f} s, {cpu:.0f} CPU-seconds")
        if cpu > BUDGET:
            print(f"  warning: more than a chapter's budget of {BUDGET} CPU-seconds")
    if failed:
        print(f"{len(failed)} of {len(paths)} failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def refresh_one(path: Path) -> tuple[bool, float, float]:
    """Run one notebook and store it: whether the file changed, wall seconds, CPU seconds."""
    wall, cpu = time.monotonic(), _childrens_seconds()
    executed = notebooks.execute(
        notebooks.read(path),
        path.name,
        path.parent,
        environment=notebooks.kernel_environment(),
    )
    wall, cpu = time.monotonic() - wall, _childrens_seconds() - cpu
    return notebooks.write(path, notebooks.normalize(executed)), wall, cpu


def record(chapter: str, wall: float, cpu: float, provenance: Path) -> None:
    """Write down where and with what the chapter's outputs were made."""
    known = json.loads(provenance.read_text()) if provenance.exists() else {}
    known[chapter] = {
        "date": datetime.now(UTC).date().isoformat(),
        "device": "cpu",  # see kernel_environment
        "processor": platform.machine(),
        "versions": versions(),
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
    }
    provenance.parent.mkdir(exist_ok=True)
    text = json.dumps(known, indent=2, sort_keys=True) + "\n"
    notebooks.replace(provenance, text.encode())


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that decide what comes out."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _childrens_seconds() -> float:
    # A kernel is a child process, and its time is added here once it has ended.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
