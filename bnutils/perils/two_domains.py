"""Two kinds of data in batches of their own through the same norms (chapter 15)."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch import Tensor

from bnutils import data
from bnutils.layers import DomainBatchNorm1d, DomainBatchNorm2d, DomainBatchNorm3d, on_domain
from bnutils.perils.peril import Block, Peril, classifier
from bnutils.seeds import SGD, Runs, accuracy, cosine, cross_entropy
from bnutils.statistics import evaluation

DOMAIN_BATCH_NORMS = (DomainBatchNorm1d, DomainBatchNorm2d, DomainBatchNorm3d)

Forward = Callable[[Runs, Tensor, Tensor], tuple[Tensor, Tensor]]


def merged(net: Runs, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """One pass for a batch of each."""
    out_a, out_b = net(torch.cat([a, b], 1)).split([a.shape[1], b.shape[1]], 1)
    return out_a, out_b


def two_passes(net: Runs, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """A pass each, through the same weights; domain batch norms are told which is which."""
    with _told(net, 0):
        out_a = net(a)
    with _told(net, 1):
        return out_a, net(b)


def _told(net: Runs, domain: int) -> AbstractContextManager:
    """Within the block the domain batch norms of ``net`` belong to ``domain``, if it has any."""
    has_any = any(isinstance(module, DOMAIN_BATCH_NORMS) for module in net.modules())
    return on_domain(net, domain) if has_any else nullcontext()


def harm(block: Block, seeds: Sequence[int], rate: float = 1) -> Tensor:
    """Points of test accuracy that two passes lose to one merged batch, shape (S,)."""
    return _score(merged, block, seeds, rate) - _score(two_passes, block, seeds, rate)


def _score(forward: Forward, block: Block, seeds: Sequence[int], rate: float) -> Tensor:
    images, labels = data.digits()
    # In float32 rounding alone would part group-normalized nets that differ in nothing else.
    images = images.double()
    splits = data.splits(seeds)

    def pairs(rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        a, b = rows[:, : rows.shape[1] // 2], rows[:, rows.shape[1] // 2 :]
        return images[a], labels[a], data.mix(images[b], strength=0.3), labels[b]

    def loss(net: Runs, a: Tensor, label_a: Tensor, b: Tensor, label_b: Tensor) -> Tensor:
        out_a, out_b = forward(net, a, b)
        return (cross_entropy(out_a, label_a) + cross_entropy(out_b, label_b)) / 2

    net = Runs(partial(classifier, block), seeds).double()
    net.fit(
        loss,
        pairs(splits.train),
        SGD(lr=0.05 * rate, momentum=0.9),
        steps=150,
        batch_size=32,
        schedule=cosine,
    )
    a, label_a, b, label_b = pairs(splits.test)
    with torch.no_grad(), evaluation(net):
        out_a, out_b = forward(net, a, b)
    return 50 * (accuracy(out_a, label_a) + accuracy(out_b, label_b))


PERIL = Peril(
    name="two datasets, one network",
    chapter=15,
    contract="C2",
    measure="test accuracy lost by two passes to one merged batch",
    unit="points",
    worth=0.5,
    harm=harm,
)
