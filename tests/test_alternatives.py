"""The table of chapter 25: the record is whole, and a cell's verdict is its interval's."""

import json

import numpy as np
import pytest

from bnutils import recorded
from bnutils.experiments import alternatives
from bnutils.experiments.alternatives import Cell
from bnutils.perils import ALTERNATIVES, PERILS


def test_the_record_has_every_peril_for_every_alternative():
    cells, health, origin = alternatives.recorded_table()
    wanted = [(peril.name, name) for peril in PERILS for name in ALTERNATIVES]
    assert [(cell.peril, cell.alternative) for cell in cells] == wanted, (
        "run `python -m tools.record alternatives` again"
    )
    assert [row.alternative for row in health] == list(ALTERNATIVES)
    worth = {peril.name: peril.worth for peril in PERILS}
    for cell in cells:
        assert cell.harm.shape == (alternatives.TABLE_SEEDS,)
        assert np.isfinite(cell.harm).all()
        assert cell.worth == worth[cell.peril]
    for row in health:
        assert np.median(row.accuracy) >= alternatives.HEALTHY
    assert "tools.record alternatives" in origin


def test_the_record_has_every_alternative_on_every_net():
    tuned, _ = alternatives.recorded_nets()
    wanted = [(net, name) for net in alternatives.NETS for name in ALTERNATIVES]
    assert [(t.net, t.alternative) for t in tuned] == wanted
    for t in tuned:
        assert t.accuracy.shape == (alternatives.TEST_SEEDS,)
        assert not t.usable or t.rate in t.usable


def test_the_record_was_made_by_code_that_is_committed():
    assert "changes" not in recorded.on("alternatives", "cpu")["commit"]


@pytest.mark.parametrize(
    ("harm", "verdict"),
    [
        (np.zeros(16), "spared"),
        (np.linspace(-0.4, 0.4, 16), "spared"),
        (np.linspace(4, 6, 16), "harmed"),
        (np.linspace(0, 2, 16), "open"),
        (np.linspace(-6, -4, 16), "gains"),
    ],
)
def test_a_verdict_is_that_of_the_whole_interval(harm, verdict):
    assert Cell("peril", "alternative", 1, 0.5, harm).verdict == verdict


def test_what_does_not_learn_at_the_perils_rate_gets_a_tenth(monkeypatch):
    for name, fewer in {"TUNING_SEEDS": 2, "TABLE_SEEDS": 6}.items():
        monkeypatch.setattr(alternatives, name, fewer)
    monkeypatch.setattr(alternatives, "PERILS", PERILS[:1])
    for name, rate in {"none": 1, "frozen batch norm": 0.1}.items():
        row = alternatives._of_alternative(name)
        assert row["health"]["rate"] == rate
        assert np.median(row["health"]["accuracy"]) >= alternatives.HEALTHY
        (cell,) = row["cells"]
        assert cell["rate"] == rate
        assert len(cell["harm"]) == 6
        json.dumps(row)


def test_rates_are_chosen_on_other_seeds_than_those_reported(monkeypatch):
    monkeypatch.setattr(alternatives, "RATES", [0.03, 0.3])
    monkeypatch.setattr(alternatives, "TUNING_SEEDS", 2)
    monkeypatch.setattr(alternatives, "TEST_SEEDS", 6)
    used = []

    def sweep(build, rates, seeds, **options):
        used.append((tuple(seeds), options.get("part", "validation")))
        return alternatives_sweep(build, rates, seeds, **options)

    alternatives_sweep = alternatives.sweep
    monkeypatch.setattr(alternatives, "sweep", sweep)
    row = alternatives._tune(("2 layers, ReLU", "batch norm"))
    assert row["rate"] == 0.3
    (tuning, first), (test, second) = used
    assert (first, second) == ("validation", "test")
    assert not set(tuning) & set(test)
