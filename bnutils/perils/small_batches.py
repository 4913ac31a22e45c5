"""Two examples to a normalization, whatever the step (chapter 16)."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from bnutils import data
from bnutils.perils.peril import Block, Peril, classifier
from bnutils.seeds import SGD, Runs, accuracy, cosine, cross_entropy


def in_parts(net: Runs, x: Tensor, y: Tensor, size: int) -> Tensor:
    """The mean loss of a minibatch that passes the net in parts of ``size`` examples.

    Each part is normalized by itself. Without batch norm the loss, and so the step, are those of
    the whole minibatch: only what is normalized together differs.

    Parameters
    ----------
    net : Runs
    x, y : Tensor
        Shapes (S, m, ...) and (S, m); m is a multiple of ``size``, so that examples weigh the same.
    size : int
        Examples in a part.

    Returns
    -------
    Tensor
        Shape (S,).

    Raises
    ------
    ValueError
        If the minibatch does not split into whole parts.
    """
    if x.shape[1] % size:
        raise ValueError(
            f"a minibatch of {x.shape[1]} examples does not split into parts of {size}; make it a "
            "multiple of that"
        )
    parts = zip(x.split(size, 1), y.split(size, 1), strict=True)
    return torch.stack([cross_entropy(net(few), label) for few, label in parts]).mean(0)


def harm(block: Block, seeds: Sequence[int], rate: float = 1) -> Tensor:
    """Points of test accuracy that minibatches lose by passing in pairs, shape (S,).

    The steps are the same in number, and each uses the same sixteen digits.
    """
    return _score(16, block, seeds, rate) - _score(2, block, seeds, rate)


def _score(size: int, block: Block, seeds: Sequence[int], rate: float) -> Tensor:
    images, labels = data.digits()
    # In float32 rounding alone would part nets that differ in nothing else.
    images = images.double()
    splits = data.splits(seeds)
    net = Runs(partial(classifier, block), seeds).double()
    net.fit(
        partial(in_parts, size=size),
        (images[splits.train], labels[splits.train]),
        SGD(lr=0.1 * rate, momentum=0.9),
        steps=150,
        batch_size=16,
        schedule=cosine,
    )
    return 100 * accuracy(net.predict(images[splits.test]), labels[splits.test])


PERIL = Peril(
    name="small batches",
    chapter=16,
    contract="C1",
    measure="test accuracy lost by normalizing two examples at a time, in the same steps",
    unit="points",
    worth=1,
    harm=harm,
)
