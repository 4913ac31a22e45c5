"""Normalization layers, one to a file, with torch's own names, arguments, buffers and keys."""

from bnutils.layers.batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from bnutils.layers.batch_renorm import BatchRenorm1d, relax
from bnutils.layers.domain_batch_norm import (
    DomainBatchNorm1d,
    DomainBatchNorm2d,
    DomainBatchNorm3d,
    on_domain,
)
from bnutils.layers.ghost_batch_norm import GhostBatchNorm1d

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "BatchRenorm1d",
    "DomainBatchNorm1d",
    "DomainBatchNorm2d",
    "DomainBatchNorm3d",
    "GhostBatchNorm1d",
    "on_domain",
    "relax",
]
