"""Claims and measurements: what the book asserts, with the numbers that it rests on.

A *claim* is a sentence with a bound and one value per seed. It holds when the whole interval of its
statistic clears the bound, not when the estimate alone does. A *measurement* is a figure without a
bound: a time, a single run. Both show a sentence that is the same on every machine, and set the
digits, which are not, between the marks ⟦ and ⟧. The notebooks' tests compare everything but what
stands between the marks; the claim's own check guards that.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from scipy import stats

from bnutils.randomness import base_seed, numpy_generator

__all__ = ["ClaimFailed", "Evidence", "assess", "claim", "interval", "measured", "recap"]

CONFIDENCE = 0.95
FEWEST_SEEDS = 6  # with fewer, no pair of order statistics covers the median with 95 %
STATISTICS = ("median", "mean", "share")
VERDICTS = ("holds", "absent", "contested", "refuted here")
CONTRACTS = ("C1", "C2", "C3")
COLOURS = {
    "holds": "#009E73",
    "absent": "#56B4E9",
    "contested": "#E69F00",
    "refuted here": "#CC79A7",
    "fails": "#D55E00",
}


class ClaimFailed(AssertionError):
    """The interval of a claim does not clear its bound."""


@dataclass(frozen=True)
class Evidence:
    """What became of a claim: its sentence, its bound, and the interval held against it."""

    sentence: str
    bound: str
    because: str
    statistic: str
    estimate: float
    low: float
    high: float
    n: int
    unit: str
    contract: str | None
    source: str | None
    verdict: str
    holds: bool


def interval(values: Iterable[float], statistic: str = "median") -> tuple[float, float, float]:
    """The estimate and its 95 % confidence interval, from one value per seed.

    Parameters
    ----------
    values : iterable of float, shape (n,)
        At least 6 independent values. Tensors and arrays will do.
    statistic : {"median", "mean", "share"}
        The median gets its order-statistic interval, which assumes nothing about the distribution
        (`scipy.stats.quantile_test`); the mean gets the bootstrap's bias-corrected and accelerated
        one (`scipy.stats.bootstrap`, BCa); the share of ones among zeros and ones, the rate of an
        event, gets the exact one of Clopper and Pearson (`scipy.stats.binomtest`), which has width
        even if the event was never seen.

    Returns
    -------
    estimate, low, high : float
        For the median and the mean, three equal numbers where all values are equal. NaN three times
        where a value is not finite.

    Raises
    ------
    ValueError
        If there are too few values, they are not one-dimensional, the statistic is unknown, or it
        is the share of values other than 0 and 1.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"statistic is {statistic!r}; it must be one of {STATISTICS}")
    sample = _as_sample(values)
    if not np.isfinite(sample).all():
        return (math.nan,) * 3
    if statistic == "share":
        if not np.isin(sample, (0, 1)).all():
            raise ValueError("a share counts zeros and ones; give one of them for each seed")
        test = stats.binomtest(int(sample.sum()), len(sample))
        low, high = test.proportion_ci(CONFIDENCE)
        return float(sample.mean()), float(low), float(high)
    if np.ptp(sample) == 0:
        return (float(sample[0]),) * 3
    if statistic == "median":
        estimate = np.median(sample)
        # The interval does not depend on q; it only has to be a value of the right kind.
        test = stats.quantile_test(sample, q=estimate, p=0.5)
        low, high = test.confidence_interval(CONFIDENCE)
    else:
        estimate = sample.mean()
        low, high = stats.bootstrap(
            (sample,), np.mean, method="BCa", rng=numpy_generator(base_seed())
        ).confidence_interval
    return float(estimate), float(low), float(high)


