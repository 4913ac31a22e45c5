"""The batch-size dial: its draws and statistics are NumPy's, and bad data is refused in words."""

import numpy as np
import pytest
from scipy import stats

from bnutils import interactive
from bnutils.interactive.batch_size import _digest, drawn, statistics, still
from tests.figures import Figure, data_of


def example(seed=5, images=90) -> dict:
    """One unit with a bell, one that is nearly always blank."""
    rng = np.random.default_rng(seed)
    units = {
        "a bell": rng.normal(3, 2, images),
        "nearly blank": np.where(np.arange(images) % 15, 0.0, 8.0 + np.arange(images) % 4),
    }
    return {"units": units, "seed": 4_000_000_000 + seed, "batches": 60, "sizes": [2, 4, 16, 64]}


FIGURE = Figure("batch_size", example() | {"start": 4}, example(6) | {"start": 4}, _digest)


def one_by_one(seed: int, k: int) -> int:
    """Number k of mulberry32, as it is usually written: from the one before."""
    a, mask = seed, 2**32 - 1
    for _ in range(k + 1):
        a = (a + 0x6D2B79F5) & mask
    t = ((a ^ (a >> 15)) * (a | 1)) & mask
    t ^= (t + (t ^ (t >> 7)) * (t | 61)) & mask
    return t ^ (t >> 14)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_draws_are_those_of_the_usual_generator(seed):
    picks = drawn(seed, 1000, 3, 4, turn=2)
    wanted = [one_by_one(seed, 24 + k) * 1000 // 2**32 for k in range(12)]
    np.testing.assert_array_equal(picks.ravel(), wanted)


def test_every_image_is_drawn_as_often_as_any_other():
    picks = drawn(7, 50, 200, 256)
    assert stats.chisquare(np.bincount(picks.ravel(), minlength=50)).pvalue > 0.001
    # Neighbours in a batch know nothing of each other.
    assert abs(np.corrcoef(picks[:, :-1].ravel(), picks[:, 1:].ravel())[0, 1]) < 0.02


def test_other_batches_are_others():
    first, second = drawn(7, 1000, 20, 8), drawn(7, 1000, 20, 8, turn=1)
    assert (first == second).mean() < 0.05


def test_statistics_are_batch_norms():
    values = np.array([0.0, 1.0, 5.0, 10.0])
    means, sds, largest = statistics(values, np.array([[0, 3], [1, 1]]), eps=1e-5)
    np.testing.assert_allclose(means * values.std() + values.mean(), [5, 1])
    np.testing.assert_allclose(sds * values.std(), [5, 0])
    np.testing.assert_allclose(largest, [5 / np.sqrt(25 + 1e-5), 0])


def test_the_page_holds_the_units_and_no_statistics(shown):
    FIGURE.show()
    data = data_of(shown[1])
    given = FIGURE.example
    assert [unit["name"] for unit in data["units"]] == list(given["units"])
    for unit, values in zip(data["units"], given["units"].values(), strict=True):
        np.testing.assert_allclose(unit["values"], values, rtol=1e-5)
    assert (data["seed"], data["batches"], data["sizes"]) == (4_000_000_005, 60, [2, 4, 16, 64])
    assert (data["start"], data["eps"]) == (1, 1e-5)
    assert set(data) == {"units", "seed", "batches", "sizes", "start", "eps"}


def test_the_still_picture_shows_clouds_and_ceilings():
    data = FIGURE.data()
    *clouds, ceilings = still(data).axes
    values = data["units"][0]["values"]
    picks = drawn(data["seed"], 90, 60, 64)
    for ax, m in zip(clouds, (2, 4, 16, 64), strict=True):
        means, sds, _ = statistics(values, picks[:, :m], 1e-5)
        points = ax.lines[1]
        np.testing.assert_allclose(points.get_xdata(), means)
        np.testing.assert_allclose(points.get_ydata(), sds)
        assert f"m = {m}" in (ax.get_title() or ax.get_title(loc="left"))
    np.testing.assert_allclose(ceilings.lines[-1].get_ydata(), np.sqrt([1, 3, 15, 63]))


def test_a_chapter_needs_units_and_a_seed_only(shown):
    values = np.arange(300.0)
    interactive.batch_size({"ramp": values}, seed=3)
    data = data_of(shown[1])
    assert data["sizes"][data["start"]] == 8
    assert data["sizes"][-1] == 256


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"units": {}}, "there are no units; give at least one"),
        ({"units": {"a": np.arange(3.0), "b": np.arange(4.0)}}, r"shapes \[\(3,\), \(4,\)\]"),
        ({"units": {"a": np.ones((2, 2))}}, r"each must be \(N,\)"),
        ({"units": {"a": np.ones(5)}}, "unit 'a' is constant"),
        ({"units": {"a": [0.0, np.nan]}}, "unit 'a' holds NaN"),
        ({"sizes": [1, 4]}, "increase from 2 on"),
        ({"sizes": [4, 2]}, "increase from 2 on"),
        ({"sizes": [2.5, 4]}, "give whole numbers"),
        ({"start": 5}, "start is 5; it must be one of the sizes"),
        ({"batches": 5}, "batches is 5; from 20 to 500"),
        ({"seed": -1}, "seed is -1; it must be in"),
        ({"eps": 0}, "eps is 0; it must be positive"),
    ],
)
def test_bad_data_is_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        FIGURE.show(**change)
    assert shown == []
