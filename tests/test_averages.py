"""Many momenta, one training: each average is what a layer with that momentum would store."""

import copy

import pytest
import torch
from torch import nn

from bnutils import statistics
from bnutils.averages import RunningAverages, lent
from bnutils.seeds import SGD, Runs, classify

MOMENTA = [0.0, 0.01, 0.3, 1.0, None]
tight = {"rtol": 1e-10, "atol": 1e-10}


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 1 + 2 * torch.randn(shape, generator=generator, dtype=torch.float64)


def net(momentum=0.1):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(3, 4),
        nn.BatchNorm1d(4, momentum=momentum),
        nn.ReLU(),
        nn.Linear(4, 2),
        nn.BatchNorm1d(2, momentum=momentum),
    ).double()


def train(net, steps=7):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for step in range(steps):
        optimizer.zero_grad()
        net(draw(8, 3, seed=step)).square().mean().backward()
        optimizer.step()
    return net


def assert_same(a, b):
    assert list(a) == list(b)
    for name in a:
        torch.testing.assert_close(tuple(a[name]), tuple(b[name]), **tight)


@pytest.mark.parametrize("momentum", MOMENTA)
def test_each_is_what_a_layer_with_that_momentum_stores(momentum):
    followed, alone = net(), train(net(momentum))
    averages = RunningAverages(followed, MOMENTA)
    with averages:
        train(followed)
    assert_same(averages[momentum], statistics.stored(alone))
    assert_same(statistics.stored(followed), statistics.stored(train(net())))


@pytest.mark.parametrize("momentum", [0.05, None])
def test_stacked_runs(momentum):
    def build(momentum):
        return nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4, momentum=momentum), nn.Linear(4, 3))

    x, y = draw(3, 40, 5).float(), torch.arange(40).expand(3, 40) % 3
    options = {"steps": 6, "batch_size": 8}
    followed = Runs(lambda: build(0.1), [1, 2, 3])
    averages = RunningAverages(followed, [momentum])
    with averages:
        followed.fit(classify, (x, y), SGD(lr=0.1), **options)
    alone = Runs(lambda: build(momentum), [1, 2, 3])
    alone.fit(classify, (x, y), SGD(lr=0.1), **options)
    for name, expected in statistics.stored(alone).items():
        torch.testing.assert_close(tuple(averages[momentum][name]), tuple(expected))


def test_images():
    layer = nn.BatchNorm2d(3, momentum=0.4).double()
    averages = RunningAverages(layer, [0.4])
    with averages:
        for step in range(4):
            layer(draw(2, 3, 4, 5, seed=step))
    assert_same(averages[0.4], statistics.stored(layer))


def test_only_training_mode_counts_and_only_within_the_block():
    followed = net()
    averages = RunningAverages(followed, [0.5, None])
    with averages:
        train(followed, steps=2)
        before = copy.deepcopy(averages._stored)
        followed.eval()
        followed(draw(8, 3))
        followed.train()
    followed(draw(8, 3))
    for momentum, stored in before.items():
        assert_same(averages[momentum], stored)
    assert averages.passes == 2
    with averages:  # and it goes on where it was
        followed(draw(8, 3, seed=9))
    assert not torch.equal(averages[None]["1"].mean, before[None]["1"].mean)


def test_a_pause_for_re_estimation():
    followed = net()
    averages = RunningAverages(followed, MOMENTA)
    with averages:
        train(followed, steps=3)
        before = copy.deepcopy(averages._stored)
        with averages.paused():
            statistics.estimate(followed, draw(20, 3))
        for momentum, stored in before.items():
            assert_same(averages[momentum], stored)
        followed(draw(8, 3))
    assert averages.passes == 4
    followed(draw(8, 3))
    assert averages.passes == 4


def test_lent_statistics_are_used_and_given_back():
    trained = train(net()).eval()
    before = copy.deepcopy(trained.state_dict())
    other = statistics.estimate(trained, draw(50, 3))
    wanted = copy.deepcopy(trained)
    statistics.reestimate(wanted, draw(50, 3))
    x = draw(6, 3, seed=5)
    with lent(trained, other):
        torch.testing.assert_close(trained(x), wanted(x), **tight)
    with pytest.raises(KeyError), lent(trained, other):
        raise KeyError
    for name, tensor in trained.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="no layer of this net stores statistics"):
        RunningAverages(nn.Linear(2, 2), [0.1])
    with pytest.raises(ValueError, match="momentum is 1.5; it is the weight"):
        RunningAverages(net(), [0.1, 1.5])
    with pytest.raises(ValueError, match=r"for \['1'\], but the layers that store some are \['1'"):
        with lent(net(), {"1": statistics.stored(net())["1"]}):
            pass
