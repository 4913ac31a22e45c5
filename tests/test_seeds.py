"""Many runs in one pass: every run is what it would have been alone, and none meets another."""

import copy
import math
from functools import partial
from itertools import islice

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import bnutils
from bnutils import data, layers, statistics
from bnutils.seeds import (
    SGD,
    Adam,
    Runs,
    accuracy,
    classify,
    constant,
    cosine,
    cross_entropy,
    grid,
)
from tests.devices import needs_cuda

STEPS = 50
# Always the same examples: chaos in a net must not fail a build once in a thousand times.
few = settings(max_examples=3, deadline=None, derandomize=True)


def mlp(norm, inputs=5, width=6, outputs=3, act=nn.ReLU):
    """A factory of small MLPs with the named norm."""
    make = {
        "none": nn.Identity,
        "batch": lambda: nn.BatchNorm1d(width),
        # A few values of one example may be nearly equal; a large eps keeps rounding small.
        "group": lambda: nn.GroupNorm(2, width, eps=0.01),
        "layer": lambda: nn.LayerNorm(width, eps=0.01),
        "ours": lambda: layers.BatchNorm1d(width, momentum=None),
    }[norm]
    return lambda: nn.Sequential(
        nn.Linear(inputs, width),
        make(),
        act(),
        nn.Linear(width, width, bias=norm == "none"),
        make(),
        act(),
        nn.Linear(width, outputs),
    )


def cnn(norm, channels=4, outputs=3, act=nn.ReLU, pool=nn.MaxPool2d):
    """A factory of small CNNs on flat images of 1x4x4 with the named norm."""
    make = {
        "none": lambda c: nn.Identity(),
        "batch": nn.BatchNorm2d,
        "group": lambda c: nn.GroupNorm(2, c),
        "layer": lambda c: nn.LayerNorm([c, 4, 4]),
        "ours": layers.BatchNorm2d,
    }[norm]
    return lambda: nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)),
        nn.Conv2d(1, channels, 3, padding=1),
        make(channels),
        act(),
        nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False),
        make(2 * channels),
        act(),
        pool(2),
        nn.Flatten(),
        nn.Linear(8 * channels, outputs),
    )


