"""The figure of chapter 14: a fixed victim, and batch-mates that turn its answer."""

from collections.abc import Collection, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from bnutils.interactive.mechanism import float64, show
from bnutils.plots import BLACK, VERMILION

LABEL = "A victim and its batch-mates"
DESCRIPTION = (
    "A trained net is asked about one image, the victim, which never changes. Choose the rest of "
    "the batch: click digits to let them in and to send them away, or reach them with the arrow "
    "keys. A number above a column takes that class alone. Is one mate enough to turn the answer? "
    "And which class, taken alone, turns it?"
)
CLASSES = 10
LEVELS = 16  # of a pixel, beside 0
DIGITS = "0123456789abcdefg"  # one character for each level


def victim(
    net: nn.Sequential,
    image,
    image_label: int,
    mates,
    mate_labels,
    *,
    label: str = LABEL,
    description: str = DESCRIPTION,
    static: Figure | None = None,
) -> None:
    """Show what a net answers for one image while the reader chooses the rest of its batch.

    Parameters
    ----------
    net
        Linear, BatchNorm1d with stored statistics, ReLU, Linear: from 64 pixels to 10 classes.
    image
        The victim, shape (64,): pixels in [0, 1], in steps of a sixteenth.
    image_label
        Its class, 0 to 9.
    mates
        Images that may join the batch, shape (10 k, 64), k from 2 to 5 of each class.
    mate_labels
        Their classes, shape (10 k,).
    label, description
        Title and explanation, plain text without measured digits.
    static
        The still picture; drawn by :func:`still` unless given. It is closed.

    Raises
    ------
    ValueError
        If the net is built otherwise, an image has another shape or other pixels, or the mates are
        not equally many of each class.
    """
    data = _checked(net, image, image_label, mates, mate_labels)
    show(
        "victim",
        data,
        label=label,
        description=description,
        static=still(data) if static is None else static,
    )


def probabilities(data: Mapping, inside: Collection[int], mode: str) -> np.ndarray:
    """What the net answers for the victim: the probability of each class, shape (10,).

    Parameters
    ----------
    data
        What the living figure draws.
    inside
        Which of the mates are in the batch, by index; for training mode at least one.
    mode
        "train" or "eval".
    """
    net = {name: float64(value) for name, value in data["net"].items()}
    images = [data["victim"]["image"], *(data["mates"]["images"][i] for i in sorted(inside))]
    x = np.array([[DIGITS.index(level) for level in text] for text in images]) / LEVELS
    h = x @ net["w1"].T + net["b1"]
    mean, var = (h.mean(0), h.var(0)) if mode == "train" else (net["mean"], net["var"])
    normalized = net["gamma"] * (h - mean) / np.sqrt(var + net["eps"]) + net["beta"]
    logits = np.maximum(normalized, 0)[0] @ net["w2"].T + net["b2"]
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()


def still(data: Mapping) -> Figure:
    """The same in a still picture: all mates, and two companies of one class that turn the answer.

    ``data`` is what the living figure draws.
    """
    labels = np.asarray(data["mates"]["labels"])
    in_evaluation = probabilities(data, [], "eval")
    pure = {
        c: probabilities(data, np.flatnonzero(labels == c).tolist(), "train")
        for c in range(CLASSES)
    }
    everybody = list(range(len(labels)))
    # First those that turn the answer, the surest first, and each to another class.
    order = sorted(pure, key=lambda c: (pure[c].argmax() == in_evaluation.argmax(), -pure[c].max()))
    first = order[0]
    second = next((c for c in order if pure[c].argmax() != pure[first].argmax()), order[1])
    figure, axes = plt.subplots(
        2, 3, figsize=(8, 3.9), layout="constrained", height_ratios=(1, 2), sharey="row"
    )
    companies = {
        "with all of them": everybody,
        f"with {first}s alone": np.flatnonzero(labels == first).tolist(),
        f"with {second}s alone": np.flatnonzero(labels == second).tolist(),
    }
    for (above, below), (title, inside) in zip(axes.T, companies.items(), strict=True):
        _draw_batch(above, data, inside)
        above.set_title(title)
        _draw_answer(below, probabilities(data, inside, "train"), in_evaluation)
    axes[1, 0].set_ylabel("probability")
    axes[1, 1].set_xlabel("class")
    axes[1, 0].legend(loc="center right", fontsize="small", handlelength=1)
    return figure


