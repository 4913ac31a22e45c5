"""Ghost batch norm: the minibatch is split into ghosts, each normalized by its own statistics.

With a minibatch of N examples in N / n ghosts of n examples each, a channel's value x_i in ghost g
becomes, in training,

    y_i = weight * (x_i - mean_g) / sqrt(var_g + eps) + bias

so that the noise of the statistics is that of n examples, whatever N is. In evaluation it is batch
norm. A step moves the running averages once, towards the mean over the ghosts of their means and
unbiased variances, so that ``momentum`` means what it means in batch norm. (Implementations that
pass the ghosts through a batch norm one after the other move the averages once a ghost, and the
last ghosts weigh most.)

Source: Hoffer et al. 2017, https://arxiv.org/abs/1705.08741.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bnutils.layers import running_averages


class GhostBatchNorm1d(nn.BatchNorm1d):
    """Batch normalization over parts of the minibatch.

    It takes inputs of shape (N, C) or (N, C, L), as ``torch.nn.BatchNorm1d`` does, and has its
    parameters, buffers and ``state_dict``. The first n examples are the first ghost, the next n the
    second, and so on.

    Parameters
    ----------
    num_features : int
        C, the number of channels.
    ghost_size : int
        n, the examples in a ghost. N must be a multiple of it wherever the minibatch's statistics
        are used; with n = N the layer is batch norm.
    eps, momentum, affine, track_running_stats, device, dtype
        As in ``torch.nn.BatchNorm1d``.

    Raises
    ------
    ValueError
        If ``ghost_size`` is below 1; when called on a minibatch that does not split into whole
        ghosts, or into ghosts with a single value per channel, which has no variance.
    """

    # For bnutils.seeds: each channel is on its own. A position is no example: ghosts split these.
    per_channel = True

    def __init__(
        self,
        num_features: int,
        ghost_size: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)
        if ghost_size < 1:
            raise ValueError(f"ghost_size is {ghost_size}; it must be at least 1")
        self.ghost_size = ghost_size

    def forward(self, input: Tensor) -> Tensor:
        if not self.training and self.running_mean is not None:
            return super().forward(input)
        self._check_input_dim(input)
        if len(input) == 0:  # no ghosts: whatever torch does with it
            return super().forward(input)
        ghosts = self._count(input)
        # A ghost's channel becomes a channel of its own: (N, C, ...) to (n, ghosts * C, ...).
        apart = input.unflatten(0, (ghosts, -1)).transpose(0, 1).flatten(1, 2)
        weight = None if self.weight is None else self.weight.repeat(ghosts)
        bias = None if self.bias is None else self.bias.repeat(ghosts)
        mean = var = None
        if self.training and self.running_mean is not None:
            mean, var = (
                b.new_empty(ghosts * len(b)) for b in (self.running_mean, self.running_var)
            )
            mean.zero_()
            var.zero_()
        # A momentum of 1 leaves in `mean` and `var` what this minibatch alone says.
        y = F.batch_norm(apart, mean, var, weight, bias, True, 1.0, self.eps)
        if mean is not None:
            self.num_batches_tracked.add_(1)
            found = (b.view(ghosts, -1).mean(0) for b in (mean, var))
            running_averages.move(self, *found)
        return y.unflatten(1, (ghosts, -1)).transpose(0, 1).flatten(0, 1)

    def _count(self, input: Tensor) -> int:
        """The number of ghosts that the minibatch splits into."""
        n = len(input)
        if n % self.ghost_size:
            raise ValueError(
                f"a minibatch of {n} examples does not split into ghosts of {self.ghost_size}; "
                "make it a multiple of that, say by drop_last=True in the DataLoader"
            )
        if self.ghost_size * input[0, 0].numel() == 1:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got ghosts of size "
                f"{(self.ghost_size, *input.shape[1:])}: a single value has no variance. Use "
                "larger ghosts, or eval() for the running averages"
            )
        return n // self.ghost_size

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, ghost_size={self.ghost_size}"