def examples(runs, n, features, classes=3, seed=0, dtype=torch.float64):
    """Random inputs (runs, n, features) and labels (runs, n) that depend on them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(runs, n, features, generator=generator, dtype=dtype)
    x = 1 + x * torch.rand(features, generator=generator, dtype=dtype)
    return x, (x[..., :classes] - 1).argmax(-1)


def alone(net, seed, x, y, optimizer, steps=STEPS, batch_size=8, schedule=constant, step=None):
    """What the engine does for one run, in the words of any PyTorch tutorial."""
    torch.manual_seed(seed)
    net = net().to(x.dtype)
    optimizer = optimizer(net.parameters())
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: schedule(done / steps))
    for (chosen,) in islice(data.minibatches(len(x), batch_size, [seed]), steps):
        optimizer.zero_grad()
        loss = (
            step(net, x[chosen], y[chosen]) if step else F.cross_entropy(net(x[chosen]), y[chosen])
        )
        loss.backward()
        optimizer.step()
        rate.step()
    return net


def assert_equal_nets(got, expected, x, tolerance):
    """Same state, running statistics included, same outputs in evaluation and in training."""
    theirs = expected.state_dict()
    assert list(got.state_dict()) == list(theirs)
    for name, tensor in got.state_dict().items():
        torch.testing.assert_close(tensor, theirs[name], rtol=tolerance, atol=tolerance)
    for training in (False, True):
        outputs = got.train(training)(x), expected.train(training)(x)
        torch.testing.assert_close(*outputs, rtol=tolerance, atol=tolerance)


# The engine's optimizer and torch's, both still without a learning rate. Where the true gradient is
# zero (a bias before batch norm) Adam divides rounding by itself, hence its large eps.
OPTIMIZERS = {
    name: (partial(ours, **options), partial(theirs, **options))
    for name, ours, theirs, options in [
        ("sgd", SGD, torch.optim.SGD, {}),
        ("momentum", SGD, torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.01}),
        ("adam", Adam, torch.optim.Adam, {"betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.01}),
    ]
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("norm", ["none", "batch", "group", "layer", "ours"])
@few
@given(
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3),
    width=st.sampled_from([8, 14, 20]),
    inputs=st.integers(4, 9),
    batch_size=st.integers(8, 16),
    act=st.sampled_from([nn.ReLU, nn.Tanh, nn.Sigmoid]),
    schedule=st.sampled_from([constant, cosine, lambda progress: 1 / (1 + 9 * progress)]),
    lr=st.sampled_from([0.003, 0.01]),
)
def test_an_mlp_trains_as_it_would_alone(
    norm, optimizer, seeds, width, inputs, batch_size, act, schedule, lr
):
    net = mlp(norm, inputs, width, act=act)
    stacked, ordinary = OPTIMIZERS[optimizer]
    x, y = examples(len(seeds), 30, inputs)
    rates = [lr * (1 + i) for i in range(len(seeds))]
    training = {"steps": STEPS, "batch_size": batch_size, "schedule": schedule}
    runs = Runs(net, seeds, "cpu").double().fit(classify, (x, y), stacked(rates), **training)
    for i, seed in enumerate(seeds):
        expected = alone(net, seed, x[i], y[i], partial(ordinary, lr=rates[i]), **training)
        assert_equal_nets(runs.extract(i), expected, x[i], 1e-10)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("norm", ["none", "batch", "group", "layer", "ours"])
@settings(few, max_examples=2)
@given(
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=2),
    channels=st.sampled_from([4, 6]),
    batch_size=st.integers(4, 8),
)
def test_a_cnn_trains_as_it_would_alone(norm, optimizer, seeds, channels, batch_size):
    net = cnn(norm, channels)
    stacked, ordinary = OPTIMIZERS[optimizer]
    x, y = examples(len(seeds), 30, 16)
    runs = Runs(net, seeds, "cpu").double()
    runs.fit(classify, (x, y), stacked(0.02), steps=STEPS, batch_size=batch_size)
    for i, seed in enumerate(seeds):
        expected = alone(net, seed, x[i], y[i], partial(ordinary, lr=0.02), batch_size=batch_size)
        assert_equal_nets(runs.extract(i), expected, x[i], 1e-10)


@pytest.mark.parametrize("norm", ["none", "batch", "group", "layer"])
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_sgd_in_single_precision_stays_within_1e_4(kind, norm):
    # Smooth nets only: where a ReLU's input or two pooled values agree to the last bit, rounding
    # decides which way the gradient goes, and in single precision that happens.
    seeds, momentum = [3, 4], {"lr": 0.05, "momentum": 0.9}
    images, labels = data.digits()
    chosen = data.splits(seeds).train
    x, y = images[chosen], labels[chosen]
    net = mlp(norm, 64, 32, 10, nn.Tanh)
    if kind == "cnn":
        net = cnn(norm, 8, 10, nn.Tanh, nn.AvgPool2d)
        x = x.view(2, -1, 8, 8)[..., 2:6, 2:6].flatten(2)
    runs = Runs(net, seeds, "cpu")
    runs.fit(classify, (x, y), SGD(**momentum), steps=STEPS, batch_size=64)
    for i, seed in enumerate(seeds):
        optimizer = partial(torch.optim.SGD, **momentum)
        expected = alone(net, seed, x[i], y[i], optimizer, batch_size=64)
        assert_equal_nets(runs.extract(i), expected, x[i], 1e-4)


@needs_cuda
@pytest.mark.parametrize("norm", ["none", "batch", "group", "layer", "ours"])
@pytest.mark.parametrize("make", [mlp, cnn])
def test_on_cuda_the_same_runs_come_out(make, norm):
    x, y = examples(2, 30, 5 if make is mlp else 16)
    training = {"steps": 10, "batch_size": 8, "schedule": cosine}
    there, here = (
        Runs(make(norm), [1, 2], device)
        .double()
        .fit(classify, (x, y), SGD([0.01, 0.02], momentum=0.9), **training)
        for device in ("cuda", "cpu")
    )
    for name, tensor in there.state_dict().items():
        assert tensor.is_cuda
        torch.testing.assert_close(tensor.cpu(), here.state_dict()[name], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(there.predict(x).cpu(), here.predict(x), rtol=1e-9, atol=1e-9)
    assert accuracy(there.predict(x), y).tolist() == accuracy(here.predict(x), y).tolist()
    assert there.extract(0)(x[0].cuda()).is_cuda
    if norm in ("batch", "ours"):
        statistics.reestimate(there, x)


def by_halves(net, x, y):
    """A caller's own step: two passes through one net, two losses."""
    half = x.shape[-2] // 2
    first, second = x[..., :half, :], 1 - x[..., half:, :]
    if isinstance(net, Runs):
        return cross_entropy(net(first), y[:, :half]) + 2 * cross_entropy(net(second), y[:, half:])
    return F.cross_entropy(net(first), y[:half]) + 2 * F.cross_entropy(net(second), y[half:])


