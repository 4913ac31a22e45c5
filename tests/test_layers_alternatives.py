"""Cosine norm, weight norm and frozen batch norm: each is its equation, and so in stacked runs."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from bnutils import statistics
from bnutils.layers import CosineLinear, FrozenBatchNorm1d, WeightNormLinear
from bnutils.randomness import generator
from bnutils.seeds import SGD, Runs, classify

DOUBLE = {"dtype": torch.float64}


def some(*shape, seed=25):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def filled(layer, seed=0):
    """Give every parameter a value of its own."""
    with torch.no_grad():
        for i, parameter in enumerate(layer.parameters()):
            parameter.copy_(some(*parameter.shape, seed=seed + i))
    return layer


# --- cosine norm ---------------------------------------------------------------------------------


def test_cosine_norm_is_its_equation():
    layer, x = filled(CosineLinear(5, 3, **DOUBLE)), some(7, 5)
    w, inputs = layer.weight.detach().numpy(), x.numpy()
    lengths = np.linalg.norm(inputs, axis=1)[:, None] * np.linalg.norm(w, axis=1)
    np.testing.assert_allclose(layer(x).detach().numpy(), inputs @ w.T / lengths, atol=1e-14)
    assert layer(x).abs().max() <= 1


def test_cosine_norm_sees_no_lengths():
    layer, x = filled(CosineLinear(5, 3, **DOUBLE)), some(7, 5)
    longer = copy.deepcopy(layer)
    with torch.no_grad():
        longer.weight.mul_(torch.tensor([[2.0], [10.0], [0.5]]))
    torch.testing.assert_close(longer(3 * x), layer(x))
    # Hence the gradient has no part along a row of weights.
    layer(x).pow(3).sum().backward()
    along = (layer.weight * layer.weight.grad).sum(1)
    torch.testing.assert_close(along, torch.zeros(3, **DOUBLE))


def test_the_cosine_of_nothing_is_zero_and_its_gradient_is_finite():
    layer = CosineLinear(5, 3, **DOUBLE)
    x = torch.zeros(2, 5, **DOUBLE, requires_grad=True)
    layer(x).sum().backward()
    assert torch.equal(layer(x), torch.zeros(2, 3, **DOUBLE))
    assert torch.isfinite(x.grad).all()


def test_cosine_norm_says_what_it_takes():
    with pytest.raises(ValueError, match="has 4 features; this layer takes 5"):
        CosineLinear(5, 3)(torch.zeros(2, 4))
    assert "in_features=5, out_features=3" in repr(CosineLinear(5, 3))


# --- weight norm ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
def test_weight_norm_is_torchs(bias):
    torch.manual_seed(3)
    layer = WeightNormLinear(5, 3, bias, **DOUBLE)
    torch.manual_seed(3)
    torchs = weight_norm(nn.Linear(5, 3, bias, **DOUBLE))
    torch.testing.assert_close(layer.weight, torchs.weight)
    ours = [layer.weight_g, layer.weight_v, *([layer.bias] if bias else [])]
    of_torch = [torchs.parametrizations.weight.original0, torchs.parametrizations.weight.original1]
    of_torch += [torchs.bias] if bias else []
    x = some(7, 5)
    for own, other in zip(ours, of_torch, strict=True):
        with torch.no_grad():
            own.copy_(some(*own.shape, seed=own.numel()))
            other.copy_(own)
    layer(x).pow(2).sum().backward()
    torchs(x).pow(2).sum().backward()
    torch.testing.assert_close(layer(x), torchs(x))
    for own, other in zip(ours, of_torch, strict=True):
        torch.testing.assert_close(own.grad, other.grad)


def test_weight_norm_is_its_equation():
    layer, x = filled(WeightNormLinear(5, 3, **DOUBLE)), some(7, 5)
    g, v, b = (p.detach().numpy() for p in (layer.weight_g, layer.weight_v, layer.bias))
    expected = g[:, 0] * (x.numpy() @ v.T) / np.linalg.norm(v, axis=1) + b
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, atol=1e-13)
    assert "bias=True" in repr(layer)


# --- frozen batch norm ---------------------------------------------------------------------------


def batch_norm(seed=0):
    """A torch batch norm that has seen something."""
    layer = filled(nn.BatchNorm1d(3, **DOUBLE))
    for i in range(4):
        layer(2 + 3 * some(8, 3, seed=seed + i))
    return layer


@pytest.mark.parametrize("shape", [(7, 3), (1, 3), (4, 3, 5)])
def test_with_loaded_statistics_both_modes_are_torchs_evaluation(shape):
    torchs = batch_norm().eval()
    layer = FrozenBatchNorm1d(3, **DOUBLE)
    layer.load_state_dict(torchs.state_dict())
    before = copy.deepcopy(layer.state_dict())
    x = some(*shape).requires_grad_()
    z = x.detach().clone().requires_grad_()
    for mode in (True, False):
        torch.testing.assert_close(layer.train(mode)(x), torchs(z))
    layer.train()(x).pow(3).sum().backward()
    torchs(z).pow(3).sum().backward()
    torch.testing.assert_close(x.grad, z.grad)
    torch.testing.assert_close(layer.weight.grad, torchs.weight.grad)
    torch.testing.assert_close(layer.state_dict(), before)


def test_it_is_batch_norm_until_it_is_frozen():
    layer, torchs = FrozenBatchNorm1d(3, after=4, **DOUBLE), nn.BatchNorm1d(3, **DOUBLE)
    for i in range(4):
        assert not layer.frozen
        x = 2 + 3 * some(8, 3, seed=i)
        torch.testing.assert_close(layer(x), torchs(x))
    assert layer.frozen
    torch.testing.assert_close(layer.state_dict(), torchs.state_dict())
    x = some(8, 3, seed=9)
    torch.testing.assert_close(layer(x), torchs.eval()(x))
    torch.testing.assert_close(layer.state_dict(), torchs.state_dict())


def test_evaluation_freezes_nothing():
    layer = FrozenBatchNorm1d(3, after=1).eval()
    layer(torch.ones(4, 3))
    assert not layer.frozen


def test_reestimation_leaves_frozen_statistics_alone():
    layer = FrozenBatchNorm1d(3, **DOUBLE)
    layer.load_state_dict(batch_norm().state_dict())
    before = copy.deepcopy(layer.state_dict())
    statistics.reestimate(layer, some(20, 3))
    torch.testing.assert_close(layer.state_dict(), before)
    layer.reset_running_stats()
    torch.testing.assert_close(layer.state_dict(), before)
    thawed = FrozenBatchNorm1d(3, after=4, **DOUBLE)
    statistics.reestimate(thawed, some(20, 3))
    torch.testing.assert_close(thawed.running_mean, some(20, 3).mean(0))


def test_weight_and_bias_may_be_frozen_too():
    layer = FrozenBatchNorm1d(3, trained_affine=False)
    assert not any(p.requires_grad for p in layer.parameters())
    assert list(layer.state_dict()) == list(nn.BatchNorm1d(3).state_dict())


def test_bad_input_is_told_what_would_be_right():
    with pytest.raises(ValueError, match="after is -1; it must be at least 0"):
        FrozenBatchNorm1d(3, after=-1)
    with pytest.raises(ValueError, match="expected 2D or 3D input"):
        FrozenBatchNorm1d(3)(torch.zeros(4, 3, 2, 2))
    assert "after=0" in repr(FrozenBatchNorm1d(3))


# --- all of them ---------------------------------------------------------------------------------


def net(layer):
    """A net of five inputs and three classes whose hidden layer is the given one."""

    def build():
        return nn.Sequential(*layer(), nn.ReLU(), nn.Linear(6, 3))

    return build


LAYERS = {
    "cosine": lambda: [CosineLinear(5, 6)],
    "weight": lambda: [WeightNormLinear(5, 6)],
    "frozen": lambda: [nn.Linear(5, 6), FrozenBatchNorm1d(6, after=3)],
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_stacked_runs_train_as_they_would_alone(layer):
    x, y = some(2, 24, 5), torch.arange(48).reshape(2, 24) % 3

    def trained(seeds, rows):
        runs = Runs(net(layer), seeds).double()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return runs.fit(classify, (x[rows], y[rows]), SGD(0.1), steps=6, batch_size=12)

    both = trained([5, 6], slice(0, 2))
    alone = trained([6], slice(1, 2)).extract(0)
    torch.testing.assert_close(both.extract(1).state_dict(), alone.state_dict())
    torch.testing.assert_close(both.predict(x)[1], alone.eval()(x[1]))


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_copies_and_state_dicts_compute_the_same(layer):
    original = net(layer)().double()
    for i in range(5):
        original(some(8, 5, seed=i))
    loaded = net(layer)().double()
    loaded.load_state_dict(original.state_dict())
    x = some(4, 5)
    for other in (copy.deepcopy(original), loaded):
        torch.testing.assert_close(other.train()(x), original.train()(x))
        torch.testing.assert_close(other.eval()(x), original.eval()(x))
