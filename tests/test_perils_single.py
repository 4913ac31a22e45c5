"""One example at a time in training mode: what is computed, and that nothing is left behind."""

import torch
from torch import nn

from bnutils.perils.single import one_by_one
from bnutils.randomness import generator, seeds
from bnutils.seeds import Runs


def some(*shape):
    return torch.randn(*shape, generator=generator(13))


def linear():
    return nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2))


def convolutional():
    norm = nn.BatchNorm2d(4)
    return nn.Sequential(nn.Conv2d(1, 4, 3), norm, nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))


def test_after_a_linear_layer_every_example_gets_the_same_answer():
    runs = Runs(linear, seeds(3, "test"))
    with torch.no_grad():
        runs.net.get_submodule("1").layer.bias.copy_(some(15))
        answers = one_by_one(runs, some(3, 7, 6))
        for run, answer in enumerate(answers):
            net = runs.extract(run)
            expected = net[3](torch.tanh(net[1].bias)).expand(7, 2)
            torch.testing.assert_close(answer, expected)


def test_after_a_convolution_it_is_what_torch_does_with_a_batch_of_one():
    runs, x = Runs(convolutional, seeds(3, "test")), some(3, 7, 1, 6, 6)
    answers = one_by_one(runs, x)
    for run in range(3):
        net = runs.extract(run).train()
        with torch.no_grad():
            expected = torch.cat([net(image.unsqueeze(0)) for image in x[run]])
        torch.testing.assert_close(answers[run], expected)


def test_modes_and_statistics_stay_as_they_were():
    runs = Runs(linear, seeds(2, "test"))
    runs.net.get_submodule("1").eval()
    before = {name: value.clone() for name, value in runs.state_dict().items()}
    one_by_one(runs, some(2, 5, 6))
    assert runs.training
    assert not runs.net.get_submodule("1").training
    for name, value in runs.state_dict().items():
        assert torch.equal(value, before[name])
