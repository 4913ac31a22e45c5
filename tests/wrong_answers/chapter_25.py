"""Wrong answers to the exercises of chapter 25: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "25.1": [
        (
            "forgets the positions",
            """
def averaged_over(norm, n, c, h, w, groups=1):
    return {"batch": n, "layer": c, "group": c // groups, "instance": 1}[norm]
""",
        ),
        (
            "counts groups instead of what is in one",
            """
def averaged_over(norm, n, c, h, w, groups=1):
    return {"batch": n, "layer": c, "group": groups, "instance": 1}[norm] * h * w
""",
        ),
    ],
    "25.2": [
        (
            "every groups-th unit instead of neighbours",
            """
def group_norm_of(x, groups):
    parts = x.unflatten(1, (-1, groups)).transpose(1, 2)
    return F.layer_norm(parts, parts.shape[-1:]).transpose(1, 2).flatten(1)
""",
        ),
        (
            "groups of that size instead of that many",
            """
def group_norm_of(x, groups):
    parts = x.unflatten(1, (-1, groups))
    return F.layer_norm(parts, parts.shape[-1:]).flatten(1)
""",
        ),
        (
            "one layer norm over all",
            """
def group_norm_of(x, groups):
    return F.layer_norm(x, x.shape[-1:])
""",
        ),
    ],
    "25.3": [
        (
            "forgets that the length of v takes part",
            """
def gradients_of(dw, g, v):
    length = np.sqrt(np.sum(v**2))
    return np.dot(dw, v) / length, g / length * dw
""",
        ),
        (
            "one gradient instead of two",
            """
def gradients_of(dw, g, v):
    return np.dot(dw, v)
""",
        ),
        (
            "dg without dividing by the length",
            """
def gradients_of(dw, g, v):
    length = np.sqrt(np.sum(v**2))
    dg = np.dot(dw, v)
    return dg, g / length * (dw - dg * v / length**2)
""",
        ),
    ],
    "25.4": [
        (
            "over the examples instead of the units",
            """
class OverTheBatch(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(units))

    def forward(self, x):
        return self.weight * x / (x.square().mean(0, keepdim=True) + 1e-5).sqrt()


def rms_block(fan_in, fan_out):
    return nn.Sequential(nn.Linear(fan_in, fan_out), OverTheBatch(fan_out))
""",
        ),
        (
            "layer norm, which subtracts the mean",
            """
def rms_block(fan_in, fan_out):
    return nn.Sequential(nn.Linear(fan_in, fan_out), nn.LayerNorm(fan_out, bias=False))
""",
        ),
        (
            "no scale to learn",
            """
class NoScale(nn.Module):
    def forward(self, x):
        return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()


def rms_block(fan_in, fan_out):
    return nn.Sequential(nn.Linear(fan_in, fan_out), NoScale())
""",
        ),
        (
            "a scale to learn, and no use made of it",
            """
class Unused(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(units))

    def forward(self, x):
        return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()


def rms_block(fan_in, fan_out):
    return nn.Sequential(nn.Linear(fan_in, fan_out), Unused(fan_out))
""",
        ),
        (
            "no linear layer",
            """
def rms_block(fan_in, fan_out):
    return nn.ReLU()
""",
        ),
    ],
}
