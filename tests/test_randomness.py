"""Every random number follows from one base seed."""

import pytest
import torch

from bnutils.randomness import base_seed, generator, numpy_generator, seeds


def test_base_seed_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("BNUTILS_SEED", raising=False)
    assert base_seed() == 0
    monkeypatch.setenv("BNUTILS_SEED", "12")
    assert base_seed() == 12


@pytest.mark.parametrize("bad", ["-1", "1.5", "", "abc", "²"])
def test_bad_base_seed_says_what_would_be_right(monkeypatch, bad):
    monkeypatch.setenv("BNUTILS_SEED", bad)
    with pytest.raises(ValueError, match="whole number"):
        base_seed()


def test_seeds_depend_on_base_seed_and_purpose_and_extend(monkeypatch):
    monkeypatch.setenv("BNUTILS_SEED", "0")
    first = seeds(32)
    assert len(set(first)) == 32
    assert seeds(8) == first[:8]
    assert not set(seeds(32, "tuning")) & set(first)
    monkeypatch.setenv("BNUTILS_SEED", "1")
    assert not set(seeds(32)) & set(first)
    with pytest.raises(ValueError, match="at least one"):
        seeds(0)


def test_generators_are_reproducible_and_leave_global_state_alone():
    before = torch.get_rng_state()
    a, b = (torch.rand(4, generator=generator(5)) for _ in range(2))
    assert torch.equal(a, b)
    assert (numpy_generator(5).random(4) == numpy_generator(5).random(4)).all()
    assert torch.equal(before, torch.get_rng_state())
