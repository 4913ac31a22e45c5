"""What a machine can do at most, and what that means for a computation.

A computation that moves b bytes and does f operations takes at least b / bandwidth seconds and at
least f / peak. Which of the two is longer depends on f / b alone, its arithmetic intensity, and on
peak / bandwidth, the machine's balance. Drawn over the intensity, the best rate that is possible,
min(peak, intensity * bandwidth), looks like a roof.

Source: Williams, Waterman & Patterson 2009, https://doi.org/10.1145/1498765.1498785.
"""

import statistics
from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes

from bnutils import plots
from bnutils.speed import timing


def bandwidth(device: torch.device | str, numbers: int = 2**25, rounds: int = 5) -> float:
    """Bytes per second that copying a large float32 tensor moves, reading and writing.

    Parameters
    ----------
    device : torch.device or str
    numbers : int
        In the tensor: more than any cache holds.
    rounds : int
        Of which the median is taken.
    """
    source = torch.ones(numbers, device=device)
    target = torch.empty_like(source)
    call = {"copy": lambda: target.copy_(source)}
    seconds = statistics.median(timing.in_turns(call, rounds, device)["copy"])
    return 2 * source.element_size() * numbers / seconds


def peak(
    device: torch.device | str,
    dtype: torch.dtype = torch.float32,
    n: int | None = None,
    rounds: int = 5,
) -> float:
    """Operations per second in a product of two n by n matrices: n^3 multiplications and additions.

    It stands in for the arithmetic that the device can do, since little else does more per byte.

    Parameters
    ----------
    device : torch.device or str
    dtype : torch.dtype
    n : int, optional
        By default 1024 on a CPU and 8192 on a GPU, which would not be busy with less.
    rounds : int
        Of which the median is taken.
    """
    n = n or (8192 if torch.device(device).type == "cuda" else 1024)
    a = torch.ones(n, n, device=device, dtype=dtype)
    out = torch.empty_like(a)
    call = {"product": lambda: torch.mm(a, a, out=out)}
    seconds = statistics.median(timing.in_turns(call, rounds, device)["product"])
    return 2 * n**3 / seconds


def draw(
    ax: Axes,
    peak: float,
    bandwidth: float,
    computations: Mapping[str, tuple[float, float]],
) -> Axes:
    """The roof of a machine, and what some computations reach of it.

    Parameters
    ----------
    ax : Axes
        Drawn on, and returned.
    peak : float
        Operations per second.
    bandwidth : float
        Bytes per second.
    computations : mapping of str to (float, float)
        By name, operations per byte and operations per second.

    Returns
    -------
    Axes
    """
    balance = peak / bandwidth
    intensities = [intensity for intensity, _ in computations.values()]
    x = np.geomspace(min([balance, *intensities]) / 5, max([balance, *intensities]) * 5, 200)
    ax.plot(x, np.minimum(peak, x * bandwidth) / 1e9, color=plots.GREY)
    ax.axvline(balance, color=plots.GREY, ls=":")
    for (name, (intensity, rate)), colour in zip(
        computations.items(), [plots.BLUE, plots.VERMILION, plots.GREEN, plots.PURPLE], strict=False
    ):
        ax.plot([intensity], [rate / 1e9], "o", color=colour, label=name)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="operations per byte",
        ylabel="billion operations per second",
    )
    ax.legend(loc="lower right")
    return ax
