"""Wrong answers to the exercises of chapter 13: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "13.1": [
        (
            "all channels share one mean and variance",
            """
def alone(x, weight, bias, eps):
    z = (x - x.mean()) / np.sqrt(x.var() + eps)
    return weight[:, None, None] * z + bias[:, None, None]
""",
        ),
        (
            "the unbiased variance",
            """
def alone(x, weight, bias, eps):
    mean = x.mean(axis=(1, 2), keepdims=True)
    var = x.var(axis=(1, 2), keepdims=True, ddof=1)
    z = (x - mean) / np.sqrt(var + eps)
    return weight[:, None, None] * z + bias[:, None, None]
""",
        ),
        (
            "ε stands outside the root",
            """
def alone(x, weight, bias, eps):
    mean = x.mean(axis=(1, 2), keepdims=True)
    z = (x - mean) / (x.std(axis=(1, 2), keepdims=True) + eps)
    return weight[:, None, None] * z + bias[:, None, None]
""",
        ),
        (
            "as if there were one position only",
            """
def alone(x, weight, bias, eps):
    return np.broadcast_to(bias[:, None, None], x.shape)
""",
        ),
    ],
    "13.2": [
        (
            "the gradient passes through to x",
            """
def gradients(dy):
    return dy, np.zeros_like(dy), dy
""",
        ),
        (
            "γ learns, too",
            """
def gradients(dy):
    return np.zeros_like(dy), dy, dy
""",
        ),
        (
            "nothing learns",
            """
def gradients(dy):
    return np.zeros_like(dy), np.zeros_like(dy), np.zeros_like(dy)
""",
        ),
        (
            "one number instead of three",
            """
def gradients(dy):
    return dy
""",
        ),
        (
            "zeros without a shape",
            """
def gradients(dy):
    return 0, 0, dy
""",
        ),
        (
            "one zero for everything",
            """
def gradients(dy):
    return 0
""",
        ),
    ],
    "13.3": [
        (
            "the model is put into evaluation mode, where nothing is wrong",
            """
def company_test(model, x):
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        together = model(x)
        alone = torch.cat([model(x[i : i + 1]) for i in range(len(x))])
    return ((alone - together).abs().max() / together.std()).item()
""",
        ),
        (
            "the test writes to the running statistics",
            """
def company_test(model, x):
    with torch.no_grad():
        together = model(x)
        try:
            alone = torch.cat([model(x[i : i + 1]) for i in range(len(x))])
        except ValueError:
            return float("inf")
    return ((alone - together).abs().max() / together.std()).item()
""",
        ),
        (
            "asks whether the answers are constant",
            """
def company_test(model, x):
    model = copy.deepcopy(model)
    with torch.no_grad():
        together = model(x)
        try:
            alone = torch.cat([model(x[i : i + 1]) for i in range(len(x))])
        except ValueError:
            return float("inf")
    return 1.0 if alone.std() < 1e-6 * together.std() else 0.0
""",
        ),
        (
            "the sign is kept, so that half of the differences do not count",
            """
def company_test(model, x):
    model = copy.deepcopy(model)
    with torch.no_grad():
        together = model(x)
        try:
            alone = torch.cat([model(x[i : i + 1]) for i in range(len(x))])
        except ValueError:
            return float("inf")
    return ((alone - together).mean() / together.std()).item()
""",
        ),
        (
            "looks for a batch norm in training mode, whether it is used or not",
            """
def company_test(model, x):
    if any(isinstance(m, torch.nn.BatchNorm1d) and m.training for m in model.modules()):
        return float("inf")
    model = copy.deepcopy(model)
    with torch.no_grad():
        together = model(x)
        alone = torch.cat([model(x[i : i + 1]) for i in range(len(x))])
    return ((alone - together).abs().max() / together.std()).item()
""",
        ),
    ],
}
