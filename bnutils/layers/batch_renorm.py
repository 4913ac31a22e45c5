"""Batch renormalization: batch norm that is corrected, in training, towards its running averages.

A channel's value x_i becomes, in training,

    y_i = weight * ((x_i - mean_B) / s_B * r + d) + bias,    s_B = sqrt(var_B + eps)

    r = clip(s_B / s, 1 / rmax, rmax)                        s   = sqrt(running_var + eps)
    d = clip((mean_B - running_mean) / s, -dmax, dmax)

with the minibatch's mean_B and biased var_B. Where neither is clipped, the minibatch cancels
out of the output, which is then evaluation's: (x_i - running_mean) / s. The gradient passes through
mean_B and s_B as in batch norm, while r and d count as constants. With rmax = 1 and dmax = 0 the
layer *is* batch norm. Evaluation is batch norm's.

The paper averages the *deviations* s_B. To be exchangeable with batch norm, this layer averages
what torch's does, the unbiased variances, and takes the root; so does Chainer's, see
https://docs.chainer.org/en/v6.6.0/reference/generated/chainer.functions.batch_renormalization.html.

Source: Ioffe 2017, https://arxiv.org/abs/1702.03275, algorithm 1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bnutils.layers import running_averages


class BatchRenorm1d(nn.BatchNorm1d):
    """Batch renormalization.

    It takes inputs of shape (N, C) or (N, C, L), as ``torch.nn.BatchNorm1d`` does, and has its
    parameters, buffers and ``state_dict``. The limits ``rmax`` and ``dmax`` are plain attributes,
    no part of the state: they may be moved during training, as `relax` does.

    Parameters
    ----------
    num_features : int
        C, the number of channels.
    rmax : float
        The largest correction of the scale, at least 1; 1 allows none.
    dmax : float
        The largest correction of the mean, in standard deviations, at least 0; 0 allows none.
    eps, momentum, affine, device, dtype
        As in ``torch.nn.BatchNorm1d``. The running averages are always tracked: they are what the
        minibatch is corrected towards.

    Raises
    ------
    ValueError
        If ``rmax`` is below 1 or ``dmax`` below 0, now or later; when called, in training, on a
        single value per channel, which has no variance.
    """

    # For bnutils.seeds: each channel is on its own, and a position counts like an example.
    per_channel = True
    pools_positions = True

    def __init__(
        self,
        num_features: int,
        rmax: float = 3.0,
        dmax: float = 5.0,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__(num_features, eps, momentum, affine, True, device, dtype)
        _check(rmax, dmax)
        self.rmax = rmax
        self.dmax = dmax

    def forward(self, input: Tensor) -> Tensor:
        # Without stored averages (see bnutils.statistics.from_batch) there is nothing to correct
        # towards, and in an empty minibatch nothing to correct: whatever torch does with it.
        if not self.training or self.running_mean is None or input.numel() == 0:
            return super().forward(input)
        self._check_input_dim(input)
        _check(self.rmax, self.dmax)
        mean, s_batch, unbiased_var = self._of_minibatch(input)
        s = torch.sqrt(self.running_var.to(mean.dtype) + self.eps)
        r = (s_batch / s).clamp(1 / self.rmax, self.rmax)
        d = ((mean - self.running_mean) / s).clamp(-self.dmax, self.dmax)
        # weight * (x_hat * r + d) + bias is batch norm with another weight and another bias.
        scale = r if self.weight is None else self.weight * r
        shift = d if self.weight is None else self.weight * d + self.bias
        y = F.batch_norm(input, None, None, scale, shift, True, 0.0, self.eps)
        self.num_batches_tracked.add_(1)
        running_averages.move(self, mean, unbiased_var)
        return y

    @torch.no_grad()
    def _of_minibatch(self, input: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Each channel's mean, root of the biased variance plus eps, and unbiased variance."""
        m = input[:, 0].numel()
        if m == 1:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got input size "
                f"{tuple(input.shape)}: a single value has no variance. Use a larger minibatch, or "
                "eval() for the running averages"
            )
        # Half precision keeps too few digits to sum up squares; torch computes in float32, too.
        x = input.float() if input.dtype in (torch.float16, torch.bfloat16) else input
        var, mean = torch.var_mean(x, [0, *range(2, x.dim())], correction=0)
        return mean, torch.sqrt(var + self.eps), var * (m / (m - 1))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, rmax={self.rmax}, dmax={self.dmax}"


def relax(
    net: nn.Module,
    step: int,
    *,
    closed: int = 5000,
    rmax_at: int = 40_000,
    dmax_at: int = 25_000,
    rmax: float = 3.0,
    dmax: float = 5.0,
) -> None:
    """Set the limits of all batch renormalizations of ``net`` for this step of a training.

    At first the layers are batch norms, until their running averages mean something; then the
    limits grow along straight lines, and stay. The defaults are the paper's.

    Parameters
    ----------
    net : Module
        An ordinary net, or `bnutils.seeds.Runs`.
    step : int
        Updates made so far.
    closed : int
        Until that step ``rmax`` is 1 and ``dmax`` 0.
    rmax_at, dmax_at : int
        When each reaches its final value; not before ``closed``.
    rmax, dmax : float
        The final values.

    Raises
    ------
    ValueError
        If the net has no batch renormalization, or a final value is to be reached too early.
    """
    layers = [module for module in net.modules() if isinstance(module, BatchRenorm1d)]
    if not layers:
        raise ValueError(
            "this net has no batch renormalization, so there is no limit to relax; build it with "
            "BatchRenorm1d"
        )
    if min(rmax_at, dmax_at) < closed:
        raise ValueError(
            f"rmax_at is {rmax_at} and dmax_at is {dmax_at}; neither may come before closed, "
            f"step {closed}"
        )
    _check(rmax, dmax)
    for layer in layers:
        layer.rmax = 1 + (rmax - 1) * _way(step, closed, rmax_at)
        layer.dmax = dmax * _way(step, closed, dmax_at)


def _way(step: int, start: int, end: int) -> float:
    """How far ``step`` is from ``start`` to ``end``: from 0 to 1."""
    return float(step >= end) if start == end else min(max((step - start) / (end - start), 0), 1)


def _check(rmax: float, dmax: float) -> None:
    if not (rmax >= 1 and dmax >= 0):  # not a NaN either
        raise ValueError(
            f"rmax is {rmax} and dmax is {dmax}; they must be at least 1 and at least 0"
        )
