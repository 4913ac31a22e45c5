"""Wrong answers to the exercises of chapter 11: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "11.1": [
        (
            "only the mean counts",
            """
def typical_move(before, after):
    mean = after.mean(axis=0) - before.mean(axis=0)
    return np.median(np.abs(mean) / before.std(axis=0))
""",
        ),
        (
            "measures in deviations after the step",
            """
def typical_move(before, after):
    mean = after.mean(axis=0) - before.mean(axis=0)
    deviation = after.std(axis=0) - before.std(axis=0)
    return np.median(np.hypot(mean, deviation) / after.std(axis=0))
""",
        ),
        (
            "averages over the units",
            """
def typical_move(before, after):
    mean = after.mean(axis=0) - before.mean(axis=0)
    deviation = after.std(axis=0) - before.std(axis=0)
    return np.mean(np.hypot(mean, deviation) / before.std(axis=0))
""",
        ),
        (
            "adds the two instead of taking the distance",
            """
def typical_move(before, after):
    mean = np.abs(after.mean(axis=0) - before.mean(axis=0))
    deviation = np.abs(after.std(axis=0) - before.std(axis=0))
    return np.median((mean + deviation) / before.std(axis=0))
""",
        ),
    ],
    "11.2": [
        (
            "one factor of c each",
            """
def same_net_longer_weights(c):
    return 1 / c, c
""",
        ),
        (
            "the function stays, so nothing changes",
            """
def same_net_longer_weights(c):
    return 1, 1
""",
        ),
        (
            "a single number",
            """
def same_net_longer_weights(c):
    return 1 / c**2
""",
        ),
    ],
    "11.3": [
        (
            "the share of batch norm alone",
            """
def share(steps_without, best_rate_without, steps_with):
    whole = np.log(steps_without / min(steps_with.values()))
    return np.log(steps_without / steps_with[best_rate_without]) / whole
""",
        ),
        (
            "shares of the steps saved, not of the logarithm",
            """
def share(steps_without, best_rate_without, steps_with):
    best = min(steps_with.values())
    return (steps_with[best_rate_without] - best) / (steps_without - best)
""",
        ),
    ],
}
