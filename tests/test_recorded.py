"""Records are found where they are, and shown with where they come from."""

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from bnutils import recorded

ENTRY = {
    "command": "python -m tools.record",
    "commit": "0123abc",
    "device": {"type": "cpu", "name": "a processor, 2 cores"},
    "versions": {"torch": "2.6.0"},
    "date": "2026-01-01",
}
GPU = ENTRY | {"device": {"type": "cuda", "name": "a GPU"}}


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Write a record of a repository that is not this one."""
    monkeypatch.setattr(recorded, "REPOSITORY", tmp_path)
    monkeypatch.setattr(recorded.metadata, "files", lambda package: None)

    def write(*entries, folder=tmp_path / "recorded"):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "speed.json"
        path.write_text(json.dumps({"entries": entries}))
        return path

    return write


def test_the_newest_entry_of_a_device_type(store):
    store(ENTRY, GPU, ENTRY | {"date": "2026-03-01", "commit": "new"}, ENTRY)
    assert recorded.on("speed", "cpu")["commit"] == "new"
    assert recorded.on("speed", "cuda") == GPU
    store(ENTRY)
    assert recorded.on("speed", "cuda") is None


def test_the_origin_names_device_date_commit_versions_and_command():
    text = recorded.origin(ENTRY)
    for part in ("a processor, 2 cores", "2026-01-01", "0123abc", "2.6.0", ENTRY["command"]):
        assert part in text


@pytest.mark.parametrize("part", recorded.PARTS)
def test_an_entry_without_its_origin_is_not_shown(store, part):
    store({key: value for key, value in ENTRY.items() if key != part})
    with pytest.raises(ValueError, match=f"lacks {part}"):
        recorded.entries("speed")


def test_the_installed_package_brings_its_own(store, tmp_path, monkeypatch):
    elsewhere = store(ENTRY, folder=tmp_path / "share" / "bnutils" / "recorded")

    class Installed(PurePosixPath):
        def locate(self):
            return elsewhere

    files = [
        Installed("bnutils/recorded.py"),
        Installed("../../../share/bnutils/recorded/speed.json"),
    ]
    monkeypatch.setattr(recorded.metadata, "files", lambda package: files)
    assert recorded.entries("speed") == [ENTRY]
    store(GPU)  # the repository's comes first
    assert recorded.entries("speed") == [GPU]


def test_a_record_that_is_nowhere_is_named(store):
    with pytest.raises(FileNotFoundError, match="recorded/layer_speed.json"):
        recorded.entries("layer_speed")


def test_the_books_own_record_goes_into_the_package(tmp_path):
    assert recorded.on("layer_speed", "cpu")["rows"]
    root, source = Path(recorded.__file__).parent.parent, tmp_path / "source"
    for name in ("bnutils", "recorded"):
        shutil.copytree(root / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT.md"):
        shutil.copy(root / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", tmp_path, source], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (packed,) = (n for n in archive.namelist() if n.endswith("recorded/layer_speed.json"))
        assert archive.read(packed) == recorded.path("layer_speed").read_bytes()


def test_what_chapters_show_is_installed_with_the_package():
    """As on Colab, where there is no repository."""
    with (recorded.REPOSITORY / "pyproject.toml").open("rb") as file:
        shipped = tomllib.load(file)["tool"]["setuptools"]["data-files"]["share/bnutils/recorded"]
    here = {f"recorded/{path.name}" for path in (recorded.REPOSITORY / "recorded").glob("*.json")}
    assert set(shipped) == here - {"recorded/provenance.json", "recorded/bench.json"}
