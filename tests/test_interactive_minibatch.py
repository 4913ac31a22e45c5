"""The figure of a minibatch: it holds what it was given, and bad data is refused in words."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from bnutils import interactive
from bnutils.interactive.minibatch import still
from tests.figures import Figure, data_of

STORED = {"running_mean": 0.1, "running_var": 2.0, "gamma": 1.5, "beta": -0.25, "eps": 1e-5}
GIVEN = {"x": [0.5, -1.25, 3.0, 0.125], **STORED}
FIGURE = Figure("minibatch", GIVEN, {"x": [9.75, 8.5, -7.125], **dict.fromkeys(STORED, 0.34375)})


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
def test_bad_data_is_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        FIGURE.show(**change)
    assert shown == []


def test_it_takes_tensors_and_hands_on_what_it_was_given(shown):
    layer = torch.nn.BatchNorm1d(3)
    h = torch.linspace(-1, 2, 12, requires_grad=True).reshape(4, 3)
    mine = plt.figure()
    unit = (layer.running_mean[1], layer.running_var[1], layer.weight[1], layer.bias[1], layer.eps)
    interactive.minibatch(h[:, 1], *unit, label="Mine", description="Look.", static=mine)
    got = data_of(shown[1])
    np.testing.assert_allclose(got.pop("x"), h[:, 1].detach().numpy(), rtol=1e-5)
    assert got == {"running_mean": 0, "running_var": 1, "gamma": 1, "beta": 0, "eps": 1e-5}
    assert ">Mine</p>" in shown[1]["text/html"]


def test_the_still_picture_shows_both_modes():
    figure = still(**GIVEN)
    assert [ax.get_title().split(":")[0] for ax in figure.axes] == ["train", "eval"]
