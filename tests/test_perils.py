"""The registry of perils: every entry runs on any block, harms batch norm, and names its place."""

import pytest
import torch

from bnutils import perils
from bnutils.randomness import seeds
from tools import notebooks


def test_no_peril_is_listed_twice():
    names = [peril.name for peril in perils.PERILS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("peril", perils.PERILS, ids=lambda peril: peril.name)
def test_a_peril_names_an_existing_chapter_and_a_contract(peril):
    assert len(notebooks.find(str(peril.chapter))) == 1
    assert peril.contract in {"C1", "C2", "C3"}
    assert peril.worth > 0


@pytest.mark.parametrize("peril", perils.PERILS, ids=lambda peril: peril.name)
def test_a_peril_harms_batch_norm_and_spares_a_net_without_a_norm(peril):
    runs = seeds(4, "test of perils")
    harm = peril.harm(perils.batch_norm, runs)
    assert harm.shape == (4,)
    assert harm.median() > peril.worth
    assert peril.harm(perils.plain, runs).abs().median() < peril.worth


@pytest.mark.parametrize("peril", perils.PERILS, ids=lambda peril: peril.name)
def test_a_net_suffers_the_same_alone_as_among_others(peril):
    runs = seeds(3, "test of perils")
    among = peril.harm(perils.batch_norm, runs)[1]
    alone = peril.harm(perils.batch_norm, runs[1:2])[0]
    # Rounding may turn an image or two over.
    torch.testing.assert_close(among, alone, atol=peril.worth, rtol=0)
