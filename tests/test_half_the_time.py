"""Half the time: each arm is what it says, tuned on other data and seeds than it is tested on."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from bnutils import nets, recorded
from bnutils.experiments import half_the_time
from bnutils.experiments.half_the_time import Setting, choose
from bnutils.seeds import Adam
from bnutils.tuning import Sweep, sweep

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


@pytest.mark.parametrize(
    ("changed", "net", "options"),
    [
        ({}, {"init": nets.he}, {}),
        ({"norm": "batch norm"}, {"init": nets.he, "norm": nn.BatchNorm1d}, {}),
        ({"activation": "tanh"}, {"init": nets.he, "activation": nn.Tanh}, {}),
        ({"init": "Xavier"}, {"init": nets.xavier}, {}),
        ({"depth": 3}, {"init": nets.he, "depth": 3}, {}),
        ({"optimizer": "Adam"}, {"init": nets.he}, {"optimizer": Adam}),
        ({"inputs": "as they are"}, {"init": nets.he}, {"standardized": False}),
    ],
)
def test_an_arm_trains_what_its_setting_says(changed, net, options):
    arm = half_the_time.train(PLAIN._replace(**changed), [0.1], [4], steps=2)
    net, options = {"depth": 1} | net, {"standardized": True} | options
    expected = sweep(nets.mlp(**net), [0.1], [4], steps=2, **options)
    torch.testing.assert_close(arm.loss[-1], expected.loss[-1], rtol=0, atol=0)


def test_no_two_of_these_arms_train_the_same():
    changes = [
        {"norm": "batch norm"},
        {"activation": "tanh"},
        {"init": "Xavier"},
        {"depth": 3},
        {"optimizer": "Adam"},
        {"inputs": "as they are"},
        {},
    ]
    arms = [PLAIN._replace(**changed) for changed in changes]
    losses = {half_the_time.train(arm, [0.1], [4], steps=2).loss[-1].item() for arm in arms}
    assert len(losses) == len(arms), "the test above could not tell them apart"


def test_an_arm_trains_for_the_tables_steps_unless_told_otherwise(short):
    assert half_the_time.train(PLAIN, [0.1], [4]).steps == [0, 40]
    assert half_the_time.train(PLAIN, [0.1], [4], steps=2, every=1).steps == [0, 1, 2]


def test_the_rate_that_is_soonest_is_chosen():
    never = torch.inf
    first = torch.tensor([[30.0, 50.0, 40.0], [10.0, 20.0, never], [never, never, 5.0]])
    assert choose([0.1, 1.0, 10.0], first) == (1.0, 1, False)
    assert choose([0.1, 1.0], torch.full((2, 3), never)) is None
    lucky_once = torch.tensor([[5.0, never, never], [never, never, never]])
    assert choose([0.1, 1.0], lucky_once) is None


def test_rates_are_chosen_by_validation_and_steps_counted_on_test(short, monkeypatch):
    asked = []

    def noted(net, rates, run_seeds, *, part="validation", **options):
        asked.append((part, list(rates), run_seeds, options["every"]))
        return sweep(net, rates, run_seeds, part=part, **options)

    monkeypatch.setattr(half_the_time, "sweep", noted)
    row = half_the_time._measure(PLAIN)
    (tuning, rates, tuning_seeds, seldom), (testing, wanted, test_seeds, often) = asked
    assert (tuning, testing) == ("validation", "test")
    assert rates == [0.1, 1.0, 100.0]
    assert not set(tuning_seeds) & set(test_seeds)
    assert wanted == sorted({target["chosen"]["rate"] for target in row["targets"]})
    assert [target["accuracy"] for target in row["targets"]] == half_the_time.TARGETS
    assert (seldom, often) == (half_the_time.TUNING_EVERY, half_the_time.TEST_EVERY)


def curves(*by_rate):
    """What a sweep returns: by rate and seed, the accuracies after 0, 4, 8 and 12 steps."""
    accuracy = torch.tensor(by_rate).permute(2, 0, 1)
    return Sweep([], [0, 4, 8, 12], accuracy, torch.zeros_like(accuracy), None)


def test_each_target_has_its_own_rate(short, monkeypatch):
    quick, slow = [0.1, 0.91, 0.92, 0.93], [0.1, 0.2, 0.9, 0.96]
    bad = [0.1, 0.1, 0.1, 0.1]
    tuning = curves([slow, slow], [quick, quick], [bad, quick])
    test = curves([slow, quick, slow], [quick, slow, bad])
    monkeypatch.setattr(half_the_time, "train", lambda *_, part="", **__: test if part else tuning)
    row = half_the_time._measure(PLAIN)
    to_90, to_95 = row["targets"]
    assert to_90["chosen"] == {"rate": 1.0, "index": 1, "at_edge": False}
    assert to_95["chosen"] == {"rate": 0.1, "index": 0, "at_edge": True}
    assert to_90["tuned"] == [8, 4, None]
    assert to_95["tuned"] == [12, None, None]
    assert to_90["first"] == [4, 8, None]
    assert to_95["first"] == [12, None, 12]
    assert row["final"] == pytest.approx([0.96, 0.93, (0.1 + 0.93) / 2])


def test_an_arm_that_no_rate_brings_to_the_target_is_not_raced(short, monkeypatch):
    bad = [0.1, 0.1, 0.1, 0.1]
    parts = []

    def train(*_, part="validation", **__):
        parts.append(part)
        return curves(*[[bad, bad]] * 3)

    monkeypatch.setattr(half_the_time, "train", train)
    row = half_the_time._measure(PLAIN)
    assert parts == ["validation"]
    assert [target["chosen"] for target in row["targets"]] == [None, None]
    assert [target["first"] for target in row["targets"]] == [[None] * 3] * 2


def test_each_optimizer_has_its_own_rates(short):
    assert half_the_time._measure(PLAIN._replace(optimizer="Adam"))["rates"] == [0.01]
    assert half_the_time._measure(PLAIN)["rates"] == [0.1, 1.0, 100.0]


def test_other_work_keeps_its_threads(short):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        half_the_time._measure(PLAIN._replace(optimizer="Adam"))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_what_is_measured_is_read_again(short, monkeypatch, tmp_path):
    # The deeper net is trained first, and listed second.
    arms = [PLAIN, PLAIN._replace(depth=2, norm="batch norm")]
    found = half_the_time.measure(chosen=arms)
    # As if the two targets had wanted different rates.
    found["arms"][0]["targets"][0]["chosen"] = {"rate": 0.1, "index": 0, "at_edge": True}
    found["arms"][0]["targets"][1]["chosen"] = {"rate": 1.0, "index": 1, "at_edge": False}
    entry = {part: "x" for part in recorded.PARTS} | {"versions": {"torch": "2"}}
    entry |= {"device": {"type": "cpu", "name": "some"}, "date": "2026-11-22"} | found
    path = tmp_path / "half_the_time.json"
    path.write_text(json.dumps({"entries": [entry]}, allow_nan=False))
    monkeypatch.setattr(recorded, "path", lambda name: path)
    read, origin = half_the_time.recorded_arms()
    assert list(read) == arms
    assert "recorded on some" in origin
    for (setting, arm), row in zip(read.items(), found["arms"], strict=True):
        assert row["setting"] == setting._asdict()
        assert "cpu seconds" not in row
        for target in row["targets"]:
            first = [np.inf if step is None else step for step in target["first"]]
            assert arm.first[target["accuracy"]].tolist() == first
            assert arm.chosen[target["accuracy"]]._asdict() == target["chosen"]
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
