"""Every page of the built site, as a reader meets it: light and dark, on a desk and a phone."""

from __future__ import annotations

import re
from urllib.parse import urldefrag, urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, TimeoutError, expect
from site_helpers import HTML, documents, lay_out_all, watch

PAGES = [*documents(), "search", "genindex"]
NOTEBOOKS = [name for name in PAGES if name.startswith("notebooks/")]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
# What another theme or another width can break; the rest of a page is the same in all of them.
COLOURS = ["color-contrast", "link-in-text-block"]
LAYOUT = ["scrollable-region-focusable", "region", "meta-viewport", "bypass", "aria-hidden-focus"]


def too_wide(page: Page) -> list[str]:
    """Name what makes the page scroll sideways."""
    return page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          const wide = [...document.querySelectorAll("main *")]
            .filter(e => e.getBoundingClientRect().right > width + 1)
            .slice(0, 5)
            .map(e => `${e.tagName.toLowerCase()}.${e.className}`);
          return [`scrolls sideways at ${width} px: ${wide.join(", ")}`];
        }"""
    )


def blank_mathematics(page: Page) -> list[str]:
    """Name formulas that have no size, and TeX that reached the reader."""
    return page.evaluate(
        r"""() => {
          const faults = [...document.querySelectorAll("math")]
            .filter(m => !m.closest("details:not([open])"))
            .filter(m => { const r = m.getBoundingClientRect(); return !(r.width && r.height); })
            .map(m => `empty formula: ${m.textContent.slice(0, 40)}`);
          const walker = document.createTreeWalker(
            document.querySelector("main article") ?? document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const text = walker.currentNode;
            if (text.parentElement.closest("pre, code, script, style")) continue;
            if (/\\\(|\\\[|\\frac|\\begin\{|\$[^$\s][^$]*\$/.test(text.data))
              faults.push(`raw TeX: ${text.data.trim().slice(0, 60)}`);
          }
          if (document.querySelector("merror")) faults.push("a formula that could not be drawn");
          return faults;
        }"""
    )


def out_of_reach(page: Page) -> list[str]:
    """Name what scrolls but cannot be reached by keyboard, once the page had time to see to it."""
    try:
        page.wait_for_function(
            """() => [...document.querySelectorAll("main :is(pre, .output, .bn-scroll)")]
                 .every(e => e.scrollWidth <= e.clientWidth + 1 || e.tabIndex === 0)""",
            timeout=20_000,
        )
    except TimeoutError:
        return ["something scrolls sideways without a tab stop"]
    return []


# A chapter's code is thousands of words in a dozen styles, and so are its formulas. Whether a word
# can be read depends on its style and on the ground below it alone, so that three of each will do.
# The mark has no say in any rule but that of contrast.
MARK_REPEATS = """() => {
    const grounds = new Map();
    const ground = node => {
        if (!node) return "";
        if (!grounds.has(node)) {
            const s = getComputedStyle(node);
            const own = [s.backgroundColor, s.backgroundImage, s.opacity, s.filter, s.mixBlendMode];
            grounds.set(node, `${own} on ${ground(node.parentElement)}`);
        }
        return grounds.get(node);
    };
    const count = {};
    for (const node of document.querySelectorAll("main pre *, main math *")) {
        if (!node.checkVisibility({ visibilityProperty: true })) continue;
        const s = getComputedStyle(node);
        const long = node.textContent.trim().length > 1;  // axe does not judge single letters
        const style = [long, s.color, s.fontSize, s.fontWeight, s.textShadow, ground(node)].join();
        count[style] = (count[style] ?? 0) + 1;
        node.toggleAttribute("data-repeats", count[style] > 3);
    }
}"""
RUN_AXE = """options => {
    const selector = ":not([data-repeats])";
    axe.configure({ rules: [{ id: "color-contrast", selector }] });
    return axe.run(options).then(found => found.violations);
}"""


def axe_violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """Name what axe objects to, by all rules of `TAGS` or by the given ones."""
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    # With preload, axe would fetch the stylesheets again, from addresses that it gets wrong.
    options = {"runOnly": only, "preload": False, "resultTypes": ["violations"]}
    page.evaluate(Axe().axe_script)
    page.evaluate(MARK_REPEATS)
    return [
        f"axe {violation['id']}: {node['html'][:160]}"
        for violation in page.evaluate(RUN_AXE, options)
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_sound(browser: Browser, site: str, name: str, theme: str) -> None:
    """No foreign request, console error, missing file, axe violation, raw TeX, sideways scroll."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    page = context.new_page()
    faults = watch(page, site)
    page.goto(f"{site}/{name}.html", wait_until="load")
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    # Pictures load when they come near; bring all of them near.
    page.evaluate(
        """() => Promise.all([document.fonts.ready, ...[...document.images].map(image => {
             image.loading = "eager";
             return image.decode().catch(() => {});
           })])"""
    )
    faults += [f"desk: {fault}" for fault in too_wide(page) + out_of_reach(page)]
    faults += axe_violations(page, COLOURS if theme == "dark" else None)
    faults += blank_mathematics(page)
    page.set_viewport_size({"width": 375, "height": 740})
    faults += out_of_reach(page)
    faults += [f"phone: {fault}" for fault in too_wide(page) + axe_violations(page, LAYOUT)]
    context.close()
    assert not faults, f"{name} ({theme}):\n" + "\n".join(faults)


# The worst contrast of the words in code, and of the grounds that they stand on.
CONTRAST = r"""() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\d.]+/g).map(n => n / 255)
      .map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const clear = e => getComputedStyle(e).backgroundColor === "rgba(0, 0, 0, 0)";
  const ground = e => (clear(e) && e.parentElement ? ground(e.parentElement) : e);
  return Math.min(...[...document.querySelectorAll("article pre, article pre span")].map(e => {
    const two = [getComputedStyle(e).color, getComputedStyle(ground(e)).backgroundColor].map(light);
    return Math.max(...two) / Math.min(...two);
  }));
}"""


def test_without_scripts_in_a_dark_system_code_can_be_read(browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{site}/{NOTEBOOKS[0]}.html")
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert page.evaluate(CONTRAST) >= 4.5
    for drawn in (".bd-header-article", ".bn-button", ".bn-claim"):
        ground = page.locator(drawn).first.evaluate("e => getComputedStyle(e).backgroundColor")
        assert ground != "rgba(0, 0, 0, 0)", f"{drawn} has no ground"
    context.close()


def test_no_page_scrolls_sideways_on_the_narrowest_screen(browser: Browser, site: str) -> None:
    """320 px, or a desk of 1280 px at 400 %: WCAG 1.4.10."""
    page = browser.new_page(viewport={"width": 320, "height": 700})
    lay_out_all(page)
    faults = []
    for name in PAGES:
        page.goto(f"{site}/{name}.html")
        faults += [f"{name}: {fault}" for fault in too_wide(page)]
    page.close()
    assert not faults, "\n".join(faults)


def test_front_page_leads_to_the_introduction(page: Page, site: str) -> None:
    page.goto(f"{site}/index.html")
    page.wait_for_url("**/book/intro.html")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_every_internal_link_leads_somewhere() -> None:
    """Each local address on each page names a file that exists and, with #, an id that is in it."""
    if not HTML.is_dir():
        pytest.fail("The site is not built: run make book first.", pytrace=False)
    pages = (path for path in HTML.rglob("*.html") if "_static" not in path.parts)
    sources = {path: path.read_text(encoding="utf-8") for path in pages}
    ids = {path: set(re.findall(r'\bid="([^"]+)"', html)) for path, html in sources.items()}
    faults = []
    for path, html in sources.items():
        html = re.sub(r"<script\b.*?</script>", "", html, flags=re.DOTALL)
        for address in re.findall(r'\b(?:href|src)="([^"]*)"', html):
            if re.match(r"[a-z]+:|//", address) or not address:
                continue
            link, anchor = urldefrag(urljoin(path.as_uri(), address))
            target = type(path)(link.removeprefix("file://").split("?")[0])
            if not target.is_file():
                faults.append(f"{path.relative_to(HTML)}: no file {address}")
            elif anchor and target.suffix == ".html" and anchor not in ids[target]:
                faults.append(f"{path.relative_to(HTML)}: nothing is called {address}")
    assert not faults, "\n".join(faults)


def test_the_button_goes_dark_and_stays_dark(page: Page, site: str) -> None:
    page.goto(f"{site}/book/intro.html")
    html, ground = page.locator("html"), page.locator("body")
    light = ground.evaluate("e => getComputedStyle(e).backgroundColor")
    button = page.locator(".theme-switch-button:visible")
    for _ in range(3):  # auto, light, dark
        if html.get_attribute("data-mode") == "dark":
            break
        button.click()
    expect(html).to_have_attribute("data-theme", "dark")
    dark = ground.evaluate("e => getComputedStyle(e).backgroundColor")
    assert dark != light, f"the page is {light} in light and in dark"
    page.goto(f"{site}/book/glossary.html")
    expect(html).to_have_attribute("data-theme", "dark")


def test_search_finds_a_term_and_leads_to_it(page: Page, site: str) -> None:
    page.goto(f"{site}/book/intro.html")
    page.get_by_role("button", name="Search").first.click()
    field = page.locator("#pst-search-dialog input[type=search]")
    expect(field).to_be_visible()
    field.fill("running statistics")
    field.press("Enter")
    result = page.locator("#search-results li a, ul.search li a").first
    expect(result).to_be_visible()
    result.click()
    page.wait_for_url(re.compile(r"/(book|notebooks)/"))
    assert "running statistics" in page.locator("main").inner_text().lower()


def test_search_by_keyboard(page: Page, site: str) -> None:
    page.goto(f"{site}/book/glossary.html")
    page.keyboard.press("Control+k")
    expect(page.locator("#pst-search-dialog input[type=search]")).to_be_focused()


def test_previous_and_next_walk_through_the_book(page: Page, site: str) -> None:
    pages = documents()
    page.goto(f"{site}/{pages[0]}.html")
    for name in pages[1:]:
        page.locator("a.right-next").click()
        page.wait_for_url(f"**/{name}.html")
    page.locator("a.left-prev").click()
    page.wait_for_url(f"**/{pages[-2]}.html")


def test_contents_open_on_a_phone(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    page.goto(f"{site}/book/intro.html")
    link = page.locator(".bd-sidebar-primary a", has_text="Glossary")
    expect(link).not_to_be_in_viewport()
    page.locator("button.primary-toggle:visible").first.click()
    page.locator("a:visible", has_text="Glossary").first.click()
    page.wait_for_url("**/book/glossary.html")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_has_its_buttons(page: Page, site: str, name: str) -> None:
    """Colab, download, edit and issue, each with an address that names this very notebook."""
    page.goto(f"{site}/{name}.html")
    links = page.locator("a").evaluate_all("list => list.map(a => a.href)")
    for part in (
        f"https://colab.research.google.com/github/.*/blob/main/{name}\\.ipynb",
        f"/edit/main/{name}\\.ipynb",
        f"/issues/new\\?.*{name.replace('/', '(/|%2F)')}",
        f"{re.escape(site)}/_sources/{name}\\.ipynb",
    ):
        assert any(re.search(part, link) for link in links), f"no link to {part}"
    expect(page.locator("article .bn-button")).to_have_text("Open in Colab")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_figures_have_words_size_and_an_opaque_ground(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/{name}.html")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    for image in page.locator("article .cell_output img").all():
        alt = image.get_attribute("alt") or ""
        assert len(alt.split()) > 3, f"the text alternative is {alt!r}"
        assert image.get_attribute("width"), f"no width: {alt}"
        ground = image.evaluate("e => getComputedStyle(e).backgroundColor")
        assert ground == "rgb(255, 255, 255)", f"the ground of {alt!r} is {ground} in dark"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_solutions_are_folded_and_open(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/{name}.html")
    solutions = page.locator("details:has(summary:has-text('Show the solution'))")
    for solution in solutions.all():
        expect(solution.locator("pre").first).not_to_be_visible()
        solution.locator("summary").click()
        expect(solution.locator("pre").first).to_be_visible()


def test_the_mathematics_font_is_the_sites_own(page: Page, site: str) -> None:
    page.goto(f"{site}/book/notation.html")
    page.evaluate("document.fonts.ready.then(() => true)")
    loaded = page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)"
    )
    assert any("Latin Modern Math" in family for family in loaded), f"loaded: {loaded}"


def test_the_map_links_every_chapter_that_exists(page: Page, site: str) -> None:
    page.goto(f"{site}/book/intro.html")
    links = page.locator("article a").evaluate_all("list => list.map(a => a.href)")
    for name in NOTEBOOKS:
        assert f"{site}/{name}.html" in links, f"the introduction's map does not lead to {name}"
