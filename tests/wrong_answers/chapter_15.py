"""Wrong answers to the exercises of chapter 15: exercise -> [(the mistake, source code), ...]."""

WRONG_ANSWERS = {
    "15.1": [
        (
            "the between-dataset variance is put into both",
            """
def stored_after(mean_a, var_a, mean_b, var_b):
    mean, var = (mean_a + mean_b) / 2, (var_a + var_b) / 2 + (mean_a - mean_b) ** 2 / 4
    return (mean, var), (mean, var)
""",
        ),
        (
            "the difference of the means is halved but not squared right",
            """
def stored_after(mean_a, var_a, mean_b, var_b):
    mean, within = (mean_a + mean_b) / 2, (var_a + var_b) / 2
    return (mean, within), (mean, within + (mean_a - mean_b) ** 2 / 2)
""",
        ),
        (
            "one pair instead of two",
            """
def stored_after(mean_a, var_a, mean_b, var_b):
    return (mean_a + mean_b) / 2, (var_a + var_b) / 2
""",
        ),
    ],
    "15.2": [
        (
            "half and half",
            """
def weights(alpha):
    return 0.5, 0.5
""",
        ),
        (
            "the order is reversed",
            """
def weights(alpha):
    return 1 / (2 - alpha), (1 - alpha) / (2 - alpha)
""",
        ),
        (
            "the last write alone",
            """
def weights(alpha):
    return 1 - alpha, alpha
""",
        ),
    ],
    "15.3": [
        (
            "the standard deviation is compared with 0",
            """
def layer_misfit(x, running_mean, running_var):
    z = (x - running_mean) / np.sqrt(running_var)
    return np.sqrt(np.mean(z.mean(axis=0) ** 2 + z.std(axis=0) ** 2))
""",
        ),
        (
            "divides by the variance",
            """
def layer_misfit(x, running_mean, running_var):
    z = (x - running_mean) / running_var
    return np.sqrt(np.mean(z.mean(axis=0) ** 2 + (z.std(axis=0) - 1) ** 2))
""",
        ),
        (
            "averages over units before it squares",
            """
def layer_misfit(x, running_mean, running_var):
    z = (x - running_mean) / np.sqrt(running_var)
    return np.sqrt(z.mean() ** 2 + (z.std(axis=0) - 1).mean() ** 2)
""",
        ),
    ],
}
