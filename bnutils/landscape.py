"""Look around in the loss of many runs: gradients, and what they are elsewhere.

    here = gradient(runs, x, y)
    with moved(runs, here, lr=0.1):       # a step of gradient descent, taken back afterwards
        there = gradient(runs, x, y)
    change = length(difference(there, here), len(runs))

Nothing that is looked at changes: batch norms use the minibatch's statistics and store none, and
the parameters are back in their places, to the bit, when the block ends.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from bnutils import statistics
from bnutils.seeds import Runs, cross_entropy

Parts = dict[str, Tensor]  # a gradient, by the parameters' names


class Gradient(NamedTuple):
    """The runs' losses, shape (S,), and the gradient of each, by parameter, with all runs in it."""

    loss: Tensor
    parts: Parts


def gradient(runs: Runs, x: Tensor, y: Tensor) -> Gradient:
    """Loss and gradient on a minibatch, in training mode; the mode is put back.

    Parameters
    ----------
    runs : Runs
    x : Tensor
        Shape (S, B, ...).
    y : Tensor
        Labels, shape (S, B).
    """
    named = {name: p for name, p in runs.named_parameters() if p.requires_grad}
    modes = [(module, module.training) for module in runs.modules()]
    try:
        runs.train()
        with statistics.from_batch(runs):
            loss = cross_entropy(runs(x), y.to(runs.device))
        found = torch.autograd.grad(loss.sum(), list(named.values()))
    finally:
        for module, mode in modes:
            module.training = mode
    return Gradient(loss.detach(), dict(zip(named, found, strict=True)))


@contextmanager
def moved(
    runs: Runs,
    along: Gradient,
    lr: float | Sequence[float] | Tensor,
    names: Collection[str] | None = None,
) -> Iterator[None]:
    """Within the block, the runs stand where a step of gradient descent would take them.

    Parameters
    ----------
    runs : Runs
    along : Gradient
        Of these runs.
    lr : float, or one for each run
        The step is ``-lr`` times the gradient.
    names : collection of str, optional
        The parameters that move, as ``runs.named_parameters()`` calls them; by default all.

    Raises
    ------
    ValueError
        If a name is not among the gradient's parameters.
    """
    unknown = set(names or ()) - set(along.parts)
    if unknown:
        raise ValueError(f"there is no parameter {min(unknown)!r}; there are {[*along.parts]}")
    chosen = along.parts if names is None else {name: along.parts[name] for name in names}
    named = dict(runs.named_parameters())
    kept = {name: named[name].detach().clone() for name in chosen}
    rates = torch.as_tensor(lr, dtype=torch.float64).reshape(-1, 1)
    try:
        with torch.no_grad():
            for name, part in chosen.items():
                rows = part.reshape(len(runs), -1)
                named[name].view(len(runs), -1).sub_(rates.to(rows) * rows)
        yield
    finally:
        with torch.no_grad():
            for name, value in kept.items():
                named[name].copy_(value)


def difference(there: Gradient, here: Gradient) -> Parts:
    """The change of the gradient, by parameter."""
    return {name: there.parts[name] - part for name, part in here.parts.items()}


def length(parts: Mapping[str, Tensor], runs: int) -> Tensor:
    """Euclidean length over all parameters, one per run: shape (S,)."""
    squares = [part.reshape(runs, -1).square().sum(1) for part in parts.values()]
    return torch.stack(squares).sum(0).sqrt()


def angle(there: Tensor, here: Tensor, runs: int) -> Tensor:
    """The angle between two gradients of one parameter, in degrees, one per run: shape (S,)."""
    one, other = there.reshape(runs, -1), here.reshape(runs, -1)
    cosine = torch.cosine_similarity(one.double(), other.double())
    return torch.rad2deg(cosine.clamp(-1, 1).acos())
