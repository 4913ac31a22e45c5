"""What makes the pages fast, and that it takes nothing from them."""

from __future__ import annotations

import base64
import gzip
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import tinycss2
from fontTools.ttLib import TTFont
from playwright.sync_api import Browser, Page, Route, expect
from site_helpers import EXTENSIONS, HTML, documents, lay_out_all, small_site

STATIC = HTML / "_static"
LONG = "notebooks/03_the_backward_pass"
SAMPLE = ["book/intro", LONG, "notebooks/15_two_datasets_one_network", "book/symptoms"]
SAMPLE += ["book/glossary", "genindex", "search"]


@pytest.fixture(params=[None])
def extension(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return importlib.import_module(request.param)


use = pytest.mark.parametrize
css = use("extension", ["site_css"], indirect=True)
fonts = use("extension", ["site_fonts"], indirect=True)
speed = use("extension", ["site_speed"], indirect=True)


def purge(css: ModuleType, sheet: str, page: str, script: str = "") -> str:
    words = css.Words.of([page], [script])
    rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
    kept = css.without_idle_properties(css.purged(rules, words), words)
    return css.serialized(kept).replace("\n", "")


@css
@use(
    ("sheet", "kept"),
    [
        (".used{a:b}.idle{a:b}", ".used{a:b;}"),
        ("#used{a:b}#idle{a:b}", "#used{a:b;}"),
        (".used,.idle>p,td{a:b}", ".used,td{a:b;}"),
        (".used.idle{a:b}.used .idle{a:b}", ""),
        ("p:not(.idle){a:b}", "p:not(.idle){a:b;}"),
        ("[class*=idle]{a:b}", "[class*=idle]{a:b;}"),
        ("@media print{.idle{a:b}}", ""),
        ("@media print{.idle,p{a:b!important}}", "@media print{p{a:b!important;}}"),
        (".shown{a:b}.tip-top{a:b}", ".shown{a:b;}.tip-top{a:b;}"),
        ("p{--one:1;--two:var(--one);a:b}", "p{a:b;}"),
        ("p{--one:1;--two:var(--one);a:var(--two)}", "p{--one:1;--two:var(--one);a:var(--two);}"),
        ("p{--read-by-script:1}", "p{--read-by-script:1;}"),
        ("@keyframes idle{to{a:b}}", ""),
        ("@keyframes on{to{a:b}}p{animation:on 1s}", "@keyframes on{to{a:b}}p{animation:on 1s;}"),
        ("@page{margin:0}", "@page{margin:0}"),
    ],
)
def test_a_rule_stays_if_a_page_or_a_script_can_use_it(
    extension: ModuleType, sheet: str, kept: str
) -> None:
    page = '<p class="used other" id="used"></p><script>add("shown")</script>'
    assert purge(extension, sheet, page, "x = `tip-${place}`; get('--read-by-script')") == kept


@css
def test_stylesheets_are_joined_and_their_addresses_moved(
    extension: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "first.css").write_text('@import "../second.css";p{b:url(x.png)}')
    (tmp_path / "second.css").write_text('q{b:url("a/y.png?v=1") url(data:z) url(#w)}')
    joined = extension.serialized(extension.read(tmp_path / "a" / "first.css", tmp_path))
    assert "url(a/x.png)" in joined
    assert joined.startswith('q{b:url("a/y.png?v=1") url(data:z) url(#w)')


@css
@use("sheet", ["@import 'x.css' print;", "p{a:b} q"])
def test_what_cannot_be_joined_is_refused(
    extension: ModuleType, sheet: str, tmp_path: Path
) -> None:
    (tmp_path / "first.css").write_text(sheet)
    with pytest.raises(ValueError, match="first.css, line 1: "):
        extension.read(tmp_path / "first.css", tmp_path)


@fonts
def test_letters_that_browsers_make_of_others_are_counted(extension: ModuleType) -> None:
    letters = extension.letters_of_formulas(["x <math><mi>h</mi><mi>\u03b8</mi>&lt;</math> z"])
    assert {"h", "\u210e", "\u03b8", "\U0001d703", "<", "\u221a", "\u2032"} <= letters
    assert not {"x", "z"} & letters


@speed
@use(
    ("html", "fault"),
    [
        ('<link rel=stylesheet href="x.css">', "its stylesheets are not one"),
        ("<style>@import 'x'</style></head>", "its stylesheets are not one"),
        ('<script async src="x.js"></script>', "a script that the page waits for"),
        ('<script defer src="searchindex.js"></script>', "the search index where nobody searches"),
        ('<link rel="preload" as="script" href="x.js">', "a script is preloaded"),
    ],
)
def test_what_a_page_waits_for_is_named(extension: ModuleType, html: str, fault: str) -> None:
    ours = '<link rel="stylesheet" href="_static/book.css?v=1">'
    assert not extension.faults(ours)
    assert fault in "; ".join(extension.faults(ours + html))


def test_another_theme_stops_the_build(tmp_path: Path) -> None:
    run = small_site(tmp_path, "# Page\n\nText.\n", ["myst_parser", "site_speed"])
    assert run.returncode != 0
    for news in (
        "pydata-sphinx-theme.js has changed: what looked for scrollers is not there",
        "no stylesheet brings the font Font Awesome 6 Brands any more",
        "no stylesheet brings the font Latin Modern Math any more",
    ):
        assert news in run.stderr, run.stderr


@use(
    ("sheet", "news"),
    [
        ("@font-face{font-family:New;src:url(n.woff2)}", "a font that site_fonts does not know: N"),
        ("@font-face{font-family:Temml;src:url(n.ttf)}", "a font that site_fonts does not know: T"),
        ("@import 'x.css' print;", "the stylesheets cannot be joined: new.css, line 1"),
        ("@import 'https://example.org/x.css';", "the stylesheets cannot be joined: .*No such"),
    ],
)
def test_a_new_kind_of_stylesheet_stops_the_build(tmp_path: Path, sheet: str, news: str) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "new.css").write_text(sheet)
    settings = "html_static_path = ['s']\nhtml_css_files = ['new.css']\n"
    run = small_site(tmp_path, "# Page\n\nText.\n", ["myst_parser", "site_speed"], settings)
    assert run.returncode != 0
    assert re.search(news, run.stderr), run.stderr


