"""How a layer's running averages take in a minibatch: one rule for all layers that keep them.

With the minibatch's statistics s and the momentum a, an average R becomes

    R = (1 - a) R + a s

and without a momentum the plain mean of all minibatches so far, that is, a = 1 / their number.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
"""

import torch
from torch import Tensor, nn


@torch.no_grad()
def move(layer: nn.Module, mean: Tensor, unbiased_var: Tensor) -> None:
    """Move the layer's running averages towards the statistics of a minibatch.

    The minibatch must have been counted already.

    Parameters
    ----------
    layer : Module
        With ``momentum``, ``running_mean``, ``running_var`` and ``num_batches_tracked``.
    mean, unbiased_var : Tensor
        What the minibatch says, shape (C,). The averages keep their own dtype.
    """
    share = layer.momentum
    if share is None:
        share = 1 / layer.num_batches_tracked.to(mean.dtype)
    for average, new in ((layer.running_mean, mean), (layer.running_var, unbiased_var)):
        average.copy_((1 - share) * average.to(new.dtype) + share * new)
