"""The checks of chapter 07, on the GPU."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from bnutils.exercises.checking import Property, close, exercise, true
from bnutils.randomness import generator


@exercise("07.1", "bytes of a layer", answer="function")
def bytes_of_a_layer(bytes_moved: Callable) -> Iterator[Property]:
    """``bytes_moved(shape, itemsize)``: bytes of the forward and of the backward pass."""
    for shape, itemsize, words in (
        ((256, 512), 4, "(256, 512) in float32"),
        ((64, 64, 32, 32), 4, "images in float32"),
        ((64, 64, 32, 32), 2, "images in float16"),
    ):
        answer = bytes_moved(shape, itemsize)
        if not (isinstance(answer, tuple | list) and len(answer) == 2):
            detail = f"got {type(answer).__name__}; return forward, backward"
            yield Property("the answer is a pair", False, detail)
            return
        size = int(np.prod(shape)) * itemsize
        # In passes over the tensor, which are small numbers that a learner can recognize.
        yield close(f"{words}: passes of the forward pass", answer[0] / size, 3)
        yield close(f"{words}: passes of the backward pass", answer[1] / size, 5)


@exercise("07.2", "which roof is lower", answer="function")
def which_roof(at_least: Callable) -> Iterator[Property]:
    """``at_least(operations, bytes, peak, bandwidth)``: the least seconds, and the bound."""
    cases = (
        ("a copy", (0, 8e9, 1e12, 1e11), 0.08, "memory"),
        ("a large matrix product", (1e12, 1e9, 1e12, 1e11), 1.0, "arithmetic"),
        ("batch norm", (2.5e7, 5e7, 1e12, 1e11), 5e-4, "memory"),
        ("the same on a machine with little arithmetic", (2.5e7, 5e7, 1e10, 1e11), 2.5e-3, ""),
    )
    for name, arguments, seconds, bound in cases:
        answer = at_least(*arguments)
        if not (isinstance(answer, tuple | list) and len(answer) == 2):
            detail = f"got {type(answer).__name__}; return seconds, bound"
            yield Property("the answer is a pair", False, detail)
            return
        bound = bound or "arithmetic"
        yield close(f"{name}: the time, over the right one", answer[0] / seconds, 1)
        yield true(
            f"{name}: what bounds it",
            answer[1] == bound,
            f"expected {bound!r}, got {answer[1]!r}",
        )


@exercise("07.3", "the largest deviation", answer="function")
def largest_deviation(largest: Callable) -> Iterator[Property]:
    """``largest(dtype)``: the largest standard deviation whose square a format can hold."""
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        # In units of the right answer, since they lie twenty powers of ten apart.
        expected = torch.finfo(dtype).max ** 0.5
        name = str(dtype).removeprefix("torch.")
        got = float(largest(dtype)) / expected
        yield close(f"{name}: the deviation, over the right one", got, 1, tolerance=1e-3)


@exercise("07.4", "the same numbers everywhere", answer="function")
def same_numbers(noise: Callable) -> Iterator[Property]:
    """``noise(x, seed)``: normal numbers like x, the same on every device."""
    x = torch.zeros(3, 4)
    drawn = noise(x, 7)
    if not isinstance(drawn, torch.Tensor):
        detail = f"expected a tensor, got {type(drawn).__name__}"
        yield Property("the answer is a tensor", False, detail)
        return
    expected = torch.randn(3, 4, generator=generator(7))
    yield close("on the CPU they are those of the seed's generator", drawn, expected)
    before = torch.random.get_rng_state()
    noise(x, 1)  # not 7: whoever seeds the global generator with 7 again leaves it as it is
    yield true(
        "the global generator is left alone",
        torch.equal(before, torch.random.get_rng_state()),
        "another program's random numbers change when yours is called; use a generator",
    )
    half = noise(x.half(), 7)
    yield true("the dtype is x's", half.dtype == torch.float16, f"got {half.dtype}")
    # The device "meta" is everywhere: its tensors have a shape and a place, but no numbers.
    elsewhere = noise(x.to("meta"), 7).device.type
    yield true(
        "the device is x's", elsewhere == "meta", f"x is on meta, the numbers on {elsewhere}"
    )
    if torch.cuda.is_available():
        there = noise(x.cuda(), 7)
        yield true("on CUDA they are on CUDA", there.is_cuda, f"they are on {there.device}")
        yield close("on CUDA they are the same numbers", there.cpu(), expected)
