"""Wrong answers to the exercises of chapter 16: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "16.1": [
        (
            "takes the batch's deviation for a constant",
            """
def slope(delta, eps):
    return 1 / np.sqrt(delta**2 + eps)
""",
        ),
        (
            "a comparator, so zero",
            """
def slope(delta, eps):
    return 0.0
""",
        ),
    ],
    "16.2": [
        (
            "takes only the mean out",
            """
def share(x, dy, eps=1e-5):
    return np.sum((dy - dy.mean(axis=0)) ** 2) / np.sum(dy**2)
""",
        ),
        (
            "averages the units' quotients",
            """
def share(x, dy, eps=1e-5):
    x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    s_dx = dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)
    return np.mean(np.sum(s_dx**2, axis=0) / np.sum(dy**2, axis=0))
""",
        ),
        (
            "forgets to measure in standard deviations",
            """
def share(x, dy, eps=1e-5):
    s = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / s
    dx = (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)) / s
    return np.sum(dx**2) / np.sum(dy**2)
""",
        ),
        (
            "lengths instead of squared lengths",
            """
def share(x, dy, eps=1e-5):
    x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    s_dx = dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)
    return np.sqrt(np.sum(s_dx**2) / np.sum(dy**2))
""",
        ),
    ],
    "16.3": [
        (
            "counts images, not positions",
            """
def images_needed(q, positions):
    count = 1
    while count - 2 < q * count - 1e-9:
        count += 1
    return count
""",
        ),
        (
            "rounding makes one too many",
            """
def images_needed(q, positions):
    return int(np.floor(2 / (1 - q) / positions)) + 1
""",
        ),
        (
            "takes one direction out instead of two",
            """
def images_needed(q, positions):
    return int(np.ceil(1 / (1 - q) / positions - 1e-9))
""",
        ),
    ],
    "16.4": [
        (
            "the quotients upside down",
            """
def renormalized(x, mean, var, rmax, dmax, eps=1e-5):
    s_batch, s = np.sqrt(x.var(axis=0) + eps), np.sqrt(var + eps)
    r = np.clip(s / s_batch, 1 / rmax, rmax)
    d = np.clip((x.mean(axis=0) - mean) / s, -dmax, dmax)
    return (x - x.mean(axis=0)) / s_batch * r + d
""",
        ),
        (
            "d in units of the batch's deviation",
            """
def renormalized(x, mean, var, rmax, dmax, eps=1e-5):
    s_batch, s = np.sqrt(x.var(axis=0) + eps), np.sqrt(var + eps)
    r = np.clip(s_batch / s, 1 / rmax, rmax)
    d = np.clip((x.mean(axis=0) - mean) / s_batch, -dmax, dmax)
    return (x - x.mean(axis=0)) / s_batch * r + d
""",
        ),
        (
            "r is limited from above only",
            """
def renormalized(x, mean, var, rmax, dmax, eps=1e-5):
    s_batch, s = np.sqrt(x.var(axis=0) + eps), np.sqrt(var + eps)
    r = np.minimum(s_batch / s, rmax)
    d = np.clip((x.mean(axis=0) - mean) / s, -dmax, dmax)
    return (x - x.mean(axis=0)) / s_batch * r + d
""",
        ),
    ],
}
