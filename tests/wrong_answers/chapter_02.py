"""Wrong answers to the exercises of chapter 02: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "02.1": [
        (
            "the unbiased variance",
            """
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=1) + eps) + beta
""",
        ),
        (
            "eps outside the root",
            """
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / (np.sqrt(x.var(axis=0)) + eps) + beta
""",
        ),
        (
            "over the features, as layer norm does",
            """
def batch_norm(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta
""",
        ),
        (
            "over the whole array",
            """
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean()) / np.sqrt(x.var() + eps) + beta
""",
        ),
        (
            "the axis of the features without keepdims",
            """
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(axis=1)) / np.sqrt(x.var(axis=1) + eps) + beta
""",
        ),
        (
            "divides by the variance",
            """
def batch_norm(x, gamma, beta, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / (x.var(axis=0) + eps) + beta
""",
        ),
        (
            "forgets gamma and beta",
            """
def batch_norm(x, gamma, beta, eps=1e-5):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
""",
        ),
    ],
    "02.2": [
        (
            "the largest of evenly spaced numbers",
            """
def extreme_batch(m):
    return np.arange(m, 0, -1)
""",
        ),
        (
            "the outlier below the others",
            """
def extreme_batch(m):
    return np.array([-1.0] + [0.0] * (m - 1))
""",
        ),
        (
            "the outlier last",
            """
def extreme_batch(m):
    return np.array([0.0] * (m - 1) + [1.0])
""",
        ),
        (
            "a far outlier among noise",
            """
def extreme_batch(m):
    x = np.random.default_rng(0).standard_normal(m)
    x[0] = 100.0
    return x
""",
        ),
        (
            "all alike",
            """
def extreme_batch(m):
    return np.full(m, np.sqrt(m - 1))
""",
        ),
    ],
    "02.3": [
        (
            "γ is the variance",
            """
def undo(x, eps=1e-5):
    return x.var(axis=0), x.mean(axis=0)
""",
        ),
        (
            "γ without eps",
            """
def undo(x, eps=1e-5):
    return x.std(axis=0), x.mean(axis=0)
""",
        ),
        (
            "γ from the unbiased variance",
            """
def undo(x, eps=1e-5):
    return np.sqrt(x.var(axis=0, ddof=1) + eps), x.mean(axis=0)
""",
        ),
        (
            "β first",
            """
def undo(x, eps=1e-5):
    return x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)
""",
        ),
        (
            "one γ and one β for all features",
            """
def undo(x, eps=1e-5):
    return np.sqrt(x.var() + eps), x.mean()
""",
        ),
    ],
    "02.4": [
        (
            "forgets the square",
            """
def batch_size(r):
    return int(np.ceil(1 / r))
""",
        ),
        (
            "rounds down",
            """
def batch_size(r):
    return int(1 / r**2)
""",
        ),
        (
            "does not round",
            """
def batch_size(r):
    return 1 / r**2
""",
        ),
        (
            "squares twice",
            """
def batch_size(r):
    return int(np.ceil(1 / r**4))
""",
        ),
    ],
}
