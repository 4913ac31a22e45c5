"""How long calls take, measured so that two of them can be compared.

The calls run in turns, so that a machine that slows down for a while slows all of them down, and
each sample lasts long enough for the clock. A GPU works behind the program's back: a call returns
when the work is queued, not when it is done, so the clock is read only after `synchronize`.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import torch

Call = Callable[[], object]


def in_turns(
    calls: Mapping[str, Call],
    rounds: int = 9,
    device: torch.device | str = "cpu",
    at_least: float = 0.002,
) -> dict[str, list[float]]:
    """Seconds that each call takes, once for every round.

    Parameters
    ----------
    calls : mapping of str to callable
        Functions without arguments. Each runs twice before the clock starts.
    rounds : int
        In every other round the order is reversed.
    device : torch.device or str
        Where the calls work; waited for before the clock is read.
    at_least : float
        Seconds that a sample lasts: a shorter call is repeated within it.

    Returns
    -------
    dict of str to list of float
        Seconds per call, by label.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}; it must be at least 1")
    times: dict[str, list[float]] = {label: [] for label in calls}
    repeats = {}
    for label, call in calls.items():
        call()  # the first call may allocate, choose an algorithm or compile
        once = _seconds(call, 1, device)
        repeats[label] = max(1, round(at_least / max(once, 1e-9)))
    for turn in range(rounds):
        for label in list(calls)[:: -1 if turn % 2 else 1]:
            times[label].append(_seconds(calls[label], repeats[label], device) / repeats[label])
    return times


def ratios(slower: Sequence[float], faster: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest ratio of times that were taken in the same rounds."""
    each = [a / b for a, b in zip(slower, faster, strict=True)]
    return {"median": statistics.median(each), "smallest": min(each), "largest": max(each)}


def synchronize(device: torch.device | str) -> None:
    """Wait until the device has done all that was asked of it; a CPU always has."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def _seconds(call: Call, repeats: int, device: torch.device | str) -> float:
    synchronize(device)
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    synchronize(device)
    return time.perf_counter() - start
