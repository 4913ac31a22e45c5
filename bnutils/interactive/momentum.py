"""The figure of chapter 4: turn the dial of the running average, and see how well it follows."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnutils.interactive.mechanism import float64, show
from bnutils.plots import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION

LABEL = "The momentum dial"
DESCRIPTION = (
    "A net in training, and one of its units. Points: the unit\u2019s mean over each minibatch, "
    "the fuller the more it counts in what is stored. Turn the dial, and move the step at which "
    "you stop and evaluate. Which momentum is best if you stop early, say after 10 steps? Which "
    "at the end? Is there one that serves both?"
)


def momentum(
    alphas: Sequence[float],
    steps: Sequence[int],
    batch_means,
    population_means,
    population_sds,
    errors,
    best_errors,
    cumulative_errors=None,
    *,
    start: float = 0.0,
    label: str = LABEL,
    description: str = DESCRIPTION,
    static: Figure | None = None,
) -> None:
    """Show a running average that chases a unit's mean while the net trains.

    Parameters
    ----------
    alphas
        The dial's stops, torch's momentum, increasing and in (0, 1]: shape (K,), 2 to 12 of them.
    steps
        After which training steps the net was evaluated, increasing, from 1 to T: shape (E,).
    batch_means
        The unit's mean over the minibatch of each training step: shape (T,), at most 500 steps.
    population_means, population_sds
        Its mean and standard deviation over all the data, with the weights after each step: (T,).
    errors
        Errors in evaluation, in per cent, with the running averages of each alpha in all layers,
        one per seed: shape (K, E, S). The figure shows medians.
    best_errors
        The same with statistics that were re-estimated after the step: shape (E, S).
    cumulative_errors
        The same with the average of all batches alike, torch's ``momentum=None``: shape (E, S).
        With it the dial has one more stop.
    start
        What the running average starts from.
    label, description
        Title and explanation, plain text without measured digits.
    static
        The still picture; drawn by :func:`still` unless given. It is closed.

    Raises
    ------
    ValueError
        If shapes do not fit together, alphas or steps do not increase or are out of range, errors
        are not per cent, a standard deviation is not positive, or a number is NaN or infinite.
    """
    data = _digest(
        alphas,
        steps,
        batch_means,
        population_means,
        population_sds,
        errors,
        best_errors,
        cumulative_errors,
        start,
    )
    show(
        "momentum",
        data,
        label=label,
        description=description,
        static=still(data) if static is None else static,
        digits=9,
    )


def running_average(values, alpha: float | None, start: float = 0.0) -> np.ndarray:
    """What is stored after each value: ``(1 - alpha) * stored + alpha * value``, from ``start``.

    Without an alpha all values count alike, and the start not at all.
    """
    stored, averages = start, []
    for t, value in enumerate(values, start=1):
        share = 1 / t if alpha is None else alpha
        stored = (1 - share) * stored + share * value
        averages.append(stored)
    return np.array(averages)


def still(data: Mapping) -> Figure:
    """The same in a still picture: three stops of the dial.

    ``data`` is what the living figure draws.
    """
    alphas = [alpha for alpha in data["alphas"] if alpha is not None]
    stops = sorted({0, len(alphas) // 2, len(alphas) - 1})
    colours = dict(zip(stops, [VERMILION, BLUE, ORANGE], strict=False))
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(8, 5.4), sharex=True, layout="constrained")
    t = np.arange(1, len(data["batch"]) + 1)
    upper.plot(t, data["batch"], ".", color=GREY, alpha=0.35, ms=4, label="of each minibatch")
    upper.plot(t, data["mean"], color=BLACK, lw=2, label="of all the data")
    upper.set_ylabel("the unit\u2019s mean")
    for stop in stops:
        stored = running_average(data["batch"], alphas[stop], data["start"])
        for ax, x, y in ((upper, t, stored), (lower, data["steps"], data["errors"][stop])):
            ax.plot(x, y, color=colours[stop], label=f"stored, \u03b1 = {alphas[stop]:g}")
    _draw_best(lower, data)
    for ax in (upper, lower):
        ax.legend(fontsize="small", ncols=2)
    return figure


def _draw_best(ax: Axes, data: Mapping) -> Axes:
    ax.plot(data["steps"], data["best"], color=GREEN, ls="--", label="re-estimated")
    ax.set(yscale="log", xlabel="training step", ylabel="error in evaluation, %")
    marks = [mark for mark in (1, 2, 5, 10, 20, 50, 100) if mark >= 0.8 * np.min(data["best"])]
    ax.set_yticks(marks, marks)
    ax.minorticks_off()
    return ax


def _digest(
    alphas, steps, batch_means, population_means, population_sds, errors, best, cumulative, start
) -> dict:
    """What the figure draws, or an error that says what is wrong."""
    alphas, steps = float64(alphas), float64(steps)
    batch = float64(batch_means)
    if alphas.ndim != 1 or not 2 <= len(alphas) <= 12:
        raise ValueError(
            f"alphas have shape {alphas.shape}; give one number per stop of the dial, shape (K,) "
            "with K from 2 to 12"
        )
    if batch.ndim != 1 or not 2 <= len(batch) <= 500:
        raise ValueError(
            f"batch_means have shape {batch.shape}; give one mean per training step, shape (T,) "
            "with T from 2 to 500"
        )
    if steps.ndim != 1 or len(steps) < 2:
        raise ValueError(f"steps have shape {steps.shape}; give at least two, shape (E,)")
    unit = {
        "population_means": float64(population_means),
        "population_sds": float64(population_sds),
    }
    scores = {"errors": float64(errors), "best_errors": float64(best)}
    if cumulative is not None:
        scores["cumulative_errors"] = float64(cumulative)

    for name, values in unit.items():
        if values.shape != batch.shape:
            raise ValueError(
                f"{name} have shape {values.shape}, batch_means {batch.shape}; both hold one "
                "number per training step"
            )
    for name, values in scores.items():
        wanted = (len(alphas), len(steps)) if name == "errors" else (len(steps),)
        if values.shape[:-1] != wanted or values.ndim != len(wanted) + 1:
            raise ValueError(
                f"{name} have shape {values.shape}; they must have shape "
                f"({', '.join(map(str, wanted))}, S), S being the seeds"
            )
    everything = {"alphas": alphas, "steps": steps, "batch_means": batch, **unit, **scores}
    everything["start"] = float64(start)
    for name, values in everything.items():
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name} holds NaN or infinity; every number must be finite")

    if np.any(np.diff(alphas) <= 0) or alphas[0] <= 0 or alphas[-1] > 1:
        raise ValueError(
            f"alphas are {alphas.tolist()}; they must increase, above 0 and up to 1: torch's "
            "momentum, the weight of the newest batch"
        )
    whole = np.array_equal(steps, np.round(steps))
    if not whole or np.any(np.diff(steps) <= 0) or steps[0] < 1 or steps[-1] > len(batch):
        raise ValueError(
            f"steps are {steps.tolist()}; they must be whole, increase, and lie from 1 to the "
            f"{len(batch)} of batch_means"
        )
    if unit["population_sds"].min() <= 0:
        raise ValueError(
            "population_sds are 0 somewhere: this unit is constant there; choose another"
        )
    for name, values in scores.items():
        if values.min() < 0 or values.max() > 100:
            raise ValueError(f"{name} reach beyond 0 to 100; they must be in per cent")
    if scores["errors"].max() <= 1:
        raise ValueError("errors are at most 1; give per cent, not shares: 100 * error")

    medians = [np.median(row, axis=-1) for row in scores["errors"]]
    stops: list[float | None] = alphas.tolist()
    if cumulative is not None:
        medians.append(np.median(scores["cumulative_errors"], axis=-1))
        stops.append(None)
    return {
        "alphas": stops,
        "steps": steps.astype(int),
        "start": float(everything["start"]),
        "batch": batch,
        "mean": unit["population_means"],
        "sd": unit["population_sds"],
        "errors": np.stack(medians),
        "best": np.median(scores["best_errors"], axis=-1),
    }
