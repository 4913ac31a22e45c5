"""Chapter 10's comparison: steps to a target accuracy, with and without batch norm.

Every arm has a learning rate of its own, the one with which it is fastest on validation data and on
seeds that only tune; what is reported comes from test data and other seeds. The whole table is too
slow for the chapter: ``python -m tools.record half_the_time`` measures it, and `recorded_arms`
reads what it wrote.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bnutils import recorded
from bnutils.experiments.trainability import NORMS, net
from bnutils.randomness import seeds
from bnutils.seeds import SGD, Adam
from bnutils.tuning import Choice, Sweep, best, first_step, sweep

NETS = [
    ("ReLU", "He"),
    ("ReLU", "torch's default"),
    ("tanh", "Xavier"),
    ("sigmoid", "Xavier"),
]
NETS_OF_ADAM = [("ReLU", "He"), ("tanh", "Xavier")]
OPTIMIZERS = {"SGD": SGD, "Adam": Adam}
RATES = {
    "SGD": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0],
    "Adam": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0],
}
INPUTS = ["as they are", "standardized"]
TARGETS = [0.9, 0.95]
STEPS = 400  # enough for the slowest net that trains, twelve ReLU layers without a norm
TUNING_SEEDS, TEST_SEEDS = 6, 16
TUNING_EVERY, TEST_EVERY = 4, 2  # steps between two looks at the accuracy


class Setting(NamedTuple):
    """What an arm trains, by the names that `bnutils.experiments.trainability.net` knows, and how.

    ``inputs`` is one of `INPUTS`, ``optimizer`` one of `OPTIMIZERS`.
    """

    activation: str
    init: str
    depth: int
    optimizer: str
    inputs: str
    norm: str


class Arm(NamedTuple):
    """How an arm came out.

    ``tuned`` holds, by target, the median step at which it was reached on validation data at each
    of ``rates``; ``chosen`` the rate taken, None where no rate reaches the target; ``first`` the
    step at which each test seed's run reached it, shape (seeds,). Infinite where it never was.
    ``final`` is the median validation accuracy after the last step, at each rate.
    """

    rates: list[float]
    tuned: dict[float, np.ndarray]
    chosen: dict[float, Choice | None]
    first: dict[float, np.ndarray]
    final: np.ndarray


def train(
    setting: Setting, rates: Sequence[float], run_seeds: Sequence[int], **options: object
) -> Sweep:
    """Train an arm's net for `STEPS` steps; options are those of `bnutils.tuning.sweep`."""
    build = net(setting.activation, setting.init, setting.depth, setting.norm)
    options = {
        "steps": STEPS,
        "optimizer": OPTIMIZERS[setting.optimizer],
        "standardized": setting.inputs == "standardized",
    } | options
    return sweep(build, rates, run_seeds, **options)


def choose(rates: Sequence[float], first: Tensor) -> Choice | None:
    """The rate with the smallest median of ``first``, shape (rates, seeds); None if that is inf."""
    choice = best(rates, -first)
    reached = first[choice.index].quantile(0.5, interpolation="midpoint").isfinite()
    return choice if reached else None


def settings() -> list[Setting]:
    """All arms of the table: SGD on every net, Adam on two of them, and one net at depth 12."""
    nets = [(*names, depth, "SGD") for names, depth in product(NETS, [1, 3, 6])]
    nets += [(*names, depth, "Adam") for names, depth in product(NETS_OF_ADAM, [1, 3, 6])]
    nets += [("ReLU", "He", 12, "SGD")]
    return [Setting(*one, inputs, norm) for one in nets for inputs, norm in product(INPUTS, NORMS)]


def measure(*, workers: int = 1, chosen: Sequence[Setting] | None = None) -> dict:
    """Tune and train the arms, by default all, and return what `recorded_arms` reads.

    ``workers`` is the number of processes to share the work. The result is ready for JSON; its
    ``cpu seconds`` are those of all processes.
    """
    jobs = settings() if chosen is None else list(chosen)
    # Deep nets first, so that no worker is left with one at the end; spawned, since torch's own
    # threads do not survive a fork.
    order = sorted(range(len(jobs)), key=lambda i: -jobs[i].depth)
    if workers > 1:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            rows = list(pool.map(_measure, [jobs[i] for i in order]))
    else:
        rows = [_measure(jobs[i]) for i in order]
    found = dict(zip(order, rows, strict=True))
    return {
        "steps": STEPS,
        "cpu seconds": round(sum(row.pop("cpu seconds") for row in rows)),
        "arms": [found[i] for i in range(len(jobs))],
    }


def _measure(setting: Setting) -> dict:
    rates = RATES[setting.optimizer]
    threads, start = torch.get_num_threads(), time.process_time()
    torch.set_num_threads(1)
    try:
        tuning = train(setting, rates, seeds(TUNING_SEEDS, "10 tuning"), every=TUNING_EVERY)
        first = {t: first_step(tuning.steps, tuning.accuracy, t) for t in TARGETS}
        chosen = {t: choose(rates, first[t]) for t in TARGETS}
        wanted = sorted({choice.rate for choice in chosen.values() if choice})
        options = {"part": "test", "every": TEST_EVERY}
        test = train(setting, wanted, seeds(TEST_SEEDS, "10 test"), **options) if wanted else None
    finally:
        torch.set_num_threads(threads)
    row = {"setting": setting._asdict(), "rates": rates, "targets": []}
    for target, choice in chosen.items():
        reached = [torch.inf] * TEST_SEEDS
        if choice:
            at = wanted.index(choice.rate)
            reached = first_step(test.steps, test.accuracy[:, at], target).tolist()
        row["targets"].append(
            {
                "accuracy": target,
                "tuned": _json(_medians(first[target])),
                "chosen": choice and choice._asdict(),
                "first": _json(reached),
            }
        )
    row["final"] = _medians(tuning.accuracy[-1])
    return row | {"cpu seconds": time.process_time() - start}


def _medians(values: Tensor) -> list[float]:
    return values.double().quantile(0.5, dim=1, interpolation="midpoint").tolist()


def _json(values: Sequence[float]) -> list[float | None]:
    """JSON has no infinity; None stands for it, and for the NaN of a midpoint of two of them."""
    return [value if np.isfinite(value) else None for value in values]


def recorded_arms() -> tuple[dict[Setting, Arm], str]:
    """The table as recorded on a CPU, and where it comes from."""
    entry = recorded.on("half_the_time", "cpu")
    return {Setting(**row["setting"]): _arm(row) for row in entry["arms"]}, recorded.origin(entry)


def _arm(row: dict) -> Arm:
    by_target = {entry["accuracy"]: entry for entry in row["targets"]}

    def steps(key: str) -> dict[float, np.ndarray]:
        values = {t: [torch.inf if v is None else v for v in e[key]] for t, e in by_target.items()}
        return {target: np.array(value, dtype=float) for target, value in values.items()}

    chosen = {t: e["chosen"] and Choice(**e["chosen"]) for t, e in by_target.items()}
    return Arm(row["rates"], steps("tuned"), chosen, steps("first"), np.array(row["final"]))
