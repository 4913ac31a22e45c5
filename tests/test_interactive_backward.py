"""The figure of the backward pass: its numbers are autograd's, and bad data is refused in words."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from bnutils import interactive
from bnutils.interactive.backward import NODES, STEPS, _checked, still, walk
from tests.figures import Figure, data_of

# Chosen so that every gradient is a whole number: the variance is 8, and 8 + 1 has the root 3.
GIVEN = {
    "x": [1.0, 7.0, 5.0, 9.0, 3.0],
    "dy": [-5.0, 5.0, 0.0, 15.0, 0.0],
    "gamma": 3.0,
    "beta": 1.0,
    "eps": (1.0, 1e-5),
}
FIGURE = Figure("backward", GIVEN, GIVEN | {"x": [2.0, 7.0, 5.0, 9.0, 3.0]}, _checked)


def torchs(x, dy, gamma, beta, eps, *, cut=()):
    """The graph in torch; where a node is in ``cut``, nothing flows back through it."""

    def keep(node):
        if node.requires_grad:  # not where all that it comes from is cut off
            node.retain_grad()
        return node

    def into(name):
        return f[name].detach() if name in cut else f[name]

    f = {"x": torch.tensor(x, dtype=torch.float64, requires_grad=True)}
    f["gamma"], f["beta"] = (
        torch.tensor([float(p)], dtype=torch.float64, requires_grad=True) for p in (gamma, beta)
    )
    f["mu"] = keep(f["x"].mean().view(1))
    f["c"] = keep(f["x"] - into("mu"))
    f["q"] = keep(f["c"].square())
    f["v"] = keep(into("q").mean().view(1))
    f["a"] = keep(f["v"] + eps)
    f["s"] = keep(f["a"].sqrt())
    f["r"] = keep(1 / f["s"])
    f["xhat"] = keep(f["c"] * f["r"])
    f["g"] = keep(f["gamma"] * f["xhat"])
    f["y"] = keep(f["g"] + f["beta"])
    (torch.tensor(dy, dtype=torch.float64) * f["y"]).sum().backward()
    return f


@pytest.mark.parametrize("m", [2, 3, 6])
@pytest.mark.parametrize("eps", [1e-5, 1.0])
def test_values_and_gradients_are_autograds(m, eps):
    rng = np.random.default_rng(m)
    given = (rng.normal(2, 3, m), rng.normal(size=m), -1.5, 0.5, eps)
    values, gradients = walk(*given)
    theirs = torchs(*given)
    assert set(values) == set(NODES)
    assert set(gradients) == {*NODES, "gamma", "beta"} == set(theirs)
    for node, mine in values.items():
        np.testing.assert_allclose(mine, theirs[node].detach(), rtol=1e-12)
    for node, mine in gradients.items():
        np.testing.assert_allclose(mine, theirs[node].grad, rtol=1e-9, atol=1e-9)


def test_the_output_and_dx_are_those_of_torchs_layer():
    x = torch.tensor(GIVEN["x"], dtype=torch.float64, requires_grad=True)
    layer = torch.nn.BatchNorm1d(1, eps=1.0, dtype=torch.float64)
    torch.nn.init.constant_(layer.weight, 3.0)
    torch.nn.init.constant_(layer.bias, 1.0)
    y = layer(x.view(-1, 1)).view(-1)
    y.backward(torch.tensor(GIVEN["dy"], dtype=torch.float64))
    values, gradients = walk(**GIVEN | {"eps": 1.0})
    np.testing.assert_allclose(values["y"], y.detach(), rtol=1e-12)
    np.testing.assert_allclose(gradients["x"], x.grad, atol=1e-12)
    np.testing.assert_allclose(gradients["x"], [0, -2, -3, 4, 1], atol=1e-12)
    assert gradients["gamma"] == pytest.approx(layer.weight.grad.item())
    assert gradients["beta"] == pytest.approx(layer.bias.grad.item())


def test_what_has_arrived_half_way_is_autograds_with_the_rest_cut_off():
    given = GIVEN | {"eps": 1.0}
    names = list(NODES[:0:-1])
    for node, last, cut in [("c", "xhat", "q"), ("x", "c", "mu")]:
        _, gradients = walk(**given, step=len(NODES) - 1 + names.index(last) + 1)
        theirs = torchs(**given, cut=(cut,))[node].grad
        np.testing.assert_allclose(gradients[node], theirs, atol=1e-12)
        assert np.abs(gradients[node] - walk(**given)[1][node]).max() > 0.5


def test_each_step_makes_one_node_known():
    for step in range(STEPS + 1):
        values, gradients = walk(**GIVEN | {"eps": 1.0}, step=step)
        assert list(values) == list(NODES[: step + 1])
        if step <= STEPS // 2:
            assert list(gradients) == ["y"]
    steps = [set(walk(**GIVEN | {"eps": 1.0}, step=step)[1]) for step in range(10, 21)]
    new = [sorted(after - before) for before, after in zip(steps, steps[1:], strict=False)]
    assert new == [
        *(["beta", "g"], ["gamma", "xhat"], ["c", "r"], ["s"], ["a"], ["v"], ["q"], []),
        *(["mu", "x"], []),
    ]


def test_the_page_holds_what_was_given(shown):
    FIGURE.show()
    assert data_of(shown[1]) == GIVEN | {"eps": [1.0, 1e-5]}


def test_the_still_picture_shows_the_last_gradients():
    figure = still(**GIVEN | {"eps": 1.0})
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written.count("\u221215") == 2  # at the mean, and at the first of x-hat
    for value in ("270", "\u221230", "\u22123", "\u22121.33"):
        assert value in written


def test_tensors_and_one_eps_will_do(shown):
    x = torch.tensor(GIVEN["x"], requires_grad=True)
    gamma = torch.nn.Parameter(torch.tensor(3.0))
    mine = plt.figure()
    interactive.backward(x, torch.tensor(GIVEN["dy"]), gamma, 1, 1e-3, static=mine)
    assert data_of(shown[1]) == {**GIVEN, "eps": [1e-3]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": [[1.0, 2.0]]}, r"x has shape \(1, 2\); it must be one unit's values"),
        ({"x": [1.0], "dy": [1.0]}, "m from 2 to 6"),
        ({"x": np.arange(7.0), "dy": np.arange(7.0)}, "m from 2 to 6"),
        ({"dy": [1.0, 2.0]}, r"dy has shape \(2,\); it must be \(5,\), a number for each x"),
        ({"x": [1.0] * 5}, "all values of x are equal"),
        ({"dy": [1.0, 2.0, 3.0, 4.0, float("nan")]}, "dy holds NaN or infinity"),
        ({"beta": float("inf")}, "beta holds NaN or infinity"),
        ({"gamma": 0.0}, "gamma is 0: no gradient would get past it"),
        ({"eps": (1.0, 0.0)}, "give one or more positive numbers"),
        ({"eps": ()}, "give one or more positive numbers"),
    ],
)
def test_bad_data_is_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        FIGURE.show(**change)
    assert shown == []