def assess(
    sentence: str,
    values: Iterable[float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    within: tuple[float, float] | None = None,
    because: str,
    statistic: str = "median",
    contract: str | None = None,
    source: str | None = None,
    unit: str = "",
    verdict: str = "holds",
) -> Evidence:
    """Hold the interval of the values against the bound, without showing or raising anything.

    Takes what `claim` takes.

    Returns
    -------
    Evidence
    """
    _check_words(sentence, because, contract, source, verdict)
    low_bound, high_bound, bound = _bound(at_least, at_most, within, unit)
    if verdict == "absent" and within is None:
        raise ValueError("a claim of absence needs within=(-delta, delta), with delta chosen first")
    sample = _as_sample(values)
    estimate, low, high = interval(sample, statistic)
    holds = low >= low_bound and high <= high_bound  # False where the interval is NaN
    return Evidence(
        sentence=sentence,
        bound=bound,
        because=because,
        statistic=statistic,
        estimate=estimate,
        low=low,
        high=high,
        n=len(sample),
        unit=unit,
        contract=contract,
        source=source,
        verdict=verdict if holds else "fails",
        holds=holds,
    )


def claim(
    sentence: str,
    values: Iterable[float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    within: tuple[float, float] | None = None,
    because: str,
    statistic: str = "median",
    contract: str | None = None,
    source: str | None = None,
    unit: str = "",
    verdict: str = "holds",
) -> None:
    """State a claim, show how it came out, and raise if it does not hold.

    Parameters
    ----------
    sentence : str
        What is claimed, without measured digits: it is compared word for word by the tests, and
        identifies the claim in the ledger.
    values : iterable of float, shape (n,)
        One value per seed, at least 6.
    at_least, at_most : float, optional
        The bound; exactly one of `at_least`, `at_most` and `within` is to be given.
    within : (float, float), optional
        A bound on both sides, for equalities and for null results.
    because : str
        Why this bound is the smallest effect worth reporting, in words.
    statistic : {"median", "mean", "share"}
        What the interval is of; see `interval`.
    contract : {"C1", "C2", "C3"}, optional
        The contract of batch norm that the claim bears on.
    source : str, optional
        Who said it first, as a Markdown link: ``"[Ioffe & Szegedy 2015](https://…)"``.
    unit : str
        Of the values; follows the numbers.
    verdict : {"holds", "absent", "contested", "refuted here"}
        What it means that the interval clears the bound: the effect is there, it is absent (a null
        result, with `within`), or what the literature says is contested or refuted by it.

    Raises
    ------
    ClaimFailed
        If the interval does not clear the bound, or a value is not finite.
    ValueError
        If the claim is not well formed.
    """
    evidence = assess(
        sentence,
        values,
        at_least=at_least,
        at_most=at_most,
        within=within,
        because=because,
        statistic=statistic,
        contract=contract,
        source=source,
        unit=unit,
        verdict=verdict,
    )
    _made[sentence] = evidence
    _show(_claim_text(evidence), _claim_html(evidence), {"kind": "claim", **_finite(evidence)})
    if not evidence.holds:
        raise ClaimFailed(
            f"{sentence} The {statistic} over {evidence.n} seeds is {_number(evidence.estimate)}, "
            f"its interval {_number(evidence.low)} to {_number(evidence.high)}, "
            f"which does not clear the bound: {evidence.bound}."
        )


def measured(sentence: str, value: float | Mapping[str, float], unit: str = "") -> None:
    """Show a figure that is no claim: a time, a count of bytes, the outcome of a single run.

    Parameters
    ----------
    sentence : str
        What was measured, without digits of the outcome.
    value : float or mapping of str to float
        The figure, or several with a label each.
    unit : str
        Follows each figure.
    """
    if not sentence.strip():
        raise ValueError("the sentence is empty; say what was measured")
    labelled = dict(value) if isinstance(value, Mapping) else {"": value}
    figures = {label: _mark(_number(float(v)) + _unit(unit)) for label, v in labelled.items()}
    if "" in figures:
        text = f"measured  {sentence}: {figures['']}"
        body = f"{html.escape(sentence)}: {figures['']}"
    else:
        rows = [f"          {label}: {figure}" for label, figure in figures.items()]
        text = "\n".join([f"measured  {sentence}:", *rows])
        items = "".join(
            f"<li>{html.escape(label)}: {figure}</li>" for label, figure in figures.items()
        )
        body = f'{html.escape(sentence)}:<ul style="margin: 0">{items}</ul>'
    card = _card("bn-measured", "#999999", f"<strong>measured</strong> {body}")
    record = {"kind": "measured", "sentence": sentence, "unit": unit}
    _show(text, card, record | {"values": {k: float(f"{v:.6g}") for k, v in labelled.items()}})


def recap() -> None:
    """List the claims that were made in this session, in order, and how each came out."""
    if not _made:
        raise ValueError("no claim was made yet; run the cells above first")
    rows = [(e.verdict, e.sentence, _mark(_digits(e))) for e in _made.values()]
    text = "\n".join(f"{verdict}: {sentence} {digits}" for verdict, sentence, digits in rows)
    items = "".join(
        f"<li><strong>{verdict}</strong> {html.escape(sentence)} {html.escape(digits)}</li>"
        for verdict, sentence, digits in rows
    )
    card = _card("bn-recap", "#999999", f'<ul style="margin: 0">{items}</ul>')
    _show(text, card, {"kind": "recap"})


# What `recap` lists: a claim made again, in a cell that is run twice, replaces its former outcome.
_made: dict[str, Evidence] = {}


def _as_sample(values: Iterable[float]) -> np.ndarray:
    if hasattr(values, "detach"):  # a tensor, on whatever device
        values = values.detach().cpu()
    sample = np.asarray(values if hasattr(values, "__array__") else list(values), dtype=np.float64)
    if sample.ndim != 1:
        raise ValueError(f"values have shape {sample.shape}; give one number per seed, shape (n,)")
    if len(sample) < FEWEST_SEEDS:
        raise ValueError(
            f"{len(sample)} values are too few for an interval; run at least {FEWEST_SEEDS} seeds"
        )
    return sample


def _check_words(
    sentence: str, because: str, contract: str | None, source: str | None, verdict: str
) -> None:
    if not sentence.rstrip().endswith("."):
        raise ValueError(f"a claim is a sentence and ends with a full stop; this is {sentence!r}")
    if not because.strip():
        raise ValueError("say in `because` why the bound is the smallest effect worth reporting")
    if contract is not None and contract not in CONTRACTS:
        raise ValueError(f"contract is {contract!r}; it must be one of {CONTRACTS}, or None")
    if source is not None and not _LINK.fullmatch(source):
        raise ValueError(f"source is {source!r}; it must be a Markdown link, [who](https://…)")
    if verdict not in VERDICTS:
        raise ValueError(f"verdict is {verdict!r}; it must be one of {VERDICTS}")


def _bound(
    at_least: float | None, at_most: float | None, within: tuple[float, float] | None, unit: str
) -> tuple[float, float, str]:
    if sum(b is not None for b in (at_least, at_most, within)) != 1:
        raise ValueError("give exactly one of at_least, at_most and within")
    if at_least is not None:
        low, high, words = at_least, math.inf, f"at least {at_least:g}"
    elif at_most is not None:
        low, high, words = -math.inf, at_most, f"at most {at_most:g}"
    else:
        low, high = within
        words = f"within {low:g} and {high:g}"
    if not low < high or any(math.isnan(b) for b in (low, high)):
        raise ValueError(f"the bound runs from {low} to {high}; the lower end must come first")
    return low, high, words + _unit(unit)


_LINK = re.compile(r"\[([^\]]+)\]\((https://[^)\s]+)\)")


def _mark(digits: str) -> str:
    return f"⟦{digits}⟧"


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "not finite"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _digits(e: Evidence) -> str:
    return f"{_number(e.estimate)}{_unit(e.unit)} ({_number(e.low)} to {_number(e.high)})"


def _interval_words(e: Evidence) -> str:
    return f"{e.statistic} {_mark(_digits(e))} over {e.n} seeds; bound: {e.bound}"


def _claim_text(e: Evidence) -> str:
    lines = [f"{e.verdict}: {e.sentence}", _interval_words(e), f"why this bound: {e.because}"]
    return "\n    ".join(lines)


def _claim_html(e: Evidence) -> str:
    origin = ""
    if e.source:
        who, where = _LINK.fullmatch(e.source).groups()
        origin = f' First said by <a href="{html.escape(where)}">{html.escape(who)}</a>.'
    contract = f" Contract {e.contract}." if e.contract else ""
    body = (
        f"<strong>{e.verdict}</strong> {html.escape(e.sentence)}<br>"
        f"{html.escape(_interval_words(e))}<br>"
        f"<small>Why this bound: {html.escape(e.because)}.{contract}{origin}</small>"
    )
    return _card(f"bn-claim bn-{e.verdict.split()[0]}", COLOURS[e.verdict], body)


def _card(classes: str, colour: str, body: str) -> str:
    style = f"border-left: 4px solid {colour}; padding: 0.3em 0.9em; margin: 0.5em 0"
    return f'<div class="{classes}" style="{style}">{body}</div>'


def _finite(e: Evidence) -> dict[str, object]:
    """The evidence as JSON can hold it: six significant digits, no NaN."""
    record = asdict(e)
    for key in ("estimate", "low", "high"):
        value = record[key]
        record[key] = float(f"{value:.6g}") if math.isfinite(value) else None
    return record


def _show(text: str, card: str, record: dict[str, object]) -> None:
    record["marks"] = text.count("⟦")
    if InteractiveShell.initialized():
        display({"text/plain": text, "text/html": card}, raw=True, metadata={"bnutils": record})
    else:
        print(text)
