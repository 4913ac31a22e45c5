"""Probes record what a net computes, change nothing, and always take their hooks along."""

import copy

import pytest
import torch
from torch import nn

from bnutils import probes
from bnutils.seeds import Runs, run_first


def small_net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(inplace=True), nn.Linear(4, 2))


def inputs(n=6):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(1))


def hooks(net):
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
        for module in net.modules()
    )


def test_activations_are_what_each_layer_returned_call_by_call():
    net, x = small_net(), inputs()
    expected = copy.deepcopy(net)
    with probes.activations(net) as seen:
        output = net(x)
        net(2 * x)
    assert list(seen) == ["0", "1", "2", "3"]
    assert [len(calls) for calls in seen.values()] == [2] * 4
    h = expected[0](x)
    torch.testing.assert_close(seen["0"][0], h)
    # The ReLU works in place; the record of the layer before it is none the wiser.
    torch.testing.assert_close(seen["1"][0], expected[1](h))
    assert (seen["1"][0] < 0).any()
    assert torch.equal(seen["3"][0], output)
    assert not any(record.requires_grad for calls in seen.values() for record in calls)


def test_gradients_are_those_of_the_outputs_call_by_call():
    net, x = small_net(), inputs()
    with probes.gradients(net, "0", "3") as seen:
        first, second = net(x), net(2 * x)
        (first.sum() + (3 * second).sum()).backward()
    assert torch.equal(seen["3"][0], torch.ones(6, 2))
    assert torch.equal(seen["3"][1], torch.full((6, 2), 3.0))
    # The weight's gradient is made of the output's.
    expected = seen["0"][0].t() @ x + seen["0"][1].t() @ (2 * x)
    torch.testing.assert_close(net[0].weight.grad, expected)


def test_a_gradient_that_was_not_asked_for_is_none():
    net = small_net()
    with probes.gradients(net, "0") as seen, torch.no_grad():
        net(inputs())
    assert seen == {"0": [None]}


def test_gradients_within_autograd_grad_as_the_engine_takes_them():
    net = small_net()
    with probes.gradients(net, "3") as seen:
        torch.autograd.grad(net(inputs()).sum(), list(net.parameters()))
    assert torch.equal(seen["3"][0], torch.ones(6, 2))


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 5), (6, 3, 4, 5)])
def test_minibatch_statistics_are_those_that_batch_norm_divides_by(shape):
    layer = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(shape)](3, affine=False)
    net = nn.Sequential(layer, nn.Flatten())
    x = 2 + 3 * torch.randn(shape, generator=torch.Generator().manual_seed(1))
    with probes.minibatch_statistics(net) as seen:
        output = net[0](x)
    (found,) = seen["0"]
    assert list(seen) == ["0"]
    mean, var = (t.view(1, 3, *[1] * (len(shape) - 2)) for t in found)
    torch.testing.assert_close((x - mean) / (var + 1e-5).sqrt(), output)
    with probes.minibatch_statistics(net, "1") as seen:
        net(x)
    assert seen["1"][0].mean.shape == (3,)


@pytest.mark.parametrize(
    "probe", [probes.activations, probes.gradients, probes.minibatch_statistics]
)
def test_hooks_are_gone_after_the_block_also_after_an_exception(probe):
    net, x = small_net(), inputs()
    with probe(net) as seen:
        assert hooks(net)
        output = net(x)
    assert not hooks(net)
    size = {name: len(calls) for name, calls in seen.items()}
    net(x)
    output.sum().backward()
    assert {name: len(calls) for name, calls in seen.items()} == size
    if probe is probes.gradients:
        assert seen["3"] == [None]

    with pytest.raises(KeyError, match="out of the block"), probe(net):
        raise KeyError("out of the block")
    assert not hooks(net)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), probe(net):
        net(x.t())
    assert not hooks(net)


def test_a_probe_changes_nothing():
    watched, plain, x = small_net(), small_net(), inputs()
    with (
        probes.activations(watched),
        probes.gradients(watched),
        probes.minibatch_statistics(watched),
    ):
        watched(x).square().sum().backward()
    plain(x).square().sum().backward()
    for a, b in zip(watched.parameters(), plain.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)
    assert torch.equal(watched[1].running_mean, plain[1].running_mean)


def test_an_unknown_layer_is_told_which_there_are():
    with pytest.raises(ValueError, match="no layer '7'; it has '0', '1', '2', '3'"):
        with probes.activations(small_net(), "7"):
            pass


def test_in_the_stacked_net_run_first_tells_the_runs_apart():
    def net():
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))

    runs = Runs(net, [1, 2], "cpu")
    x = torch.stack([inputs(), 2 * inputs()])
    with probes.activations(runs, "net.1") as together:
        runs(x)
    for i in range(2):
        single = Runs(net, [i + 1], "cpu").extract(0)
        with probes.activations(single, "1") as alone:
            single(x[i])
        torch.testing.assert_close(run_first(together["net.1"][0], 2)[i], alone["1"][0])
