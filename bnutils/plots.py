"""The house style, and the figures that recur.

Every plot function takes an ``Axes`` and returns it. Figures stand on an opaque white card, so that
they read the same on a light and on a dark page. The colours are Okabe and Ito's, which people with
any colour vision tell apart; one meaning keeps one colour through a chapter.
"""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

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


def percentile_tracks(
    ax: Axes, steps: Sequence[int], tracks: np.ndarray, *, label: str, colour: str
) -> Axes:
    """How one unit's distribution moves: its median as a line within a band of percentiles.

    As panels b and c of figure 1 of Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167.

    Parameters
    ----------
    ax : Axes
        Drawn on, and returned.
    steps : sequence of int, shape (T,)
        When the unit was looked at.
    tracks : array, shape (T, 3)
        A lower percentile, the median and an upper percentile at each of these steps, in the units
        of the unit's values.
    label, colour : str
        Of the median; the band has the same colour, fainter.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If ``tracks`` has another shape, or its columns are not in rising order.
    """
    tracks = np.asarray(tracks, dtype=float)
    if tracks.shape != (len(steps), 3):
        raise ValueError(
            f"tracks have shape {tracks.shape}; give three percentiles for each of the "
            f"{len(steps)} steps, shape ({len(steps)}, 3)"
        )
    if (np.diff(tracks, axis=1) < 0).any():
        raise ValueError("the columns of tracks fall; give the lowest percentile first")
    low, median, high = tracks.T
    ax.fill_between(steps, low, high, color=colour, alpha=0.2, lw=0)
    for edge in (low, high):
        ax.plot(steps, edge, color=colour, lw=0.8)
    ax.plot(steps, median, color=colour, label=label)
    return ax


def heat_map(
    ax: Axes,
    percent: np.ndarray,
    columns: Sequence[float | str],
    rows: Sequence[float | str],
) -> Axes:
    """Per cents as a table of coloured cells, from white at 0 to blue at 100, with their numbers.

    Parameters
    ----------
    ax : Axes
        Drawn on, and returned.
    percent : array, shape (R, C)
        From 0 to 100.
    columns : sequence of float or str, shape (C,)
    rows : sequence of float or str, shape (R,)
        From top to bottom.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If ``percent`` has another shape.
    """
    percent = np.asarray(percent, dtype=float)
    if percent.shape != (len(rows), len(columns)):
        raise ValueError(
            f"percent has shape {percent.shape}; it must be ({len(rows)}, {len(columns)}), a row "
            "for each of the rows and a column for each of the columns"
        )
    blues = LinearSegmentedColormap.from_list("blues", ["white", BLUE])
    ax.imshow(percent, cmap=blues, vmin=0, vmax=125, aspect="auto")
    for (row, column), value in np.ndenumerate(percent):
        weight = "bold" if value >= 50 else "normal"
        style = {"ha": "center", "va": "center", "fontsize": 8, "fontweight": weight}
        ax.text(column, row, f"{value:.0f}", color=BLACK, **style)
    for ticks, names in ((ax.set_xticks, columns), (ax.set_yticks, rows)):
        words = [name if isinstance(name, str) else f"{name:g}" for name in names]
        ticks(range(len(names)), words)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    return ax


def _interleaved(n: int) -> np.ndarray:
    """0..n-1 in an order whose neighbours lie far apart, so that equal values do not overlap."""
    steps = np.arange(n) * 0.6180339887 % 1
    return np.argsort(np.argsort(steps))
