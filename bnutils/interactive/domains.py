"""The figure of chapter 15: slide two domains apart, and watch one stored Gaussian fit neither."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnutils.evidence import interval
from bnutils.interactive.mechanism import float64, show
from bnutils.plots import BLACK, BLUE, GREEN, PURPLE, VERMILION

LABEL = "Two domains, one stored Gaussian"
DESCRIPTION = (
    "B shows the same digits as A, fainter and greyer. Slide the two apart. Which gives way first, "
    "the stored mean or the stored width? Then normalize each batch by its own statistics, as in "
    "training: what does training see of it? All values come from trained nets; all shapes are "
    "drawn equally high."
)
RUNS = ("merged batch", "two passes", "a batch norm per domain")
_RUN_STYLES = {
    RUNS[0]: {"color": GREEN, "marker": "s", "lw": 1.5},
    RUNS[1]: {"color": BLACK, "marker": "o", "lw": 2.2},
    RUNS[2]: {"color": PURPLE, "marker": "D", "lw": 1.5, "ls": "--"},
}


def domains(
    strengths: Sequence[float],
    a,
    b,
    stored_mean: Sequence[float],
    stored_var: Sequence[float],
    accuracy: Mapping[str, np.ndarray],
    *,
    unit_label: str = "one unit\u2019s values",
    eps: float = 1e-5,
    label: str = LABEL,
    description: str = DESCRIPTION,
    static: Figure | None = None,
) -> None:
    """Show one unit in two domains, at every strength of the difference between them.

    Parameters
    ----------
    strengths
        How far domain B is from domain A, increasing: shape (K,), 2 to 12 stops of the dial.
    a, b
        The unit's values before batch norm in each domain, in the net that was trained at each
        strength in two separate passes: shape (K, n), at least 20 examples.
    stored_mean, stored_var
        The unit's stored statistics in these nets: shape (K,).
    accuracy
        Accuracies in evaluation, in per cent, one per seed: for each of "merged batch", "two
        passes" and "a batch norm per domain" an array of shape (K, S), at least 6 seeds. Medians
        and their 95 % intervals are shown.
    unit_label
        What a and b are, in a few words without measured digits; it stands above their picture.
    eps
        The constant under batch norm's root.
    label, description
        Title and explanation, plain text without measured digits.
    static
        The still picture; drawn by :func:`still` unless given. It is closed.

    Raises
    ------
    ValueError
        If shapes do not fit together, the strengths do not increase, a unit is constant in a
        domain, a run is missing, accuracies are not per cent, or any number is NaN or infinite.
    """
    data = _digest(strengths, a, b, stored_mean, stored_var, accuracy, unit_label, eps)
    show(
        "domains",
        data,
        label=label,
        description=description,
        static=still(data) if static is None else static,
        digits=9,
    )


def still(data: Mapping) -> Figure:
    """The same in a still picture: three stops of the dial, and the accuracies at all of them.

    ``data`` is what the living figure draws.
    """
    strengths = data["strengths"]
    stops = sorted({0, len(strengths) // 2, len(strengths) - 1})
    figure = plt.figure(figsize=(8, 4.8), layout="constrained")
    grid = figure.add_gridspec(2, len(stops), height_ratios=(1, 1.2))
    first = None
    for column, stop in enumerate(stops):
        first = ax = figure.add_subplot(grid[0, column], sharex=first, sharey=first)
        _draw_stop(ax, data, stop)
        ax.set_title(f"strength {strengths[stop]:g}")
    first.set_ylim(bottom=0)
    figure.axes[0].legend(loc="upper left", fontsize="small", handlelength=1.2)
    figure.axes[len(stops) // 2].set_xlabel(data["unit"])

    ax = figure.add_subplot(grid[1, :])
    for name, run in data["accuracy"].items():
        style = _RUN_STYLES[name]
        ax.fill_between(strengths, run["low"], run["high"], color=style["color"], alpha=0.15, lw=0)
        ax.plot(strengths, run["median"], label=name, ms=5, **style)
    ax.set(xlabel="strength", ylabel="accuracy in %")
    ax.legend(loc="lower left")
    return figure


def _draw_stop(ax: Axes, data: Mapping, stop: int) -> Axes:
    """Both histograms and the stored Gaussian, each as high as its own Gaussian would be."""
    width = data["bin"]
    for name, colour in (("a", BLUE), ("b", VERMILION)):
        counts = np.asarray(data[name]["counts"][stop])
        mean, sd = data[name]["mean"][stop], data[name]["sd"][stop]
        edges = (np.arange(len(counts) + 1) - len(counts) / 2) * width
        heights = counts / counts.sum() / width
        ax.stairs(
            heights, mean + sd * edges, fill=True, color=colour, alpha=0.35, label=name.upper()
        )
        ax.stairs(heights, mean + sd * edges, color=colour, lw=1.2)
    z = np.linspace(-3.5, 3.5, 141)
    mean, sd = data["stored"]["mean"][stop], math.sqrt(data["stored"]["var"][stop])
    gaussian = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    ax.plot(mean + sd * z, gaussian, color=BLACK, lw=2, label="stored")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)
    return ax


def _digest(strengths, a, b, stored_mean, stored_var, accuracy, unit_label, eps) -> dict:
    """What the figure draws, few numbers instead of many, or an error that says what is wrong."""
    strengths = float64(strengths)
    if strengths.ndim != 1 or not 2 <= len(strengths) <= 12:
        raise ValueError(
            f"strengths have shape {strengths.shape}; give one number per stop of the dial, "
            "shape (K,) with K from 2 to 12"
        )
    stops = len(strengths)
    samples = {"a": float64(a), "b": float64(b)}
    stored = {"stored_mean": float64(stored_mean), "stored_var": float64(stored_var)}
    if missing := [name for name in RUNS if name not in accuracy]:
        raise ValueError(f"accuracy lacks {missing}; it must have {list(RUNS)}")
    if others := [name for name in accuracy if name not in RUNS]:
        raise ValueError(f"accuracy has {others}; it must have {list(RUNS)} and nothing else")
    runs = {f"accuracy[{name!r}]": float64(accuracy[name]) for name in RUNS}

    for name, values in (samples | runs).items():
        if values.ndim != 2 or len(values) != stops:
            what = "example" if name in samples else "seed"
            raise ValueError(
                f"{name} has shape {values.shape}; it must have a row for each of the {stops} "
                f"strengths and a column for each {what}"
            )
    for name, values in stored.items():
        if values.shape != (stops,):
            raise ValueError(
                f"{name} has shape {values.shape}; it must be one number for each of the {stops} "
                "strengths"
            )
    everything = {"strengths": strengths, **samples, **stored, **runs, "eps": float(float64(eps))}
    for name, values in everything.items():
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name} holds NaN or infinity; every number must be finite")

    if np.any(np.diff(strengths) <= 0):
        raise ValueError(
            f"strengths are {strengths.tolist()}; they must increase, one stop after the other"
        )
    for name, values in samples.items():
        if values.shape[1] < 20:
            raise ValueError(
                f"{name} has {values.shape[1]} examples; a histogram needs at least 20"
            )
        if np.any(flat := np.ptp(values, axis=1) == 0):
            raise ValueError(
                f"{name} is constant at strength {strengths[flat.argmax()]:g}: this unit says "
                "nothing there; choose another"
            )
    if np.any(stored["stored_var"] <= 0):
        raise ValueError(
            f"stored_var is {stored['stored_var'].min()} somewhere; it must be positive"
        )
    if eps <= 0:
        raise ValueError(f"eps is {eps}; it must be positive, such as 1e-5")
    for name, values in runs.items():
        if values.min() < 0 or values.max() > 100:
            raise ValueError(f"{name} reaches beyond 0 to 100; it must be in per cent")
        if values.max() <= 1:
            raise ValueError(f"{name} is at most 1; give per cent, not shares: 100 * accuracy")
    if not unit_label.strip():
        raise ValueError("unit_label must say what a and b are, such as 'one unit\u2019s values'")

    bin_width, counts = _histograms(samples)
    return {
        "strengths": strengths,
        "unit": unit_label,
        "eps": float(eps),
        "bin": bin_width,
        **{
            name: {"mean": x.mean(axis=1), "sd": x.std(axis=1), "counts": counts[name]}
            for name, x in samples.items()
        },
        "stored": {"mean": stored["stored_mean"], "var": stored["stored_var"]},
        "accuracy": {
            name: dict(zip(("median", "low", "high"), np.transpose(intervals), strict=True))
            for name, values in zip(RUNS, runs.values(), strict=True)
            for intervals in [[interval(row) for row in values]]
        },
    }


def _histograms(samples: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
    """Counts for every sample and stop, in bins that are equal in units of the stop's own sd.

    Batch norm only shifts and stretches, so one histogram serves before and after it, whatever the
    statistics. The bins are symmetric around the mean and as many as hold every value; their width
    is three quarters of what Scott's rule gives for the smaller sample.
    """
    fewest = min(x.shape[1] for x in samples.values())
    width = float(f"{2.6 * fewest ** (-1 / 3):.2g}")
    z = {
        name: (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
        for name, x in samples.items()
    }
    half = math.floor(max(np.abs(x).max() for x in z.values()) / width) + 1
    edges = width * np.arange(-half, half + 1)
    return width, {
        name: np.stack([np.histogram(row, edges)[0] for row in x]) for name, x in z.items()
    }
