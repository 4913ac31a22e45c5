from functools import partial

import pytest
import torch
from torch import nn

from bnutils import data
from bnutils.nets import mlp
from bnutils.seeds import SGD, Adam, Runs, accuracy, classify, cosine
from bnutils.tuning import best, first_step, sweep


@pytest.mark.parametrize("optimizer", [partial(SGD, momentum=0.9), Adam])
def test_each_run_of_a_sweep_is_that_run_alone(optimizer):
    how = {"steps": 6, "batch_size": 24, "schedule": cosine}
    options = how | {"every": 4, "optimizer": optimizer, "part": "test"}
    tried = sweep(mlp(1, width=8), [0.01, 0.1], [5, 6, 7], **options)
    assert tried.steps == [0, 4, 6]
    assert tried.accuracy.shape == tried.loss.shape == (3, 2, 3)
    images, labels = data.digits()
    rows = data.split(6)
    alone = Runs(mlp(1, width=8), [6])
    examples = (images[rows.train][None], labels[rows.train][None])
    alone.fit(classify, examples, optimizer([0.1]), **how)
    expected = accuracy(alone.predict(images[rows.test][None]), labels[rows.test])
    assert tried.accuracy[-1, 1, 1] == expected[0]
    torch.testing.assert_close(tried.loss[-1, 1, 1], alone.loss[0])
    assert tried.loss[0].isnan().all()


def test_the_accuracy_is_that_of_evaluation():
    tried = sweep(mlp(2, norm=nn.BatchNorm1d), [0.1, 1.0], [5, 6], steps=3)
    images, labels = data.digits()
    rows = data.splits([5, 6, 5, 6]).validation
    x, y = images[rows], labels[rows]
    evaluated = accuracy(tried.runs.predict(x), y).unflatten(0, (2, 2))
    assert tried.accuracy[-1].equal(evaluated)
    with torch.no_grad():
        in_training = accuracy(tried.runs.train()(x), y).unflatten(0, (2, 2))
    assert not tried.accuracy[-1].equal(in_training), "the two modes cannot be told apart here"


def test_standardized_images_come_from_each_seeds_own_training_images():
    tried = sweep(mlp(1, width=8), [0.1], [5, 6], steps=3, standardized=True)
    images, labels = data.digits()
    rows = data.split(6)
    train = images[rows.train]
    alone = Runs(mlp(1, width=8), [6])
    examples = (data.standardized(train, train)[None], labels[rows.train][None])
    alone.fit(classify, examples, SGD([0.1]), steps=3)
    torch.testing.assert_close(tried.loss[-1, 0, 1], alone.loss[0])
    x = data.standardized(images[rows.validation], train)
    assert tried.accuracy[-1, 0, 1] == accuracy(alone.predict(x[None]), labels[rows.validation])[0]


def test_the_best_rate_has_the_highest_median_and_of_equals_the_highest_mean():
    rates = [0.1, 1.0, 10.0]
    scores = torch.tensor([[0.9, 0.1, 0.9], [0.9, 0.8, 0.9], [1.0, 0.0, 0.0]])
    assert best(rates, scores) == (1.0, 1, False)
    assert best(rates, scores.flip(0)) == (1.0, 1, False)
    unlucky_once = torch.tensor([[0.7, 0.7, 0.7], [0.9, 0.0, 0.9], [0.8, 0.8, 0.8]])
    assert best(rates, unlucky_once).rate == 1.0
    failed = torch.tensor([[0.1, 0.1], [0.4, 0.6], [-torch.inf, 1.0]])
    assert best(rates, failed).rate == 1.0
    assert best(rates, torch.tensor([[0.5, 0.5], [0.4, 0.7], [0.1, 0.2]])).rate == 1.0


def test_a_winner_at_the_edge_is_flagged():
    assert best([0.1, 1.0], torch.tensor([[0.5], [0.9]])) == (1.0, 1, True)
    assert best([0.1, 1.0], torch.tensor([[0.9], [torch.nan]])) == (0.1, 0, True)


def test_the_first_step_that_reaches_a_target():
    curves = torch.tensor([[0.1, 0.1], [0.95, 0.2], [0.85, 0.3]])
    assert first_step([0, 10, 20], curves, 0.9).tolist() == [10, torch.inf]
    assert first_step([0, 10, 20], curves, 0.3).tolist() == [10, 20]
    exact = torch.tensor([[0.25], [0.5], [0.75]])
    assert first_step([0, 10, 20], exact, 0.5).tolist() == [10], "reaching it is enough"


def test_bad_input_is_told_what_would_be_right():
    with pytest.raises(ValueError, match='part is "tests"; it must be'):
        sweep(mlp(1), [0.1], [1], steps=1, part="tests")
    with pytest.raises(ValueError, match="rates must increase"):
        best([1.0, 0.1], torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        best([0.1, 1.0], torch.zeros(3, 2))


def test_a_step_of_ones_own_is_taken_in_the_place_of_the_usual_one():
    def halved(runs, x, y):
        return classify(runs, x, y) / 2

    slow = sweep(mlp(1, width=8), [0.1], [5], steps=3, step=halved)
    usual = sweep(mlp(1, width=8), [0.05], [5], steps=3)
    torch.testing.assert_close(slow.runs.net[0].weight, usual.runs.net[0].weight)
