"""The checks of chapter 15, two datasets, one network."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from bnutils.exercises.checking import Property, close, exercise, true

# Two datasets as one unit sees them: (mean, variance) of A, then of B.
UNITS = ((0.0, 1.0, 2.0, 1.0), (-1.0, 4.0, 3.0, 0.25), (5.0, 2.0, 5.0, 2.0))


@exercise("15.1", "what is stored", answer="function")
def what_is_stored(stored_after: Callable) -> Iterator[Property]:
    """``stored_after(mean_a, var_a, mean_b, var_b)``: two (mean, variance), two passes first."""
    for mean_a, var_a, mean_b, var_b in UNITS:
        answer = stored_after(mean_a, var_a, mean_b, var_b)
        if np.shape(answer) != (2, 2):
            detail = f"got shape {np.shape(answer)}; return (mean, variance), (mean, variance)"
            yield Property("the answer is two pairs", False, detail)
            return
        (mean_two, var_two), (mean_merged, var_merged) = answer
        name = f"for means {mean_a:g} and {mean_b:g}, variances {var_a:g} and {var_b:g}"
        mean, within = (mean_a + mean_b) / 2, (var_a + var_b) / 2
        mixture = (var_a + mean_a**2 + var_b + mean_b**2) / 2 - mean**2  # E[x²] - E[x]²
        yield close(f"{name}, the mean after two passes", mean_two, mean)
        yield close(f"{name}, the variance after two passes", var_two, within)
        yield close(f"{name}, the mean after merging", mean_merged, mean)
        yield close(f"{name}, the variance after merging", var_merged, mixture)


@exercise("15.2", "who wrote last", answer="function")
def who_wrote_last(weights: Callable) -> Iterator[Property]:
    """``weights(alpha)``: the weights of A and B when A writes first and B second."""
    for alpha in (0.1, 0.5, 0.9):
        answer = weights(alpha)
        if np.shape(answer) != (2,):
            detail = f"got shape {np.shape(answer)}; return the weight of A, the weight of B"
            yield Property("the answer is a pair", False, detail)
            return
        yield true(
            f"for α = {alpha} the weights add up to 1",
            abs(sum(answer) - 1) < 1e-9,
            f"they add up to {sum(answer):.6g}",
        )
        # Torch's own running average, fed a constant 0 from A and a constant 1 from B.
        layer = torch.nn.BatchNorm1d(1, momentum=alpha, dtype=torch.float64)
        for _ in range(400):
            for value in (0.0, 1.0):
                layer(torch.full((2, 1), value, dtype=torch.float64))
        yield close(f"for α = {alpha} the weight of B", answer[1], layer.running_mean.item())


@exercise("15.3", "the detector for one layer", answer="function")
def detector(layer_misfit: Callable) -> Iterator[Property]:
    """``layer_misfit(x, running_mean, running_var)`` for a batch (m, F)."""
    rng = np.random.default_rng(15)
    x = rng.standard_normal((64, 5)) * np.array([1.0, 2.0, 0.5, 3.0, 1.0]) + np.arange(5)
    mean, var = x.mean(axis=0), x.var(axis=0)
    yield close("right statistics give 0", layer_misfit(x, mean, var), 0.0, tolerance=1e-9)
    yield close(
        "a mean that is off by half a standard deviation in every unit gives 0.5",
        layer_misfit(x, mean + 0.5 * np.sqrt(var), var),
        0.5,
    )
    yield close(
        "a variance that is stored four times too large gives 0.5",
        layer_misfit(x, mean, 4 * var),
        0.5,
    )
    one_wrong = mean + np.array([2.0, 0, 0, 0, 0]) * np.sqrt(var)
    yield close(
        "one unit of five that is off by two standard deviations gives the root of 4/5",
        layer_misfit(x, one_wrong, var),
        np.sqrt(4 / 5),
    )
