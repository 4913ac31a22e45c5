"""Wrong answers to the exercises of chapter 01: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "01.1": [
        (
            "divides by the variance",
            """
def standardized(w, b, mean, cov):
    variance = w @ cov @ w
    return w / variance, -(w @ mean) / variance
""",
        ),
        (
            "leaves the bias as it was",
            """
def standardized(w, b, mean, cov):
    return w / np.sqrt(w @ cov @ w), b
""",
        ),
        (
            "does not divide the bias",
            """
def standardized(w, b, mean, cov):
    return w / np.sqrt(w @ cov @ w), -(w @ mean)
""",
        ),
        (
            "counts the old bias twice",
            """
def standardized(w, b, mean, cov):
    sigma = np.sqrt(w @ cov @ w)
    return w / sigma, -(w @ mean + b) / sigma
""",
        ),
        (
            "forgets that the inputs are correlated",
            """
def standardized(w, b, mean, cov):
    sigma = np.sqrt(w**2 @ np.diag(cov))
    return w / sigma, -(w @ mean) / sigma
""",
        ),
        (
            "standardizes the inputs instead",
            """
def standardized(w, b, mean, cov):
    w = w / np.sqrt(np.diag(cov))
    return w, -(w @ mean)
""",
        ),
        (
            "turned round",
            """
def standardized(w, b, mean, cov):
    sigma = np.sqrt(w @ cov @ w)
    return -w / sigma, (w @ mean) / sigma
""",
        ),
    ],
    "01.2": [
        (
            "the mirror image of the values",
            """
def opposite(x):
    return -x
""",
        ),
        (
            "mirrored about its mean",
            """
def opposite(x):
    return 2 * x.mean() - x
""",
        ),
        (
            "read backwards",
            """
def opposite(x):
    return x[::-1]
""",
        ),
        (
            "shuffled",
            """
def opposite(x):
    return np.random.default_rng(0).permutation(x)
""",
        ),
        (
            "sorted from high to low",
            """
def opposite(x):
    return np.sort(x)[::-1]
""",
        ),
        (
            "the right order at another scale",
            """
def opposite(x):
    impostor = np.empty_like(x)
    impostor[np.argsort(x)] = 2 * np.sort(x)[::-1]
    return impostor
""",
        ),
        (
            "the order taken for the ranks",
            """
def opposite(x):
    return np.sort(x)[::-1][np.argsort(x)]
""",
        ),
    ],
    "01.3": [
        (
            "counts images",
            """
def values_per_channel(images, size, kernel, stride, padding):
    return images
""",
        ),
        (
            "the positions of one image",
            """
def values_per_channel(images, size, kernel, stride, padding):
    return ((size + 2 * padding - kernel) // stride + 1) ** 2
""",
        ),
        (
            "forgets that the kernel does not hang over",
            """
def values_per_channel(images, size, kernel, stride, padding):
    return images * size**2
""",
        ),
        (
            "pads one side only",
            """
def values_per_channel(images, size, kernel, stride, padding):
    return images * ((size + padding - kernel) // stride + 1) ** 2
""",
        ),
        (
            "one side of the map",
            """
def values_per_channel(images, size, kernel, stride, padding):
    return images * ((size + 2 * padding - kernel) // stride + 1)
""",
        ),
        (
            "does not round down",
            """
def values_per_channel(images, size, kernel, stride, padding):
    return images * ((size + 2 * padding - kernel) / stride + 1) ** 2
""",
        ),
        (
            "not a whole number",
            """
def values_per_channel(images, size, kernel, stride, padding):
    return images * np.floor((size + 2 * padding - kernel) / stride + 1) ** 2
""",
        ),
        (
            "rounds up",
            """
def values_per_channel(images, size, kernel, stride, padding):
    return images * (-(-(size + 2 * padding - kernel) // stride) + 1) ** 2
""",
        ),
    ],
}
