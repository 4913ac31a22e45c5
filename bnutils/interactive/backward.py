"""The figure of chapter 3: batch norm's graph, step by step, values forward and gradients back."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnutils.interactive.mechanism import float64, show
from bnutils.plots import BLUE, GREY, VERMILION

LABEL = "Values flow forward, gradients flow back"
DESCRIPTION = (
    "A batch in one unit, an example in each column. Go step by step: first the values come down, "
    "then the gradients go back up. Drag an x in the top row or a dy in the bottom row sideways, "
    "or use the sliders. Can you make the gradients at x add up to anything but 0? And can you "
    "find dy, not all of them 0, of which nothing reaches x?"
)
NODES = ("x", "mu", "c", "q", "v", "a", "s", "r", "xhat", "g", "y")
STEPS = 2 * (len(NODES) - 1)

Flow = dict[str, np.ndarray]


def backward(
    x,
    dy,
    gamma: float = 1.0,
    beta: float = 0.0,
    eps: Sequence[float] = (1.0, 1e-5),
    *,
    label: str = LABEL,
    description: str = DESCRIPTION,
    static: Figure | None = None,
) -> None:
    """Show one unit's minibatch in the graph of batch norm, node by node and back.

    Parameters
    ----------
    x
        The unit's values before batch norm, one per example: shape (m,), 2 to 6 examples.
    dy
        The gradient of the loss with respect to the outputs, shape (m,).
    gamma, beta
        The unit's scale and shift.
    eps
        The constants under the root that the reader can choose from; it begins with the first.
    label, description
        Title and explanation, plain text without measured digits.
    static
        The still picture; drawn by :func:`still` unless given. It is closed.

    Raises
    ------
    ValueError
        If x and dy do not have the same shape (m,), all x are equal, gamma is zero, there is no
        eps or one is not positive, or any number is NaN or infinite.
    """
    data = _checked(x, dy, gamma, beta, eps)
    if static is None:
        static = still(data["x"], data["dy"], gamma, beta, data["eps"][0])
    show("backward", data, label=label, description=description, static=static)


def walk(x, dy, gamma: float, beta: float, eps: float, step: int = STEPS) -> tuple[Flow, Flow]:
    """What is known after so many steps: 10 forward, a node each, then 10 back in reverse.

    Parameters
    ----------
    x, dy
        Values and gradients of the outputs, shape (m,).
    gamma, beta, eps
        The unit's scale, shift, and the constant under the root.
    step
        From 0, where only x and dy are known, to 20, where all is.

    Returns
    -------
    values, gradients : dict of str to array
        By node, shape (m,) or (1,). A gradient is the sum of what has arrived so far; besides the
        nodes there are "gamma" and "beta".
    """
    x, dy = float64(x), float64(dy)
    m = len(x)
    rules = {
        "mu": lambda f: [f["x"].mean()],
        "c": lambda f: f["x"] - f["mu"],
        "q": lambda f: f["c"] ** 2,
        "v": lambda f: [f["q"].mean()],
        "a": lambda f: f["v"] + eps,
        "s": lambda f: np.sqrt(f["a"]),
        "r": lambda f: 1 / f["s"],
        "xhat": lambda f: f["c"] * f["r"],
        "g": lambda f: gamma * f["xhat"],
        "y": lambda f: f["g"] + beta,
    }
    # For each node, what its gradient d hands on to the nodes and parameters that it came from.
    back = {
        "y": lambda f, d: {"g": d, "beta": [d.sum()]},
        "g": lambda f, d: {"xhat": gamma * d, "gamma": [d @ f["xhat"]]},
        "xhat": lambda f, d: {"c": d * f["r"], "r": [d @ f["c"]]},
        "r": lambda f, d: {"s": -d / f["s"] ** 2},
        "s": lambda f, d: {"a": d / (2 * f["s"])},
        "a": lambda f, d: {"v": d},
        "v": lambda f, d: {"q": np.full(m, d[0] / m)},
        "q": lambda f, d: {"c": 2 * f["c"] * d},
        "c": lambda f, d: {"x": d, "mu": [-d.sum()]},
        "mu": lambda f, d: {"x": np.full(m, d[0] / m)},
    }
    values, gradients = {"x": x}, {"y": dy}
    for node in NODES[1 : step + 1]:
        values[node] = np.asarray(rules[node](values))
    returning = NODES[:0:-1]  # y first, mu last
    for node in returning[: max(0, step - len(returning))]:
        for target, share in back[node](values, gradients[node]).items():
            gradients[target] = gradients.get(target, 0) + np.asarray(share)
    return values, gradients


def still(x, dy, gamma: float, beta: float, eps: float) -> Figure:
    """The same in a still picture: every value, and every gradient once it has come back.

    Arguments as in :func:`walk`.
    """
    values, gradients = walk(x, dy, gamma, beta, eps)
    figure, ax = plt.subplots(figsize=(7.2, 5.4), layout="constrained")
    _draw(ax, values, gradients)
    ax.plot([], [], "s", color=BLUE, label="value")
    ax.plot([], [], "s", color=VERMILION, label="gradient of the loss with respect to it")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    return figure


# From top to bottom: what the row is called, and its nodes; those of one number share a row.
_ROWS = (
    ("x", ("x",)),
    ("μ, the mean", ("mu",)),
    ("c = x − μ", ("c",)),
    ("q = c²", ("q",)),
    ("", ("v", "a", "s", "r")),
    ("x̂ = c · r", ("xhat",)),
    ("g = γ x̂", ("g",)),
    ("y = g + β", ("y",)),
)
_SCALARS = {"v": "v, the mean", "a": "a = v + ε", "s": "s = √a", "r": "r = 1 / s", "mu": ""}
_EDGES = (
    ("x", "mu"), ("x", "c"), ("mu", "c"), ("c", "q"), ("q", "v"), ("v", "a"), ("a", "s"),
    ("s", "r"), ("c", "xhat"), ("r", "xhat"), ("xhat", "g"), ("g", "y"),
)  # fmt: skip


def _draw(ax: Axes, values: Flow, gradients: Flow) -> Axes:
    m = len(values["x"])
    places: dict[str, list[tuple[float, float]]] = {}
    for row, (name, nodes) in enumerate(_ROWS):
        ax.text(-0.75, -row, name, ha="right", va="center", color=GREY)
        for k, node in enumerate(nodes):
            middle = (m - 1) / 2 if len(nodes) == 1 else (m - 1) * k / (len(nodes) - 1)
            columns = range(m) if len(values[node]) == m else [middle]
            places[node] = [(column, -row) for column in columns]
    for start, end in _EDGES:
        pairs = (
            zip(places[start], places[end], strict=True)
            if len(places[start]) == len(places[end])
            else [(p, q) for p in places[start] for q in places[end]]
        )
        skips = (start, end) in (("x", "c"), ("c", "xhat"))
        for p, q in pairs:
            bend = "arc3,rad=-0.25" if skips else "arc3"
            arrow = {"arrowstyle": "-", "color": GREY, "lw": 0.7, "connectionstyle": bend}
            ax.annotate("", q, p, arrowprops=arrow | {"alpha": 0.6}, zorder=1)
    box = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": "none"}
    pen = {"ha": "center", "va": "center", "zorder": 3, "bbox": box}
    for node, spots in places.items():
        for i, (column, height) in enumerate(spots):
            value, gradient = _short(values[node][i]), _short(gradients[node][i])
            ax.text(column, height + 0.15, value, color=BLUE, **pen)
            ax.text(column, height - 0.17, gradient, color=VERMILION, weight="bold", **pen)
        if _SCALARS.get(node):
            ax.text(column, height + 0.45, _SCALARS[node], color=GREY, size=8, **pen)
    ax.set(xlim=(-0.6, m - 0.4), ylim=(-len(_ROWS) + 0.5, 0.5))
    ax.axis("off")
    return ax


def _short(value: float) -> str:
    """Two decimals at most, and a true minus sign."""
    text = f"{abs(value):.2f}".rstrip("0").rstrip(".")
    return f"−{text}" if value < 0 and float(text) else text


def _checked(x, dy, gamma, beta, eps) -> dict:
    """The figure's data, or an error that says what is wrong."""
    values, slopes, choices = float64(x), float64(dy), np.atleast_1d(float64(eps))
    if values.ndim != 1 or not 2 <= len(values) <= 6:
        raise ValueError(
            f"x has shape {values.shape}; it must be one unit's values over a minibatch, shape "
            "(m,) with m from 2 to 6, so that all of them can be seen"
        )
    if slopes.shape != values.shape:
        raise ValueError(
            f"dy has shape {slopes.shape}; it must be {values.shape}, a number for each x"
        )
    numbers = {"gamma": float(float64(gamma)), "beta": float(float64(beta))}
    for name, value in {"x": values, "dy": slopes, **numbers, "eps": choices}.items():
        if not np.all(np.isfinite(value)):
            raise ValueError(f"{name} holds NaN or infinity; every number must be finite")
    if np.ptp(values) == 0:
        raise ValueError("all values of x are equal: let at least one differ")
    if numbers["gamma"] == 0:
        raise ValueError("gamma is 0: no gradient would get past it; choose another number")
    if choices.ndim != 1 or len(choices) == 0 or np.any(choices <= 0):
        raise ValueError(f"eps is {eps}; give one or more positive numbers, such as (1.0, 1e-5)")
    return {"x": values, "dy": slopes, **numbers, "eps": choices}
