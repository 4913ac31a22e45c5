"""What may take the place of batch norm, as blocks that go through every peril (chapter 25)."""

from torch import Tensor, nn

from bnutils import data, nets, statistics
from bnutils.layers import (
    BatchRenorm1d,
    CosineLinear,
    DomainBatchNorm1d,
    FrozenBatchNorm1d,
    WeightNormLinear,
    relax,
)
from bnutils.perils.peril import Block, batch_norm, group_norm, layer_norm, plain

RELAXED = {"closed": 5, "rmax_at": 40, "dmax_at": 25}
"""When the limits of batch renormalization open: the paper's schedule in a thousandth of its steps,
since these trainings are short."""


def weight_norm(fan_in: int, fan_out: int) -> nn.Module:
    """Linear, with the length and the direction of each row of weights apart."""
    return WeightNormLinear(fan_in, fan_out)


def cosine_norm(fan_in: int, fan_out: int) -> nn.Module:
    """The cosines of the angles between the input and the rows of weights."""
    return CosineLinear(fan_in, fan_out)


def batch_renorm(fan_in: int, fan_out: int) -> nn.Module:
    """Linear, then batch renormalization, whose limits open over its first minibatches."""
    norm = BatchRenorm1d(fan_out)
    norm.register_forward_pre_hook(_relax)
    return nn.Sequential(nn.Linear(fan_in, fan_out), norm)


def _relax(norm: nn.Module, _: tuple) -> None:
    if norm.training:
        relax(norm, norm.num_batches_tracked.item(), **RELAXED)


def domain_batch_norm(fan_in: int, fan_out: int) -> nn.Module:
    """Linear, then a batch norm for each of two domains.

    All data count as the first domain's until `bnutils.layers.on_domain` says otherwise. In a peril
    that has one kind of data it therefore is batch norm.
    """
    norm = DomainBatchNorm1d(fan_out)
    norm.domain = 0
    return nn.Sequential(nn.Linear(fan_in, fan_out), norm)


def frozen_batch_norm(fan_in: int, fan_out: int) -> nn.Module:
    """Linear, then batch norm with fixed statistics, its weight and bias trained.

    The statistics are those of `some_digits` in the untrained net: at the first step it is batch
    norm over these, and from then on an affine map.
    """
    return nn.Sequential(nn.Linear(fan_in, fan_out), FrozenBatchNorm1d(fan_out, after=1))


def fitted_weights(fan_in: int, fan_out: int) -> nn.Module:
    """Linear alone, but scaled and shifted before training, by `bnutils.nets.fitted`."""
    return nn.Linear(fan_in, fan_out)


def some_digits() -> Tensor:
    """Every seventh digit, without its label: what may be looked at before training. (257, 64)."""
    return data.digits()[0][::7]


# In turn, from the first layer to the last, since what the next one sees depends on the one before.
frozen_batch_norm.prepare = lambda net: statistics.reestimate(net, some_digits())
fitted_weights.prepare = lambda net: nets.fitted(lambda: net, some_digits())()


ALTERNATIVES: dict[str, Block] = {
    "batch norm": batch_norm,
    "layer norm": layer_norm,
    "group norm": group_norm,
    "weight norm": weight_norm,
    "cosine norm": cosine_norm,
    "batch renorm": batch_renorm,
    "domain batch norm": domain_batch_norm,
    "frozen batch norm": frozen_batch_norm,
    "none, fitted weights": fitted_weights,
    "none": plain,
}
"""By name, batch norm itself first."""

DOES_NOT_APPLY = {
    "instance norm": "a fully connected unit has one value for each example, and its mean is itself"
}
"""Why an alternative has no block."""
