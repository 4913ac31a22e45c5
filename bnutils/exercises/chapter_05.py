"""The checks of chapter 05, from scratch in NumPy."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from bnutils import reference
from bnutils.exercises.checking import Property, close, exercise, true

# Channels whose standard deviations differ, and differ from 1: where they are alike, a wrong power
# of the standard deviation does not show.
DEVIATIONS = np.array([0.25, 1.0, 4.0])
GAMMA = np.array([1.5, -0.5, 2.0])
NAMES = ("dx", "dgamma", "dbeta")


def _batch(m: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Rows (m, 3) and a random upstream gradient."""
    rng = np.random.default_rng(5)
    return 2 + DEVIATIONS * rng.standard_normal((m, 3)), rng.standard_normal((m, 3))


def _torchs(x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, ...]:
    """The gradients dx, dgamma and dbeta by torch's autograd, in float64."""
    inputs = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in (x, GAMMA)]
    beta = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    y = torch.nn.functional.batch_norm(inputs[0], None, None, inputs[1], beta, training=True)
    y.backward(torch.tensor(dy))
    return tuple(a.grad.numpy() for a in (*inputs, beta))


def _gradients(found: object, expected: tuple[np.ndarray, ...], where: str) -> Iterator[Property]:
    """Whether an answer consists of the three gradients."""
    if not isinstance(found, tuple | list) or len(found) != 3:
        detail = f"expected three arrays, dx, dgamma and dbeta; got {type(found).__name__}"
        yield Property(f"{where} it returns three gradients", False, detail)
        return
    for name, ours, theirs in zip(NAMES, found, expected, strict=True):
        yield close(f"{where} {name} is torch's", ours, theirs, tolerance=1e-9)


@exercise("05.1", "the backward pass for images", answer="function")
def images(backward_images: Callable) -> Iterator[Property]:
    """``backward_images(dy, x_hat, std, gamma)`` for (N, C, H, W)."""
    rng = np.random.default_rng(51)
    # In the second shape W equals C: a (C,) array broadcasts along the wrong axis unnoticed.
    for shape in ((4, 3, 2, 5), (2, 3, 4, 3)):
        x = 2 + DEVIATIONS.reshape(1, 3, 1, 1) * rng.standard_normal(shape)
        dy = rng.standard_normal(shape)
        _, saved = reference.forward(reference.as_rows(x), GAMMA, np.zeros(3))
        x_hat = reference.from_rows(saved.x_hat, shape)
        found = backward_images(dy.copy(), x_hat.copy(), saved.std.copy(), GAMMA.copy())
        yield from _gradients(found, _torchs(x, dy), f"for the shape {shape}")


@exercise("05.2", "a gradient check along one direction", answer="function")
def along(slope_along: Callable) -> Iterator[Property]:
    """``slope_along(f, x, u, h=1e-5)``, a central difference."""
    rng = np.random.default_rng(52)
    x, u = rng.standard_normal((2, 4, 3))
    calls = []

    def cubic(z: np.ndarray) -> float:
        calls.append(z)
        return float((z**3).sum())

    before = x.copy()
    # Central differences of a cubic are off by h² Σu³, exactly; one-sided ones by h 3Σxu².
    found = slope_along(cubic, x, u, 0.1)
    expected = (3 * x**2 * u).sum() + 0.01 * (u**3).sum()
    yield close("at h = 0.1 it is the central difference of a cubic", found, expected, 1e-9)
    yield true(
        "it calls f twice", len(calls) == 2, f"expected 2 calls, counted {len(calls)} of them"
    )
    yield true("x is left as it was", (x == before).all(), "x has changed; step from a copy of it")

    rows, dy = _batch()
    u = rng.standard_normal(rows.shape)

    def loss(z: np.ndarray) -> float:
        return (dy * reference.forward(z, GAMMA, np.zeros(3))[0]).sum()

    dx = reference.backward(dy, reference.forward(rows, GAMMA, np.zeros(3))[1])[0]
    found = slope_along(loss, rows, u)
    yield close("for batch norm it is the inner product of dx and u", found, (dx * u).sum(), 1e-6)


@exercise("05.3", "a backward pass to mend", answer="function")
def mended(mended_backward: Callable) -> Iterator[Property]:
    """``mended_backward(dy, saved)``, as `bnutils.reference.backward`."""
    rng = np.random.default_rng(53)
    for deviation in DEVIATIONS:
        x, dy = deviation * rng.standard_normal((9, 3)), rng.standard_normal((9, 3))
        _, saved = reference.forward(x, GAMMA, np.zeros(3))
        where = f"for inputs of standard deviation {deviation:g}"
        yield from _gradients(mended_backward(dy.copy(), saved), _torchs(x, dy), where)


@exercise("05.4", "derivatives without subtraction", answer="function")
def without_subtraction(complex_step: Callable) -> Iterator[Property]:
    """``complex_step(f, x, h=1e-30)``, exact to rounding."""
    x = np.random.default_rng(54).standard_normal((2, 3))
    before = x.copy()
    found = complex_step(lambda z: (z**3).sum(), x)
    yield close("it finds 3x² for the sum of cubes, to rounding", found, 3 * x**2, 1e-13)
    yield true("x is left as it was", (x == before).all(), "x has changed; step from a copy of it")

    rows, dy = _batch()

    def loss(z: np.ndarray) -> complex:
        return (dy * reference.forward(z, GAMMA, np.zeros(3))[0]).sum()

    dx = reference.backward(dy, reference.forward(rows, GAMMA, np.zeros(3))[1])[0]
    found = complex_step(loss, rows)
    yield close("it finds the dx of batch norm, to rounding", found, dx, 1e-13)
    yield true(
        "it returns real numbers",
        not np.iscomplexobj(found),
        f"expected floats, got {np.asarray(found).dtype}",
    )
