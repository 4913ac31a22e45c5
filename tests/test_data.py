"""The digits, their splits, the order of minibatches, and the domains."""

from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from bnutils import data


def test_the_digits_are_scikit_learns_over_sixteen():
    images, labels = data.digits()
    bunch = load_digits()
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert torch.equal(images * 16, torch.tensor(bunch.data, dtype=torch.float32))
    assert torch.equal(labels, torch.tensor(bunch.target))
    assert images.min() == 0
    assert images.max() == 1


def test_a_caller_who_writes_into_the_digits_spoils_nobody_elses():
    data.digits()[0].fill_(7)
    data.digits()[1].fill_(7)
    images, labels = data.digits()
    assert images.max() == 1
    assert labels.unique().tolist() == list(range(10))


def test_a_split_covers_the_digits_once_in_the_stated_sizes():
    parts = data.split(3)
    assert [len(part) for part in parts] == [1100, 300, 397]
    assert torch.equal(torch.cat(parts).sort().values, torch.arange(1797))


def test_each_part_holds_the_classes_in_proportion():
    _, labels = data.digits()
    share = labels.bincount() / len(labels)
    for part in data.split(11):
        expected = share * len(part)
        # Stratification rounds, and rounding the validation part is done on rounded counts.
        assert (labels[part].bincount() - expected).abs().max() < 1.6


def test_a_split_depends_on_its_seed_alone():
    again, other = data.split(5), data.split(6)
    assert all(torch.equal(a, b) for a, b in zip(data.split(5), again, strict=True))
    assert not torch.equal(again.test, other.test)
    largest = data.split(2**32 - 1)
    assert len(largest.train) == 1100


def test_a_split_that_is_written_to_spoils_no_other():
    first = data.split(5).test[0].clone()
    data.split(5).test[0] = -1
    assert data.split(5).test[0] == data.splits([5]).test[0, 0] == first


def test_splits_stacks_the_split_of_each_seed():
    stacked = data.splits([5, 6])
    for row, seed in enumerate([5, 6]):
        for part, alone in zip(stacked, data.split(seed), strict=True):
            assert torch.equal(part[row], alone)


@given(n=st.integers(2, 40), batch_size=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_minibatches_pass_through_each_order_without_repeats(n, batch_size, seed):
    if batch_size > n:
        with pytest.raises(ValueError, match=rf"batch_size is {batch_size}; .* 1 to the {n} exam"):
            next(data.minibatches(n, batch_size, [seed]))
        return
    per_order = n // batch_size
    drawn = list(islice(data.minibatches(n, batch_size, [seed]), 2 * per_order))
    for order in (drawn[:per_order], drawn[per_order:]):
        seen = torch.cat(order, dim=1)
        assert seen.shape == (1, per_order * batch_size)
        assert seen.unique().numel() == seen.numel()
        assert 0 <= seen.min() <= seen.max() < n


def test_a_runs_minibatches_depend_on_its_own_seed_alone():
    together = list(islice(data.minibatches(100, 32, [1, 2, 3]), 10))
    for run, seed in enumerate([1, 2, 3]):
        alone = list(islice(data.minibatches(100, 32, [seed]), 10))
        assert all(torch.equal(a[run], b[0]) for a, b in zip(together, alone, strict=True))
    assert not torch.equal(together[0][0], together[0][1])
    # The second order is another one.
    assert not torch.equal(together[0], together[3])


def test_no_draw_touches_torchs_global_generator():
    before = torch.get_rng_state()
    next(data.minibatches(10, 2, [0]))
    data.noise(data.permute(torch.zeros(3, 64)))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_affine_domains_are_their_formulas():
    x = torch.tensor([0.0, 0.25, 1.0])
    assert data.contrast(x, 0.5).tolist() == [0, 0.125, 0.5]
    assert data.mix(x, 0.25).tolist() == [0.25, 0.375, 0.75]
    assert torch.equal(data.mix(x, 0), x)
    assert data.offset(x, 1).tolist() == [1, 1.25, 2]
    assert data.invert(x).tolist() == [1, 0.75, 0]


def test_a_strength_may_differ_from_run_to_run():
    x = torch.rand(2, 3, 64, generator=torch.Generator().manual_seed(0))
    strengths = torch.tensor([0.1, 0.4])
    mixed = data.mix(x, strengths.view(2, 1, 1))
    for run, strength in enumerate(strengths):
        assert torch.equal(mixed[run], data.mix(x[run], strength))


def test_rotation_turns_the_image_counterclockwise_and_four_times_is_none():
    image = torch.zeros(8, 8)
    image[0, 7] = 1  # top right
    turned = data.rotate(image.flatten())
    assert turned.view(8, 8)[0, 0] == 1  # top left
    x = torch.rand(2, 3, 64, generator=torch.Generator().manual_seed(0))
    once = data.rotate(x)
    assert not torch.equal(once, x)
    assert torch.equal(data.rotate(data.rotate(data.rotate(once))), x)


def test_the_permutation_is_one_for_all_images_and_loses_none():
    x = torch.arange(128.0).view(2, 64)
    moved = data.permute(x, seed=4)
    assert torch.equal(moved[0] + 64, moved[1])
    assert torch.equal(moved.sort(dim=-1).values, x)
    assert not torch.equal(moved, x)
    assert torch.equal(moved, data.permute(x, seed=4))
    assert not torch.equal(moved, data.permute(x, seed=5))


def test_noise_has_the_stated_deviation_and_follows_its_seed():
    x = torch.zeros(1000, 64)
    drawn = data.noise(x, 0.3, seed=1)
    assert drawn.dtype == x.dtype
    assert drawn.std().item() == pytest.approx(0.3, rel=0.02)
    assert torch.equal(drawn, data.noise(x, 0.3, seed=1))
    assert not torch.equal(drawn, data.noise(x, 0.3, seed=2))


def test_standardized_images_are_centred_and_of_size_1_by_the_training_images_alone():
    g = torch.Generator().manual_seed(0)
    train, x = 3 + 2 * torch.rand(2, 50, 64, generator=g), torch.rand(2, 7, 64, generator=g)
    train[..., 0] = 0.5  # a pixel that is always the same
    itself = data.standardized(train, train)
    torch.testing.assert_close(itself.mean(1), torch.zeros(2, 64), atol=1e-5, rtol=0)
    torch.testing.assert_close(itself.square().mean((1, 2)), torch.ones(2))
    other = data.standardized(x, train)
    assert torch.equal(other[:, :3], data.standardized(x[:, :3], train))
    torch.testing.assert_close(other[1], data.standardized(x[1], train[1]))
    assert other.mean() < -1, "shifted by the mean of x instead of that of train"
