"""The peril of composition: which digits meet in a row, and what both of its steps share."""

from functools import partial

import pytest
import torch

from bnutils import data, perils
from bnutils.perils import composition
from bnutils.randomness import seeds
from bnutils.seeds import Runs

RUNS = seeds(3, "test of composition")
SPLITS = data.splits(RUNS)


def test_each_row_holds_one_digit_of_each_class_and_none_comes_twice():
    rows = composition.one_of_each(SPLITS.train)
    labels = data.digits()[1]
    assert rows.shape[0] == len(RUNS)
    assert (labels[rows] == torch.arange(10)).all()
    for run, given in zip(rows, SPLITS.train, strict=True):
        assert len(run.unique()) == run.numel()
        assert torch.isin(run, given).all()


def test_as_many_rows_as_the_rarest_class_has_digits():
    labels = data.digits()[1]
    counts = torch.stack([labels[run].bincount() for run in SPLITS.train])
    assert composition.one_of_each(SPLITS.train).shape == (len(RUNS), counts.min(), 10)


def test_a_missing_class_is_an_error():
    labels = data.digits()[1]
    no_sevens = torch.arange(len(labels))[labels != 7].unsqueeze(0)
    with pytest.raises(ValueError, match="at least one of each"):
        composition.one_of_each(no_sevens)


@pytest.mark.parametrize("block", [perils.group_norm, perils.layer_norm, perils.plain])
def test_without_batch_norm_both_steps_have_the_same_loss(block):
    joined, pure = _losses(block)
    torch.testing.assert_close(joined, pure)


def test_with_batch_norm_they_differ():
    joined, pure = _losses(perils.batch_norm)
    assert ((joined - pure).abs() > 1e-3).all()


def _losses(block):
    images, labels = data.digits()
    rows = composition.one_of_each(SPLITS.train)[:, :8]
    net = Runs(partial(perils.classifier, block), RUNS).double()
    x, y = images[rows].double(), labels[rows]
    return composition.joined(net, x, y), composition.pure(net, x, y)
