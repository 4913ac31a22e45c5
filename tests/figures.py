"""What the unit tests of the interactive figures share; those in a browser show its figures too.

Each figure NAME has a file `test_interactive_NAME.py`, which holds what is particular to it and a
`FIGURE`. What must be true of every figure is tested in `test_interactive.py`, on those.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib import import_module
from importlib.resources import files

from bnutils import interactive

NAMES = sorted(
    file.name.removesuffix(".js")
    for file in files("bnutils.interactive").iterdir()
    if file.name.endswith(".js") and file.name != "core.js"
)


@dataclass(frozen=True)
class Figure:
    """An interactive figure and something to show in it.

    Attributes
    ----------
    name
        What it is called in `bnutils.interactive`.
    example
        Its arguments.
    other
        Arguments that it takes as well, in which only measured numbers differ.
    digest
        What becomes of its arguments: the data on the page.
    """

    name: str
    example: dict
    other: dict
    digest: Callable[..., dict] = dict

    def show(self, **change) -> None:
        """Display it, as a chapter does; the fixture `shown` catches what comes out."""
        getattr(interactive, self.name)(**{**self.example, **change})

    def data(self, **change) -> dict:
        """What its page would hold, before it is written."""
        return self.digest(**{**self.example, **change})

    def html(self, **change) -> str:
        """Its living half alone, with more digits than a chapter shows."""
        words = {"label": "The figure", "description": "Move it."}
        return interactive.to_html(self.name, self.data(**change), **words, digits=9)


def figure_called(name: str) -> Figure:
    """The `FIGURE` of the figure's own tests."""
    module = import_module(f"tests.test_interactive_{name}")
    assert hasattr(module, "FIGURE"), f"{module.__name__} needs a FIGURE: see tests/figures.py"
    return module.FIGURE


class Page(HTMLParser):
    """Ids, attributes, and the text of every script, as a browser would read them."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.scripts, self.data = [], [], None
        self._inside = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = (tag, dict(attrs))

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, text):
        if self._inside is None or self._inside[0] != "script":
            return
        if self._inside[1].get("class") == "bn-measured":
            assert self.data is None, "two blocks of data, or one that was cut in two"
            self.data = text
        else:
            self.scripts.append(text)

    @property
    def ids(self):
        return [attrs["id"] for _, attrs in self.tags if "id" in attrs]


def data_of(bundle: dict) -> dict:
    """The data in the living half of a shown figure."""
    return json.loads(Page(bundle["text/html"]).data)
