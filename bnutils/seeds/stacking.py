"""Turn S ordinary nets into one that computes all of them.

Between layers, the activations of the S nets lie channel-first: (S, F, B) for F features and B
examples, and (B, S * C, H, W) for images. So a linear layer is one batched matrix product, and the
channels of all nets are the channels of one convolution or one batch norm, which torch's own
kernels treat apart anyway.

Every stacked parameter and buffer holds the nets one after the other along its first dimension, so
that ``tensor.view(S, -1)[i]`` is net i's; only single values, such as the number of minibatches
seen, are common to all.
"""

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

ELEMENTWISE = (
    nn.CELU,
    nn.ELU,
    nn.GELU,
    nn.Hardswish,
    nn.Hardtanh,
    nn.Identity,
    nn.LeakyReLU,
    nn.Mish,
    nn.ReLU,
    nn.ReLU6,
    nn.SELU,
    nn.Sigmoid,
    nn.SiLU,
    nn.Softplus,
    nn.Tanh,
)
POOLING = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.AvgPool2d, nn.MaxPool2d)
PER_CHANNEL = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, nn.Conv2d)
# What a per-channel layer counts its channels by: S nets have S times as many.
COUNTS = ("num_features", "num_channels", "num_groups", "in_channels", "out_channels", "groups")


def stack(layers: Sequence[nn.Module], generators: Sequence[torch.Generator]) -> nn.Module:
    """One module that does for S nets at once what each of ``layers`` does for its own.

    Linear and per-channel layers and activations work on all nets in one call. A container that
    only chains its parts (``Sequential``), or only adds and multiplies what they return (a class
    with ``stackable = True``), is stacked part by part. Any other layer goes through
    ``torch.func.vmap``, which is slower but knows no exceptions.

    Parameters
    ----------
    layers : sequence of Module
        The same layer of each net; equal but for the values of parameters and buffers.
    generators : sequence of torch.Generator
        One for each net: dropout draws from them.
    """
    first = layers[0]
    kind = type(first)  # the exact class: a subclass may compute something else
    if kind is nn.Sequential or getattr(kind, "stackable", False):
        container = copy.copy(first)
        container._modules = {
            name: stack([layer.get_submodule(name) for layer in layers], generators)
            for name in first._modules
        }
        return container
    if kind in ELEMENTWISE or kind in POOLING:
        return copy.deepcopy(first)
    if kind is nn.Linear:
        return Linear(layers)
    if kind is nn.LayerNorm and len(first.normalized_shape) == 1:
        return PerChannel([_as_one_group(layer) for layer in layers])
    if kind in PER_CHANNEL or getattr(kind, "per_channel", False):
        return PerChannel(layers)
    if kind is nn.Flatten and (first.start_dim, first.end_dim) == (1, -1):
        return Flatten(len(layers))
    if kind is nn.Unflatten and first.dim == 1 and len(first.unflattened_size) == 3:
        return Unflatten(first.unflattened_size)
    if kind is nn.Dropout:
        return Dropout(first.p, generators)
    return Vmapped(layers)


def channel_first(x: Tensor) -> Tensor:
    """(S, B, F) to (S, F, B), and (S, B, C, H, W) to (B, S * C, H, W)."""
    return x.transpose(1, 2) if x.dim() == 3 else x.transpose(0, 1).flatten(1, 2)


def run_first(h: Tensor, runs: int) -> Tensor:
    """The inverse of `channel_first`: S, the number of runs, then B, the examples."""
    return h.transpose(1, 2) if h.dim() == 3 else h.unflatten(1, (runs, -1)).transpose(0, 1)


class Linear(nn.Module):
    """S linear layers: (S, in, B) to (S, out, B)."""

    def __init__(self, layers: Sequence[nn.Linear]):
        super().__init__()
        _replace_tensors(self, layers, torch.stack)

    def forward(self, h: Tensor) -> Tensor:
        if self.bias is None:
            return torch.bmm(self.weight, h)
        return torch.baddbmm(self.bias.unsqueeze(-1), self.weight, h)


