"""Fully connected nets of any depth: by activation, initialization, norm, and with skips.

net = mlp(depth=12, activation=nn.Sigmoid, init=xavier, norm=nn.BatchNorm1d)
Runs(net, seeds(16, "deep"))
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Initialization = Callable[[nn.Linear], None]


def he(layer: nn.Linear) -> None:
    """Normal weights of variance 2 / fan-in, no bias: keeps a ReLU net's activations in size.

    Source: He et al. 2015, https://arxiv.org/abs/1502.01852.
    """
    nn.init.kaiming_normal_(layer.weight)
    _no_bias(layer)


def xavier(layer: nn.Linear) -> None:
    """Uniform weights of variance 2 / (fan-in + fan-out), no bias.

    Source: Glorot & Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html.
    """
    nn.init.xavier_uniform_(layer.weight)
    _no_bias(layer)


def small(layer: nn.Linear) -> None:
    """Normal weights of standard deviation 0.01, no bias: usual for deep nets until He et al."""
    nn.init.normal_(layer.weight, std=0.01)
    _no_bias(layer)


def torchs(layer: nn.Linear) -> None:
    """What ``nn.Linear`` does by itself: uniform weights of variance 1 / (3 fan-in)."""


def mlp(
    depth: int,
    *,
    norm: Callable[[int], nn.Module] | None = None,
    activation: Callable[[], nn.Module] = nn.ReLU,
    init: Initialization = he,
    residual: bool = False,
    width: int = 32,
    inputs: int = 64,
    outputs: int = 10,
) -> Callable[[], nn.Sequential]:
    """A function that builds the net, as `bnutils.seeds.Runs` takes it.

    Each of the hidden layers is Linear, norm, activation. Under a norm the linear layers have no
    bias, since the norm has its own; the output layer always has one.

    Parameters
    ----------
    depth : int
        Hidden layers, at least 1.
    norm : callable, optional
        From the width to a layer, such as ``nn.BatchNorm1d``; None for no norm.
    activation : callable
        Builds the nonlinearity.
    init : callable
        Sets a linear layer's parameters: `he`, `xavier`, `small` or `torchs`.
    residual : bool
        Whether each hidden layer but the first is added to its own input.
    width, inputs, outputs : int
        Units in each hidden layer, and at both ends.
    """
    if depth < 1:
        raise ValueError(f"depth is {depth}; it must be at least 1, the number of hidden layers")

    def linear(fan_in: int, fan_out: int, bias: bool = True) -> nn.Linear:
        layer = nn.Linear(fan_in, fan_out, bias=bias)
        init(layer)
        return layer

    def hidden(fan_in: int) -> list[nn.Module]:
        normed = [] if norm is None else [norm(width)]
        return [linear(fan_in, width, bias=norm is None), *normed, activation()]

    def build() -> nn.Sequential:
        layers = hidden(inputs)
        for _ in range(depth - 1):
            layers += [Residual(*hidden(width))] if residual else hidden(width)
        return nn.Sequential(*layers, linear(width, outputs))

    return build


class Residual(nn.Module):
    """``x + branch(x)``, where the branch chains the layers."""

    stackable = True  # for bnutils.seeds: it only adds what its part returns

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.branch = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


def fitted(build: Callable[[], nn.Module], x: Tensor) -> Callable[[], nn.Module]:
    """The net that ``build`` builds, each linear layer scaled and shifted to suit ``x``.

    Over ``x`` every unit of every linear layer then has mean 0 and variance 1, as batch norm would
    have it in the first step, but by weights and biases, and once only. A unit that is constant
    over ``x`` is shifted, not scaled.

    Parameters
    ----------
    build : callable
        Builds a net whose linear layers all have biases.
    x : Tensor
        Shape (B, inputs): a batch of training data.

    Raises
    ------
    ValueError
        If a linear layer has no bias.

    Notes
    -----
    Source: Salimans & Kingma 2016, https://arxiv.org/abs/1602.07868, section 3.
    """

    def fit(layer: nn.Linear, _: tuple, output: Tensor) -> Tensor:
        if layer.bias is None:
            raise ValueError("a linear layer has no bias, so it cannot be shifted; build with one")
        mean, deviation = output.mean(0), output.std(0, correction=0)
        deviation = torch.where(deviation > 0, deviation, 1.0)
        layer.weight.div_(deviation.unsqueeze(1))
        layer.bias.sub_(mean).div_(deviation)
        return (output - mean) / deviation

    @torch.no_grad()
    def build_fitted() -> nn.Module:
        net = build()
        linears = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
        hooks = [layer.register_forward_hook(fit) for layer in linears]
        net(x)
        for hook in hooks:
            hook.remove()
        return net

    return build_fitted


def in_sigmoids(build: Callable[[], nn.Sequential]) -> Callable[[], nn.Sequential]:
    """The net of hyperbolic tangents that ``build`` builds, written in sigmoids.

    At first it computes the same outputs: since tanh(u) = 2 sigmoid(2u) - 1, weights and biases
    before a tanh are doubled, and the layer after it takes 2h - 1 in the place of h.

    Parameters
    ----------
    build : callable
        Builds a chain of ``Linear`` and ``Tanh`` layers, all linear layers with biases.

    Raises
    ------
    ValueError
        If the net has any other layer, or a linear layer without a bias.
    """

    @torch.no_grad()
    def build_in_sigmoids() -> nn.Sequential:
        net = build()
        layers = list(net)
        for layer in layers:
            if type(layer) not in (nn.Linear, nn.Tanh) or getattr(layer, "bias", 0) is None:
                raise ValueError(
                    f"the net holds {layer}; it must be a chain of Linear, with biases, and Tanh"
                )
        for i, layer in enumerate(layers):
            if isinstance(layer, nn.Tanh):
                net[i] = nn.Sigmoid()
                continue
            if i > 0 and isinstance(layers[i - 1], nn.Tanh):
                layer.bias.sub_(layer.weight.sum(1))
                layer.weight.mul_(2)
            if i + 1 < len(layers) and isinstance(layers[i + 1], nn.Tanh):
                layer.weight.mul_(2)
                layer.bias.mul_(2)
        return net

    return build_in_sigmoids


def _no_bias(layer: nn.Linear) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
