"""The decay dial: what it holds is NumPy's, and bad data is refused in words."""

import json

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from bnutils import interactive
from bnutils.interactive import mechanism, to_html
from bnutils.interactive.equilibrium import _digest, predicted, still
from tests.test_interactive import Page

PRODUCTS = [0.002, 0.008, 0.032]
RATES = [0.4, 0.1]
STEPS = [10, 20, 50, 100, 200, 400]


def example(seeds=5, steps=STEPS) -> dict:
    """Lengths that relax as the theory has it, with another length for each rate, and noise."""
    rng = np.random.default_rng(0)
    product = np.array(PRODUCTS)[:, None, None, None]
    rate = np.array(RATES)[None, :, None, None]
    time = np.array(steps, dtype=float)[None, None, :, None]
    end = (0.01 * rate**2 / product) ** 0.25
    fourth = end**4 + (1.4**4 - end**4) * np.exp(-4 * product * time)
    lengths = fourth**0.25 * rng.uniform(0.95, 1.05, (3, 2, len(steps), seeds))
    angles = np.sqrt(2 * product) * (end / lengths) ** 2
    given = {"products": PRODUCTS, "rates": RATES, "steps": steps}
    return {**given, "lengths": lengths, "angles": angles}


def page_html(**change) -> str:
    """The living figure of the example, as a page would hold it: for the tests in a browser."""
    words = {"label": "The dial", "description": "Turn it."}
    return to_html("equilibrium", _digest(**{**example(), **change}), **words, digits=9)


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
    interactive.equilibrium(**example())
    assert [sorted(bundle) for bundle in shown] == [
        ["image/png", "text/plain"],
        ["text/html", "text/plain"],
    ]
    assert shown[0]["image/png"].startswith(b"\x89PNG")
    assert not plt.get_fignums(), "the still picture would be shown a second time"
    page = Page(shown[1]["text/html"])
    assert page.ids[0] == "bn-equilibrium"
    assert 'start("bn-equilibrium", equilibrium);' in page.scripts[0]


def test_the_same_figure_gives_the_same_bytes(shown, monkeypatch):
    interactive.equilibrium(**example())
    monkeypatch.setattr(mechanism, "_times_shown", mechanism.Counter())
    interactive.equilibrium(**example())
    assert shown[:2] == shown[2:]


def test_the_page_holds_numpys_medians_and_degrees(shown):
    given = example()
    interactive.equilibrium(**given)
    data = data_of(shown[1])
    assert (data["products"], data["rates"], data["steps"]) == (PRODUCTS, RATES, STEPS)
    np.testing.assert_allclose(data["lengths"], np.median(given["lengths"], -1), rtol=1e-4)
    degrees = np.median(given["angles"], -1) * 180 / np.pi
    np.testing.assert_allclose(data["angles"], degrees, rtol=1e-4)


def test_the_prediction_is_the_root_in_degrees():
    assert predicted(0.5) == pytest.approx(180 / np.pi)
    np.testing.assert_allclose(predicted([0.02, 0.08]), np.array([0.2, 0.4]) * 180 / np.pi)


def test_only_the_marked_block_depends_on_what_was_measured(shown):
    interactive.equilibrium(**example())
    interactive.equilibrium(**example(seeds=9))
    texts = [bundle["text/html"] for bundle in shown[1::2]]
    blocks = [Page(text).data for text in texts]
    assert blocks[0] != blocks[1]
    bare = [text.replace(block, "") for text, block in zip(texts, blocks, strict=True)]
    assert bare[0] == bare[1].replace("bn-equilibrium-2", "bn-equilibrium")


def test_tensors_and_lists_will_do(shown):
    given = example()
    interactive.equilibrium(**given)
    interactive.equilibrium(**{k: torch.tensor(np.asarray(v)) for k, v in given.items()})
    interactive.equilibrium(**{k: np.asarray(v).tolist() for k, v in given.items()})
    assert data_of(shown[1]) == data_of(shown[3]) == data_of(shown[5])


def test_own_words_and_own_picture(shown):
    interactive.equilibrium(**example(), label="Mine", description="Look.", static=plt.figure())
    assert ">Mine</p>" in shown[1]["text/html"]
    assert ">Look.</p>" in shown[1]["text/html"]
    assert not plt.get_fignums()


def test_the_still_picture_shows_three_stops_at_two_rates_and_the_theory():
    data = _digest(**example())
    figure = still(data)
    left, right = figure.axes
    drawn = {line.get_label(): line.get_ydata() for line in left.lines}
    np.testing.assert_array_equal(drawn["ηλ = 0.008, η = 0.1"], data["lengths"][1][1])
    assert len(drawn) == 6
    levels = [line.get_ydata()[0] for line in right.lines if len(set(line.get_ydata())) == 1]
    np.testing.assert_allclose(levels, predicted(PRODUCTS))
    plt.close(figure)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"products": [0.1]}, r"products have shape \(1,\); give 2 to 12 numbers"),
        ({"products": [0.1, 0.01, 1]}, "products are .*; they must increase"),
        ({"products": [0, 0.01, 1]}, "products holds 0; every number must be above 0"),
        ({"rates": [0.1]}, r"rates have shape \(1,\)"),
        ({"steps": [10, 20, 50, 100, 200, 200]}, "steps are .*; they must increase"),
        ({"steps": [10, 20, 50, 100, 200, 200.5]}, "must be whole"),
        ({"lengths": np.ones((3, 2, 6))}, r"lengths have shape \(3, 2, 6\).*\(3, 2, 6, S\)"),
        ({"angles": np.ones((2, 3, 6, 5))}, r"angles have shape \(2, 3, 6, 5\)"),
        ({"angles": np.full((3, 2, 6, 5), 4.0)}, "angles are above π"),
        ({"angles": np.full((3, 2, 6, 5), np.nan)}, "angles holds NaN"),
        ({"lengths": np.zeros((3, 2, 6, 5))}, "lengths holds 0"),
    ],
)
def test_bad_data_is_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        interactive.equilibrium(**{**example(), **change})
    assert shown == []
