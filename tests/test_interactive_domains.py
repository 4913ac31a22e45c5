"""The figure of two domains: its numbers are NumPy's, and bad data is refused in words."""

import json

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from bnutils import interactive
from bnutils.evidence import interval
from bnutils.interactive import mechanism, to_html
from bnutils.interactive.domains import RUNS, _digest, still
from tests.test_interactive import Page

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


def digest(**change) -> dict:
    return _digest(**{**example(), "unit_label": "one unit", "eps": 1e-5, **change})


@pytest.fixture
def shown(monkeypatch):
    """What the figure displays, as a list of mime bundles; the count of figures starts anew."""
    bundles = []
    monkeypatch.setattr(mechanism, "display", lambda bundle, raw: bundles.append(bundle))
    monkeypatch.setattr(mechanism, "_times_shown", mechanism.Counter())
    return bundles


def data_of(bundle) -> dict:
    return json.loads(Page(bundle["text/html"]).data)


def test_a_still_picture_and_a_living_one(shown):
    interactive.domains(**example())
    assert [sorted(bundle) for bundle in shown] == [
        ["image/png", "text/plain"],
        ["text/html", "text/plain"],
    ]
    assert shown[0]["image/png"].startswith(b"\x89PNG")
    assert not plt.get_fignums(), "the still picture would be shown a second time"
    page = Page(shown[1]["text/html"])
    assert page.ids[0] == "bn-domains"
    assert 'start("bn-domains", domains);' in page.scripts[0]


def test_the_same_figure_gives_the_same_bytes(shown, monkeypatch):
    interactive.domains(**example())
    monkeypatch.setattr(mechanism, "_times_shown", mechanism.Counter())
    interactive.domains(**example())
    assert shown[:2] == shown[2:]


def test_the_page_holds_numpys_numbers(shown):
    given = example()
    interactive.domains(**given, unit_label="a hidden unit", eps=1e-3)
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
    data = digest()
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
    few, many = digest(), digest(**{k: v for k, v in example(n=4000).items() if k in "ab"})
    assert 0.5 < few["bin"] < 0.8
    assert 0.1 < many["bin"] < 0.2
    outlier = example()["a"]
    outlier[2, 7] = 1e3
    assert digest(a=outlier)["a"]["counts"][2].sum() == outlier.shape[1]
    two_values = np.tile([-1.0, 1.0], (4, 30))  # both lie a whole sd from the mean
    assert digest(a=two_values)["a"]["counts"][0].sum() == 60


def test_shifting_and_stretching_changes_no_histogram():
    """What lets one histogram serve before and after batch norm."""
    given = example()
    plain, moved = digest(), digest(b=8 * given["b"] - 16)
    np.testing.assert_array_equal(plain["b"]["counts"], moved["b"]["counts"])


def test_only_the_marked_block_depends_on_what_was_measured(shown):
    interactive.domains(**example())
    interactive.domains(**example(n=90, seeds=6) | {"stored_mean": [4, 3, 2, 1]})
    texts = [bundle["text/html"] for bundle in shown[1::2]]
    blocks = [Page(text).data for text in texts]
    assert blocks[0] != blocks[1]
    bare = [text.replace(block, "") for text, block in zip(texts, blocks, strict=True)]
    assert bare[0] == bare[1].replace("bn-domains-2", "bn-domains")


def test_the_data_stay_small(shown):
    strengths = np.linspace(0, 0.45, 12)
    interactive.domains(**example(strengths, n=1797, seeds=64))
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


def test_own_words_and_own_picture(shown, monkeypatch):
    mine = plt.figure()
    saved = []
    savefig = type(mine).savefig
    monkeypatch.setattr(
        type(mine), "savefig", lambda self, *a, **k: saved.append(self) or savefig(self, *a, **k)
    )
    interactive.domains(**example(), label="Mine", description="Look.", static=mine)
    assert saved == [mine]
    assert ">Mine</p>" in shown[1]["text/html"]
    assert ">Look.</p>" in shown[1]["text/html"]


@pytest.mark.parametrize(
    ("strengths", "titles"),
    [
        ([0, 0.1, 0.25, 0.3, 0.4], ["strength 0", "strength 0.25", "strength 0.4"]),
        ([0, 0.45], ["strength 0", "strength 0.45"]),
    ],
)
def test_the_still_picture_shows_the_ends_the_middle_and_the_accuracies(strengths, titles):
    data = digest(**example(strengths))
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
    plt.close(figure)


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
        interactive.domains(**{**example(), **change})
    assert shown == []
    plt.close("all")


def page_html() -> str:
    """The living figure of the example, as a page would hold it: for the tests in a browser."""
    words = {"label": "Two domains", "description": "Slide them apart."}
    return to_html("domains", digest(), **words, digits=9)
