"""What a moved figure shows, read from the browser, and what Python says it should show."""

import numpy as np

READ_MINIBATCH = """root => {
    const values = axis => [...root.querySelectorAll(`[data-${axis}]`)]
        .sort((a, b) => a.dataset.index - b.dataset.index)
        .map(point => Number(point.dataset[axis]));
    const readouts = {};
    for (const node of root.querySelectorAll("[data-readout]"))
        readouts[node.dataset.readout] = Number(node.dataset.value);
    return {
        data: JSON.parse(root.querySelector("script.bn-measured").textContent),
        mode: root.dataset.mode,
        chosen: Number(root.querySelector("[data-chosen]").dataset.index),
        x: values("x"), y: values("y"), readouts,
        summary: root.querySelector(".bn-summary").textContent,
    };
}"""


def read_minibatch(figure) -> dict:
    """What the figure shows now: x and y of every example, the mode, the readouts, the summary."""
    return figure.evaluate(READ_MINIBATCH)


def batch_norm(x, data: dict, mode: str) -> tuple[np.ndarray, float, float]:
    """Python's own answer: the outputs, and the mean and variance that made them."""
    x = np.asarray(x, dtype=float)
    if mode == "train":
        mean, variance = x.mean(), x.var()
    else:
        mean, variance = data["running_mean"], data["running_var"]
    y = data["gamma"] * (x - mean) / np.sqrt(variance + data["eps"]) + data["beta"]
    return y, mean, variance


def check_minibatch(shown: dict) -> np.ndarray:
    """Hold what is shown to Python; returns by how much every output has moved."""
    data, mode, chosen = shown["data"], shown["mode"], shown["chosen"]
    x = np.asarray(data["x"], dtype=float)
    before, _, _ = batch_norm(x, data, mode)
    x[chosen] = shown["x"][chosen]
    np.testing.assert_allclose(shown["x"], x, rtol=0, atol=1e-12)

    y, mean, variance = batch_norm(x, data, mode)
    others = np.arange(len(x)) != chosen
    answers = {
        "mean": mean,
        "sd": np.sqrt(variance),
        "own": y[chosen],
        "moved": np.abs(y - before)[others].max(),
    }
    np.testing.assert_allclose(shown["y"], y, rtol=1e-9, atol=1e-6)
    assert shown["readouts"].keys() == answers.keys()
    for name, value in answers.items():
        np.testing.assert_allclose(shown["readouts"][name], value, rtol=1e-9, atol=1e-6)
    moves = np.asarray(shown["y"]) - before
    return np.where(np.abs(moves) < 1e-12, 0, moves)  # less is the rounding of two languages
