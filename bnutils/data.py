"""Handwritten digits, split in three for every seed, and other domains made from them.

The digits are scikit-learn's: 1797 images of 8x8 pixels, bundled with the package, so that nothing
is downloaded. Images stay flat, (..., 64), in [0, 1]; the domains below take any leading shape.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

# Test: one image is a quarter of a point, fine enough for the half points that the course reports.
# Validation: enough to choose a learning rate. Training gets the rest, about 110 of each digit.
VALIDATION, TEST = 300, 397


@cache
def _load() -> tuple[Tensor, Tensor]:
    pixels, labels = load_digits(return_X_y=True)
    return torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels, dtype=torch.int64)


def digits() -> tuple[Tensor, Tensor]:
    """The images and their labels.

    Returns
    -------
    images : Tensor
        Shape (1797, 64), float32, each pixel in [0, 1].
    labels : Tensor
        Shape (1797,), int64, 0 to 9.
    """
    images, labels = _load()
    return images.clone(), labels.clone()


class Split(NamedTuple):
    """Indices into the digits: disjoint, together all of them."""

    train: Tensor
    validation: Tensor
    test: Tensor


def split(seed: int) -> Split:
    """One seed's split: 1100 digits to train on, 300 to choose settings by, 397 to report on.

    Each part holds the ten classes in nearly equal proportion (scikit-learn's stratification).

    Parameters
    ----------
    seed : int
        In [0, 2**32). The same seed gives the same split.

    Returns
    -------
    Split
        Three int64 tensors of indices.
    """
    return Split(*(part.clone() for part in _split(seed)))


@cache  # a chapter asks for the same seeds again and again
def _split(seed: int) -> Split:
    labels = _load()[1].numpy()
    rest, test = train_test_split(
        np.arange(len(labels)), test_size=TEST, stratify=labels, random_state=seed
    )
    train, validation = train_test_split(
        rest, test_size=VALIDATION, stratify=labels[rest], random_state=seed
    )
    return Split(*map(torch.from_numpy, (train, validation, test)))


def splits(seeds: Sequence[int]) -> Split:
    """The splits of several seeds, stacked: indices of shape (S, 1100), (S, 300) and (S, 397).

    ``images[splits(seeds).train]`` has shape (S, 1100, 64): each run's own training data.
    """
    return Split(*(torch.stack(part) for part in zip(*map(_split, seeds), strict=True)))


def minibatches(n: int, batch_size: int, seeds: Sequence[int]) -> Iterator[Tensor]:
    """Endless minibatches for several runs, each in an order of its own.

    Every run walks through its n examples in a random order, then in another, and so on. An order's
    last, incomplete minibatch is dropped, so that all have the same size.

    Parameters
    ----------
    n : int
        How many examples each run has.
    batch_size : int
        Examples in a minibatch, at most n.
    seeds : sequence of int
        One for each run. A run's order depends on its own seed alone.

    Yields
    ------
    Tensor
        Indices of shape (S, batch_size), int64, on the CPU.
    """
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size is {batch_size}; it must be from 1 to the {n} examples")
    generators = [stream(seed, "minibatches") for seed in seeds]
    whole = n - n % batch_size
    while True:
        orders = torch.stack([torch.randperm(n, generator=g)[:whole] for g in generators])
        yield from orders.split(batch_size, dim=1)


def stream(seed: int, purpose: str) -> torch.Generator:
    """A random stream of its own for each purpose, so that no two uses of a seed meet."""
    state = np.random.SeedSequence([seed, crc32(purpose.encode())]).generate_state(1)
    return torch.Generator().manual_seed(int(state[0]))


def standardized(x: Tensor, train: Tensor) -> Tensor:
    """The images ``x``, shifted and scaled so that those of ``train`` are centred, of size 1.

    Each pixel's mean over ``train`` is subtracted; then all are divided by one number, so that the
    pixels' mean square over ``train`` is 1. (A scale for each pixel would blow up those at the
    margin, which are nearly always empty.)

    Parameters
    ----------
    x, train : Tensor
        Shape (..., n, 64), with the same leading dimensions; n may differ.
    """
    mean = train.mean(-2, keepdim=True)
    size = (train - mean).square().mean((-2, -1), keepdim=True).sqrt()
    return (x - mean) / size


# Domains: the same digits, seen otherwise. A strength may also be a tensor that broadcasts, such as
# one value for each of S runs in the shape (S, 1, 1).


def contrast(x: Tensor, factor: float | Tensor = 0.5) -> Tensor:
    """Each pixel times ``factor``: the same image, fainter."""
    return factor * x


def mix(x: Tensor, strength: float | Tensor = 0.3) -> Tensor:
    """Fainter and greyer: (1 - 2a) x + a, from the image itself (a = 0) to plain grey (a = 0.5)."""
    return (1 - 2 * strength) * x + strength


def offset(x: Tensor, amount: float | Tensor = 1.0) -> Tensor:
    """``amount`` added to each pixel: the same image, brighter."""
    return x + amount


def invert(x: Tensor) -> Tensor:
    """Black on white instead of white on black: 1 - x."""
    return 1 - x


def rotate(x: Tensor) -> Tensor:
    """The image turned by 90 degrees, counterclockwise."""
    return torch.rot90(x.unflatten(-1, (8, 8)), dims=(-2, -1)).flatten(-2)


def permute(x: Tensor, seed: int = 0) -> Tensor:
    """The pixels in another order, the same one for every image of the same seed."""
    order = torch.randperm(x.shape[-1], generator=stream(seed, "permute"))
    return x[..., order.to(x.device)]


def noise(x: Tensor, deviation: float = 0.3, seed: int = 0) -> Tensor:
    """Gaussian noise of standard deviation ``deviation`` added to each pixel of each image.

    The same seed and shape give the same noise.
    """
    drawn = torch.randn(x.shape, generator=stream(seed, "noise"), dtype=torch.float64)
    return x + deviation * drawn.to(x)
