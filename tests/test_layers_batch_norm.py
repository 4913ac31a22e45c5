"""Batch norm from scratch equals torch's: on six axes, and at the edges."""

import copy
import inspect
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bnutils import layers, parity

OURS = {1: layers.BatchNorm1d, 2: layers.BatchNorm2d, 3: layers.BatchNorm3d}
TORCHS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
# Older versions of torch know weight and bias together or not at all, and accept an eps of zero.
TORCH_TAKES_BIAS = "bias" in inspect.signature(nn.BatchNorm1d).parameters

# (dimensions of the layer, shape of the input); at least two values per channel.
batch, channels, size = st.integers(2, 5), st.integers(1, 4), st.integers(1, 3)
cases = st.one_of(
    st.tuples(st.just(1), st.tuples(batch, channels)),
    st.tuples(st.just(1), st.tuples(batch, channels, size)),
    st.tuples(st.just(2), st.tuples(batch, channels, size, size)),
    st.tuples(st.just(3), st.tuples(batch, channels, size, size, size)),
    st.tuples(st.just(2), st.tuples(st.just(1), channels, st.just(2), st.just(3))),
)
options = st.fixed_dictionaries(
    {
        "eps": st.sampled_from([1e-5, 1e-3, 1.0]),
        "momentum": st.sampled_from([0.1, 0.0, 0.7, 1.0, None]),
        "affine": st.booleans(),
        "track_running_stats": st.booleans(),
    }
    | ({"bias": st.booleans()} if TORCH_TAKES_BIAS else {})
)
tight = {"rtol": 1e-10, "atol": 1e-10}


def close(ours, torchs, **tolerance):
    if torchs is None:
        assert ours is None
    else:
        torch.testing.assert_close(ours, torchs, **(tolerance or tight))


def pair(dimensions, features, seed=0, **options):
    """Our layer and torch's, in double precision, with the same random weight and bias."""
    ours = OURS[dimensions](features, dtype=torch.float64, **options)
    torchs = TORCHS[dimensions](features, dtype=torch.float64, **options)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for a, b in zip(ours.parameters(), torchs.parameters(), strict=True):
            a.copy_(torch.randn(features, generator=generator, dtype=torch.float64))
            b.copy_(a)
    return ours, torchs


