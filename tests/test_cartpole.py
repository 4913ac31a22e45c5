"""CartPole: the equations against a slow transcription, episodes, and what is learned from them."""

import math

import pytest
import torch

from bnutils import cartpole
from bnutils.data import stream
from bnutils.randomness import generator, seeds


def one_step(x, velocity, angle, turn, right):
    """Barto, Sutton & Anderson's equations without friction, for one cart, in plain Python.

    Each acceleration depends on the other: they are solved for as two linear equations here, not
    by the elimination that the module uses.
    """
    g, m, total, half = 9.8, 0.1, 1.1, 0.5
    force = 10.0 if right else -10.0
    cos, sin = math.cos(angle), math.sin(angle)
    # total * a + m * half * cos * b = force + m * half * turn² * sin      (the cart)
    # cos * a + (4 / 3) * half * b   = g * sin                             (the pole)
    a11, a12, b1 = total, m * half * cos, force + m * half * turn**2 * sin
    a21, a22, b2 = cos, 4 / 3 * half, g * sin
    determinant = a11 * a22 - a12 * a21
    moved = (b1 * a22 - a12 * b2) / determinant
    turned = (a11 * b2 - b1 * a21) / determinant
    return [x + 0.02 * velocity, velocity + 0.02 * moved, angle + 0.02 * turn, turn + 0.02 * turned]


def some_states(n=50):
    scale = torch.tensor([2.4, 3.0, 0.3, 3.0], dtype=torch.float64)
    return scale * (2 * torch.rand(n, 4, generator=generator(1), dtype=torch.float64) - 1)


def test_a_push_is_what_the_equations_say():
    states = some_states()
    right = torch.arange(len(states)) % 2 == 0
    slow = [one_step(*s.tolist(), r.item()) for s, r in zip(states, right, strict=True)]
    expected = torch.tensor(slow, dtype=torch.float64)
    torch.testing.assert_close(cartpole.push(states, right), expected, atol=1e-12, rtol=0)


def test_a_push_keeps_leading_dimensions_apart():
    states = some_states(24).view(2, 3, 4, 4)
    right = torch.arange(24).view(2, 3, 4) % 3 == 0
    together = cartpole.push(states, right)
    torch.testing.assert_close(together[1, 2, 3], cartpole.push(states[1, 2, 3], right[1, 2, 3]))


def test_left_and_right_mirror_each_other():
    states = some_states()
    right = torch.ones(len(states), dtype=torch.bool)
    torch.testing.assert_close(cartpole.push(-states, ~right), -cartpole.push(states, right))


def test_a_push_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="for each there is one push"):
        cartpole.push(torch.zeros(3, 4), torch.zeros(2, dtype=torch.bool))
    with pytest.raises(ValueError, match="4 numbers"):
        cartpole.push(torch.zeros(3, 5), torch.zeros(3, dtype=torch.bool))


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        ([2.39, 9.0, 0.0, 9.0], False),
        ([2.41, 0.0, 0.0, 0.0], True),
        ([-2.41, 0.0, 0.0, 0.0], True),
        ([0.0, 0.0, math.radians(11.9), 0.0], False),
        ([0.0, 0.0, math.radians(12.1), 0.0], True),
        ([0.0, 0.0, math.radians(-12.1), 0.0], True),
    ],
)
def test_an_episode_ends_off_the_track_or_beyond_twelve_degrees(state, ended):
    assert cartpole.over(torch.tensor(state)).item() is ended


def always_right(states):
    return torch.full((*states.shape[:2], 1), 9.0)


def leaning(states):
    """A good policy by hand: push to where the pole will fall."""
    return (states[..., 2:3] + 0.3 * states[..., 3:4]) * 100


def played(policy, n=3, **options):
    return cartpole.play(policy, [stream(s, "play") for s in seeds(n, "test")], **options)


def test_the_same_push_for_ever_lasts_about_nine_steps():
    lengths = played(always_right, greedy=True).lengths
    assert lengths.shape == (3, 16)
    assert lengths.min() >= 8
    assert lengths.max() <= 11


def test_a_policy_that_follows_the_pole_keeps_it_up():
    assert played(leaning, greedy=True).lengths.min() == 100


@pytest.mark.parametrize("policy", [leaning, always_right])
def test_episodes_are_what_the_equations_make_of_the_pushes(policy):
    states, pushes, alive = played(policy, carts=5, steps=40)
    assert states.shape == (3, 40, 5, 4)
    after = cartpole.push(states[:, :-1], pushes[:, :-1])
    ended = cartpole.over(after)
    start = states[:, :1].expand_as(after)
    expected = torch.where(ended.unsqueeze(-1), start, after)
    torch.testing.assert_close(states[:, 1:], expected)
    assert states[:, 0].abs().max() <= 0.05
    # Alive means: no end so far.
    assert torch.equal(alive[:, 1:], ~(ended.cumsum(1) > 0))
    assert alive[:, 0].all()


def test_a_run_plays_the_same_alone_as_among_others():
    among = [stream(s, "play") for s in seeds(3, "test")]
    alone = [stream(seeds(3, "test")[1], "play")]
    several, one = cartpole.play(leaning, among), cartpole.play(leaning, alone)
    for part, single in zip(several, one, strict=True):
        torch.testing.assert_close(part[1:2], single)


def test_pushes_are_drawn_by_their_chances():
    def three_in_four(states):
        return torch.full((*states.shape[:2], 1), math.log(3))

    pushes = played(three_in_four, carts=100).pushes
    assert pushes.mean().item() == pytest.approx(0.75, abs=0.01)


def test_play_wants_at_least_one_cart_and_one_step():
    for options in ({"carts": 0}, {"steps": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            played(leaning, **options)


@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_returns_add_up_what_is_still_to_come(discount):
    lengths = [1, 3, 5]
    alive = torch.tensor([[[t < n for n in lengths] for t in range(5)]])
    slow = [
        [sum(discount**k for k in range(n - t)) if t < n else 0.0 for n in lengths]
        for t in range(5)
    ]
    torch.testing.assert_close(cartpole.returns(alive, discount), torch.tensor([slow]))


def test_returns_refuse_a_discount_of_zero():
    with pytest.raises(ValueError, match="discount is 0"):
        cartpole.returns(torch.ones(1, 1, 1, dtype=torch.bool), 0)


def test_standardized_values_have_mean_0_and_deviation_1_over_the_steps_alive():
    alive = played(leaning, carts=4, steps=60).alive.clone()
    alive[:, 30:, :2] = False
    values = torch.randn(alive.shape, generator=generator(2)) * 3 + 5
    found = cartpole.standardized(values, alive)
    assert (found[~alive] == 0).all()
    for run, living in zip(found, alive, strict=True):
        assert run[living].mean().item() == pytest.approx(0, abs=1e-5)
        assert run[living].std(correction=0).item() == pytest.approx(1, abs=1e-5)
    assert (cartpole.standardized(torch.ones(alive.shape), alive) == 0).all()


def test_draw_takes_the_same_living_steps_of_all_values():
    alive = torch.rand(2, 7, 3, generator=generator(3)) < 0.5
    number = torch.arange(42.0).view(2, 7, 3)
    vectors = torch.stack([number, -number], -1)
    generators = [generator(4), generator(5)]
    drawn, pair, living = cartpole.draw(200, generators, alive, number, vectors, alive)
    assert drawn.shape == (2, 200)
    assert pair.shape == (2, 200, 2)
    assert living.all()
    torch.testing.assert_close(pair, torch.stack([drawn, -drawn], -1))
    for run in range(2):
        assert set(drawn[run].tolist()) == set(number[run][alive[run]].tolist())
