"""Wrong answers to the exercises of chapter 17: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "17.1": [
        (
            "the variance began at 1, not at 0",
            """
def debiased(mean, var, momentum, tracked):
    if momentum is None or tracked == 0:
        return mean, var
    left = (1 - momentum) ** tracked
    return mean / (1 - left), var / (1 - left)
""",
        ),
        (
            "Keras's momentum",
            """
def debiased(mean, var, momentum, tracked):
    if momentum is None or tracked == 0:
        return mean, var
    left = momentum**tracked
    return mean / (1 - left), (var - left) / (1 - left)
""",
        ),
        (
            "divides by nothing before the first batch",
            """
def debiased(mean, var, momentum, tracked):
    if momentum is None:
        return mean, var
    left = (1 - momentum) ** tracked
    return mean / (1 - left), (var - left) / (1 - left)
""",
        ),
    ],
    "17.2": [
        (
            "the inputs' correlations are left out",
            """
def population(W, b, mean, covariance):
    return W @ mean + b, W**2 @ np.diag(covariance)
""",
        ),
        (
            "the bias is left out",
            """
def population(W, b, mean, covariance):
    return W @ mean, np.einsum("fi,ij,fj->f", W, covariance, W)
""",
        ),
    ],
    "17.3": [
        (
            "one over the steps",
            """
def smallest_momentum(steps, left):
    return 1 / steps
""",
        ),
        (
            "Keras's momentum",
            """
def smallest_momentum(steps, left):
    return left ** (1 / steps)
""",
        ),
        (
            "an approximation for small momenta",
            """
def smallest_momentum(steps, left):
    return -np.log(left) / steps
""",
        ),
    ],
    "17.4": [
        (
            "looks at the means alone",
            """
def untouched(state):
    names = [k.removesuffix(".running_mean") for k in state if k.endswith(".running_mean")]
    return [name for name in names if (state[f"{name}.running_mean"] == 0).all()]
""",
        ),
        (
            "one channel at 0 and 1 is enough for it",
            """
def untouched(state):
    names = [k.removesuffix(".running_mean") for k in state if k.endswith(".running_mean")]
    return [
        name
        for name in names
        if (state[f"{name}.running_mean"] == 0).any()
        and (state[f"{name}.running_var"] == 1).any()
    ]
""",
        ),
        (
            "0 and 1 on average over the channels is enough for it",
            """
def untouched(state):
    names = [k.removesuffix(".running_mean") for k in state if k.endswith(".running_mean")]
    return [
        name
        for name in names
        if abs(state[f"{name}.running_mean"].mean()) < 1e-6
        and abs(state[f"{name}.running_var"].mean() - 1) < 1e-6
    ]
""",
        ),
        (
            "nearly 0 and 1 is enough for it",
            """
def untouched(state):
    names = [k.removesuffix(".running_mean") for k in state if k.endswith(".running_mean")]
    return [
        name
        for name in names
        if ((state[f"{name}.running_mean"] - 0).abs() < 0.01).all()
        and ((state[f"{name}.running_var"] - 1).abs() < 0.01).all()
    ]
""",
        ),
        (
            "counts batches, which a weight-averaging copy may have copied",
            """
def untouched(state):
    return [k.split(".")[0] for k in state if k.endswith("num_batches_tracked") and state[k] == 0]
""",
        ),
    ],
}
