"""The figure of chapter 2: drag one example of a minibatch, and watch the others' outputs."""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnutils.interactive.mechanism import float64, show
from bnutils.plots import BLUE, GREY, VERMILION

LABEL = "One unit, one minibatch"
DESCRIPTION = (
    "Each line joins an example\u2019s value on the upper axis to its output on the lower one. "
    "Take the large point and drag it sideways. Which other outputs move in train mode, and which "
    "in eval mode? How far out can one output be driven?"
)


def minibatch(
    x,
    running_mean: float,
    running_var: float,
    gamma: float = 1.0,
    beta: float = 0.0,
    eps: float = 1e-5,
    *,
    label: str = LABEL,
    description: str = DESCRIPTION,
    static: Figure | None = None,
) -> None:
    """Show one unit's minibatch, with one example that the reader can drag.

    Parameters
    ----------
    x
        The unit's values before batch norm, one per example: shape (m,), 2 to 64 examples.
    running_mean, running_var
        The unit's stored statistics, used in eval mode.
    gamma, beta, eps
        The unit's scale, shift, and the constant under the root.
    label, description
        Title and explanation, plain text without measured digits.
    static
        The still picture; drawn by :func:`still` unless given. It is closed.

    Raises
    ------
    ValueError
        If x has another shape, or all its values are equal; if running_var is negative, eps is not
        positive, gamma is zero, or any number is NaN or infinite.
    """
    data = _checked(x, running_mean, running_var, gamma, beta, eps)
    show(
        "minibatch",
        data,
        label=label,
        description=description,
        static=still(**data) if static is None else static,
    )


def still(x, running_mean, running_var, gamma=1.0, beta=0.0, eps=1e-5) -> Figure:
    """The same in a still picture: one example moved, in train mode and in eval mode.

    Arguments as in :func:`minibatch`.
    """
    before = np.asarray(x, dtype=float)
    moved = int(before.argmax())
    after = before.copy()
    after[moved] = before.mean() + 5 * before.std()
    stored = (running_mean, running_var)

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for ax, mode in zip(axes, ("train", "eval"), strict=True):
        y_before, y_after = (
            gamma * (v - mean) / math.sqrt(var + eps) + beta
            for v in (before, after)
            for mean, var in [(v.mean(), v.var()) if mode == "train" else stored]
        )
        _draw(ax, before, after, y_before, y_after, moved)
        what = "all outputs move" if mode == "train" else "only its own output moves"
        ax.set_title(f"{mode}: {what}", pad=12)
    return figure


def _draw(ax: Axes, before, after, y_before, y_after, moved: int) -> Axes:
    """Lines from x, on a scale of its own at the top, to y at the bottom."""
    x_low, x_high = before.mean() - 3 * before.std(), before.mean() + 5.5 * before.std()
    y_low, y_high = min(*y_before, -3), max(*y_after, 5.5)
    slope = (y_high - y_low) / (x_high - x_low)

    def place(x):
        return y_low + (x - x_low) * slope

    def value(place):
        return x_low + (place - y_low) / slope

    small, large = 22, 80
    for i, colour in enumerate(VERMILION if i == moved else BLUE for i in range(len(before))):
        size = large if i == moved else small
        ax.plot([place(before[i]), y_before[i]], [1, 0], color=GREY, lw=0.8, ls=":", zorder=1)
        ax.plot([place(after[i]), y_after[i]], [1, 0], color=colour, lw=1, alpha=0.7, zorder=2)
        ax.scatter(y_before[i], 0, s=size, facecolor="white", edgecolor=GREY, zorder=3)
        ax.scatter([place(after[i]), y_after[i]], [1, 0], s=size, color=colour, zorder=4)
    ax.set(xlim=(y_low, y_high), ylim=(0, 1), yticks=[], xlabel="out: normalized, y")
    ax.spines[["left", "right"]].set_visible(False)
    ax.grid(visible=False)
    for artist in (*ax.lines, *ax.collections):
        artist.set_clip_on(False)
    ax.secondary_xaxis("top", functions=(value, place)).set_xlabel("in: the unit\u2019s values x")
    return ax


def _checked(x, running_mean, running_var, gamma, beta, eps) -> dict:
    """The figure's data, or an error that says what is wrong."""
    values = float64(x)
    if values.ndim != 1 or not 2 <= len(values) <= 64:
        raise ValueError(
            f"x has shape {values.shape}; it must be one unit's values over a minibatch, shape "
            "(m,) with m from 2 to 64, such as activations[:, unit]"
        )
    numbers = {
        "running_mean": float(float64(running_mean)),
        "running_var": float(float64(running_var)),
        "gamma": float(float64(gamma)),
        "beta": float(float64(beta)),
        "eps": float(float64(eps)),
    }
    for name, value in {"x": values, **numbers}.items():
        if not np.all(np.isfinite(value)):
            raise ValueError(f"{name} holds NaN or infinity; every number must be finite")
    if np.ptp(values) == 0:
        raise ValueError(
            "all values of x are equal: this unit is constant over the minibatch; choose another"
        )
    if numbers["running_var"] < 0:
        raise ValueError(f"running_var is {running_var}; a variance cannot be negative")
    if numbers["eps"] <= 0:
        raise ValueError(f"eps is {eps}; it must be positive, such as 1e-5")
    if numbers["gamma"] == 0:
        raise ValueError("gamma is 0: every output would equal beta; choose a unit that varies")
    return {"x": values, **numbers}
