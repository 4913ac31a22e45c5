"""Checks of the exercises of chapter 01, One unit and its distribution."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.nn.functional import conv2d

from bnutils.exercises.checking import Property, close, exercise, true


def _inputs(n: int = 200, features: int = 4) -> np.ndarray:
    """Correlated inputs (n, features) with different means and spreads."""
    rng = np.random.default_rng(1)
    mixing = rng.standard_normal((features, features))
    return rng.standard_normal((n, features)) @ mixing + np.array([-1.0, 0.0, 2.0, 5.0])


@exercise("01.1", "new weights for a standardized unit", answer="function")
def standardize(standardized: Callable) -> Iterator[Property]:
    """``standardized(w, b, mean, cov)`` returns the weights and bias of the unit x̂."""
    u = _inputs()
    mean, cov = u.mean(axis=0), np.cov(u.T, bias=True)
    w, b = np.array([0.5, -1.0, 2.0, 0.1]), 3.0
    answer = standardized(w.copy(), b, mean.copy(), cov.copy())
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        detail = f"got {type(answer).__name__}; return the weights and the bias"
        yield Property("the answer is a pair", False, detail)
        return
    new_w, new_b = (np.asarray(part, dtype=float) for part in answer)
    if new_w.shape != (4,) or new_b.shape != ():
        detail = f"expected shapes (4,) and (), got {new_w.shape} and {new_b.shape}"
        yield Property("it is an array of weights and a number", False, detail)
        return
    old, new = u @ w + b, u @ new_w + new_b
    yield close("over the data the new unit has mean 0", new.mean(), 0.0)
    yield close("and standard deviation 1, dividing by the number of examples", new.std(), 1.0)
    yield close(
        "each example's value is the old one, shifted and stretched, with its order kept",
        new,
        (old - old.mean()) / old.std(),
    )


@exercise("01.2", "the impostor", answer="function")
def impostor(opposite: Callable) -> Iterator[Property]:
    """``opposite(x)`` has the values of x in the order that is least like that of x."""
    rng = np.random.default_rng(2)
    for name, x in (
        ("five values", np.array([3.0, -1.0, 4.0, 1.0, 5.0])),
        ("100 skewed values", rng.exponential(size=100)),
    ):
        answer = np.asarray(opposite(x.copy()), dtype=float)
        if answer.shape != x.shape:
            detail = f"expected shape {x.shape}, got shape {answer.shape}"
            yield Property(f"for {name}, there is a value for each example", False, detail)
            return
        yield close(
            f"for {name}, the distribution is the same, every percentile of it",
            np.sort(answer),
            np.sort(x),
        )
        if np.ptp(answer) == 0:
            detail = "all values are equal, so that there is no correlation"
            yield Property(f"for {name}, the correlation is the lowest possible", False, detail)
            return
        lowest = np.corrcoef(np.sort(x), np.sort(x)[::-1])[0, 1]
        yield close(
            f"for {name}, the correlation is the lowest possible",
            np.corrcoef(answer, x)[0, 1],
            lowest,
        )


@exercise("01.3", "how many values share a mean", answer="function")
def pot(values_per_channel: Callable) -> Iterator[Property]:
    """``values_per_channel(images, size, kernel, stride, padding)``: m after a convolution."""
    cases = [(1, 8, 1, 1, 0), (32, 8, 3, 1, 1), (32, 8, 3, 1, 0), (16, 9, 3, 2, 1), (4, 8, 3, 2, 0)]
    for images, size, kernel, stride, padding in cases:
        answer = values_per_channel(images, size, kernel, stride, padding)
        name = f"{images} images of {size}x{size}, kernel {kernel}, stride {stride}, "
        name += f"padding {padding}"
        if not isinstance(answer, int | np.integer) or isinstance(answer, bool):
            detail = f"expected an int, got {answer!r} of type {type(answer).__name__}"
            yield Property(f"{name}: m is a whole number", False, detail)
            return
        maps = conv2d(
            torch.zeros(images, 1, size, size),
            torch.zeros(1, 1, kernel, kernel),
            stride=stride,
            padding=padding,
        )
        yield true(f"{name}: m is right", answer == maps.numel(), _shape(answer, maps))


def _shape(answer: int, maps: torch.Tensor) -> str:
    n, _, height, width = maps.shape
    return f"the channel has {n}·{height}·{width} = {maps.numel()} values, got {answer}"
