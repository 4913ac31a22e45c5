"""One base seed drives every random number of the course.

``BNUTILS_SEED=7 jupyter lab`` reruns a chapter on seeds that nobody has looked at; without the
variable the base seed is 0, the one of the stored outputs. No function touches global state.
"""

import os
from zlib import crc32

import numpy as np
import torch

ENVIRONMENT_VARIABLE = "BNUTILS_SEED"


def base_seed() -> int:
    """The base seed: a whole number from the environment variable ``BNUTILS_SEED``, else 0.

    Raises
    ------
    ValueError
        If the variable holds anything but a whole number that is at least 0.
    """
    text = os.environ.get(ENVIRONMENT_VARIABLE, "0")
    if not (text.isascii() and text.isdigit()):
        raise ValueError(
            f"{ENVIRONMENT_VARIABLE} is {text!r}; it must be a whole number of at least 0, say 7"
        )
    return int(text)


def seeds(n: int, purpose: str = "") -> list[int]:
    """``n`` seeds derived from the base seed, one for each independent run.

    Parameters
    ----------
    n : int
        How many, at least 1.
    purpose : str
        Experiments with another purpose get other, independent seeds: choose learning rates on
        ``seeds(8, "tuning")`` and report on ``seeds(32)``.

    Returns
    -------
    list of int
        Each in [0, 2**32). The first k of ``seeds(n)`` are ``seeds(k)``.
    """
    if n < 1:
        raise ValueError(f"n is {n}; ask for at least one seed")
    root = np.random.SeedSequence([base_seed(), crc32(purpose.encode())])
    return [int(child.generate_state(1)[0]) for child in root.spawn(n)]


def generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch generator on ``device`` that starts at ``seed``."""
    return torch.Generator(device=device).manual_seed(seed)


def numpy_generator(seed: int) -> np.random.Generator:
    """A NumPy generator that starts at ``seed``."""
    return np.random.default_rng(seed)
