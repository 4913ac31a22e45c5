"""Is a layer torch's batch norm? The two side by side, on six axes.

A batch norm can be wrong in what it puts out in training, in its gradients, in the two statistics
that it stores, in what it puts out in evaluation, and in what it saves. A net with a wrong one
still learns, so nobody looks. `check` looks, and says on which axis a layer differs, and by how
much:

    parity.check(MyBatchNorm)

Both layers get the same weights, inputs and upstream gradients and go through the same calls. A
third, torch's in double precision, tells what is right: a layer may be off by some rounding, or by
a few times what torch itself is off, but not by more.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from bnutils.randomness import generator

# torch's layer for an input of so many dimensions.
TORCHS = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
# How far off a layer may be, relative to the largest right value: rounding, summed up.
ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}
# And so many times torch's own error, which is large where the mean is large, and is luck.
TIMES_TORCHS = 16
STEPS = 3


@dataclass(frozen=True)
class Case:
    """Inputs of a kind: their shape, their mean and standard deviation, their memory format."""

    name: str
    shape: tuple[int, ...]
    mean: float = 1.0
    sd: float = 2.0
    channels_last: bool = False

    def draw(self, seed: int, dtype: torch.dtype) -> tuple[list[Tensor], list[Tensor]]:
        """A few minibatches, and as many upstream gradients."""
        g = generator(seed)
        forms = {4: torch.channels_last, 5: torch.channels_last_3d}
        form = forms[len(self.shape)] if self.channels_last else torch.contiguous_format

        def normal() -> Tensor:
            return torch.randn(self.shape, generator=g, dtype=torch.float64)

        inputs = [self.mean + self.sd * normal() for _ in range(STEPS)]
        upstream = [normal() for _ in range(STEPS)]
        return tuple([t.to(dtype, memory_format=form) for t in ts] for ts in (inputs, upstream))


CASES = (
    Case("examples", (32, 4)),
    Case("sequences", (8, 4, 6)),
    Case("images", (4, 3, 5, 6)),
    Case("images, channels last", (4, 3, 5, 6), channels_last=True),
    Case("volumes", (3, 3, 2, 3, 4)),
    Case("volumes, channels last", (3, 3, 2, 3, 4), channels_last=True),
    Case("a large mean", (64, 4), mean=1e4, sd=0.1),
    Case("images with a large mean", (8, 3, 4, 4), mean=1e4, sd=0.1),
    Case("volumes with a large mean", (8, 3, 2, 2, 4), mean=1e4, sd=0.1),
    Case("nearly constant", (32, 4), mean=0.0, sd=1e-3),
    Case("nearly constant images", (8, 3, 2, 2), mean=0.0, sd=1e-3),
)


@dataclass
class Observation:
    """What can be seen of a layer from outside, while it is trained and evaluated."""

    training: dict[str, Tensor] = field(default_factory=dict)
    gradients: dict[str, Tensor] = field(default_factory=dict)
    evaluation: dict[str, Tensor] = field(default_factory=dict)
    running_mean: dict[str, Tensor | None] = field(default_factory=dict)
    running_var: dict[str, Tensor | None] = field(default_factory=dict)
    state: dict[str, Tensor] = field(default_factory=dict)


def observe(layer: nn.Module, inputs: list[Tensor], upstream: list[Tensor]) -> Observation:
    """Train for a few steps, evaluate, and write down all that comes out.

    Once it is trained although no gradient is wanted, and once evaluated although one is: the mode
    of a layer is one thing, that of autograd another.
    """
    seen = Observation()
    layer.train()
    for step, (x, dy) in enumerate(zip(inputs, upstream, strict=True), start=1):
        x = x.clone().requires_grad_()
        y = layer(x)
        names, wanted = zip(("input", x), *layer.named_parameters(), strict=True)
        gradients = torch.autograd.grad(y, wanted, dy)
        seen.training[f"step {step}"] = y.detach()
        for name, gradient in zip(names, gradients, strict=True):
            seen.gradients[f"{name}, step {step}"] = gradient
    with torch.no_grad():
        seen.training["without autograd"] = layer(inputs[0])
        layer.eval()
        seen.evaluation["without autograd"] = layer(inputs[-1])
    x = inputs[1].clone().requires_grad_()
    seen.evaluation["with autograd"] = layer(x).detach()
    seen.running_mean["running_mean"] = getattr(layer, "running_mean", None)
    seen.running_var["running_var"] = getattr(layer, "running_var", None)
    for name, tensor in layer.state_dict().items():  # what the values are, other axes tell
        seen.state[name] = torch.zeros_like(tensor) if tensor.is_floating_point() else tensor
    return seen


@dataclass(frozen=True)
class Axis:
    """One thing to compare: its name, what of an `Observation` it is, and its tolerance.

    The tolerance multiplies `ROUNDING`: a gradient sums up more of it than an output.
    """

    name: str
    read: Callable[[Observation], Mapping[str, Tensor | None]]
    tolerance: float = 1.0


AXES = (
    Axis("training output", lambda seen: seen.training),
    Axis("gradients", lambda seen: seen.gradients, tolerance=5),
    Axis("running mean", lambda seen: seen.running_mean),
    Axis("running variance", lambda seen: seen.running_var),
    Axis("evaluation output", lambda seen: seen.evaluation),
    Axis("state_dict", lambda seen: seen.state),
)


@dataclass(frozen=True)
class Finding:
    """How a layer compares with torch's on one axis, for one kind of input.

    ``error`` is the largest distance from what is right, relative to the largest right value, and
    infinite where nothing can be compared; ``allowed`` is what it may be. ``detail`` says where.
    """

    axis: str
    case: str
    error: float
    allowed: float
    detail: str = ""

    @property
    def holds(self) -> bool:
        return self.error <= self.allowed

    def __str__(self) -> str:
        if self.holds:
            return f"{self.axis} equals torch's for {self.case}"
        if self.error == float("inf"):
            return f"{self.axis} differs for {self.case}: {self.detail}"
        return (
            f"{self.axis} differs for {self.case}: off by {self.error:.1g} of the largest value, "
            f"where {self.allowed:.1g} is allowed ({self.detail})"
        )


def check(
    layer: Callable[..., nn.Module],
    cases: Iterable[Case] = CASES,
    *,
    dtype: torch.dtype = torch.float32,
    layer_dtype: torch.dtype | None = None,
    seed: int = 0,
    **options: Any,
) -> list[Finding]:
    """Compare a layer with torch's.

    Parameters
    ----------
    layer : callable
        Builds one: ``layer(num_features, **options)``.
    cases : iterable of Case
        The inputs; by default all, so the layer must take 2 to 5 dimensions. See `cases_for`.
    dtype : torch.dtype
        Of the inputs.
    layer_dtype : torch.dtype, optional
        Of the layer; by default that of the inputs.
    seed : int
        For inputs, upstream gradients, weights and biases.
    options
        For both layers: ``eps``, ``momentum``, ``affine``, ...

    Returns
    -------
    list of Finding
        One for each axis and case.
    """
    findings = []
    for case in cases:
        channels = case.shape[1]
        theirs = TORCHS[len(case.shape)]
        ours, torchs, right, fresh, fresh_torchs = (
            kind(channels, **options).to(layer_dtype or dtype)
            for kind in (layer, theirs, theirs, layer, theirs)
        )
        _randomize([ours, torchs, right], seed)
        inputs, upstream = case.draw(seed, dtype)
        seen, torchs_seen = (observe(one, inputs, upstream) for one in (ours, torchs))
        doubled = ([t.double() for t in ts] for ts in (inputs, upstream))
        right_seen = observe(right.double(), *doubled)
        for axis in AXES:
            three = (axis.read(each) for each in (seen, torchs_seen, right_seen))
            error, torchs_error, detail = _largest_error(*three)
            if axis.name == "state_dict" and error < float("inf"):
                trouble = _exchange(ours, torchs, fresh, fresh_torchs)
                error, detail = (float("inf"), trouble) if trouble else (error, detail)
            allowed = axis.tolerance * ROUNDING[dtype] + TIMES_TORCHS * torchs_error
            findings.append(Finding(axis.name, case.name, error, allowed, detail))
    return findings


def cases_for(*dimensions: int) -> list[Case]:
    """The cases whose inputs have one of these numbers of dimensions."""
    return [case for case in CASES if len(case.shape) in dimensions]


def failing(findings: Iterable[Finding]) -> dict[str, Finding]:
    """The axes that fail on some case, each with its worst finding."""
    worst: dict[str, Finding] = {}
    for found in findings:
        if not found.holds:
            known = worst.get(found.axis)
            if known is None or found.error / found.allowed > known.error / known.allowed:
                worst[found.axis] = found
    return {axis.name: worst[axis.name] for axis in AXES if axis.name in worst}


def matrix(
    layers: Mapping[str, tuple[Callable[..., nn.Module], tuple[int, ...]]],
    dtypes: Iterable[torch.dtype] = tuple(ROUNDING),
    **options: Any,
) -> pd.DataFrame:
    """Axis by layer and dtype: whether the layer equals torch's on all cases that it takes.

    Parameters
    ----------
    layers : mapping of str to (callable, dimensions)
        Each layer, and the numbers of dimensions that its inputs may have.
    dtypes : iterable of torch.dtype
        Of inputs and layer.
    options
        As for `check`.

    Returns
    -------
    DataFrame
        Of bool; a row for each axis, a column for each (layer, dtype).
    """
    columns = {}
    for name, (layer, dimensions) in layers.items():
        for dtype in dtypes:
            found = failing(check(layer, cases_for(*dimensions), dtype=dtype, **options))
            column = [axis.name not in found for axis in AXES]
            columns[name, str(dtype).removeprefix("torch.")] = column
    return pd.DataFrame(columns, index=pd.Index([axis.name for axis in AXES], name="axis"))


def _randomize(layers: list[nn.Module], seed: int) -> None:
    """The same random weight and bias for all, as far as they have them."""
    g = generator(seed)
    with torch.no_grad():
        for name in ("weight", "bias"):
            first = getattr(layers[-1], name)
            if first is not None:
                drawn = 1 + 0.5 * torch.randn(first.shape, generator=g, dtype=torch.float64)
                for layer in layers:
                    getattr(layer, name).copy_(drawn)


def _largest_error(
    got: Mapping[str, Tensor | None],
    torchs: Mapping[str, Tensor | None],
    right: Mapping[str, Tensor | None],
) -> tuple[float, float, str]:
    """The largest error, torch's own largest, and where ours is."""
    missing, unexpected = [n for n in torchs if n not in got], [n for n in got if n not in torchs]
    if missing or unexpected:
        parts = [("it lacks ", missing), ("it has ", unexpected)]
        return float("inf"), 0.0, "; ".join(p + ", ".join(names) for p, names in parts if names)
    errors, torchs_errors = {}, [0.0]
    for name, theirs in torchs.items():
        ours = got[name]
        difference = _unlike(ours, theirs)
        if difference:
            return float("inf"), 0.0, f"{name} {difference}".strip()
        if theirs is not None:
            errors[name] = _error(ours, right[name])
            torchs_errors.append(_error(theirs, right[name]))
    where = max(errors, key=errors.get, default="")
    return errors.get(where, 0.0), max(torchs_errors), where


