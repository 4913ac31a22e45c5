"""The statistics that batch norm stores: re-estimate them, do without them, read their drift.

Everything here works on any module: an ordinary net, or the stacked one of `bnutils.seeds`, whose
layers hold the channels of all runs one run after the other. A layer counts as one that stores
statistics if it has the buffers ``running_mean`` and ``running_var``, as torch's and ours have.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Statistics(NamedTuple):
    """A layer's mean and variance per channel, each of shape (C,)."""

    mean: Tensor
    var: Tensor


class Drift(NamedTuple):
    """How far stored statistics are from the data's, per channel, each of shape (C,).

    ``mean`` is (stored mean - mean) / standard deviation; ``log_var`` is log(stored variance /
    variance). Both are 0 where the stored statistics are right.
    """

    mean: Tensor
    log_var: Tensor


def layers(net: nn.Module) -> dict[str, nn.Module]:
    """The layers of ``net`` that store statistics, by name, in the order of the net."""
    return {
        name: module
        for name, module in net.named_modules()
        if getattr(module, "running_mean", None) is not None
        and getattr(module, "running_var", None) is not None
    }


def stored(net: nn.Module) -> dict[str, Statistics]:
    """Copies of the statistics that evaluation uses, by layer."""
    return {
        name: Statistics(layer.running_mean.clone(), layer.running_var.clone())
        for name, layer in layers(net).items()
    }


@contextmanager
def evaluation(net: nn.Module) -> Iterator[None]:
    """Within the block, ``net`` is in evaluation mode; afterwards each module is as it was."""
    before = [(module, module.training) for module in net.modules()]
    try:
        # Setting an attribute of a module is slow, and agents come by here at every step.
        if any(training for _, training in before):
            net.eval()
        yield
    finally:
        for module, training in before:
            if module.training != training:
                module.training = training


@contextmanager
def from_batch(net: nn.Module) -> Iterator[None]:
    """Within the block, every layer normalizes by the minibatch's statistics and stores none.

    In training and in evaluation mode alike; all else, dropout for one, keeps its mode. The stored
    statistics are out of the layers' reach meanwhile, and back in place afterwards.
    """
    names = ("running_mean", "running_var", "num_batches_tracked")
    taken = [
        (layer, name, layer._buffers[name])
        for layer in layers(net).values()
        for name in names
        if name in layer._buffers
    ]
    try:
        for layer, name, _ in taken:
            layer._buffers[name] = None
        yield
    finally:
        for layer, name, buffer in taken:
            layer._buffers[name] = buffer


@torch.no_grad()
def reestimate(net: nn.Module, batches: Tensor | Iterable[Tensor]) -> None:
    """Replace the stored statistics by those of the given data, under the weights as they are.

    As ``torch.optim.swa_utils.update_bn``, each minibatch weighs the same: the stored mean becomes
    the average of the minibatches' means, the stored variance that of their unbiased variances. One
    minibatch that holds all the data gives the data's own mean and variance. Unlike ``update_bn``
    this leaves everything but batch norm in evaluation mode, so that statistics are those that
    evaluation will meet; keeps the statistics of layers that no minibatch reached; and, if a
    forward pass fails, keeps them all.

    Parameters
    ----------
    net : Module
        An ordinary net, or `bnutils.seeds.Runs`.
    batches : Tensor or iterable of Tensor
        What ``net`` is called on: one minibatch, or several.

    Raises
    ------
    ValueError
        If there is no minibatch, or no layer that stores statistics.
    """
    found = list(layers(net).values())
    if not found:
        raise ValueError("no layer of this net stores statistics, so there are none to re-estimate")
    momenta = {layer: layer.momentum for layer in found}
    kept = {
        layer: [(buffer, buffer.clone()) for buffer in layer.buffers(recurse=False)]
        for layer in found
    }
    calls = dict.fromkeys(found, 0)

    def average_all_alike(layer: nn.Module, inputs: tuple) -> None:
        calls[layer] += 1
        layer.momentum = 1 / calls[layer]

    try:
        with evaluation(net), ExitStack() as hooks:
            for layer in found:
                hooks.enter_context(layer.register_forward_pre_hook(average_all_alike))
                layer.reset_running_stats()
                layer.training = True
            for batch in [batches] if isinstance(batches, Tensor) else batches:
                net(batch)
        if not any(calls.values()):
            raise ValueError("batches is empty; give at least one minibatch")
    except BaseException:
        calls = dict.fromkeys(found, 0)
        raise
    finally:
        for layer in found:
            layer.momentum = momenta[layer]
            if not calls[layer]:
                for buffer, before in kept[layer]:
                    buffer.copy_(before)


def estimate(net: nn.Module, batches: Tensor | Iterable[Tensor]) -> dict[str, Statistics]:
    """What `reestimate` would store, by layer; ``net`` stays as it is."""
    kept = {name: buffer.clone() for name, buffer in net.named_buffers()}
    try:
        reestimate(net, batches)
        return stored(net)
    finally:
        for name, buffer in net.named_buffers():
            buffer.copy_(kept[name])


def drift(net: nn.Module, batches: Tensor | Iterable[Tensor]) -> dict[str, Drift]:
    """How far each layer's stored statistics are from those of the given data.

    A channel that is constant over the data, such as a dead unit, has no scale to measure by: its
    drift is 0 if what is stored is right to the last bit, else infinite. So is a stored NaN's.

    Parameters
    ----------
    net : Module
        It stays as it is.
    batches : Tensor or iterable of Tensor
        As for `reestimate`.

    Returns
    -------
    dict of str to Drift
    """
    old, new = stored(net), estimate(net, batches)
    return {name: _difference(old[name], new[name]) for name in old}


def _difference(old: Statistics, new: Statistics) -> Drift:
    mean = (old.mean - new.mean) / new.var.sqrt()
    log_var = old.var.log() - new.var.log()
    # 0 / 0 and log 0 - log 0 are no drift. Any other NaN was stored: that is as wrong as can be.
    mean[old.mean == new.mean] = 0
    log_var[old.var == new.var] = 0
    infinite = {"nan": torch.inf, "posinf": torch.inf, "neginf": -torch.inf}
    return Drift(mean.nan_to_num(**infinite), log_var.nan_to_num(**infinite))
