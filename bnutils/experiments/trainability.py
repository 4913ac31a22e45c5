"""The map of chapter 9: which plain nets train at all, with and without batch norm.

Activation, initialization, depth, learning rate; 300 steps of plain SGD for each. The nets without
a norm are trained on standardized images as well: the control for what batch norm might owe to the
first layer's inputs alone. The map is too slow to be drawn while the chapter runs:
``python -m tools.record trainability`` measures it, and `recorded_map` reads what it wrote.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from bnutils import nets, recorded
from bnutils.randomness import seeds
from bnutils.tuning import sweep

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "ReLU": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
INITIALIZATIONS: dict[str, nets.Initialization] = {
    "He": nets.he,
    "Xavier": nets.xavier,
    "torch's default": nets.torchs,
    "N(0, 0.01²)": nets.small,
}
# He's is made for ReLU; with it the other two differ little from Xavier's.
PAIRS = [
    (activation, init)
    for activation, init in product(ACTIVATIONS, INITIALIZATIONS)
    if init != "He" or activation == "ReLU"
]
NORMS: dict[str, Callable[[int], nn.Module] | None] = {
    "no norm": None,
    "batch norm": nn.BatchNorm1d,
}
DEPTHS = [1, 3, 6, 12]
RATES = [float(f"{10 ** (k / 2):.3g}") for k in range(-8, 3)]
STEPS = 300
SEEDS = 4


class Map(NamedTuple):
    """The map as recorded.

    ``accuracy`` has shape (pairs, norms, depths, rates, seeds): test accuracies from 0 to 1 after
    ``steps`` updates. ``standardized``, of shape (pairs, depths, rates, seeds), are those of the
    nets without a norm on images as `bnutils.data.standardized` makes them. ``pairs`` holds
    (activation, initialization), by name.
    """

    pairs: list[tuple[str, str]]
    norms: list[str]
    depths: list[int]
    rates: list[float]
    steps: int
    accuracy: np.ndarray
    standardized: np.ndarray
    origin: str


def net(
    activation: str, init: str, depth: int, norm: str, **options: object
) -> Callable[[], nn.Sequential]:
    """What builds a net of the map; arguments are its names, options those of `bnutils.nets.mlp`.

    Raises
    ------
    ValueError
        If the map has no such activation, initialization or norm.
    """
    for name, known in ((activation, ACTIVATIONS), (init, INITIALIZATIONS), (norm, NORMS)):
        if name not in known:
            raise ValueError(f"the map has no {name!r} here; it has {', '.join(map(repr, known))}")
    return nets.mlp(
        depth,
        activation=ACTIVATIONS[activation],
        init=INITIALIZATIONS[init],
        norm=NORMS[norm],
        **options,
    )


def measure(
    *,
    pairs: Sequence[tuple[str, str]] = PAIRS,
    depths: Sequence[int] = DEPTHS,
    rates: Sequence[float] = RATES,
    steps: int = STEPS,
    n_seeds: int = SEEDS,
    workers: int = 1,
) -> dict:
    """Train every net of the map, and return what `recorded_map` reads.

    Parameters
    ----------
    pairs, depths, rates, steps, n_seeds
        The map's extent. Every net has the same seeds: the same data, in the same order.
    workers : int
        Processes to share the work.

    Returns
    -------
    dict
        Ready for JSON; with ``cpu seconds``, of all processes.
    """
    chosen = seeds(n_seeds, "09 map")
    with_options = (rates, steps, chosen)
    jobs = [
        (*pair, depth, norm, standardized, *with_options)
        for standardized, norms in ((False, NORMS), (True, ["no norm"]))
        for pair, norm, depth in product(pairs, norms, depths)
    ]
    # Deep nets first, so that no worker is left with one at the end; spawned, since torch's own
    # threads do not survive a fork.
    order = sorted(range(len(jobs)), key=lambda i: -jobs[i][2])
    if workers > 1:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            results = list(pool.map(_job, [jobs[i] for i in order]))
    else:
        results = [_job(jobs[i]) for i in order]
    found = dict(zip(order, results, strict=True))
    of_each = np.array([found[i][0] for i in range(len(jobs))]).round(4)
    plain = len(pairs) * len(depths)  # the last so many: without a norm, standardized
    sizes = (len(depths), len(rates), n_seeds)
    return {
        "pairs": [list(pair) for pair in pairs],
        "norms": list(NORMS),
        "depths": list(depths),
        "rates": list(rates),
        "steps": steps,
        "seeds": chosen,
        "cpu seconds": round(sum(seconds for _, seconds in results)),
        "accuracy": of_each[:-plain].reshape(len(pairs), len(NORMS), *sizes).tolist(),
        "standardized": of_each[-plain:].reshape(len(pairs), *sizes).tolist(),
    }


def _job(job: tuple) -> tuple[list, float]:
    """Accuracies (rates, seeds) of one net of the map, and the CPU-seconds that it took."""
    activation, init, depth, norm, standardized, rates, steps, chosen = job
    threads, start = torch.get_num_threads(), time.process_time()
    torch.set_num_threads(1)
    try:
        tried = sweep(
            net(activation, init, depth, norm),
            rates,
            chosen,
            steps=steps,
            part="test",
            standardized=standardized,
        )
    finally:
        torch.set_num_threads(threads)
    return tried.accuracy[-1].tolist(), time.process_time() - start


def recorded_map() -> Map:
    """The map that the book shows: the newest one recorded on a CPU."""
    entry = recorded.on("trainability", "cpu")
    pairs = [tuple(pair) for pair in entry["pairs"]]
    lists = {"pairs": pairs} | {name: entry[name] for name in ("norms", "depths", "rates", "seeds")}
    arrays = {}
    for name, left_out in (("accuracy", ""), ("standardized", "norms")):
        arrays[name] = np.array(entry[name])
        wanted = tuple(len(values) for what, values in lists.items() if what != left_out)
        if arrays[name].shape != wanted:
            raise ValueError(
                f"the recorded {name} has the shape {arrays[name].shape}, the lists beside it say "
                f"{wanted}; record the map again: python -m tools.record trainability"
            )
    return Map(
        pairs,
        entry["norms"],
        entry["depths"],
        entry["rates"],
        entry["steps"],
        **arrays,
        origin=recorded.origin(entry),
    )
