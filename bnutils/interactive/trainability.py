"""The figure of chapter 9: which nets train, by learning rate and depth, with and without."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from bnutils import plots
from bnutils.interactive.mechanism import float64, show

LABEL = "Which nets train"
DESCRIPTION = (
    "Each cell is a net, trained at one learning rate: rows are hidden layers, columns learning "
    "rates, the number the median test accuracy over seeds. Guessing gets ten per cent. Choose an "
    "activation and an initialization, then a cell. Which nets have a row without a single good "
    "cell? And what does batch norm add to a row that is good already?"
)


def trainability(
    pairs: Sequence[tuple[str, str]],
    norms: Sequence[str],
    depths: Sequence[int],
    rates: Sequence[float],
    accuracy,
    *,
    start: tuple[int, int, int] = (0, 0, 0),
    label: str = LABEL,
    description: str = DESCRIPTION,
    static: Figure | None = None,
) -> None:
    """Show two maps of test accuracy, one without a norm and one with.

    Parameters
    ----------
    pairs
        Activation and initialization, by name: P of them.
    norms
        What the two maps are called, the one without first: 2 of them.
    depths, rates
        Rows, D of them, and columns, R of them; both increase.
    accuracy
        Test accuracies, one per seed, from 0 to 1: shape (P, 2, D, R, S). The figure shows medians.
    start
        Pair, depth and rate that are chosen at first, by their places.
    label, description
        Title and explanation, plain text without measured digits.
    static
        The still picture; drawn by :func:`still` unless given. It is closed.

    Raises
    ------
    ValueError
        If shapes do not fit together, depths or rates do not increase, accuracies are no shares,
        or the start is not on the map.
    """
    data = _digest(pairs, norms, depths, rates, accuracy, start)
    show(
        "trainability",
        data,
        label=label,
        description=description,
        static=still(data) if static is None else static,
    )


def still(data: Mapping) -> Figure:
    """The same in a still picture: both maps of the pair that is chosen at first."""
    figure, axes = plt.subplots(2, 1, figsize=(7, 4.4), sharex=True, layout="constrained")
    pair = data["start"]["pair"]
    for ax, name, medians in zip(axes, data["norms"], data["median"][pair], strict=True):
        plots.heat_map(ax, medians, data["rates"], data["depths"])
        ax.set(title=f"{name}: test accuracy, %", ylabel="hidden layers")
    axes[1].set_xlabel("learning rate")
    figure.suptitle(", ".join(data["pairs"][pair]))
    return figure


def _digest(pairs, norms, depths, rates, accuracy, start) -> dict:
    """What the figure draws, or an error that says what is wrong."""
    accuracy, depths, rates = float64(accuracy), float64(depths), float64(rates)
    pairs = [[str(name) for name in pair] for pair in pairs]
    if len(norms) != 2 or any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"norms are {list(norms)} and pairs {pairs}; give two norms, and for each pair an "
            "activation and an initialization"
        )
    wanted = (len(pairs), 2, len(depths), len(rates))
    if accuracy.shape[:-1] != wanted or accuracy.ndim != 5 or accuracy.shape[-1] < 1:
        raise ValueError(
            f"accuracy has shape {accuracy.shape}; it must be ({', '.join(map(str, wanted))}, S), "
            "by pair, norm, depth, rate and seed"
        )
    for name, values in {"depths": depths, "rates": rates}.items():
        if len(values) < 2 or np.any(np.diff(values) <= 0) or values[0] <= 0:
            raise ValueError(f"{name} are {values.tolist()}; they must increase from above 0")
    if not np.all((accuracy >= 0) & (accuracy <= 1)):
        raise ValueError("accuracy reaches beyond 0 to 1; give shares, and no NaN")
    places = dict(zip(("pair", "depth", "rate"), map(int, start), strict=True))
    for (name, place), length in zip(
        places.items(), (len(pairs), len(depths), len(rates)), strict=True
    ):
        if not 0 <= place < length:
            raise ValueError(f"start has {name} {place}; it must be from 0 to {length - 1}")
    percent = 100 * accuracy
    return {
        "pairs": pairs,
        "norms": list(norms),
        "depths": depths.astype(int),
        "rates": rates,
        "seeds": accuracy.shape[-1],
        "median": np.median(percent, axis=-1),
        "low": percent.min(axis=-1),
        "high": percent.max(axis=-1),
        "start": places,
    }
