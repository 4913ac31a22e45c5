"""Stale statistics: what is measured, that only statistics differ, and who is spared exactly."""

from functools import partial

import pytest
import torch
from torch import nn

from bnutils import data, perils
from bnutils.perils import stale
from bnutils.randomness import seeds
from bnutils.seeds import Runs


class Frozen(nn.Module):
    """Normalizes by what it stores, and never changes that."""

    def __init__(self, features):
        super().__init__()
        self.register_buffer("running_mean", torch.full((features,), 0.1))
        self.register_buffer("running_var", torch.full((features,), 0.5))

    def forward(self, x):
        return (x - self.running_mean) / self.running_var.sqrt()


def frozen(fan_in, fan_out):
    return nn.Sequential(nn.Linear(fan_in, fan_out), Frozen(fan_out))


def instance_without_statistics(fan_in, fan_out):
    return nn.Sequential(
        nn.Linear(fan_in, fan_out), nn.BatchNorm1d(fan_out, track_running_stats=False)
    )


@pytest.mark.parametrize(
    "block",
    [perils.plain, perils.group_norm, perils.layer_norm, frozen, instance_without_statistics],
)
def test_what_stores_nothing_or_never_changes_it_is_spared_exactly(block):
    assert torch.equal(stale.harm(block, seeds(3, "test")), torch.zeros(3, dtype=torch.float64))


def test_it_is_what_torchs_own_tools_measure():
    """Plain torch, from the seed on: the same steps, then update_bn on one batch of everything."""
    run = seeds(1, "test")
    images, labels = data.digits()
    rows = data.splits(run)
    x, y = images[rows.train[0]], labels[rows.train[0]]
    net = Runs(partial(perils.classifier, perils.batch_norm), run).extract(0)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.momentum = stale.MOMENTUM
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net.train()
    for step, indices in enumerate(data.minibatches(len(x), 64, run)):
        if step == stale.STEPS:
            break
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[indices[0]]), y[indices[0]]).backward()
        optimizer.step()

    def score():
        with torch.no_grad():
            right = net.eval()(images[rows.test[0]]).argmax(1) == labels[rows.test[0]]
        return 100 * right.double().mean()

    before = score()
    torch.optim.swa_utils.update_bn([x], net)
    # Rounding may turn an image or two over.
    torch.testing.assert_close(
        stale.harm(perils.batch_norm, run)[0], score() - before, atol=0.6, rtol=0
    )
    assert score() - before > 1


def test_set_momentum_reaches_every_layer_that_updates_and_no_other():
    norms = [nn.BatchNorm1d(4), Frozen(4), nn.GroupNorm(2, 4), nn.BatchNorm1d(4)]
    net = nn.Sequential(nn.Linear(4, 4), *norms)
    stale.set_momentum(net, 0.25)
    assert (norms[0].momentum, norms[3].momentum) == (0.25, 0.25)
    assert not hasattr(norms[1], "momentum")
    stale.set_momentum(net, None)
    assert norms[0].momentum is None
    runs = Runs(partial(perils.classifier, perils.batch_norm), seeds(2, "test"))
    stale.set_momentum(runs, 0.125)
    assert [m.momentum for m in runs.modules() if hasattr(m, "momentum")] == [0.125, 0.125]


@pytest.mark.parametrize("momentum", [-0.1, 1.5, 99])
def test_a_momentum_that_is_none_is_refused(momentum):
    with pytest.raises(ValueError, match="must lie between 0 and 1, or be None"):
        stale.set_momentum(nn.BatchNorm1d(2), momentum)
