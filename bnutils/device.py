"""The device that the experiments run on."""

import torch


def device() -> torch.device:
    """The first CUDA device where there is one, else the CPU.

    The stored outputs of the book are the CPU's.

    Returns
    -------
    torch.device
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
