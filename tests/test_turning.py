"""Angles are right at any size, and `Turning` records them unit by unit, layer by layer."""

import pytest
import torch
from torch import nn

from bnutils.nets import mlp
from bnutils.seeds import SGD, Runs, classify
from bnutils.turning import Turning, angles


def stacked(runs=2):
    net = Runs(mlp(2, norm=nn.BatchNorm1d, width=4, inputs=5, outputs=3), range(runs), "cpu")
    g = torch.Generator().manual_seed(0)
    x = torch.randn(runs, 20, 5, generator=g, dtype=torch.float64)
    return net.double(), x, torch.randint(3, (runs, 20), generator=g)


def weights(net):
    return [net.net[i].weight.detach().clone() for i in (0, 3)]


def test_angles_are_right_at_both_ends():
    for angle in (1e-7, 1e-3, 1.0, torch.pi / 2, torch.pi):
        angle = torch.tensor(angle, dtype=torch.float64)
        after = 7 * torch.stack([angle.cos(), angle.sin()])
        found = angles(torch.tensor([3.0, 0.0], dtype=torch.float64), after)
        torch.testing.assert_close(found, angle, rtol=1e-7, atol=0)


def test_turning_is_the_root_mean_square_over_units():
    net, x, y = stacked()
    turning = Turning(net, "net.0", "net.3")
    old = weights(net)
    first = turning(net)
    assert first["length"].shape == first["angle"].shape == (2, 2)
    assert first["angle"].isnan().all()
    net.fit(classify, (x, y), SGD(0.3), steps=1, batch_size=20)
    second = turning(net)
    for layer, (before, after) in enumerate(zip(old, weights(net), strict=True)):
        cosine = (before * after).sum(-1) / before.norm(dim=-1) / after.norm(dim=-1)
        expected = cosine.arccos().square().mean(1).sqrt()
        torch.testing.assert_close(second["angle"][:, layer], expected, rtol=1e-6, atol=1e-9)
        length = after.norm(dim=-1).square().mean(1).sqrt()
        torch.testing.assert_close(second["length"][:, layer], length)


def test_turning_wants_stacked_linear_layers():
    net, *_ = stacked()
    for name in ("net.1", "net.1.layer", "net.9"):  # a norm, outside and inside, and nothing
        with pytest.raises(ValueError, match=f"'{name}' is no stacked linear layer"):
            Turning(net, "net.0", name)
    with pytest.raises(ValueError, match="at least one layer"):
        Turning(net)


def test_a_unit_that_only_became_longer_has_not_turned():
    net, *_ = stacked()
    turning = Turning(net, "net.0")
    before = turning(net)["length"]
    with torch.no_grad():
        net.net[0].weight.mul_(3.0)
    after = turning(net)
    torch.testing.assert_close(after["length"], 3 * before)
    assert after["angle"].abs().max() < 1e-12


def test_each_call_compares_with_the_one_before_and_keeps_no_view():
    net, x, y = stacked()
    turning = Turning(net, "net.3")
    turning(net)
    net.fit(classify, (x, y), SGD(0.3), steps=1, batch_size=20)
    assert (turning(net)["angle"] > 1e-4).all()
    assert turning(net)["angle"].abs().max() < 1e-12
