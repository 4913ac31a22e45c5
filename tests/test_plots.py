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


def test_percentile_tracks_draws_the_three_and_names_the_median(ax):
    steps, tracks = [0, 20, 40], np.array([[-1, 0, 1], [-2, 1, 2], [-3, 2, 5]])
    drawn = plots.percentile_tracks(ax, steps, tracks, label="unit 0", colour=plots.BLUE)
    assert drawn is ax
    assert [line.get_ydata().tolist() for line in ax.lines] == tracks[:, [0, 2, 1]].T.tolist()
    assert [line.get_label() for line in ax.lines if line.get_label()[0] != "_"] == ["unit 0"]
    assert ax.lines[-1].get_label() == "unit 0"
    (band,) = ax.collections
    box = band.get_paths()[0].get_extents()
    assert (box.y0, box.y1) == (-3, 5)


@pytest.mark.parametrize(
    ("tracks", "complaint"),
    [(np.zeros((3, 2)), "shape"), (np.zeros((3, 3)), "shape"), ([[0, 1, 2], [0, 2, 1]], "lowest")],
)
def test_percentile_tracks_refuses_what_it_cannot_draw(ax, tracks, complaint):
    with pytest.raises(ValueError, match=complaint):
        plots.percentile_tracks(ax, [0, 20], tracks, label="unit 0", colour=plots.BLUE)


def test_heat_map_writes_every_number_where_it_belongs(ax):
    percent = np.array([[0, 49.6, 99], [10, 20, 30]])
    assert plots.heat_map(ax, percent, [0.1, 1, 10], [1, "twelve"]) is ax
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert (written[(1, 0)], written[(0, 1)], len(written)) == ("50", "10", 6)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.1", "1", "10"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["1", "twelve"]
    (picture,) = ax.images
    colours = picture.cmap(picture.norm(percent))
    assert (colours[0, 0] == 1).all(), "nothing is white"
    assert colours[0, 2, 0] < colours[0, 1, 0] < 1, "more is bluer"
    with pytest.raises(ValueError, match=r"shape \(2, 3\); it must be \(3, 2\)"):
        plots.heat_map(ax, percent, [1, 2], [1, 2, 3])


def test_house_style_is_opaque_and_known_to_matplotlib():
    plots.use_house_style()
    assert matplotlib.rcParams["figure.facecolor"] == "white"
