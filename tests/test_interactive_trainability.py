"""The map of which nets train: its numbers are NumPy's, and bad data is refused in words."""

import json

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from bnutils import interactive
from bnutils.experiments.trainability import recorded_map
from bnutils.interactive import mechanism, to_html
from bnutils.interactive.trainability import _digest, still
from tests.test_interactive import Page


def example(seeds=5) -> dict:
    """Two nets, two depths, three rates; every cell has accuracies of its own."""
    rng = np.random.default_rng(0)
    return {
        "pairs": [("ReLU", "He"), ("sigmoid", "Xavier")],
        "norms": ["no norm", "batch norm"],
        "depths": [1, 12],
        "rates": [0.01, 0.1, 1.0],
        "accuracy": rng.uniform(0.05, 1, (2, 2, 2, 3, seeds)),
        "start": (1, 0, 2),
    }


def as_recorded() -> dict:
    """The figure's arguments as the chapter gives them, from the recorded map."""
    found = recorded_map()
    return {
        "pairs": found.pairs,
        "norms": found.norms,
        "depths": found.depths,
        "rates": found.rates,
        "accuracy": found.accuracy,
        "start": (found.pairs.index(("sigmoid", "Xavier")), 2, 6),
    }


def page_html() -> str:
    """The living figure of the recorded map: for the tests in a browser."""
    data = _digest(**as_recorded())
    return to_html("trainability", data, label="The map", description="Choose a net.")


@pytest.fixture
def shown(monkeypatch):
    """What the figure displays, as a list of mime bundles; the count of figures starts anew."""
    bundles = []
    monkeypatch.setattr(mechanism, "display", lambda bundle, raw: bundles.append(bundle))
    monkeypatch.setattr(mechanism, "_times_shown", mechanism.Counter())
    return bundles


def data_of(bundle) -> dict:
    return json.loads(Page(bundle["text/html"]).data)


def test_a_still_picture_and_a_living_one(shown):
    interactive.trainability(**example())
    kinds = [["image/png", "text/plain"], ["text/html", "text/plain"]]
    assert [sorted(bundle) for bundle in shown] == kinds
    assert shown[0]["image/png"].startswith(b"\x89PNG")
    assert not plt.get_fignums(), "the still picture would be shown a second time"
    page = Page(shown[1]["text/html"])
    assert page.ids[0] == "bn-trainability"
    assert 'start("bn-trainability", trainability);' in page.scripts[0]


def test_the_same_figure_gives_the_same_bytes(shown, monkeypatch):
    interactive.trainability(**example())
    monkeypatch.setattr(mechanism, "_times_shown", mechanism.Counter())
    interactive.trainability(**example())
    assert shown[:2] == shown[2:]


def test_the_page_holds_numpys_numbers(shown):
    given = example()
    interactive.trainability(**given)
    data = data_of(shown[1])
    assert data["pairs"] == [["ReLU", "He"], ["sigmoid", "Xavier"]]
    assert (data["depths"], data["rates"], data["seeds"]) == ([1, 12], [0.01, 0.1, 1], 5)
    assert data["start"] == {"pair": 1, "depth": 0, "rate": 2}
    percent = 100 * given["accuracy"]
    np.testing.assert_allclose(data["median"], np.median(percent, -1), rtol=1e-5)
    np.testing.assert_allclose(data["low"], percent.min(-1), rtol=1e-5)
    np.testing.assert_allclose(data["high"], percent.max(-1), rtol=1e-5)


def test_only_the_marked_block_depends_on_what_was_measured(shown):
    interactive.trainability(**example())
    interactive.trainability(**example(seeds=6))
    texts = [bundle["text/html"] for bundle in shown[1::2]]
    blocks = [Page(text).data for text in texts]
    assert blocks[0] != blocks[1]
    bare = [text.replace(block, "") for text, block in zip(texts, blocks, strict=True)]
    assert bare[0] == bare[1].replace("bn-trainability-2", "bn-trainability")


def test_tensors_and_lists_will_do(shown):
    given = example()
    interactive.trainability(**given)
    accuracy = torch.tensor(given["accuracy"], requires_grad=True)
    interactive.trainability(**{**given, "accuracy": accuracy})
    interactive.trainability(**{**given, "accuracy": given["accuracy"].tolist()})
    assert data_of(shown[1]) == data_of(shown[3]) == data_of(shown[5])


def test_own_words_and_own_picture(shown):
    interactive.trainability(**example(), label="Mine", description="Look.", static=plt.figure())
    assert ">Mine</p>" in shown[1]["text/html"]
    assert ">Look.</p>" in shown[1]["text/html"]
    assert not plt.get_fignums()


def test_the_still_picture_shows_both_maps_of_the_net_chosen_at_first():
    data = _digest(**example())
    figure = still(data)
    for ax, medians in zip(figure.axes, data["median"][1], strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), medians)
    lower = figure.axes[1]
    title = lower.get_title() or lower.get_title(loc="left")  # the house style's
    assert title == "batch norm: test accuracy, %"
    assert figure.get_suptitle() == "sigmoid, Xavier"
    plt.close(figure)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"norms": ["no norm"]}, "give two norms"),
        ({"pairs": [("ReLU",), ("sigmoid", "Xavier")]}, "an activation and an initialization"),
        ({"accuracy": np.full((2, 2, 2, 3), 0.5)}, r"it must be \(2, 2, 2, 3, S\)"),
        ({"accuracy": np.full((2, 2, 3, 2, 4), 0.5)}, r"shape \(2, 2, 3, 2, 4\)"),
        ({"accuracy": np.full((2, 2, 2, 3, 4), 97.0)}, "beyond 0 to 1; give shares"),
        ({"accuracy": np.full((2, 2, 2, 3, 4), np.nan)}, "no NaN"),
        ({"rates": [0.1, 0.01, 1]}, "rates are .* must increase"),
        ({"depths": [0, 12]}, "depths are .* from above 0"),
        ({"start": (2, 0, 0)}, "start has pair 2; it must be from 0 to 1"),
        ({"start": (0, 0, -1)}, "start has rate -1; it must be from 0 to 2"),
    ],
)
def test_bad_data_is_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        interactive.trainability(**{**example(), **change})
    assert shown == []
