"""Batch norm in NumPy: equal to torch's, and to finite differences of itself."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bnutils import reference

# At least two values per channel, and not all positions of one example.
size, channels = st.integers(1, 4), st.integers(1, 4)
shapes = st.one_of(
    st.tuples(st.integers(2, 9), channels),
    st.tuples(st.integers(2, 5), channels, size),
    st.tuples(st.integers(2, 5), channels, size, size),
    st.tuples(st.just(1), channels, st.integers(2, 4), size),
)
LAYERS = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
BACKWARD = [reference.backward, reference.backward_by_graph]


def close(ours, theirs, tolerance):
    """Equal in shape and, relative to the larger of 1 and their largest entry, in value."""
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert np.abs(ours - theirs).max() <= tolerance * max(1, np.abs(theirs).max())


def draw(shape, seed, dtype=np.float64):
    """A batch without near-ties: a tiny variance would magnify rounding at will."""
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.arange(np.prod(shape), dtype=float)).reshape(shape)
    return (1 + order + 0.1 * rng.uniform(size=shape)).astype(dtype)


def pair(shape, seed, dtype, **options):
    """Our layer and torch's, with the same random parameters."""
    rng = np.random.default_rng(seed)
    ours = reference.BatchNorm(shape[1], dtype=dtype, **options)
    ours.gamma = rng.uniform(-2, 2, shape[1]).astype(dtype)
    ours.beta = rng.standard_normal(shape[1]).astype(dtype)
    theirs = LAYERS[len(shape)](shape[1], **options)
    theirs.weight.data = torch.from_numpy(ours.gamma.copy())
    theirs.bias.data = torch.from_numpy(ours.beta.copy())
    theirs.running_mean = torch.zeros(shape[1], dtype=theirs.weight.dtype)
    theirs.running_var = torch.ones(shape[1], dtype=theirs.weight.dtype)
    return ours, theirs


@pytest.mark.parametrize("dtype", TOLERANCE)
@settings(max_examples=50, deadline=None)
@given(
    shape=shapes,
    seed=st.integers(0, 1000),
    eps=st.sampled_from([1e-5, 1e-3, 1.0]),
    momentum=st.sampled_from([0.1, 0.0, 0.7, 1.0]),
)
def test_all_that_comes_out_is_torchs(dtype, shape, seed, eps, momentum):
    ours, theirs = pair(shape, seed, dtype, eps=eps, momentum=momentum)
    tolerance = TOLERANCE[dtype]
    for step in range(3):
        x = draw(shape, seed + step, dtype)
        dy = np.random.default_rng(seed + step + 10).standard_normal(shape).astype(dtype)
        z = torch.tensor(x, requires_grad=True)
        y = theirs(z)
        theirs.zero_grad()
        y.backward(torch.from_numpy(dy))
        close(ours.forward(x), y, tolerance)
        close(ours.backward(dy), z.grad, tolerance)
        close(ours.dgamma, theirs.weight.grad, tolerance)
        close(ours.dbeta, theirs.bias.grad, tolerance)
        close(ours.running_mean, theirs.running_mean, tolerance)
        close(ours.running_var, theirs.running_var, tolerance)
        by_graph = reference.backward_by_graph(reference.as_rows(dy), ours.saved)
        close(reference.from_rows(by_graph[0], shape), z.grad, tolerance)
        close(by_graph[1], theirs.weight.grad, tolerance)
        close(by_graph[2], theirs.bias.grad, tolerance)
    ours.training = False
    x, before = draw(shape, seed + 20, dtype), ours.running_var.copy()
    close(ours.forward(x), theirs.eval()(torch.from_numpy(x)), tolerance)
    assert (ours.running_var == before).all()


@pytest.mark.parametrize("backward", BACKWARD)
@settings(max_examples=20, deadline=None)
@given(m=st.integers(4, 8), channels=channels, seed=st.integers(0, 1000))
def test_finite_differences(backward, m, channels, seed):
    rng = np.random.default_rng(seed)
    x, dy = draw((m, channels), seed), rng.standard_normal((m, channels))
    gamma, beta = rng.uniform(0.5, 2, channels), rng.standard_normal(channels)

    def loss():
        return (dy * reference.forward(x, gamma, beta)[0]).sum()

    gradients = backward(dy, reference.forward(x, gamma, beta)[1])
    for gradient, array in zip(gradients, (x, gamma, beta), strict=True):
        expected = np.zeros_like(array)
        for i in np.ndindex(array.shape):
            value = array[i]
            array[i] = value + 1e-5
            above = loss()
            array[i] = value - 1e-5
            expected[i] = (above - loss()) / 2e-5
            array[i] = value
        assert np.abs(gradient - expected).max() <= 1e-7 * max(np.abs(expected).max(), 0.1)


