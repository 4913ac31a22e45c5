"""The checks of chapter 17, stale statistics."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

from bnutils.exercises.checking import Property, close, exercise, true


@exercise("17.1", "a checkpoint without its start", answer="function")
def a_checkpoint_without_its_start(debiased: Callable) -> Iterator[Property]:
    """``debiased(mean, var, momentum, tracked)`` for one layer."""
    rng = np.random.default_rng(17)
    for momentum, steps in ((0.01, 20), (0.1, 5), (0.5, 1)):
        wanted = rng.normal(size=4), rng.exponential(size=4)
        left = (1 - momentum) ** steps
        # Every minibatch has said the same, so that without the start this is what is stored.
        mean, var = (1 - left) * wanted[0], (1 - left) * wanted[1] + left
        got = debiased(mean, var, momentum, steps)
        case = f"momentum {momentum} after {steps} batches"
        yield close(f"{case}: the mean", got[0], wanted[0])
        yield close(f"{case}: the variance", got[1], wanted[1])
    mean, var = rng.normal(size=4), rng.exponential(size=4)
    got = debiased(mean, var, None, 10)
    yield close("momentum None has forgotten the start: the mean stays", got[0], mean)
    yield close("momentum None has forgotten the start: the variance stays", got[1], var)
    with np.errstate(all="ignore"):
        got = debiased(np.zeros(4), np.ones(4), 0.1, 0)
    yield close("a layer that has seen nothing keeps mean 0", got[0], np.zeros(4))
    yield close("a layer that has seen nothing keeps variance 1", got[1], np.ones(4))


@exercise("17.2", "statistics without a pass", answer="function")
def statistics_without_a_pass(population: Callable) -> Iterator[Property]:
    """``population(W, b, mean, covariance)`` for the units of a linear layer."""
    rng = np.random.default_rng(172)
    x = rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6)) + rng.normal(size=6)
    mean, covariance = x.mean(axis=0), np.cov(x.T, bias=True)
    W, b = rng.normal(size=(4, 6)), rng.normal(size=4)
    pruned = W * (np.abs(W) > np.median(np.abs(W)))
    for name, weights in (("some weights", W), ("the same, half of them pruned", pruned)):
        h = x @ weights.T + b
        got = population(weights, b, mean, covariance)
        yield close(f"{name}: the mean is that of a pass", got[0], h.mean(axis=0))
        yield close(f"{name}: the variance is that of a pass", got[1], h.var(axis=0))
    got = population(np.zeros((4, 6)), b, mean, covariance)
    yield close("all weights pruned: the bias alone is the mean", got[0], b)
    yield close("all weights pruned: nothing varies", got[1], np.zeros(4))


@exercise("17.3", "the smallest momentum", answer="function")
def the_smallest_momentum(smallest_momentum: Callable) -> Iterator[Property]:
    """``smallest_momentum(steps, left)``: what is left of the start is ``left``."""
    yield close("one step, a quarter left: three quarters", smallest_momentum(1, 0.25), 0.75)
    for steps, left in ((20, 0.01), (300, 0.05), (10000, 0.001)):
        momentum = smallest_momentum(steps, left)
        yield close(
            f"{steps} steps leave {left:g} of the start", (1 - momentum) ** steps, left, 1e-6
        )


@exercise("17.4", "copies that never collected", answer="function")
def copies_that_never_collected(untouched: Callable) -> Iterator[Property]:
    """``untouched(state)``: names of norms at mean 0 and variance 1."""
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 4))
    net.append(nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2), nn.BatchNorm1d(2)))
    yield _names("a new net: all of them", untouched(net.state_dict()), ["1", "4.0", "4.2"])
    net[4][0].running_mean.copy_(torch.tensor([0.0, 0.1, 0.0, 0.0]))
    yield _names("one channel's mean has moved", untouched(net.state_dict()), ["1", "4.2"])
    net[1].running_var.mul_(0.9)
    yield _names("a variance has moved, no mean has", untouched(net.state_dict()), ["4.2"])
    net = nn.Sequential(nn.BatchNorm1d(4), nn.BatchNorm1d(4))
    net[0].running_mean.copy_(torch.tensor([0.1, -0.1, 0.0, 0.0]))
    net[0].running_var.copy_(torch.tensor([0.9, 1.1, 1.0, 1.0]))
    yield _names("0 and 1 on average only is not untouched", untouched(net.state_dict()), ["1"])
    net[1].running_mean.fill_(1e-3)
    yield _names("nearly 0 is not untouched", untouched(net.state_dict()), [])
    plain = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4)).state_dict()
    yield _names("a net without running statistics: none", untouched(plain), [])


def _names(name: str, got: object, wanted: list[str]) -> Property:
    return true(name, list(got) == wanted, f"expected {wanted}, got {got}")
