"""Batch normalization in NumPy, written to be read: forward, backward, running statistics.

The functions work on *rows*, an array (m, C) with a row for each of the m values of a channel.
For the output of a linear layer these are the m = N examples, for images (N, C, H, W) the
m = N * H * W examples and positions. `as_rows` and `from_rows` go back and forth, and the class
`BatchNorm` ties everything together. ``gamma`` and ``beta`` are what torch calls ``weight`` and
``bias``; the gradient of the loss with respect to ``x`` is called ``dx``. What comes out has the
dtype of what goes in, float32 or float64.

Source: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167, algorithm 1 and section 3.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray


class Saved(NamedTuple):
    """What a forward pass in training leaves for the backward pass and the running statistics.

    ``mean``, ``var`` (biased) and ``std``, the root of var + eps, have shape (C,), as has
    ``gamma``; ``centred`` = x - mean and ``x_hat`` = centred / std have the rows' shape (m, C).
    """

    mean: ndarray
    var: ndarray
    std: ndarray
    centred: ndarray
    x_hat: ndarray
    gamma: ndarray


def forward(x: ndarray, gamma: ndarray, beta: ndarray, eps: float = 1e-5) -> tuple[ndarray, Saved]:
    """Normalize each channel by the batch's own mean and variance: the layer in training.

    Parameters
    ----------
    x : array, shape (m, C)
        Rows; at least two.
    gamma, beta : array, shape (C,)
        Of the dtype of ``x``.
    eps : float
        Added to the variance, under the root.

    Returns
    -------
    y : array, shape (m, C)
    saved : Saved

    Raises
    ------
    ValueError
        If there are fewer than two rows, for one value has no variance.
    """
    if len(x) < 2:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {x.shape}"
        )
    mean = x.mean(axis=0)
    centred = x - mean
    var = (centred * centred).mean(axis=0)
    std = np.sqrt(var + eps)
    x_hat = centred / std
    y = gamma * x_hat + beta
    return y, Saved(mean, var, std, centred, x_hat, gamma)


def backward_by_graph(dy: ndarray, saved: Saved) -> tuple[ndarray, ndarray, ndarray]:
    """The backward pass node by node: each line of `forward`, last line first.

    Parameters
    ----------
    dy : array, shape (m, C)
        The gradient with respect to the output.
    saved : Saved
        From `forward`.

    Returns
    -------
    dx : array, shape (m, C)
    dgamma, dbeta : array, shape (C,)
    """
    m = len(dy)
    # y = gamma * x_hat + beta
    dbeta = dy.sum(axis=0)
    dgamma = (dy * saved.x_hat).sum(axis=0)
    dx_hat = dy * saved.gamma
    # x_hat = centred / std
    dcentred = dx_hat / saved.std
    dstd = -(dx_hat * saved.centred).sum(axis=0) / saved.std**2
    # std = sqrt(var + eps)
    dvar = dstd / (2 * saved.std)
    # var = mean of centred * centred: a second way into centred
    dcentred += dvar * 2 * saved.centred / m
    # centred = x - mean, and mean = mean of x
    dmean = -dcentred.sum(axis=0)
    dx = dcentred + dmean / m
    return dx, dgamma, dbeta


def backward(dy: ndarray, saved: Saved) -> tuple[ndarray, ndarray, ndarray]:
    """The backward pass in its simplified form; takes and returns what `backward_by_graph` does.

    The formula is dx = gamma / std * (dy - mean(dy) - x_hat * mean(dy * x_hat)).
    """
    m = len(dy)
    dbeta = dy.sum(axis=0)
    dgamma = (dy * saved.x_hat).sum(axis=0)
    dx = saved.gamma / saved.std * (dy - dbeta / m - saved.x_hat * (dgamma / m))
    return dx, dgamma, dbeta


def update(
    running_mean: ndarray, running_var: ndarray, saved: Saved, momentum: float = 0.1
) -> tuple[ndarray, ndarray]:
    """The running statistics after one more batch: its mean, and its *unbiased* variance.

    Parameters
    ----------
    running_mean, running_var : array, shape (C,)
        Before; they stay as they are.
    saved : Saved
        From `forward`.
    momentum : float
        The weight of the batch, as in torch; Keras means one minus this.

    Returns
    -------
    running_mean, running_var : array, shape (C,)
    """
    m = len(saved.x_hat)
    unbiased = saved.var * (m / (m - 1))
    running_mean = (1 - momentum) * running_mean + momentum * saved.mean
    running_var = (1 - momentum) * running_var + momentum * unbiased
    return running_mean, running_var


def evaluate(
    x: ndarray,
    gamma: ndarray,
    beta: ndarray,
    running_mean: ndarray,
    running_var: ndarray,
    eps: float = 1e-5,
) -> ndarray:
    """Normalize rows (m, C) by the running statistics: the layer in evaluation."""
    return gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta


def as_rows(x: ndarray) -> ndarray:
    """From (N, C), (N, C, H, W) and so on to (m, C): a row for each example and position."""
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


def from_rows(rows: ndarray, shape: tuple[int, ...]) -> ndarray:
    """The inverse of `as_rows`: rows (m, C) in the shape that they came from."""
    n, channels, *positions = shape
    return np.moveaxis(rows.reshape(n, *positions, channels), -1, 1)


class BatchNorm:
    """A layer for inputs (N, C) and (N, C, H, W), that remembers what it needs.

    ``training`` says what `forward` does, as in torch. `backward` leaves the gradients of the
    parameters in ``dgamma`` and ``dbeta``.

    Parameters
    ----------
    num_features : int
        C, the number of channels.
    eps : float
        Added to the variance, under the root.
    momentum : float
        The weight of the newest batch in the running statistics.
    dtype : numpy.dtype
        float32 or float64, that of the inputs.

    Raises
    ------
    TypeError
        If the dtype is another.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        dtype: np.dtype | type = np.float32,
    ):
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise TypeError(f"dtype is {np.dtype(dtype)}; it must be float32 or float64")
        self.eps = eps
        self.momentum = momentum
        self.gamma = np.ones(num_features, dtype)
        self.beta = np.zeros(num_features, dtype)
        self.running_mean = np.zeros(num_features, dtype)
        self.running_var = np.ones(num_features, dtype)
        self.training = True

    def forward(self, x: ndarray) -> ndarray:
        """The output, of the shape of ``x``; in training, the running statistics move on.

        Raises
        ------
        ValueError
            If ``x`` is not (N, C) or (N, C, ...), or, in training, has one value per channel.
        TypeError
            If the dtype of ``x`` is not the layer's.
        """
        if x.ndim < 2 or x.shape[1] != len(self.gamma):
            raise ValueError(
                f"x has shape {x.shape}; this layer takes (N, C) or (N, C, H, W) with "
                f"C = {len(self.gamma)} channels"
            )
        if x.dtype != self.gamma.dtype:
            raise TypeError(f"x is {x.dtype}, but the layer {self.gamma.dtype}; make them alike")
        rows = as_rows(x)
        if self.training:
            y, self.saved = forward(rows, self.gamma, self.beta, self.eps)
            self.running_mean, self.running_var = update(
                self.running_mean, self.running_var, self.saved, self.momentum
            )
        else:
            y = evaluate(rows, self.gamma, self.beta, self.running_mean, self.running_var, self.eps)
        return from_rows(y, x.shape)

    def backward(self, dy: ndarray) -> ndarray:
        """``dx``, of the shape of ``dy``, for the latest forward pass in training."""
        dx, self.dgamma, self.dbeta = backward(as_rows(dy), self.saved)
        return from_rows(dx, dy.shape)