def by_domains(net, x, y):
    """Another one: each half is a domain of its own, with statistics of its own."""
    half = x.shape[-2] // 2
    loss = cross_entropy if isinstance(net, Runs) else F.cross_entropy
    with layers.on_domain(net, 0):
        first = loss(net(x[..., :half, :]), y[..., :half])
    with layers.on_domain(net, 1):
        second = loss(net(1 - x[..., half:, :]), y[..., half:])
    return first + second


@pytest.mark.parametrize("shared_affine", [False, True, None])
def test_a_step_of_the_callers_with_several_batches_and_losses(shared_affine):
    def net():
        norm = (
            nn.BatchNorm1d(6)
            if shared_affine is None
            else layers.DomainBatchNorm1d(6, shared_affine=shared_affine)
        )
        return nn.Sequential(nn.Linear(5, 6), norm, nn.ReLU(), nn.Linear(6, 3))

    step = by_halves if shared_affine is None else by_domains
    x, y = examples(2, 30, 5)
    optimizer = SGD(0.05, momentum=0.9)
    runs = Runs(net, [1, 2], "cpu").double()
    runs.fit(step, (x, y), optimizer, steps=STEPS, batch_size=8)
    for i in range(2):
        optimizer = partial(torch.optim.SGD, lr=0.05, momentum=0.9)
        expected = alone(net, i + 1, x[i], y[i], optimizer, step=step)
        theirs = expected.state_dict()
        for name, tensor in runs.extract(i).state_dict().items():
            torch.testing.assert_close(tensor, theirs[name], rtol=1e-10, atol=1e-10)


class Scale(nn.Module):
    """A layer that the engine has never heard of: its parameter has no channel dimension."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(()) + 1)
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x):
        self.calls.add_(1)
        return self.weight * x / (1 + x.square().mean(-1, keepdim=True))


class Residual(nn.Sequential):
    """A container with a forward pass of its own."""

    def forward(self, x):
        return x + super().forward(x)


class Centred(nn.Sequential):
    """A container that looks at the examples' dimension: stacked part by part it would go wrong."""

    def forward(self, x):
        h = super().forward(x)
        return h - h.mean(0)


class StackableResidual(Residual):
    stackable = True


class UnitRows(nn.Module):
    """A parametrization: every row of the weight has length one."""

    def forward(self, weight):
        return weight / weight.norm(dim=1, keepdim=True)


