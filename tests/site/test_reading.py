"""Finding one's way: previews and the sitemap, the place of a page, paper, less motion."""

from __future__ import annotations

import importlib
import re
import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from playwright.sync_api import Page, expect
from site_helpers import EXTENSIONS, HTML, ROOT, documents, small_site

from tools import address


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return importlib.import_module("site_head")


def published() -> str:
    owner, _, name = address.slug(address.current()).partition("/")
    return f"https://{owner}.github.io/{name}/"


@pytest.mark.parametrize(
    ("repository", "site"),
    [
        ("https://github.com/you/a-course", "https://you.github.io/a-course/"),
        ("https://github.com/you/you.github.io", "https://you.github.io/"),
    ],
)
def test_the_sites_address_follows_from_the_repositorys(
    head: ModuleType, repository: str, site: str
) -> None:
    assert head.published_at(repository) == site


def test_a_wrong_or_missing_address_stops_the_build(tmp_path: Path) -> None:
    run = small_site(tmp_path, "# Page\n\nText.\n", ["myst_parser", "site_head"])
    assert run.returncode != 0
    assert "repository.url in _config.yml: '' is not like https://github.com/" in run.stderr


def test_a_missing_picture_stops_the_build(tmp_path: Path) -> None:
    settings = "html_baseurl = 'https://example.org/'\n"
    run = small_site(tmp_path, "# Page\n\nText.\n", ["myst_parser", "site_head"], settings)
    assert run.returncode != 0
    assert "the picture for previews is missing: preview.png" in run.stderr


def test_a_long_description_is_cut_after_a_word(head: ModuleType) -> None:
    assert head.shortened("one two") == "one two"
    cut = head.shortened("word, " * 60)
    assert cut.endswith("word\u2026")
    assert 150 < len(cut) <= head.LONGEST


