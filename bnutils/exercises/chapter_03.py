"""The checks of chapter 03, the backward pass."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from bnutils.exercises.checking import Property, close, exercise, true


def _batch(m: int = 8, features: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Inputs whose features differ in mean and standard deviation, and a gradient: (m, F) each."""
    rng = np.random.default_rng(3)
    means, deviations = np.array([-2.0, 0.0, 5.0]), np.array([0.5, 1.0, 4.0])
    x = means[:features] + deviations[:features] * rng.standard_normal((m, features))
    return x, 1 + rng.standard_normal((m, features))


def _gradients(function: Callable, dy: np.ndarray, *inputs: np.ndarray) -> list[np.ndarray]:
    """What autograd sends to each input when dy arrives at the function's output, in float64."""
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in inputs]
    function(*leaves).backward(torch.tensor(dy, dtype=torch.float64))
    return [leaf.grad.numpy() for leaf in leaves]


def _batch_norm(eps: float) -> Callable:
    def function(x, gamma, beta):
        return torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)

    return function


@exercise("03.1", "the backward pass of a layer", answer="function")
def backward_pass(batch_norm_backward: Callable) -> Iterator[Property]:
    """``batch_norm_backward(dy, x, gamma, eps=1e-5)`` returns dx (m, F), dgamma and dbeta (F,)."""
    x, dy = _batch()
    gamma, beta = np.array([1.0, -2.0, 0.5]), np.zeros(3)
    for eps, when in ((0.5, "with ε = 0.5"), (1e-5, "with its default ε = 1e-5")):
        arguments = (dy.copy(), x.copy(), gamma.copy())
        answer = batch_norm_backward(*arguments, *([] if eps == 1e-5 else [eps]))
        if not (isinstance(answer, tuple | list) and len(answer) == 3):
            detail = f"got {type(answer).__name__}; return dx, dgamma, dbeta"
            yield Property("the answer has three parts", False, detail)
            return
        dx, dgamma, dbeta = (np.asarray(part, dtype=float) for part in answer)
        true_dx, true_dgamma, true_dbeta = _gradients(_batch_norm(eps), dy, x, gamma, beta)
        yield close(f"{when} dbeta is autograd's", dbeta, true_dbeta, 1e-8)
        yield close(f"{when} dgamma is autograd's", dgamma, true_dgamma, 1e-8)
        if dx.shape != x.shape:
            detail = f"expected shape {x.shape}, got shape {dx.shape}"
            yield Property("dx has the shape of x", False, detail)
            return
        yield close(f"{when} dx adds up to 0 in each feature", dx.sum(axis=0), np.zeros(3), 1e-8)
        yield close(f"{when} dx is autograd's", dx, true_dx, 1e-8)


@exercise("03.2", "a normalization that subtracts no mean", answer="function")
def rms_only(rms_backward: Callable) -> Iterator[Property]:
    """``rms_backward(dy, x, eps=1e-5)`` for y = x/√(mean(x²) + ε), means over the batch (m, F)."""
    x, dy = _batch()

    def forward(eps: float) -> Callable:
        return lambda x: x / (x.square().mean(0) + eps).sqrt()

    for eps, when in ((0.5, "with ε = 0.5"), (1e-5, "with its default ε = 1e-5")):
        dx = np.asarray(rms_backward(dy.copy(), x.copy(), *([] if eps == 1e-5 else [eps])))
        (expected,) = _gradients(forward(eps), dy, x)
        if dx.shape == x.shape:
            root = np.sqrt((x**2).mean(axis=0) + eps)
            along, wanted = ((d * x / root).sum(axis=0) for d in (dx, expected))
            yield close(f"{when} what is left along x̂ is autograd's", along, wanted, 1e-8)
            yield close(f"{when} dx adds up to what autograd's does", dx.sum(0), expected.sum(0))
        yield close(f"{when} dx is autograd's", dx, expected, 1e-8)


@exercise("03.3", "the Jacobian of a batch of two", answer="function")
def batch_of_two(jacobian_of_two: Callable) -> Iterator[Property]:
    """``jacobian_of_two(x, eps)``: the 2 by 2 matrix of ∂x̂_j/∂x_i for a batch of two numbers."""
    for x, eps, when in (
        ([3.0, 1.0], 1.0, "for x = (3, 1) and ε = 1"),
        ([0.5, 2.0], 1e-2, "for x = (0.5, 2) and ε = 0.01"),
        ([4.0, 4.0], 1e-2, "for equal x and ε = 0.01"),
    ):
        x = np.array(x)
        got = np.asarray(jacobian_of_two(x.copy(), eps), dtype=float)
        if got.shape != (2, 2):
            detail = f"expected shape (2, 2), got shape {got.shape}"
            yield Property("the answer is a 2 by 2 matrix", False, detail)
            return
        inputs = torch.tensor(x, dtype=torch.float64)
        expected = torch.autograd.functional.jacobian(
            lambda x, eps=eps: (x - x.mean()) / (x.var(correction=0) + eps).sqrt(), inputs
        )
        yield close(f"{when} its rows add up to 0", got.sum(axis=1), np.zeros(2), 1e-9)
        yield close(f"{when} it is autograd's", got, expected, 1e-9)


@exercise("03.4", "a gradient that nobody hears", answer="function")
def unheard_gradient(unheard: Callable) -> Iterator[Property]:
    """``unheard(x)``: for x (m,) a dy, not constant, of which at ε = 0 nothing arrives at x."""
    for m in (5, 12):
        x = np.random.default_rng(m).normal(2, 3, m)
        dy = np.asarray(unheard(x.copy()), dtype=float)
        if dy.shape != x.shape:
            detail = f"expected shape {x.shape}, got shape {dy.shape}"
            yield Property(f"for m = {m} there is a number for each example", False, detail)
            return
        size = np.abs(dy).max()
        yield true(
            f"for m = {m} the numbers are not all alike",
            np.ptp(dy) > 1e-3 * size,
            f"they run from {dy.min():.6g} to {dy.max():.6g}; that one is known already",
        )
        (dx,) = _gradients(
            lambda x: (x - x.mean()) / x.var(correction=0).sqrt(), dy / max(size, 1e-300), x
        )
        yield true(
            f"for m = {m} nothing arrives at x",
            np.abs(dx).max() < 1e-9,
            f"with the largest dy scaled to 1, a dx of {np.abs(dx).max():.3g} arrives",
        )
