"""The map and the rescues: each net is what its name says, and the records are whole."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from bnutils import recorded
from bnutils.experiments import rescues, trainability
from bnutils.experiments.trainability import DEPTHS, PAIRS, RATES
from bnutils.randomness import seeds
from bnutils.seeds import SGD, Adam
from bnutils.tuning import sweep
from tools import record

SMALL = {"depths": [1, 2], "rates": [0.01, 1.0], "steps": 3, "n_seeds": 2}
TWO = [("ReLU", "He"), ("sigmoid", "Xavier")]


def test_a_net_of_the_map_is_what_its_names_say():
    net = trainability.net("sigmoid", "N(0, 0.01²)", 3, "batch norm", width=300)()
    kinds = ["Linear", "BatchNorm1d", "Sigmoid"]
    assert [type(layer).__name__ for layer in net] == [*kinds * 3, "Linear"]
    assert net[3].weight.std().item() == pytest.approx(0.01, rel=0.02)
    plain = trainability.net("tanh", "torch's default", 1, "no norm")()
    assert [type(layer).__name__ for layer in plain] == ["Linear", "Tanh", "Linear"]


@pytest.mark.parametrize(
    "names",
    [("GELU", "He", 3, "no norm"), ("ReLU", "he", 3, "no norm"), ("ReLU", "He", 3, "layer norm")],
)
def test_a_name_that_the_map_does_not_know_is_told(names):
    with pytest.raises(ValueError, match="the map has no .* here; it has '"):
        trainability.net(*names)


def test_the_map_holds_every_net_in_its_place():
    found = trainability.measure(pairs=TWO, **SMALL)
    accuracy = np.array(found["accuracy"])
    assert accuracy.shape == (2, 2, 2, 2, 2)
    assert found["seeds"] == seeds(2, "09 map")
    for p, n, d in np.ndindex(2, 2, 2):
        net = trainability.net(*TWO[p], SMALL["depths"][d], found["norms"][n])
        alone = sweep(net, SMALL["rates"], found["seeds"], steps=3, part="test")
        np.testing.assert_allclose(accuracy[p, n, d], alone.accuracy[-1], atol=1e-4)


def test_the_control_holds_the_nets_without_a_norm_on_standardized_images():
    found = trainability.measure(pairs=TWO, **SMALL)
    control = np.array(found["standardized"])
    assert control.shape == (2, 2, 2, 2)
    options = {"steps": 3, "part": "test", "standardized": True}
    for p, d in np.ndindex(2, 2):
        net = trainability.net(*TWO[p], SMALL["depths"][d], "no norm")
        alone = sweep(net, SMALL["rates"], found["seeds"], **options)
        np.testing.assert_allclose(control[p, d], alone.accuracy[-1], atol=1e-4)
    assert not np.allclose(control, np.array(found["accuracy"])[:, 0])


def test_workers_change_nothing_but_the_seconds():
    options = {**SMALL, "pairs": TWO[:1], "depths": [1]}
    one, two = (trainability.measure(**options, workers=workers) for workers in (1, 2))
    assert {**one, "cpu seconds": 0} == {**two, "cpu seconds": 0}


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Writes records of a repository that is not this one, by the command that does so here."""
    monkeypatch.setattr(recorded, "REPOSITORY", tmp_path)
    (tmp_path / "recorded").mkdir()

    def write(name, found):
        monkeypatch.setitem(record.OF_NETS, name, lambda workers: found)
        path = tmp_path / "recorded" / f"{name}.json"
        assert record.main([name, "--to", str(path)]) == 0
        return path

    return write


def test_what_is_recorded_is_read_again(stored):
    found = trainability.measure(pairs=TWO, **SMALL)
    path = stored("trainability", found)
    read = trainability.recorded_map()
    assert (read.pairs, read.norms) == (TWO, ["no norm", "batch norm"])
    assert (read.depths, read.rates, read.steps) == ([1, 2], [0.01, 1.0], 3)
    np.testing.assert_array_equal(read.accuracy, found["accuracy"])
    np.testing.assert_array_equal(read.standardized, found["standardized"])
    assert f"by python -m tools.record trainability --to {path}" in read.origin