def _unlike(ours: Tensor | None, theirs: Tensor | None) -> str:
    """What keeps two tensors from being compared value by value; nothing, if nothing does."""
    if ours is None or theirs is None:
        return "" if ours is theirs else ("is missing" if ours is None else "is not None")
    if ours.shape != theirs.shape:
        return f"has shape {tuple(ours.shape)}, torch's {tuple(theirs.shape)}"
    if ours.dtype != theirs.dtype:
        return f"is {ours.dtype}, torch's {theirs.dtype}"
    # The stride of a dimension of length 1 means nothing: no step is ever made along it.
    if any(
        a != b for a, b, n in zip(ours.stride(), theirs.stride(), ours.shape, strict=True) if n > 1
    ):
        return f"lies in memory with strides {ours.stride()}, torch's with {theirs.stride()}"
    return ""


def _error(got: Tensor, right: Tensor) -> float:
    """The largest distance, relative to the largest right value; infinite for NaN."""
    if got.numel() == 0:
        return 0.0
    largest = right.double().abs().max().item() or 1.0
    distance = (got.double() - right.double()).abs().max().item() / largest
    return distance if distance == distance else float("inf")


def _exchange(ours: nn.Module, torchs: nn.Module, fresh: nn.Module, fresh_torchs: nn.Module) -> str:
    """What goes wrong when each layer's state is loaded into one of the other kind."""
    for source, target in ((ours, fresh_torchs), (torchs, fresh)):
        try:
            target.load_state_dict(source.state_dict())
        except RuntimeError as error:
            return str(error)
        for name, tensor in target.state_dict().items():
            if not torch.equal(tensor, source.state_dict()[name]):
                return f"{name} is another after loading"
    return ""