class Averaged(nn.Module):
    """A whole net with a forward pass of its own, on inputs (B, T, F)."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(5, 3)
        self.layer = nn.BatchNorm1d(3)

    def forward(self, x):
        return self.layer(self.lin(x).mean(1))


def body():
    return nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Sequential(nn.Linear(6, 6))


@pytest.mark.parametrize(
    "middle",
    [
        Scale,
        lambda: Residual(*body()),
        lambda: Centred(*body()),
        lambda: StackableResidual(*body()),
        lambda: nn.utils.parametrize.register_parametrization(
            nn.Linear(6, 6), "weight", UnitRows()
        ),
        lambda: nn.LayerNorm(6, bias=False),
        lambda: nn.LayerNorm(6, elementwise_affine=False),
        lambda: nn.BatchNorm1d(6, affine=False, momentum=None),
        lambda: nn.BatchNorm1d(6, track_running_stats=False),
        lambda: nn.Sequential(nn.Unflatten(1, (2, 1, 3)), nn.InstanceNorm2d(2), nn.Flatten()),
        lambda: nn.Sequential(nn.Unflatten(1, (2, 1, 3)), nn.Softmax2d(), nn.Flatten()),
    ],
    ids=[
        "any layer",
        "any container",
        "a container that mixes examples",
        "a stackable container",
        "parametrization",
        "layer norm without bias",
        "layer norm without affine",
        "batch norm without affine",
        "batch norm without statistics",
        "instance norm",
        "any layer on images",
    ],
)
def test_any_other_layer_trains_as_it_would_alone(middle):
    def net():
        return nn.Sequential(nn.Linear(5, 6), middle(), nn.Linear(6, 3))

    x, y = examples(2, 30, 5)
    runs = Runs(net, [1, 2], "cpu").double()
    runs.fit(classify, (x, y), SGD(0.05, momentum=0.9), steps=STEPS, batch_size=8)
    for i in range(2):
        optimizer = partial(torch.optim.SGD, lr=0.05, momentum=0.9)
        expected = alone(net, i + 1, x[i], y[i], optimizer)
        assert_equal_nets(runs.extract(i), expected, x[i], 1e-10)


def test_a_net_that_is_no_sequential_takes_inputs_of_any_shape():
    x = examples(2, 30, 20)[0].unflatten(-1, (4, 5))
    y = x[..., 0, :3].argmax(-1)
    runs = Runs(Averaged, [1, 2], "cpu").double()
    runs.fit(classify, (x, y), SGD(0.05), steps=STEPS, batch_size=8)
    for i in range(2):
        expected = alone(Averaged, i + 1, x[i], y[i], partial(torch.optim.SGD, lr=0.05))
        assert_equal_nets(runs.extract(i), expected, x[i], 1e-10)


@pytest.mark.parametrize("norm", ["none", "batch", "group", "layer", "ours"])
@pytest.mark.parametrize("make", [mlp, cnn])
@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_a_run_that_diverges_does_not_touch_the_others(make, norm, optimizer):
    x, y = examples(3, 30, 5 if make is mlp else 16)
    x[1, 7] = torch.nan

    def train(x):
        runs = Runs(make(norm), [1, 2, 3], "cpu").double()
        return runs.fit(classify, (x, y), optimizer([0.01, 0.02, 0.03]), steps=20, batch_size=8)

    broken, healthy = train(x), train(x.nan_to_num())
    assert broken.loss[1].isnan()
    for i in (0, 2):
        pairs = zip(
            broken.extract(i).state_dict().values(),
            healthy.extract(i).state_dict().values(),
            strict=True,
        )
        assert all(torch.equal(a, b) for a, b in pairs)
    assert all(p.isnan().any() for p in broken.extract(1).parameters())


def test_runs_begin_as_manual_seed_and_the_factory_say():
    before = torch.get_rng_state()
    runs = Runs(mlp("batch"), [5, 6], "cpu")
    assert torch.equal(torch.get_rng_state(), before)
    for i, seed in enumerate([5, 6]):
        torch.manual_seed(seed)
        expected = mlp("batch")().state_dict()
        for name, tensor in runs.extract(i).state_dict().items():
            assert torch.equal(tensor, expected[name])
    assert not torch.equal(runs.extract(0)[0].weight, runs.extract(1)[0].weight)


def test_predict_is_evaluation_and_keeps_the_mode_and_the_statistics():
    runs = Runs(mlp("batch"), [1, 2], "cpu")
    x, _ = examples(2, 30, 5, dtype=torch.float32)
    runs.fit(classify, (x, examples(2, 30, 5)[1]), SGD(0.1), steps=5, batch_size=8)
    runs.train()
    runs.net[1].eval()
    state = copy.deepcopy(runs.state_dict())
    outputs = runs.predict(x)
    assert not outputs.requires_grad
    assert runs.training
    assert not runs.net[1].training
    assert all(torch.equal(state[name], tensor) for name, tensor in runs.state_dict().items())
    assert torch.equal(outputs, runs.eval()(x))
    with statistics.from_batch(runs):
        assert not torch.allclose(runs.predict(x), outputs)


def test_extract_keeps_modes_counts_from_the_end_and_shares_no_memory():
    runs = Runs(mlp("batch"), [1, 2], "cpu").eval()
    runs.net[1].train()
    net = runs.extract(-1)
    assert not net.training
    assert net[1].training
    assert torch.equal(net[0].weight, runs.extract(1)[0].weight)
    with torch.no_grad():
        net[0].weight.zero_()
    assert runs.extract(1)[0].weight.any()
    with pytest.raises(IndexError):
        runs.extract(2)


def test_frozen_parameters_stay_and_parameters_without_gradient_are_left_alone():
    def net():
        parts = nn.Sequential(nn.Linear(5, 6), layers.DomainBatchNorm1d(6), nn.Linear(6, 3))
        parts[0].weight.requires_grad_(False)
        return parts

    def first_domain_only(runs, x, y):
        with layers.on_domain(runs, 0):
            return classify(runs, x, y)

    x, y = examples(2, 30, 5, dtype=torch.float32)
    runs = Runs(net, [1, 2], "cpu")
    before = runs.extract(0).state_dict()
    runs.fit(first_domain_only, (x, y), SGD(0.1, weight_decay=0.1), steps=3, batch_size=8)
    changed = {
        name for name, t in runs.extract(0).state_dict().items() if not torch.equal(t, before[name])
    }
    assert not changed & {"0.weight", "1.domains.1.weight", "1.domains.1.running_mean"}
    assert changed >= {"0.bias", "1.domains.0.weight", "1.domains.0.running_mean", "2.weight"}


def test_two_nets_can_play_against_each_other():
    """As a GAN does: one's loss passes through the other and moves only the one."""
    players = Runs(mlp("none", 5, outputs=5), [1, 2], "cpu")
    critics = Runs(mlp("batch", 5, outputs=1), [3, 4], "cpu")
    x, _ = examples(2, 8, 5, dtype=torch.float32)
    before = copy.deepcopy(critics.state_dict())
    players.descend(critics(players(x)).mean((1, 2)), SGD(0.1))
    assert players.net[0].weight.grad.any()
    assert all(
        torch.equal(before[name], parameter) for name, parameter in critics.named_parameters()
    )


