"""Command, commit, device, versions and date: what a recorded measurement must carry."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent.parent


def of(command: Sequence[str]) -> dict:
    """The circumstances of a measurement that ``command`` makes now."""
    devices = {"cpu": processor()}
    if torch.cuda.is_available():
        devices["cuda"] = torch.cuda.get_device_name()
    return {
        "command": " ".join(command),
        "commit": commit(),
        "device": devices,
        "versions": versions(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def commit() -> str:
    """The commit that is checked out, and whether the code measured differs from it."""
    head = _git("rev-parse", "HEAD")
    return head + (
        " with changes" if _git("status", "--porcelain", "--", "bnutils", "tools") else ""
    )


def versions() -> dict[str, str]:
    packages = {package: version(package) for package in ("torch", "numpy", "bnutils")}
    return {"python": platform.python_version()} | packages


def processor() -> str:
    """The processor's name and its number of cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
