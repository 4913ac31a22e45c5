"""Claims hold when their interval clears the bound, and fail loudly otherwise."""

import math

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from scipy import stats

from bnutils import evidence
from bnutils.evidence import ClaimFailed, assess, claim, interval, measured, recap

WHY = "smaller differences drown in the split of the data"


@pytest.fixture
def sample():
    return np.random.default_rng(0).normal(1.0, 0.1, size=32)


def test_median_interval_is_made_of_order_statistics(sample):
    estimate, low, high = interval(sample)
    assert estimate == np.median(sample)
    assert low in sample
    assert high in sample
    # The pair of order statistics whose binomial coverage is at least 95 %, written out.
    ranks = np.sort(sample)
    k = int(stats.binom.ppf(0.025, 32, 0.5))
    assert (low, high) == (ranks[k - 1], ranks[32 - k])


def test_mean_interval_is_bca_and_reproducible(sample):
    first, second = interval(sample, "mean"), interval(sample, "mean")
    assert first == second
    assert first[1] < sample.mean() < first[2]


@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_median_interval_covers_the_truth_about_as_often_as_it_says(statistic):
    rng = np.random.default_rng(1)
    runs = 300 if statistic == "median" else 60  # the bootstrap is the slower one
    covered = 0
    for _ in range(runs):
        _, low, high = interval(rng.normal(size=25), statistic)
        covered += low <= 0 <= high
    assert covered / runs > 0.88


@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_constant_sample_gives_a_point(statistic):
    assert interval([2.0] * 8, statistic) == (2.0, 2.0, 2.0)


def test_share_interval_is_clopper_and_pearsons():
    # Its ends as quantiles of the beta distribution, written out: 3 events in 40.
    low, high = stats.beta.ppf([0.025, 0.975], [3, 4], [38, 37])
    assert interval([1] * 3 + [0] * 37, "share") == pytest.approx((3 / 40, low, high))


def test_an_event_that_was_never_seen_may_still_happen():
    assert interval(torch.zeros(64, dtype=torch.bool), "share") == pytest.approx(
        (0, 0, 1 - 0.025 ** (1 / 64))
    )
    nets = dict(at_most=0.05, because="one in twenty", statistic="share")
    assert not assess("It is rare.", [0] * 64, **nets).holds
    assert assess("It is rare.", [0] * 80, **nets).holds


def test_a_share_counts_nothing_but_zeros_and_ones():
    with pytest.raises(ValueError, match="zeros and ones"):
        interval([0, 0.5, 1, 1, 1, 1], "share")


def test_tensors_lists_and_generators_are_the_same_values():
    values = [float(i) for i in range(10)]
    assert interval(torch.tensor(values)) == interval(values) == interval(v for v in values)


def test_interval_not_estimate_decides(sample):
    low = interval(sample)[1]
    just_under, just_over = low - 1e-9, low + 1e-9
    assert assess("It is so.", sample, at_least=just_under, because=WHY).holds
    verdict = assess("It is so.", sample, at_least=just_over, because=WHY)
    assert verdict.estimate > just_over
    assert not verdict.holds
    assert verdict.verdict == "fails"


def test_upper_and_double_bounds(sample):
    assert assess("It is so.", sample, at_most=1.2, because=WHY).holds
    assert not assess("It is so.", sample, at_most=1.0, because=WHY).holds
    assert assess("It is so.", sample, within=(0.8, 1.2), because=WHY).holds
    assert not assess("It is so.", sample, within=(1.0, 1.2), because=WHY).holds


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_non_finite_values_fail(sample, bad):
    sample[3] = bad
    assert not assess("It is so.", sample, within=(-1e9, 1e9), because=WHY).holds
    with pytest.raises(ClaimFailed, match="not finite"):
        claim("It is so.", sample, at_least=-1e9, because=WHY)


