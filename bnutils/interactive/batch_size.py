"""The figure of chapter 2's noise: turn the batch size, and see what real batches make of it."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnutils.interactive.mechanism import float64, show
from bnutils.plots import BLUE, GREEN, VERMILION

LABEL = "The batch-size dial"
DESCRIPTION = (
    "Each point is one batch of digits, seen by one unit: its mean and its standard deviation "
    "above, its largest normalized value below. Turn the batch size; every batch takes in more "
    "images, or lets the last ones go. How far must you turn to halve the width of the cloud? "
    "What stops the points below? Then choose another unit: which of the predictions, in green, "
    "still fit, and what changes all the same?"
)
SIZES = (2, 4, 8, 16, 32, 64, 128, 256)


def batch_size(
    units: Mapping[str, Sequence[float]],
    *,
    seed: int,
    batches: int = 400,
    sizes: Sequence[int] = SIZES,
    start: int = 8,
    eps: float = 1e-5,
    label: str = LABEL,
    description: str = DESCRIPTION,
    static: Figure | None = None,
) -> None:
    """Show how the statistics of many batches scatter, at a batch size that the reader turns.

    Parameters
    ----------
    units
        For each unit, by name, its values before batch norm over the same N images: shape (N,).
        The batches are drawn from these, the same images for every unit.
    seed
        Of the draws, in [0, 2**32).
    batches
        How many are drawn, 20 to 500.
    sizes
        Batch sizes to choose from, increasing, at least two of them, each 2 or more.
    start
        The one that is chosen at first.
    eps
        The constant under the root.
    label, description
        Title and explanation, plain text without measured digits.
    static
        The still picture; drawn by :func:`still` unless given. It is closed.

    Raises
    ------
    ValueError
        If units differ in length, a unit is constant, a number is NaN or infinite, sizes do not
        increase from 2 on, start is none of them, or batches, seed or eps are out of range.
    """
    data = _digest(units, seed, batches, sizes, start, eps)
    show(
        "batch_size",
        data,
        label=label,
        description=description,
        static=still(data) if static is None else static,
    )


def still(data: Mapping) -> Figure:
    """The same in a still picture: the first unit's clouds at four sizes, and all its ceilings."""
    sizes = list(data["sizes"])
    values = data["units"][0]["values"]
    picks = drawn(data["seed"], len(values), data["batches"], sizes[-1])
    figure = plt.figure(figsize=(8, 5.2), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.1])
    chosen = [sizes[i] for i in np.linspace(0, len(sizes) - 1, min(4, len(sizes))).astype(int)]
    clouds = upper.subplots(1, len(chosen), sharex=True, sharey=True, squeeze=False)[0]
    for ax, m in zip(clouds, chosen, strict=True):
        _draw_cloud(ax, *statistics(values, picks[:, :m], data["eps"])[:2], m)
    clouds[0].set_ylabel("batch sd, in σ")
    upper.supxlabel("batch mean minus μ, in σ", fontsize="medium")

    ax = lower.subplots()
    for i, m in enumerate(sizes):
        largest = statistics(values, picks[:, :m], data["eps"])[2]
        beside = i + np.linspace(-0.25, 0.25, len(largest))
        ax.plot(beside, largest, ".", ms=3, color=BLUE, alpha=0.4)
    ceilings = np.sqrt(np.array(sizes) - 1)
    ax.plot(range(len(sizes)), ceilings, color=GREEN, ls="--", label="ceiling √(m−1)")
    ax.set_xticks(range(len(sizes)), sizes)
    ax.set(xlabel="batch size m", ylabel="largest |x̂| of each batch", ylim=(0, None))
    ax.legend()
    return figure


def _draw_cloud(ax: Axes, means, sds, m: int) -> Axes:
    """Batches as points, the predicted noise of their means as a band, the measured as a bar."""
    noise = np.sqrt(np.mean(means**2))
    ax.axvspan(-(m**-0.5), m**-0.5, color=GREEN, alpha=0.15, lw=0)
    ax.axhline(((m - 1) / m) ** 0.5, color=GREEN, ls="--", lw=1)
    ax.plot(means, sds, ".", ms=3, color=BLUE, alpha=0.4)
    ax.plot([-noise, noise], [2.35, 2.35], color=VERMILION, lw=2)
    ax.set(xlim=(-2.5, 2.5), ylim=(0, 2.5), title=f"m = {m}")
    return ax


