"""The environment is made and kept in step with the requirements, or one sentence says why not."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from tools import environment


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with an empty environment, whose pip only records that it was called."""
    for name in ("requirements.txt", "requirements-site.txt", "pyproject.toml"):
        (tmp_path / name).write_text("first")
    (tmp_path / ".venv").mkdir()
    pip = SimpleNamespace(calls=[], returncode=0)

    def run(command, **_):
        pip.calls.append(command[-1])
        return pip

    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment.subprocess, "run", run)
    return SimpleNamespace(root=tmp_path, pip=pip)


def test_installs_once_and_again_when_a_requirement_changes(project):
    for _ in range(2):
        environment.install("all")
    assert project.pip.calls == ["requirements.txt"]
    environment.install("site")  # all holds what the site needs
    assert project.pip.calls == ["requirements.txt"]
    (project.root / "requirements-site.txt").write_text("second")
    environment.install("site")
    environment.install("all")
    assert project.pip.calls == ["requirements.txt", "requirements-site.txt", "requirements.txt"]


def test_the_site_alone_is_not_everything(project):
    environment.install("site")
    environment.install("all")
    assert project.pip.calls == ["requirements-site.txt", "requirements.txt"]


def test_a_failed_install_says_so_and_is_tried_again(project):
    project.pip.returncode = 1
    with pytest.raises(SystemExit, match="needs a network"):
        environment.install("site")
    project.pip.returncode = 0
    environment.install("site")
    assert len(project.pip.calls) == 2


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_another_python_is_named(monkeypatch, version):
    monkeypatch.setattr(environment.sys, "version_info", (*version, 0))
    with pytest.raises(SystemExit, match=r"the course needs 3\.11, 3\.12 or 3\.13"):
        environment.check_python()


def test_a_broken_environment_is_made_anew(tmp_path):
    assert not environment.runs_and_is_this_version(tmp_path / "bin" / "python")
    assert environment.runs_and_is_this_version(sys.executable)


def test_the_command_line_says_what_it_takes():
    command = [sys.executable, environment.__file__, "everything"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "environment.py site|all" in result.stderr