@pytest.mark.parametrize("backward", BACKWARD)
def test_dx_sums_to_zero_and_keeps_only_the_share_of_eps_along_x_hat(backward):
    x, dy = draw((16, 3), 0), np.random.default_rng(1).standard_normal((16, 3))
    gamma = np.array([2.0, -1.0, 0.5])
    _, saved = reference.forward(x, gamma, np.zeros(3), eps=0.1)
    dx, dgamma, _ = backward(dy, saved)
    assert np.abs(dx.sum(axis=0)).max() < 1e-14
    share = 0.1 / (saved.var + 0.1)
    left = (dx * saved.x_hat).sum(axis=0)
    np.testing.assert_allclose(left, gamma / saved.std * dgamma * share, rtol=1e-9)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1), (1, 3, 1, 1)])
def test_one_value_per_channel_raises_as_torch_does(shape):
    ours, theirs = pair(shape, 0, np.float64)
    x = draw(shape, 0)
    for layer in (ours.forward, lambda x: theirs(torch.from_numpy(x))):
        with pytest.raises(ValueError, match="Expected more than 1 value per channel when train"):
            layer(x)
    assert (ours.running_mean == 0).all()
    assert (ours.running_var == 1).all()
    ours.training = False
    close(ours.forward(x), theirs.eval()(torch.from_numpy(x)), 1e-12)


def test_the_variance_survives_a_large_mean():
    rng = np.random.default_rng(0)
    x = (1e4 + 0.1 * rng.standard_normal((256, 8))).astype(np.float32)
    exact = reference.BatchNorm(8, dtype=np.float64).forward(x.astype(np.float64))
    ours = np.abs(reference.BatchNorm(8).forward(x) - exact).max()
    torchs = nn.BatchNorm1d(8)(torch.from_numpy(x)).detach().numpy()
    assert ours <= 2 * np.abs(torchs - exact).max()  # which is off, too, by a few hundredths


def test_nothing_that_is_passed_in_changes():
    x, dy = draw((6, 2), 0), draw((6, 2), 1)
    gamma, beta, mean, var = np.full(2, 2.0), np.ones(2), np.zeros(2), np.ones(2)
    inputs = [x, dy, gamma, beta, mean, var]
    before = [array.copy() for array in inputs]
    _, saved = reference.forward(x, gamma, beta)
    kept = [array.copy() for array in saved]
    for backward in BACKWARD:
        backward(dy, saved)
    reference.update(mean, var, saved)
    reference.evaluate(x, gamma, beta, mean, var)
    for now, then in zip([*inputs, *saved], [*before, *kept], strict=True):
        np.testing.assert_array_equal(now, then)


@given(shape=shapes)
def test_rows_are_channels_and_the_way_back_is_exact(shape):
    x = np.broadcast_to(
        np.arange(shape[1]).reshape(1, -1, *[1] * (len(shape) - 2)), shape
    ) + np.zeros(shape)
    rows = reference.as_rows(x)
    assert (rows == np.arange(shape[1])).all()
    numbered = np.arange(np.prod(shape)).reshape(shape)
    back = reference.from_rows(reference.as_rows(numbered), shape)
    np.testing.assert_array_equal(back, numbered)


@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 2, 3, 3), ()])
def test_a_wrong_shape_is_told_the_right_one(shape):
    with pytest.raises(ValueError, match=r"takes \(N, C\) or \(N, C, H, W\) with C = 3 channels"):
        reference.BatchNorm(3).forward(np.zeros(shape, np.float32))


def test_another_dtype_than_the_layers_is_refused():
    with pytest.raises(TypeError, match="x is float64, but the layer float32"):
        reference.BatchNorm(3).forward(np.zeros((4, 3)))
    with pytest.raises(TypeError, match="x is int64"):
        reference.BatchNorm(3).forward(np.zeros((4, 3), np.int64))


def test_the_dtype_of_the_layer_is_checked():
    with pytest.raises(TypeError, match="float32 or float64"):
        reference.BatchNorm(3, dtype=np.int64)