def drawn(seed: int, images: int, batches: int, longest: int, turn: int = 0) -> np.ndarray:
    """The images that each batch draws, as the figure in the browser draws them.

    The generator is mulberry32, written so that its number ``k`` needs none before it: it is
    short, needs 32 bits only, and comes out the same in JavaScript and in NumPy.

    Parameters
    ----------
    seed
        In [0, 2**32).
    images
        How many there are to draw from, with replacement.
    batches, longest
        The shape of what is returned. A smaller batch is the beginning of a larger one.
    turn
        How often other batches were asked for before.

    Returns
    -------
    ndarray
        Integers from 0 to images - 1, shape (batches, longest).
    """
    k = np.arange(batches * longest, dtype=np.uint32) + np.uint32(turn * batches * longest + 1)
    a = np.uint32(seed) + k * np.uint32(0x6D2B79F5)  # modulo 2**32, as in all that follows
    t = (a ^ (a >> 15)) * (a | 1)
    t ^= t + (t ^ (t >> 7)) * (t | 61)
    bits = t ^ (t >> 14)
    return np.floor(bits / 2**32 * images).astype(int).reshape(batches, longest)


def statistics(values, picks: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the figure shows of each batch.

    Parameters
    ----------
    values
        One unit's values over all images, shape (N,).
    picks
        The images in each batch, shape (batches, m).
    eps
        The constant under the root.

    Returns
    -------
    means, sds, largest : ndarray
        Shape (batches,): the batch's mean less that of all values and its biased standard
        deviation, both divided by the standard deviation of all values; its largest ``|x̂|``.
    """
    values = float64(values)
    x = values[picks]
    centred = x - x.mean(1, keepdims=True)
    variance = np.mean(centred**2, axis=1)
    largest = np.abs(centred).max(1) / np.sqrt(variance + eps)
    sigma = values.std()
    return (x.mean(1) - values.mean()) / sigma, np.sqrt(variance) / sigma, largest


def _digest(units, seed, batches=400, sizes=SIZES, start=8, eps=1e-5) -> dict:
    """What the figure draws from, or an error that says what is wrong."""
    if not units:
        raise ValueError("there are no units; give at least one, such as {'one pixel': values}")
    values = {str(name): float64(each) for name, each in units.items()}
    shapes = {each.shape for each in values.values()}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1 or min(shapes)[0] < 2:
        raise ValueError(
            f"units have the shapes {sorted(shapes)}; each must be (N,), one value for each of "
            "the same N images"
        )
    for name, each in values.items():
        if not np.all(np.isfinite(each)):
            raise ValueError(f"unit {name!r} holds NaN or infinity; every number must be finite")
        if np.ptp(each) == 0:
            raise ValueError(f"unit {name!r} is constant; there is no σ to measure by")
    sizes = float64(sizes)
    if len(sizes) < 2 or sizes[0] < 2 or np.any(np.diff(sizes) <= 0) or np.any(sizes % 1):
        raise ValueError(f"sizes are {sizes.tolist()}; give whole numbers that increase from 2 on")
    if start not in sizes:
        raise ValueError(f"start is {start}; it must be one of the sizes, {sizes.tolist()}")
    if not 20 <= batches <= 500:
        raise ValueError(f"batches is {batches}; from 20 to 500 make a cloud that can be drawn")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed}; it must be in [0, 2**32)")
    if not eps > 0:
        raise ValueError(f"eps is {eps}; it must be positive, such as 1e-5")
    return {
        "units": [{"name": name, "values": each} for name, each in values.items()],
        "sizes": sizes.astype(int),
        "start": int(np.flatnonzero(sizes == start)[0]),
        "batches": int(batches),
        "seed": int(seed),
        "eps": float(eps),
    }
