"""Statistics that lag behind the weights, after a short training (chapter 17)."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from bnutils import data, statistics
from bnutils.perils.peril import Block, Peril, classifier
from bnutils.seeds import SGD, Runs, accuracy, classify

MOMENTUM = 0.01
"""The weight of one minibatch: the default of Keras and TensorFlow, who call it 0.99."""

STEPS = 20


def set_momentum(net: nn.Module, momentum: float | None) -> None:
    """Let every layer that stores statistics weigh a minibatch by ``momentum``, as torch means it.

    Parameters
    ----------
    net : Module
        An ordinary net, or `bnutils.seeds.Runs`. Nothing happens to one without such a layer.
    momentum : float or None
        From 0, where nothing is ever stored, to 1; None weighs all minibatches alike.

    Raises
    ------
    ValueError
        If ``momentum`` is outside of 0 to 1.
    """
    if momentum is not None and not 0 <= momentum <= 1:
        raise ValueError(f"momentum is {momentum}; it must lie between 0 and 1, or be None")
    for layer in _moving(net):
        layer.momentum = momentum


def harm(block: Block, seeds: Sequence[int], rate: float = 1) -> Tensor:
    """Points of test accuracy that stored statistics lose to re-estimated ones, shape (S,).

    The weights are the same; the statistics are estimated anew on the training images. Exactly 0
    for a block that stores none, or that never changes what it stores.
    """
    images, labels = data.digits()
    rows = data.splits(seeds)
    net = Runs(partial(classifier, block), seeds)
    if not _moving(net):
        return torch.zeros(len(net), dtype=torch.float64)
    set_momentum(net, MOMENTUM)
    net.fit(
        classify,
        (images[rows.train], labels[rows.train]),
        SGD(lr=0.1 * rate, momentum=0.9),
        steps=STEPS,
    )
    x, y = images[rows.test], labels[rows.test]
    before = accuracy(net.predict(x), y)
    statistics.reestimate(net, images[rows.train].to(net.device))
    return 100 * (accuracy(net.predict(x), y) - before)


def _moving(net: nn.Module) -> list[nn.Module]:
    # A frozen layer has statistics too, but no momentum to change them by.
    return [layer for layer in statistics.layers(net).values() if hasattr(layer, "momentum")]


PERIL = Peril(
    name="stale statistics",
    chapter=17,
    contract="C2",
    measure="test accuracy lost by stored statistics to re-estimated ones, after twenty steps",
    unit="points",
    worth=1,
    harm=harm,
)
