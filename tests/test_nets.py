import math

import pytest
import torch
from torch import nn

from bnutils.nets import Residual, fitted, he, in_sigmoids, mlp, small, torchs, xavier
from bnutils.seeds import Runs


def build(net, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return net()


def linears(net):
    return [layer for layer in net.modules() if isinstance(layer, nn.Linear)]


def test_a_net_is_what_was_asked_for():
    net = build(mlp(3, norm=nn.BatchNorm1d, activation=nn.Tanh, width=5, inputs=4, outputs=2))
    hidden = ["Linear", "BatchNorm1d", "Tanh"]
    assert [type(layer).__name__ for layer in net] == [*hidden * 3, "Linear"]
    sizes = [(layer.in_features, layer.out_features) for layer in linears(net)]
    assert sizes == [(4, 5), (5, 5), (5, 5), (5, 2)]
    assert [layer.bias is None for layer in linears(net)] == [True, True, True, False]
    assert all(layer.bias is not None for layer in linears(build(mlp(2))))


@pytest.mark.parametrize(
    ("init", "variance"),
    [
        (he, 2 / 300),
        (xavier, 2 / (300 + 300)),
        (small, 1e-4),
        (torchs, 1 / (3 * 300)),
    ],
)
def test_initializations_have_their_variance(init, variance):
    layer = linears(build(mlp(2, init=init, width=300)))[1]
    assert layer.weight.var().item() == pytest.approx(variance, rel=0.03)
    assert abs(layer.weight.mean().item()) < 4 * math.sqrt(variance / 300**2)
    assert (layer.bias == 0).all() == (init is not torchs)


def test_residual_layers_add_their_input():
    net = build(mlp(3, residual=True, width=6))
    assert [type(layer) for layer in net[2:4]] == [Residual, Residual]
    x = torch.randn(7, 64, generator=torch.Generator().manual_seed(0))
    h = net[:2](x)
    assert torch.equal(net[2](h), h + net[2].branch(h))


def test_many_runs_of_a_residual_net_equal_each_alone():
    net = mlp(3, norm=nn.BatchNorm1d, residual=True, width=6)
    runs = Runs(net, [3, 4], "cpu")
    x = torch.randn(7, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(runs.predict(x.expand(2, 7, 64))[1], build(net, 4).eval()(x))
    assert not any(type(layer).__name__ == "Vmapped" for layer in runs.modules())


def test_a_fitted_net_has_units_of_mean_0_and_variance_1_in_every_layer():
    x = torch.rand(200, 64, generator=torch.Generator().manual_seed(0))
    net = build(fitted(mlp(4, activation=nn.Sigmoid, init=small), x))
    for k, layer in enumerate(net):
        if isinstance(layer, nn.Linear):
            z = net[: k + 1](x)
            torch.testing.assert_close(z.mean(0), torch.zeros(len(z[0])), atol=1e-3, rtol=0)
            torch.testing.assert_close(
                z.std(0, correction=0), torch.ones(len(z[0])), rtol=1e-2, atol=0
            )
    assert not any(layer._forward_hooks for layer in net)


@pytest.mark.parametrize("init", [xavier, torchs])
def test_a_net_written_in_sigmoids_computes_the_same(init):
    tanhs = mlp(4, activation=nn.Tanh, init=init, width=7)
    x = torch.randn(9, 64, generator=torch.Generator().manual_seed(0))
    net = build(in_sigmoids(tanhs))
    assert [type(layer).__name__ for layer in net] == [*["Linear", "Sigmoid"] * 4, "Linear"]
    torch.testing.assert_close(net(x), build(tanhs)(x))


def test_only_a_chain_of_tanhs_is_written_in_sigmoids():
    for other in (mlp(2), mlp(2, activation=nn.Tanh, norm=nn.BatchNorm1d)):
        with pytest.raises(ValueError, match="must be a chain of Linear, with biases, and Tanh"):
            build(in_sigmoids(other))


def test_bad_input_is_told_what_would_be_right():
    with pytest.raises(ValueError, match="depth is 0; it must be at least 1"):
        mlp(0)
    with pytest.raises(ValueError, match="has no bias"):
        build(fitted(mlp(2, norm=nn.BatchNorm1d), torch.rand(8, 64)))
