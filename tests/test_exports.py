"""Which mode an export carries, as chapter 14 tells it: by torch.export, and by both ways to ONNX.

ONNX models run in ONNX's own reference implementation, so that no runtime is needed.
"""

import copy
import io
import warnings
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

# From within the exporter.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

BATCH = torch.export.Dim("batch", min=2)
MODES = {True: "training", False: "evaluation"}


def some(n: int = 6) -> Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(14))


def example(train: bool, tracked: bool = True) -> nn.Module:
    """A net whose statistics are those of no batch it is going to see."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        norm = nn.BatchNorm1d(3, track_running_stats=tracked)
        net = nn.Sequential(nn.Linear(4, 3), norm, nn.ReLU(), nn.Linear(3, 2))
        net(torch.randn(8, 4))
    return net.train(train)


def in_mode(net: nn.Module, train: bool) -> np.ndarray:
    with torch.no_grad():
        return copy.deepcopy(net).train(train)(some()).numpy()


def by_torch(net: nn.Module) -> Callable[[Tensor], np.ndarray]:
    module = torch.export.export(net, (some(),), dynamic_shapes=({0: BATCH},)).module()
    return lambda x: module(x).detach().numpy()


def by_onnx(net: nn.Module) -> Callable[[Tensor], np.ndarray]:
    shapes = {"dynamic_shapes": ({0: BATCH},)}
    with pytest.warns(UserWarning, match="in training mode") if net.training else nullcontext():
        program = torch.onnx.export(net, (some(),), dynamo=True, verbose=False, **shapes)
    return session(program.model_proto)


def by_older_onnx(net: nn.Module, **mode) -> Callable[[Tensor], np.ndarray]:
    file = io.BytesIO()
    axes = {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has much to say, first that it is going to go
        torch.onnx.export(net, (some(),), file, dynamo=False, **axes, **mode)
    return session(onnx.load_from_string(file.getvalue()))


def by_older_onnx_as_it_is(net: nn.Module) -> Callable[[Tensor], np.ndarray]:
    mode = torch.onnx.TrainingMode.PRESERVE
    return by_older_onnx(net, training=mode, do_constant_folding=False)


def session(model: onnx.ModelProto) -> Callable[[Tensor], np.ndarray]:
    evaluator, name = ReferenceEvaluator(model), model.graph.input[0].name
    return lambda x: evaluator.run(None, {name: x.numpy()})[0]


def looks_at_the_batch(model: Callable[[Tensor], np.ndarray]) -> bool:
    """The chapter's test, for anything that answers."""
    apart = np.concatenate([model(half) for half in some().chunk(2)])
    together = model(some())
    return bool(np.abs(together - apart).max() / together.std() > 1e-3)


@pytest.mark.parametrize("train", MODES, ids=MODES.get)
@pytest.mark.parametrize("export", [by_torch, by_older_onnx_as_it_is])
def test_these_exports_carry_the_mode_that_the_model_is_in(export, train):
    net = example(train)
    answers = {mode: in_mode(net, mode) for mode in MODES}
    assert np.abs(answers[True] - answers[False]).max() > 0.01
    model = export(net)
    assert looks_at_the_batch(model) == train
    np.testing.assert_allclose(export(example(train))(some()), answers[train], atol=1e-5)


@pytest.mark.parametrize("train", MODES, ids=MODES.get)
@pytest.mark.parametrize("export", [by_onnx, by_older_onnx])
def test_onnx_is_in_evaluation_mode_unless_it_is_asked_otherwise(export, train):
    net = example(train)
    answer = in_mode(net, train=False)
    model = export(net)
    assert not looks_at_the_batch(model)
    np.testing.assert_allclose(model(some()), answer, atol=1e-5)
    assert net.training == train


@pytest.mark.parametrize("export", [by_torch, by_onnx])
def test_without_stored_statistics_both_newer_exports_look_at_the_batch(export):
    assert looks_at_the_batch(export(example(train=False, tracked=False)))


@pytest.mark.parametrize("export", [by_older_onnx, by_older_onnx_as_it_is])
def test_without_stored_statistics_the_older_exporter_refuses_a_batch_of_any_size(export):
    with pytest.raises(AssertionError, match="must be non-None"):
        export(example(train=False, tracked=False))


def test_an_exported_program_in_training_mode_goes_on_updating_its_statistics():
    for train in MODES:
        module = torch.export.export(example(train), (some(),)).module()
        before = copy.deepcopy(dict(module.named_buffers()))
        module(some())
        moved = [name for name, b in module.named_buffers() if not torch.equal(b, before[name])]
        assert len(moved) == (3 if train else 0)
        with pytest.raises(NotImplementedError):
            module.eval()
