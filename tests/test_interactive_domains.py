"""The figure of two domains: its numbers are NumPy's, and bad data is refused in words."""

import numpy as np
import pytest
import torch

from bnutils import interactive
from bnutils.evidence import interval
from bnutils.interactive.domains import RUNS, _digest, still
from tests.figures import Figure, Page, data_of

STRENGTHS = [0, 0.1, 0.25, 0.4]


def example(strengths=STRENGTHS, n=60, seeds=8) -> dict:
    """B is A fainter and shifted, as in a first layer; the accuracies fall for two passes."""
    rng = np.random.default_rng(0)
    s = np.asarray(strengths, dtype=float)[:, None]
    a = rng.normal(-0.3, 0.8, (1, n)) + 0.1 * s
    b = (1 - 2 * s) * a + s
    noise = rng.normal(0, 0.3, (len(RUNS), len(s), seeds))
    return {
        "strengths": strengths,
        "a": a,
        "b": b,
        "stored_mean": (a.mean(1) + b.mean(1)) / 2,
        "stored_var": (a.var(1) + b.var(1)) / 2,
        "accuracy": dict(zip(RUNS, 97 + noise - [0 * s, 60 * s**2, 0 * s], strict=True)),
    }


def digest(**given) -> dict:
    return _digest(**{"unit_label": "one unit", "eps": 1e-5, **given})


FIGURE = Figure(
    name="domains",
    example=example(),
    other=example(n=90, seeds=6) | {"stored_mean": [4, 3, 2, 1]},
    digest=digest,
)


def test_the_page_holds_numpys_numbers(shown):
    given = example()
    FIGURE.show(unit_label="a hidden unit", eps=1e-3)
    data = data_of(shown[1])
    assert data["strengths"] == STRENGTHS
    assert data["unit"] == "a hidden unit"
    assert data["eps"] == 1e-3

    def same(got, expected):
        np.testing.assert_allclose(got, expected, rtol=1e-8)

    for name in ("a", "b"):
        same(data[name]["mean"], given[name].mean(axis=1))
        same(data[name]["sd"], given[name].std(axis=1))
    same(data["stored"]["mean"], given["stored_mean"])
    same(data["stored"]["var"], given["stored_var"])
    assert list(data["accuracy"]) == list(RUNS)
    for name, run in data["accuracy"].items():
        expected = [interval(row) for row in given["accuracy"][name]]
        same(np.transpose([run["median"], run["low"], run["high"]]), expected)


def test_every_value_is_counted_in_the_bin_where_it_lies():
    given = example()
    data = FIGURE.data()
    for name in ("a", "b"):
        for stop, values in enumerate(given[name]):
            counts = data[name]["counts"][stop]
            assert counts.sum() == len(values)
            edges = (np.arange(len(counts) + 1) - len(counts) / 2) * data["bin"]
            edges = values.mean() + values.std() * edges
            assert edges[0] < values.min()
            assert values.max() < edges[-1]
            np.testing.assert_array_equal(counts, np.histogram(values, edges)[0])


def test_bins_are_finer_for_more_examples_and_hold_outliers():
    few, many = (
        FIGURE.data(),
        FIGURE.data(**{k: v for k, v in example(n=4000).items() if k in "ab"}),
    )
    assert 0.5 < few["bin"] < 0.8
    assert 0.1 < many["bin"] < 0.2
    outlier = example()["a"]
    outlier[2, 7] = 1e3
    assert FIGURE.data(a=outlier)["a"]["counts"][2].sum() == outlier.shape[1]
    two_values = np.tile([-1.0, 1.0], (4, 30))  # both lie a whole sd from the mean
    assert FIGURE.data(a=two_values)["a"]["counts"][0].sum() == 60


def test_shifting_and_stretching_changes_no_histogram():
    """What lets one histogram serve before and after batch norm."""
    given = example()
    plain, moved = FIGURE.data(), FIGURE.data(b=8 * given["b"] - 16)
    np.testing.assert_array_equal(plain["b"]["counts"], moved["b"]["counts"])


def test_the_data_stay_small(shown):
    strengths = np.linspace(0, 0.45, 12)
    FIGURE.show(**example(strengths, n=1797, seeds=64))
    assert len(Page(shown[1]["text/html"]).data) < 15_000


