"""The claims ledger, made from small notebooks and replications of our own invention."""

from __future__ import annotations

import csv
import html
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Page, expect
from site_helpers import EXTENSIONS, small_site

CHAPTER = "notebooks/02_small.ipynb"


@pytest.fixture(scope="module")
def ledger() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_ledger", EXTENSIONS / "site_ledger.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def claim(sentence: str, **changes: object) -> dict:
    record = {
        "kind": "claim",
        "sentence": sentence,
        "bound": "at least 0.5",
        "because": "half a standard deviation can turn a decision",
        "statistic": "median",
        "estimate": 1.23456,
        "low": 1.1,
        "high": 1.4,
        "n": 20,
        "unit": "sd",
        "contract": "C1",
        "source": "[Somebody 2017](https://example.org/post)",
        "verdict": "holds",
        "holds": True,
    }
    return record | changes


def card(record: dict) -> str:
    """What a notebook shows of a record."""
    if record["kind"] != "claim":
        return "<p>Measured.</p>"
    return f'<div class="bn-claim bn-holds">{html.escape(record["sentence"])}</div>'


def write_notebook(root: Path, *records: dict, name: str = CHAPTER) -> Path:
    outputs = [
        {
            "output_type": "display_data",
            "data": {"text/html": card(record)},
            "metadata": {"bnutils": record},
        }
        for record in records
    ]
    code = {"cell_type": "code", "id": "b", "metadata": {}, "execution_count": 1, "source": "1"}
    text = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# 2 · A small chapter"}
    notebook = {
        "cells": [text, code | {"outputs": outputs}],
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python", "pygments_lexer": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def row(sentence: str, **changes: str) -> dict[str, str]:
    values = {
        "date": "2026-11-22",
        "commit": "abc1234",
        "seed": "7",
        "chapter": "02",
        "sentence": sentence,
        "bound": "at least 0.5",
        "statistic": "median",
        "estimate": "1.3",
        "low": "1.2",
        "high": "1.5",
        "n": "20",
        "verdict": "holds",
        "versions": "torch 2.13.0",
    }
    return values | changes


def write_replications(root: Path, *rows: dict[str, str]) -> Path:
    path = root / "recorded" / "replications.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row("")))
        writer.writeheader()
        writer.writerows(rows)
    return path


def build(root: Path) -> str:
    """Build a site with nothing but a ledger and a chapter; return the ledger's HTML."""
    index = f"# Ledger\n\n```{{toctree}}\n{CHAPTER}\n```\n\n```{{claims-ledger}}\n```\n"
    run = small_site(root, index, ["myst_nb", "site_ledger"])
    assert run.returncode == 0, run.stderr
    return (root / "h" / "index.html").read_text(encoding="utf-8")


def test_claims_are_read_in_order_and_measurements_left_out(
    ledger: ModuleType, tmp_path: Path
) -> None:
    path = write_notebook(tmp_path, claim("One."), {"kind": "measured"}, claim("Two."))
    claims = ledger.read_claims([path], tmp_path)
    assert [found.key for found in claims] == [
        ("02", "One.", "at least 0.5"),
        ("02", "Two.", "at least 0.5"),
    ]
    assert claims[0].notebook == "notebooks/02_small"
    assert claims[0].title == "2 · A small chapter"


def test_replications_count_failures(ledger: ModuleType, tmp_path: Path) -> None:
    path = write_replications(tmp_path, row("One."), row("One.", seed="8", verdict="fails"))
    found = ledger.read_replications(path)
    assert str(found["02", "One.", "at least 0.5"]) == "1 of 2"


@pytest.mark.parametrize("name", ["2", "02", "02_small", "notebooks/02_small.ipynb"])
def test_a_chapter_is_known_by_any_of_its_names(ledger: ModuleType, name: str) -> None:
    assert ledger.chapter_of(name) == "02"


def test_no_replications_yet(ledger: ModuleType, tmp_path: Path) -> None:
    assert ledger.read_replications(tmp_path / "none.csv") == {}
    assert ledger.read_replications(write_replications(tmp_path)) == {}


def test_a_file_without_its_columns_is_named(ledger: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "replications.csv"
    path.write_text("date,seed\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match="columns missing: bound, .*first line must be date,commit"
    ):
        ledger.read_replications(path)


def test_a_value_that_was_not_finite(ledger: ModuleType) -> None:
    assert "not finite" in ledger.estimate(claim("One.", estimate=None, low=None, high=None))


def test_the_page_shows_all_there_is_to_know_of_a_claim(tmp_path: Path) -> None:
    write_notebook(
        tmp_path,
        claim("Batch-mates matter."),
        claim("An *effect* with $m < 2$ is absent.", verdict="absent", source=None),
    )
    write_replications(
        tmp_path,
        row("Batch-mates matter."),
        row("Batch-mates matter.", seed="8", verdict="fails"),
        row("Batch-mates matter.", bound="at least 2", verdict="fails", estimate="0.1"),
        row("A claim that nobody makes any more.", seed="9"),
    )
    html = build(tmp_path)
    now, then = html.split('id="claims-no-longer-made"')
    for words in (
        "2 claims: holds 1, absent 1. Replicated on other seeds: 1.",
        '<span class="bn-verdict bn-holds">holds</span>',
        "median 1.23 sd (1.1 to 1.4), n = 20.",
        "Bound: at least 0.5.",
        "Why this bound: half a standard deviation can turn a decision.",
        "<p>C1</p>",
        "<p>1 of 2</p>",
        '<a class="reference external" href="https://example.org/post">Somebody 2017</a>',
        'href="notebooks/02_small.html"',
        'id="claims-02"',
        # What a notebook says is text, not markup.
        "An *effect* with $m &lt; 2$ is absent.",
        "<p>none yet</p>",
    ):
        assert words in now, f"{words!r} is not in\n{now}"
    for words in (
        # Another bound makes another claim: the failure under it stays on the page.
        "Bound: at least 2.",
        "<p>0 of 1</p>",
        '<span class="bn-verdict bn-fails">fails</span>',
        "A claim that nobody makes any more.",
        "Last found, on seed 9",
    ):
        assert words in then, f"{words!r} is not in\n{then}"


def test_each_claim_leads_to_its_card(tmp_path: Path) -> None:
    write_notebook(tmp_path, claim("One's."), {"kind": "measured"}, claim("Two < 3."))
    links = re.findall(r'href="notebooks/02_small.html#(claim-\w+)"', build(tmp_path))
    chapter = (tmp_path / "h" / "notebooks" / "02_small.html").read_text(encoding="utf-8")
    assert re.findall(r'<div id="(claim-\w+)" class="bn-claim', chapter) == links
    assert len(set(links)) == 2


def test_cards_that_are_not_those_of_the_claims_stop_the_build(tmp_path: Path) -> None:
    path = write_notebook(tmp_path, claim("One."))
    path.write_text(path.read_text(encoding="utf-8").replace('holds\\">One.', 'holds\\">Two.'))
    with pytest.raises(AssertionError, match="the cards on notebooks/02_small are not those of"):
        build(tmp_path)


def test_the_ledger_leads_to_the_card_and_not_to_the_chapter(page: Page, site: str) -> None:
    """Nothing covers it."""
    page.goto(f"{site}/book/ledger.html")
    page.locator("#all-claims tbody tr td:nth-child(2) a[href*='#claim-']").nth(40).click()
    page.wait_for_url("**/notebooks/*#claim-*")
    target = page.locator(".bn-claim:target")
    expect(target).to_be_in_viewport(ratio=1)
    page.wait_for_timeout(500)
    assert target.evaluate(
        """e => { const box = e.getBoundingClientRect();
                  return e.contains(document.elementFromPoint(box.left + 9, box.top + 9)); }"""
    )


def test_each_claim_is_a_row_and_every_heading_has_a_name(tmp_path: Path) -> None:
    write_notebook(tmp_path, claim("One."), claim("Two.", contract=None))
    write_replications(tmp_path, row("Gone."))
    now, then = build(tmp_path).split('id="claims-no-longer-made"')
    heads = re.findall(r"<th[^>]*>\s*<p>(.*?)</p>", now)
    assert heads == ["Chapter", "Claim", "Found", "Contract", "Verdict", "Replications"]
    assert re.findall(r"<th[^>]*>\s*<p>(.*?)</p>", then) == [h for h in heads if h != "Contract"]
    assert now.count("<tr") == 3
    assert then.count("<tr") == 2
    assert "<p>none</p>" in now, "a claim about no contract says so"


def test_the_page_follows_the_notebooks(tmp_path: Path) -> None:
    """A second build, with the ledger's own page unchanged, shows what changed elsewhere."""
    write_notebook(tmp_path, claim("One."))
    assert "None: every claim" in build(tmp_path)
    write_replications(tmp_path, row("One.", bound="at least 3", verdict="fails"))
    assert "<p>0 of 1</p>" in build(tmp_path)
