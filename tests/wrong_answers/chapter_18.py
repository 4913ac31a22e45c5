"""Wrong answers to the exercises of chapter 18: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "18.1": [
        (
            "forgets that a mean of m scatters less than one value",
            """
def scatter_of(x):
    between = x.mean(axis=1).var(axis=0, ddof=1)
    within = x.var(axis=1, ddof=1).mean(axis=0)
    return between.sum() / within.sum()
""",
        ),
        (
            "divides unit by unit, so that a dead one gives 0/0",
            """
def scatter_of(x):
    between = x.shape[1] * x.mean(axis=1).var(axis=0, ddof=1)
    within = x.var(axis=1, ddof=1).mean(axis=0)
    with np.errstate(invalid="ignore"):
        return np.mean(between / within)
""",
        ),
        (
            "takes biased variances",
            """
def scatter_of(x):
    between = x.shape[1] * x.mean(axis=1).var(axis=0)
    within = x.var(axis=1).mean(axis=0)
    return between.sum() / within.sum()
""",
        ),
    ],
    "18.2": [
        (
            "log K, whatever the shares",
            """
def lowest_loss(p):
    return np.log(len(p))
""",
        ),
        (
            "0 log 0 is not a number",
            """
def lowest_loss(p):
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.sum(p * np.log(p))
""",
        ),
        (
            "always the most frequent class",
            """
def lowest_loss(p):
    return -np.log(np.max(p))
""",
        ),
    ],
    "18.3": [
        (
            "all alike",
            """
def weights(n, size):
    count = -(-n // size)
    return [1 / count] * count
""",
        ),
        (
            "the last micro-batch is left out",
            """
def weights(n, size):
    return [size / n] * (n // size)
""",
        ),
    ],
    "18.4": [
        (
            "an even division seems to leave an empty batch",
            """
def batch_size(n, at_most):
    for size in range(min(n, at_most), 0, -1):
        if n % size >= size / 8:
            return size
    return 1
""",
        ),
        (
            "only even divisions",
            """
def batch_size(n, at_most):
    return max(size for size in range(1, min(n, at_most) + 1) if n % size == 0)
""",
        ),
        (
            "no better than drop_last",
            """
def batch_size(n, at_most):
    return min(n, at_most)
""",
        ),
    ],
}
