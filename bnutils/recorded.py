"""Measurements that were recorded, shown as recorded.

What takes too long to run with a chapter, or needs a device that is not there, is measured by a
command (``make record``) and stored in the repository's folder ``recorded/``: a list of entries,
one for each device, each with the command, the commit, the device, the versions and the date.
"""

import json
from importlib import metadata
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PARTS = ("command", "commit", "device", "versions", "date")


def entries(name: str) -> list[dict]:
    """All entries of a record, oldest device first.

    Parameters
    ----------
    name : str
        Of the file without its ending, such as ``"layer_speed"``.

    Returns
    -------
    list of dict
        Each with the keys ``command``, ``commit``, ``device`` (``type`` and ``name``),
        ``versions`` and ``date``, and with what was measured.

    Raises
    ------
    FileNotFoundError
        If there is no such record, neither in the repository nor in the installed package.
    ValueError
        If an entry does not say where it comes from.
    """
    found = json.loads(path(name).read_text(encoding="utf-8"))["entries"]
    for entry in found:
        check(entry)
    return found


def check(entry: dict) -> None:
    """Raise a ValueError if an entry does not say where it comes from."""
    missing = [part for part in PARTS if not entry.get(part)]
    if missing:
        raise ValueError(f"an entry of a record lacks {', '.join(missing)}; record it again")


def on(name: str, device_type: str) -> dict | None:
    """The newest entry of a record for a type of device, ``"cpu"`` or ``"cuda"``; None without."""
    of_this_type = [e for e in entries(name) if e["device"]["type"] == device_type]
    return max(of_this_type, key=lambda entry: entry["date"], default=None)


def origin(entry: dict) -> str:
    """Where an entry comes from: device, date, commit, versions and command, in lines of text."""
    return "\n".join(
        [
            f"recorded on {entry['device']['name']}",
            f"on {entry['date']}, torch {entry['versions']['torch']}, commit {entry['commit']}",
            f"by {entry['command']}",
        ]
    )


def path(name: str) -> Path:
    """The file of a record: the repository's, else the one installed with the package."""
    file = f"{name}.json"
    in_repository = REPOSITORY / "recorded" / file
    if in_repository.is_file():
        return in_repository
    for installed in metadata.files("bnutils") or ():
        if installed.parts[-2:] == ("recorded", file):
            return Path(installed.locate())
    raise FileNotFoundError(
        f"there is no record {name!r}; it is recorded/{file} in the book's repository"
    )