def draw(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return 1 + 2 * torch.randn(shape, generator=generator, dtype=torch.float64)


@settings(max_examples=60, deadline=None)
@given(case=cases, options=options, seed=st.integers(0, 1000))
def test_six_axes(case, options, seed):
    dimensions, shape = case
    ours, torchs = pair(dimensions, shape[1], seed, **options)
    for step in range(3):
        x = draw(shape, seed + step).requires_grad_()
        z = x.detach().clone().requires_grad_()
        upstream = draw(shape, seed + 10 + step)
        y, expected = ours(x), torchs(z)
        y.backward(upstream)
        expected.backward(upstream)
        close(y, expected)  # 1. the training output
        close(x.grad, z.grad)  # 2. the gradients
        for a, b in zip(ours.parameters(), torchs.parameters(), strict=True):
            close(a.grad, b.grad)
        close(ours.running_mean, torchs.running_mean)  # 3.
        close(ours.running_var, torchs.running_var)  # 4.
        close(ours.num_batches_tracked, torchs.num_batches_tracked)
    x = draw(shape, seed + 20)
    close(ours.eval()(x), torchs.eval()(x))  # 5. the evaluation output
    there, back = type(torchs)(shape[1], **options).double(), type(ours)(shape[1], **options)
    there.load_state_dict(ours.state_dict())  # 6. the state, both ways
    back.double().load_state_dict(torchs.state_dict())
    assert list(ours.state_dict()) == list(torchs.state_dict())
    close(there.eval()(x), back.eval()(x))
    close(there.eval()(x), torchs(x))


@settings(max_examples=20, deadline=None)
@given(case=cases, seed=st.integers(0, 1000))
def test_the_gradient_sums_to_zero_and_is_nearly_orthogonal_to_the_output(case, seed):
    dimensions, shape = case
    layer, _ = pair(dimensions, shape[1], affine=False)
    x = draw(shape, seed).requires_grad_()
    y = layer(x)
    y.backward(draw(shape, seed + 1))
    over = [0, *range(2, x.dim())]
    # The second sum is not zero but eps / (var + eps) of what it would be without normalizing.
    slack = 1e-5 / x.detach().var(over, correction=0) * (draw(shape, seed + 1) * y).sum(over).abs()
    deviation = x.detach().var(over, correction=0).sqrt()
    assert (x.grad.sum(over).abs() * deviation < 1e-9).all()
    assert ((x.grad * y).sum(over).abs() * deviation < 1e-9 + 2 * slack).all()


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_names_arguments_and_representation_are_torchs(dimensions):
    ours, torchs = OURS[dimensions], TORCHS[dimensions]
    assert ours.__name__ == torchs.__name__
    if TORCH_TAKES_BIAS:  # and shows it
        for arguments in [(4,), (4, 1e-3, None, False, False), (4, 1e-3, 0.2, True, True)]:
            assert repr(ours(*arguments)) == repr(torchs(*arguments))
        assert repr(ours(4, bias=False)) == repr(torchs(4, bias=False))
    assert list(ours(4).state_dict()) == list(torchs(4).state_dict())
    assert not list(ours(4, affine=False, track_running_stats=False).state_dict())
    moved = ours(4, device="meta", dtype=torch.float16)
    assert moved.weight.dtype == moved.running_var.dtype == torch.float16
    assert moved.num_batches_tracked.dtype == torch.int64
    assert {tensor.device.type for tensor in moved.state_dict().values()} == {"meta"}


@pytest.mark.parametrize(
    ("dimensions", "shape"),
    [(1, (1, 3)), (1, (1, 3, 1)), (2, (1, 3, 1, 1)), (3, (1, 3, 1, 1, 1))],
)
def test_a_single_value_per_channel_raises_as_torch_does(dimensions, shape):
    ours, torchs = pair(dimensions, 3)
    x = draw(shape, 0)
    for layer in (ours, torchs):
        with pytest.raises(ValueError, match="Expected more than 1 value per channel when train"):
            layer(x)
    assert ours.num_batches_tracked == 0
    close(ours.running_mean, torch.zeros(3, dtype=torch.float64))
    close(ours.eval()(x), torchs.eval()(x))
    untracked, torchs = pair(dimensions, 3, track_running_stats=False)
    for layer in (untracked.eval(), torchs.eval()):
        with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
            layer(x)


@pytest.mark.parametrize(
    ("dimensions", "shape"),
    [(1, (3,)), (1, (2, 3, 4, 5)), (2, (2, 3)), (2, (2, 3, 4)), (3, (2, 3, 4, 5))],
)
def test_another_number_of_dimensions_raises_torchs_error(dimensions, shape):
    messages = []
    for layer in pair(dimensions, 3):
        with pytest.raises(ValueError, match=rf"expected .* \(got {len(shape)}D input\)") as error:
            layer(torch.zeros(shape, dtype=torch.float64))
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def test_another_number_of_channels_and_an_eps_of_zero_raise_torchs_kinds_of_error():
    for layer in pair(1, 3):
        with pytest.raises(RuntimeError, match="3"):
            layer(draw((4, 2), 0))
    for layer in pair(1, 3, eps=0.0)[: 2 if TORCH_TAKES_BIAS else 1]:
        with pytest.raises(ValueError, match="eps.* must be positive"):
            layer(draw((4, 3), 0))
    ours, torchs = (layer.eval() for layer in pair(1, 3, eps=0.0))
    close(ours(draw((4, 3), 0)), torchs(draw((4, 3), 0)))


@pytest.mark.parametrize(
    ("dimensions", "shape"), [(1, (0, 3)), (1, (0, 3, 2)), (2, (0, 3, 2, 2)), (3, (0, 3, 1, 1, 1))]
)
@pytest.mark.parametrize("training", [True, False])
def test_an_empty_batch_is_treated_as_torch_does(dimensions, shape, training):
    ours, torchs = pair(dimensions, 3)
    for layer in (ours, torchs):
        layer.train(training)(draw(shape, 0)).sum().backward()
    close(ours.weight.grad, torchs.weight.grad)
    for name, tensor in ours.state_dict().items():
        close(tensor, torchs.state_dict()[name])


def test_evaluation_mode_is_obeyed_whatever_autograd_does():
    ours, torchs = pair(1, 3)
    x = draw((6, 3), 0)
    with torch.no_grad():
        close(ours(x), torchs(x))  # training, though no gradient is wanted
    assert ours.num_batches_tracked == 1
    before = copy.deepcopy(ours.eval().state_dict())
    ours(x.requires_grad_()).sum().backward()  # evaluation, though a gradient is wanted
    for name, tensor in ours.state_dict().items():
        assert torch.equal(tensor, before[name])
    torchs.eval()(z := x.detach().clone().requires_grad_()).sum().backward()
    close(x.grad, z.grad)


def test_tracking_that_is_switched_off_later_freezes_the_averages():
    ours, torchs = pair(1, 3)
    for layer in (ours, torchs):
        layer.track_running_stats = False
        layer(draw((6, 3), 0))
    assert ours.num_batches_tracked == 0
    close(ours.running_var, torchs.running_var)
    close(ours.eval()(draw((6, 3), 1)), torchs.eval()(draw((6, 3), 1)))


def test_deepcopy_and_resets():
    ours, torchs = pair(1, 3)
    twin = copy.deepcopy(ours)
    twin(draw((6, 3), 0))
    assert ours.num_batches_tracked == 0
    assert twin.num_batches_tracked == 1
    twin.reset_running_stats()
    assert torch.equal(twin.running_var, torch.ones(3, dtype=torch.float64))
    assert torch.equal(twin.running_mean, torch.zeros(3, dtype=torch.float64))
    assert twin.num_batches_tracked == 0
    close(twin.weight, ours.weight)
    twin.reset_parameters()
    assert torch.equal(twin.weight, torch.ones(3, dtype=torch.float64))
    assert torch.equal(twin.bias, torch.zeros(3, dtype=torch.float64))
    layers.BatchNorm1d(3, affine=False, track_running_stats=False).reset_parameters()


def test_poison_stays_as_it_does_in_torch():
    for value in (torch.nan, torch.inf):
        ours, torchs = pair(1, 3)
        x = draw((6, 3), 0)
        x[2, 1] = value
        for layer in (ours, torchs):
            layer(x)
            layer(draw((6, 3), 1))
        for name, tensor in ours.state_dict().items():
            torch.testing.assert_close(tensor, torchs.state_dict()[name], equal_nan=True)
        assert ours.running_var.isnan().tolist() == [False, True, False]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("whole_layer", [True, False])
def test_half_precision_input_is_computed_in_single(dtype, whole_layer):
    ours, torchs, exact = layers.BatchNorm1d(3), nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    if whole_layer:
        ours, torchs = ours.to(dtype), torchs.to(dtype)
    x, upstream = (10 + draw((64, 3), 0)).to(dtype), draw((64, 3), 1).to(dtype)
    outcome = {}
    for layer, kind in ((ours, dtype), (torchs, dtype), (exact, torch.float32)):
        z = x.to(kind, copy=True).requires_grad_()
        y = layer(z)
        y.backward(upstream.to(kind))
        assert y.dtype == z.grad.dtype == kind
        outcome[layer] = [y, z.grad, layer.weight.grad, layer.running_mean, layer.running_var]
        outcome[layer].append(layer.eval()(z))
    for a, b, c in zip(outcome[ours], outcome[torchs], outcome[exact], strict=True):
        assert a.dtype == b.dtype
        ours_off, torchs_off = (a.float() - c).abs().max(), (b.float() - c).abs().max()
        rounding = torch.finfo(dtype).eps * c.abs().max()
        assert ours_off <= torchs_off + rounding


def test_channels_last_stays_channels_last():
    ours, torchs = pair(2, 3)
    x = draw((4, 3, 5, 5), 0).to(memory_format=torch.channels_last)
    y = ours(x)
    close(y, torchs(x))
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_a_large_mean_costs_no_more_digits_than_torch_loses():
    generator = torch.Generator().manual_seed(0)
    x = 1e4 + 0.1 * torch.randn(256, 16, generator=generator)  # as float32 holds it
    exact = nn.BatchNorm1d(16, dtype=torch.float64)(x.double())

    def error(layer):
        return (layer(x).double() - exact).abs().max().item()

    assert error(layers.BatchNorm1d(16)) <= 1.05 * error(nn.BatchNorm1d(16))


def test_second_derivatives_exist():
    layer, _ = pair(1, 2)
    assert torch.autograd.gradgradcheck(layer, draw((4, 2), 0).requires_grad_())


# Shapes with enough values per channel for every statistic to be well determined.
several, places = st.integers(4, 6), st.integers(2, 4)
generated = st.one_of(
    st.tuples(st.integers(8, 40), channels),
    st.tuples(several, channels, places),
    st.tuples(several, channels, places, places),
    st.tuples(several, channels, places, places, st.integers(1, 2)),
)


@settings(max_examples=40, deadline=None)
@given(
    shape=generated,
    last=st.booleans(),
    mean=st.sampled_from([0.0, 1.0, -30.0, 1e4]),
    sd=st.sampled_from([1e-3, 0.1, 2.0]),
    precision=st.sampled_from(
        [(kind, kind) for kind in parity.ROUNDING]
        + [(torch.float16, torch.float32), (torch.bfloat16, torch.float32)]
    ),
    options=options,
    seed=st.integers(0, 1000),
)
def test_parity_over_shapes_types_formats_and_options(
    shape, last, mean, sd, precision, options, seed
):
    dtype, layer_dtype = precision
    case = parity.Case("generated", shape, mean, sd, last and len(shape) > 3)
    layer = OURS[max(len(shape) - 2, 1)]
    findings = parity.check(
        layer, [case], dtype=dtype, layer_dtype=layer_dtype, seed=seed, **options
    )
    assert len(findings) == 6
    assert not parity.failing(findings), list(map(str, parity.failing(findings).values()))


@pytest.mark.parametrize("shape", [(4096, 8), (32, 8, 16, 16)])
@pytest.mark.parametrize("last", [False, True])
def test_a_large_mean_costs_outputs_gradients_and_averages_less_than_it_costs_torch(shape, last):
    case = parity.Case("large", shape, mean=1e4, sd=0.1, channels_last=last and len(shape) == 4)
    (x, *_), (dy, *_) = case.draw(0, torch.float32)
    seen = []
    for kind, dtype in (
        (OURS[len(shape) // 2], torch.float32),
        (TORCHS[len(shape) // 2], torch.float32),
        (TORCHS[len(shape) // 2], torch.float64),
    ):
        layer, z = kind(8, dtype=dtype), x.to(dtype).requires_grad_()
        y = layer(z)
        dx, dweight = torch.autograd.grad(y, [z, layer.weight], dy.to(dtype))
        seen.append([y, dx, dweight, layer.running_mean, layer.running_var])
    for ours, torchs, right in zip(*seen, strict=True):
        off, torchs_off = ((a.double() - right).abs().max() for a in (ours, torchs))
        assert off <= torchs_off + 2e-7 * right.abs().max()


def test_memory_formats_are_kept_in_outputs_and_gradients():
    for dimensions, form in ((2, torch.channels_last), (3, torch.channels_last_3d)):
        for memory_format in (form, torch.contiguous_format):
            x = draw((4, 3, 5, 5, 2)[: dimensions + 2], 0).contiguous(memory_format=memory_format)
            layer, _ = pair(dimensions, 3)
            for training in (True, False):
                y = layer.train(training)(z := x.clone().requires_grad_())
                # Upstream gradients come as they like; what goes down is laid out like the input.
                (dx,) = torch.autograd.grad(y, z, draw(x.shape, 1))
                assert y.is_contiguous(memory_format=memory_format)
                if training:
                    assert dx.is_contiguous(memory_format=memory_format)


def test_a_state_saved_before_minibatches_were_counted_loads_as_in_torch():
    old = {name: tensor for name, tensor in nn.BatchNorm1d(3).state_dict().items()}
    del old["num_batches_tracked"]  # and without the version that state_dict() attaches
    old["running_mean"] = torch.tensor([1.0, 2.0, 3.0])
    for net in (nn.Sequential(layers.BatchNorm1d(3)), nn.Sequential(nn.BatchNorm1d(3))):
        net(torch.randn(4, 3, generator=torch.Generator().manual_seed(0)))
        state = {f"0.{name}": tensor for name, tensor in old.items()}
        assert str(net.load_state_dict(state)) == "<All keys matched successfully>"
        assert net[0].running_mean.tolist() == [1, 2, 3]
        assert net[0].num_batches_tracked == 1
    untracked = layers.BatchNorm1d(3, track_running_stats=False)
    assert untracked.load_state_dict({"weight": old["weight"], "bias": old["bias"]})


@pytest.mark.parametrize(
    "options", [{}, {"affine": False}, {"track_running_stats": False}], ids=str
)
def test_missing_and_unexpected_keys_are_told_as_by_torch(options):
    answers = []
    for kind in (layers.BatchNorm1d, nn.BatchNorm1d):
        state = kind(3).state_dict()
        del state["num_batches_tracked"]  # in a state that says that it counts them
        state["gamma"] = state.pop("weight")
        answers.append(kind(3, **options).load_state_dict(state, strict=False))
        with pytest.raises(RuntimeError, match="gamma"):
            kind(3, **options).load_state_dict(state)
        with pytest.raises(RuntimeError, match="size mismatch"):
            kind(3).load_state_dict(kind(4).state_dict())
    assert answers[0] == answers[1]


def test_layers_of_one_type_take_inputs_of_that_type_as_torchs_do():
    kinds = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
    x = torch.arange(12).view(4, 3)
    for of_layer in kinds:
        for of_input in [*kinds, torch.int64, torch.complex64]:
            for training in (True, False):
                outcomes = []
                for kind in (layers.BatchNorm1d, nn.BatchNorm1d):
                    layer = kind(3, dtype=of_layer).train(training)
                    try:
                        outcomes.append(layer(x.to(of_input)).dtype)
                    except (RuntimeError, NotImplementedError) as error:
                        outcomes.append(type(error))
                assert outcomes[0] == outcomes[1], (of_layer, of_input, training)


def test_a_type_that_does_not_fit_is_told_with_the_way_out():
    with pytest.raises(RuntimeError, match=r"input is torch.float64, but the layer's weight is"):
        layers.BatchNorm1d(3)(draw((4, 3), 0))
    layer = layers.BatchNorm1d(3, affine=False)
    with pytest.raises(
        RuntimeError, match=r"running_mean is torch.float32; .* \.to\(torch.float64"
    ):
        layer(draw((4, 3), 0))
    assert layer.num_batches_tracked == 0


def test_pickled_copied_and_converted_layers_are_the_same_layer():
    layer, _ = pair(2, 3)
    layer(draw((4, 3, 2, 2), 0))
    x = draw((4, 3, 2, 2), 1)
    wanted = layer.eval()(x)
    for twin in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        assert repr(twin) == repr(layer)
        assert torch.equal(twin(x), wanted)
    single = copy.deepcopy(layer).float()
    assert single.running_var.dtype == torch.float32
    assert single.num_batches_tracked.dtype == torch.int64
    close(single(x.float()).double(), wanted, rtol=1e-5, atol=1e-5)
    half = copy.deepcopy(layer).half()
    assert {t.dtype for t in half.parameters()} == {half.running_mean.dtype} == {torch.float16}
    close(half(x.half()).double(), wanted, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_vmap_over_layers_is_as_each_alone(momentum):
    nets = [layers.BatchNorm1d(3, momentum=momentum, dtype=torch.float64) for _ in range(4)]
    for seed, net in enumerate(nets):
        nn.init.uniform_(net.weight, generator=torch.Generator().manual_seed(seed))
    parameters, buffers = torch.func.stack_module_state(nets)
    x = draw((4, 6, 3), 0)

    def call(parameters, buffers, x):
        return torch.func.functional_call(nets[0], (parameters, buffers), (x,))

    for _ in range(2):
        together = torch.func.vmap(call)(parameters, buffers, x)
        close(together, torch.stack([net(one) for net, one in zip(nets, x, strict=True)]))
    for name, stacked in buffers.items():
        close(stacked, torch.stack([net.get_buffer(name) for net in nets]))
