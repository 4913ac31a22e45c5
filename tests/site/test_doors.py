"""The site's bare address, and the page for addresses where there is nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from site_helpers import HTML, small_site

CARD = r'<(?:meta|link)\b[^>]*(?:property="og:|"description"|name="twitter:|rel="canonical")[^>]*>'


def test_the_bare_address_has_the_front_pages_card() -> None:
    door = (HTML / "index.html").read_text(encoding="utf-8")
    front = (HTML / "book" / "intro.html").read_text(encoding="utf-8").partition("</head>")[0]
    assert '<html lang="en">' in door
    assert "<title>The Perils of Batch Norm</title>" in door
    card = re.findall(CARD, front)
    assert len(card) >= 10
    assert re.findall(CARD, door) == card
    assert door.count("book/intro.html") == 4  # og:url, canonical, the refresh and a link


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_found_in_words_and_with_a_way_on(page: Page, site: str, theme: str) -> None:
    """From any depth: no address in it is relative, and it sends for nothing."""
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 320, "height": 600})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/404.html")
    assert [url for url in asked if not url.endswith("favicon.ico")] == [f"{site}/404.html"]
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "best-practice"]})
    assert not found.response["violations"]
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    links = page.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    front = re.search(
        r'rel="canonical" href="([^"]+)"', (HTML / "index.html").read_text(encoding="utf-8")
    )[1]
    base = front.removesuffix("book/intro.html")
    names = [link.removeprefix(base) for link in links]
    assert names == ["book/intro.html", "book/symptoms.html", "search.html"]
    assert all((HTML / name).is_file() for name in names)


def test_a_front_page_without_a_card_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "start.md").write_text("# Start\n\nText.\n", encoding="utf-8")
    settings = "root_doc = 'start'\nexclude_patterns += ['index.md']\n"
    run = small_site(tmp_path, "# No page\n", ["myst_parser", "site_doors"], settings)
    assert run.returncode != 0
    assert "404.html would lead to book/symptoms.html, which is not there" in run.stderr
    assert 'the front page\'s head has no property="og:image" to pass on' in run.stderr
