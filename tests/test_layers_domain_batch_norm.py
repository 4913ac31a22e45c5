"""A batch norm per domain: each domain's is torch's batch norm on that domain's batches alone."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bnutils.layers import DomainBatchNorm1d, DomainBatchNorm2d, DomainBatchNorm3d, on_domain

KINDS = {1: DomainBatchNorm1d, 2: DomainBatchNorm2d, 3: DomainBatchNorm3d}
TORCHS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def draw(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return 1 + 2 * torch.randn(shape, generator=generator, dtype=torch.float64)


@settings(max_examples=30, deadline=None)
@given(
    dimensions=st.sampled_from([1, 2, 3]),
    shared=st.booleans(),
    affine=st.booleans(),
    momentum=st.sampled_from([0.1, 0.7, None]),
    visits=st.lists(st.integers(0, 2), min_size=1, max_size=5),
)
def test_each_domain_is_a_batch_norm_of_its_own(dimensions, shared, affine, momentum, visits):
    settings = {"momentum": momentum, "affine": affine, "dtype": torch.float64}
    layer = KINDS[dimensions](2, domains=3, shared_affine=shared, **settings)
    expected = [TORCHS[dimensions](2, **settings) for _ in range(3)]
    if affine:
        for d in range(3):
            own = layer if shared else layer.domains[d]
            with torch.no_grad():
                own.weight.copy_(torch.tensor([2.0, -1.0]) + (0 if shared else d))
                own.bias.copy_(torch.tensor([0.5, 3.0]))
                expected[d].weight.copy_(own.weight)
                expected[d].bias.copy_(own.bias)
    shape = (4, 2, *{1: (), 2: (3, 3), 3: (2, 2, 2)}[dimensions])
    for visit, domain in enumerate(visits):
        x = draw(shape, visit).requires_grad_()
        z = x.detach().clone().requires_grad_()
        with on_domain(layer, domain):
            y = layer(x)
        y.square().sum().backward()
        expected[domain](z).square().sum().backward()
        torch.testing.assert_close(x.grad, z.grad)
    x = draw(shape, 99)
    for domain in range(3):
        with on_domain(layer.eval(), domain):
            torch.testing.assert_close(layer(x), expected[domain].eval()(x))
        seen = layer.domains[domain].num_batches_tracked
        assert seen == visits.count(domain)
    if affine and shared:
        gradients = [e.weight.grad for e in expected if e.weight.grad is not None]
        torch.testing.assert_close(layer.weight.grad, sum(gradients))


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_weight_and_bias_are_each_domains_own_or_shared(shared, affine):
    layer = DomainBatchNorm1d(3, shared_affine=shared, affine=affine)
    own = [f"domains.{domain}.{name}" for domain in (0, 1) for name in ("weight", "bias")]
    expected = ["weight", "bias"] if shared else own
    assert [name for name, _ in layer.named_parameters()] == (expected if affine else [])


def test_state_dict_and_deepcopy_carry_every_domain():
    layer = DomainBatchNorm1d(3, shared_affine=True)
    with on_domain(layer, 1):
        layer(draw((6, 3), 0).float())
    twin = copy.deepcopy(layer)
    fresh = DomainBatchNorm1d(3, shared_affine=True)
    fresh.load_state_dict(layer.state_dict())
    for other in (twin, fresh):
        torch.testing.assert_close(other.state_dict(), layer.state_dict())
    with on_domain(twin, 1):
        twin(draw((6, 3), 0).float())
    assert layer.domains[1].num_batches_tracked == 1


def test_the_domain_is_said_once_for_the_whole_net_and_blocks_nest():
    net = nn.Sequential(DomainBatchNorm1d(3), nn.Sequential(DomainBatchNorm1d(3)))
    both = [net[0], net[1][0]]
    with on_domain(net, 1):
        with on_domain(net, 0):
            assert [layer.domain for layer in both] == [0, 0]
        assert [layer.domain for layer in both] == [1, 1]
        with pytest.raises(KeyError), on_domain(net, 0):
            raise KeyError
        assert [layer.domain for layer in both] == [1, 1]
    assert [layer.domain for layer in both] == [None, None]


def test_it_never_guesses_the_domain():
    layer = DomainBatchNorm1d(3)
    with pytest.raises(RuntimeError, match=r"no domain is chosen; write `with on_domain\(net, 0\)"):
        layer(torch.zeros(4, 3))
    with pytest.raises(ValueError, match="domain is 2; it must be from 0 to 1"):
        with on_domain(layer, 2):
            pass
    with pytest.raises(ValueError, match="domain is -1; it must be from 0 to 1"):
        with on_domain(layer, -1):
            pass
    with pytest.raises(ValueError, match="has no domain batch norm"):
        with on_domain(nn.BatchNorm1d(3), 0):
            pass
    with pytest.raises(ValueError, match="domains is 0"):
        DomainBatchNorm1d(3, domains=0)
    with on_domain(layer, 0), pytest.raises(ValueError, match="Expected more than 1 value"):
        layer(torch.zeros(1, 3))
