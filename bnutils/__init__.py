"""Helpers of *The Perils of Batch Norm*: layers and statistics, experiments, and their evidence.

Dependencies run one way: layers and statistics know nothing of experiments, experiments nothing of
chapters. The notebooks sit on top.
"""

from bnutils.device import device

__all__ = ["__version__", "device"]
__version__ = "0.1.0"
