"""Ghost batch norm: each ghost is torch's batch norm on that part of the minibatch alone."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bnutils import statistics
from bnutils.layers import GhostBatchNorm1d
from bnutils.nets import mlp
from bnutils.seeds import SGD, Runs, classify


def draw(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 1 + 2 * torch.randn(shape, generator=generator, dtype=torch.float64)


def with_affine(layer):
    if layer.weight is not None:
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([2.0, -1.0, 0.5]))
            layer.bias.copy_(torch.tensor([0.5, 3.0, 0.0]))
    return layer


@settings(max_examples=30, deadline=None)
@given(
    ghosts=st.integers(1, 4),
    size=st.integers(2, 5),
    positions=st.sampled_from([(), (1,), (3,)]),
    affine=st.booleans(),
    seed=st.integers(0, 10),
)
def test_each_ghost_is_a_batch_of_its_own(ghosts, size, positions, affine, seed):
    options = {"affine": affine, "dtype": torch.float64}
    layer = with_affine(GhostBatchNorm1d(3, size, **options))
    torchs = with_affine(nn.BatchNorm1d(3, momentum=1.0, **options))
    x = draw((ghosts * size, 3, *positions), seed).requires_grad_()
    z = x.detach().clone().requires_grad_()
    expected, means, variances = [], [], []
    for part in z.split(size):
        expected.append(torchs(part))
        means.append(torchs.running_mean.clone())
        variances.append(torchs.running_var.clone())
    y = layer(x)
    torch.testing.assert_close(y, torch.cat(expected))
    y.pow(3).sum().backward()
    torch.cat(expected).pow(3).sum().backward()
    torch.testing.assert_close(x.grad, z.grad)
    if affine:
        torch.testing.assert_close(layer.weight.grad, torchs.weight.grad)
        torch.testing.assert_close(layer.bias.grad, torchs.bias.grad)
    # One step of the averages, towards the mean over the ghosts.
    torch.testing.assert_close(layer.running_mean, 0.1 * torch.stack(means).mean(0))
    torch.testing.assert_close(layer.running_var, 0.9 + 0.1 * torch.stack(variances).mean(0))
    assert layer.num_batches_tracked == 1
    torchs.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer.eval()(x), torchs.eval()(z))


@pytest.mark.parametrize("momentum", [0.3, None])
def test_with_one_ghost_it_is_torchs_batch_norm(momentum):
    options = {"momentum": momentum, "dtype": torch.float64}
    layer, torchs = GhostBatchNorm1d(3, 8, **options), nn.BatchNorm1d(3, **options)
    for seed in range(3):
        torch.testing.assert_close(layer(draw((8, 3), seed)), torchs(draw((8, 3), seed)))
    torch.testing.assert_close(layer.state_dict(), torchs.state_dict())


def test_without_stored_statistics_evaluation_uses_the_ghosts():
    layer = GhostBatchNorm1d(3, 4, track_running_stats=False, dtype=torch.float64)
    x = draw((8, 3))
    torch.testing.assert_close(layer.eval()(x), layer.train()(x))
    tracking = GhostBatchNorm1d(3, 4, dtype=torch.float64).eval()
    with statistics.from_batch(tracking):
        torch.testing.assert_close(tracking(x), layer(x))
    torch.testing.assert_close(tracking.running_mean, torch.zeros_like(tracking.running_mean))


def test_evaluation_takes_any_number_of_examples_and_stores_nothing():
    layer = GhostBatchNorm1d(3, 4).eval()
    before = copy.deepcopy(layer.state_dict())
    for n in (0, 1, 7):
        assert layer(torch.ones(n, 3)).shape == (n, 3)
    torch.testing.assert_close(layer.state_dict(), before)


def test_an_empty_minibatch_is_treated_as_torch_treats_it():
    layer, torchs = GhostBatchNorm1d(3, 4), nn.BatchNorm1d(3)
    assert layer(torch.zeros(0, 3)).shape == torchs(torch.zeros(0, 3)).shape
    torch.testing.assert_close(layer.state_dict(), torchs.state_dict())


def test_stacked_runs_train_as_they_would_alone():
    net = mlp(2, norm=lambda width: GhostBatchNorm1d(width, 4), width=6, inputs=5, outputs=3)
    x, y = draw((2, 24, 5)), torch.arange(48).reshape(2, 24) % 3

    def trained(seeds, rows):
        runs = Runs(net, seeds).double()
        return runs.fit(classify, (x[rows], y[rows]), SGD(0.1), steps=6, batch_size=12)

    both = trained([5, 6], slice(0, 2))
    alone = trained([6], slice(1, 2)).extract(0)
    torch.testing.assert_close(both.extract(1).state_dict(), alone.state_dict())
    assert both.extract(1)[1].ghost_size == 4


def test_bad_input_is_told_what_would_be_right():
    with pytest.raises(ValueError, match="ghost_size is 0; it must be at least 1"):
        GhostBatchNorm1d(3, 0)
    layer = GhostBatchNorm1d(3, 4)
    with pytest.raises(ValueError, match="10 examples does not split into ghosts of 4"):
        layer(torch.zeros(10, 3))
    with pytest.raises(ValueError, match=r"more than 1 value per channel .* size \(1, 3\)"):
        GhostBatchNorm1d(3, 1)(torch.zeros(4, 3))
    with pytest.raises(ValueError, match="expected 2D or 3D input"):
        layer(torch.zeros(4, 3, 2, 2))
    assert "ghost_size=4" in repr(layer)
