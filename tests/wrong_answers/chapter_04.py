"""Wrong answers to the exercises of chapter 04: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "04.1": [
        (
            "the window 1/α",
            """
def momentum_for(n):
    return 1 / n
""",
        ),
        (
            "the weight of the old average, as Keras counts",
            """
def momentum_for(n):
    return 1 - 2 / (n + 1)
""",
        ),
        (
            "half of it",
            """
def momentum_for(n):
    return 1 / (n + 1)
""",
        ),
    ],
    "04.2": [
        (
            "stores the biased variance",
            """
def update(mean, var, x, t, momentum):
    share = 1 / t if momentum is None else momentum
    return (1 - share) * mean + share * x.mean(0), (1 - share) * var + share * x.var(0)
""",
        ),
        (
            "the momentum the other way round",
            """
def update(mean, var, x, t, momentum):
    old = 1 - 1 / t if momentum is None else momentum
    return old * mean + (1 - old) * x.mean(0), old * var + (1 - old) * x.var(0, ddof=1)
""",
        ),
        (
            "the first batch counts half with momentum None",
            """
def update(mean, var, x, t, momentum):
    share = 1 / (t + 1) if momentum is None else momentum
    return (1 - share) * mean + share * x.mean(0), (1 - share) * var + share * x.var(0, ddof=1)
""",
        ),
        (
            "takes None for 0",
            """
def update(mean, var, x, t, momentum):
    share = momentum or 0.0
    return (1 - share) * mean + share * x.mean(0), (1 - share) * var + share * x.var(0, ddof=1)
""",
        ),
        (
            "averages standard deviations",
            """
def update(mean, var, x, t, momentum):
    share = 1 / t if momentum is None else momentum
    sd = (1 - share) * np.sqrt(var) + share * x.std(0, ddof=1)
    return (1 - share) * mean + share * x.mean(0), sd**2
""",
        ),
        (
            "returns the mean alone",
            """
def update(mean, var, x, t, momentum):
    share = 1 / t if momentum is None else momentum
    return (1 - share) * mean + share * x.mean(0)
""",
        ),
    ],
    "04.3": [
        (
            "keeps torch's epsilon",
            """
def port(weights, momentum, epsilon):
    layer = nn.BatchNorm1d(4, momentum=1 - momentum).eval()
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
             "running_var": "moving_variance"}
    layer.load_state_dict({n: torch.as_tensor(weights[k]) for n, k in names.items()})
    return layer
""",
        ),
        (
            "pastes Keras's momentum",
            """
def port(weights, momentum, epsilon):
    layer = nn.BatchNorm1d(4, momentum=momentum, eps=epsilon).eval()
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
             "running_var": "moving_variance"}
    layer.load_state_dict({n: torch.as_tensor(weights[k]) for n, k in names.items()})
    return layer
""",
        ),
        (
            "leaves the layer in training mode",
            """
def port(weights, momentum, epsilon):
    layer = nn.BatchNorm1d(4, momentum=1 - momentum, eps=epsilon)
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
             "running_var": "moving_variance"}
    layer.load_state_dict({n: torch.as_tensor(weights[k]) for n, k in names.items()})
    return layer
""",
        ),
        (
            "takes a standard deviation for the variance",
            """
def port(weights, momentum, epsilon):
    layer = nn.BatchNorm1d(4, momentum=1 - momentum, eps=epsilon).eval()
    weights["moving_variance"] = weights["moving_variance"] ** 0.5
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
             "running_var": "moving_variance"}
    layer.load_state_dict({n: torch.as_tensor(weights[k]) for n, k in names.items()})
    return layer
""",
        ),
        (
            "forgets the statistics",
            """
def port(weights, momentum, epsilon):
    layer = nn.BatchNorm1d(4, momentum=1 - momentum, eps=epsilon).eval()
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(weights["gamma"]))
        layer.bias.copy_(torch.as_tensor(weights["beta"]))
    return layer
""",
        ),
        (
            "returns a state_dict",
            """
def port(weights, momentum, epsilon):
    return {"weight": weights["gamma"], "bias": weights["beta"]}
""",
        ),
    ],
    "04.4": [
        (
            "leaves the old bias as it was",
            """
def fold_by_hand(W, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return scale[:, None] * W, b - scale * mean + beta
""",
        ),
        (
            "scales the inputs in place of the outputs",
            """
def fold_by_hand(W, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return (W.T @ np.diag(scale)).reshape(W.shape), scale * (b - mean) + beta
""",
        ),
        (
            "forgets eps",
            """
def fold_by_hand(W, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var)
    return scale[:, None] * W, scale * (b - mean) + beta
""",
        ),
        (
            "scales beta, too",
            """
def fold_by_hand(W, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return scale[:, None] * W, scale * (b - mean + beta)
""",
        ),
        (
            "divides by the variance",
            """
def fold_by_hand(W, b, gamma, beta, mean, var, eps):
    scale = gamma / (var + eps)
    return scale[:, None] * W, scale * (b - mean) + beta
""",
        ),
        (
            "transposes W",
            """
def fold_by_hand(W, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return W.T * scale, scale * (b - mean) + beta
""",
        ),
    ],
}