class PerChannel(nn.Module):
    """A layer that treats its channels, or groups of them, apart: one over the channels of all."""

    def __init__(self, layers: Sequence[nn.Module]):
        super().__init__()
        self.layer = copy.deepcopy(layers[0])
        for module, *parts in zip(
            self.layer.modules(), *(layer.modules() for layer in layers), strict=True
        ):
            _replace_tensors(module, parts, torch.cat)
            for count in COUNTS:
                if hasattr(module, count):
                    setattr(module, count, len(layers) * getattr(module, count))
        # Batch norm pools the examples of (B, channels) and the positions of (1, channels, B)
        # alike; in the second form its input is already laid out as it should be.
        self.examples_as_positions = type(self.layer) is nn.BatchNorm1d or getattr(
            self.layer, "pools_positions", False
        )

    def forward(self, h: Tensor) -> Tensor:
        if h.dim() != 3:
            return self.layer(h)
        runs, features, examples = h.shape
        if self.examples_as_positions:
            return self.layer(h.reshape(1, runs * features, examples)).view(h.shape)
        by_example = h.reshape(runs * features, examples).t()
        return self.layer(by_example).t().reshape(h.shape)


class Flatten(nn.Module):
    """(B, S * C, H, W) to (S, C * H * W, B)."""

    def __init__(self, runs: int):
        super().__init__()
        self.runs = runs

    def forward(self, h: Tensor) -> Tensor:
        return h if h.dim() == 3 else run_first(h, self.runs).flatten(2).transpose(1, 2)


class Unflatten(nn.Module):
    """(S, F, B) to (B, S * C, H, W)."""

    def __init__(self, shape: Sequence[int]):
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, h: Tensor) -> Tensor:
        return channel_first(run_first(h, len(h)).unflatten(2, self.shape))


class Dropout(nn.Module):
    """Dropout that draws each run's mask from the run's own generator."""

    def __init__(self, p: float, generators: Sequence[torch.Generator]):
        super().__init__()
        self.p = p
        self.generators = list(generators)

    def forward(self, h: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return h
        shape = run_first(h, len(self.generators)).shape
        kept = torch.stack([torch.rand(shape[1:], generator=g) for g in self.generators]) >= self.p
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        return h * channel_first(kept).to(h) * scale


class Vmapped(nn.Module):
    """Any layer: ``torch.func.vmap`` over the stacked parameters and buffers."""

    def __init__(self, layers: Sequence[nn.Module]):
        super().__init__()
        self.runs = len(layers)
        self.layer = copy.deepcopy(layers[0])
        for module, *parts in zip(
            self.layer.modules(), *(layer.modules() for layer in layers), strict=True
        ):
            _replace_tensors(module, parts, torch.stack)

    def run_first(self, x: Tensor) -> Tensor:
        """From inputs (S, B, ...) to outputs (S, B, ...)."""

        def call(tensors: dict[str, Tensor], x: Tensor) -> Tensor:
            return torch.func.functional_call(self.layer, tensors, (x,))

        tensors = {**dict(self.layer.named_parameters()), **dict(self.layer.named_buffers())}
        return torch.func.vmap(call)(tensors, x)

    def forward(self, h: Tensor) -> Tensor:
        return channel_first(self.run_first(run_first(h, self.runs)))


def unstack(stacked: nn.Module, net: nn.Module, run: int, runs: int) -> None:
    """Copy one run's parameters, buffers and modes from a stacked net into an ordinary one."""
    if isinstance(stacked, PerChannel | Vmapped):
        stacked = stacked.layer
    net.training = stacked.training
    for name, tensor in [*net.named_parameters(recurse=False), *net.named_buffers(recurse=False)]:
        source = getattr(stacked, name).detach()
        if source.dim() > 0:
            source = source.view(runs, -1)[run].view(tensor.shape)
        tensor.data.copy_(source)
    for name, child in net.named_children():
        unstack(stacked.get_submodule(name), child, run, runs)


def _replace_tensors(
    module: nn.Module, parts: Sequence[nn.Module], join: Callable[[list[Tensor]], Tensor]
) -> None:
    """Give ``module`` the parameters and buffers of all ``parts``, joined."""
    for name, parameter in parts[0]._parameters.items():
        if parameter is not None:
            joined = join([getattr(part, name).detach() for part in parts])
            parameter = nn.Parameter(joined, parameter.requires_grad)
        module.register_parameter(name, parameter)
    for name, buffer in parts[0]._buffers.items():
        if buffer is not None and (buffer.dim() > 0 or join is torch.stack):
            buffer = join([getattr(part, name) for part in parts])
        module.register_buffer(name, buffer)


def _as_one_group(layer: nn.LayerNorm) -> nn.GroupNorm:
    """A layer norm over F features is a group norm with one group."""
    group = nn.GroupNorm(1, *layer.normalized_shape, layer.eps, affine=False)
    group.affine = layer.elementwise_affine
    group.weight, group.bias = layer.weight, layer.bias
    return group
