"""Conventions: what is moved between frameworks computes the same, and the tables are right."""

import inspect

import numpy as np
import pytest
import torch

from bnutils.conventions import CONVENTIONS, TORCH, convert_arrays, convert_settings

ARRAYS = {
    "gamma": np.array([1.0, 2.0, 0.5]),
    "beta": np.array([0.0, -1.0, 3.0]),
    "moving_mean": np.array([0.5, 0.0, -2.0]),
    "moving_variance": np.array([1.0, 4.0, 0.25]),
}
TRAINED = ("torch", "keras", "tf_fused", "flax")


class Simulated:
    """The layer of a convention, from its arrays and settings alone, in NumPy."""

    def __init__(self, name, momentum, eps):
        self.is_ = CONVENTIONS[name]
        self.momentum, self.eps = momentum, eps
        self.mean, self.var = np.zeros(3), np.ones(3)

    def update(self, x):
        newest = self.momentum if self.is_.weighs_newest else 1 - self.momentum
        self.mean += newest * (x.mean(0) - self.mean)
        self.var += newest * (x.var(0, ddof=int(self.is_.stores_unbiased)) - self.var)


def test_torchs_convention_is_torchs():
    layer = torch.nn.BatchNorm1d(3)
    assert set(TORCH.names) | {"num_batches_tracked"} == set(layer.state_dict())
    assert (layer.momentum, layer.eps) == (TORCH.default_momentum, TORCH.default_eps)
    assert {"momentum", TORCH.epsilon} <= set(inspect.signature(torch.nn.BatchNorm1d).parameters)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours = Simulated("torch", 0.3, 1e-5)
    layer = torch.nn.BatchNorm1d(3, momentum=0.3, dtype=torch.float64)
    layer(x)
    ours.update(x.numpy())
    np.testing.assert_allclose(layer.running_mean, ours.mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var, ours.var, rtol=1e-12)


def test_kerass_defaults_in_torchs_words():
    assert convert_settings({}, "keras", "torch") == {"momentum": 0.01, "eps": 1e-3}
    assert convert_settings({}, "flax", "torch") == {"momentum": 0.01, "eps": 1e-5}
    assert convert_settings({}, "torch", "keras") == {"momentum": 0.9, "epsilon": 1e-5}
    assert convert_settings({"momentum": 0.9}, "keras", "flax") == {
        "momentum": 0.9,
        "epsilon": 1e-3,
    }


def test_a_keras_layer_evaluates_the_same_in_torch():
    settings = convert_settings({}, "keras", "torch")
    layer = torch.nn.BatchNorm1d(3, **settings, dtype=torch.float64)
    state = convert_arrays(ARRAYS, "keras", "torch")
    layer.load_state_dict({name: torch.from_numpy(a) for name, a in state.items()})
    x = np.random.default_rng(0).standard_normal((6, 3))
    wanted = ARRAYS["gamma"] * (x - ARRAYS["moving_mean"])
    wanted = wanted / np.sqrt(ARRAYS["moving_variance"] + 1e-3) + ARRAYS["beta"]
    with torch.no_grad():
        np.testing.assert_allclose(layer.eval()(torch.from_numpy(x)), wanted, rtol=1e-12)


@pytest.mark.parametrize("source", TRAINED)
@pytest.mark.parametrize("target", TRAINED)
def test_with_m_the_target_would_have_stored_it(source, target):
    """Both trained on the same batches of m from mean 0 and variance 1: arrays convert exactly."""
    m, rng = 4, np.random.default_rng(1)
    settings = convert_settings({"momentum": 0.25}, source, target)
    epsilon = CONVENTIONS[target].epsilon
    one = Simulated(source, 0.25, None)
    other = Simulated(target, settings["momentum"], settings[epsilon])
    one.var = other.var = np.zeros(3)  # the start (0, 1) is no variance of a batch: leave it out
    one.var, other.var = one.var.copy(), other.var.copy()
    for _ in range(7):
        x = rng.standard_normal((m, 3))
        one.update(x)
        other.update(x)
    stored = dict(zip(CONVENTIONS[source].names[2:], (one.mean, one.var), strict=True))
    moved = convert_arrays(stored, source, target, m=m)
    np.testing.assert_allclose(moved[CONVENTIONS[target].running_mean], other.mean, rtol=1e-12)
    np.testing.assert_allclose(moved[CONVENTIONS[target].running_var], other.var, rtol=1e-12)


