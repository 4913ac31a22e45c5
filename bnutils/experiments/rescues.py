"""What else trains the nets that chapter 9 finds not to train: the candidates, side by side.

Like the map of `bnutils.experiments.trainability` this is too slow to run with the chapter:
``python -m tools.record rescues`` measures it, and `recorded_rescues` reads what it wrote.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from bnutils import data, nets, recorded
from bnutils.experiments.trainability import ACTIVATIONS, INITIALIZATIONS, RATES
from bnutils.randomness import generator, seeds
from bnutils.seeds import SGD, Adam
from bnutils.tuning import best, sweep

STEPS, LONGER = 300, 1500
ADAM_RATES = [rate for rate in RATES if rate <= 0.1]
# Adam adds ε to the root of each average squared gradient. The dead nets' gradients are as small as
# its usual ε of 1e-8, so it does not scale them up; with this one it does.
TINY = 1e-16
TUNING_SEEDS, TEST_SEEDS = 3, 8

#: The nets: activation, initialization, depth.
NETS = {
    "sigmoid, Xavier, 6 layers": ("sigmoid", "Xavier", 6),
    "sigmoid, Xavier, 12 layers": ("sigmoid", "Xavier", 12),
    "ReLU, N(0, 0.01²), 6 layers": ("ReLU", "N(0, 0.01²)", 6),
    "ReLU, torch's default, 12 layers": ("ReLU", "torch's default", 12),
}


class Arm(NamedTuple):
    """One way to train a net.

    What is built, by what it is trained, at which rates, how long, and whether it gets the images
    as `bnutils.data.standardized` makes them instead of as they are.
    """

    build: Callable[[], nn.Module]
    optimizer: Callable = SGD
    rates: Sequence[float] = RATES
    steps: int = STEPS
    standardized: bool = False


class Rescue(NamedTuple):
    """How an arm came out: the rate chosen, whether at the grid's edge, test accuracies (S,)."""

    net: str
    arm: str
    rate: float
    at_edge: bool
    accuracy: np.ndarray


def arms(activation: str, init: str, depth: int) -> dict[str, Arm]:
    """The candidates for one net, by name; the first is the net itself."""
    how = {"activation": ACTIVATIONS[activation], "init": INITIALIZATIONS[init]}
    build = partial(nets.mlp, depth, **how)
    return {
        "as it is": Arm(build()),
        "standardized inputs": Arm(build(), standardized=True),
        "SGD with momentum": Arm(build(), partial(SGD, momentum=0.9)),
        "five times the steps": Arm(build(), steps=LONGER),
        "Adam": Arm(build(), Adam, ADAM_RATES),
        "Adam, five times the steps": Arm(build(), Adam, ADAM_RATES, LONGER),
        "the same with a tiny ε": Arm(build(), partial(Adam, eps=TINY), ADAM_RATES, LONGER),
        "layer norm": Arm(build(norm=nn.LayerNorm)),
        "group norm": Arm(build(norm=group_norm)),
        "skip connections": Arm(build(residual=True)),
        "He's initialization": Arm(nets.mlp(depth, **how | {"init": nets.he})),
        "weights made for the activation": Arm(suited(activation, depth)),
        "weights fitted to data": Arm(nets.fitted(build(), a_few_digits())),
        "batch norm": Arm(build(norm=nn.BatchNorm1d)),
    }


def group_norm(width: int) -> nn.GroupNorm:
    """Group norm with 8 groups."""
    return nn.GroupNorm(8, width)


def suited(activation: str, depth: int) -> Callable[[], nn.Module]:
    """He's initialization for ReLU; for sigmoids that of the equal net of hyperbolic tangents."""
    if activation == "sigmoid":
        return nets.in_sigmoids(nets.mlp(depth, activation=nn.Tanh, init=nets.xavier))
    return nets.mlp(depth, activation=ACTIVATIONS[activation], init=nets.he)


def a_few_digits() -> torch.Tensor:
    """256 digits, without labels: what weights are fitted to. Shape (256, 64).

    They are the same for every seed, so some of them are among a seed's test images.
    """
    images, _ = data.digits()
    return images[torch.randperm(len(images), generator=generator(0))[:256]]


def measure(*, workers: int = 1, names: Sequence[str] = tuple(NETS)) -> dict:
    """Try every candidate on every net, and return what `recorded_rescues` reads.

    Rates are chosen by validation data on seeds of their own; accuracies are of the test data.
    """
    jobs = [(name, arm) for name in names for arm in arms(*NETS[name])]
    # The longest first, so that no worker is left with one at the end.
    jobs.sort(key=lambda job: (-arms(*NETS[job[0]])[job[1]].steps, -NETS[job[0]][2]))
    if workers > 1:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            rows = list(pool.map(_try, jobs))
    else:
        rows = [_try(job) for job in jobs]
    order = list(product(names, arms(*NETS[names[0]])))
    rows.sort(key=lambda row: order.index((row["net"], row["arm"])))
    seconds = sum(row.pop("cpu seconds") for row in rows)
    return {"cpu seconds": round(seconds), "rows": rows}


def _try(job: tuple[str, str]) -> dict:
    name, arm_name = job
    arm = arms(*NETS[name])[arm_name]
    threads, start = torch.get_num_threads(), time.process_time()
    torch.set_num_threads(1)
    options = {
        "steps": arm.steps,
        "optimizer": arm.optimizer,
        "standardized": arm.standardized,
    }
    try:
        tried = sweep(arm.build, arm.rates, seeds(TUNING_SEEDS, "09 tuning"), **options)
        choice = best(arm.rates, tried.accuracy[-1])
        final = sweep(
            arm.build, [choice.rate], seeds(TEST_SEEDS, "09 rescues"), part="test", **options
        )
    finally:
        torch.set_num_threads(threads)
    return {
        "net": name,
        "arm": arm_name,
        "steps": arm.steps,
        "rates": list(arm.rates),
        "validation": tried.accuracy[-1].double().quantile(0.5, dim=1).tolist(),
        "rate": choice.rate,
        "at edge": choice.at_edge,
        "accuracy": final.accuracy[-1, 0].tolist(),
        "cpu seconds": time.process_time() - start,
    }


def recorded_rescues() -> tuple[list[Rescue], str]:
    """The rescues that the book shows, recorded on a CPU, and where they come from."""
    entry = recorded.on("rescues", "cpu")
    found = [
        Rescue(row["net"], row["arm"], row["rate"], row["at edge"], np.array(row["accuracy"]))
        for row in entry["rows"]
    ]
    return found, recorded.origin(entry)
