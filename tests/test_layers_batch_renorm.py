"""Batch renormalization: the paper's formula, and batch norm wherever no correction is allowed."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bnutils import statistics
from bnutils.layers import BatchRenorm1d, relax
from bnutils.nets import mlp
from bnutils.seeds import SGD, Runs, classify


def draw(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 1 + 2 * torch.randn(shape, generator=generator, dtype=torch.float64)


def prepared(layer):
    """The layer with a weight, a bias and running averages unlike a new layer's."""
    with torch.no_grad():
        if layer.affine:
            layer.weight.copy_(torch.tensor([2.0, -1.0, 0.5]))
            layer.bias.copy_(torch.tensor([0.5, 3.0, 0.0]))
        layer.running_mean.copy_(torch.tensor([0.5, -1.0, 4.0]))
        layer.running_var.copy_(torch.tensor([4.0, 0.3, 40.0]))
    return layer


SHAPES = [(2, 3), (5, 3), (1, 3, 4), (4, 3, 3)]


@settings(max_examples=40, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    rmax=st.sampled_from([1.0, 1.3, 3.0]),
    dmax=st.sampled_from([0.0, 0.2, 5.0]),
    affine=st.booleans(),
    seed=st.integers(0, 10),
)
def test_output_gradients_and_averages_are_the_formulas(shape, rmax, dmax, affine, seed):
    layer = prepared(BatchRenorm1d(3, rmax, dmax, affine=affine, dtype=torch.float64))
    old_mean, old_var = layer.running_mean.numpy().copy(), layer.running_var.numpy().copy()
    x = draw(shape, seed).requires_grad_()
    y = layer(x)
    # The formula in NumPy, channels last: (m, C).
    flat = np.moveaxis(x.detach().numpy(), 1, -1).reshape(-1, 3)
    mean, s_batch = flat.mean(0), np.sqrt(flat.var(0) + layer.eps)
    s = np.sqrt(old_var + layer.eps)
    r, d = np.clip(s_batch / s, 1 / rmax, rmax), np.clip((mean - old_mean) / s, -dmax, dmax)
    gamma, beta = ([2.0, -1.0, 0.5], [0.5, 3.0, 0.0]) if affine else (1.0, 0.0)
    expected = (((flat - mean) / s_batch) * r + d) * gamma + beta
    np.testing.assert_allclose(np.moveaxis(y.detach().numpy(), 1, -1).reshape(-1, 3), expected)
    np.testing.assert_allclose(layer.running_mean, 0.9 * old_mean + 0.1 * mean)
    np.testing.assert_allclose(layer.running_var, 0.9 * old_var + 0.1 * flat.var(0, ddof=1))
    assert layer.num_batches_tracked == 1
    # The gradients: autograd through mean and deviation, with r and d as numbers.
    over = [0] if x.dim() == 2 else [0, 2]
    as_x = (1, 3) if x.dim() == 2 else (1, 3, 1)
    z = x.detach().clone().requires_grad_()
    parameters = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in (gamma, beta)]
    var, mean = torch.var_mean(z, over, correction=0, keepdim=True)
    z_hat = (z - mean) / torch.sqrt(var + layer.eps)
    r, d = (torch.from_numpy(value).view(as_x) for value in (r, d))
    weight, bias = (p.view(as_x) if affine else p for p in parameters)
    ((z_hat * r + d) * weight + bias).pow(3).sum().backward()
    y.pow(3).sum().backward()
    torch.testing.assert_close(x.grad, z.grad)
    if affine:
        torch.testing.assert_close(layer.weight.grad, parameters[0].grad)
        torch.testing.assert_close(layer.bias.grad, parameters[1].grad)


@pytest.mark.parametrize("momentum", [0.3, None])
@pytest.mark.parametrize("shape", SHAPES)
def test_with_no_correction_allowed_it_is_torchs_batch_norm(momentum, shape):
    options = {"momentum": momentum, "dtype": torch.float64}
    layer = prepared(BatchRenorm1d(3, rmax=1, dmax=0, **options))
    torchs = prepared(nn.BatchNorm1d(3, **options))
    for seed in range(3):
        x, z = (draw(shape, seed).requires_grad_() for _ in range(2))
        y, expected = layer(x), torchs(z)
        torch.testing.assert_close(y, expected)
        y.pow(3).sum().backward()
        expected.pow(3).sum().backward()
        torch.testing.assert_close(x.grad, z.grad)
    torch.testing.assert_close(layer.state_dict(), torchs.state_dict())
    torch.testing.assert_close(layer.eval()(x), torchs.eval()(x))


def test_unclipped_it_computes_in_training_what_evaluation_computes():
    layer = prepared(BatchRenorm1d(3, rmax=1e6, dmax=1e6, momentum=0.0, dtype=torch.float64))
    x = draw((2, 3))
    torch.testing.assert_close(layer(x), layer.eval()(x))


def test_evaluation_is_batch_norms_and_stores_nothing():
    layer = prepared(BatchRenorm1d(3)).eval()
    before = copy.deepcopy(layer.state_dict())
    torchs = nn.BatchNorm1d(3).eval()
    torchs.load_state_dict(layer.state_dict())
    for n in (0, 1, 7):
        x = draw((n, 3)).float()
        torch.testing.assert_close(layer(x), torchs(x))
    torch.testing.assert_close(layer.state_dict(), before)


