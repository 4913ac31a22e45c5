"""Folding: one layer computes what two did, and what cannot be folded is refused."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from bnutils import layers
from bnutils.folding import fold, fold_all

tight = {"rtol": 1e-12, "atol": 1e-12}
PAIRS = {
    "linear": (lambda: nn.Linear(4, 6), lambda **k: nn.BatchNorm1d(6, **k), (9, 4)),
    "no bias": (lambda: nn.Linear(4, 6, bias=False), lambda **k: nn.BatchNorm1d(6, **k), (9, 4)),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3), lambda **k: nn.BatchNorm1d(6, **k), (5, 4, 8)),
    "conv2d": (
        lambda: nn.Conv2d(4, 6, 3, padding=1, stride=2),
        lambda **k: nn.BatchNorm2d(6, **k),
        (5, 4, 7, 7),
    ),
    "groups": (
        lambda: nn.Conv2d(4, 6, 3, groups=2, bias=False),
        lambda **k: nn.BatchNorm2d(6, **k),
        (5, 4, 7, 7),
    ),
    "conv3d": (lambda: nn.Conv3d(2, 6, 2), lambda **k: nn.BatchNorm3d(6, **k), (3, 2, 4, 4, 4)),
}


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def random(module):
    """In evaluation mode, with parameters and statistics that are all different."""
    module = module.double().eval()
    with torch.no_grad():
        for i, tensor in enumerate([*module.parameters(), *module.buffers()]):
            if tensor.is_floating_point():
                tensor.copy_(draw(*tensor.shape, seed=i))
        if module.state_dict().get("running_var") is not None:
            module.running_var.abs_()
    return module


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("options", [{}, {"affine": False}, {"eps": 0.5}])
def test_one_layer_computes_what_two_did(pair, options):
    build, norm, shape = PAIRS[pair]
    layer, norm, x = random(build()), random(norm(**options)), draw(*shape)
    before = copy.deepcopy([layer.state_dict(), norm.state_dict()])
    folded = fold(layer, norm)
    torch.testing.assert_close(folded(x), norm(layer(x)), **tight)
    assert type(folded) is type(layer)
    assert not folded.training
    for old, module in zip(before, (layer, norm), strict=True):
        for name, tensor in module.state_dict().items():
            assert torch.equal(tensor, old[name]), name


@pytest.mark.parametrize("pair", PAIRS)
def test_torch_folds_to_the_same_weights(pair):
    build, norm, _ = PAIRS[pair]
    layer, norm = random(build()), random(norm())
    fuse = fuse_linear_bn_eval if isinstance(layer, nn.Linear) else fuse_conv_bn_eval
    theirs, ours = fuse(layer, norm), fold(layer, norm)
    torch.testing.assert_close(ours.weight, theirs.weight, **tight)
    torch.testing.assert_close(ours.bias, theirs.bias, **tight)


def test_our_batch_norm_folds_as_torchs():
    layer, theirs = random(nn.Linear(4, 6)), random(nn.BatchNorm1d(6))
    ours = random(layers.BatchNorm1d(6))
    ours.load_state_dict(theirs.state_dict())
    assert torch.equal(fold(layer, ours).weight, fold(layer, theirs).weight)
    no_bias = random(layers.BatchNorm1d(6, bias=False))
    x = draw(5, 4)
    torch.testing.assert_close(fold(layer, no_bias)(x), no_bias(layer(x)), **tight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_precision_and_gradients_are_the_layers_own(dtype):
    layer, norm = random(nn.Linear(4, 6)).to(dtype), random(nn.BatchNorm1d(6)).float()
    layer.requires_grad_(False)
    folded = fold(layer, norm)
    assert folded.weight.dtype == folded.bias.dtype == dtype
    assert not folded.weight.requires_grad
    assert not folded.bias.requires_grad


def test_a_whole_net():
    net = nn.Sequential(
        nn.BatchNorm1d(4),  # nothing before it
        nn.Linear(4, 6, bias=False),
        nn.BatchNorm1d(6),
        nn.BatchNorm1d(6),  # twice
        nn.ReLU(),
        nn.BatchNorm1d(6),  # after an activation
        nn.Linear(6, 3),
    ).double()
    for layer in net:
        random(layer)
    x, before = draw(7, 4), copy.deepcopy(net.state_dict())
    folded = fold_all(net)
    kinds = [type(layer).__name__ for layer in folded]
    assert kinds == ["BatchNorm1d", "Linear", "ReLU", "BatchNorm1d", "Linear"]
    torch.testing.assert_close(folded(x), net(x), **tight)
    with torch.no_grad():
        for tensor in folded.state_dict().values():
            tensor.zero_()
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())
    assert not folded.training


@pytest.mark.parametrize(
    ("layer", "norm", "error", "says"),
    [
        (nn.Linear(4, 6), nn.BatchNorm1d(6), ValueError, "in training mode.*call eval"),
        (nn.Linear(4, 6), nn.BatchNorm1d(5).eval(), ValueError, "6 outputs, the batch norm 5"),
        (nn.ReLU(), nn.BatchNorm1d(6).eval(), TypeError, "cannot fold into a ReLU"),
        (nn.Linear(4, 6), nn.LayerNorm(6).eval(), TypeError, "a LayerNorm stores no mean"),
        (
            nn.Linear(4, 6),
            nn.BatchNorm1d(6, track_running_stats=False).eval(),
            TypeError,
            "track_running_stats=False",
        ),
    ],
)
def test_what_cannot_be_folded_is_refused(layer, norm, error, says):
    with pytest.raises(error, match=says):
        fold(layer, norm)


def test_a_net_that_is_no_chain_or_still_trains_is_refused():
    with pytest.raises(TypeError, match="net is a Linear; fold_all needs a Sequential"):
        fold_all(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="training mode"):
        fold_all(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
