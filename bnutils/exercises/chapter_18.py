"""The checks of chapter 18, order and composition."""

from collections.abc import Callable, Iterator

import numpy as np

from bnutils.exercises.checking import Property, close, exercise, true


@exercise("18.1", "the scatter", answer="function")
def the_scatter(scatter_of: Callable) -> Iterator[Property]:
    """``scatter_of(x)`` for micro-batches (k, m, F)."""
    # Two micro-batches with means -1 and 1; within each, values one above and one below its mean.
    x = np.array([[[-2.0], [0.0]], [[0.0], [2.0]]])
    yield close(
        "means -1 and 1, each of the values 1 away from its own, give 2", scatter_of(x), 2.0
    )
    rng = np.random.default_rng(18)
    dealt = rng.standard_normal((4000, 8, 5)) * np.array([1.0, 2.0, 0.5, 3.0, 1.0])
    yield close("normal values, dealt by chance, give 1", scatter_of(dealt), 1.0, tolerance=0.05)
    shifted = dealt + rng.standard_normal((4000, 1, 1)) * np.array([1.0, 2.0, 0.5, 3.0, 1.0])
    yield close(
        "means that differ as much as the values within them give 1 + m",
        scatter_of(shifted),
        9.0,
        tolerance=0.5,
    )
    dead = np.concatenate([dealt, np.zeros((4000, 8, 1))], axis=2)
    yield close("a unit that is always 0 changes nothing", scatter_of(dead), scatter_of(dealt))


@exercise("18.2", "the lowest loss", answer="function")
def the_lowest_loss(lowest_loss: Callable) -> Iterator[Property]:
    """``lowest_loss(p)`` for shares of classes."""
    yield close("ten equal shares give log 10", lowest_loss(np.full(10, 0.1)), np.log(10))
    yield close("one class alone gives 0", lowest_loss(np.array([1.0])), 0.0)
    for p in (np.array([0.5, 0.25, 0.25]), np.array([0.9, 0.1]), np.array([0.7, 0.3, 0.0])):
        best = _lowest_by_search(p)
        shares = ", ".join(f"{share:g}" for share in p)
        yield close(f"shares {shares}", lowest_loss(p), best, tolerance=1e-4)


def _lowest_by_search(p: np.ndarray) -> float:
    """Gradient descent on common logits: what weights could reach."""
    logits = np.zeros_like(p)
    for _ in range(20000):
        q = np.exp(logits - logits.max())
        q /= q.sum()
        logits += 2 * (p - q)
    return float(-np.sum(p[p > 0] * np.log(q[p > 0])))


@exercise("18.3", "unequal micro-batches", answer="function")
def unequal_micro_batches(weights: Callable) -> Iterator[Property]:
    """``weights(n, size)``: what each micro-batch's mean loss is multiplied by."""
    for n, size in ((80, 8), (10, 4), (65, 64), (5, 8)):
        cuts = list(range(0, n, size))
        answer = weights(n, size)
        if np.shape(answer) != (len(cuts),):
            detail = f"expected {len(cuts)} of them, got shape {np.shape(answer)}"
            yield Property(f"{n} examples by {size}: a weight for each micro-batch", False, detail)
            return
        losses = np.random.default_rng(n).exponential(size=n)
        means = [losses[start : start + size].mean() for start in cuts]
        total = float(np.dot(answer, means))
        yield close(f"{n} examples by {size}: the mean over examples", total, losses.mean())


@exercise("18.4", "a batch size", answer="function")
def a_batch_size(batch_size: Callable) -> Iterator[Property]:
    """``batch_size(n, at_most)``: the largest whose last batch is at least an eighth."""
    cases = ((1090, 64, 63), (1088, 64, 64), (1096, 64, 64), (65, 64, 57), (50, 64, 50), (7, 3, 3))
    for n, at_most, expected in cases:
        got = batch_size(n, at_most)
        yield true(
            f"{n} examples, at most {at_most} in a batch: {expected}",
            got == expected,
            _what_is_wrong(n, at_most, expected, got),
        )


def _what_is_wrong(n: int, at_most: int, expected: int, got: object) -> str:
    if not isinstance(got, int | np.integer) or got < 1:
        return f"expected a whole number of at least 1, got {got!r}"
    if got > at_most:
        return f"got {got}, which is more than {at_most}"
    if got > n:
        return f"got {got}, which is more than there are examples"
    last = n % got or got
    if last < got / 8:
        return f"got {got}, whose last batch has {last}"
    return f"got {got}, but {expected} does as well and is larger"
