"""Running averages with many momenta, all of one training.

In training mode batch norm never reads what it has stored. So the momentum changes nothing in the
training, and one run serves every momentum: follow it with as many running averages as you like,
and lend each of them to the net when it is evaluated.

    averages = RunningAverages(net, [0.01, 0.1, None])
    with averages:                      # while the net trains
        ...
    with lent(net, averages[0.01]):     # as if it had been trained with momentum=0.01
        net(x)
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from bnutils.statistics import Statistics, layers


class RunningAverages:
    """What each layer of ``net`` would have stored, momentum by momentum.

    Within a ``with`` block every forward pass of a layer in training mode moves its averages, as it
    moves the layer's own: the new mean, and the new variance divided by m - 1, get the weight
    ``momentum``, or one over the number of passes where that is None. ``averages[momentum]`` is
    then what is stored, by layer, as `statistics.stored` gives it.

    Parameters
    ----------
    net : Module
        An ordinary net, or `bnutils.seeds.Runs`. The averages start from what it has stored; what
        it stores itself is left alone.
    momenta : sequence of float or None

    Raises
    ------
    ValueError
        If no layer stores statistics, or a momentum is not in [0, 1].
    """

    def __init__(self, net: nn.Module, momenta: Sequence[float | None]):
        self._layers = layers(net)
        if not self._layers:
            raise ValueError("no layer of this net stores statistics, so there is none to average")
        for momentum in momenta:
            if momentum is not None and not 0 <= momentum <= 1:
                raise ValueError(
                    f"momentum is {momentum}; it is the weight of the newest minibatch, from 0 to 1"
                )
        self._stored = {
            momentum: {
                name: Statistics(layer.running_mean.clone(), layer.running_var.clone())
                for name, layer in self._layers.items()
            }
            for momentum in momenta
        }
        self._passes = dict.fromkeys(self._layers, 0)
        self._hooks = ExitStack()

    def __getitem__(self, momentum: float | None) -> dict[str, Statistics]:
        """What is stored by now, by layer; it moves on with the training."""
        return self._stored[momentum]

    @property
    def passes(self) -> int:
        """How many forward passes were followed; of the layer that saw most."""
        return max(self._passes.values())

    def __enter__(self) -> "RunningAverages":
        for name, layer in self._layers.items():

            def follow(layer: nn.Module, inputs: tuple[Tensor], name=name) -> None:
                if layer.training:
                    self._move(name, inputs[0].detach())

            self._hooks.enter_context(layer.register_forward_pre_hook(follow))
        return self

    def __exit__(self, *exception) -> None:
        self._hooks.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within the block, forward passes are not followed.

        For what is computed in training mode on the way and is no training step: re-estimation.
        """
        self._hooks.close()
        try:
            yield
        finally:
            self.__enter__()

    @torch.no_grad()
    def _move(self, name: str, x: Tensor) -> None:
        all_but_channels = [0, *range(2, x.dim())]
        var, mean = torch.var_mean(x, all_but_channels, correction=1)
        self._passes[name] += 1
        for momentum, stored in self._stored.items():
            share = 1 / self._passes[name] if momentum is None else momentum
            stored[name].mean.lerp_(mean.to(stored[name].mean), share)
            stored[name].var.lerp_(var.to(stored[name].var), share)


@contextmanager
def lent(net: nn.Module, statistics: Mapping[str, Statistics]) -> Iterator[None]:
    """Within the block the layers of ``net`` have these statistics stored; afterwards their own.

    Parameters
    ----------
    net : Module
    statistics : mapping of str to Statistics
        By layer; for all layers that store any.

    Raises
    ------
    ValueError
        If the names are not those of the layers that store statistics.
    """
    found = layers(net)
    if set(found) != set(statistics):
        raise ValueError(
            f"the statistics are for {sorted(statistics)}, but the layers that store some are "
            f"{sorted(found)}"
        )
    own = {
        name: Statistics(layer.running_mean.clone(), layer.running_var.clone())
        for name, layer in found.items()
    }
    try:
        _store(found, statistics)
        yield
    finally:
        _store(found, own)


@torch.no_grad()
def _store(found: Mapping[str, nn.Module], statistics: Mapping[str, Statistics]) -> None:
    for name, layer in found.items():
        layer.running_mean.copy_(statistics[name].mean)
        layer.running_var.copy_(statistics[name].var)
