"""Interactive figures: self-contained, the same every time, and clear about bad data.

What takes a `figure` is tested on every figure there is, with the example from its own tests.
"""

import configparser
import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from bnutils import interactive
from bnutils.interactive import mechanism, to_html
from tests.figures import NAMES, Figure, Page, data_of, figure_called
from tests.test_interactive_minibatch import GIVEN as DATA

WORDS = {"label": "One unit", "description": "Drag the large point."}
SVG = "http://www.w3.org/2000/svg"


@pytest.fixture(params=NAMES)
def figure(request) -> Figure:
    """Each figure in turn."""
    return figure_called(request.param)


def test_still_picture_first_then_one_piece_of_html(shown, figure):
    figure.show()
    assert [sorted(bundle) for bundle in shown] == [
        ["image/png", "text/plain"],
        ["text/html", "text/plain"],
    ]
    assert shown[0]["image/png"].startswith(b"\x89PNG")
    assert not plt.get_fignums(), "the still picture would be shown a second time"
    page = Page(shown[1]["text/html"])
    assert page.ids[0] == f"bn-{figure.name}"
    assert f'start("bn-{figure.name}", {figure.name});' in page.scripts[0]


def test_the_same_figure_gives_the_same_bytes(shown, figure):
    figure.show()
    mechanism._times_shown.clear()
    figure.show()
    assert shown[:2] == shown[2:]
    assert b"Software" not in shown[0]["image/png"], "a version of matplotlib in the picture"


def test_two_figures_on_a_page_do_not_collide(shown, figure):
    figure.show()
    figure.show()
    assert shown[0] == shown[2], "the still picture depends on how many there are"
    pages = [Page(bundle["text/html"]) for bundle in shown[1::2]]
    ids = pages[0].ids + pages[1].ids
    assert len(set(ids)) == len(ids) == 4
    for page in pages:
        root = page.ids[0]
        assert all(name.startswith(root) for name in page.ids)
        assert f'start("{root}", {figure.name});' in page.scripts[0]
        # One function around everything: no name reaches the page.
        assert page.scripts[0].strip().startswith("(() => {")
        assert page.scripts[0].strip().endswith("})();")


def test_only_the_marked_block_depends_on_what_was_measured(shown, figure):
    figure.show()
    figure.show(**figure.other)
    texts = [bundle["text/html"] for bundle in shown[1::2]]
    blocks = [Page(text).data for text in texts]
    assert blocks[0] != blocks[1]
    bare = [text.replace(block, "") for text, block in zip(texts, blocks, strict=True)]
    assert bare[0] == bare[1].replace(f"bn-{figure.name}-2", f"bn-{figure.name}")


def with_numbers(value, made):
    """The same arguments, with what holds numbers made into something else."""
    if isinstance(value, dict):
        return {key: with_numbers(each, made) for key, each in value.items()}
    if isinstance(value, list | np.ndarray) and np.asarray(value).dtype.kind in "if":
        return made(np.asarray(value))
    return value


def test_tensors_and_lists_will_do(shown, figure):
    def tensor(array):
        return torch.tensor(array, requires_grad=array.dtype.kind == "f")

    figure.show()
    figure.show(**with_numbers(figure.example, tensor))
    figure.show(**with_numbers(figure.example, np.ndarray.tolist))
    assert data_of(shown[1]) == data_of(shown[3]) == data_of(shown[5])


def test_own_words_and_own_picture(shown, figure, monkeypatch):
    mine = plt.figure()
    saved = []
    savefig = type(mine).savefig
    monkeypatch.setattr(
        type(mine), "savefig", lambda self, *a, **k: saved.append(self) or savefig(self, *a, **k)
    )
    figure.show(label="Mine", description="Look.", static=mine)
    assert saved == [mine]
    assert ">Mine</p>" in shown[1]["text/html"]
    assert ">Look.</p>" in shown[1]["text/html"]
    assert not plt.get_fignums()


def test_labels_point_at_ids_that_exist(figure):
    page = Page(figure.html())
    for _, attrs in page.tags:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert attrs.get(name, page.ids[0]) in page.ids


def test_nothing_from_outside(figure):
    text = figure.html().replace(SVG, "")
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


def test_measured_numbers_stand_in_the_marked_block_alone(figure):
    """Other data must change nothing that the notebook tests compare."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(Path(__file__).parent / "nbval_sanitize.cfg", encoding="utf-8")
    rules = [(config[name]["regex"], config[name]["replace"]) for name in config.sections()]
    assert rules

    def compared(**change):
        text = figure.html(**change)
        for regex, replacement in rules:
            text = re.sub(regex, replacement, text)
        return text

    assert compared() == compared(**figure.other)
    assert compared() != compared().replace("The figure", "Another figure")


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
