"""Every alternative through every peril, and what each can do at its own learning rate.

This is too slow to run with chapter 25: ``python -m tools.record alternatives`` measures it, and
`recorded_table` and `recorded_nets` read what it wrote.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from bnutils import recorded
from bnutils.evidence import interval
from bnutils.experiments.trainability import RATES
from bnutils.perils import PERILS, Peril, classifier
from bnutils.perils.alternatives import ALTERNATIVES
from bnutils.randomness import seeds
from bnutils.seeds import SGD, cosine
from bnutils.tuning import Sweep, best, sweep

TUNING_SEEDS, TEST_SEEDS, TABLE_SEEDS = 8, 32, 64

#: The nets that each alternative is tuned on, with plain gradient descent.
NETS = {
    "2 layers, ReLU": {"hidden": 2},
    "12 layers, ReLU": {"hidden": 12},
    "12 layers, sigmoid": {"hidden": 12, "activation": nn.Sigmoid},
}
STEPS = 300

HEALTHY = 80
"""Per cent. A net below this has too little to lose: at a tenth of the rate it may have more."""


class Cell(NamedTuple):
    """One peril on one alternative.

    ``rate`` is what the peril's learning rate was multiplied by, ``worth`` its smallest harm worth
    reporting, in points, and ``harm`` has one value for each net, shape (S,).
    """

    peril: str
    alternative: str
    rate: float
    worth: float
    harm: np.ndarray

    @property
    def verdict(self) -> str:
        """What the interval of the median says: harmed, gains, spared, or open.

        "Harmed" if it lies at or above what is worth reporting, "gains" if that far below 0,
        "spared" if within that of 0.
        """
        _, low, high = interval(self.harm)
        if low >= self.worth:
            return "harmed"
        if high <= -self.worth:
            return "gains"
        return "spared" if -self.worth <= low and high <= self.worth else "open"


class Health(NamedTuple):
    """Test accuracies in per cent of an alternative's nets when nothing is done to them: (S,)."""

    alternative: str
    rate: float
    accuracy: np.ndarray


class Tuned(NamedTuple):
    """A net of one alternative at its own rate.

    ``usable`` are the rates at which the median validation accuracy is at least 80 %; ``accuracy``
    are the test accuracies at the best one, in per cent, shape (S,).
    """

    net: str
    alternative: str
    rate: float
    at_edge: bool
    usable: list[float]
    accuracy: np.ndarray


def measure(*, workers: int = 1) -> dict:
    """Run everything, and return what is recorded."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        tuned = pool.map(_tune, [(net, name) for net in NETS for name in ALTERNATIVES])
        rows = list(pool.map(_of_alternative, ALTERNATIVES))
        tuned = list(tuned)
    total = sum(row.pop("cpu seconds") for row in [*rows, *tuned])
    health = [row.pop("health") for row in rows]
    cells = [cell for row in rows for cell in row["cells"]]
    order = [peril.name for peril in PERILS]
    cells.sort(key=lambda cell: order.index(cell["peril"]))  # stable: alternatives keep theirs
    return {"cpu seconds": round(total), "health": health, "cells": cells, "nets": tuned}


def of_peril(peril: Peril, name: str, rate: float, seeds: Sequence[int]) -> torch.Tensor:
    """The harm that a peril does to nets of the alternative of that name, shape (S,)."""
    return peril.harm(ALTERNATIVES[name], seeds, rate)


def healthy(name: str, rate: float, seeds: Sequence[int], part: str = "validation") -> Sweep:
    """Nets of an alternative trained as in the perils, with nothing done to them."""
    return sweep(
        partial(classifier, ALTERNATIVES[name]),
        [0.1 * rate],
        seeds,
        steps=150,
        part=part,
        optimizer=partial(SGD, momentum=0.9),
        batch_size=32,
        schedule=cosine,
    )


def _of_alternative(name: str) -> dict:
    """The cells of one alternative, at the perils' own rates, or at a tenth of them."""
    torch.set_num_threads(1)
    start = time.process_time()
    tried = 100 * healthy(name, 1, seeds(TUNING_SEEDS, "25 tuning")).accuracy[-1, 0]
    rate = 1 if tried.median() >= HEALTHY else 0.1
    table = seeds(TABLE_SEEDS, "25 table")
    final = 100 * healthy(name, rate, table, part="test").accuracy[-1, 0]
    cells = [
        {
            "peril": peril.name,
            "alternative": name,
            "rate": rate,
            "worth": peril.worth,
            "harm": _short(of_peril(peril, name, rate, table)),
        }
        for peril in PERILS
    ]
    health = {"alternative": name, "rate": rate, "accuracy": _short(final)}
    return {"health": health, "cells": cells, "cpu seconds": time.process_time() - start}


def _tune(job: tuple[str, str]) -> dict:
    """Choose a rate by validation data; report test data, on other seeds."""
    torch.set_num_threads(1)
    start = time.process_time()
    net, name = job
    build = partial(classifier, ALTERNATIVES[name], **NETS[net])
    tried = 100 * sweep(build, RATES, seeds(TUNING_SEEDS, "25 tuning"), steps=STEPS).accuracy[-1]
    choice = best(RATES, tried)
    test = seeds(TEST_SEEDS, "25 nets")
    final = sweep(build, [choice.rate], test, steps=STEPS, part="test").accuracy[-1, 0]
    medians = tried.quantile(0.5, dim=1, interpolation="midpoint")
    return {
        "net": net,
        "alternative": name,
        "rates": RATES,
        "validation": _short(medians),
        "rate": choice.rate,
        "at edge": choice.at_edge,
        "accuracy": _short(100 * final),
        "cpu seconds": time.process_time() - start,
    }


def _short(values: torch.Tensor) -> list[float]:
    """Five digits: one image of the test data is a quarter of a point."""
    return [float(f"{value:.5g}") for value in values.tolist()]


def recorded_table() -> tuple[list[Cell], list[Health], str]:
    """The table that the book shows, how healthy its nets are, and where both come from."""
    entry = recorded.on("alternatives", "cpu")
    cells = [
        Cell(c["peril"], c["alternative"], c["rate"], c["worth"], np.array(c["harm"]))
        for c in entry["cells"]
    ]
    health = [Health(h["alternative"], h["rate"], np.array(h["accuracy"])) for h in entry["health"]]
    return cells, health, recorded.origin(entry)


def recorded_nets() -> tuple[list[Tuned], str]:
    """What each alternative reaches at its own rate, and where that comes from."""
    entry = recorded.on("alternatives", "cpu")
    found = []
    for row in entry["nets"]:
        usable = [
            rate
            for rate, score in zip(row["rates"], row["validation"], strict=True)
            if score >= HEALTHY
        ]
        found.append(
            Tuned(
                row["net"],
                row["alternative"],
                row["rate"],
                row["at edge"],
                usable,
                np.array(row["accuracy"]),
            )
        )
    return found, recorded.origin(entry)