def test_the_sitemap_lists_every_page_once_under_the_published_address() -> None:
    root = ElementTree.parse(HTML / "sitemap.xml").getroot()
    found = [place.text for place in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert sorted(found) == sorted(f"{published()}{name}.html" for name in documents())


def test_every_page_says_what_it_is_when_it_is_passed_on(page: Page, site: str) -> None:
    """A canonical address, words of its own, and a picture that exists, with its size and words."""
    descriptions = {}
    for name in documents():
        page.goto(f"{site}/{name}.html")
        meta = dict(
            page.locator("meta").evaluate_all(
                "all => all.map(m => [m.getAttribute('property') ?? m.name, m.content])"
            )
        )
        canonical = page.locator("link[rel=canonical]").get_attribute("href")
        assert canonical == meta["og:url"] == f"{published()}{name}.html"
        assert meta["og:title"] in page.locator("h1").first.inner_text()
        assert meta["og:site_name"] == "The Perils of Batch Norm"
        assert meta["description"] == meta["og:description"]
        assert 40 < len(meta["description"]) <= 200
        assert meta["og:image"] == f"{published()}_static/preview.png"
        assert len(meta["og:image:alt"].split()) > 5
        assert meta["twitter:card"] == "summary_large_image"
        descriptions[name] = meta["description"]
    for name in ("search", "genindex"):
        page.goto(f"{site}/{name}.html")
        words = page.locator("meta[name=description]").get_attribute("content")
        assert words == descriptions["book/intro"]
    assert len(set(descriptions.values())) == len(descriptions), descriptions
    data = (HTML / "_static" / "preview.png").read_bytes()
    assert struct.unpack(">II", data[16:24]) == (1200, 630)
    assert len(data) < 300_000  # what messengers still fetch


def test_every_page_says_where_it_stands(page: Page, site: str) -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    for part in toc["parts"]:
        files = [chapter["file"] for chapter in part["chapters"]]
        for number, name in enumerate(files, start=1):
            page.goto(f"{site}/{name}.html")
            place = page.get_by_role("navigation", name="Breadcrumb")
            text = " ".join(place.inner_text().split())
            assert text == f"The Perils of Batch Norm {part['caption']} {number} of {len(files)}"
    page.goto(f"{site}/notebooks/03_the_backward_pass.html")
    page.get_by_role("navigation", name="Breadcrumb").get_by_text("Part I: Derive").click()
    page.wait_for_url("**/book/intro.html#part-i-derive")
    expect(page.locator("article h3", has_text="Part I: Derive")).to_be_in_viewport()
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_have_count(0)


def test_the_sidebar_shows_where_the_reader_is(page: Page, site: str) -> None:
    """Also after the theme has put it where it stood on the last page."""
    page.set_viewport_size({"width": 1280, "height": 600})
    for name in (documents()[-1], "notebooks/01_one_unit_and_its_distribution", documents()[-1]):
        page.goto(f"{site}/{name}.html")
        expect(page.locator(".bd-sidebar-primary .current.active > a")).to_be_in_viewport()


def test_code_fits_between_the_sidebars(page: Page, site: str) -> None:
    """On a window of 1280 px that has a scroll bar."""
    page.set_viewport_size({"width": 1280, "height": 800})
    faults = []
    for name in documents():
        page.goto(f"{site}/{name}.html")
        page.add_style_tag(content="html { width: 1265px }")
        cut = page.locator("article .cell_input pre").evaluate_all(
            """all => all.filter(e => e.closest("details")?.setAttribute("open", "") ?? true)
                 .filter(e => e.scrollWidth > e.clientWidth + 1)
                 .map(e => `${e.scrollWidth - e.clientWidth} px: ${e.textContent.slice(0, 60)}`)"""
        )
        faults += [f"{name}: {fault}" for fault in cut]
    for bar in (".bd-sidebar-primary", ".bd-sidebar-secondary"):
        expect(page.locator(bar)).to_be_in_viewport()
    assert not faults, "\n".join(faults[:20])


def test_a_hidden_sidebar_leaves_no_gap(page: Page, site: str) -> None:
    page.goto(f"{site}/notebooks/14_stuck_in_train_mode.html")
    for edge in (216, 0):
        expect(page.locator(".bd-main")).to_have_js_property("offsetLeft", edge)
        page.locator("button.primary-toggle:visible").click()


def test_motion_stops_for_those_who_ask(page: Page, site: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{site}/book/intro.html")
    slow = page.locator("body, body *").evaluate_all(
        """all => all.filter(e => ["transitionDuration", "animationDuration"].some(name =>
             getComputedStyle(e)[name].split(",").some(time => parseFloat(time) > 0.001)))
           .map(e => e.className)"""
    )
    assert not slow, slow
    assert page.locator("html").evaluate("e => getComputedStyle(e).scrollBehavior") == "auto"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_paper_there_is_the_article_alone_and_whole(page: Page, site: str, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 794, "height": 1123})  # A4
    page.goto(f"{site}/notebooks/03_the_backward_pass.html")
    page.wait_for_timeout(500)
    page.emulate_media(media="print", color_scheme=theme)
    for gone in (
        ".bd-sidebar-primary",
        ".bd-header-article",
        ".bn-place",
        ".copybtn",
        ".prev-next-area",
    ):
        for element in page.locator(gone).all():
            expect(element).not_to_be_visible()
    clipped = page.locator("article pre").evaluate_all(
        """all => all.filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
             .map(e => e.textContent.slice(0, 60))"""
    )
    assert not clipped, clipped
    for text in page.locator("article").locator("p, pre, h2").all()[:20]:
        ink = text.evaluate("e => getComputedStyle(e).color")
        assert sum(map(float, re.findall(r"[\d.]+", ink)[:3])) < 300, f"the ink is {ink}"
    ground = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    page.emulate_media(media="screen", color_scheme=theme)
    expect(page.locator("html")).to_have_attribute("data-theme", theme)


def test_the_focus_is_seen_wherever_it_goes(page: Page, site: str) -> None:
    page.goto(f"{site}/book/symptoms.html")
    page.wait_for_timeout(300)
    for _ in range(30):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => {
              const e = document.activeElement;
              const s = getComputedStyle(e);
              const outlined = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1;
              const parent = getComputedStyle(e.parentElement);
              return [e === document.body || outlined || s.boxShadow !== "none"
                      || parent.boxShadow !== "none", e.outerHTML.slice(0, 120)];
            }"""
        )
        assert seen[0], f"no mark of the focus on {seen[1]}"


def test_what_was_found_fits_a_phone(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    page.goto(f"{site}/search.html?q=running+statistics")
    expect(page.locator("#search-results")).to_contain_text("found")
    page.wait_for_timeout(2000)  # the excerpts, one by one
    assert page.evaluate("document.documentElement.scrollWidth") == 375
