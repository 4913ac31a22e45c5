"""The checks of chapter 09, nets that will not train without it."""

from collections.abc import Callable, Iterator

import numpy as np

from bnutils.exercises.checking import Property, close, exercise, true


@exercise("09.1", "how deep before nothing is left", answer="function")
def how_deep(deepest: Callable) -> Iterator[Property]:
    """``deepest(shrink, bits)``: the most layers after which shrink**d is at least 2**-bits."""
    for shrink, bits in ((1 / 4, 23), (1 / 4, 7), (1 / 4, 52), (1 / 2, 23), (0.4, 23), (0.9, 23)):
        expected = max(d for d in range(500) if shrink**d >= 2.0**-bits)
        name = f"a factor of {shrink:g} a layer, {bits} bits: layers"
        yield close(name, deepest(shrink, bits), expected)


@exercise("09.2", "weights that keep examples apart", answer="function")
def weights_that_keep_apart(deviation: Callable) -> Iterator[Property]:
    """``deviation(slope, fan_in)``: the weights' standard deviation that keeps distances."""
    rng = np.random.default_rng(9)
    for slope, fan_in in ((1.0, 50), (0.25, 50), (0.25, 400)):
        got = float(deviation(slope, fan_in))
        yield close(
            f"slope {slope:g}, fan-in {fan_in}: the deviation is right",
            got,
            1 / (slope * fan_in**0.5),
        )
        weights = got * rng.standard_normal((20_000 // fan_in * 10, fan_in))
        before = rng.standard_normal(fan_in)
        kept = np.mean((slope * (weights @ before)) ** 2) ** 0.5 / np.mean(before**2) ** 0.5
        yield true(
            f"slope {slope:g}, fan-in {fan_in}: two examples end as far apart as they came",
            0.9 < kept < 1.1,
            f"their distance changes by a factor of {kept:.3g}",
        )


@exercise("09.3", "from tanh to sigmoid", answer="function")
def from_tanh_to_sigmoid(convert: Callable) -> Iterator[Property]:
    """``convert(V1, b1, V2, b2)``: the weights in sigmoids, W1, c1, W2, c2, of a net in tanh."""
    rng = np.random.default_rng(93)
    V1, b1 = rng.standard_normal((4, 3)), rng.standard_normal(4)
    V2, b2 = rng.standard_normal((2, 4)), rng.standard_normal(2)
    x = rng.standard_normal((6, 3))
    answer = convert(*(part.copy() for part in (V1, b1, V2, b2)))
    shapes = [np.shape(part) for part in answer] if isinstance(answer, tuple | list) else None
    if shapes != [(4, 3), (4,), (2, 4), (2,)]:
        detail = f"got {shapes if shapes else type(answer).__name__}; return W1, c1, W2, c2"
        yield Property("the answer has the shapes of V1, b1, V2, b2", False, detail)
        return
    W1, c1, W2, c2 = (np.asarray(part, dtype=float) for part in answer)
    hidden_tanh = np.tanh(x @ V1.T + b1)
    hidden = 1 / (1 + np.exp(-(x @ W1.T + c1)))
    yield close("each hidden unit is (1 + its tanh) / 2", hidden, (1 + hidden_tanh) / 2)
    yield close(
        "the outputs are those of the net in tanh", hidden @ W2.T + c2, hidden_tanh @ V2.T + b2
    )


@exercise("09.4", "batch norm's first step, once", answer="function")
def batch_norms_first_step(fit: Callable) -> Iterator[Property]:
    """``fit(W, x)``: weights and biases under which every unit has mean 0 and variance 1."""
    rng = np.random.default_rng(94)
    W = rng.standard_normal((5, 3))
    x = 3 + 2 * rng.standard_normal((40, 3))
    answer = fit(W.copy(), x.copy())
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        detail = f"got {type(answer).__name__}; return weights, biases"
        yield Property("the answer is a pair", False, detail)
        return
    new, bias = (np.asarray(part, dtype=float) for part in answer)
    if new.shape != W.shape or bias.shape != (5,):
        detail = f"expected {W.shape} and (5,), got {new.shape} and {bias.shape}"
        yield Property("the weights have the shape of W, with a bias for each unit", False, detail)
        return
    z = x @ new.T + bias
    yield close("over x, every unit has mean 0", z.mean(0), np.zeros(5))
    yield close("over x, every unit has variance 1 (biased)", z.var(0), np.ones(5))
    directions = [w / np.linalg.norm(w, axis=1, keepdims=True) for w in (new, W)]
    yield close("every unit's weights keep their direction", *directions)
