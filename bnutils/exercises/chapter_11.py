"""The checks of chapter 11, why it works."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from bnutils.exercises.checking import Property, close, exercise


@exercise("11.1", "a unit's move", answer="function")
def units_move(typical_move: Callable) -> Iterator[Property]:
    """``typical_move(before, after)`` for arrays (images, units)."""
    rng = np.random.default_rng(11)
    sizes = np.array([1.0, 2.0, 0.5, 4.0, 1.0])
    x = rng.standard_normal((64, 5)) * sizes + np.arange(5)
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    yield close("a layer that stands still has not moved", typical_move(x, x), 0.0)
    yield close(
        "a shift by half a standard deviation in every unit gives 0.5",
        typical_move(x, x + 0.5 * deviation),
        0.5,
    )
    yield close(
        "units that are half as broad have moved by 0.5",
        typical_move(x, mean + 0.5 * (x - mean)),
        0.5,
    )
    yield close(
        "a shift by 0.3 and a stretch by 0.4 deviations give 0.5",
        typical_move(x, mean + 1.4 * (x - mean) - 0.3 * deviation),
        0.5,
    )
    far = np.array([0.0, 0.1, 0.2, 0.3, 50.0])
    yield close(
        "of moves by 0, 0.1, 0.2, 0.3 and 50 the typical one is 0.2",
        typical_move(x, x + far * deviation),
        0.2,
    )


@exercise("11.2", "the same net with longer weights", answer="function")
def longer_weights(same_net_longer_weights: Callable) -> Iterator[Property]:
    """``same_net_longer_weights(c)``: the factor of beta, the factor of the learning rate."""
    w = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    for c in (2.0, 5.0, 0.5):
        answer = same_net_longer_weights(c)
        if np.shape(answer) != (2,):
            detail = f"got shape {np.shape(answer)}; return the factor of beta, that of the rate"
            yield Property("the answer is a pair", False, detail)
            return
        beta, rate = answer
        name = f"for weights {c:g} times as long"
        yield close(f"{name}, beta", beta, _beta(c * w) / _beta(w), tolerance=1e-4)
        # Both nets take one step; what counts of the weights afterwards is their direction.
        one = w - 0.1 * _gradient(w)
        other = c * w - 0.1 * float(rate) * _gradient(c * w)
        yield close(
            f"{name}, the direction of the weights after a step at your rate",
            (other / other.norm()).numpy(),
            (one / one.norm()).numpy(),
        )


@exercise("11.3", "the share of the learning rate", answer="function")
def share_of_the_rate(share: Callable) -> Iterator[Property]:
    """``share(steps_without, best_rate_without, steps_with)``."""
    table = {0.1: 100, 0.3: 50, 1.0: 25}
    yield close("nothing at the old rate: all of it is the rate's", share(100, 0.1, table), 1.0)
    yield close("half the steps, then half again: half is the rate's", share(100, 0.3, table), 0.5)
    yield close("the old rate is the best: none of it is", share(100, 1.0, table), 0.0)
    slower = {0.03: 200, 0.1: 120, 0.3: 40}
    expected = 1 - np.log(100 / 120) / np.log(100 / 40)
    yield close("slower at the old rate: more than all", share(100, 0.1, slower), expected)


def _loss(w: torch.Tensor) -> torch.Tensor:
    """A loss of which only the direction of w matters."""
    return (w * torch.tensor([1.0, 0.5, -1.0], dtype=w.dtype)).sum() / w.norm()


def _gradient(w: torch.Tensor) -> torch.Tensor:
    w = w.clone().requires_grad_()
    return torch.autograd.grad(_loss(w), w)[0]


def _beta(w: torch.Tensor, t: float = 1e-5) -> float:
    g = _gradient(w)
    return ((_gradient(w - t * g) - g).norm() / (t * g.norm())).item()
