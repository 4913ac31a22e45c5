"""Wrong answers to the exercises of chapter 12: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "12.1": [
        (
            "forgets that the gradient is longer, too",
            """
def rates_without_decay(rates, decay):
    return rates / np.cumprod(1 - rates * decay)
""",
        ),
        (
            "one factor too many: the square of the newest product",
            """
def rates_without_decay(rates, decay):
    return rates / np.cumprod(1 - rates * decay) ** 2
""",
        ),
        (
            "takes the first rate for all",
            """
def rates_without_decay(rates, decay):
    t = np.arange(len(rates))
    return rates * (1 - rates[0] * decay) ** -(2 * t + 1)
""",
        ),
        (
            "shrinks in place of growing",
            """
def rates_without_decay(rates, decay):
    now = np.cumprod(1 - rates * decay)
    return rates * now * np.append(1, now[:-1])
""",
        ),
        (
            "returns the last one alone",
            """
def rates_without_decay(rates, decay):
    return rates[-1] / np.prod(1 - rates * decay) ** 2
""",
        ),
    ],
    "12.2": [
        (
            "lets the length itself relax",
            """
def length_after(t, start, end, product):
    return end + (start - end) * np.exp(-4 * product * t)
""",
        ),
        (
            "the right power with the time constant of the length",
            """
def length_after(t, start, end, product):
    return (end**4 + (start**4 - end**4) * np.exp(-product * t)) ** 0.25
""",
        ),
        (
            "shrinks for ever",
            """
def length_after(t, start, end, product):
    return start * (1 - product) ** t
""",
        ),
        (
            "squares in place of fourth powers",
            """
def length_after(t, start, end, product):
    return (end**2 + (start**2 - end**2) * np.exp(-4 * product * t)) ** 0.5
""",
        ),
    ],
    "12.3": [
        (
            "asks for equality to the last bit",
            """
def scale_invariant(loss, tensors):
    return bool(loss([3 * t for t in tensors]) == loss(tensors))
""",
        ),
        (
            "scales in place",
            """
def scale_invariant(loss, tensors):
    before = loss(tensors)
    for t in tensors:
        t.mul_(3)
    return bool(torch.isclose(loss(tensors), before))
""",
        ),
        (
            "scales only the first",
            """
def scale_invariant(loss, tensors):
    return bool(torch.isclose(loss([3 * tensors[0], *tensors[1:]]), loss(tensors)))
""",
        ),
        (
            "is generous",
            """
def scale_invariant(loss, tensors):
    return bool(torch.isclose(loss([1.01 * t for t in tensors]), loss(tensors), rtol=0.1))
""",
        ),
        (
            "returns the change",
            """
def scale_invariant(loss, tensors):
    return (loss([3 * t for t in tensors]) - loss(tensors)).abs()
""",
        ),
    ],
    "12.4": [
        (
            "forgets the momentum",
            """
def gauge(before, after, eta, lam, momentum):
    inner = (before * after).sum(1)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return np.sqrt(np.mean(np.arccos(inner / lengths) ** 2)) / np.sqrt(2 * eta * lam)
""",
        ),
        (
            "lets momentum lengthen the step",
            """
def gauge(before, after, eta, lam, momentum):
    inner = (before * after).sum(1)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    angle = np.sqrt(np.mean(np.arccos(inner / lengths) ** 2))
    return angle / np.sqrt(2 * eta * lam / (1 - momentum))
""",
        ),
        (
            "relates the whole change to the length, decay included",
            """
def gauge(before, after, eta, lam, momentum):
    step = np.linalg.norm(after - before, axis=1) / np.linalg.norm(before, axis=1)
    return np.sqrt(np.mean(step**2)) / np.sqrt(2 * eta * lam / (1 + momentum))
""",
        ),
        (
            "averages angles in place of squares",
            """
def gauge(before, after, eta, lam, momentum):
    inner = (before * after).sum(1)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return np.arccos(inner / lengths).mean() / np.sqrt(2 * eta * lam / (1 + momentum))
""",
        ),
        (
            "in degrees",
            """
def gauge(before, after, eta, lam, momentum):
    inner = (before * after).sum(1)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    angle = np.degrees(np.arccos(inner / lengths))
    return np.sqrt(np.mean(angle**2)) / np.sqrt(2 * eta * lam / (1 + momentum))
""",
        ),
        (
            "forgets the root",
            """
def gauge(before, after, eta, lam, momentum):
    inner = (before * after).sum(1)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return np.sqrt(np.mean(np.arccos(inner / lengths) ** 2)) / (2 * eta * lam / (1 + momentum))
""",
        ),
    ],
}
