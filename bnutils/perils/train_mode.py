"""A trained net that answers in training mode, in small batches (chapter 14)."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from bnutils import data
from bnutils.perils.peril import Block, Peril, classifier
from bnutils.seeds import SGD, Runs, accuracy, classify, cosine

BATCH = 4


def harm(block: Block, seeds: Sequence[int], rate: float = 1) -> Tensor:
    """Points of test accuracy lost by answering in training mode, in batches of four; shape (S,).

    The test images come in the random order of their split, as they would from users. A layer that
    keeps state goes on updating it meanwhile, as it would.
    """
    images, labels = data.digits()
    # In float64, so that rounding cannot part two modes that compute the same function.
    images = images.double()
    rows = data.splits(seeds)
    net = Runs(partial(classifier, block), seeds).double()
    net.fit(
        classify,
        (images[rows.train], labels[rows.train]),
        SGD(lr=0.05 * rate, momentum=0.9),
        steps=150,
        schedule=cosine,
    )
    whole = rows.test.shape[1] // BATCH * BATCH
    x, y = images[rows.test[:, :whole]], labels[rows.test[:, :whole]]

    def score() -> Tensor:
        with torch.no_grad():
            return 100 * accuracy(torch.cat([net(few) for few in x.split(BATCH, 1)], 1), y)

    in_evaluation = score()
    net.train()
    return in_evaluation - score()


PERIL = Peril(
    name="stuck in train mode",
    chapter=14,
    contract="C2",
    measure="test accuracy lost by answering in training mode, in batches of four",
    unit="points",
    worth=1,
    harm=harm,
)
