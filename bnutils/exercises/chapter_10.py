"""The checks of chapter 10, half the time."""

from collections.abc import Callable, Iterator

import numpy as np

from bnutils.exercises.checking import Property, close, exercise, true


@exercise("10.1", "the step from which a target is kept", answer="function")
def for_good(settled: Callable) -> Iterator[Property]:
    """``settled(steps, accuracy, target)``: the first step after which it is never missed."""
    steps = np.array([0, 10, 20, 30, 40, 50])
    cases = {
        "a curve that climbs once": ([0.1, 0.5, 0.9, 0.92, 0.95, 0.96], 20.0),
        "a curve that falls back once": ([0.1, 0.91, 0.8, 0.9, 0.95, 0.94], 30.0),
        "a curve that is there from the start": ([0.9, 0.9, 0.9, 0.9, 0.9, 0.9], 0.0),
        "a curve that gets there at the last step": ([0.1, 0.9, 0.1, 0.1, 0.1, 0.9], 50.0),
    }
    for name, (accuracy, expected) in cases.items():
        yield close(name, settled(steps.copy(), np.array(accuracy), 0.9), expected)
    for name, accuracy in {
        "a curve that never gets there is given infinity": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        "so is a curve that is not there at the end": [0.1, 0.95, 0.95, 0.95, 0.95, 0.1],
    }.items():
        got = settled(steps.copy(), np.array(accuracy), 0.9)
        yield true(name, got == np.inf, f"expected inf, got {got}")


@exercise("10.2", "a fair ratio", answer="function")
def a_fair_ratio(ratio: Callable) -> Iterator[Property]:
    """``ratio(tuning, test)``: each seed's ratio of steps, each arm at its own best rate.

    Both arguments map "no norm" and "batch norm" to arrays of steps, (rates, seeds).
    """
    inf = np.inf
    tuning = {
        "no norm": np.array([[80, 90, 100], [40, 50, 60], [30, inf, inf]]),
        "batch norm": np.array([[60, 70, 80], [35, 30, 40], [20, 22, 21]]),
    }
    test = {
        "no norm": np.array([[90, 92, 88, 96], [44, 60, 48, 66], [20, 20, 20, 20]]),
        "batch norm": np.array([[60, 66, 64, 62], [10, 10, 10, 10], [22, 20, 24, 22]]),
    }

    def ask() -> object:
        return ratio(*({k: v.copy() for k, v in part.items()} for part in (tuning, test)))

    got = ask()
    yield close("one ratio for each test seed", np.shape(got), (4,))
    yield close(
        "steps without batch norm over steps with it, each arm at its own rate",
        got,
        [2.0, 3.0, 2.0, 3.0],
    )
    # Another seed's fate on the test data must not change which rate is taken.
    test["no norm"][2] = 1
    yield close("the rate does not depend on the test data", ask(), [2.0, 3.0, 2.0, 3.0])
    tuning["batch norm"] = np.array([[60, 70, 80], [35, 30, 40], [36, 32, 41]])
    yield close(
        "the rate does depend on the tuning data",
        ask(),
        [4.4, 6.0, 4.8, 6.6],
    )


@exercise("10.3", "what is saved", answer="function")
def what_is_saved(saved: Callable) -> Iterator[Property]:
    """``saved(ratio, cost)``: the share of the compute that batch norm saves."""
    yield close("half the steps at the same cost save half", saved(2.0, 1.0), 0.5)
    yield close("nothing is saved where the cost eats the gain", saved(1.25, 1.25), 0.0)
    yield close("a quarter more cost, a third of the steps", saved(3.0, 1.2), 0.6)
    yield close("fewer steps can cost more: then it is negative", saved(1.1, 1.32), -0.2)


@exercise("10.4", "batch norm's share of the fourteen", answer="value")
def the_share(answer: object) -> Iterator[Property]:
    """The share of log(31.0 / 2.1) that is log(31.0 / 13.3)."""
    # The table's figures have three digits, so the share has about two.
    yield close(
        "the logarithm of batch norm's factor over that of the whole",
        answer,
        np.log(31.0 / 13.3) / np.log(31.0 / 2.1),
        tolerance=0.005,
    )
