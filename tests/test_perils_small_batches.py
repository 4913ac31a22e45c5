"""The peril of small batches: only what is normalized together differs in its two trainings."""

from functools import partial

import pytest
import torch

from bnutils import data, perils
from bnutils.perils import small_batches
from bnutils.randomness import seeds
from bnutils.seeds import Runs, classify

RUNS = seeds(3, "test of small batches")


def _loss_and_gradients(block, size):
    images, labels = data.digits()
    rows = data.splits(RUNS).train[:, :16]
    net = Runs(partial(perils.classifier, block), RUNS).double()
    x, y = images[rows].double(), labels[rows]
    loss = small_batches.in_parts(net, x, y, size) if size else classify(net, x, y)
    gradients = torch.autograd.grad(loss.sum(), list(net.parameters()))
    return loss, torch.cat([g.flatten() for g in gradients])


@pytest.mark.parametrize("block", [perils.group_norm, perils.layer_norm, perils.plain])
@pytest.mark.parametrize("size", [1, 2, 8])
def test_without_batch_norm_the_parts_make_the_step_of_the_whole(block, size):
    torch.testing.assert_close(_loss_and_gradients(block, size), _loss_and_gradients(block, None))


def test_one_part_is_the_minibatch():
    whole = _loss_and_gradients(perils.batch_norm, None)
    torch.testing.assert_close(_loss_and_gradients(perils.batch_norm, 16), whole)


def test_with_batch_norm_pairs_make_another_step():
    loss, _ = _loss_and_gradients(perils.batch_norm, 2)
    whole, _ = _loss_and_gradients(perils.batch_norm, None)
    assert ((loss - whole).abs() > 1e-3).all()


@pytest.mark.parametrize("block", [perils.group_norm, perils.layer_norm])
def test_norms_of_one_example_are_spared_as_well(block):
    assert (small_batches.harm(block, RUNS).abs() < 1).all()


def test_unequal_parts_are_an_error():
    with pytest.raises(ValueError, match="16 examples does not split into parts of 3"):
        _loss_and_gradients(perils.plain, 3)
