"""Weight normalization: a linear layer that learns the length and the direction of its weights.

    y_k = g_k * (v_k . x) / |v_k| + b_k

It is what ``torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(...))`` computes, with the
same weights at the start. We have it as a layer of its own because torch's calls a fused operation
for which ``torch.func.vmap`` has no rule: it warns, and goes through the runs one by one.

Source: Salimans & Kingma 2016, https://arxiv.org/abs/1602.07868.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class WeightNormLinear(nn.Module):
    """A linear layer in polar coordinates: a length and a direction for each row of weights.

    It takes inputs of shape (..., in_features) and returns (..., out_features).

    Parameters
    ----------
    in_features, out_features, bias, device, dtype
        As in ``torch.nn.Linear``, from which the weights at the start are taken.

    Attributes
    ----------
    weight_g : Parameter
        The lengths, shape (out_features, 1).
    weight_v : Parameter
        The directions, shape (out_features, in_features); their lengths do not matter.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        linear = nn.Linear(in_features, out_features, bias, device=device, dtype=dtype)
        self.weight_g = nn.Parameter(linear.weight.detach().norm(dim=1, keepdim=True))
        self.weight_v = nn.Parameter(linear.weight.detach().clone())
        self.register_parameter("bias", linear.bias)

    @property
    def weight(self) -> Tensor:
        """The weights that the two make, shape (out_features, in_features)."""
        return self.weight_g * self.weight_v / self.weight_v.norm(dim=1, keepdim=True)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
