"""Gradient descent with weight decay on chosen parameters, a decay per run."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from bnutils.seeds.optimizers import SGD


class DecayedSGD(SGD):
    """SGD that shortens some of the parameters at each step, and leaves the others to the loss.

    A chosen parameter w becomes ``(1 - lr * weight_decay) * w - lr * gradient``. That is what
    ``torch.optim.SGD`` does with a parameter group of its own for what is to decay; here each run
    may have its own decay, too. With momentum, as there, the decay goes through the velocity: what
    is averaged over steps is ``gradient + weight_decay * w``.

    Parameters
    ----------
    lr : float or sequence of float
        One learning rate for all runs, or one for each.
    weight_decay : float or sequence of float
        One for all runs, or one for each, at least 0.
    parameters : iterable of Tensor
        What decays: stacked parameters, as `bnutils.seeds.Runs` has them.
    momentum : float
        What remains of the velocity at each step, for all parameters.
    hold : bool
        Whether each row of the chosen parameters is set back, after every step, to the length that
        it had before the first. A row is the weights of one unit of one run.

    Raises
    ------
    ValueError
        If a decay is negative, or there are as many decays as neither 1 nor learning rates.
    """

    def __init__(
        self,
        lr: float | Sequence[float],
        weight_decay: float | Sequence[float],
        parameters: Iterable[Tensor],
        momentum: float = 0.0,
        hold: bool = False,
    ):
        super().__init__(lr, momentum)
        self.decay = torch.as_tensor(weight_decay, dtype=torch.float64).reshape(-1, 1)
        if not (self.decay >= 0).all():
            raise ValueError(f"weight_decay is {weight_decay}; it must be at least 0")
        if len(self.decay) not in (1, len(self.lr)) and len(self.lr) != 1:
            raise ValueError(
                f"there are {len(self.decay)} decays for {len(self.lr)} learning rates; give one "
                "for all runs or one for each"
            )
        self.chosen = list(parameters)
        self.lengths = [_lengths(p).clone() for p in self.chosen] if hold else None

    @torch.no_grad()
    def step(self, parameters: Iterable[Tensor], factor: float = 1.0) -> None:
        """One update, as `SGD.step`; afterwards ``grad`` holds the gradient and what decay adds."""
        for parameter in self.chosen:
            if parameter.grad is not None:
                shrinking = parameter.view(len(self.decay), -1) * self.decay.to(parameter)
                parameter.grad = parameter.grad + shrinking.view_as(parameter)
        super().step(parameters, factor)
        for parameter, length in zip(self.chosen, self.lengths or [], strict=False):
            parameter.mul_(length / _lengths(parameter))


def _lengths(parameter: Tensor) -> Tensor:
    return torch.linalg.vector_norm(parameter.detach(), dim=-1, keepdim=True)