@pytest.mark.parametrize("name", ["accuracy", "standardized"])
def test_a_map_that_does_not_fit_its_own_lists_is_refused(stored, name):
    found = trainability.measure(pairs=TWO, **SMALL)
    path = stored("trainability", found)
    broken = json.loads(path.read_text())
    broken["entries"][0][name] = broken["entries"][0][name][:1]
    path.write_text(json.dumps(broken))
    with pytest.raises(ValueError, match=f"recorded {name} has the shape .*record the map again"):
        trainability.recorded_map()


def test_the_arms_differ_in_what_they_are_called_after():
    arms = rescues.arms("sigmoid", "Xavier", 2)

    def layers(name):
        return [type(layer).__name__ for layer in arms[name].build().modules()]

    assert "LayerNorm" in layers("layer norm")
    assert "GroupNorm" in layers("group norm")
    assert "BatchNorm1d" in layers("batch norm")
    assert "Residual" in layers("skip connections")
    assert layers("as it is") == ["Sequential", "Linear", "Sigmoid", "Linear", "Sigmoid", "Linear"]
    assert arms["as it is"].optimizer is SGD
    assert arms["Adam"].optimizer is arms["Adam, five times the steps"].optimizer is Adam
    assert arms["SGD with momentum"].optimizer([0.1]).momentum == 0.9
    assert arms["the same with a tiny ε"].optimizer([0.1]).eps == rescues.TINY < 1e-12
    lengths = [name for name, arm in arms.items() if arm.steps == 5 * rescues.STEPS]
    more = "five times the steps"
    assert lengths == [more, f"Adam, {more}", "the same with a tiny ε"]
    assert [name for name, arm in arms.items() if arm.standardized] == ["standardized inputs"]
    wide = arms["He's initialization"].build()[2].weight
    assert wide.std().item() == pytest.approx((2 / 32) ** 0.5, rel=0.1)


def test_weights_made_for_the_activation():
    x = torch.rand(50, 64, generator=torch.Generator().manual_seed(0))
    sigmoids = rescues.suited("sigmoid", 6)()(x)
    assert sigmoids.std(0).mean() > 0.05, "examples are not kept apart"
    relu = rescues.suited("ReLU", 6)()
    assert relu[4].weight.std().item() == pytest.approx((2 / 32) ** 0.5, rel=0.1)
    assert isinstance(relu[1], nn.ReLU)


def test_a_rescue_is_chosen_by_validation_and_scored_by_test(monkeypatch):
    asked = []
    monkeypatch.setattr(rescues, "sweep", partial(_sweep, asked))
    monkeypatch.setattr(rescues, "LONGER", 2)
    monkeypatch.setattr(rescues, "STEPS", 2)
    row = rescues._try(("sigmoid, Xavier, 6 layers", "five times the steps"))
    tuning, final = asked
    assert tuning["part"] == "validation"
    assert final["part"] == "test"
    assert final["rates"] == [row["rate"]]
    assert row["rate"] in tuning["rates"]
    assert not set(tuning["seeds"]) & set(final["seeds"])
    assert len(row["accuracy"]) == rescues.TEST_SEEDS
    assert not tuning["standardized"]
    asked.clear()
    rescues._try(("sigmoid, Xavier, 6 layers", "standardized inputs"))
    assert [call["standardized"] for call in asked] == [True, True]


def _sweep(asked, net, rates, of_seeds, *, part="validation", **options):
    given = {"rates": list(rates), "seeds": of_seeds, "part": part}
    asked.append(given | {"standardized": options["standardized"]})
    return sweep(net, rates, of_seeds, part=part, **options)


def test_the_books_own_records_are_whole():
    found = trainability.recorded_map()
    assert (found.pairs, found.depths, found.rates) == (PAIRS, DEPTHS, RATES)
    assert found.accuracy.shape[-1] == found.standardized.shape[-1] >= 4
    rows, _ = rescues.recorded_rescues()
    names = list(rescues.arms("ReLU", "He", 1))
    assert [(row.net, row.arm) for row in rows] == [(n, a) for n in rescues.NETS for a in names]
    assert all(len(row.accuracy) == rescues.TEST_SEEDS for row in rows)
