"""The alternatives as blocks: what each prepares, what a rate does, how domains are told."""

from functools import partial

import pytest
import torch
from torch import nn

from bnutils import data, perils
from bnutils.layers import BatchRenorm1d, FrozenBatchNorm1d
from bnutils.perils import ALTERNATIVES, alternatives, two_domains
from bnutils.randomness import seeds
from bnutils.seeds import SGD, Runs, classify

RUNS = seeds(3, "test of alternatives")


def net_of(name, **options):
    torch.manual_seed(25)
    return perils.classifier(ALTERNATIVES[name], **options)


def hidden(net, x):
    """What each block of the net returns, before its activation."""
    found = []
    for layer in net[:-1]:
        x = layer(x)
        if not isinstance(layer, nn.ReLU):
            found.append(x)
    return found


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_every_block_has_the_shape_that_it_is_asked_for_and_stacks(name):
    assert ALTERNATIVES[name](5, 8)(torch.randn(4, 5)).shape == (4, 8)
    runs = Runs(partial(perils.classifier, ALTERNATIVES[name]), RUNS)
    images, labels = data.digits()
    rows = data.splits(RUNS).train
    runs.fit(classify, (images[rows], labels[rows]), SGD(0.01), steps=3, batch_size=32)
    assert torch.isfinite(runs.predict(images[rows])).all()


@pytest.mark.parametrize("name", ["frozen batch norm", "none, fitted weights"])
def test_before_the_first_step_every_unit_is_normalized_over_some_digits(name):
    net = net_of(name, hidden=3).train()
    for output in hidden(net, alternatives.some_digits()):
        torch.testing.assert_close(output.mean(0), torch.zeros(32), atol=0.01, rtol=0)
        torch.testing.assert_close(output.std(0), torch.ones(32), atol=0.01, rtol=0)


def test_a_frozen_net_stays_frozen_from_its_first_step():
    net = net_of("frozen batch norm").train()
    layers = [layer for layer in net.modules() if isinstance(layer, FrozenBatchNorm1d)]
    before = [layer.running_mean.clone() for layer in layers]
    assert all(layer.frozen for layer in layers)
    net(torch.randn(8, 64))
    for layer, mean in zip(layers, before, strict=True):
        assert torch.equal(layer.running_mean, mean)


def test_batch_renorm_opens_its_limits_as_it_counts_minibatches():
    runs = Runs(partial(perils.classifier, perils.alternatives.batch_renorm), RUNS)
    layers = [layer for layer in runs.modules() if isinstance(layer, BatchRenorm1d)]
    seen = {}
    for step in range(60):
        runs.train()(torch.rand(3, 8, 64))
        seen[step] = [(layer.rmax, layer.dmax) for layer in layers]
    assert len(layers) == 2
    assert seen[5] == [(1, 0)] * 2
    assert all(1 < rmax < 3 and 0 < dmax < 5 for rmax, dmax in seen[15])
    assert seen[59] == [(3, 5)] * 2


def test_a_domain_norm_in_a_peril_of_one_kind_is_batch_norm():
    for peril in (perils.single.PERIL, perils.stale.PERIL):
        own = peril.harm(ALTERNATIVES["domain batch norm"], RUNS)
        torch.testing.assert_close(own, peril.harm(perils.batch_norm, RUNS))


def test_two_passes_tell_a_domain_norm_which_is_which():
    net = Runs(partial(perils.classifier, ALTERNATIVES["domain batch norm"]), RUNS)
    a, b = torch.rand(3, 8, 64), 5 + torch.rand(3, 8, 64)
    net.train()
    two_domains.two_passes(net, a, b)
    norm = net.net.get_submodule("0.1").layer
    assert [own.num_batches_tracked.item() for own in norm.domains] == [1, 1]
    assert not torch.equal(norm.domains[0].running_mean, norm.domains[1].running_mean)
    two_domains.merged(net, a, b)
    assert [own.num_batches_tracked.item() for own in norm.domains] == [2, 1]
    assert norm.domain == 0


@pytest.mark.parametrize("peril", perils.PERILS, ids=lambda peril: peril.name)
def test_a_rate_multiplies_the_perils_own(peril, monkeypatch):
    used = []

    def record(self, step, examples, optimizer, **options):
        used.append(optimizer.lr.item())
        return self.eval()

    monkeypatch.setattr(Runs, "fit", record)
    for rate in (1, 0.1):
        peril.harm(perils.batch_norm, RUNS, rate)
    half = len(used) // 2
    assert used[half:] == pytest.approx([0.1 * lr for lr in used[:half]])
    used.clear()
    peril.harm(perils.batch_norm, RUNS)
    assert used == used[:half] * (len(used) // half)


def test_no_name_is_both_run_and_said_not_to_apply():
    assert not set(ALTERNATIVES) & set(perils.DOES_NOT_APPLY)
    assert next(iter(ALTERNATIVES)) == "batch norm"