def test_failing_claim_raises_with_its_numbers(sample):
    with pytest.raises(ClaimFailed, match=r"over 32 seeds is .*at least 3 points"):
        claim("It is so.", sample, at_least=3, because=WHY, unit="points")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"at_least": 0, "at_most": 1}, "exactly one"),
        ({}, "exactly one"),
        ({"within": (1, 0)}, "lower end must come first"),
        ({"at_least": 0, "because": " "}, "because"),
        ({"at_least": 0, "contract": "C4"}, "C4"),
        ({"at_least": 0, "source": "Irpan"}, "Markdown link"),
        ({"at_least": 0, "verdict": "true"}, "verdict"),
        ({"at_least": 0, "verdict": "absent"}, "within"),
        ({"at_least": 0, "statistic": "mode"}, "statistic"),
    ],
)
def test_malformed_claims_say_what_is_wrong(sample, arguments, message):
    with pytest.raises(ValueError, match=message):
        assess("It is so.", sample, **{"because": WHY} | arguments)


def test_too_few_seeds_and_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="at least 6 seeds"):
        interval([1.0] * 5)
    with pytest.raises(ValueError, match="one number per seed"):
        interval(np.ones((6, 2)))
    with pytest.raises(ValueError, match="full stop"):
        assess("It is so", [1.0] * 6, at_least=0, because=WHY)


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_output_carries_marks_and_record(shell, sample):
    with capture_output() as captured:
        claim(
            "It is so.",
            sample,
            at_least=0.5,
            because=WHY,
            contract="C1",
            source="[Someone 2015](https://example.org/a?b=1&c=2)",
        )
    (output,) = captured.outputs
    text, page = output.data["text/plain"], output.data["text/html"]
    record = output.metadata["bnutils"]
    assert text.startswith("holds: It is so.")
    assert text.count("⟦") == text.count("⟧") == record["marks"] == 1
    assert page.count("⟦") == 1
    assert 'href="https://example.org/a?b=1&amp;c=2"' in page
    assert record["verdict"] == "holds"
    assert record["bound"] == "at least 0.5"
    assert record["n"] == 32
    assert record["low"] <= record["estimate"] <= record["high"]


def test_a_failing_claim_shows_its_card_before_it_raises(shell, sample):
    with capture_output() as captured, pytest.raises(ClaimFailed):
        claim("It is so.", sample, at_least=2, because=WHY)
    assert captured.outputs[0].metadata["bnutils"]["verdict"] == "fails"


def test_measured_marks_each_figure(shell):
    with capture_output() as captured:
        measured("One step", 0.123456, "ms")
        measured("Forward pass", {"ours": 2.0, "torch's": 1.0}, "ms")
    single, table = captured.outputs
    assert single.data["text/plain"] == "measured  One step: ⟦0.123 ms⟧"
    assert single.metadata["bnutils"]["marks"] == 1
    assert table.metadata["bnutils"]["marks"] == 2
    assert table.metadata["bnutils"]["values"] == {"ours": 2.0, "torch's": 1.0}
    assert "torch&#x27;s" in table.data["text/html"]


def test_outside_a_notebook_the_text_is_printed(capsys, sample):
    claim("It is so.", sample, at_least=0.5, because=WHY)
    measured("One step", 1.0, "s")
    out = capsys.readouterr().out
    assert "holds: It is so." in out
    assert "measured  One step: ⟦1 s⟧" in out


def test_recap_lists_each_claim_once_as_it_came_out_last(shell, sample, monkeypatch):
    monkeypatch.setattr(evidence, "_made", {})
    with pytest.raises(ValueError, match="no claim"):
        recap()
    with capture_output() as captured:
        claim("First.", sample, at_least=0.5, because=WHY)
        with pytest.raises(ClaimFailed):
            claim("Second.", sample, at_least=2, because=WHY)
        claim("First.", sample, at_least=0.6, because=WHY)
        recap()
    text = captured.outputs[-1].data["text/plain"]
    assert [line.split(" ⟦")[0] for line in text.splitlines()] == [
        "holds: First.",
        "fails: Second.",
    ]
    assert captured.outputs[-1].metadata["bnutils"]["marks"] == 2
