"""Wrong answers to the exercises of chapter 10: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "10.1": [
        (
            "the first step at which it is reached",
            """
def settled(steps, accuracy, target):
    reached = accuracy >= target
    return steps[reached.argmax()] if reached.any() else np.inf
""",
        ),
        (
            "forgets the curve that is below the target at the end",
            """
def settled(steps, accuracy, target):
    missed = np.flatnonzero(accuracy < target)
    return steps[min(missed[-1] + 1, len(steps) - 1)] if len(missed) else steps[0]
""",
        ),
        (
            "the last step that misses, instead of the next one",
            """
def settled(steps, accuracy, target):
    missed = np.flatnonzero(accuracy < target)
    if not len(missed):
        return steps[0]
    return steps[missed[-1]] if missed[-1] + 1 < len(steps) else np.inf
""",
        ),
        (
            "wants the target to be exceeded",
            """
def settled(steps, accuracy, target):
    missed = np.flatnonzero(accuracy <= target)
    if not len(missed):
        return steps[0]
    return steps[missed[-1] + 1] if missed[-1] + 1 < len(steps) else np.inf
""",
        ),
    ],
    "10.2": [
        (
            "chooses the rates on the test data",
            """
def fair_ratio(tuning, test):
    steps = {arm: test[arm][np.median(test[arm], axis=1).argmin()] for arm in test}
    return steps["no norm"] / steps["batch norm"]
""",
        ),
        (
            "one rate for both, the best without batch norm",
            """
def fair_ratio(tuning, test):
    at = np.median(tuning["no norm"], axis=1).argmin()
    return test["no norm"][at] / test["batch norm"][at]
""",
        ),
        (
            "the wrong way up",
            """
def fair_ratio(tuning, test):
    steps = {arm: test[arm][np.median(tuning[arm], axis=1).argmin()] for arm in test}
    return steps["batch norm"] / steps["no norm"]
""",
        ),
        (
            "the luckiest run chooses the rate",
            """
def fair_ratio(tuning, test):
    steps = {arm: test[arm][tuning[arm].min(axis=1).argmin()] for arm in test}
    return steps["no norm"] / steps["batch norm"]
""",
        ),
        (
            "one ratio of the medians",
            """
def fair_ratio(tuning, test):
    steps = {arm: test[arm][np.median(tuning[arm], axis=1).argmin()] for arm in test}
    return np.median(steps["no norm"]) / np.median(steps["batch norm"])
""",
        ),
    ],
    "10.3": [
        (
            "forgets the cost of a step",
            """
def saved(ratio, cost):
    return 1 - 1 / ratio
""",
        ),
        (
            "the ratio in compute, not the share that is saved",
            """
def saved(ratio, cost):
    return ratio / cost
""",
        ),
        (
            "in units of the dearer side",
            """
def saved(ratio, cost):
    return ratio / cost - 1
""",
        ),
    ],
    "10.4": [
        ("batch norm's factor over the whole one", "share = (31.0 / 13.3) / (31.0 / 2.1)"),
        ("its share of the steps saved", "share = (31.0 - 13.3) / (31.0 - 2.1)"),
        ("the recipe's share", "share = np.log(13.3 / 2.1) / np.log(31.0 / 2.1)"),
    ],
}
