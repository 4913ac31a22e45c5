"""Stored statistics: re-estimated, done without, and their drift, on ordinary and stacked nets."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.swa_utils import update_bn

from bnutils import layers, statistics
from bnutils.layers import on_domain
from bnutils.seeds import SGD, Runs, classify

tight = {"rtol": 1e-10, "atol": 1e-10}


def net(norm=nn.BatchNorm1d):
    return nn.Sequential(nn.Linear(3, 4), norm(4), nn.ReLU(), nn.Linear(4, 4), norm(4))


def seeded(norm=nn.BatchNorm1d):
    torch.manual_seed(0)
    return net(norm).double()


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 1 + 2 * torch.randn(shape, generator=generator, dtype=torch.float64)


def state(module):
    return copy.deepcopy(module.state_dict())


def assert_same(a, b):
    assert list(a) == list(b)
    for name, tensor in a.items():
        torch.testing.assert_close(tensor, b[name], rtol=0, atol=0, equal_nan=True)


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.lists(st.integers(2, 9), min_size=1, max_size=4),
    norm=st.sampled_from([nn.BatchNorm1d, layers.BatchNorm1d]),
)
def test_reestimate_is_torchs_update_bn(sizes, norm):
    ours, torchs = seeded(norm), seeded()
    batches = [draw(size, 3, seed=i) for i, size in enumerate(sizes)]
    statistics.reestimate(ours, batches)
    update_bn(batches, torchs)
    for name, tensor in ours.state_dict().items():
        torch.testing.assert_close(tensor, torchs.state_dict()[name], **tight)


def test_one_minibatch_of_all_the_data_gives_the_datas_own_statistics():
    module, x = seeded(), draw(50, 3)
    statistics.reestimate(module, x)
    h = module[0](x)
    torch.testing.assert_close(module[1].running_mean, h.mean(0), **tight)
    torch.testing.assert_close(module[1].running_var, h.var(0), **tight)
    # The next layer receives what evaluation would send it, up to the unbiased variance.
    found = statistics.stored(module)
    assert list(found) == ["1", "4"]
    assert torch.equal(found["4"].mean, module[4].running_mean)
    found["4"].mean.zero_()
    assert module[4].running_mean.any()


def test_on_stacked_nets_every_run_gets_what_it_would_alone():
    runs = Runs(net, [1, 2, 3], "cpu").double()
    x = draw(3, 20, 3)
    singles = [runs.extract(i) for i in range(3)]
    statistics.reestimate(runs, [x, 1 - x])
    for i, single in enumerate(singles):
        statistics.reestimate(single, [x[i], 1 - x[i]])
        theirs = single.state_dict()
        for name, tensor in runs.extract(i).state_dict().items():
            torch.testing.assert_close(tensor, theirs[name], **tight)


def test_on_an_unknown_layer_that_holds_batch_norm_it_works_as_well():
    class Residual(nn.Sequential):
        def forward(self, x):
            return x + super().forward(x)

    def with_residual():
        return nn.Sequential(nn.Linear(3, 4), Residual(nn.Linear(4, 4), nn.BatchNorm1d(4)))

    runs = Runs(with_residual, [1, 2], "cpu").double()
    x = draw(2, 20, 3)
    kept = state(runs)
    estimated = statistics.estimate(runs, x)
    assert_same(state(runs), kept)
    for i in range(2):
        (alone,) = statistics.estimate(runs.extract(i), x[i]).values()
        (together,) = estimated.values()
        torch.testing.assert_close(together.mean.view(2, 4)[i], alone.mean, **tight)
        torch.testing.assert_close(together.var.view(2, 4)[i], alone.var, **tight)


def test_everything_but_batch_norm_is_in_evaluation_mode_and_modes_and_momenta_come_back():
    module = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(3, momentum=0.3), nn.BatchNorm1d(3))
    module.double().train()
    module[2].eval()
    modes = [m.training for m in module.modules()]
    x = draw(20, 3)
    statistics.reestimate(module, x)
    torch.testing.assert_close(module[1].running_mean, x.mean(0), **tight)
    assert [m.training for m in module.modules()] == modes
    assert module[1].momentum == 0.3
    assert not module[1].weight.grad_fn


def test_poison_is_washed_out():
    module = seeded()
    module[1].running_mean.fill_(torch.nan)
    module[1].running_var.fill_(torch.inf)
    statistics.reestimate(module, draw(20, 3))
    assert all(tensor.isfinite().all() for tensor in module.state_dict().values())


def test_layers_that_no_minibatch_reaches_keep_their_statistics():
    module = seeded(lambda features: layers.DomainBatchNorm1d(features))
    for domain in (0, 1):
        with on_domain(module, domain):
            module(draw(20, 3, seed=domain))
    before = state(module)
    with on_domain(module, 1):
        statistics.reestimate(module, draw(20, 3, seed=5))
    after = state(module)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {
        f"{i}.domains.1.running_{which}" for i in (1, 4) for which in ("mean", "var")
    }


def test_a_failed_pass_leaves_everything_as_it_was():
    module = seeded().train()
    module(draw(20, 3))
    before = state(module)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        statistics.reestimate(module, [draw(20, 3), draw(20, 2)])
    assert_same(state(module), before)
    assert module[1].momentum == 0.1
    with pytest.raises(ValueError, match="batches is empty"):
        statistics.reestimate(module, [])
    assert_same(state(module), before)
    assert module.training
    with pytest.raises(ValueError, match="no layer of this net stores statistics"):
        statistics.reestimate(seeded(nn.Identity), draw(20, 3))


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, layers.BatchNorm1d])
@pytest.mark.parametrize("training", [True, False])
def test_from_batch_normalizes_by_the_batch_and_stores_nothing(norm, training):
    module = seeded(norm)
    x = draw(20, 3)
    expected = copy.deepcopy(module).train()(x)
    module.train(training)
    module[1].running_mean.fill_(7)
    before, buffers = state(module), dict(module.named_buffers())
    with statistics.from_batch(module):
        output = module(x)
    torch.testing.assert_close(output, expected, **tight)
    assert_same(state(module), before)
    assert all(buffer is buffers[name] for name, buffer in module.named_buffers())
    assert module.training == training
    with pytest.raises(KeyError), statistics.from_batch(module):
        raise KeyError
    assert_same(state(module), before)


def test_from_batch_leaves_dropout_in_its_mode():
    module = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5)).double().eval()
    with statistics.from_batch(module):
        assert (module(draw(20, 3)) != 0).all()


@settings(max_examples=20, deadline=None)
@given(shift=st.floats(-3, 3), scale=st.floats(0.1, 10))
def test_drift_is_in_standard_deviations_and_log_variances(shift, scale):
    module, x = seeded(), draw(40, 3)
    statistics.reestimate(module, x)
    exact = statistics.stored(module)
    module[1].running_mean += shift * exact["1"].var.sqrt()
    module[1].running_var *= scale
    before = state(module)
    found = statistics.drift(module, x)
    assert_same(state(module), before)
    ones = torch.ones(4, dtype=torch.float64)
    torch.testing.assert_close(found["1"].mean, shift * ones)
    torch.testing.assert_close(
        found["1"].log_var, torch.tensor(scale).log() * ones, atol=1e-6, rtol=0
    )
    torch.testing.assert_close(found["4"].mean, 0 * ones)
    torch.testing.assert_close(found["4"].log_var, 0 * ones)


def test_the_drift_of_a_dead_channel_is_nought_or_infinite():
    module = seeded()
    with torch.no_grad():
        module[0].weight[2].zero_()
        module[0].bias[2] = 0
    x = draw(40, 3)
    fresh = statistics.drift(module, x)["1"]
    assert fresh.mean[2] == 0
    assert fresh.log_var[2] == torch.inf
    statistics.reestimate(module, x)
    right = statistics.drift(module, x)["1"]
    assert right.mean[2] == right.log_var[2] == 0
    module[1].running_mean[2] = -1
    assert statistics.drift(module, x)["1"].mean[2] == -torch.inf


def test_poisoned_statistics_have_infinite_drift():
    module, x = seeded(), draw(40, 3)
    module[1].running_mean[0] = torch.nan
    module[1].running_var[1] = torch.nan
    found = statistics.drift(module, x)["1"]
    assert found.mean[0] == torch.inf
    assert found.log_var[1] == torch.inf


def test_estimate_leaves_the_net_as_it_was():
    module, x = seeded(), draw(40, 3)
    before = state(module)
    found = statistics.estimate(module, x)
    assert_same(state(module), before)
    statistics.reestimate(module, x)
    for name, (mean, var) in statistics.stored(module).items():
        assert torch.equal(found[name].mean, mean)
        assert torch.equal(found[name].var, var)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        statistics.estimate(module, draw(40, 2))


def test_evaluation_comes_back_to_every_modules_own_mode():
    module = seeded().train()
    module[1].eval()
    with statistics.evaluation(module):
        assert not any(m.training for m in module.modules())
    with pytest.raises(KeyError), statistics.evaluation(module):
        raise KeyError
    assert [m.training for m in module.modules()] == [True, True, False, True, True, True]


def test_layers_that_store_nothing_are_no_layers_here():
    module = nn.Sequential(nn.BatchNorm1d(3, track_running_stats=False), nn.LayerNorm(3))
    assert statistics.layers(module) == {}
    assert statistics.stored(module) == {}
    with statistics.from_batch(module):
        module(draw(4, 3).float())


def test_training_a_stacked_net_within_from_batch_stores_nothing():
    runs = Runs(net, [1, 2], "cpu").double()
    x = draw(2, 30, 3)
    with statistics.from_batch(runs):
        runs.fit(classify, (x, (x[..., 0] > 1).long()), SGD(0.1), steps=3, batch_size=8)
    assert not runs.net[1].layer.running_mean.any()
    assert runs.net[1].layer.num_batches_tracked == 0
