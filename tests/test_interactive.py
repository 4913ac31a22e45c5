"""Interactive figures: self-contained, the same every time, and clear about bad data."""

import configparser
import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from bnutils import interactive
from bnutils.interactive import mechanism, to_html
from bnutils.interactive.minibatch import still

X = [0.5, -1.25, 3.0, 0.125]
STORED = {"running_mean": 0.1, "running_var": 2.0, "gamma": 1.5, "beta": -0.25, "eps": 1e-5}
DATA = {"x": X, **STORED}
WORDS = {"label": "One unit", "description": "Drag the large point."}
FIGURES = sorted(
    file.name.removesuffix(".js")
    for file in files("bnutils.interactive").iterdir()
    if file.name.endswith(".js") and file.name != "core.js"
)
SVG = "http://www.w3.org/2000/svg"


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


@pytest.fixture
def shown(monkeypatch):
    """What `show` displays, as a list of mime bundles; the count of figures starts anew."""
    outputs = []

    def display(bundle, raw):
        assert raw
        outputs.append(bundle)

    monkeypatch.setattr(mechanism, "display", display)
    monkeypatch.setattr(mechanism, "_times_shown", mechanism.Counter())
    return outputs


def test_still_picture_first_then_one_piece_of_html(shown):
    interactive.minibatch(**DATA)
    assert [sorted(bundle) for bundle in shown] == [
        ["image/png", "text/plain"],
        ["text/html", "text/plain"],
    ]
    assert shown[0]["image/png"].startswith(b"\x89PNG")
    assert not plt.get_fignums(), "the still picture would be shown a second time"


def test_the_same_figure_gives_the_same_bytes(shown, monkeypatch):
    interactive.minibatch(**DATA)
    monkeypatch.setattr(mechanism, "_times_shown", mechanism.Counter())
    interactive.minibatch(**DATA)
    assert shown[:2] == shown[2:]
    assert b"Software" not in shown[0]["image/png"], "a version of matplotlib in the picture"


def test_two_figures_on_a_page_do_not_collide(shown):
    interactive.minibatch(**DATA)
    interactive.minibatch(**DATA)
    pages = [Page(bundle["text/html"]) for bundle in shown[1::2]]
    ids = pages[0].ids + pages[1].ids
    assert len(set(ids)) == len(ids) == 4
    for page in pages:
        root = page.ids[0]
        assert all(name.startswith(root) for name in page.ids)
        assert f'start("{root}", minibatch);' in page.scripts[0]
        # One function around everything: no name reaches the page.
        assert page.scripts[0].strip().startswith("(() => {")
        assert page.scripts[0].strip().endswith("})();")


def test_labels_point_at_ids_that_exist():
    page = Page(to_html("minibatch", DATA, **WORDS))
    for _, attrs in page.tags:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert attrs.get(name, page.ids[0]) in page.ids


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_from_outside(name):
    text = to_html(name, DATA, **WORDS).replace(SVG, "")
    outside = re.findall(
        r"https?:|//cdn|@import|url\(|\bsrc=|\bhref=|\bimport\b\s*[({'\"]|\bfetch\(|XMLHttpRequest"
        r"|WebSocket|sendBeacon|localStorage|\beval\(",
        text,
    )
    assert outside == []


def test_scripts_cannot_end_early():
    for asset in files("bnutils.interactive").iterdir():
        if asset.name.endswith((".js", ".css")):
            text = asset.read_text(encoding="utf-8").lower()
            assert "</script" not in text
            assert "</style" not in text
            assert "<!--" not in text


def test_data_survives_the_page():
    data = {
        "text": "</script><!-- <b>&amp;</b> --> \u2028 \u00e9",
        "numbers": [1, -2.5, 1e-12, 0.0],
        "nothing": None,
        "yes": True,
        "nested": {"a": [[1, 2], [3, 4]]},
    }
    page = Page(to_html("minibatch", data, **WORDS))
    assert json.loads(page.data) == data
    assert len(page.scripts) == 1


def test_arrays_tensors_and_scalars_become_numbers():
    data = {
        "array": np.arange(3.0),
        "tensor": torch.ones(2, requires_grad=True),
        "scalar": np.float32(0.5),
        "count": np.int64(7),
        "flag": np.bool_(True),
    }
    got = json.loads(Page(to_html("minibatch", data, **WORDS)).data)
    assert got == {"array": [0, 1, 2], "tensor": [1, 1], "scalar": 0.5, "count": 7, "flag": True}


