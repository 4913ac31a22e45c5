"""Fold a batch norm into the layer before it: two affine maps become one.

In evaluation mode batch norm multiplies each channel by s = weight / sqrt(running_var + eps) and
shifts it. After a linear layer or a convolution with weights W and bias b, the two together are the
same kind of layer with

    W' = s W,    b' = s (b - running_mean) + bias

one row, or one output channel, at a time. The product is exact; what differs is rounding. Torch has
the same for single pairs in ``torch.nn.utils.fusion``.
"""

import copy

import torch
from torch import Tensor, nn

FOLDABLE = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@torch.no_grad()
def fold(layer: nn.Module, norm: nn.Module) -> nn.Module:
    """One layer that computes ``norm(layer(x))`` as evaluation does.

    Parameters
    ----------
    layer : Linear, Conv1d, Conv2d or Conv3d
    norm : Module
        A batch norm in evaluation mode, torch's or ours, over the outputs of ``layer``.

    Returns
    -------
    Module
        A new layer like ``layer``, in evaluation mode and with a bias; both arguments stay as they
        are.

    Raises
    ------
    TypeError
        If ``layer`` is of another kind, or ``norm`` stores no statistics.
    ValueError
        If ``norm`` is in training mode, where it is no fixed map, or has another number of
        channels.
    """
    if not isinstance(layer, FOLDABLE):
        kinds = ", ".join(kind.__name__ for kind in FOLDABLE)
        raise TypeError(f"cannot fold into a {type(layer).__name__}; it must be one of {kinds}")
    _check(norm)
    channels, given = len(layer.weight), len(norm.running_mean)
    if channels != given:
        raise ValueError(
            f"the layer has {channels} outputs, the batch norm {given} channels; fold a batch norm "
            "into the layer right before it"
        )

    # In double precision, so that the folded weights are rounded once.
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.double()
    shift = -norm.running_mean.double()
    if layer.bias is not None:
        shift = shift + layer.bias.double()
    shift = scale * shift
    if norm.bias is not None:
        shift = shift + norm.bias.double()

    folded = copy.deepcopy(layer).eval()
    per_output = scale.view(-1, *[1] * (layer.weight.dim() - 1))
    _set(folded, "weight", per_output * layer.weight.double(), like=layer.weight)
    _set(folded, "bias", shift, like=layer.weight)
    return folded


def fold_all(net: nn.Sequential) -> nn.Sequential:
    """A copy of a chain of layers in which each batch norm is folded into the layer before it.

    Parameters
    ----------
    net : Sequential
        In evaluation mode. A batch norm that does not follow a layer it can be folded into, one
        that comes first or after an activation, stays.

    Returns
    -------
    Sequential
        In evaluation mode, shorter by the batch norms that were folded; its layers are numbered
        anew. ``net`` stays as it is.

    Raises
    ------
    TypeError
        If ``net`` is no Sequential: elsewhere the order of the layers is not the order of calls.
    ValueError
        As for `fold`.
    """
    if not isinstance(net, nn.Sequential):
        raise TypeError(
            f"net is a {type(net).__name__}; fold_all needs a Sequential, whose order is the order "
            "of computation. Elsewhere, fold pair by pair"
        )
    folded: list[nn.Module] = []
    for layer in net:
        if _stores_statistics(layer) and folded and isinstance(folded[-1], FOLDABLE):
            folded[-1] = fold(folded[-1], layer)
        else:
            folded.append(copy.deepcopy(layer))
    return nn.Sequential(*folded).eval()


def _stores_statistics(layer: nn.Module) -> bool:
    return hasattr(layer, "running_mean") and hasattr(layer, "running_var")


def _check(norm: nn.Module) -> None:
    kind = type(norm).__name__
    if not _stores_statistics(norm):
        raise TypeError(f"a {kind} stores no mean and variance; only a batch norm can be folded")
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError(
            f"this {kind} has no running statistics (track_running_stats=False): it uses the "
            "batch's in evaluation too, and no weights do the same"
        )
    if norm.training:
        raise ValueError(
            f"this {kind} is in training mode, where its output depends on the batch, so that no "
            "weights do the same; call eval() first"
        )


def _set(layer: nn.Module, name: str, values: Tensor, like: nn.Parameter) -> None:
    layer.register_parameter(name, nn.Parameter(values.to(like), like.requires_grad))