def test_dropout_draws_from_each_runs_own_stream():
    def net():
        return nn.Sequential(nn.Linear(5, 40), nn.Dropout(0.25), nn.Linear(40, 3))

    x, y = examples(3, 30, 5, dtype=torch.float32)
    before = torch.get_rng_state()
    train = {"steps": 5, "batch_size": 8}
    three = Runs(net, [1, 2, 3], "cpu").fit(classify, (x, y), SGD(0.1), **train)
    one = Runs(net, [2], "cpu").fit(classify, (x[1:2], y[1:2]), SGD(0.1), **train)
    assert torch.equal(torch.get_rng_state(), before)
    torch.testing.assert_close(three.extract(1).state_dict(), one.extract(0).state_dict())

    layer = three.net[1].train()
    ones = torch.ones(3, 50, 400)
    dropped = layer(ones)
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (dropped == 0).double().mean((1, 2)).tolist() == pytest.approx([0.25] * 3, abs=0.02)
    assert not torch.equal(dropped[0], dropped[1])
    assert torch.equal(layer.eval()(ones), ones)


def test_records_are_taken_in_evaluation_mode_before_every_so_often_and_after():
    x, y = examples(2, 30, 5, dtype=torch.float32)
    modes = []

    def record(runs):
        modes.append(runs.training)
        return {"accuracy": accuracy(runs.predict(x), y), "loss": runs.loss}

    runs = Runs(mlp("batch"), [1, 2], "cpu")
    runs.fit(classify, (x, y), SGD(0.1), steps=7, batch_size=8, record=record, every=3)
    assert runs.history.steps == [0, 3, 6, 7]
    assert runs.history.values["accuracy"].shape == (4, 2)
    assert runs.history.values["loss"][0].isnan().all()
    assert torch.equal(runs.history.values["loss"][-1], runs.loss)
    assert torch.equal(runs.history.values["accuracy"][-1], accuracy(runs.predict(x), y))
    assert modes == [False] * 4
    assert not runs.training


