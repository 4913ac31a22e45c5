"""Wrong answers to the exercises of chapter 03: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "03.1": [
        (
            "mean and variance held constant",
            """
def batch_norm_backward(dy, x, gamma, eps=1e-5):
    s = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / s
    return gamma / s * dy, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "the variance held constant",
            """
def batch_norm_backward(dy, x, gamma, eps=1e-5):
    s = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / s
    dx = gamma / s * (dy - dy.mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "eps left out",
            """
def batch_norm_backward(dy, x, gamma, eps=1e-5):
    s = x.std(axis=0)
    x_hat = (x - x.mean(axis=0)) / s
    dx = gamma / s * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "the unbiased variance",
            """
def batch_norm_backward(dy, x, gamma, eps=1e-5):
    s = np.sqrt(x.var(axis=0, ddof=1) + eps)
    x_hat = (x - x.mean(axis=0)) / s
    dx = gamma / s * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "means over the features",
            """
def batch_norm_backward(dy, x, gamma, eps=1e-5):
    s = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / s
    mean = dy.mean(axis=1, keepdims=True)
    dx = gamma / s * (dy - mean - x_hat * (dy * x_hat).mean(axis=1, keepdims=True))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "the parameters' gradients are means",
            """
def batch_norm_backward(dy, x, gamma, eps=1e-5):
    s = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / s
    dx = gamma / s * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).mean(axis=0), dy.mean(axis=0)
""",
        ),
        (
            "dgamma with x in place of its normalized values",
            """
def batch_norm_backward(dy, x, gamma, eps=1e-5):
    s = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / s
    dx = gamma / s * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "gamma left out",
            """
def batch_norm_backward(dy, x, gamma, eps=1e-5):
    s = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / s
    dx = (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)) / s
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
""",
        ),
        (
            "dx alone",
            """
def batch_norm_backward(dy, x, gamma, eps=1e-5):
    s = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / s
    return gamma / s * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
""",
        ),
    ],
    "03.2": [
        (
            "the mean of dy subtracted, as in batch norm",
            """
def rms_backward(dy, x, eps=1e-5):
    r = np.sqrt((x**2).mean(axis=0) + eps)
    x_hat = x / r
    return (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)) / r
""",
        ),
        (
            "the root held constant",
            """
def rms_backward(dy, x, eps=1e-5):
    return dy / np.sqrt((x**2).mean(axis=0) + eps)
""",
        ),
        (
            "the standard deviation in place of the root mean square",
            """
def rms_backward(dy, x, eps=1e-5):
    r = np.sqrt(x.var(axis=0) + eps)
    x_hat = x / r
    return (dy - x_hat * (dy * x_hat).mean(axis=0)) / r
""",
        ),
        (
            "a sum in place of the mean",
            """
def rms_backward(dy, x, eps=1e-5):
    r = np.sqrt((x**2).mean(axis=0) + eps)
    x_hat = x / r
    return (dy - x_hat * (dy * x_hat).sum(axis=0)) / r
""",
        ),
    ],
    "03.3": [
        (
            "zero, as without eps",
            """
def jacobian_of_two(x, eps):
    return np.zeros((2, 2))
""",
        ),
        (
            "the power of the root forgotten",
            """
def jacobian_of_two(x, eps):
    d = (x[0] - x[1]) / 2
    return eps / (2 * (d**2 + eps)) * np.array([[1, -1], [-1, 1]])
""",
        ),
        (
            "the factor one half forgotten",
            """
def jacobian_of_two(x, eps):
    d = (x[0] - x[1]) / 2
    return eps / (d**2 + eps) ** 1.5 * np.array([[1, -1], [-1, 1]])
""",
        ),
        (
            "both outputs rise together",
            """
def jacobian_of_two(x, eps):
    d = (x[0] - x[1]) / 2
    return eps / (2 * (d**2 + eps) ** 1.5) * np.ones((2, 2))
""",
        ),
        (
            "only the diagonal",
            """
def jacobian_of_two(x, eps):
    d = (x[0] - x[1]) / 2
    return eps / (2 * (d**2 + eps) ** 1.5) * np.eye(2)
""",
        ),
    ],
    "03.4": [
        (
            "a constant",
            """
def unheard(x):
    return np.ones(len(x))
""",
        ),
        (
            "nothing at all",
            """
def unheard(x):
    return np.zeros(len(x))
""",
        ),
        (
            "something that sums to 0",
            """
def unheard(x):
    dy = np.zeros(len(x))
    dy[0], dy[1] = 1.0, -1.0
    return dy
""",
        ),
        (
            "at right angles to x",
            """
def unheard(x):
    dy = np.random.default_rng(0).normal(size=len(x))
    c = x - x.mean()
    return dy - dy.mean() - c * (dy @ c) / (c @ c)
""",
        ),
        (
            "the square of x",
            """
def unheard(x):
    return x**2
""",
        ),
    ],
}
