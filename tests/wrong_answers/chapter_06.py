"""Wrong answers to the exercises of chapter 06: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "06.1": [
        ("not a dictionary", "predictions = 'gradients'"),
        ("one layer only", "predictions = {'A': {'running variance', 'evaluation output'}}"),
        (
            "the output stands for everything",
            "predictions = {letter: 'training output' for letter in 'ABCDEFGHI'}",
        ),
        (
            "every axis of every layer",
            """
predictions = dict.fromkeys("ABCDEFGHI", [axis.name for axis in parity.AXES])
""",
        ),
        ("an axis that there is not", "predictions = dict.fromkeys('ABCDEFGHI', {'loss'})"),
    ],
    "06.2": [
        ("not a dictionary", "mends = ['self.training']"),
        ("one layer only", "mends = {'B': ('not torch.is_grad_enabled()', 'not self.training')}"),
        ("a text that is not there", "mends = dict.fromkeys('ABCDEFGHI', ('nothing', ''))"),
        ("a text that is there too often", "mends = dict.fromkeys('ABCDEFGHI', ('mean', 'm'))"),
        ("not a pair", "mends = dict.fromkeys('ABCDEFGHI', 'self.training')"),
        (
            "code that does not run",
            "mends = dict.fromkeys('ABCDEFGHI', ('def forward(self, x):', 'def forward(self:'))",
        ),
        (
            "another fault instead",
            """
mends = {
    "A": ("correction=0", "correction=1"),
    "H": ("self.remember(mean, x.var(over))", "self.remember(mean, x.var(over, correction=0))"),
}
""",
        ),
    ],
    "06.3": [
        (
            "statistics held constant",
            """
def push(x_dot, x_hat, s, weight):
    return 0 * s, 0 * s, weight / s * x_dot
""",
        ),
        (
            "the variance held constant in the output",
            """
def push(x_dot, x_hat, s, weight):
    mean_dot = x_dot.mean(0)
    var_dot = 2 * s * (x_dot * x_hat).mean(0)
    return mean_dot, var_dot, weight / s * (x_dot - mean_dot)
""",
        ),
        (
            "x_hat taken for x - mean",
            """
def push(x_dot, x_hat, s, weight):
    mean_dot, along = x_dot.mean(0), (x_dot * x_hat).mean(0)
    return mean_dot, 2 * along, weight / s * (x_dot - mean_dot - x_hat * along)
""",
        ),
        (
            "without the weight",
            """
def push(x_dot, x_hat, s, weight):
    mean_dot, along = x_dot.mean(0), (x_dot * x_hat).mean(0)
    return mean_dot, 2 * s * along, (x_dot - mean_dot - x_hat * along) / s
""",
        ),
        (
            "the output alone",
            """
def push(x_dot, x_hat, s, weight):
    along = (x_dot * x_hat).mean(0)
    return weight / s * (x_dot - x_dot.mean(0) - x_hat * along)
""",
        ),
    ],
    "06.4": [
        (
            "the mean of the squares minus the square of the mean",
            """
def variance(x):
    return x.square().mean(0) - x.mean(0).square()
""",
        ),
        (
            "the same, kept from falling below zero",
            """
def variance(x):
    return (x.square().mean(0) - x.mean(0).square()).clamp(min=0)
""",
        ),
        (
            "shifted by a constant",
            """
def variance(x):
    d = x - 1e4
    return d.square().mean(0) - d.mean(0).square()
""",
        ),
        (
            "unbiased",
            """
def variance(x):
    return x.var(0)
""",
        ),
        (
            "in double precision",
            """
def variance(x):
    return x.double().square().mean(0) - x.double().mean(0).square()
""",
        ),
    ],
}
