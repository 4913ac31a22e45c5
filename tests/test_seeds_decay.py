"""Weight decay on chosen parameters is torch's own, group by group and run by run."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bnutils.nets import mlp
from bnutils.seeds import DecayedSGD, Runs, classify
from bnutils.turning import angles

RATES, DECAYS = [0.1, 0.3], [0.2, 0.05]


def stacked(runs=2):
    net = Runs(mlp(2, norm=nn.BatchNorm1d, width=4, inputs=5, outputs=3), range(runs), "cpu")
    net.double()
    g = torch.Generator().manual_seed(0)
    x = torch.randn(runs, 20, 5, generator=g, dtype=torch.float64)
    y = torch.randint(3, (runs, 20), generator=g)
    return net, x, y


def chosen(net):
    return [net.net[0].weight, net.net[3].weight]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_is_torchs_sgd_with_two_groups(momentum):
    net, x, y = stacked()
    alone = [net.extract(i) for i in range(2)]
    optimizer = DecayedSGD(RATES, DECAYS, chosen(net), momentum)
    net.fit(classify, (x, y), optimizer, steps=30, batch_size=20)
    for i, single in enumerate(alone):
        hidden = [single[0].weight, single[3].weight]
        others = [p for p in single.parameters() if all(p is not h for h in hidden)]
        groups = [{"params": hidden, "weight_decay": DECAYS[i]}, {"params": others}]
        optimizer = torch.optim.SGD(groups, lr=RATES[i], momentum=momentum)
        single.train()
        for _ in range(30):  # one minibatch of all examples: its order does not matter
            optimizer.zero_grad()
            F.cross_entropy(single(x[i]), y[i]).backward()
            optimizer.step()
        for name, tensor in net.extract(i).state_dict().items():
            torch.testing.assert_close(tensor, single.state_dict()[name], rtol=1e-9, atol=1e-9)


def test_one_decay_serves_all_runs_and_the_factor_scales_it():
    net, x, y = stacked()
    weight = net.net[0].weight
    before = weight.detach().clone()
    weight.grad = torch.zeros_like(weight)
    DecayedSGD(0.1, 0.5, [weight]).step([weight], factor=2.0)
    torch.testing.assert_close(weight.detach(), 0.9 * before)


def test_what_has_no_gradient_stays_as_it_is():
    net, *_ = stacked()
    weight = net.net[0].weight
    before = weight.detach().clone()
    DecayedSGD(0.1, 0.5, [weight]).step(net.parameters())
    torch.testing.assert_close(weight.detach(), before, rtol=0, atol=0)


def test_held_rows_keep_their_lengths_and_still_turn():
    net, x, y = stacked()
    before = [w.detach().clone() for w in chosen(net)]
    optimizer = DecayedSGD(RATES, 0.0, chosen(net), hold=True)
    net.fit(classify, (x, y), optimizer, steps=5, batch_size=10)
    for old, new in zip(before, chosen(net), strict=True):
        torch.testing.assert_close(new.detach().norm(dim=-1), old.norm(dim=-1))
        assert angles(old, new).min() > 1e-3
    assert net.net[6].weight.detach().norm() > 0


def test_bad_decays_are_told():
    with pytest.raises(ValueError, match="must be at least 0"):
        DecayedSGD(0.1, -1.0, [])
    with pytest.raises(ValueError, match="3 decays for 2 learning rates"):
        DecayedSGD([0.1, 0.2], [1.0, 2.0, 3.0], [])
