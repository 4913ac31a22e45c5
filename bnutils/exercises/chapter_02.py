"""The checks of chapter 02, normalizing a minibatch."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from bnutils.exercises.checking import Property, close, exercise, true


def _batch(m: int = 8, features: int = 3) -> np.ndarray:
    """A batch (m, features) whose features have different means and standard deviations."""
    rng = np.random.default_rng(2)
    means, deviations = np.array([-2.0, 0.0, 5.0]), np.array([0.5, 1.0, 4.0])
    return means[:features] + deviations[:features] * rng.standard_normal((m, features))


def _torchs(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> np.ndarray:
    """torch's batch norm in training, in float64."""
    x, gamma, beta = (torch.as_tensor(a, dtype=torch.float64) for a in (x, gamma, beta))
    normalized = torch.nn.functional.batch_norm(
        x, None, None, weight=gamma, bias=beta, training=True, eps=eps
    )
    return normalized.numpy()


@exercise("02.1", "batch norm by hand", answer="function")
def batch_norm_by_hand(batch_norm: Callable) -> Iterator[Property]:
    """``batch_norm(x, gamma, beta, eps=1e-5)`` for a batch (m, F)."""
    x = _batch()
    gamma, beta = np.array([1.0, 2.0, 0.5]), np.array([0.0, -1.0, 3.0])
    ones, zeros = np.ones(3), np.zeros(3)

    y = np.asarray(batch_norm(x.copy(), gamma, beta, 0.0), dtype=float)
    if y.shape != x.shape:
        detail = f"expected shape {x.shape}, got shape {y.shape}"
        yield Property("the output has the input's shape", False, detail)
        return
    yield close("with ε = 0 each feature has mean β over the batch", y.mean(axis=0), beta)
    yield close(
        "with ε = 0 each feature has standard deviation γ over the batch, dividing by m",
        y.std(axis=0),
        gamma,
    )
    yield close(
        "ε is added to the variance, under the root",
        batch_norm(x.copy(), ones, zeros, 0.5),
        _torchs(x, ones, zeros, 0.5),
    )
    yield close(
        "with its default ε = 1e-5 it equals torch's batch norm",
        batch_norm(x.copy(), gamma, beta),
        _torchs(x, gamma, beta, 1e-5),
        tolerance=1e-9,
    )


@exercise("02.2", "a batch that attains the bound", answer="function")
def attain_the_bound(extreme_batch: Callable) -> Iterator[Property]:
    """``extreme_batch(m)``, whose first example has x̂ = √(m − 1) at ε = 0."""
    for m in (2, 5, 32):
        x = np.asarray(extreme_batch(m), dtype=float)
        if x.shape != (m,):
            detail = f"expected shape ({m},), got shape {x.shape}"
            yield Property(f"the batch holds m = {m} numbers", False, detail)
            return
        if np.ptp(x) == 0:
            detail = "their variance is 0, so x̂ is 0/0"
            yield Property(f"the m = {m} numbers are not all the same", False, detail)
            return
        first = (x[0] - x.mean()) / x.std()
        yield close(f"for m = {m} the first x̂ is √{m - 1}", first, np.sqrt(m - 1))


@exercise("02.3", "the γ and β that undo the normalization", answer="function")
def undo_the_normalization(undo: Callable) -> Iterator[Property]:
    """``undo(x, eps=1e-5)`` returns the γ and β with which batch norm gives back x, (m, F)."""
    x = _batch()
    for eps in (1e-5, 0.5):
        answer = undo(x.copy(), eps)
        if not (isinstance(answer, tuple | list) and len(answer) == 2):
            detail = f"got {type(answer).__name__}; return gamma, beta"
            yield Property("the answer is a pair", False, detail)
            return
        gamma, beta = (np.asarray(part, dtype=float) for part in answer)
        for name, part in (("γ", gamma), ("β", beta)):
            if part.shape != (x.shape[1],):
                detail = f"expected shape {(x.shape[1],)}, got shape {part.shape}"
                yield Property(f"{name} has one entry for each feature", False, detail)
                return
        y = _torchs(x, gamma, beta, eps)
        yield close(f"with ε = {eps} the batch's means come back", y.mean(axis=0), x.mean(axis=0))
        yield close(f"with ε = {eps} its standard deviations do", y.std(axis=0), x.std(axis=0))
        yield close(f"with ε = {eps} every number of the batch does", y, x)


@exercise("02.4", "a batch large enough", answer="function")
def large_enough(batch_size: Callable) -> Iterator[Property]:
    """``batch_size(r)``, the smallest m whose mean has a standard error of at most r·σ."""
    # For these r the smallest m is the same whether the error is to be "at most" or "below" r.
    for r in (0.9, 0.3, 0.15, 0.07):
        m = batch_size(r)
        if not isinstance(m, int | np.integer) or isinstance(m, bool) or m < 1:
            detail = f"expected an int of at least 1, got {m!r} of type {type(m).__name__}"
            yield Property(f"the batch size for r = {r} is a whole number", False, detail)
            return
        yield true(
            f"for r = {r} the standard error is small enough",
            1 / np.sqrt(m) <= r,
            f"a batch of {m} leaves an error of {1 / np.sqrt(m):.4g} σ, more than {r} σ",
        )
        yield true(
            f"for r = {r} no smaller batch would do",
            m == 1 or 1 / np.sqrt(m - 1) > r,
            f"got {m}, but a batch of {m - 1} would do as well",
        )
