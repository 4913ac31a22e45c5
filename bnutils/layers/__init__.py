"""Normalization layers, one to a file, with torch's own names, arguments, buffers and keys."""

from bnutils.layers.batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from bnutils.layers.batch_renorm import BatchRenorm1d, relax
from bnutils.layers.cosine_linear import CosineLinear
from bnutils.layers.domain_batch_norm import (
    DomainBatchNorm1d,
    DomainBatchNorm2d,
    DomainBatchNorm3d,
    on_domain,
)
from bnutils.layers.frozen_batch_norm import FrozenBatchNorm1d
from bnutils.layers.ghost_batch_norm import GhostBatchNorm1d
from bnutils.layers.weight_norm_linear import WeightNormLinear

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "BatchRenorm1d",
    "CosineLinear",
    "DomainBatchNorm1d",
    "DomainBatchNorm2d",
    "DomainBatchNorm3d",
    "FrozenBatchNorm1d",
    "GhostBatchNorm1d",
    "WeightNormLinear",
    "on_domain",
    "relax",
]
