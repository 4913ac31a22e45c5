"""SGD and Adam for stacked runs, with a learning rate per run, and schedules.

The rules are torch's, operation for operation. They work element by element, so that the S runs in
a parameter do not meet; only the learning rate is a column of S values.
"""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


class _Optimizer:
    """What SGD and Adam share: a learning rate per run, and a state per parameter.

    They add ``_update``, which changes one parameter in place, all runs of it.
    """

    def __init__(self, lr: float | Sequence[float], weight_decay: float = 0.0):
        self.lr = torch.as_tensor(lr, dtype=torch.float64).reshape(-1, 1)
        if not (self.lr >= 0).all():
            raise ValueError(f"lr is {lr}; a learning rate must be at least 0")
        self.weight_decay = weight_decay
        self.state: dict[Tensor, dict] = {}

    @torch.no_grad()
    def step(self, parameters: Iterable[Tensor], factor: float = 1.0) -> None:
        """One update from each parameter's ``grad``; a parameter without one stays as it is.

        Parameters
        ----------
        parameters : iterable of Tensor
            Their first dimension holds the runs one after the other.
        factor : float
            What the learning rates are multiplied by in this step: the schedule's value.
        """
        rate = self.lr * factor
        for parameter in parameters:
            if parameter.grad is None:
                continue
            rate = rate.to(parameter)
            # One row per run, so that the rates broadcast along it.
            weight = parameter.view(len(rate), -1)
            gradient = parameter.grad.reshape(len(rate), -1)
            if self.weight_decay:
                gradient = gradient.add(weight, alpha=self.weight_decay)
            self._update(weight, gradient, rate, self.state.setdefault(parameter, {}))


class SGD(_Optimizer):
    """Stochastic gradient descent, as ``torch.optim.SGD``.

    Parameters
    ----------
    lr : float or sequence of float
        One learning rate for all runs, or one for each.
    momentum : float
        What remains of the velocity at each step.
    weight_decay : float
        Added to the gradient, times the weight.
    """

    def __init__(
        self, lr: float | Sequence[float], momentum: float = 0.0, weight_decay: float = 0.0
    ):
        super().__init__(lr, weight_decay)
        self.momentum = momentum

    def _update(self, weight: Tensor, gradient: Tensor, rate: Tensor, state: dict) -> None:
        if self.momentum:
            if not state:
                state["velocity"] = torch.zeros_like(gradient)
            velocity = state["velocity"]
            gradient = torch.add(gradient, velocity, alpha=self.momentum, out=velocity)
        weight.addcmul_(gradient, rate, value=-1)


class Adam(_Optimizer):
    """Adam, as ``torch.optim.Adam``. Source: Kingma & Ba 2014, https://arxiv.org/abs/1412.6980.

    Parameters
    ----------
    lr : float or sequence of float
        One learning rate for all runs, or one for each.
    betas : pair of float
        What remains at each step of the average gradient, and of the average squared gradient.
    eps : float
        Added to the root of the average squared gradient.
    weight_decay : float
        Added to the gradient, times the weight.
    """

    def __init__(
        self,
        lr: float | Sequence[float] = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(lr, weight_decay)
        self.betas = betas
        self.eps = eps

    def _update(self, weight: Tensor, gradient: Tensor, rate: Tensor, state: dict) -> None:
        if not state:
            state.update(step=0, mean=torch.zeros_like(weight), square=torch.zeros_like(weight))
        state["step"] += 1
        for_mean, for_square = self.betas
        state["mean"].lerp_(gradient, 1 - for_mean)
        state["square"].mul_(for_square).addcmul_(gradient, gradient, value=1 - for_square)
        # Both averages began at zero; these undo the bias towards it.
        mean_correction = 1 - for_mean ** state["step"]
        square_correction = 1 - for_square ** state["step"]
        scale = (state["square"].sqrt() / math.sqrt(square_correction)).add_(self.eps)
        weight.sub_(state["mean"] / scale * (rate / mean_correction))


def constant(progress: float) -> float:
    """A schedule that changes nothing. ``progress`` runs from 0 towards 1 over the training."""
    return 1.0


def cosine(progress: float) -> float:
    """From 1 at the start to 0 at the end along half a cosine, as torch's CosineAnnealingLR."""
    return (1 + math.cos(math.pi * progress)) / 2