def sheet_of_the_site() -> str:
    return (STATIC / "book.css").read_text(encoding="utf-8")


@speed
def test_pages_wait_for_one_stylesheet_alone(extension: ModuleType) -> None:
    """And those with formulas ask early for the fonts that it names, which nothing else embeds."""
    sheet = sheet_of_the_site()
    for name in [*documents(), "search", "genindex"]:
        html = (HTML / f"{name}.html").read_text(encoding="utf-8")
        assert not extension.faults(html), name
        early = re.findall(r'<link rel="preload" href="[^"]*_static/([^"]+)" as="font"', html)
        assert bool(early) == ("<math" in html), f"{name} asks early for {early}"
        for address in early:
            assert f'url("{address}")' in sheet, f"{name} asks early for {address}, in vain"
            assert (STATIC / address.split("?")[0]).is_file()


def test_the_weight_stays_small() -> None:
    assert len(gzip.compress(sheet_of_the_site().encode())) < 40_000
    for font in (STATIC / "fonts").iterdir():
        assert font.stat().st_size < 60_000, f"{font.name} is no longer cut"


STYLES = """() => {
  const names = `align-items background-color background-image border-bottom-color border-left-color
    border-left-width border-radius border-top-style border-top-width box-shadow color column-gap
    content cursor display filter flex-direction flex-grow flex-wrap float
    font-family font-size font-style font-weight grid-template-areas justify-content letter-spacing
    line-height list-style-type margin-bottom margin-top max-height max-width opacity outline-color
    outline-style overflow-wrap overflow-x overflow-y padding-bottom padding-left padding-right
    padding-top pointer-events position text-align text-decoration-line text-indent text-transform
    text-wrap-mode transform transition-property user-select vertical-align visibility white-space
    word-break z-index`.split(/\\s+/);
  const seen = [];
  for (const element of document.querySelectorAll("body, body *:not(math *)")) {
    for (const part of [null, "::before", "::after"]) {
      const style = getComputedStyle(element, part);
      if (part && style.content === "none") continue;
      const values = names.map(name => `${name}: ${style.getPropertyValue(name)}`);
      seen.push([`${element.localName}.${element.getAttribute("class")}${part ?? ""}`, values]);
    }
  }
  return seen;
}"""


def styles(page: Page, address: str) -> list[list]:
    """Return the style of everything on a page, with its search field open."""
    page.goto(address)
    page.wait_for_timeout(600)  # the scripts' additions
    page.keyboard.press("Control+k")
    page.wait_for_timeout(400)
    return page.evaluate(STYLES)


