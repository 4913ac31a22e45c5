"""Half the time: each arm is what it says, tuned on other data and seeds than it is tested on."""

import json

import numpy as np
import pytest
import torch

from bnutils import recorded
from bnutils.experiments import half_the_time
from bnutils.experiments.half_the_time import Setting, choose
from bnutils.tuning import sweep

PLAIN = Setting("ReLU", "He", 1, "SGD", "standardized", "no norm")


@pytest.fixture
def short(monkeypatch):
    """Few steps, rates and seeds."""
    short = {"STEPS": 40, "TUNING_SEEDS": 2, "TEST_SEEDS": 3}
    for name, value in short.items():
        monkeypatch.setattr(half_the_time, name, value)
    monkeypatch.setattr(half_the_time, "RATES", {"SGD": [0.1, 1.0, 100.0], "Adam": [0.01]})


def test_the_table_pairs_each_arm_with_its_control():
    arms = half_the_time.settings()
    assert len(set(arms)) == len(arms) == 76
    for norm, other in (("no norm", "batch norm"), ("batch norm", "no norm")):
        assert all(arm._replace(norm=other) in arms for arm in arms if arm.norm == norm)
    assert all(arm._replace(inputs=i) in arms for arm in arms for i in half_the_time.INPUTS)
    assert {arm.optimizer for arm in arms} == set(half_the_time.OPTIMIZERS)


def test_an_arm_trains_what_its_setting_says(short):
    trained = half_the_time.train(PLAIN._replace(norm="batch norm"), [0.1], [4], steps=2)
    names = [type(layer).__name__ for layer in trained.runs.extract(0)]
    assert names == ["Linear", "BatchNorm1d", "ReLU", "Linear"]
    for changed in (PLAIN._replace(inputs="as they are"), PLAIN._replace(optimizer="Adam")):
        losses = [half_the_time.train(one, [0.1], [4], steps=2).loss for one in (PLAIN, changed)]
        assert losses[0][-1] != losses[1][-1]
    assert half_the_time.train(PLAIN, [0.1], [4]).steps == [0, 40]


def test_the_rate_that_is_soonest_is_chosen():
    never = torch.inf
    first = torch.tensor([[30.0, 50.0, 40.0], [10.0, 20.0, never], [never, never, 5.0]])
    assert choose([0.1, 1.0, 10.0], first) == (1.0, 1, False)
    assert choose([0.1, 1.0], torch.full((2, 3), never)) is None


def test_rates_are_chosen_by_validation_and_steps_counted_on_test(short, monkeypatch):
    asked = []

    def noted(net, rates, run_seeds, *, part="validation", **options):
        asked.append((part, list(rates), run_seeds))
        return sweep(net, rates, run_seeds, part=part, **options)

    monkeypatch.setattr(half_the_time, "sweep", noted)
    row = half_the_time._measure(PLAIN)
    (tuning, rates, tuning_seeds), (testing, wanted, test_seeds) = asked
    assert (tuning, testing) == ("validation", "test")
    assert rates == [0.1, 1.0, 100.0]
    assert not set(tuning_seeds) & set(test_seeds)
    assert wanted == sorted({target["chosen"]["rate"] for target in row["targets"]})
    assert [target["accuracy"] for target in row["targets"]] == half_the_time.TARGETS


def test_what_is_measured_is_read_again(short, monkeypatch, tmp_path):
    arms = [PLAIN, PLAIN._replace(norm="batch norm")]
    found = half_the_time.measure(chosen=arms)
    entry = {part: "x" for part in recorded.PARTS} | {"versions": {"torch": "2"}}
    entry |= {"device": {"type": "cpu", "name": "some"}, "date": "2026-11-22"} | found
    path = tmp_path / "half_the_time.json"
    path.write_text(json.dumps({"entries": [entry]}, allow_nan=False))
    monkeypatch.setattr(recorded, "path", lambda name: path)
    read, origin = half_the_time.recorded_arms()
    assert list(read) == arms
    assert "recorded on some" in origin
    for arm in read.values():
        assert arm.rates == [0.1, 1.0, 100.0]
        assert arm.final.shape == (3,)
        assert arm.tuned[0.9].shape == (3,)
        assert arm.tuned[0.9][2] == np.inf, "a rate of 100 trains"
        assert arm.first[0.9].shape == (3,)
        assert (arm.first[0.9] <= arm.first[0.95]).all() or arm.chosen[0.9] != arm.chosen[0.95]


def test_the_books_own_record_is_whole():
    arms, _ = half_the_time.recorded_arms()
    assert list(arms) == half_the_time.settings()
    for setting, arm in arms.items():
        assert arm.rates == half_the_time.RATES[setting.optimizer]
        for target in half_the_time.TARGETS:
            assert arm.first[target].shape == (half_the_time.TEST_SEEDS,)
            choice = arm.chosen[target]
            assert choice is None or arm.rates[choice.index] == choice.rate
