"""Learning rates: try many on many seeds in one pass, and choose one by validation data.

    tried = sweep(mlp(6), RATES, seeds(6, "tuning"), steps=300)
    chosen = best(tried.rates, tried.accuracy[-1])

Seeds that choose are not the seeds that are reported on; the caller sees to that by two purposes.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from bnutils import data
from bnutils.seeds import SGD, Adam, Runs, accuracy, classify, constant, grid


class Sweep(NamedTuple):
    """Training on the digits at several learning rates.

    ``steps`` counts the updates before each record, T of them; ``accuracy`` has shape
    (T, rates, seeds), from 0 to 1, in evaluation mode; ``loss`` likewise, of each record's latest
    minibatch, NaN before the first step. ``runs`` holds the trained nets, rate by rate.
    """

    rates: list[float]
    steps: list[int]
    accuracy: Tensor
    loss: Tensor
    runs: Runs


class Choice(NamedTuple):
    """A learning rate, its place among those tried, and whether it is the smallest or largest."""

    rate: float
    index: int
    at_edge: bool


def sweep(
    net: Callable[[], nn.Module],
    rates: Sequence[float],
    seeds: Sequence[int],
    *,
    steps: int,
    part: str = "validation",
    optimizer: Callable[[Sequence[float]], SGD | Adam] = SGD,
    batch_size: int = 64,
    schedule: Callable[[float], float] = constant,
    every: int | None = None,
    standardized: bool = False,
    step: Callable[..., Tensor] = classify,
) -> Sweep:
    """Train every seed with every learning rate on the digits, and score it on the way.

    Parameters
    ----------
    net : callable
        Builds one net from 64 inputs to 10 classes.
    rates, seeds : sequence
        Runs of the same seed share their data, their first weights and the order of minibatches.
    steps : int
        Updates of each run.
    part : str
        What the accuracy is measured on: "validation" to choose by, "test" to report.
    optimizer : callable
        From the learning rates to an optimizer: ``SGD``, ``Adam``, or a partial of one.
    batch_size, schedule, every
        As in ``Runs.fit``.
    standardized : bool
        Whether the net gets the images as `data.standardized` makes them, by each seed's own
        training images, instead of as they are.
    step : callable
        As in ``Runs.fit``; by default the cross entropy of the minibatch.
    """
    if part not in ("train", "validation", "test"):
        raise ValueError(f'part is "{part}"; it must be "train", "validation" or "test"')
    images, labels = data.digits()
    repeated, each_rate = grid(seeds, rates)
    rows = data.splits(repeated)
    scored = getattr(rows, part)
    x_train, x, y = images[rows.train], images[scored], labels[scored]
    if standardized:
        x_train, x = data.standardized(x_train, x_train), data.standardized(x, x_train)
    runs = Runs(net, repeated)
    runs.fit(
        step,
        (x_train, labels[rows.train]),
        optimizer(each_rate),
        steps=steps,
        batch_size=batch_size,
        schedule=schedule,
        record=lambda runs: {"accuracy": accuracy(runs.predict(x), y), "loss": runs.loss.cpu()},
        every=every,
    )
    shape = (len(rates), len(seeds))
    values = {name: value.unflatten(1, shape) for name, value in runs.history.values.items()}
    return Sweep(list(rates), runs.history.steps, values["accuracy"], values["loss"], runs)


def best(rates: Sequence[float], scores: Tensor) -> Choice:
    """The rate with the highest median score over seeds; of equals the one with the highest mean.

    Parameters
    ----------
    rates : sequence of float
        In increasing order.
    scores : Tensor
        Shape (rates, seeds), the higher the better; -inf for a run that failed.
    """
    if list(rates) != sorted(rates) or scores.shape[:1] != (len(rates),):
        raise ValueError(
            f"rates are {list(rates)} and scores have shape {tuple(scores.shape)}; rates must "
            "increase, and scores have a row for each"
        )
    # torch's median would be the lower of the middle two.
    medians = scores.double().quantile(0.5, dim=1, interpolation="midpoint").nan_to_num(-torch.inf)
    means = scores.double().mean(1).nan_to_num(-torch.inf)
    index = max(range(len(rates)), key=lambda i: (medians[i].item(), means[i].item()))
    return Choice(rates[index], index, index in (0, len(rates) - 1))


def first_step(steps: Sequence[int], accuracy: Tensor, target: float) -> Tensor:
    """The first recorded step at which the accuracy reaches the target; inf where it never does.

    Parameters
    ----------
    steps : sequence of int
        T of them.
    accuracy : Tensor
        Shape (T, ...).
    target : float

    Returns
    -------
    Tensor
        Shape (...), float64.
    """
    reached = accuracy >= target
    first = torch.as_tensor(steps, dtype=torch.float64)[reached.int().argmax(0)]
    return torch.where(reached.any(0), first, torch.inf)
