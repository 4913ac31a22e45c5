"""The figure of a victim and its batch-mates: its net is the given one, and bad data is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from bnutils import data
from bnutils.interactive.victim import _checked, probabilities, still
from bnutils.randomness import generator
from tests.figures import Figure, Page, data_of

EVERYBODY = list(range(30))


def example_net(bias: bool = False) -> nn.Sequential:
    """Weights by chance, and statistics that no batch has."""
    g = generator(14)
    norm = nn.BatchNorm1d(12)
    net = nn.Sequential(nn.Linear(64, 12, bias=bias), norm, nn.ReLU(), nn.Linear(12, 10))
    with torch.no_grad():
        for tensor in net.parameters():
            tensor.copy_(torch.randn(tensor.shape, generator=g))
        norm.running_mean.copy_(torch.randn(12, generator=g))
        norm.running_var.copy_(1 + torch.rand(12, generator=g))
    return net.eval()


def example(each: int = 3) -> dict:
    """The first digit as the victim, and the next ones of each class as its mates."""
    images, labels = (tensor.numpy() for tensor in data.digits())
    rows = np.concatenate([np.flatnonzero(labels[1:] == c)[:each] + 1 for c in range(10)])
    return {
        "net": example_net(),
        "image": images[0],
        "image_label": int(labels[0]),
        "mates": images[rows],
        "mate_labels": labels[rows],
    }


def another() -> dict:
    images, labels = (tensor.numpy() for tensor in data.digits())
    return example() | {"net": example_net(bias=True), "image": images[5], "image_label": 5}


FIGURE = Figure("victim", example(), another(), _checked)


def torchs(given: dict, inside: list[int], mode: str) -> np.ndarray:
    """PyTorch's own answer for the victim, with the mates that stand at these places."""
    in_columns = np.argsort(given["mate_labels"], kind="stable").reshape(10, -1).T.flatten()
    batch = np.concatenate([given["image"][None], given["mates"][in_columns[inside]]])
    net = example_net().double().train(mode == "train")
    with torch.no_grad():
        return net(torch.tensor(batch).double())[0].softmax(0).numpy()


@pytest.mark.parametrize("inside", [[0], [3, 13, 23], [1, 5, 8, 22], EVERYBODY])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_the_page_holds_a_net_that_answers_as_torch_does(shown, inside, mode):
    FIGURE.show()
    answer = probabilities(data_of(shown[1]), inside, mode)
    # Six digits of each weight are kept.
    np.testing.assert_allclose(answer, torchs(example(), inside, mode), atol=2e-4)


def test_in_evaluation_the_mates_do_not_matter():
    page = FIGURE.data()
    alone = probabilities(page, [], "eval")
    np.testing.assert_array_equal(probabilities(page, EVERYBODY, "eval"), alone)
    assert np.abs(probabilities(page, [7], "train") - alone).max() > 0.01


def test_mates_stand_in_columns_by_class_whatever_their_order():
    given = example()
    shuffled = np.random.default_rng(0).permutation(30)
    other = {name: given[name][shuffled] for name in ("mates", "mate_labels")}
    for page in (FIGURE.data(), FIGURE.data(**other)):
        assert page["mates"]["labels"] == 3 * list(range(10))


def test_images_survive(shown):
    FIGURE.show()
    text = data_of(shown[1])["victim"]["image"]
    pixels = [int(level, 17) / 16 for level in text]
    np.testing.assert_array_equal(pixels, example()["image"])


def test_a_linear_layer_may_have_a_bias():
    assert np.all(FIGURE.data()["net"]["b1"] == 0)
    assert FIGURE.data(**another())["net"]["b1"].shape == (12,)


def test_the_data_stay_small(shown):
    FIGURE.show(**example(each=5))
    assert len(Page(shown[1]["text/html"]).data) < 20_000


def test_the_still_picture_shows_three_companies():
    page = FIGURE.data()
    figure = still(page)
    titles = [ax.get_title(loc) for ax in figure.axes[:3] for loc in ("left", "center")]
    titles = [title for title in titles if title]
    assert titles[0] == "with all of them"
    assert all(title.startswith("with ") and title.endswith("s alone") for title in titles[1:])
    bars = [patch.get_height() for patch in figure.axes[3].patches]
    np.testing.assert_allclose(bars, probabilities(page, EVERYBODY, "train"))


def too_many_zeros() -> dict:
    labels = example()["mate_labels"].copy()
    labels[labels == 9] = 0
    return {"mate_labels": labels}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"net": nn.Linear(64, 10)}, "net is Linear of .*must be a Sequential of Linear, Batch"),
        ({"net": nn.Sequential(nn.Linear(64, 10))}, "must be a Sequential of Linear, BatchNorm1d"),
        (
            {"net": nn.Sequential(nn.Linear(9, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 10))},
            "net goes from 9 inputs",
        ),
        (
            {
                "net": nn.Sequential(
                    nn.Linear(64, 4),
                    nn.BatchNorm1d(4, track_running_stats=False),
                    nn.ReLU(),
                    nn.Linear(4, 10),
                )
            },
            "must have stored statistics",
        ),
        ({"image": torch.zeros(8, 8)}, r"image has shape \(8, 8\)"),
        ({"image": torch.full((64,), 0.3)}, "no multiple of a sixteenth"),
        ({"image": torch.full((64,), torch.nan)}, "no multiple of a sixteenth"),
        ({"image": torch.full((64,), 2.0)}, "above 1"),
        ({"image_label": 10}, "image_label is 10"),
        ({"mates": torch.zeros(30, 63)}, r"mates have shape \(30, 63\)"),
        ({"mate_labels": torch.zeros(29)}, r"labels \(29,\)"),
        (too_many_zeros(), "each must occur equally often"),
        (example(each=1), "2 to 5 times"),
        ({"label": ""}, "must say something"),
    ],
)
def test_bad_data_is_refused(shown, change, says):
    with pytest.raises(ValueError, match=says):
        FIGURE.show(**change)
    assert shown == []
