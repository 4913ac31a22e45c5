"""S independent runs as one module: build, train, predict, take one out."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import default_collate

import bnutils
from bnutils import data
from bnutils.seeds.optimizers import SGD, Adam, constant
from bnutils.seeds.progress import Progress
from bnutils.seeds.stacking import Vmapped, channel_first, run_first, stack, unstack
from bnutils.statistics import evaluation


class History(NamedTuple):
    """What was recorded during training.

    ``steps`` counts the updates made before each record; ``values`` holds the records, collated:
    where each was a tensor of shape (S,), a tensor of shape (records, S); where each was a
    dictionary of such tensors, a dictionary of those.
    """

    steps: list[int]
    values: Any


class Runs(nn.Module):
    """S independent runs of one net: a module that computes all of them at once.

    Each run starts from the weights that ``torch.manual_seed(seed); net()`` gives, and walks
    through its data in the order of ``data.minibatches(n, batch_size, [seed])``. It computes what
    it would compute alone, up to rounding, and one that diverges does not touch the others.

    Parameters
    ----------
    net : callable
        Builds one ordinary net, say an ``nn.Sequential``. Linear and convolutional layers, batch,
        group and layer norm and activations are fast; anything else works through
        ``torch.func.vmap``. See `bnutils.seeds.stacking`.
    seeds : sequence of int
        One for each run; `grid` pairs them with learning rates.
    device : torch.device, optional
        By default `bnutils.device()`.

    Notes
    -----
    Inputs have shape (S, B, ...), run by run, and so have outputs. For one batch that all runs
    share use ``x.expand(S, *x.shape)``, which copies nothing. As with any module, ``train()``,
    ``eval()``, ``double()`` and ``to()`` work, and every parameter holds the runs along its first
    dimension: ``parameter.view(S, -1)[i]`` is run i's.
    """

    def __init__(
        self,
        net: Callable[[], nn.Module],
        seeds: Sequence[int],
        device: torch.device | str | None = None,
    ):
        super().__init__()
        self.seeds = list(seeds)
        if not self.seeds:
            raise ValueError("seeds is empty; give at least one, for one run")
        nets = [_build(net, seed) for seed in self.seeds]
        for other, seed in zip(nets, self.seeds, strict=True):
            if _layout(other) != _layout(nets[0]):
                raise ValueError(
                    f"net() built another net for seed {seed} than for seed {self.seeds[0]}; all "
                    "runs need the same layers in the same shapes"
                )
        self._template = (nets[0],)  # in a tuple, so that it is no submodule
        generators = [data.stream(seed, "dropout") for seed in self.seeds]
        self.net = stack(nets, generators)
        self.loss = torch.full((len(self.seeds),), torch.nan)  # of the latest step
        self.history = History([], None)
        self.to(bnutils.device() if device is None else device)

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def forward(self, x: Tensor) -> Tensor:
        """All runs' outputs (S, B, ...) for their inputs (S, B, ...), which may be elsewhere."""
        if x.dim() < 2 or len(x) != len(self):
            raise ValueError(
                f"x has shape {tuple(x.shape)}; its first dimension must be the run, of which "
                f"there are {len(self)}. A batch that all share: x.expand({len(self)}, *x.shape)"
            )
        x = x.to(self.device)
        if isinstance(self.net, Vmapped):
            return self.net.run_first(x)
        if x.dim() not in (3, 5):
            raise ValueError(
                f"x has shape {tuple(x.shape)}; it must be (runs, batch, features) or "
                "(runs, batch, channels, height, width)"
            )
        return run_first(self.net(channel_first(x)), len(self))

    def descend(self, loss: Tensor, optimizer: SGD | Adam, factor: float = 1.0) -> None:
        """One step of every run down its own loss.

        Afterwards each parameter's ``grad`` holds the gradient that was used, or None if the loss
        does not depend on it (then it stays as it is).

        Parameters
        ----------
        loss : Tensor
            One loss for each run, shape (S,).
        optimizer : SGD or Adam
        factor : float
            What the learning rates are multiplied by in this step.
        """
        if loss.shape != (len(self),):
            raise ValueError(
                f"the loss has shape {tuple(loss.shape)}; it must be one value per run, shape "
                f"({len(self)},), say cross_entropy(runs(x), y)"
            )
        if len(optimizer.lr) not in (1, len(self)):
            raise ValueError(
                f"the optimizer has {len(optimizer.lr)} learning rates for {len(self)} runs; give "
                "one for all or one for each"
            )
        parameters = [p for p in self.parameters() if p.requires_grad]
        # A sum keeps the runs apart: a run's weights meet its own loss only.
        gradients = torch.autograd.grad(loss.sum(), parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step(parameters, factor)
        self.loss = loss.detach()

    def fit(
        self,
        step: Callable[..., Tensor],
        examples: Sequence[Tensor],
        optimizer: SGD | Adam,
        *,
        steps: int,
        batch_size: int = 64,
        schedule: Callable[[float], float] = constant,
        record: Callable[["Runs"], Any] | None = None,
        every: int | None = None,
    ) -> "Runs":
        """Train, in training mode, and record on the way.

        Another call trains on, and walks through its examples in the same order again.

        Parameters
        ----------
        step : callable
            ``step(runs, *minibatch)`` returns each run's loss, shape (S,). It may split the
            minibatch, call the net several times and add up losses; `classify` is the simplest.
        examples : sequence of Tensor
            Each of shape (S, n, ...): every run's own inputs, labels, and so on. Empty for a step
            that finds its own data.
        optimizer : SGD or Adam
        steps : int
            Updates to make.
        batch_size : int
            Examples in each run's minibatch.
        schedule : callable
            From the progress, step / steps, to what the learning rates are multiplied by.
        record : callable, optional
            ``record(runs)`` is called, in evaluation mode, before the first update, after every
            ``every`` updates, and after the last; what it returns is collated in
            ``runs.history``. The latest losses are in ``runs.loss``.
        every : int, optional
            By default only before and after.

        Returns
        -------
        Runs
            Itself, in evaluation mode.
        """
        minibatches = self._minibatches(examples, batch_size)
        records = {}
        with Progress(steps) as progress:
            for done in range(steps):
                if record and done % (every or steps) == 0:
                    records[done] = record(self.eval())
                self.train()
                self.descend(step(self, *next(minibatches)), optimizer, schedule(done / steps))
                progress(done + 1)
        self.eval()
        if record:
            records[steps] = record(self)
            self.history = History(list(records), default_collate(list(records.values())))
        return self

    def _minibatches(self, examples: Sequence[Tensor], size: int) -> Iterator[list[Tensor]]:
        """Endless minibatches of ``examples``, each tensor (S, size, ...), on the runs' device."""
        if not examples:
            while True:
                yield []
        n = examples[0].shape[1] if examples[0].dim() > 1 else 0
        for tensor in examples:
            if tensor.dim() < 2 or tensor.shape[:2] != (len(self), n):
                raise ValueError(
                    f"examples have shapes {[tuple(t.shape) for t in examples]}; each must begin "
                    f"with the runs, of which there are {len(self)}, and the number of examples"
                )
        # All runs' examples in one long row, and where each run's begin in it: one call picks all.
        rows = [tensor.to(self.device).flatten(0, 1) for tensor in examples]
        starts = torch.arange(len(self)).unsqueeze(1) * n
        for indices in data.minibatches(n, size, self.seeds):
            chosen = (indices + starts).flatten().to(self.device)
            yield [row.index_select(0, chosen).unflatten(0, (len(self), size)) for row in rows]

    @torch.no_grad()
    def predict(self, x: Tensor) -> Tensor:
        """All runs' outputs (S, B, ...) in evaluation mode, without a graph; the mode is kept."""
        with evaluation(self):
            return self(x)

    def extract(self, run: int) -> nn.Module:
        """Run number ``run`` as the ordinary net that ``net()`` builds, with its state so far."""
        net = copy.deepcopy(self._template[0]).to(next(self.parameters()))
        unstack(self.net, net, range(len(self))[run], len(self))
        return net


def grid(seeds: Sequence[int], rates: Sequence[float]) -> tuple[list[int], list[float]]:
    """Every seed with every learning rate: ``(seeds, rates)`` for ``Runs`` and ``SGD(lr=...)``.

    Runs of the same seed start from the same weights and see the same minibatches. A result of
    shape (S,) becomes a table by ``result.view(len(rates), len(seeds))``.
    """
    return [seed for _ in rates for seed in seeds], [rate for rate in rates for _ in seeds]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Each run's mean cross entropy.

    Parameters
    ----------
    logits : Tensor
        Shape (S, B, classes).
    labels : Tensor
        Shape (S, B).

    Returns
    -------
    Tensor
        Shape (S,), in nats.
    """
    return F.cross_entropy(logits.transpose(1, 2), labels, reduction="none").mean(1)


def classify(runs: Runs, x: Tensor, y: Tensor) -> Tensor:
    """The simplest step: the cross entropy of the minibatch."""
    return cross_entropy(runs(x), y)


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Each run's share of examples whose largest logit is the label's.

    Parameters
    ----------
    logits : Tensor
        Shape (S, B, classes).
    labels : Tensor
        Shape (S, B), or (B,) for labels that all runs share.

    Returns
    -------
    Tensor
        Shape (S,), float64, from 0 to 1, on the CPU.
    """
    return (logits.argmax(-1) == labels.to(logits.device)).double().mean(1).cpu()


def _build(net: Callable[[], nn.Module], seed: int) -> nn.Module:
    """``net()`` from its seed; torch's global generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        # The CPU's generator alone: torch.manual_seed would also queue seeds for absent devices.
        torch.default_generator.manual_seed(seed)
        return net()


def _layout(net: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in net.state_dict().items()}
