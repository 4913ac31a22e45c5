"""Frozen batch norm: batch norm whose statistics are constants, in training too.

    y = weight * (x - running_mean) / sqrt(running_var + eps) + bias

Where the two constants come from has to be said. Here either from outside, by ``load_state_dict``
from a batch norm (``after=0``), as in fine-tuning; or from the layer's own first minibatches, for
which it is batch norm. From then on it is an affine map per channel: it mixes no examples,
computes the same in both modes, and changes its statistics no more.

Sources: Wu & Johnson 2021, https://arxiv.org/abs/2105.07576, who freeze for the last part of a
training; torchvision's ``FrozenBatchNorm2d``, which is frozen from the start, weight and bias
included.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FrozenBatchNorm1d(nn.BatchNorm1d):
    """Batch normalization with fixed statistics.

    It takes inputs of shape (N, C) or (N, C, L), as ``torch.nn.BatchNorm1d`` does, and has its
    parameters, buffers and ``state_dict``.

    Parameters
    ----------
    num_features : int
        C, the number of channels.
    after : int
        The minibatches of training for which the layer is batch norm; then it is frozen. With 0 it
        always is, and its statistics are 0 and 1 until others are loaded.
    trained_affine : bool
        Whether weight and bias ask for a gradient.
    eps, momentum, device, dtype
        As in ``torch.nn.BatchNorm1d``.

    Raises
    ------
    ValueError
        If ``after`` is negative.

    Notes
    -----
    ``num_batches_tracked`` counts what the statistics were collected from, and stands still once
    the layer is frozen. `bnutils.statistics.reestimate` leaves the statistics of a frozen layer
    alone, since its weights were trained for these.
    """

    # For bnutils.seeds: each channel is on its own, and a position counts like an example.
    per_channel = True
    pools_positions = True

    after: int = 1  # until __init__ has set it

    def __init__(
        self,
        num_features: int,
        after: int = 0,
        trained_affine: bool = True,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        if after < 0:
            raise ValueError(f"after is {after}; it must be at least 0, a number of minibatches")
        super().__init__(num_features, eps, momentum, device=device, dtype=dtype)
        self.after = after
        self.weight.requires_grad_(trained_affine)
        self.bias.requires_grad_(trained_affine)

    @property
    def frozen(self) -> bool:
        """Whether the statistics are constants by now."""
        return self.num_batches_tracked.item() >= self.after

    def reset_running_stats(self) -> None:
        """Forget all minibatches, unless the layer is frozen."""
        if not self.frozen:
            super().reset_running_stats()

    def forward(self, input: Tensor) -> Tensor:
        if not (self.training and self.frozen):
            return super().forward(input)
        self._check_input_dim(input)
        mean, var = self.running_mean, self.running_var
        return F.batch_norm(input, mean, var, self.weight, self.bias, False, 0.0, self.eps)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, after={self.after}"
