"""What a peril is, and the nets that go through it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

Block = Callable[[int, int], nn.Module]
"""``block(in_features, out_features)`` builds a hidden layer up to its activation.

A linear layer followed by its norm, or whatever takes the place of both. A block may have an
attribute ``prepare``, a function of the whole net, for what is to be done once before training.
"""


@dataclass(frozen=True)
class Peril:
    """A failure mode, as an experiment on nets of any block.

    Attributes
    ----------
    name : str
        As a row of a table calls it.
    chapter : int
        Where it is told.
    contract : str
        What it breaks, "C1", "C2" or "C3".
    measure : str
        What `harm` counts, in words.
    unit : str
        The unit of `harm`.
    worth : float
        The smallest harm worth reporting.
    harm : callable
        ``harm(block, seeds, rate=1)``: the harm to one net for each seed, shape (S,); 0 is none.
        ``rate`` multiplies the peril's learning rate, for a block that does not learn at it.
    """

    name: str
    chapter: int
    contract: str
    measure: str
    unit: str
    worth: float
    harm: Callable[..., Tensor]


def classifier(
    block: Block,
    *,
    width: int = 32,
    hidden: int = 2,
    classes: int = 10,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Module:
    """A net for the digits: ``hidden`` blocks, each with its activation, and a linear layer."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise([64] + [width] * hidden):
        layers += [block(fan_in, fan_out), activation()]
    net = nn.Sequential(*layers, nn.Linear(width, classes))
    if hasattr(block, "prepare"):
        block.prepare(net)
    return net


def batch_norm(fan_in: int, fan_out: int) -> nn.Module:
    """Linear, then batch norm."""
    return nn.Sequential(nn.Linear(fan_in, fan_out), nn.BatchNorm1d(fan_out))


def group_norm(fan_in: int, fan_out: int) -> nn.Module:
    """Linear, then group norm in groups of four units."""
    return nn.Sequential(nn.Linear(fan_in, fan_out), nn.GroupNorm(fan_out // 4, fan_out))


def layer_norm(fan_in: int, fan_out: int) -> nn.Module:
    """Linear, then layer norm."""
    return nn.Sequential(nn.Linear(fan_in, fan_out), nn.LayerNorm(fan_out))


def plain(fan_in: int, fan_out: int) -> nn.Module:
    """Linear alone."""
    return nn.Linear(fan_in, fan_out)
