"""The map of which nets train: its numbers are NumPy's, and bad data is refused in words."""

import numpy as np
import pytest

from bnutils.interactive.trainability import _digest, still
from tests.figures import Figure, data_of


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


FIGURE = Figure("trainability", example(), example(seeds=6), _digest)


def test_the_page_holds_numpys_numbers(shown):
    given = example()
    FIGURE.show()
    data = data_of(shown[1])
    assert data["pairs"] == [["ReLU", "He"], ["sigmoid", "Xavier"]]
    assert (data["depths"], data["rates"], data["seeds"]) == ([1, 12], [0.01, 0.1, 1], 5)
    assert data["start"] == {"pair": 1, "depth": 0, "rate": 2}
    percent = 100 * given["accuracy"]
    np.testing.assert_allclose(data["median"], np.median(percent, -1), rtol=1e-5)
    np.testing.assert_allclose(data["low"], percent.min(-1), rtol=1e-5)
    np.testing.assert_allclose(data["high"], percent.max(-1), rtol=1e-5)


def test_the_still_picture_shows_both_maps_of_the_net_chosen_at_first():
    data = FIGURE.data()
    figure = still(data)
    for ax, medians in zip(figure.axes, data["median"][1], strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), medians)
    lower = figure.axes[1]
    title = lower.get_title() or lower.get_title(loc="left")  # the house style's
    assert title == "batch norm: test accuracy, %"
    assert figure.get_suptitle() == "sigmoid, Xavier"


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
        FIGURE.show(**change)
    assert shown == []
