"""Normalizing a minibatch as one operation, with the backward pass that chapter 3 derives.

Left to itself, autograd keeps several copies of the minibatch for the backward pass, and goes
through all of them again. Written as one operation the layer keeps a single one, x_hat:

    dx = weight / s * (dy - mean(dy) - x_hat * mean(dy * x_hat)),    s = sqrt(var + eps)

Source: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167, section 3, simplified.
"""

import math

import torch
from torch import Tensor


class NormalizeMinibatch(torch.autograd.Function):
    """Normalize each channel by its mean and biased variance over the minibatch.

    ``NormalizeMinibatch.apply(x, weight, bias, eps)`` takes x of shape (N, C, ...) with at least
    one value per channel, weight and bias of shape (C,), and a number. It returns

    - y, as x: the output ``weight * x_hat + bias``;
    - x_hat, as x: the normalized input;
    - mean and var, of shape (C,): the statistics, var divided by the number of values.

    Why x_hat and var are returned: the backward pass uses them, and autograd takes what a backward
    pass uses for a constant unless it is an input or an output. Derivatives of all orders exist,
    backward and forward, and ``torch.func`` may pass.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean = _mean(x)
        x_hat = x - beside(mean, x)
        # Where the mean is large, its last digits were rounded away. Now they can be seen.
        missed = _mean(x_hat)
        x_hat -= beside(missed, x)
        var = _mean(x_hat.square())  # not E[x^2] - E[x]^2: at a large mean no digit of it is right
        x_hat *= beside(torch.rsqrt(var + eps), x)
        y = torch.addcmul(beside(bias, x), x_hat, beside(weight, x))
        return y, x_hat, mean + missed.nan_to_num(), var  # an infinite mean missed nothing

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: tuple) -> None:
        _, weight, _, ctx.eps = inputs
        _, x_hat, _, var = output
        ctx.save_for_backward(x_hat, var, weight)
        ctx.save_for_forward(x_hat, var, weight)
        ctx.set_materialize_grads(False)  # what nobody differentiates comes as None, not as zeros

    @staticmethod
    def backward(ctx, dy, dx_hat, dmean, dvar):
        x_hat, var, weight = ctx.saved_tensors
        m, s = values_per_channel(x_hat), torch.sqrt(var + ctx.eps)
        dy = torch.zeros_like(x_hat) if dy is None else dy
        dx, mean_dy, mean_dy_x_hat = _through(dy, x_hat, weight / s)
        # Second derivatives come through the other outputs; in a first one these are None.
        if dx_hat is not None:
            dx = dx + _through(dx_hat, x_hat, 1 / s)[0]
        if dmean is not None:
            dx = dx + beside(dmean / m, x_hat)
        if dvar is not None:
            dx = dx + beside(dvar * 2 / m * s, x_hat) * x_hat
        return dx, m * mean_dy_x_hat, m * mean_dy, None

    @staticmethod
    def jvp(ctx, x_dot, weight_dot, bias_dot, _):
        x_hat, var, weight = ctx.saved_tensors
        s = torch.sqrt(var + ctx.eps)
        x_dot = torch.zeros_like(x_hat) if x_dot is None else x_dot
        # The Jacobian of x_hat is symmetric: it does to a change what it does to a gradient.
        x_hat_dot, mean_dot, mean_x_dot_x_hat = _through(x_dot, x_hat, 1 / s)
        y_dot = beside(weight, x_hat) * x_hat_dot
        if weight_dot is not None:
            y_dot = y_dot + beside(weight_dot, x_hat) * x_hat
        if bias_dot is not None:
            y_dot = y_dot + beside(bias_dot, x_hat)
        return y_dot, x_hat_dot, mean_dot, 2 * mean_x_dot_x_hat * s


def _through(dy: Tensor, x_hat: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``scale * (dy - mean(dy) - x_hat * mean(dy * x_hat))``, and the two means."""
    mean_dy, mean_dy_x_hat = _mean(dy), _mean(dy * x_hat)
    shift, slope = -scale * mean_dy, -scale * mean_dy_x_hat
    dx = torch.addcmul(beside(shift, x_hat), x_hat, beside(slope, x_hat))
    return dx.addcmul_(dy, beside(scale, x_hat)), mean_dy, mean_dy_x_hat


def _mean(x: Tensor) -> Tensor:
    """Over examples and positions: from (N, C, ...) to (C,)."""
    return x.mean([0, *range(2, x.dim())])


def beside(values: Tensor, x: Tensor) -> Tensor:
    """One value per channel, (C,), in a shape that broadcasts against x, (N, C, ...)."""
    return values.view(1, -1, *[1] * (x.dim() - 2))


def values_per_channel(x: Tensor) -> int:
    """How many values each channel has: examples times positions."""
    return math.prod(x.shape[:1] + x.shape[2:])
