"""Micro-batches of one class each, their gradients accumulated (chapter 18)."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from bnutils import data
from bnutils.perils.peril import Block, Peril, classifier
from bnutils.seeds import SGD, Runs, accuracy, cosine, cross_entropy

Step = Callable[[Runs, Tensor, Tensor], Tensor]


def one_of_each(rows: Tensor) -> Tensor:
    """The digits in ``rows``, ten to a row: one of each class.

    Parameters
    ----------
    rows : Tensor
        Each run's indices into the digits, shape (S, n): a part of `bnutils.data.splits`.

    Returns
    -------
    Tensor
        Indices of shape (S, k, 10); column c holds digits of class c, each at most once, in the
        order of ``rows``. k is the size of the rarest class of any run; what exceeds it is left
        out.

    Raises
    ------
    ValueError
        If a run lacks a class altogether.
    """
    labels = data.digits()[1]
    by_class = [[run[labels[run] == c] for c in range(10)] for run in rows]
    k = min(len(of_class) for run in by_class for of_class in run)
    if k == 0:
        raise ValueError(
            "a run has no digit of some class; give it at least one of each of the ten"
        )
    columns = [torch.stack([of_class[:k] for of_class in run], dim=1) for run in by_class]
    return torch.stack(columns)


def joined(net: Runs, x: Tensor, y: Tensor) -> Tensor:
    """The loss of one batch; x: (S, m, 10, 64), m digits of each class."""
    return cross_entropy(net(x.flatten(1, 2)), y.flatten(1, 2))


def pure(net: Runs, x: Tensor, y: Tensor) -> Tensor:
    """The same digits in ten passes, each a micro-batch of one class; the mean of their losses."""
    passes = zip(x.unbind(2), y.unbind(2), strict=True)
    return torch.stack([cross_entropy(net(of_class), label) for of_class, label in passes]).mean(0)


def harm(block: Block, seeds: Sequence[int], rate: float = 1) -> Tensor:
    """Points of test accuracy that class-pure micro-batches lose to one batch, shape (S,)."""
    return _score(joined, block, seeds, rate) - _score(pure, block, seeds, rate)


def _score(step: Step, block: Block, seeds: Sequence[int], rate: float) -> Tensor:
    images, labels = data.digits()
    # In float32 rounding alone would part nets that differ in nothing else.
    images = images.double()
    splits = data.splits(seeds)
    train = one_of_each(splits.train)
    net = Runs(partial(classifier, block), seeds).double()
    net.fit(
        step,
        (images[train], labels[train]),
        SGD(lr=0.1 * rate, momentum=0.9),
        steps=80,
        batch_size=8,  # of each class
        schedule=cosine,
    )
    return 100 * accuracy(net.predict(images[splits.test]), labels[splits.test])


PERIL = Peril(
    name="order and composition",
    chapter=18,
    contract="C1",
    measure="test accuracy lost by class-pure micro-batches to the same examples as one batch",
    unit="points",
    worth=0.5,
    harm=harm,
)
