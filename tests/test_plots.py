"""Recurring figures draw what they are given and refuse what they cannot draw."""

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

from bnutils import plots


@pytest.fixture
def ax():
    return plt.subplots()[1]


def test_dots_shows_every_seed_and_the_interval(ax):
    values = np.linspace(0, 1, 20)
    assert plots.dots(ax, {"batch": values, "none": values + 1}) is ax
    points = np.concatenate([line.get_ydata() for line in ax.lines if len(line.get_xdata()) == 20])
    assert sorted(points) == sorted([*values, *(values + 1)])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["batch", "none"]
    assert len(ax.collections) == 2  # an interval each


def test_band_draws_the_median(ax):
    runs = np.arange(30.0).reshape(10, 3)
    assert plots.band(ax, [0, 1, 2], runs, "batch norm", plots.BLUE) is ax
    assert np.allclose(ax.lines[0].get_ydata(), np.median(runs, axis=0))
    with pytest.raises(ValueError, match="one row per seed"):
        plots.band(ax, [0, 1], runs, "batch norm", plots.BLUE)


def test_house_style_is_opaque_and_known_to_matplotlib():
    plots.use_house_style()
    assert matplotlib.rcParams["figure.facecolor"] == "white"