def test_a_record_changes_nothing_in_the_training():
    x, y = examples(2, 30, 5, dtype=torch.float32)

    def train(**recording):
        runs = Runs(mlp("batch"), [1, 2], "cpu")
        return runs.fit(classify, (x, y), SGD(0.1), steps=7, batch_size=8, **recording)

    plain, watched = train(), train(record=lambda runs: runs.predict(x).mean((1, 2)), every=2)
    assert plain.history.steps == []
    assert watched.history.steps == [0, 2, 4, 6, 7]
    for name, tensor in watched.state_dict().items():
        assert torch.equal(tensor, plain.state_dict()[name])


def test_a_step_may_find_its_own_data():
    drawn = torch.Generator().manual_seed(0)

    def step(runs):
        x = torch.randn(2, 8, 5, generator=drawn)
        return cross_entropy(runs(x), (x[..., 0] > 0).long())

    runs = Runs(mlp("batch"), [1, 2], "cpu").fit(step, (), SGD(0.1), steps=3)
    assert runs.net[1].layer.num_batches_tracked == 3


def test_grid_pairs_every_seed_with_every_rate():
    seeds, rates = grid([7, 8], [0.1, 1.0, 10.0])
    assert seeds == [7, 8, 7, 8, 7, 8]
    assert (
        torch.tensor(rates).view(3, 2).tolist()
        == torch.tensor([[0.1, 0.1], [1.0, 1.0], [10.0, 10.0]]).tolist()
    )


def test_losses_and_accuracies_are_torchs_run_by_run():
    logits = torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(4, (3, 8), generator=torch.Generator().manual_seed(1))
    expected = [F.cross_entropy(a, b) for a, b in zip(logits, labels, strict=True)]
    torch.testing.assert_close(cross_entropy(logits, labels), torch.stack(expected))
    right = [(a.argmax(1) == b).sum() / 8 for a, b in zip(logits, labels, strict=True)]
    assert accuracy(logits, labels).tolist() == [float(share) for share in right]
    assert accuracy(logits, labels[0])[0] == accuracy(logits, labels)[0]


def test_schedules():
    assert constant(0.3) == 1
    assert cosine(0) == 1
    assert cosine(0.5) == pytest.approx(0.5)
    assert cosine(1) == pytest.approx(0)
    assert cosine(0.25) == pytest.approx((1 + math.sqrt(0.5)) / 2)


def test_the_device_is_the_courses(monkeypatch):
    monkeypatch.setattr(bnutils, "device", lambda: torch.device("meta"))
    assert Runs(mlp("none"), [1]).device.type == "meta"


def test_bad_input_is_told_what_would_be_right():
    x, y = examples(2, 30, 5, dtype=torch.float32)
    runs = Runs(mlp("batch"), [1, 2], "cpu")
    with pytest.raises(ValueError, match=r"shape \(30, 5\); its first .* 2. .* x.expand\(2, \*x"):
        runs(x[0])
    with pytest.raises(ValueError, match=r"must be \(runs, batch, features\) or"):
        runs(x.unsqueeze(1))
    with pytest.raises(ValueError, match=r"loss has shape \(\); it must be .* shape \(2,\)"):
        runs.descend(F.cross_entropy(runs(x).flatten(0, 1), y.flatten()), SGD(0.1))
    with pytest.raises(ValueError, match=r"3 learning rates for 2 runs"):
        runs.fit(classify, (x, y), SGD([0.1, 0.2, 0.3]), steps=1, batch_size=8)
    with pytest.raises(ValueError, match=r"shapes \[\(2, 30, 5\), \(2, 29\)\]; each must begin"):
        runs.fit(classify, (x, y[:, :29]), SGD(0.1), steps=1)
    with pytest.raises(ValueError, match="batch_size is 64; it must be from 1 to the 30"):
        runs.fit(classify, (x, y), SGD(0.1), steps=1)
    with pytest.raises(ValueError, match="at least 0"):
        SGD(-0.1)
    with pytest.raises(ValueError, match="seeds is empty"):
        Runs(mlp("none"), [])
    sizes = iter([4, 5])
    with pytest.raises(ValueError, match="another net for seed 2 than for seed 1"):
        Runs(lambda: nn.Sequential(nn.Linear(3, next(sizes))), [1, 2])
