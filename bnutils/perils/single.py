"""Answering one example at a time in the mode that the net was trained in (chapter 13)."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from bnutils import data
from bnutils.perils.peril import Block, Peril, classifier
from bnutils.seeds import SGD, Runs, accuracy, classify, cosine
from bnutils.statistics import evaluation


def harm(block: Block, seeds: Sequence[int], rate: float = 1) -> Tensor:
    """Points of test accuracy lost in training mode, one image at a time, shape (S,)."""
    images, labels = data.digits()
    splits = data.splits(seeds)
    net = Runs(partial(classifier, block), seeds)
    net.fit(
        classify,
        (images[splits.train], labels[splits.train]),
        SGD(lr=0.1 * rate, momentum=0.9),
        steps=150,
        batch_size=32,
        schedule=cosine,
    )
    x, y = images[splits.test], labels[splits.test]
    return 100 * (accuracy(net.predict(x), y) - accuracy(one_by_one(net, x), y))


@torch.no_grad()
def one_by_one(net: Runs, x: Tensor) -> Tensor:
    """What the net answers in training mode when each example is a batch of its own.

    PyTorch refuses to normalize a batch of one. A batch that holds the same example twice has the
    same mean and the same variance, of zero, and so the same answer. The net stays as it is.

    Parameters
    ----------
    net : Runs
    x : Tensor
        Shape (S, B, ...).

    Returns
    -------
    Tensor
        Shape (S, B, outputs).
    """
    kept = [(buffer, buffer.clone()) for buffer in net.buffers()]
    answers = []
    with evaluation(net):  # which puts the modes back
        net.train()
        for i in range(x.shape[1]):
            answers.append(net(x[:, [i, i]])[:, :1])
            for buffer, before in kept:
                buffer.copy_(before)
    return torch.cat(answers, 1)


PERIL = Peril(
    name="a batch of one",
    chapter=13,
    contract="C2",
    measure="test accuracy lost by answering one image at a time in training mode",
    unit="points",
    worth=0.5,
    harm=harm,
)
