"""The decay dial: what it holds is NumPy's, and bad data is refused in words."""

import numpy as np
import pytest

from bnutils.interactive.equilibrium import _digest, predicted, still
from tests.figures import Figure, data_of

PRODUCTS = [0.002, 0.008, 0.032]
RATES = [0.4, 0.1]
STEPS = [10, 20, 50, 100, 200, 400]


def example(seeds=5, steps=STEPS) -> dict:
    """Lengths that relax as the theory has it, with another length for each rate, and noise."""
    rng = np.random.default_rng(0)
    product = np.array(PRODUCTS)[:, None, None, None]
    rate = np.array(RATES)[None, :, None, None]
    time = np.array(steps, dtype=float)[None, None, :, None]
    end = (0.01 * rate**2 / product) ** 0.25
    fourth = end**4 + (1.4**4 - end**4) * np.exp(-4 * product * time)
    lengths = fourth**0.25 * rng.uniform(0.95, 1.05, (3, 2, len(steps), seeds))
    angles = np.sqrt(2 * product) * (end / lengths) ** 2
    given = {"products": PRODUCTS, "rates": RATES, "steps": steps}
    return {**given, "lengths": lengths, "angles": angles}


FIGURE = Figure("equilibrium", example(), example(seeds=9), _digest)


def test_the_page_holds_numpys_medians_and_degrees(shown):
    given = example()
    FIGURE.show()
    data = data_of(shown[1])
    assert (data["products"], data["rates"], data["steps"]) == (PRODUCTS, RATES, STEPS)
    np.testing.assert_allclose(data["lengths"], np.median(given["lengths"], -1), rtol=1e-4)
    degrees = np.median(given["angles"], -1) * 180 / np.pi
    np.testing.assert_allclose(data["angles"], degrees, rtol=1e-4)


def test_the_prediction_is_the_root_in_degrees():
    assert predicted(0.5) == pytest.approx(180 / np.pi)
    np.testing.assert_allclose(predicted([0.02, 0.08]), np.array([0.2, 0.4]) * 180 / np.pi)


def test_the_still_picture_shows_three_stops_at_two_rates_and_the_theory():
    data = FIGURE.data()
    figure = still(data)
    left, right = figure.axes
    drawn = {line.get_label(): line.get_ydata() for line in left.lines}
    np.testing.assert_array_equal(drawn["ηλ = 0.008, η = 0.1"], data["lengths"][1][1])
    assert len(drawn) == 6
    levels = [line.get_ydata()[0] for line in right.lines if len(set(line.get_ydata())) == 1]
    np.testing.assert_allclose(levels, predicted(PRODUCTS))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"products": [0.1]}, r"products have shape \(1,\); give 2 to 12 numbers"),
        ({"products": [0.1, 0.01, 1]}, "products are .*; they must increase"),
        ({"products": [0, 0.01, 1]}, "products holds 0; every number must be above 0"),
        ({"rates": [0.1]}, r"rates have shape \(1,\)"),
        ({"steps": [10, 20, 50, 100, 200, 200]}, "steps are .*; they must increase"),
        ({"steps": [10, 20, 50, 100, 200, 200.5]}, "must be whole"),
        ({"lengths": np.ones((3, 2, 6))}, r"lengths have shape \(3, 2, 6\).*\(3, 2, 6, S\)"),
        ({"angles": np.ones((2, 3, 6, 5))}, r"angles have shape \(2, 3, 6, 5\)"),
        ({"angles": np.full((3, 2, 6, 5), 4.0)}, "angles are above π"),
        ({"angles": np.full((3, 2, 6, 5), np.nan)}, "angles holds NaN"),
        ({"lengths": np.zeros((3, 2, 6, 5))}, "lengths holds 0"),
    ],
)
def test_bad_data_is_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        FIGURE.show(**change)
    assert shown == []