def test_tensors_and_lists_will_do_and_the_order_of_the_runs_does_not_matter(shown):
    given = example()
    interactive.domains(**given)
    interactive.domains(
        strengths=torch.tensor(STRENGTHS, dtype=torch.float64),
        a=torch.tensor(given["a"], requires_grad=True),
        b=given["b"].tolist(),
        stored_mean=torch.tensor(given["stored_mean"]),
        stored_var=list(given["stored_var"]),
        accuracy={name: torch.tensor(given["accuracy"][name]) for name in reversed(RUNS)},
    )
    assert data_of(shown[1]) == data_of(shown[3])
    assert list(data_of(shown[3])["accuracy"]) == list(RUNS)


@pytest.mark.parametrize(
    ("strengths", "titles"),
    [
        ([0, 0.1, 0.25, 0.3, 0.4], ["strength 0", "strength 0.25", "strength 0.4"]),
        ([0, 0.45], ["strength 0", "strength 0.45"]),
    ],
)
def test_the_still_picture_shows_the_ends_the_middle_and_the_accuracies(strengths, titles):
    data = FIGURE.data(**example(strengths))
    figure = still(data)
    *stops, accuracies = figure.axes
    assert [ax.get_title() or ax.get_title("left") for ax in stops] == titles
    (line,) = stops[-1].lines
    highest = line.get_xdata()[line.get_ydata().argmax()]
    assert highest == pytest.approx(data["stored"]["mean"][-1])
    assert stops[-1].get_xlabel() == "one unit" or len(strengths) > 2
    assert [line.get_label() for line in accuracies.lines] == list(RUNS)
    for line in accuracies.lines:
        np.testing.assert_array_equal(
            line.get_ydata(), data["accuracy"][line.get_label()]["median"]
        )


def accuracy_with(values, name="two passes", **others):
    return {**example()["accuracy"], name: np.asarray(values), **others}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"strengths": 0.3}, r"strengths have shape \(\); give one number per stop"),
        ({"strengths": [0.3]}, "with K from 2 to 12"),
        ({"strengths": np.arange(13)}, "with K from 2 to 12"),
        ({"strengths": [0, 0.2, 0.2, 0.4]}, "they must increase"),
        ({"strengths": [0, 0.1, 0.2, float("nan")]}, "strengths holds NaN or infinity"),
        ({"a": np.ones(60)}, r"a has shape \(60,\); it must have a row for each of the 4"),
        ({"b": np.ones((3, 60))}, r"b has shape \(3, 60\).*a column for each example"),
        ({"b": np.ones((4, 19))}, "b has 19 examples; a histogram needs at least 20"),
        ({"a": np.full((4, 60), np.inf)}, "a holds NaN or infinity"),
        ({"b": [[1.0] * 60, *example()["b"][1:]]}, "b is constant at strength 0: .*choose another"),
        ({"stored_mean": 0.0}, r"stored_mean has shape \(\); it must be one number for each"),
        ({"stored_var": [1.0, 1.0]}, r"stored_var has shape \(2,\)"),
        ({"stored_var": [1.0, 0.0, 1.0, 1.0]}, "stored_var is 0.0 .*it must be positive"),
        ({"eps": 0.0}, "eps is 0.0; it must be positive"),
        ({"accuracy": {}}, r"accuracy lacks \['merged batch', 'two passes', 'a batch norm per d"),
        ({"accuracy": accuracy_with(1, name="three passes")}, r"\['three passes'\].*nothing else"),
        ({"accuracy": accuracy_with(np.full(8, 90.0))}, "'two passes'.*a column for each seed"),
        ({"accuracy": accuracy_with(np.full((4, 8), 101.0))}, "'two passes'.*in per cent"),
        ({"accuracy": accuracy_with(np.full((4, 8), 0.97))}, "not shares: 100"),
        ({"accuracy": accuracy_with(np.full((4, 8), np.nan))}, "'two passes'.*NaN"),
        ({"accuracy": accuracy_with(np.full((4, 5), 90.0))}, "run at least 6 seeds"),
        ({"unit_label": " "}, "unit_label must say what a and b are"),
        ({"label": ""}, "must say something"),
    ],
)
def test_bad_data_is_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        FIGURE.show(**change)
    assert shown == []
