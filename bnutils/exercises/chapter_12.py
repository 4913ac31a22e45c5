"""The checks of chapter 12, scale invariance and weight decay."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bnutils.exercises.checking import Property, close, exercise, true


@exercise("12.1", "a schedule without decay", answer="function")
def without_decay(rates_without_decay: Callable) -> Iterator[Property]:
    """``rates_without_decay(rates, decay)``: the rates that do the same without the decay."""
    schedules = {
        "a constant rate": (np.full(30, 0.3), 0.2),
        "a rate that falls in the middle": (np.repeat([0.5, 0.05], 15), 0.4),
        "a cosine": (0.2 * (1 + np.cos(np.linspace(0, 3, 40))), 0.3),
    }
    for name, (rates, decay) in schedules.items():
        found = np.asarray(rates_without_decay(rates.copy(), decay), dtype=float)
        yield true(
            f"for {name}, there is a rate for each step",
            found.shape == rates.shape,
            f"expected shape {rates.shape}, got shape {found.shape}",
        )
        if found.shape != rates.shape:
            return
        yield close(
            f"for {name}, the weights point where they point with decay",
            _directions(found, 0.0),
            _directions(rates, decay),
        )
    rates, _ = schedules["a cosine"]
    yield close("without decay the rates stay as they are", rates_without_decay(rates, 0.0), rates)


def _directions(rates: np.ndarray, decay: float) -> np.ndarray:
    """The direction of the weights after each step, on losses that know the direction only."""
    rng = np.random.default_rng(12)
    w, seen = rng.standard_normal(4), []
    for rate, target in zip(rates, rng.standard_normal((len(rates), 4)), strict=True):
        length = np.linalg.norm(w)
        unit = w / length
        gradient = (target - unit * (unit @ target)) / length  # of <target, w> / |w|
        w = (1 - rate * decay) * w - rate * gradient
        seen.append(w / np.linalg.norm(w))
    return np.array(seen)


@exercise("12.2", "the length after t steps", answer="function")
def length_after_steps(length_after: Callable) -> Iterator[Property]:
    """``length_after(t, start, end, product)``: how long the weights are on their way."""
    for start, end, product in ((1.4, 0.5, 0.004), (1.0, 0.9, 0.002), (0.3, 0.6, 0.005)):
        story = f"from {start:g} to {end:g} with ηλ = {product:g}"
        yield close(f"{story}: at step 0", length_after(0, start, end, product), start)
        for t in (30, 200):
            yield close(
                f"{story}: after {t} steps",
                length_after(t, start, end, product),
                _simulated(t, start, end, product),
                tolerance=0.02 * end,
            )
        yield close(f"{story}: in the end", length_after(10**5, start, end, product), end)


def _simulated(t: int, start: float, end: float, product: float) -> float:
    """The recursion of the squared length, step by step, with a constant G."""
    pushed = end**4 * (1 - (1 - product) ** 2)  # η²G², so that `end` is where it stays
    squared = start**2
    for _ in range(t):
        squared = (1 - product) ** 2 * squared + pushed / squared
    return squared**0.5


@exercise("12.3", "which parameters are scale-invariant", answer="function")
def which_are_invariant(scale_invariant: Callable) -> Iterator[Property]:
    """``scale_invariant(loss, tensors)``: whether the loss stays when all tensors are scaled."""
    tensors = _parameters()
    cases = {
        "weights before batch norm": ("batch", nn.ReLU(), ["w1"], True),
        "the output layer's weights": ("batch", nn.ReLU(), ["out"], False),
        "γ of the first layer alone": ("batch", nn.ReLU(), ["gamma1"], False),
        "γ and β of the first layer, before ReLU": ("batch", nn.ReLU(), ["gamma1", "beta1"], True),
        "γ and β of the first layer, before GELU": ("batch", nn.GELU(), ["gamma1", "beta1"], False),
        "γ and β of the last norm": ("batch", nn.ReLU(), ["gamma2", "beta2"], False),
        "all hidden weights at once": ("batch", nn.ReLU(), ["w1", "w2"], True),
        "weights without a norm": ("none", nn.ReLU(), ["w1"], False),
    }
    for name, (norm, activation, chosen, expected) in cases.items():

        def loss(values: Sequence[Tensor], norm=norm, activation=activation, chosen=chosen):
            given = dict(zip(chosen, values, strict=True))
            return _loss({**tensors, **given}, norm, activation)

        before = [tensors[each].clone() for each in chosen]
        found = scale_invariant(loss, [tensors[each] for each in chosen])
        kept = all(torch.equal(a, tensors[each]) for a, each in zip(before, chosen, strict=True))
        yield true(
            f"{name}: {'yes' if expected else 'no'}",
            isinstance(found, bool | np.bool_) and bool(found) == expected,
            f"expected {expected}, got {found!r}",
        )
        if not kept:
            yield Property("the tensors are as they were", False, f"{name} have changed; copy")
            return


def _parameters() -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(12)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    return {
        "w1": normal(8, 5),
        "gamma1": 1 + 0.3 * normal(8),
        "beta1": 0.5 * normal(8),
        "w2": normal(6, 8),
        "gamma2": 1 + 0.3 * normal(6),
        "beta2": 0.5 * normal(6),
        "out": normal(3, 6),
        "x": normal(16, 5),
    }


def _loss(p: dict[str, Tensor], norm: str, activation: nn.Module) -> Tensor:
    h = p["x"]
    for w, gamma, beta in (("w1", "gamma1", "beta1"), ("w2", "gamma2", "beta2")):
        h = h @ p[w].T
        if norm == "batch":
            # This eps moves the loss in the twelfth digit or so, on every processor: too little to
            # count, too much for an answer that asks for equality to the last bit.
            h = (h - h.mean(0)) / (h.var(0, correction=0) + 1e-11).sqrt()
        h = activation(h * p[gamma] + p[beta])
    return F.cross_entropy(h @ p["out"].T, torch.arange(16) % 3)


@exercise("12.4", "the gauge", answer="function")
def the_gauge(gauge: Callable) -> Iterator[Property]:
    """``gauge(before, after, eta, lam, momentum)``: the rms angle over the one of equilibrium."""
    for eta, lam, momentum in ((0.1, 0.05, 0.0), (0.4, 0.005, 0.9)):
        for scale in (1.0, 0.25):
            equilibrium = np.sqrt(2 * eta * lam / (1 + momentum))
            turned = scale * equilibrium * np.array([0.5, 1.0, 1.5])
            before = np.array([[2.0, 0.0], [0.0, 0.5], [-1.0, 0.0]])
            turn = np.array([[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]])
            after = 0.9 * np.einsum("ijk,kj->ki", turn, before)
            yield close(
                f"η = {eta:g}, λ = {lam:g}, momentum {momentum:g}: units that turn by ½, 1 and 1½ "
                f"of {scale:g} times the angle of equilibrium",
                gauge(before.copy(), after.copy(), eta, lam, momentum),
                scale * np.sqrt(3.5 / 3),
                tolerance=1e-4,
            )
