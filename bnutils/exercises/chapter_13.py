"""The checks of chapter 13, a batch of one."""

import copy
import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from bnutils.exercises.checking import Property, close, exercise, true
from bnutils.randomness import generator


@exercise("13.1", "one image in training mode", answer="function")
def one_image(alone: Callable) -> Iterator[Property]:
    """``alone(x, weight, bias, eps)`` for one image (C, H, W): the output, (C, H, W)."""
    rng = np.random.default_rng(131)
    weight, bias = rng.uniform(0.5, 2, 3), rng.standard_normal(3)
    for height, width in ((4, 5), (2, 2)):
        x = rng.standard_normal((3, height, width)) * 3 + np.arange(3)[:, None, None]
        for eps in (1e-5, 0.5):
            layer = nn.BatchNorm2d(3, eps=eps, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(weight))
                layer.bias.copy_(torch.tensor(bias))
                expected = layer(torch.tensor(x[None]))[0]
            name = f"{height}×{width} positions, ε = {eps:g}: as torch's batch norm"
            yield close(name, alone(x, weight, bias, eps), expected)
    x = rng.standard_normal((3, 1, 1))
    yield close("one position: β, whatever x is", alone(x, weight, bias, 1e-5), bias[:, None, None])


@exercise("13.2", "what a batch of one can learn", answer="function")
def what_it_can_learn(gradients: Callable) -> Iterator[Property]:
    """``gradients(dy)`` for one example (C,): dx, dγ and dβ, each (C,)."""
    rng = np.random.default_rng(132)
    for channels in (1, 4):
        dy = rng.standard_normal(channels)
        answer = gradients(dy)
        shapes = [np.shape(part) for part in (answer if np.iterable(answer) else [answer])]
        if shapes != [(channels,)] * 3:
            detail = f"got the shapes {shapes}; return three arrays dx, dγ, dβ, each ({channels},)"
            yield Property("the answer is three gradients", False, detail)
            return
        x, weight = torch.tensor(rng.standard_normal((2, channels))).unbind()
        leaves = [x, weight, torch.zeros(channels, dtype=torch.float64)]
        for leaf in leaves:
            leaf.requires_grad_()
        deviation = ((x - x) ** 2 + 1e-5).sqrt()  # the mean of one value is the value
        y = weight * (x - x) / deviation + leaves[2]
        expected = torch.autograd.grad((y * torch.tensor(dy)).sum(), leaves)
        for name, got, right in zip(("dx", "dγ", "dβ"), answer, expected, strict=True):
            yield close(f"{channels} channels, {name}", got, right)


def _linear(norm: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), norm, nn.Tanh(), nn.Linear(8, 2))


def _models() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    """Models by name, in the mode in which they are used, with the shape of an example."""
    convolutional = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2)
    )
    with_a_spare = nn.LayerNorm(8)
    with_a_spare.spare = nn.BatchNorm1d(8)  # no forward pass goes through it
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(133)
        for module in convolutional.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        return {
            "batch norm in evaluation mode": (_linear(nn.BatchNorm1d(8)).eval(), (6,)),
            "layer norm in training mode": (_linear(nn.LayerNorm(8)), (6,)),
            "batch norm in training mode": (_linear(nn.BatchNorm1d(8)), (6,)),
            "a convolution and batch norm in training mode": (convolutional, (1, 6, 6)),
            "layer norm, beside a batch norm that is not used": (_linear(with_a_spare), (6,)),
        }


def _right(model: nn.Module, x: Tensor) -> float:
    model = copy.deepcopy(model)
    with torch.no_grad():
        together = model(x)
        try:
            alone = torch.cat([model(example[None]) for example in x])
        except ValueError:
            return math.inf
    return ((alone - together).abs().max() / together.std()).item()


@exercise("13.3", "the company test", answer="function")
def the_company_test(company_test: Callable) -> Iterator[Property]:
    """``company_test(model, x)`` for a model in the mode in which it is used."""
    for name, (model, shape) in _models().items():
        x = torch.randn(9, *shape, generator=generator(133))
        before = copy.deepcopy(model.state_dict())
        modes = [module.training for module in model.modules()]
        expected = _right(model, x)
        got = company_test(model, x)
        if math.isinf(expected):
            yield true(f"{name}: it refuses, inf", got == math.inf, f"expected inf, got {got}")
        elif expected < 1e-4:
            yield true(f"{name}: 0 up to rounding", abs(got) < 1e-4, f"expected 0, got {got}")
        else:
            yield close(f"{name}: far from 0", got, expected, tolerance=1e-3)
        changed = [k for k, value in model.state_dict().items() if not value.equal(before[k])]
        yield true(
            f"{name}: the model keeps its state",
            not changed and modes == [module.training for module in model.modules()],
            f"the test has changed {', '.join(changed) or 'its mode'}",
        )
