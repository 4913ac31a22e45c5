"""Look into a net while it computes: activations, gradients, and the statistics of minibatches.

Each probe is a context manager. Its hooks are gone when the block ends, also by an exception; what
they recorded stays:

    with probes.activations(net, "1", "4") as seen:
        net(x)
    seen["1"][0]            # what layer "1" returned in its first call

Records are detached copies. In the stacked net of `bnutils.seeds`, whose layers are called "net.0",
"net.1" and so on, `bnutils.seeds.run_first` brings a record into the order (S, B, ...).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from bnutils.statistics import Statistics, layers


@contextmanager
def activations(net: nn.Module, *names: str) -> Iterator[dict[str, list[Tensor]]]:
    """Record what layers return.

    Parameters
    ----------
    net : Module
    *names : str
        The layers, as ``net.named_modules()`` calls them; without any, all that have no parts.

    Yields
    ------
    dict of str to list of Tensor
        By layer, one record for each call.
    """
    record: dict[str, list[Tensor]] = {}
    with ExitStack() as hooks:
        for name, module in _chosen(net, names).items():
            calls = record[name] = []

            def keep(module: nn.Module, inputs: tuple, output: Tensor, calls=calls) -> None:
                calls.append(output.detach().clone())

            hooks.enter_context(module.register_forward_hook(keep))
        yield record


@contextmanager
def gradients(net: nn.Module, *names: str) -> Iterator[dict[str, list[Tensor | None]]]:
    """Record the gradients of the loss with respect to what layers return.

    The backward pass must run within the block, too.

    Parameters
    ----------
    net : Module
    *names : str
        The layers, as ``net.named_modules()`` calls them; without any, all that have no parts.

    Yields
    ------
    dict of str to list of Tensor or None
        By layer, one record for each *forward* call, in their order; None until the backward pass
        reaches it.
    """
    record: dict[str, list[Tensor | None]] = {}
    with ExitStack() as hooks:
        for name, module in _chosen(net, names).items():
            calls = record[name] = []

            def watch(module: nn.Module, inputs: tuple, output: Tensor, calls=calls) -> None:
                call = len(calls)
                calls.append(None)

                def keep(gradient: Tensor) -> None:
                    calls[call] = gradient.detach().clone()

                if output.requires_grad:
                    hooks.enter_context(output.register_hook(keep))

            hooks.enter_context(module.register_forward_hook(watch))
        yield record


@contextmanager
def minibatch_statistics(net: nn.Module, *names: str) -> Iterator[dict[str, list[Statistics]]]:
    """Record the mean and the variance of what layers receive, per channel.

    The variance is the biased one, which batch norm divides by in training.

    Parameters
    ----------
    net : Module
    *names : str
        The layers, as ``net.named_modules()`` calls them; without any, all that store statistics.

    Yields
    ------
    dict of str to list of Statistics
        By layer, one record for each call.
    """
    record: dict[str, list[Statistics]] = {}
    with ExitStack() as hooks:
        for name, module in (_chosen(net, names) if names else layers(net)).items():
            calls = record[name] = []

            def keep(module: nn.Module, inputs: tuple[Tensor], calls=calls) -> None:
                x = inputs[0].detach()
                all_but_channels = [0, *range(2, x.dim())]
                var, mean = torch.var_mean(x, all_but_channels, correction=0)
                calls.append(Statistics(mean, var))

            hooks.enter_context(module.register_forward_pre_hook(keep))
        yield record


def _chosen(net: nn.Module, names: tuple[str, ...]) -> dict[str, nn.Module]:
    modules = dict(net.named_modules())
    unknown = [name for name in names if name not in modules]
    if unknown:
        known = ", ".join(repr(name) for name in modules if name)
        raise ValueError(f"this net has no layer {unknown[0]!r}; it has {known}")
    if names:
        return {name: modules[name] for name in names}
    return {name: module for name, module in modules.items() if not any(module.children())}
