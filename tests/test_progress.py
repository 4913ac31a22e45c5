"""Who watches a training sees how far it is; who stores its outputs finds nothing of it."""

import sys

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from torch import nn

from bnutils.seeds import SGD, Runs, classify, progress
from bnutils.seeds.progress import LIVE, Progress


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "PAUSE", 0.0)


@pytest.fixture
def unwatched(monkeypatch, impatient):
    """Neither a terminal nor a live notebook, wherever the tests run."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    for name in LIVE:
        monkeypatch.delenv(name, raising=False)


def train():
    x, y = torch.randn(2, 30, 5), torch.zeros(2, 30, dtype=torch.long)
    runs = Runs(lambda: nn.Linear(5, 2), [1, 2], "cpu")
    runs.fit(classify, (x, y), SGD(0.1), steps=3, batch_size=8)


def test_where_nobody_watches_nothing_appears(unwatched, capsys):
    train()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_the_steps_and_is_wiped(unwatched, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    train()
    out, err = capsys.readouterr()
    assert out == ""
    assert "step 2 of 3" in err
    assert err.endswith("\r\033[K")


@pytest.mark.parametrize("name", LIVE)
def test_a_live_notebook_has_one_line_that_changes_and_ends_empty(unwatched, monkeypatch, name):
    monkeypatch.setenv(name, "x")
    InteractiveShell.instance()
    with capture_output() as captured:
        train()
    lines = [output.data["text/plain"] for output in captured.outputs]
    assert lines == ["step 1 of 3", "step 2 of 3", "step 3 of 3", ""]
    assert len({output.transient["display_id"] for output in captured.outputs}) == 1
    assert [output.update for output in captured.outputs] == [False, True, True, True]


def test_a_training_that_fails_leaves_nothing_either(unwatched, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    def fail():
        with Progress(9) as counted:
            counted(4)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert capsys.readouterr().err.endswith("\r\033[K")


def test_a_short_training_shows_nothing(monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 1e6)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    train()
    assert capsys.readouterr() == ("", "")
