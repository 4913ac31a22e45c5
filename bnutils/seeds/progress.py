"""How far a long training has got, for whoever is watching; nothing is left when it is done."""

import os
import sys
import time
from collections.abc import Callable

from IPython.display import display

# Variables that a live notebook's server sets for its kernel: JupyterLab and Jupyter Notebook, and
# Colab. Whatever runs a notebook unwatched (nbclient, nbval) sets neither, so that it stores and
# compares outputs in which no progress ever was.
LIVE = ("JPY_SESSION_NAME", "COLAB_RELEASE_TAG")
PATIENCE = 1.0  # seconds before it shows: a short training shows nothing
PAUSE = 0.2  # seconds between two updates


class Progress:
    """A counter of steps, on a terminal or in a live notebook; elsewhere nothing.

    Use it as a context manager, and call it with the number of steps that are done.

    Parameters
    ----------
    steps : int
        How many there will be.
    """

    def __init__(self, steps: int):
        self.steps = steps

    def __enter__(self) -> "Progress":
        self._show = _screen()
        self._shown = False
        self._next = time.monotonic() + PATIENCE
        return self

    def __call__(self, done: int) -> None:
        if self._show and time.monotonic() >= self._next:
            self._show(f"step {done} of {self.steps}")
            self._shown = True
            self._next = time.monotonic() + PAUSE

    def __exit__(self, *exception: object) -> None:
        if self._shown:
            self._show("")


def _screen() -> Callable[[str], None] | None:
    """What shows a line in the place of the last one, where somebody may be watching."""
    if sys.stderr.isatty():
        return lambda line: print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
    if any(name in os.environ for name in LIVE):
        return _NotebookLine()
    return None


class _NotebookLine:
    """One line in the cell's output that changes in place."""

    def __init__(self) -> None:
        self._handle = None

    def __call__(self, line: str) -> None:
        content = {"text/plain": line}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)
