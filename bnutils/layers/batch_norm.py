"""Batch normalization from scratch, exchangeable with ``torch.nn.BatchNorm1d``, ``2d`` and ``3d``.

Every channel c of an input x of shape (N, C) or (N, C, ...) becomes

    y = weight * (x - mean) / sqrt(var + eps) + bias

In training, mean and var are the minibatch's, over the m examples and positions of the channel, and
var is the biased estimate (divided by m). The running averages that evaluation uses collect the
same mean, but the *unbiased* variance (divided by m - 1). The arithmetic of training, forward and
backward, is in `bnutils.layers.batch_norm_function`; here is the bookkeeping around it.

Source: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167, algorithms 1 and 2.
"""

from typing import Any

import torch
from torch import Tensor, nn

from bnutils.layers import running_averages
from bnutils.layers.batch_norm_function import NormalizeMinibatch, beside, values_per_channel

HALF = (torch.float16, torch.bfloat16)


class _BatchNorm(nn.Module):
    """Batch normalization.

    1d takes inputs of shape (N, C) or (N, C, L), 2d (N, C, H, W), and 3d (N, C, D, H, W).

    Parameters
    ----------
    num_features : int
        C, the number of channels.
    eps : float
        Added to the variance; positive, unless the layer is only evaluated.
    momentum : float or None
        The new minibatch's weight in the running averages; None averages all minibatches alike.
    affine : bool
        Whether to learn a ``weight`` and a ``bias`` per channel.
    track_running_stats : bool
        Without running averages, evaluation uses the minibatch's statistics as training does.
    device, dtype
        Of the parameters and buffers.
    bias : bool
        Without a bias, only the ``weight`` is learned.

    Raises
    ------
    ValueError
        When called on an input with another number of dimensions, or, where it needs the
        minibatch's statistics, on a single value per channel: it has no variance.
    RuntimeError
        When called on another number of channels or another dtype than the layer's. Half precision
        input is taken by a float32 layer, too.
    """

    # For bnutils.seeds: each channel is on its own, and a position counts like an example.
    per_channel = True
    pools_positions = True

    _version = 2  # of the state_dict: torch's, since num_batches_tracked is a part of it
    _dimensions: tuple[int, ...]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

        def empty() -> Tensor:
            return torch.empty(num_features, device=device, dtype=dtype)

        self.register_parameter("weight", nn.Parameter(empty()) if affine else None)
        self.register_parameter("bias", nn.Parameter(empty()) if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", empty() if tracked else None)
        self.register_buffer("running_var", empty() if tracked else None)
        count = torch.tensor(0, dtype=torch.long, device=device)
        self.register_buffer("num_batches_tracked", count if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget all minibatches: mean 0, variance 1."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the minibatches and what was learned: weight 1, bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            nn.init.ones_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        # Half precision keeps too few digits to sum up squares: compute in float32, as torch does.
        x = input.float() if input.dtype in HALF else input
        weight = x.new_ones(self.num_features) if self.weight is None else self.weight.to(x.dtype)
        bias = x.new_zeros(self.num_features) if self.bias is None else self.bias.to(x.dtype)
        if self.training or self.running_mean is None:
            y = self._by_minibatch(x, weight, bias)
        else:
            mean, var = self.running_mean.to(x.dtype), self.running_var.to(x.dtype)
            scale = weight * torch.rsqrt(var + self.eps)
            y = torch.addcmul(beside(bias, x), x - beside(mean, x), beside(scale, x))
        return y.to(input.dtype)

    def _by_minibatch(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """The output by the minibatch's statistics; in training they enter the averages."""
        m = values_per_channel(x)
        if m == 1:
            raise ValueError(
                "Expected more than 1 value per channel when training, got input size "
                f"{tuple(x.shape)}: a single value has no variance. Use a larger minibatch, or "
                "eval() for the running averages"
            )
        if self.eps <= 0:
            raise ValueError(f"eps is {self.eps}; it must be positive, since a variance can be 0")
        tracking = self.training and self.track_running_stats and self.running_mean is not None
        if tracking:
            self.num_batches_tracked.add_(1)
        if m == 0:  # an empty minibatch is counted, but changes no average
            return torch.addcmul(beside(bias, x), x, beside(weight, x))
        y, _, mean, var = NormalizeMinibatch.apply(x, weight, bias, self.eps)
        if tracking:
            running_averages.move(self, mean.detach(), var.detach() * (m / (m - 1)))
        return y

    def _check(self, input: Tensor) -> None:
        """Raise what torch's layer raises where the input does not fit."""
        if input.dim() not in self._dimensions:
            expected = " or ".join(f"{d}D" for d in self._dimensions)
            raise ValueError(f"expected {expected} input (got {input.dim()}D input)")
        if input.shape[1] != self.num_features:
            raise RuntimeError(
                f"this layer normalizes {self.num_features} channels, but the input of shape "
                f"{tuple(input.shape)} has {input.shape[1]} in dimension 1"
            )
        if not input.is_floating_point():
            raise NotImplementedError(f"the input is {input.dtype}; it must be floating point")
        fitting = {input.dtype} | ({torch.float32} if input.dtype in HALF else set())
        for name in ("weight", "bias", "running_mean", "running_var"):
            tensor = getattr(self, name)
            if tensor is not None and tensor.dtype not in fitting:
                raise RuntimeError(
                    f"the input is {input.dtype}, but the layer's {name} is {tensor.dtype}; "
                    f"convert the input, or the layer by .to({input.dtype})"
                )

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *args: Any
    ) -> None:
        # Before version 2 torch did not count minibatches. What such a file lacks is no mistake.
        key = prefix + "num_batches_tracked"
        if (local_metadata.get("version") or 1) < 2 and self.num_batches_tracked is not None:
            state_dict.setdefault(key, self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


# The three differ in the inputs that they take; their documentation is the one above.


class BatchNorm1d(_BatchNorm):
    _dimensions = (2, 3)


class BatchNorm2d(_BatchNorm):
    _dimensions = (4,)


class BatchNorm3d(_BatchNorm):
    _dimensions = (5,)
