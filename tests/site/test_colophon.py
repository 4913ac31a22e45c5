"""The colophon, made from a small repository of our own, then on the book's own page."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from site_helpers import ROOT, small_site

INDEX = """# Colophon

```{toctree}
notebooks/02_small.ipynb
notebooks/11_larger.ipynb
```

```{colophon} chapters
```

```{colophon} records
```

```{colophon} replications
```

```{colophon} versions
```
"""


def write(root: Path, name: str, content: dict) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def notebook(title: str) -> dict:
    return {
        "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": f"# {title}"}],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def provenance(torch: str = "2.13.0", seconds: float = 12.4) -> dict:
    versions = {"torch": torch, "numpy": "2.4.6"}
    return {
        "date": "2026-11-22",
        "device": "cpu",
        "processor": "x86_64",
        "versions": versions,
        "cpu_seconds": seconds,
        "wall_seconds": 99.0,
    }


def entry(**changes: object) -> dict:
    return {
        "command": "python -m tools.record speed",
        "commit": "0123456789abcdef with changes",
        "device": {"type": "cuda", "name": "A fast device"},
        "versions": {"torch": "2.12.1"},
        "date": "2026-11-20",
    } | changes


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write(tmp_path, "notebooks/02_small.ipynb", notebook("2 · Small"))
    write(tmp_path, "notebooks/11_larger.ipynb", notebook("11 · Larger"))
    known = {"02_small": provenance(), "11_larger": provenance("2.14.0", 30.6)}
    write(tmp_path, "recorded/provenance.json", known)
    return tmp_path


def build(root: Path) -> tuple[str, str]:
    """The colophon's text without markup, and what the build complained of."""
    run = small_site(root, INDEX, ["myst_nb", "site_colophon"])
    html = (root / "h" / "index.html").read_text(encoding="utf-8")
    body = html.partition('role="main"')[2].partition('class="sphinxsidebar"')[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)), run.stderr


def test_every_chapter_is_listed_with_what_made_it(repository: Path) -> None:
    text, faults = build(repository)
    assert faults == ""
    assert "2 · Small 2026-11-22 cpu, x86_64 12" in text
    assert "11 · Larger 2026-11-22 cpu, x86_64 31" in text
    assert "All chapters 43" in text


def test_versions_that_differ_are_told_apart(repository: Path) -> None:
    text, _ = build(repository)
    assert "numpy 2.4.6 all chapters" in text
    assert "torch 2.13.0 chapters 2" in text
    assert "torch 2.14.0 chapters 11" in text
    assert re.search(r"Sphinx \d+\.\d+\.\d+ the site", text)


def test_records_carry_their_circumstances(repository: Path) -> None:
    record = {"what": "speed of a layer; see somewhere", "entries": [entry(), entry()]}
    record["entries"][1] |= {"device": {"type": "cpu", "name": "A slow one"}, "cpu seconds": 70}
    write(repository, "recorded/speed.json", record)
    write(repository, "recorded/old.json", entry(device={"cpu": "An old one"}))
    text, faults = build(repository)
    assert faults == ""
    made = "2026-11-20, torch 2.12.1, commit 0123456789 with changes"
    by = "by python -m tools.record speed , in recorded/"
    assert f"speed of a layer, {by}speed.json A fast device {made} not counted" in text
    assert f"speed.json A slow one {made} 70" in text
    assert f"old.json An old one {made}" in text


def test_replications_are_counted_failures_included(repository: Path) -> None:
    assert "No claim has been replicated yet." in build(repository)[0]
    path = repository / "recorded" / "replications.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "commit", "seed", "verdict"])
        writer.writerow(["2026-11-20", "a", "7", "holds"])
        writer.writerow(["2026-11-22", "a", "7", "fails"])
        writer.writerow(["2026-11-22", "b", "8", "holds"])
    text, _ = build(repository)  # the page itself is unchanged
    assert "holds 3 outcomes, 1 of them failures, on 2 seeds" in text
    assert "came from 2 commits (2026-11-20 to 2026-11-22)" in text


def test_the_commit_is_named_where_there_is_one(repository: Path) -> None:
    assert "built from commit" not in build(repository)[0]

    def git(*arguments: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        command = ["git", *who, *arguments]
        done = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q")
    git("add", "recorded", "notebooks")
    git("commit", "-qm", "One")
    commit = git("rev-parse", "HEAD")[:10]
    text, _ = build(repository)
    assert f"built from commit {commit} ." in text
    write(repository, "notebooks/02_small.ipynb", notebook("2 · Smaller"))
    text, _ = build(repository)
    assert f"built from commit {commit} with changes ." in text


def test_a_chapter_of_unknown_origin_stops_the_build(repository: Path) -> None:
    write(repository, "recorded/provenance.json", {"02_small": provenance()})
    _, faults = build(repository)
    assert "does not know notebooks/11_larger; run make refresh NB=11" in faults


def test_a_part_that_does_not_exist_stops_the_build(tmp_path: Path) -> None:
    run = small_site(tmp_path, "# A\n\n```{colophon} weather\n```\n", ["myst_nb", "site_colophon"])
    assert run.returncode != 0
    assert "weather" in run.stderr


# The book's own page


def test_the_page_tells_what_the_files_tell(page: Page, site: str) -> None:
    known = json.loads((ROOT / "recorded" / "provenance.json").read_text(encoding="utf-8"))
    page.goto(f"{site}/book/colophon.html")
    tables = page.locator("article table")
    rows = [row.inner_text().split("\t") for row in tables.first.locator("tbody tr").all()]
    assert len(rows) == len(list((ROOT / "notebooks").glob("*.ipynb"))) + 1
    for row in rows[:-1]:
        (name,) = (n for n in known if n.startswith(f"{int(row[0].split()[0]):02}_"))
        assert row[1].strip() == known[name]["date"]
        assert row[3].strip() == f"{known[name]['cpu_seconds']:.0f}"
    for record in (ROOT / "recorded").glob("*.json"):
        if record.stem != "provenance":
            expect(tables.nth(1)).to_contain_text(f"recorded/{record.name}")
    for head in page.locator("article th").all():
        assert head.inner_text().strip(), "a heading without a name"


def test_the_page_leads_to_the_ledger_and_to_contributing(page: Page, site: str) -> None:
    page.goto(f"{site}/book/colophon.html")
    article = page.locator("article")
    assert article.locator("a[href$='/blob/main/CONTRIBUTING.md']").count() == 1
    article.get_by_role("link", name="claims ledger").click()
    page.wait_for_url("**/book/ledger.html")


def test_on_a_phone_its_tables_fit(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    page.goto(f"{site}/book/colophon.html")
    for box in page.locator(".pst-scrollable-table-container").all():
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth + 1"), box.inner_text()