def test_floats_keep_the_digits_asked_for():
    data = {"pi": np.pi, "big": 123456789.0, "count": 123456789}
    assert json.loads(Page(to_html("minibatch", data, **WORDS)).data) == {
        "pi": 3.14159,
        "big": 123457000,
        "count": 123456789,
    }
    assert json.loads(Page(to_html("minibatch", data, **WORDS, digits=3)).data)["pi"] == 3.14


def test_measured_numbers_stand_in_the_marked_block_alone():
    """Other data must change nothing that the notebook tests compare."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(Path(__file__).parent / "nbval_sanitize.cfg", encoding="utf-8")
    rules = [(config[name]["regex"], config[name]["replace"]) for name in config.sections()]
    assert rules

    def compared(data):
        text = to_html("minibatch", data, **WORDS)
        for regex, replacement in rules:
            text = re.sub(regex, replacement, text)
        return text

    other = {"x": [9.75, 8.5, -7.125], **dict.fromkeys(STORED, 0.34375)}
    assert compared(DATA) == compared(other)
    assert compared(DATA) != compared(DATA).replace("One unit", "Two units")


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"data": {"x": [1.0, float("nan")]}}, ValueError, r"data\['x'\]\[1\] is nan.*finite"),
        ({"data": {"x": np.array([np.inf])}}, ValueError, r"data\['x'\]\[0\] is inf"),
        ({"data": {"x": {1: 2}}}, TypeError, r"data\['x'\] has the key 1: keys must be strings"),
        ({"data": {"x": object()}}, TypeError, r"data\['x'\] is a object: pass numbers"),
        ({"data": [1, 2]}, TypeError, "data must be a dict"),
        (
            {"name": "nonsense"},
            ValueError,
            "no interactive figure 'nonsense'; there are: .*minibatch",
        ),
        ({"name": "core"}, ValueError, "no interactive figure 'core'"),
        ({"label": " "}, ValueError, "must say something"),
        ({"description": ""}, ValueError, "must say something"),
        ({"figure_id": "a b"}, ValueError, "'a b' is no HTML id"),
    ],
)
def test_bad_figures_are_refused(change, error, says):
    arguments = {"name": "minibatch", "data": DATA, **WORDS, **change}
    with pytest.raises(error, match=says):
        to_html(**arguments)


def test_still_picture_must_be_a_figure(shown):
    with pytest.raises(TypeError, match="static must be a matplotlib Figure, not str"):
        interactive.show("minibatch", DATA, **WORDS, static="picture.png")
    assert shown == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": [[1.0, 2.0]]}, r"shape \(1, 2\); it must be one unit's values"),
        ({"x": [1.0]}, "from 2 to 64"),
        ({"x": np.zeros(65)}, "from 2 to 64"),
        ({"x": [2.0, 2.0, 2.0]}, "all values of x are equal"),
        ({"x": [1.0, float("nan")]}, "x holds NaN or infinity"),
        ({"running_mean": float("inf")}, "running_mean holds NaN or infinity"),
        ({"running_var": -1.0}, "a variance cannot be negative"),
        ({"eps": 0.0}, "eps is 0.0; it must be positive"),
        ({"gamma": 0.0}, "gamma is 0"),
    ],
)
def test_bad_minibatches_are_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        interactive.minibatch(**{**DATA, **change})
    assert shown == []


def test_minibatch_takes_tensors_and_hands_on_what_it_was_given(shown):
    layer = torch.nn.BatchNorm1d(3)
    h = torch.linspace(-1, 2, 12, requires_grad=True).reshape(4, 3)
    mine = plt.figure()
    unit = (layer.running_mean[1], layer.running_var[1], layer.weight[1], layer.bias[1], layer.eps)
    interactive.minibatch(h[:, 1], *unit, label="Mine", description="Look.", static=mine)
    page = Page(shown[1]["text/html"])
    got = json.loads(page.data)
    np.testing.assert_allclose(got.pop("x"), h[:, 1].detach().numpy(), rtol=1e-5)
    assert got == {"running_mean": 0, "running_var": 1, "gamma": 1, "beta": 0, "eps": 1e-5}
    assert ">Mine</p>" in shown[1]["text/html"]


def test_the_still_picture_shows_both_modes():
    figure = still(**DATA)
    assert [ax.get_title().split(":")[0] for ax in figure.axes] == ["train", "eval"]
    plt.close(figure)
