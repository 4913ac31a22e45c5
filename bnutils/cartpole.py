"""CartPole: keep a pole upright on a cart by pushing the cart left or right.

Many carts at once, so that all seeds of an experiment act and learn side by side: the dimensions
before a state's last are free. A state holds the cart's position (m) and velocity (m/s), and the
pole's angle (rad, 0 is upright, positive leans right) and angular velocity (rad/s).

Source: Barto, Sutton & Anderson 1983, https://doi.org/10.1109/TSMC.1983.6313077; the equations of
their appendix without friction, integrated by Euler's method, as in OpenAI's Gym.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

GRAVITY = 9.8  # m/s²
CART, POLE = 1.0, 0.1  # kg
HALF_LENGTH = 0.5  # m, of the pole
FORCE = 10.0  # N, to either side
SECONDS = 0.02  # of one step
TRACK = 2.4  # m, to either side of the middle
ANGLE = 12 * math.pi / 180  # rad, to either side of upright
START = 0.05  # every entry of a first state lies within this distance of 0


class Episodes(NamedTuple):
    """What T steps of S runs with E carts each looked like.

    Attributes
    ----------
    states : Tensor
        Shape (S, T, E, 4), each before the push.
    pushes : Tensor
        Shape (S, T, E), 1.0 for a push to the right and 0.0 for one to the left.
    alive : Tensor
        Shape (S, T, E), bool: whether the cart's first episode went on in this step. After its end
        the cart starts again, from where it started before; those steps are to be left out.
    """

    states: Tensor
    pushes: Tensor
    alive: Tensor

    @property
    def lengths(self) -> Tensor:
        """Steps that each cart's episode lasted, at most T: shape (S, E), float64."""
        return self.alive.sum(1).double()


def push(state: Tensor, right: Tensor) -> Tensor:
    """The state one step later.

    Parameters
    ----------
    state : Tensor
        Shape (..., 4).
    right : Tensor
        Shape (...): whether the cart is pushed to the right; otherwise to the left.

    Returns
    -------
    Tensor
        Shape (..., 4).
    """
    if state.shape[-1:] != (4,) or state.shape[:-1] != right.shape:
        raise ValueError(
            f"state has shape {tuple(state.shape)} and right {tuple(right.shape)}; a state ends in "
            "4 numbers, and for each there is one push"
        )
    x, velocity, angle, turn = state.unbind(-1)
    force = FORCE * (2 * right.to(state) - 1)
    cos, sin, mass = angle.cos(), angle.sin(), CART + POLE
    pushed = (force + POLE * HALF_LENGTH * turn.square() * sin) / mass
    inertia = HALF_LENGTH * (4 / 3 - POLE * cos.square() / mass)
    turned = (GRAVITY * sin - cos * pushed) / inertia
    moved = pushed - POLE * HALF_LENGTH * turned * cos / mass
    return state + SECONDS * torch.stack([velocity, moved, turn, turned], -1)


def over(state: Tensor) -> Tensor:
    """Whether the pole has fallen or the cart left the track: bool, shape (...)."""
    return (state[..., 0].abs() > TRACK) | (state[..., 2].abs() > ANGLE)


@torch.no_grad()
def play(
    policy: Callable[[Tensor], Tensor],
    generators: Sequence[torch.Generator],
    *,
    carts: int = 16,
    steps: int = 100,
    greedy: bool = False,
) -> Episodes:
    """Let S policies drive E carts each.

    Parameters
    ----------
    policy : callable
        From states (S, E, 4) to (S, E, 1): the logit of a push to the right. `bnutils.seeds.Runs`
        of a net with four inputs and one output is one; its mode is the caller's affair.
    generators : sequence of torch.Generator
        One for each run, on the CPU: first states and pushes are drawn from it.
    carts, steps : int
        E and T, each at least 1.
    greedy : bool
        Whether to take the likelier push instead of drawing one.

    Returns
    -------
    Episodes
    """
    if carts < 1 or steps < 1:
        raise ValueError(f"carts is {carts} and steps is {steps}; both must be at least 1")
    drawn = torch.stack([torch.rand(carts, 4 + steps, generator=g) for g in generators])
    start, chance = START * (2 * drawn[..., :4] - 1), drawn[..., 4:]
    state, going = start, torch.ones(start.shape[:2], dtype=torch.bool)
    record = []
    for t in range(steps):
        logit = policy(state).squeeze(-1).to(state)
        right = logit > 0 if greedy else chance[..., t] < logit.sigmoid()
        record.append((state, right.to(state), going))
        state = push(state, right)
        ended = over(state)
        going = going & ~ended
        state = torch.where(ended.unsqueeze(-1), start, state)
    return Episodes(*(torch.stack(part, 1) for part in zip(*record, strict=True)))


def returns(alive: Tensor, discount: float = 1.0) -> Tensor:
    """What each step's future is worth: a reward of 1 for this and every further step.

    Parameters
    ----------
    alive : Tensor
        Shape (S, T, E), as in `Episodes`.
    discount : float
        What a reward is worth one step later, in (0, 1].

    Returns
    -------
    Tensor
        Shape (S, T, E): sum over k < n of discount ** k, where n is the number of steps that are
        left in the episode, this one included; 0 after its end.
    """
    if not 0 < discount <= 1:
        raise ValueError(f"discount is {discount}; it must be above 0 and at most 1")
    left = alive.flip(1).cumsum(1).flip(1)
    if discount == 1:
        return left.float()
    return (1 - discount**left) / (1 - discount)


def standardized(values: Tensor, alive: Tensor) -> Tensor:
    """Values less their mean, over their standard deviation, both over the run's steps alive.

    Parameters
    ----------
    values : Tensor
        Shape (S, T, E).
    alive : Tensor
        Shape (S, T, E), bool.

    Returns
    -------
    Tensor
        Shape (S, T, E); 0 after an episode's end, and where all values of a run are equal.
    """
    count = alive.sum((1, 2), keepdim=True)
    centred = (values - (values * alive).sum((1, 2), keepdim=True) / count) * alive
    deviation = (centred.square().sum((1, 2), keepdim=True) / count).sqrt()
    return centred / deviation.clamp(min=1e-6)


def draw(
    n: int, generators: Sequence[torch.Generator], alive: Tensor, *values: Tensor
) -> list[Tensor]:
    """What belongs to n steps of each run, drawn with replacement from those alive.

    Episodes end sooner or later; drawing makes minibatches of one size for all runs.

    Parameters
    ----------
    n : int
        Steps to draw for each run.
    generators : sequence of torch.Generator
        One for each run, on the CPU.
    alive : Tensor
        Shape (S, T, E), bool.
    *values : Tensor
        Each of shape (S, T, E) or (S, T, E, k).

    Returns
    -------
    list of Tensor
        Each of shape (S, n) or (S, n, k): the same steps of all of them.
    """
    chances = alive.flatten(1).float()
    pairs = zip(chances, generators, strict=True)
    rows = torch.stack([torch.multinomial(p, n, replacement=True, generator=g) for p, g in pairs])
    return [v.flatten(1, 2)[torch.arange(len(rows)).unsqueeze(1), rows] for v in values]