def test_the_state_goes_into_a_batch_norm_and_back():
    layer, torchs = prepared(BatchRenorm1d(3)), nn.BatchNorm1d(3)
    layer(draw((4, 3)).float())
    torchs.load_state_dict(layer.state_dict())
    again = BatchRenorm1d(3)
    again.load_state_dict(torchs.state_dict())
    x = draw((4, 3), 1).float()
    torch.testing.assert_close(again(x), layer(x))
    torch.testing.assert_close(again.state_dict(), layer.state_dict())


def test_a_deep_copy_and_a_double_keep_limits_and_averages():
    layer = prepared(BatchRenorm1d(3, rmax=2.0, dmax=0.5))
    other = copy.deepcopy(layer).double()
    assert (other.rmax, other.dmax) == (2.0, 0.5)
    assert other.running_mean.dtype == torch.float64
    x = draw((4, 3))
    torch.testing.assert_close(other(x).float(), layer(x.float()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_input_is_taken_by_a_float32_layer(dtype):
    layer = prepared(BatchRenorm1d(3))
    x = draw((8, 3)).to(dtype)
    expected = copy.deepcopy(layer)(x.float())
    assert layer(x).dtype == dtype
    assert layer.eval()(x).dtype == dtype
    torch.testing.assert_close(prepared(BatchRenorm1d(3))(x).float(), expected, atol=0.05, rtol=0)


def test_without_stored_statistics_it_is_batch_norm():
    layer, x = prepared(BatchRenorm1d(3)).double(), draw((6, 3))
    before = copy.deepcopy(layer.state_dict())
    torchs = nn.BatchNorm1d(3, dtype=torch.float64)
    torchs.load_state_dict(before)
    for mode in (True, False):
        with statistics.from_batch(layer.train(mode)):
            torch.testing.assert_close(layer(x), torchs(x))
    torch.testing.assert_close(layer.state_dict(), before)


def test_statistics_can_be_reestimated():
    layer, x = BatchRenorm1d(3, dtype=torch.float64), draw((50, 3))
    statistics.reestimate(layer, x)
    torch.testing.assert_close(layer.running_mean, x.mean(0))
    torch.testing.assert_close(layer.running_var, x.var(0))


def test_stacked_runs_train_as_they_would_alone():
    net = mlp(2, norm=BatchRenorm1d, width=6, inputs=5, outputs=3)
    x, y = draw((2, 24, 5)), torch.arange(48).reshape(2, 24) % 3

    def trained(seeds, rows):
        runs = Runs(net, seeds).double()
        return runs.fit(classify, (x[rows], y[rows]), SGD(0.1), steps=6, batch_size=4)

    both = trained([5, 6], slice(0, 2))
    alone = trained([6], slice(1, 2)).extract(0)
    torch.testing.assert_close(both.extract(1).state_dict(), alone.state_dict())


def test_the_limits_relax_along_the_papers_lines():
    net = nn.Sequential(nn.Linear(2, 3), BatchRenorm1d(3))
    for step, rmax, dmax in [
        (0, 1, 0),
        (5000, 1, 0),
        (15_000, 1 + 2 * 10 / 35, 2.5),
        (25_000, 1 + 2 * 20 / 35, 5),
        (40_000, 3, 5),
        (10**6, 3, 5),
    ]:
        relax(net, step)
        assert (net[1].rmax, net[1].dmax) == (pytest.approx(rmax), pytest.approx(dmax))


def test_the_limits_may_open_at_once_and_in_stacked_runs():
    runs = Runs(mlp(2, norm=BatchRenorm1d), [0, 1])
    layers = [module for module in runs.modules() if isinstance(module, BatchRenorm1d)]
    assert len(layers) == 2
    for step, rmax in ((9, 1), (10, 2)):
        relax(runs, step, closed=10, rmax_at=10, dmax_at=20, rmax=2, dmax=1)
        assert [layer.rmax for layer in layers] == [rmax, rmax]
        assert [layer.dmax for layer in layers] == [0, 0]


def test_bad_input_is_told_what_would_be_right():
    for rmax, dmax in ((0.5, 1), (2, -1), (float("nan"), 1)):
        with pytest.raises(ValueError, match="at least 1 and at least 0"):
            BatchRenorm1d(3, rmax, dmax)
    layer = BatchRenorm1d(3)
    with pytest.raises(ValueError, match=r"more than 1 value per channel .* size \(1, 3\)"):
        layer(torch.zeros(1, 3))
    with pytest.raises(ValueError, match="expected 2D or 3D input"):
        layer(torch.zeros(4, 3, 2, 2))
    layer.rmax = 0.9
    with pytest.raises(ValueError, match="rmax is 0.9"):
        layer(torch.zeros(4, 3))
    with pytest.raises(ValueError, match="no batch renormalization"):
        relax(nn.BatchNorm1d(3), 0)
    with pytest.raises(ValueError, match="neither may come before closed"):
        relax(layer, 0, closed=10, rmax_at=5)
    with pytest.raises(ValueError, match="at least 1 and at least 0"):
        relax(layer, 0, rmax=0.5)
    assert "rmax=3.0, dmax=5.0" in repr(BatchRenorm1d(3))
