"""The registry of perils: each a small experiment that any normalization can be put through.

A chapter shows its peril in full; here stands the same experiment as one function of the *block*
that a net is built of, so that every chapter's controls, and the table of all perils and all
alternatives in chapter 25, ask the same question of batch norm and of what may replace it::

    from bnutils import perils
    harm = perils.two_domains.harm(perils.batch_norm, seeds(16, "two domains"))

One peril, one file; each file ends with the `Peril` that this list collects.
"""

from bnutils.perils import composition, single, small_batches, stale, train_mode, two_domains
from bnutils.perils.alternatives import ALTERNATIVES, DOES_NOT_APPLY
from bnutils.perils.peril import Block, Peril, batch_norm, classifier, group_norm, layer_norm, plain

PERILS: tuple[Peril, ...] = (
    single.PERIL,
    train_mode.PERIL,
    two_domains.PERIL,
    small_batches.PERIL,
    stale.PERIL,
    composition.PERIL,
)

__all__ = [
    "ALTERNATIVES",
    "DOES_NOT_APPLY",
    "PERILS",
    "Block",
    "Peril",
    "batch_norm",
    "classifier",
    "composition",
    "group_norm",
    "layer_norm",
    "plain",
    "single",
    "small_batches",
    "stale",
    "train_mode",
    "two_domains",
]
