"""The checks of chapter 25, the alternatives."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from bnutils import data, perils
from bnutils.exercises.checking import Property, close, exercise, true
from bnutils.randomness import generator, seeds
from bnutils.seeds import SGD, Runs, accuracy, classify, cosine


@exercise("25.1", "what is averaged over", answer="function")
def what_is_averaged_over(averaged_over: Callable) -> Iterator[Property]:
    """``averaged_over(norm, n, c, h, w, groups)``: a count of values."""
    shape = (32, 64, 7, 5)
    x = np.zeros(shape)
    axes = {"batch": (0, 2, 3), "layer": (1, 2, 3), "instance": (2, 3)}
    for norm, over in axes.items():
        expected = x.size // np.sum(x, axis=over).size
        yield close(f"{norm} norm of {shape}", averaged_over(norm, *shape), expected)
    for groups in (1, 4, 64):
        expected = 64 // groups * 35
        got = averaged_over("group", *shape, groups=groups)
        yield close(f"group norm of {shape} in {groups} groups", got, expected)
    yield close("batch norm of a fully connected layer", averaged_over("batch", 32, 64, 1, 1), 32)
    yield close(
        "instance norm of a fully connected layer", averaged_over("instance", 32, 64, 1, 1), 1
    )


@exercise("25.2", "group norm from layer norm", answer="function")
def group_norm_from_layer_norm(group_norm_of: Callable) -> Iterator[Property]:
    """``group_norm_of(x, groups)`` for a tensor (m, units)."""
    x = 3 + 2 * torch.randn(6, 12, generator=generator(25))
    for groups in (1, 3, 4, 6):
        expected = F.group_norm(x, groups)
        name = f"{groups} groups of {12 // groups}, as F.group_norm"
        yield close(name, group_norm_of(x, groups), expected, tolerance=1e-4)
    alone = group_norm_of(x[:1], 3)
    yield close("an example alone gets the same", alone, group_norm_of(x, 3)[:1], tolerance=1e-5)


@exercise("25.3", "the gradients of weight norm", answer="function")
def the_gradients_of_weight_norm(gradients_of: Callable) -> Iterator[Property]:
    """``gradients_of(dw, g, v)``: by length and by direction."""
    rng = np.random.default_rng(25)
    for n, g in ((3, 1.0), (5, 2.5), (5, -0.5)):
        dw, v = rng.standard_normal(n), 3 * rng.standard_normal(n)
        answer = gradients_of(dw, g, v)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            detail = f"expected two things, dg and dv, got {type(answer).__name__}"
            yield Property("it returns dg and dv", False, detail)
            return
        length, direction = torch.tensor(g).double(), torch.tensor(v)
        length.requires_grad_()
        direction.requires_grad_()
        w = length * direction / direction.norm()
        w.backward(torch.tensor(dw))
        case = f"{n} weights, g = {g:g}"
        yield close(f"{case}: dg as autograd has it", answer[0], length.grad)
        yield close(f"{case}: dv as autograd has it", answer[1], direction.grad)


@exercise("25.4", "root mean square norm", answer="function")
def root_mean_square_norm(rms_block: Callable) -> Iterator[Property]:
    """``rms_block(fan_in, fan_out)``: its equation, its accuracy, and two perils."""
    runs = seeds(6, "25.4")
    block = rms_block(8, 6).double()
    x = torch.randn(5, 8, generator=generator(254)).double()
    linear = next((m for m in block.modules() if isinstance(m, torch.nn.Linear)), None)
    if linear is None:
        yield Property("it holds a linear layer", False, "expected an nn.Linear within, found none")
        return
    h = linear(x)
    expected = h / (h.square().mean(1, keepdim=True) + 1e-5).sqrt()
    yield close("it is the formula, with γ = 1", block(x), expected.detach())
    scales = [p for name, p in block.named_parameters() if p.shape == (6,) and p is not linear.bias]
    yield true(
        "γ is a parameter with one value for each unit",
        len(scales) == 1,
        f"expected one parameter of shape (6,) besides the bias, found {len(scales)}",
    )
    with torch.no_grad():
        for scale in scales:
            scale.mul_(2)
    yield close("with γ = 2 it gives twice as much", block(x), 2 * expected.detach())
    images, labels = data.digits()
    rows = data.splits(runs)
    net = Runs(partial(perils.classifier, rms_block), runs)
    examples = (images[rows.train], labels[rows.train])
    net.fit(classify, examples, SGD(0.1, momentum=0.9), steps=150, batch_size=32, schedule=cosine)
    score = 100 * accuracy(net.predict(images[rows.test]), labels[rows.test]).median().item()
    yield true("a net of it learns the digits", score >= 80, f"it reached {score:.0f} %")
    for peril in (perils.train_mode.PERIL, perils.composition.PERIL):
        harm = peril.harm(rms_block, runs).abs().median().item()
        yield true(
            f"spared: {peril.name}",
            harm < peril.worth,
            f"it lost {harm:.1f} points, so something in it looks at the batch",
        )