@pytest.mark.parametrize("source", TRAINED)
@pytest.mark.parametrize("target", TRAINED)
def test_there_and_back_is_where_it_was(source, target):
    there = convert_settings({"momentum": 0.03}, source, target)
    back = convert_settings(there, target, source)
    assert back["momentum"] == 0.03
    assert back[CONVENTIONS[source].epsilon] == CONVENTIONS[source].default_eps
    arrays = dict(zip(CONVENTIONS[source].names, ARRAYS.values(), strict=True))
    for m in (None, 8):
        there = convert_arrays(arrays, source, target, m=m)
        back = convert_arrays(there, target, source, m=m)
        assert list(back) == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_allclose(back[name], array, rtol=1e-12)


def test_by_default_the_variance_is_copied_and_never_shared():
    moved = convert_arrays(ARRAYS, "keras", "torch")
    np.testing.assert_array_equal(moved["running_var"], ARRAYS["moving_variance"])
    moved["running_var"][:] = 7
    assert ARRAYS["moving_variance"][0] == 1
    halves = convert_arrays({k: a.astype(np.float32) for k, a in ARRAYS.items()}, "keras", "flax")
    assert halves["var"].dtype == np.float32


def test_torchs_state_dict_goes_in_as_it_is():
    layer = torch.nn.BatchNorm2d(3)
    assert list(convert_arrays(layer.state_dict(), "torch", "keras")) == list(ARRAYS)
    bare = torch.nn.BatchNorm2d(3, affine=False)
    assert list(convert_arrays(bare.state_dict(), "torch", "flax")) == ["mean", "var"]


def test_torch_keeps_its_cumulative_average_and_nobody_else_has_one():
    kept = convert_settings({"momentum": None}, "torch", "torch")
    assert kept == {"momentum": None, "eps": 1e-5}
    for source, target in [("torch", "keras"), ("keras", "torch")]:
        with pytest.raises(ValueError, match="momentum is None.*keras has only running averages"):
            convert_settings({"momentum": None}, source, target)


@pytest.mark.parametrize(
    ("settings", "source", "says"),
    [
        ({}, "jax", "no convention 'jax'; there are torch"),
        ({"eps": 1e-3}, "keras", "keras has no setting 'eps'"),
        ({"momentum": 1.5}, "torch", "momentum is 1.5; a weight must lie from 0 to 1"),
        ({"eps": -1e-5}, "torch", "eps is -1e-05; it must be a number of at least 0"),
    ],
)
def test_bad_settings_are_refused(settings, source, says):
    with pytest.raises(ValueError, match=says):
        convert_settings(settings, source, "flax")


@pytest.mark.parametrize(
    ("change", "m", "says"),
    [
        ({"weight": [1.0, 1, 1]}, None, "keras has no array 'weight'; it has gamma"),
        ({"moving_mean": None}, None, "there is no 'moving_mean'"),
        ({"gamma": [1.0, 1]}, None, r"'gamma' has shape \(2,\) and 'moving_mean' \(3,\)"),
        ({"moving_variance": [1.0, -1, 1]}, None, "'moving_variance' is negative"),
        ({}, 1, "m is 1; a minibatch with a variance"),
        ({}, 2.5, "m is 2.5"),
    ],
)
def test_bad_arrays_are_refused(change, m, says):
    arrays = {name: a for name, a in (ARRAYS | change).items() if a is not None}
    with pytest.raises(ValueError, match=says):
        convert_arrays(arrays, "keras", "torch", m=m)
