"""A batch norm per domain, behind one set of shared weights.

Each domain keeps running statistics of its own, and a weight and bias of its own unless they are
shared. Which domain a forward pass belongs to is said from outside, for the whole net at once:

    with on_domain(net, 1):
        loss = cross_entropy(net(x), y)

Sources: Chang et al. 2019, https://arxiv.org/abs/1906.03950 (own weight and bias); Li et al. 2016,
https://arxiv.org/abs/1603.04779 (shared).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class _DomainBatchNorm(nn.Module):
    """Batch normalization with statistics of its own for every domain.

    1d, 2d and 3d take the inputs that torch's take.

    Parameters
    ----------
    num_features : int
        C, the number of channels.
    domains : int
        How many domains there are.
    shared_affine : bool
        One weight and bias for all domains, so that only the statistics are separate.
    eps, momentum, affine, track_running_stats, device, dtype
        As in ``torch.nn.BatchNorm1d``, for each domain.

    Raises
    ------
    RuntimeError
        When called while no domain is chosen (see `on_domain`): it never guesses.
    """

    # For bnutils.seeds: each channel is on its own, and a position counts like an example.
    per_channel = True
    pools_positions = True

    _layer: type[nn.Module]

    def __init__(
        self,
        num_features: int,
        domains: int = 2,
        shared_affine: bool = False,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        if domains < 1:
            raise ValueError(f"domains is {domains}; there must be at least one")
        options = {"device": device, "dtype": dtype}
        own_affine = affine and not shared_affine
        self.domains = nn.ModuleList(
            self._layer(num_features, eps, momentum, own_affine, track_running_stats, **options)
            for _ in range(domains)
        )
        shared = affine and shared_affine
        ones, zeros = torch.ones(num_features, **options), torch.zeros(num_features, **options)
        self.register_parameter("weight", nn.Parameter(ones) if shared else None)
        self.register_parameter("bias", nn.Parameter(zeros) if shared else None)
        self.domain: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        if self.domain is None:
            raise RuntimeError(
                "no domain is chosen; write `with on_domain(net, 0): net(x)` for the first domain"
            )
        output = self.domains[self.domain](input)
        if self.weight is None:
            return output
        shape = (1, -1) + (1,) * (input.dim() - 2)
        return output * self.weight.view(shape) + self.bias.view(shape)

    def extra_repr(self) -> str:
        return f"domain={self.domain}, shared_affine={self.weight is not None}"


# The three differ in the inputs that they take; their documentation is the one above.


class DomainBatchNorm1d(_DomainBatchNorm):
    _layer = nn.BatchNorm1d


class DomainBatchNorm2d(_DomainBatchNorm):
    _layer = nn.BatchNorm2d


class DomainBatchNorm3d(_DomainBatchNorm):
    _layer = nn.BatchNorm3d


@contextmanager
def on_domain(net: nn.Module, domain: int) -> Iterator[None]:
    """Within the block, all domain batch norms of ``net`` belong to ``domain``.

    Training or evaluation stays as it is: a domain's statistics move in training only. Blocks nest.

    Parameters
    ----------
    net : Module
        A net with at least one domain batch norm.
    domain : int
        From 0 to one less than the number of domains.
    """
    layers = [module for module in net.modules() if isinstance(module, _DomainBatchNorm)]
    if not layers:
        raise ValueError(
            "this net has no domain batch norm; build it with DomainBatchNorm1d, 2d or 3d"
        )
    fewest = min(len(layer.domains) for layer in layers)
    if not 0 <= domain < fewest:
        raise ValueError(f"domain is {domain}; it must be from 0 to {fewest - 1}")
    before = [layer.domain for layer in layers]
    try:
        for layer in layers:
            layer.domain = domain
        yield
    finally:
        for layer, previous in zip(layers, before, strict=True):
            layer.domain = previous
