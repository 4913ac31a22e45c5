"""The figure of chapter 12: a dial for learning rate times weight decay, and what settles."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from bnutils.interactive.mechanism import float64, show
from bnutils.plots import BLUE, GREEN, GREY, VERMILION

LABEL = "The decay dial"
DESCRIPTION = (
    "Real trainings, recorded above: the length of a layer\u2019s weights, and by how much they "
    "turn in a step. Turn the dial for \u03b7\u03bb, and choose the learning rate \u03b7; the "
    "decay \u03bb follows. What decides the angle in the end, and what the length? How must "
    "\u03b7\u03bb change for the weights to turn half as fast? Which stop has not arrived when the "
    "training ends?"
)


def equilibrium(
    products: Sequence[float],
    rates: Sequence[float],
    steps: Sequence[int],
    lengths,
    angles,
    *,
    label: str = LABEL,
    description: str = DESCRIPTION,
    static: Figure | None = None,
) -> None:
    """Show how the length of weights before batch norm settles, and the angle of each step.

    Parameters
    ----------
    products
        The dial's stops, learning rate times weight decay, increasing: shape (K,), 2 to 12 of them.
    rates
        The learning rates that each of them was run with: shape (J,), 2 to 4 of them. The decay
        is product / rate.
    steps
        After which training steps there is a record, increasing, at least 1: shape (T,).
    lengths
        Of the weights of a layer's units, one per seed: shape (K, J, T, S). The figure shows
        medians over the seeds.
    angles
        By which they turned per step, in radians: shape (K, J, T, S).
    label, description
        Title and explanation, plain text without measured digits.
    static
        The still picture; drawn by :func:`still` unless given. It is closed.

    Raises
    ------
    ValueError
        If shapes do not fit together, products or steps do not increase, a number is not positive,
        or is NaN or infinite.
    """
    data = _digest(products, rates, steps, lengths, angles)
    show(
        "equilibrium",
        data,
        label=label,
        description=description,
        static=still(data) if static is None else static,
        digits=5,
    )


def predicted(product) -> np.ndarray:
    """The angle per step in equilibrium, the root of 2 learning rate times decay, in degrees."""
    return np.degrees(np.sqrt(2 * float64(product)))


def still(data: Mapping) -> Figure:
    """The same in a still picture: three stops of the dial, two learning rates each.

    ``data`` is what the living figure draws.
    """
    products, rates = data["products"], data["rates"]
    stops = sorted({0, len(products) // 2, len(products) - 1})
    colours = dict(zip(stops, [VERMILION, BLUE, GREY], strict=False))
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
    for stop in stops:
        for j, style in zip((0, -1), ("-", "--"), strict=True):
            look = {"color": colours[stop], "ls": style}
            words = f"\u03b7\u03bb = {products[stop]:g}, \u03b7 = {rates[j]:g}"
            left.plot(data["steps"], data["lengths"][stop][j], label=words, **look)
            right.plot(data["steps"], data["angles"][stop][j], **look)
        right.axhline(predicted(products[stop]), color=GREEN, lw=0.8)
    right.plot([], [], color=GREEN, lw=0.8, label=r"$\sqrt{2\eta\lambda}$")
    for ax, name in ((left, "length of a unit\u2019s weights"), (right, "angle per step, degrees")):
        ax.set(xlabel="training step", ylabel=name, yscale="log")
    left.set_ylim(top=3 * np.max(data["lengths"]))  # room for the legend
    left.legend(fontsize="x-small", ncols=2, loc="upper right")
    right.legend(fontsize="small")
    return figure


def _digest(products, rates, steps, lengths, angles) -> dict:
    """What the figure draws, or an error that says what is wrong."""
    given = {"products": products, "rates": rates, "steps": steps}
    given |= {"lengths": lengths, "angles": angles}
    arrays = {name: float64(values) for name, values in given.items()}
    products, rates, steps = (arrays[name] for name in ("products", "rates", "steps"))
    for name, fewest, most in (("products", 2, 12), ("rates", 2, 4), ("steps", 2, 500)):
        shape = arrays[name].shape
        if len(shape) != 1 or not fewest <= shape[0] <= most:
            raise ValueError(f"{name} have shape {shape}; give {fewest} to {most} numbers in a row")
    wanted = (len(products), len(rates), len(steps))
    for name in ("lengths", "angles"):
        shape = arrays[name].shape
        if shape[:-1] != wanted or len(shape) != 4:
            raise ValueError(
                f"{name} have shape {shape}; they must have shape "
                f"({', '.join(map(str, wanted))}, S), S being the seeds"
            )
    for name, values in arrays.items():
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name} holds NaN or infinity; every number must be finite")
        if values.min() <= 0:
            raise ValueError(f"{name} holds {values.min():g}; every number must be above 0")
    for name in ("products", "steps"):
        if np.any(np.diff(arrays[name]) <= 0):
            raise ValueError(f"{name} are {arrays[name].tolist()}; they must increase")
    if not np.array_equal(steps, np.round(steps)):
        raise ValueError(f"steps are {steps.tolist()}; they must be whole")
    if arrays["angles"].max() > np.pi:
        raise ValueError("angles are above \u03c0; they must be in radians")
    return {
        "products": products,
        "rates": rates,
        "steps": steps.astype(int),
        "lengths": np.median(arrays["lengths"], axis=-1),
        "angles": np.degrees(np.median(arrays["angles"], axis=-1)),
    }
