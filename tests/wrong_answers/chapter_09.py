"""Wrong answers to the exercises of chapter 09: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "09.1": [
        (
            "one layer too many",
            """
def deepest(shrink, bits):
    return int(np.ceil(-bits * np.log(2) / np.log(shrink))) + 1
""",
        ),
        (
            "counts bits as decimal digits",
            """
def deepest(shrink, bits):
    return int(-bits * np.log(10) / np.log(shrink))
""",
        ),
        (
            "takes every factor for a quarter",
            """
def deepest(shrink, bits):
    return bits // 2
""",
        ),
        (
            "not rounded",
            """
def deepest(shrink, bits):
    return -bits * np.log(2) / np.log(shrink)
""",
        ),
    ],
    "09.2": [
        (
            "Xavier, whatever the slope",
            """
def deviation(slope, fan_in):
    return 1 / np.sqrt(fan_in)
""",
        ),
        (
            "the variance",
            """
def deviation(slope, fan_in):
    return 1 / (slope**2 * fan_in)
""",
        ),
        (
            "the slope the wrong way round",
            """
def deviation(slope, fan_in):
    return slope / np.sqrt(fan_in)
""",
        ),
        (
            "He, for a unit that is half off",
            """
def deviation(slope, fan_in):
    return np.sqrt(2 / fan_in) / slope
""",
        ),
    ],
    "09.3": [
        (
            "only doubles what goes in",
            """
def convert(V1, b1, V2, b2):
    return 2 * V1, 2 * b1, V2, b2
""",
        ),
        (
            "only doubles what comes out",
            """
def convert(V1, b1, V2, b2):
    return V1, b1, 2 * V2, b2 - V2.sum(1)
""",
        ),
        (
            "forgets that a sigmoid's middle is one half",
            """
def convert(V1, b1, V2, b2):
    return 2 * V1, 2 * b1, 2 * V2, b2
""",
        ),
        (
            "forgets to double the bias",
            """
def convert(V1, b1, V2, b2):
    return 2 * V1, b1, 2 * V2, b2 - V2.sum(1)
""",
        ),
        (
            "sums over the outputs",
            """
def convert(V1, b1, V2, b2):
    return 2 * V1, 2 * b1, 2 * V2, b2 - V2.sum()
""",
        ),
        (
            "returns the first layer alone",
            """
def convert(V1, b1, V2, b2):
    return 2 * V1, 2 * b1
""",
        ),
    ],
    "09.4": [
        (
            "scales, but does not shift",
            """
def fit(W, x):
    z = x @ W.T
    return W / z.std(0)[:, None], np.zeros(len(W))
""",
        ),
        (
            "the bias is not scaled",
            """
def fit(W, x):
    z = x @ W.T
    return W / z.std(0)[:, None], -z.mean(0)
""",
        ),
        (
            "one scale for the whole layer",
            """
def fit(W, x):
    z = x @ W.T
    return W / z.std(), -z.mean(0) / z.std()
""",
        ),
        (
            "by the variance",
            """
def fit(W, x):
    z = x @ W.T
    return W / z.var(0)[:, None], -z.mean(0) / z.var(0)
""",
        ),
        (
            "returns the normalized values",
            """
def fit(W, x):
    z = x @ W.T
    return (z - z.mean(0)) / z.std(0), z.mean(0)
""",
        ),
        (
            "flips every unit",
            """
def fit(W, x):
    z = x @ W.T
    return -W / z.std(0)[:, None], z.mean(0) / z.std(0)
""",
        ),
    ],
}
