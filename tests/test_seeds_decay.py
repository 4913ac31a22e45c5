"""Weight decay on chosen parameters is torch's own, group by group and run by run."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bnutils.nets import mlp
from bnutils.seeds import DecayedSGD, Runs, classify
from bnutils.turning import Turning, angles

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


def test_it_is_torchs_sgd_with_two_groups():
    net, x, y = stacked()
    alone = [net.extract(i) for i in range(2)]
    net.fit(classify, (x, y), DecayedSGD(RATES, DECAYS, chosen(net)), steps=30, batch_size=20)
    for i, single in enumerate(alone):
        hidden = [single[0].weight, single[3].weight]
        others = [p for p in single.parameters() if all(p is not h for h in hidden)]
        groups = [{"params": hidden, "weight_decay": DECAYS[i]}, {"params": others}]
        optimizer = torch.optim.SGD(groups, lr=RATES[i])
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
    net.zero_grad()
    optimizer = DecayedSGD(0.1, 0.5, [weight])
    optimizer.step([], factor=2.0)
    torch.testing.assert_close(weight.detach(), 0.9 * before)


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


def test_angles_are_right_at_both_ends():
    for angle in (1e-7, 1e-3, 1.0, torch.pi / 2, torch.pi):
        angle = torch.tensor(angle, dtype=torch.float64)
        after = 7 * torch.stack([angle.cos(), angle.sin()])
        found = angles(torch.tensor([3.0, 0.0], dtype=torch.float64), after)
        torch.testing.assert_close(found, angle, rtol=1e-7, atol=0)


def test_turning_is_the_root_mean_square_over_units():
    net, x, y = stacked()
    turning = Turning(net, "net.0", "net.3")
    old = [w.detach().clone() for w in chosen(net)]
    first = turning(net)
    assert first["length"].shape == first["angle"].shape == (2, 2)
    assert first["angle"].isnan().all()
    net.fit(classify, (x, y), DecayedSGD(0.3, 0.1, chosen(net)), steps=1, batch_size=20)
    second = turning(net)
    for layer, (before, after) in enumerate(zip(old, chosen(net), strict=True)):
        after = after.detach()
        cosine = (before * after).sum(-1) / before.norm(dim=-1) / after.norm(dim=-1)
        expected = cosine.arccos().square().mean(1).sqrt()
        torch.testing.assert_close(second["angle"][:, layer], expected, rtol=1e-6, atol=1e-9)
        length = after.norm(dim=-1).square().mean(1).sqrt()
        torch.testing.assert_close(second["length"][:, layer], length)


def test_turning_wants_stacked_linear_layers():
    net, *_ = stacked()
    for layers, says in [(("net.1",), "'net.1' is no stacked"), ((), "at least one layer")]:
        with pytest.raises(ValueError, match=says):
            Turning(net, *layers)