def _draw_batch(ax: Axes, data: Mapping, inside: list[int]) -> Axes:
    """The victim, larger, and beside it the mates that are in."""
    ax.imshow(
        1 - _pixels(data["victim"]["image"]), cmap="gray", vmin=0, vmax=1, extent=(0, 4, 0, 4)
    )
    for place, i in enumerate(inside):
        left, top = 5 + place % CLASSES, 4 - place // CLASSES
        ax.imshow(
            1 - _pixels(data["mates"]["images"][i]),
            cmap="gray",
            vmin=0,
            vmax=1,
            extent=(left + 0.05, left + 0.95, top - 0.95, top - 0.05),
        )
    ax.set(xlim=(0, 15.5), ylim=(-0.2, 4.1), aspect="equal")
    ax.axis("off")
    return ax


def _draw_answer(ax: Axes, in_training: np.ndarray, in_evaluation: np.ndarray) -> Axes:
    classes = np.arange(CLASSES)
    ax.bar(classes, in_training, color=VERMILION, width=0.7, label="train")
    ax.plot(classes, in_evaluation, "D", ms=5, mfc="none", mec=BLACK, label="eval", clip_on=False)
    ax.set(xticks=classes, ylim=(0, 1))
    ax.grid(axis="x", visible=False)
    return ax


def _pixels(text: str) -> np.ndarray:
    return np.array([DIGITS.index(level) for level in text]).reshape(8, 8) / LEVELS


def _checked(net, image, image_label, mates, mate_labels) -> dict:
    """The figure's data, or an error that says what is wrong."""
    kinds = (nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Linear)
    layers = list(net) if isinstance(net, nn.Sequential) else []
    if [type(layer) for layer in layers] != list(kinds):
        raise ValueError(
            f"net is {type(net).__name__} of {[type(layer).__name__ for layer in layers]}; it must "
            "be a Sequential of Linear, BatchNorm1d, ReLU, Linear"
        )
    first, norm, _, last = layers
    if first.in_features != 64 or last.out_features != CLASSES:
        raise ValueError(
            f"net goes from {first.in_features} inputs to {last.out_features} outputs; it must go "
            "from 64 pixels to 10 classes"
        )
    if norm.running_mean is None or norm.weight is None:
        raise ValueError("the norm must have stored statistics, a weight and a bias")
    image, mates, mate_labels = float64(image), float64(mates), np.asarray(mate_labels)
    if image.shape != (64,):
        raise ValueError(f"image has shape {image.shape}; it must be one image, shape (64,)")
    if mates.ndim != 2 or mates.shape[1] != 64 or mate_labels.shape != mates.shape[:1]:
        raise ValueError(
            f"mates have shape {mates.shape} and their labels {mate_labels.shape}; they must be "
            "(M, 64) and (M,)"
        )
    if not 0 <= int(image_label) < CLASSES:
        raise ValueError(f"image_label is {image_label}; it must be a class, 0 to 9")
    counts = [int((mate_labels == c).sum()) for c in range(CLASSES)]
    if len(set(counts)) > 1 or sum(counts) != len(mates) or not 2 <= counts[0] <= 5:
        raise ValueError(
            f"the mates' classes 0 to 9 occur {counts} times; each must occur equally often, "
            "2 to 5 times, and no other"
        )
    # In the figure's order: row by row, a column for each class.
    order = np.argsort(mate_labels, kind="stable").reshape(CLASSES, -1).T.flatten()
    zeros = np.zeros(first.out_features)
    return {
        "net": {
            "w1": first.weight,
            "b1": zeros if first.bias is None else first.bias,
            "gamma": norm.weight,
            "beta": zeros if norm.bias is None else norm.bias,
            "mean": norm.running_mean,
            "var": norm.running_var,
            "eps": float(norm.eps),
            "w2": last.weight,
            "b2": np.zeros(CLASSES) if last.bias is None else last.bias,
        },
        "victim": {"image": _text(image), "label": int(image_label)},
        "mates": {
            "images": [_text(mates[i]) for i in order],
            "labels": [int(mate_labels[i]) for i in order],
        },
    }


def _text(image: np.ndarray) -> str:
    """One character for each pixel."""
    levels = image * LEVELS
    if not (np.isfinite(levels).all() and (levels == levels.round()).all()):
        raise ValueError(
            "a pixel is no multiple of a sixteenth; give the digits as data.digits has"
        )
    if levels.min() < 0 or levels.max() > LEVELS:
        raise ValueError("a pixel is below 0 or above 1; give the digits as data.digits has them")
    return "".join(DIGITS[int(level)] for level in levels)
