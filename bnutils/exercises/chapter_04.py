"""The checks of chapter 04, train and eval."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch

from bnutils.exercises.checking import Property, close, exercise, true


@exercise("04.1", "a momentum for a window", answer="function")
def momentum_for_a_window(momentum_for: Callable) -> Iterator[Property]:
    """``momentum_for(n)``: the α whose average is as steady as the plain mean of n batches."""
    for n in (1, 4, 19, 99):
        alpha = float(momentum_for(n))
        yield true(
            f"for n = {n} the momentum lies above 0 and up to 1",
            0 < alpha <= 1,
            f"got {alpha:.6g}; PyTorch's momentum is the weight of the newest batch",
        )
        # The variance of what torch stores, over that of one batch: the sum of squared weights,
        # which are the answers of the layer to a single batch with mean 1.
        yield close(
            f"for n = {n} what torch stores has 1/{n} of a batch's variance",
            sum(weight**2 for weight in _weights(alpha)),
            1 / n,
        )


def _weights(alpha: float) -> list[float]:
    """What torch's layer stores after one batch with mean 1, and then others with mean 0."""
    layer = torch.nn.BatchNorm1d(1, momentum=alpha, dtype=torch.float64)
    stored = []
    for step in range(1 + min(2000, int(20 / max(alpha, 1e-2)))):
        mean = 1.0 if step == 0 else 0.0
        layer(torch.tensor([[mean - 1], [mean + 1]], dtype=torch.float64))
        stored.append(layer.running_mean.item())
    return stored


@exercise("04.2", "the update of the running statistics", answer="function")
def the_update(update: Callable) -> Iterator[Property]:
    """``update(mean, var, x, t, momentum)``: the stored statistics after batch number t."""
    rng = np.random.default_rng(4)
    batches = 3 + 2 * rng.standard_normal((6, 5, 3))
    for momentum in (0.1, 1.0, None):
        layer = torch.nn.BatchNorm1d(3, momentum=momentum, dtype=torch.float64)
        mean, var = np.zeros(3), np.ones(3)
        for t, x in enumerate(batches, start=1):
            answer = update(mean.copy(), var.copy(), x.copy(), t, momentum)
            if not (isinstance(answer, tuple | list) and len(answer) == 2):
                detail = f"got {type(answer).__name__}; return mean, var"
                yield Property("the answer is a pair", False, detail)
                return
            mean, var = (np.asarray(part, dtype=float) for part in answer)
            layer(torch.from_numpy(x))
            if t in (1, 6):
                after = f"with momentum {momentum}, after {t} batch{'es' if t > 1 else ''}"
                yield close(f"{after}, the mean is torch's", mean, layer.running_mean)
                yield close(f"{after}, the variance is torch's", var, layer.running_var)


@exercise("04.3", "a Keras layer in torch", answer="function")
def from_keras(port: Callable) -> Iterator[Property]:
    """``port(weights, momentum, epsilon)`` returns a torch layer in evaluation mode."""
    rng = np.random.default_rng(3)
    weights = {
        "gamma": rng.standard_normal(4),
        "beta": rng.standard_normal(4),
        "moving_mean": 2 * rng.standard_normal(4),
        "moving_variance": 0.01 + 0.01 * rng.random(4),  # small, so that ε counts
    }
    momentum, epsilon = 0.97, 1e-3
    layer = port({name: array.copy() for name, array in weights.items()}, momentum, epsilon)
    if not isinstance(layer, torch.nn.BatchNorm1d):
        detail = f"got {type(layer).__name__}; return the layer itself"
        yield Property("the answer is a torch.nn.BatchNorm1d", False, detail)
        return
    layer.double()
    yield true(
        "it is in evaluation mode",
        not layer.training,
        "it is in training mode; call eval() on it",
    )
    x = rng.standard_normal((6, 4))
    layer.eval()
    with torch.no_grad():
        got = layer(torch.from_numpy(x))
    yield close("it evaluates as Keras does", got, _keras(weights, x, epsilon), tolerance=1e-4)

    # Then both see one more batch in training mode; Keras stores its mean like this. The variances
    # part: Keras averages the biased ones, torch the unbiased ones.
    layer.train()
    with torch.no_grad():
        layer(torch.from_numpy(x))
    mean = momentum * weights["moving_mean"] + (1 - momentum) * x.mean(axis=0)
    yield close("it averages the means as Keras does", layer.running_mean, mean, tolerance=1e-4)


def _keras(weights: Mapping[str, np.ndarray], x: np.ndarray, epsilon: float) -> np.ndarray:
    """What Keras's layer computes for inference."""
    root = np.sqrt(weights["moving_variance"] + epsilon)
    return weights["gamma"] * (x - weights["moving_mean"]) / root + weights["beta"]


@exercise("04.4", "folding by hand", answer="function")
def folding_by_hand(fold: Callable) -> Iterator[Property]:
    """``fold(W, b, gamma, beta, mean, var, eps)`` returns the one layer's W and b."""
    rng = np.random.default_rng(44)
    W, b = rng.standard_normal((4, 3)), rng.standard_normal(4)
    gamma, beta, mean = rng.standard_normal((3, 4))
    var, eps = rng.random(4), 0.1
    x = rng.standard_normal((7, 3))
    y = torch.nn.functional.batch_norm(
        torch.from_numpy(x @ W.T + b),
        *map(torch.from_numpy, (mean, var, gamma, beta)),
        training=False,
        eps=eps,
    ).numpy()

    answer = fold(*(array.copy() for array in (W, b, gamma, beta, mean, var)), eps)
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        detail = f"got {type(answer).__name__}; return W, b"
        yield Property("the answer is a pair", False, detail)
        return
    W_folded, b_folded = (np.asarray(part, dtype=float) for part in answer)
    if W_folded.shape != W.shape or b_folded.shape != b.shape:
        detail = f"expected {W.shape} and {b.shape}, got {W_folded.shape} and {b_folded.shape}"
        yield Property("W and b have the shapes they had", False, detail)
        return
    changes = (x[1:] - x[0]) @ W_folded.T
    yield close("W carries a change of x to the right change of y", changes, y[1:] - y[0])
    yield close("b is what comes out for x = 0", b_folded, y[0] - x[0] @ W_folded.T)
    yield close("one layer computes what the two did", x @ W_folded.T + b_folded, y)
