"""Cosine normalization: a linear layer whose outputs are cosines.

    y_k = w_k . x / (|w_k| |x|)

so that each output lies between -1 and 1, whatever the lengths of the input and of the weights. It
needs no other example and no statistics, and has neither scale nor bias.

Source: Luo et al. 2017, https://arxiv.org/abs/1702.05870.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CosineLinear(nn.Module):
    """The cosine of the angle between the input and each row of weights.

    It takes inputs of shape (..., in_features) and returns (..., out_features).

    Parameters
    ----------
    in_features, out_features : int
        As in ``torch.nn.Linear``.
    eps : float
        Lengths below this count as this, so that an input of zeros gives zeros.
    device, dtype
        Of the weights.

    Raises
    ------
    ValueError
        When called on inputs of another number of features.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        eps: float = 1e-5,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.eps = eps
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights as ``torch.nn.Linear`` does."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    def forward(self, input: Tensor) -> Tensor:
        if input.shape[-1] != self.in_features:
            raise ValueError(
                f"the input of shape {tuple(input.shape)} has {input.shape[-1]} features; this "
                f"layer takes {self.in_features}"
            )
        direction = F.normalize(input, dim=-1, eps=self.eps)
        return F.linear(direction, F.normalize(self.weight, dim=-1, eps=self.eps))

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, eps={self.eps}"
