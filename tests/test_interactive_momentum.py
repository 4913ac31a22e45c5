"""The momentum dial: its numbers are NumPy's and torch's, and bad data is refused in words."""

import numpy as np
import pytest
import torch

from bnutils.interactive.momentum import _digest, running_average, still
from tests.figures import Figure, data_of

ALPHAS = [0.01, 0.1, 1.0]
STEPS = [1, 2, 5, 10, 20, 40, 60]


def example(steps=STEPS, seeds=7, t=60) -> dict:
    """A mean that moves, its noisy batches, and errors of which each stop has its own."""
    rng = np.random.default_rng(0)
    time = np.arange(1, t + 1)
    mean = 1.5 - np.exp(-time / 15)
    best = 4 + 60 * np.exp(-np.asarray(steps) / 6)[:, None] + rng.uniform(0, 0.5, (1, seeds))
    worse = np.array([20.0, 0.3, 3.0])[:, None, None] * np.exp(-np.asarray(steps) / 30)[:, None]
    return {
        "alphas": ALPHAS,
        "steps": steps,
        "batch_means": mean + rng.normal(0, 0.2, t),
        "population_means": mean,
        "population_sds": 1 + 0.01 * time,
        "errors": best + worse,
        "best_errors": best,
        "cumulative_errors": best + 1 + rng.uniform(0, 1, best.shape),
        "start": 0.25,
    }


def digest(best_errors, cumulative_errors, **given) -> dict:
    return _digest(best=best_errors, cumulative=cumulative_errors, **given)


FIGURE = Figure("momentum", example(), example(seeds=9) | {"start": 1.0}, digest)


@pytest.mark.parametrize("alpha", [0.01, 0.3, 1.0, None])
def test_the_running_average_is_torchs(alpha):
    layer = torch.nn.BatchNorm1d(1, momentum=alpha, dtype=torch.float64)
    values = example()["batch_means"]
    torchs = []
    for value in values:
        layer(torch.tensor([[value - 1], [value + 1]]))
        torchs.append(layer.running_mean.item())
    np.testing.assert_allclose(running_average(values, alpha), torchs, rtol=1e-12, atol=1e-12)


def test_the_running_average_begins_where_it_is_told():
    np.testing.assert_allclose(running_average([0, 0, 0], 0.5, 8), [4, 2, 1])
    np.testing.assert_allclose(running_average([3, 5, 1], None, 8), [3, 4, 3])


def test_the_page_holds_numpys_numbers(shown):
    given = example()
    FIGURE.show()
    data = data_of(shown[1])
    assert data["alphas"] == [*ALPHAS, None]
    assert data["steps"] == STEPS
    assert data["start"] == 0.25
    for name, key in [("batch", "batch_means"), ("mean", "population_means")]:
        np.testing.assert_allclose(data[name], given[key], rtol=1e-8)
    np.testing.assert_allclose(data["sd"], given["population_sds"], rtol=1e-8)
    np.testing.assert_allclose(data["errors"][:-1], np.median(given["errors"], -1), rtol=1e-8)
    np.testing.assert_allclose(data["errors"][-1], np.median(given["cumulative_errors"], -1))
    np.testing.assert_allclose(data["best"], np.median(given["best_errors"], -1), rtol=1e-8)


def test_without_cumulative_errors_the_dial_has_one_stop_less():
    data = FIGURE.data(cumulative_errors=None)
    assert data["alphas"] == ALPHAS
    assert data["errors"].shape == (len(ALPHAS), len(STEPS))


def test_the_still_picture_shows_three_stops_and_the_best():
    data = FIGURE.data()
    figure = still(data)
    upper, lower = figure.axes
    drawn = {line.get_label(): line.get_ydata() for line in upper.lines}
    for alpha in ALPHAS:
        stored = running_average(data["batch"], alpha, data["start"])
        np.testing.assert_array_equal(drawn[f"stored, α = {alpha:g}"], stored)
    drawn = {line.get_label(): line.get_ydata() for line in lower.lines}
    np.testing.assert_array_equal(drawn["re-estimated"], data["best"])
    np.testing.assert_array_equal(drawn["stored, α = 0.1"], data["errors"][1])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"alphas": [0.1]}, r"alphas have shape \(1,\); give one number per stop"),
        ({"alphas": [0.1, 0.01, 1]}, "they must increase, above 0 and up to 1"),
        ({"alphas": [0, 0.01, 1]}, "above 0"),
        ({"alphas": [0.1, 0.9, 1.5]}, "up to 1: torch's momentum"),
        ({"steps": [1]}, r"steps have shape \(1,\)"),
        ({"steps": [0, 2, 5, 10, 20, 40, 60]}, "lie from 1 to the 60"),
        ({"steps": [1, 2, 5, 10, 20, 40, 61]}, "lie from 1 to the 60"),
        ({"steps": [1, 2, 5, 10, 20, 40, 59.5]}, "must be whole"),
        ({"steps": [1, 2, 5, 5, 20, 40, 60]}, "increase"),
        ({"batch_means": [1.0]}, "one mean per training step"),
        ({"population_means": np.ones(59)}, r"population_means have shape \(59,\), batch_means"),
        ({"population_sds": np.zeros(60)}, "this unit is constant there"),
        ({"errors": np.full((3, 7), 5.0)}, r"errors have shape \(3, 7\).*\(3, 7, S\)"),
        ({"best_errors": np.full((6, 4), 5.0)}, r"best_errors have shape \(6, 4\).*\(7, S\)"),
        ({"cumulative_errors": np.full(7, 5.0)}, "cumulative_errors have shape"),
        ({"errors": np.full((3, 7, 4), 101.0)}, "errors reach beyond 0 to 100"),
        ({"errors": np.full((3, 7, 4), 0.5)}, "errors are at most 1; give per cent"),
        ({"start": np.nan}, "start holds NaN"),
        ({"batch_means": [np.inf, *range(59)]}, "batch_means holds NaN or infinity"),
    ],
)
def test_bad_data_is_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        FIGURE.show(**change)
    assert shown == []
