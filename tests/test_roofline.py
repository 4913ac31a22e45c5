"""The roof is measured by counting right, and drawn where it belongs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from bnutils.speed import roofline


@pytest.fixture
def half_a_second(monkeypatch):
    """A machine on which every call takes half a second, whatever it does; the calls are run."""

    def in_turns(calls, rounds, device):
        for call in calls.values():
            call()
        return {label: [0.5] * rounds for label in calls}

    monkeypatch.setattr(roofline.timing, "in_turns", in_turns)


def test_a_copy_reads_and_writes_each_number(half_a_second):
    assert roofline.bandwidth("cpu", numbers=1000) == 2 * 4 * 1000 / 0.5


def test_a_product_multiplies_and_adds(half_a_second):
    assert roofline.peak("cpu", n=10) == 2 * 10**3 / 0.5
    assert roofline.peak("cpu", torch.bfloat16, n=10) == 2 * 10**3 / 0.5


def test_real_rates_are_positive():
    assert roofline.bandwidth("cpu", numbers=2**16, rounds=1) > 0
    assert roofline.peak("cpu", n=32, rounds=1) > 0


def test_the_roof_has_a_slope_a_ridge_and_a_flat_part():
    _, ax = plt.subplots()
    computations = {"batch norm": (0.5, 1e9), "convolution": (100.0, 5e10)}
    assert roofline.draw(ax, peak=1e11, bandwidth=1e10, computations=computations) is ax
    roof, ridge, *points = ax.get_lines()
    x, y = roof.get_data()
    np.testing.assert_allclose(y[x < 9], 10 * x[x < 9])
    np.testing.assert_allclose(y[x > 11], 100)
    assert x[0] < 0.5
    assert x[-1] > 100
    assert ridge.get_xdata()[0] == 10
    assert [tuple(p.get_xydata()[0]) for p in points] == [(0.5, 1.0), (100.0, 50.0)]
    plt.close()
