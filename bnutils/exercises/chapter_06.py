"""The checks of chapter 06, from scratch in PyTorch."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from bnutils import parity
from bnutils.exercises import gallery
from bnutils.exercises.checking import Property, close, exercise, true

AXES = {axis.name for axis in parity.AXES}


@exercise("06.1", "which axes fail")
def which_axes_fail(predictions: Any) -> Iterator[Property]:
    """``predictions``: for each layer of the gallery, the set of axes on which it fails."""
    if not isinstance(predictions, Mapping):
        detail = f"got {type(predictions).__name__}; it looks like {{'A': {{'gradients'}}, ...}}"
        yield Property("the answer is a dictionary", False, detail)
        return
    for letter, layer in gallery.PATIENTS.items():
        named = predictions.get(letter, ...)
        if named is ...:
            yield Property(f"layer {letter}", False, "no axis named yet")
            continue
        named = {named} if isinstance(named, str) else set(named)
        unknown = sorted(map(str, named - AXES))
        if unknown:
            detail = f"there is no axis {unknown[0]!r}; there are {', '.join(sorted(AXES))}"
            yield Property(f"layer {letter}", False, detail)
            continue
        fails = set(parity.failing(parity.check(layer)))
        wrong = [f"{axis} equals torch's" for axis in sorted(named - fails)]
        missed = len(fails - named)
        more = [f"{missed} more {'axis fails' if missed == 1 else 'axes fail'}"] if missed else []
        detail = "; ".join(wrong + more)
        yield true(f"layer {letter} fails there, and only there", named == fails, detail)


@exercise("06.2", "mend the gallery")
def mend_the_gallery(mends: Any) -> Iterator[Property]:
    """``mends``: for each layer, (text, text to put in its place)."""
    if not isinstance(mends, Mapping):
        detail = f"got {type(mends).__name__}; it looks like {{'A': ('old text', 'new text'), ...}}"
        yield Property("the answer is a dictionary", False, detail)
        return
    for letter in gallery.PATIENTS:
        mend = mends.get(letter, ...)
        name = f"layer {letter}, mended, equals torch's on all axes"
        if mend is ...:
            yield Property(name, False, "not mended yet")
        elif not (isinstance(mend, tuple | list) and len(mend) == 2):
            yield Property(name, False, f"expected (old text, new text), got {mend!r}")
        else:
            yield _judge(name, letter, *mend)


def _judge(name: str, letter: str, old: str, new: str) -> Property:
    """Whether the layer equals torch's once ``old`` is replaced by ``new`` in its source."""
    source = inspect.getsource(gallery.PATIENTS[letter])
    times = source.count(old)
    if times != 1:
        return Property(name, False, f"{old!r} occurs {times} times in its source; it must be once")
    namespace = dict(vars(gallery))
    try:
        exec(source.replace(old, new), namespace)
        found = parity.failing(parity.check(namespace[f"Layer{letter}"]))
    except Exception as error:  # whatever the learner's text may raise
        return Property(name, False, f"{type(error).__name__}: {error}")
    return true(name, not found, "; ".join(map(str, found.values())))


@exercise("06.3", "a change carried forward", answer="function")
def change_carried_forward(push: Callable) -> Iterator[Property]:
    """``push(x_dot, x_hat, s, weight)`` returns the rates of mean, var (C,) and y (m, C)."""
    g = torch.Generator().manual_seed(6)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=g, dtype=torch.float64)

    x, x_dot, weight, eps = 1 + 2 * normal(7, 3), normal(7, 3), normal(3), 0.1

    def mean_var_y(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, var = x.mean(0), x.var(0, correction=0)
        return mean, var, weight * (x - mean) / torch.sqrt(var + eps)

    (mean, var, _), wanted = torch.autograd.functional.jvp(mean_var_y, x, x_dot)
    s = torch.sqrt(var + eps)
    answer = push(x_dot, (x - mean) / s, s, weight)
    if not (isinstance(answer, tuple | list) and len(answer) == 3):
        detail = f"got {type(answer).__name__}; return mean_dot, var_dot, y_dot"
        yield Property("the answer is three rates", False, detail)
        return
    for name, got, right in zip(("mean", "variance", "output"), answer, wanted, strict=True):
        yield close(f"the {name} moves at the rate that autograd finds", got, right, 1e-9)


@exercise("06.4", "a variance that survives a large mean", answer="function")
def stable_variance(variance: Callable) -> Iterator[Property]:
    """``variance(x)``: the biased variance of each column of a float32 (m, C), in one pass."""
    g = torch.Generator().manual_seed(7)
    z = torch.randn(256, 3, generator=g)
    for mean, sd, tolerance in ((0.0, 1.0, 1e-5), (1e4, 0.1, 1e-4), (-3e4, 0.5, 1e-4)):
        x = mean + sd * z
        got = variance(x.clone())
        if isinstance(got, Tensor) and got.dtype != torch.float32:
            detail = f"got {got.dtype}; that is another way out, but half the speed"
            yield Property("the variance stays in float32", False, detail)
            return
        right = x.double().var(0, correction=0)
        relative = torch.as_tensor(got).double() / right
        name = f"at mean {mean:g} and standard deviation {sd:g} it is right, relatively"
        yield close(name, relative, torch.ones(3), tolerance)
    constant = variance(torch.full((9, 2), 7e3))
    yield close("a column that never changes has variance 0", constant, [0, 0])
