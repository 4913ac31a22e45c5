"""The house style, and the figures that recur.

Every plot function takes an ``Axes`` and returns it. Figures stand on an opaque white card, so that
they read the same on a light and on a dark page. The colours are Okabe and Ito's, which people with
any colour vision tell apart; one meaning keeps one colour through a chapter.
"""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from bnutils.evidence import interval

BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILION, PURPLE, SKY, GREY = "#D55E00", "#CC79A7", "#56B4E9", "#555555"
BLACK = "#1f2328"

HOUSE_STYLE = {
    "figure.figsize": (6.4, 3.6),
    "figure.dpi": 120,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": mpl.cycler(
        color=[BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY],
    ),
    "grid.color": "#e3e3e3",
    "legend.frameon": False,
    "font.size": 10,
}


def use_house_style() -> None:
    """Make every figure that follows look like the book's."""
    mpl.rcParams.update(HOUSE_STYLE)


def dots(
    ax: Axes,
    groups: Mapping[str, Sequence[float]],
    *,
    colours: Sequence[str] | None = None,
    width: float = 0.5,
) -> Axes:
    """Every seed's value as a dot, with the median and its 95 % interval beside the dots.

    Parameters
    ----------
    ax : Axes
        Drawn on, and returned.
    groups : mapping of str to sequence of float
        Label to one value per seed; a column each, from left to right.
    colours : sequence of str, optional
        One per group; by default the house style's cycle.
    width : float
        Over which a column's dots are spread, in columns.

    Returns
    -------
    Axes
    """
    colours = colours or [f"C{i}" for i in range(len(groups))]
    for column, (values, colour) in enumerate(zip(groups.values(), colours, strict=True)):
        values = np.asarray(values, dtype=float)
        # Spread by rank parity, not by chance: the same picture on every run.
        spread = np.linspace(-width / 2, width / 2, len(values))[_interleaved(len(values))]
        ax.plot(column + spread, values, "o", ms=4, mew=0, alpha=0.45, color=colour)
        estimate, low, high = interval(values)
        ax.vlines(column + width * 0.7, low, high, lw=2, color=colour)
        ax.plot([column + width * 0.7], [estimate], "D", ms=5, color=colour)
    ax.set_xticks(range(len(groups)), groups)
    ax.set_xlim(-0.7, len(groups) - 0.3)
    ax.grid(axis="x", visible=False)
    return ax


def band(ax: Axes, x: Sequence[float], runs: np.ndarray, label: str, colour: str) -> Axes:
    """The median over seeds as a line, and the range from 10 % to 90 % of the seeds as a band.

    Parameters
    ----------
    ax : Axes
        Drawn on, and returned.
    x : sequence of float, shape (T,)
    runs : array, shape (S, T)
        One row per seed.
    label, colour : str

    Returns
    -------
    Axes
    """
    runs = np.asarray(runs, dtype=float)
    if runs.ndim != 2 or runs.shape[1] != len(x):
        raise ValueError(
            f"runs have shape {runs.shape}; give one row per seed and {len(x)} columns, one per x"
        )
    low, middle, high = np.quantile(runs, [0.1, 0.5, 0.9], axis=0)
    ax.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
    ax.plot(x, middle, color=colour, label=label)
    return ax


def _interleaved(n: int) -> np.ndarray:
    """0..n-1 in an order whose neighbours lie far apart, so that equal values do not overlap."""
    steps = np.arange(n) * 0.6180339887 % 1
    return np.argsort(np.argsort(steps))
