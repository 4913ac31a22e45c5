"""The checks of chapter 16, small batches."""

from collections.abc import Callable, Iterator

import numpy as np

from bnutils.exercises.checking import Property, close, exercise, true


@exercise("16.1", "the comparator's slope", answer="function")
def the_slope(slope: Callable) -> Iterator[Property]:
    """``slope(delta, eps)``: the derivative of delta / sqrt(delta^2 + eps)."""
    yield close("at a tie, with eps 0.0001: 100", slope(0.0, 1e-4), 100.0)
    for delta, eps in ((0.5, 0.1), (-0.3, 1.0), (2.0, 1e-3)):
        h = 1e-5
        ends = [(delta + t) / np.sqrt((delta + t) ** 2 + eps) for t in (-h, h)]
        numeric = (ends[1] - ends[0]) / (2 * h)
        name = f"at {delta:g}, with eps {eps:g}: what two nearby values say"
        yield close(name, slope(delta, eps), numeric, tolerance=1e-6)


@exercise("16.2", "the share", answer="function")
def the_share(share: Callable) -> Iterator[Property]:
    """``share(x, dy)`` for arrays (m, F)."""
    rng = np.random.default_rng(16)
    pair = np.array([[1.0, -2.0], [3.0, 5.0]])
    yield close("two examples: nothing passes", share(pair, rng.standard_normal((2, 2))), 0.0, 1e-4)
    for m in (4, 8):
        x, dy = rng.standard_normal((2, m, 20_000))
        name = f"{m} examples, gradients without preference: (m - 2) / m"
        yield close(name, share(x, dy), (m - 2) / m, tolerance=0.02)
    x = rng.standard_normal((8, 5))
    yield close("the same gradient for all examples: nothing", share(x, np.ones((8, 5))), 0.0, 1e-9)
    x = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    dy = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    yield close("a gradient at right angles to both directions: all", share(x, dy), 1.0)
    # One unit lets all of its gradient pass and one nothing: sums come before the quotient.
    x, dy = np.repeat(x, 2, axis=1), np.repeat(dy, 2, axis=1)
    dy[:, 1] = 3.0
    yield close("units weigh by their squared gradients", share(x, dy), 0.1)
    yield close("a unit's scale makes no difference", share(np.array([5.0, 0.5]) * x, dy), 0.1)


@exercise("16.3", "images needed", answer="function")
def images_that_are_needed(images_needed: Callable) -> Iterator[Property]:
    """``images_needed(q, positions)``: the smallest number of images."""
    # Where the count is whole, 1 - q is exact in binary, so that rounding fails no right answer.
    cases = (
        (0.5, 1, 4),
        (0.625, 1, 6),
        (0.75, 1, 8),
        (0.875, 1, 16),
        (0.9, 16, 2),
        (0.875, 49, 1),
        (0.96875, 49, 2),
    )
    for q, positions, expected in cases:
        got = images_needed(q, positions)
        yield true(
            f"a share of {q:g} with {positions} positions: {expected}",
            got == expected,
            f"expected {expected}, got {got!r}",
        )


@exercise("16.4", "renormalized", answer="function")
def renormalized_values(renormalized: Callable) -> Iterator[Property]:
    """``renormalized(x, mean, var, rmax, dmax)`` for x of shape (m, F)."""
    rng = np.random.default_rng(4)
    x = 1 + 2 * rng.standard_normal((6, 3))
    mean, var = np.array([0.0, 1.0, 9.0]), np.array([1.0, 4.0, 0.01])
    normed = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    stored = (x - mean) / np.sqrt(var + 1e-5)
    for name, limits, expected in (
        ("no correction allowed: batch norm", (1.0, 0.0), normed),
        ("no limits: evaluation's values", (1e6, 1e6), stored),
        ("only the scale limited", (1.0, 1e6), normed + (x.mean(0) - mean) / np.sqrt(var + 1e-5)),
    ):
        got = np.asarray(renormalized(x, mean, var, *limits))
        if got.shape != x.shape:
            yield Property(name, False, f"expected shape {x.shape}, got {got.shape}")
            return
        yield close(name, float(np.abs(got - expected).max()), 0.0, tolerance=1e-6)
    # A running deviation much larger than the batch's, and one much smaller: both ends of the clip.
    far = np.asarray(renormalized(x, np.array([0.0] * 3), np.array([1e4, 1e-4, 1e4]), 3.0, 0.0))
    got = (far / normed).mean(0)
    yield close("r is limited from below and above", got, np.array([1 / 3, 3.0, 1 / 3]), 1e-6)
    far = np.asarray(renormalized(x, np.array([1e3, -1e3, 0.0]), np.ones(3), 1.0, 5.0))
    yield close("d is limited on both sides", (far - normed).mean(0)[:2], np.array([-5.0, 5.0]))
