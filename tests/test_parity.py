"""The parity check finds every fault of the gallery where it is, and nothing in torch's layers."""

import inspect

import pytest
import torch
from torch import nn

from bnutils import layers, parity
from bnutils.exercises.gallery import PATIENTS, Layer

OURS = {
    "BatchNorm1d": (layers.BatchNorm1d, (2, 3)),
    "BatchNorm2d": (layers.BatchNorm2d, (4,)),
    "BatchNorm3d": (layers.BatchNorm3d, (5,)),
}
TORCHS = {name: (getattr(nn, name), dimensions) for name, (_, dimensions) in OURS.items()}
OUT, GRAD, MEAN, VAR, EVAL, STATE = (axis.name for axis in parity.AXES)

# What is wrong with each, the axes that show it, and the kinds of input that do.
LARGE = {case.name for case in parity.CASES if "large mean" in case.name}
CONSTANT = {case.name for case in parity.CASES if "nearly constant" in case.name}
ALL = {case.name for case in parity.CASES}
FAULTS = {
    "A": ("stores the biased variance", {VAR, EVAL}, ALL),
    "B": ("takes autograd's state for its mode", {OUT, MEAN, VAR, EVAL}, ALL),
    "C": ("adds eps outside the root", {OUT, GRAD}, CONSTANT),
    "D": ("takes the statistics for constants", {GRAD}, ALL),
    "E": ("keeps its statistics outside the buffers", {STATE}, ALL),
    "F": ("computes E[x^2] - E[x]^2", {OUT, GRAD, VAR, EVAL}, LARGE),
    "G": (
        "mixes the channels of images",
        {OUT, GRAD, MEAN, VAR, EVAL},
        {case.name for case in parity.CASES if len(case.shape) > 2},
    ),
    "H": ("normalizes by the unbiased variance", {OUT, GRAD}, ALL),
    "I": ("takes the momentum for its complement", {MEAN, VAR, EVAL}, ALL),
}


class Healthy(Layer):
    """The gallery's layer with no fault at all."""

    def forward(self, x):
        over, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        if self.training:
            mean, var = x.mean(over), x.var(over, correction=0)
            self.remember(mean, x.var(over))
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (x - mean.view(shape)) / torch.sqrt(var.view(shape) + self.eps)
        return self.weight.view(shape) * x_hat + self.bias.view(shape)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("letter", PATIENTS)
def test_each_fault_is_found_on_its_axes_and_no_other(letter, seed):
    assert set(FAULTS) == set(PATIENTS)
    _, axes, _ = FAULTS[letter]
    assert set(parity.failing(parity.check(PATIENTS[letter], seed=seed))) == axes


@pytest.mark.parametrize("letter", PATIENTS)
def test_each_fault_shows_on_its_kind_of_input_and_on_no_other(letter):
    findings = parity.check(PATIENTS[letter])
    shown = {found.case for found in findings if not found.holds}
    _, _, cases = FAULTS[letter]
    assert shown <= cases
    if cases in (LARGE, CONSTANT):
        assert shown == cases
    else:  # a rounding error may hide a fault of a hundredth where torch is off by as much
        assert shown >= cases - LARGE - CONSTANT


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nothing_is_found_where_nothing_is_wrong(seed, dtype):
    assert not parity.failing(parity.check(Healthy, seed=seed, dtype=dtype))
    for torchs, dimensions in TORCHS.values():
        found = parity.check(torchs, parity.cases_for(*dimensions), seed=seed, dtype=dtype)
        assert not parity.failing(found)


def test_the_matrix_of_our_layers_is_full():
    matrix = parity.matrix(OURS)
    assert matrix.shape == (6, 12)
    assert matrix.all(axis=None), matrix
    assert list(matrix.index) == [axis.name for axis in parity.AXES]
    assert matrix.columns[0] == ("BatchNorm1d", "float64")


def test_the_matrix_shows_a_fault_in_its_place():
    matrix = parity.matrix({"D": (PATIENTS["D"], (2, 4))}, [torch.float64])
    assert matrix["D", "float64"].to_dict() == {
        axis.name: axis.name != GRAD for axis in parity.AXES
    }


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", OURS)
def test_half_precision_input_in_a_single_precision_layer(name, half):
    layer, dimensions = OURS[name]
    found = parity.check(
        layer, parity.cases_for(*dimensions), dtype=half, layer_dtype=torch.float32
    )
    assert not parity.failing(found)


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": None},
        {"affine": False},
        {"track_running_stats": False},
        {"eps": 0.3, "momentum": 0.9},
        {"bias": False},
    ][: None if "bias" in inspect.signature(nn.BatchNorm1d).parameters else -1],
    ids=str,
)
@pytest.mark.parametrize("name", OURS)
def test_options(name, options):
    layer, dimensions = OURS[name]
    found = parity.check(layer, parity.cases_for(*dimensions), dtype=torch.float64, **options)
    assert len(found) == 6 * len(parity.cases_for(*dimensions))
    assert not parity.failing(found)


class WithFault(layers.BatchNorm1d):
    """Ours, spoilt in one way at a time."""

    fault = ""

    def forward(self, x):
        y = super().forward(x)
        if self.fault == "dtype":
            return y.double()
        if self.fault == "layout":
            return y.t().contiguous().t()
        if self.fault == "shape":
            return y.unsqueeze(0)
        if self.fault == "nan":
            return y * torch.nan
        return y

    def state_dict(self, *args, **kwargs):
        state = super().state_dict(*args, **kwargs)
        if self.fault == "extra":
            state["extra"] = torch.zeros(1)
        return state

    def load_state_dict(self, state, *args, **kwargs):
        loaded = super().load_state_dict(state, *args, **kwargs)
        if self.fault == "loading":
            self.running_mean.zero_()
        return loaded


@pytest.mark.parametrize(
    ("fault", "axis", "says"),
    [
        ("dtype", OUT, "is torch.float64, torch's torch.float32"),
        ("layout", OUT, "lies in memory with strides"),
        ("nan", OUT, "training output differs for examples"),
        ("extra", STATE, "it has extra"),
        ("loading", STATE, "running_mean is another after loading"),
    ],
)
def test_what_cannot_be_measured_is_told_in_words(monkeypatch, fault, axis, says):
    monkeypatch.setattr(WithFault, "fault", fault)
    cases = [parity.CASES[0]]
    if fault == "dtype":  # autograd would not take the upstream gradient either
        monkeypatch.setattr(torch.autograd, "grad", lambda y, wanted, dy: wanted)
    found = parity.failing(parity.check(WithFault, cases))
    assert found[axis].error == float("inf")
    assert says in str(found[axis])


def test_the_worst_finding_of_an_axis_is_told_with_its_size():
    found = parity.failing(parity.check(PATIENTS["D"]))[GRAD]
    assert "gradients differs for" in str(found)
    assert "of the largest value, where" in str(found)
    assert "equals torch's" in str(parity.Finding(GRAD, "images", 0.0, 1e-9))
