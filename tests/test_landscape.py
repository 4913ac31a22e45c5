"""Looking around in the loss: against autograd on each net alone, and leaving no trace."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bnutils import landscape
from bnutils.nets import mlp
from bnutils.seeds import Runs


@pytest.fixture
def runs():
    return Runs(mlp(2, norm=nn.BatchNorm1d, width=6, inputs=5, outputs=3), [1, 2]).double().eval()


@pytest.fixture
def batch():
    x = torch.randn(2, 12, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x, torch.arange(24).reshape(2, 12) % 3


def alone(runs, batch, run):
    """Loss and gradients of one run as an ordinary net, in training mode."""
    net = runs.extract(run).train()
    loss = F.cross_entropy(net(batch[0][run]), batch[1][run])
    return loss, torch.autograd.grad(loss, list(net.parameters())), net


def test_the_gradient_is_each_runs_own_in_training_mode(runs, batch):
    here = landscape.gradient(runs, *batch)
    for run in range(2):
        loss, gradients, _ = alone(runs, batch, run)
        torch.testing.assert_close(here.loss[run], loss.detach())
        for part, expected in zip(here.parts.values(), gradients, strict=True):
            torch.testing.assert_close(part.view(2, -1)[run].view(expected.shape), expected)
        flat = torch.cat([g.flatten() for g in gradients])
        torch.testing.assert_close(landscape.length(here.parts, 2)[run], flat.norm())


def test_nothing_that_is_looked_at_changes(runs, batch):
    before = {name: value.clone() for name, value in runs.state_dict().items()}
    here = landscape.gradient(runs, *batch)
    with pytest.raises(KeyError), landscape.moved(runs, here, [0.1, 1e6]):
        raise KeyError
    for name, value in runs.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not any(module.training for module in runs.modules())
    assert all(parameter.grad is None for parameter in runs.parameters())


def test_a_move_is_a_step_of_each_run_at_its_own_rate(runs, batch):
    here = landscape.gradient(runs, *batch)
    with landscape.moved(runs, here, torch.tensor([0.1, 0.5])):
        there = landscape.gradient(runs, *batch)
    for run, rate in enumerate([0.1, 0.5]):
        _, gradients, net = alone(runs, batch, run)
        with torch.no_grad():
            for parameter, gradient in zip(net.parameters(), gradients, strict=True):
                parameter -= rate * gradient
        loss = F.cross_entropy(net(batch[0][run]), batch[1][run])
        torch.testing.assert_close(there.loss[run], loss.detach())
    change = landscape.difference(there, here)
    expected = there.parts["net.0.weight"] - here.parts["net.0.weight"]
    torch.testing.assert_close(change["net.0.weight"], expected)


def test_only_named_parameters_move(runs, batch):
    here = landscape.gradient(runs, *batch)
    before = {name: p.detach().clone() for name, p in runs.named_parameters()}
    with landscape.moved(runs, here, 0.1, ["net.0.weight"]):
        moved = {n for n, p in runs.named_parameters() if not torch.equal(p, before[n])}
    assert moved == {"net.0.weight"}
    with pytest.raises(ValueError, match="there is no parameter 'net.9.weight'"):
        with landscape.moved(runs, here, 0.1, ["net.9.weight"]):
            pass


def test_angles_are_between_the_runs_gradients():
    one = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    other = torch.tensor([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    found = landscape.angle(one, other, 3)
    torch.testing.assert_close(found, torch.tensor([0.0, 45.0, 180.0], dtype=torch.float64))


def test_it_is_training_mode_for_every_layer(batch):
    runs = Runs(lambda: nn.Sequential(nn.Linear(5, 3), nn.Dropout(0.5)), [1, 2]).double().eval()
    losses = [landscape.gradient(runs, *batch).loss for _ in range(2)]
    assert not torch.equal(*losses)
