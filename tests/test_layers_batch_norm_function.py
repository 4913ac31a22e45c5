"""Batch norm as one operation: derivatives of first and second order, transforms, what is kept."""

import warnings

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from bnutils import layers
from bnutils.layers.batch_norm_function import NormalizeMinibatch

# torch's own forward mode still goes through torch.jit, which torch calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")

SHAPES = [(5, 3), (2, 3, 4), (2, 3, 2, 2), (2, 2, 2, 1, 3)]


def arguments(shape, seed=0):
    """x, weight, bias of double precision, ready to be differentiated, and eps."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        values = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return values.requires_grad_()

    return draw(*shape), draw(shape[1]), draw(shape[1]), 0.1


def plain(x, weight, bias, eps):
    """The same in single steps, for autograd to differentiate."""
    over = [0, *range(2, x.dim())]
    shape = (1, -1) + (1,) * (x.dim() - 2)
    mean = x.mean(over)
    var = x.var(over, correction=0)
    x_hat = (x - mean.view(shape)) / (var.view(shape) + eps).sqrt()
    return weight.view(shape) * x_hat + bias.view(shape), x_hat, mean, var


@pytest.mark.parametrize("shape", SHAPES)
def test_it_computes_what_single_steps_compute(shape):
    for got, expected in zip(
        NormalizeMinibatch.apply(*arguments(shape)), plain(*arguments(shape)), strict=True
    ):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_first_derivatives_of_every_output_backward_and_forward(shape):
    assert gradcheck(NormalizeMinibatch.apply, arguments(shape), check_forward_ad=True)


@pytest.mark.parametrize("shape", SHAPES)
def test_second_derivatives_of_every_output(shape):
    assert gradgradcheck(NormalizeMinibatch.apply, arguments(shape), check_fwd_over_rev=True)


def test_third_derivatives():
    x, weight, bias, eps = arguments((4, 2))

    def slope(x):
        y = NormalizeMinibatch.apply(x, weight, bias, eps)[0]
        return torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)[0]

    assert gradgradcheck(slope, x)


def test_derivatives_where_only_some_are_asked_for():
    x, weight, bias, eps = arguments((4, 2))
    x.requires_grad_(False)
    NormalizeMinibatch.apply(x, weight, bias, eps)[0].square().sum().backward()
    expected = torch.autograd.grad(plain(x, weight, bias, eps)[0].square().sum(), [weight, bias])
    torch.testing.assert_close((weight.grad, bias.grad), expected)
    for which in (1, 2, 3):  # x_hat, mean, var alone, without y
        (got,) = torch.autograd.grad(
            NormalizeMinibatch.apply(x.requires_grad_(), weight, bias, eps)[which].pow(3).sum(), x
        )
        (wanted,) = torch.autograd.grad(plain(x, weight, bias, eps)[which].pow(3).sum(), x)
        torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)


def test_torch_func_passes_through():
    x, weight, bias, eps = (a.detach() if torch.is_tensor(a) else a for a in arguments((4, 2)))

    def loss(f, x, weight):
        return f(x, weight, bias, eps)[0].pow(3).sum()

    def second(f):
        return torch.func.hessian(lambda x: loss(f, x, weight))(x)

    def each_run(f):
        xs = torch.stack([x, 2 * x.flip(0), x.cos()])
        weights = torch.stack([weight, weight + 1, -weight])
        return torch.func.vmap(torch.func.grad(lambda x, w: loss(f, x, w)))(xs, weights)

    for transform in (second, each_run):
        with warnings.catch_warnings():
            # torch has no batching rule for addcmul_ and says that its way round is slower.
            warnings.filterwarnings("ignore", message=".*performance drop.*")
            got = transform(NormalizeMinibatch.apply)
        torch.testing.assert_close(got, transform(plain), rtol=1e-10, atol=1e-10)


def test_one_copy_of_the_minibatch_is_kept_for_the_backward_pass():
    x = torch.randn(64, 32, 7, 7, generator=torch.Generator().manual_seed(0))
    kept = []

    def keep(tensor):
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        layers.BatchNorm2d(32)(x.requires_grad_())
    assert [n for n in kept if n == x.numel()] == [x.numel()]
    assert sum(kept) < 1.01 * x.numel()


@pytest.mark.parametrize("m", [256, 4096])
def test_the_mean_is_the_single_precision_number_next_to_the_right_one(m):
    x = 1e4 + 0.1 * torch.randn(m, 16, generator=torch.Generator().manual_seed(0))
    mean = NormalizeMinibatch.apply(x, torch.ones(16), torch.zeros(16), 1e-5)[2]
    spacing = 2.0**-10  # of single precision between 2^13 and 2^14
    assert ((mean.double() - x.double().mean(0)).abs() <= 0.51 * spacing).all()