@use("state", ["light, desk", "dark, phone", "print"])
@use("name", SAMPLE)
def test_the_stylesheet_leaves_out_nothing(
    browser: Browser, site: str, name: str, state: str
) -> None:
    """Every element looks as it does under the whole stylesheets that ours is made of."""
    whole = re.match(r"/\* What the pages use of (.*) \*/", sheet_of_the_site())[1].split()

    def with_whole(route: Route) -> None:
        html = (HTML / f"{name}.html").read_text(encoding="utf-8")
        link = re.search(r'<link rel="stylesheet" href="([^"]*)book\.css[^>]*>', html)
        links = "".join(f'<link rel="stylesheet" href="{link[1]}{sheet}">' for sheet in whole)
        route.fulfill(body=html.replace(link[0], links), content_type="text/html")

    context = browser.new_context(
        viewport={"width": 375, "height": 740} if "phone" in state else None,
        color_scheme="dark" if "dark" in state else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    lay_out_all(page)
    page.emulate_media(media="print" if state == "print" else "screen")
    address = f"{site}/{name}.html" + ("?q=mean" if name == "search" else "")
    ours = styles(page, address)
    page.route(re.compile(rf"/{name}\.html"), with_whole)
    theirs = styles(page, address)
    context.close()
    assert [element for element, _ in ours] == [element for element, _ in theirs]
    faults = [
        f"{element}: {mine}, not {value}"
        for (element, mines), (_, values) in zip(ours, theirs, strict=True)
        for mine, value in zip(mines, values, strict=True)
        if mine != value
    ]
    assert not faults, f"{len(faults)} differences:\n" + "\n".join(faults[:20])


def test_the_cut_font_draws_every_formula_as_the_whole_one(page: Page) -> None:
    formulas = sorted(
        {
            formula
            for name in documents()
            for formula in re.findall(
                r"<math\b.*?</math>", (HTML / f"{name}.html").read_text("utf-8"), flags=re.DOTALL
            )
        }
    )
    sheet = (STATIC / "temml" / "Temml-Latin-Modern.css").read_text(encoding="utf-8")
    pictures = []
    for folder in (STATIC / "temml", STATIC / "fonts"):
        style = sheet
        for name in ("Temml.woff2", "latinmodernmath.woff2"):
            data = base64.b64encode((folder / name).read_bytes()).decode()
            style = re.sub(rf"(\./)?{re.escape(name)}", f"data:font/woff2;base64,{data}", style)
        boxes = "".join(f"<p>{formula}</p>" for formula in formulas)
        page.set_content(f"<style>{style} p{{display:inline-block;margin:8px}}</style>{boxes}")
        page.evaluate("document.fonts.ready.then(() => true)")
        loaded = page.evaluate("[...document.fonts].filter(f => f.status === 'loaded').length")
        assert loaded == 2, f"{loaded} of 2 fonts were loaded"
        pictures.append(page.screenshot(full_page=True))
    assert pictures[0] == pictures[1], "some formula is drawn otherwise: see site_fonts.DRAWN"


def test_every_icon_is_in_the_cut_fonts(page: Page, site: str, tmp_path: Path) -> None:
    drawn = set()
    for number, data in enumerate(re.findall(r"font/woff2;base64,([\w+/=]+)", sheet_of_the_site())):
        file = tmp_path / f"{number}.woff2"
        file.write_bytes(base64.b64decode(data))
        drawn.update(map(chr, TTFont(file).getBestCmap()))
    for name in SAMPLE:
        page.goto(f"{site}/{name}.html")
        icons = page.locator("i[class*='fa-']").evaluate_all(
            "all => all.map(icon => [icon.className, getComputedStyle(icon, '::before').content])"
        )
        assert icons
        for icon, content in icons:
            assert content.strip('"') in drawn, f"{name}: no icon for {icon}"


@pytest.fixture
def reader(browser: Browser, site: str) -> Iterator[Page]:
    """A tab with the longest chapter, of which only what is near the window is laid out."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{site}/{LONG}.html")
    page.wait_for_timeout(500)
    yield page
    page.close()


def test_a_far_heading_is_reached_from_the_contents(reader: Page) -> None:
    """Though what lies between has not been laid out, so that its height is not known."""
    reader.locator(".bd-sidebar-secondary a", has_text="Exercises").click()
    heading = reader.locator("#exercises h2")
    expect(heading).to_be_in_viewport()
    reader.wait_for_timeout(500)
    assert 0 <= heading.bounding_box()["y"] < 300


def test_the_end_of_a_page_stays_when_it_is_reached(reader: Page) -> None:
    following = reader.locator("a.right-next")
    reader.keyboard.press("End")
    expect(following).to_be_in_viewport()
    reader.wait_for_timeout(500)
    following.click()
    reader.wait_for_url("**/notebooks/04_train_and_eval.html")


def test_far_scrollers_get_their_tab_stops(reader: Page) -> None:
    """When the page is loaded, and again when the window has changed."""
    last = reader.locator("article pre:not(details pre)").last
    for width in (1280, 375):
        reader.set_viewport_size({"width": width, "height": 740})
        expect(last).not_to_be_in_viewport()
        reader.wait_for_function(
            """() => [...document.querySelectorAll("article pre")]
                 .filter(box => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
                 .every(box => box.tabIndex === 0)""",
            timeout=20_000,
        )
