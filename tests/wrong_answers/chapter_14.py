"""Wrong answers to the exercises of chapter 14: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "14.1": [
        (
            "only one kind of norm",
            """
def train_all_but_norms(model):
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()
    return model
""",
        ),
        (
            "the order is reversed, so that train() undoes eval()",
            """
def train_all_but_norms(model):
    for layer in statistics.layers(model).values():
        layer.eval()
    return model.train()
""",
        ),
        (
            "only the direct parts",
            """
def train_all_but_norms(model):
    model.train()
    for module in model.children():
        if hasattr(module, "running_mean"):
            module.eval()
    return model
""",
        ),
        (
            "two kinds of norm, but not the third",
            """
def train_all_but_norms(model):
    model.train()
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.eval()
    return model
""",
        ),
        (
            "only the parts and their parts",
            """
def train_all_but_norms(model):
    model.train()
    for part in model.children():
        for module in [part, *part.children()]:
            if hasattr(module, "running_mean"):
                module.eval()
    return model
""",
        ),
        (
            "every layer but dropout",
            """
def train_all_but_norms(model):
    model.train()
    for module in model.modules():
        if not isinstance(module, nn.Dropout) and not any(module.children()):
            module.eval()
    return model
""",
        ),
        (
            "parameters instead of modes",
            """
def train_all_but_norms(model):
    for layer in statistics.layers(model).values():
        layer.requires_grad_(False)
    return model.train()
""",
        ),
        (
            "the model is not returned but its mode",
            """
def train_all_but_norms(model):
    model.train()
    for layer in statistics.layers(model).values():
        layer.eval()
    return model.training
""",
        ),
    ],
    "14.2": [
        (
            "a large batch of one class is as good as a random one",
            """
def expected_misses(m, between):
    return 1 / m, 1 / m
""",
        ),
        (
            "the class mean is taken as known",
            """
def expected_misses(m, between):
    return 1 / m, between
""",
        ),
        (
            "the between part is counted on top of the whole",
            """
def expected_misses(m, between):
    return 1 / m, between + 1 / m
""",
        ),
        (
            "the root is taken",
            """
def expected_misses(m, between):
    return m**-0.5, (between + (1 - between) / m) ** 0.5
""",
        ),
        (
            "one number instead of two",
            """
def expected_misses(m, between):
    return between + (1 - between) / m
""",
        ),
    ],
    "14.3": [
        (
            "the batch as it is",
            """
def silent(x):
    return x
""",
        ),
        (
            "copies of one example",
            """
def silent(x):
    return x[:1].expand(len(x), -1)
""",
        ),
        (
            "each example twice, but side by side",
            """
def silent(x):
    return x.repeat_interleave(2, dim=0)
""",
        ),
        (
            "a list",
            """
def silent(x):
    return [x, x]
""",
        ),
    ],
}
