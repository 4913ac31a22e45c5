"""The map of which nets train, on a page of its own: really moved, and held to the record.

Its chapter need not be built: the page is made from the figure's own output.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.test_interactive_trainability import as_recorded, page_html

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 740}}
GIVEN = as_recorded()
PERCENT = 100 * GIVEN["accuracy"]
MEDIAN = np.median(PERCENT, axis=-1)
PAIRS, _, DEPTHS, RATES = MEDIAN.shape
START = GIVEN["start"]
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"></head>
<body style="font-family: sans-serif"><main><h1>A page</h1>{figure}</main></body></html>"""
READ = """root => {
    const readouts = {};
    for (const node of root.querySelectorAll("[data-readout]"))
        readouts[node.dataset.readout] = Number(node.dataset.value);
    const cells = [...root.querySelectorAll("g[data-norm]")].map(({dataset: d, textContent}) =>
        [...[d.norm, d.depth, d.rate, d.value].map(Number), textContent]);
    const { pair, depth, rate } = root.dataset;
    return { readouts, cells, at: [pair, depth, rate].map(Number) };
}"""
STICKING_OUT = """root => { const box = root.getBoundingClientRect();
    return [...root.querySelectorAll("*")].filter(node => node.getClientRects().length)
        .map(node => [node.tagName, node.textContent, node.getBoundingClientRect()])
        .filter(([, , r]) => r.left < box.left - 1 || r.right > box.right + 1)
        .map(([tag, text]) => `${tag} ${text}`.slice(0, 60)); }"""


@contextmanager
def living(browser, size="desktop", theme="light", **settings) -> Iterator:
    """The figure, alive on a page of its own; a script error or any request fails the test."""
    faults = []
    settings = {"viewport": SIZES[size], "reduced_motion": "reduce", **settings}
    context = browser.new_context(**settings)
    try:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: faults.append(request.url))
        page.set_content(PAGE.format(theme=theme, figure=page_html()))
        figure = page.locator("#bn-trainability[data-alive]")
        figure.wait_for()
        yield figure
    finally:
        context.close()
    assert [fault for fault in faults if not fault.startswith("data:")] == []


def check(figure, pair: int, depth: int, rate: int) -> None:
    """The figure stands where it should, and shows what the record says."""
    shown = figure.evaluate(READ)
    assert shown["at"] == [pair, depth, rate]
    here = MEDIAN[pair, :, depth]
    expected = {
        "without": here[0, rate],
        "with": here[1, rate],
        "best-without": here[0].max(),
        "best-with": here[1].max(),
    }
    assert shown["readouts"] == pytest.approx(expected, rel=1e-5)
    assert len(shown["cells"]) == 2 * DEPTHS * RATES
    for norm, row, column, value, text in shown["cells"]:
        assert value == pytest.approx(MEDIAN[pair, norm, row, column], rel=1e-5)
        assert abs(float(text) - value) < 0.51
    words = [node.inner_text() for node in figure.locator("output").all()]
    assert words == [f"{GIVEN['rates'][rate]:g}", str(GIVEN["depths"][depth])]
    # The frame stands around the chosen cell, on both maps.
    for norm in (0, 1):
        cell = figure.locator(cell_at(norm, depth, rate)).bounding_box()
        frame = figure.locator(f"[data-chosen='{norm}']").bounding_box()
        for low, high, length in (("x", "width", "width"), ("y", "height", "height")):
            middle = cell[low] + cell[high] / 2
            assert middle == pytest.approx(frame[low] + frame[length] / 2, abs=2)


def cell_at(norm: int, depth: int, rate: int) -> str:
    return f"g[data-norm='{norm}'][data-depth='{depth}'][data-rate='{rate}'] rect"


def centre(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_every_cell_is_reached_by_keyboard_alone(browser):
    """Tab reaches the controls, arrows turn them."""
    with living(browser) as figure:
        pair, depth, rate = START
        keys = figure.page.keyboard
        check(figure, *START)
        keys.press("Tab")
        assert figure.page.evaluate("document.activeElement.tagName") == "SELECT"
        keys.press("Tab")
        keys.press("Home")
        for at in range(RATES):
            check(figure, pair, depth, at)
            keys.press("ArrowRight")
        check(figure, pair, depth, RATES - 1)  # there is nothing beyond
        keys.press("Tab")
        keys.press("Home")
        for at in range(DEPTHS):
            check(figure, pair, at, RATES - 1)
            keys.press("ArrowRight")
        keys.press("Shift+Tab")
        keys.press("ArrowLeft")
        check(figure, pair, DEPTHS - 1, RATES - 2)


def test_every_net_shows_its_own_maps(browser):
    with living(browser) as figure:
        nets = figure.get_by_role("combobox", name="Activation and initialization")
        for pair in range(PAIRS):
            nets.select_option(", ".join(GIVEN["pairs"][pair]))
            check(figure, pair, *START[1:])


@pytest.mark.parametrize("size", SIZES)
def test_the_mouse_chooses_a_cell_and_drags(browser, size):
    with living(browser, size) as figure:
        pair = START[0]
        figure.locator(cell_at(1, 0, 0)).scroll_into_view_if_needed()
        mouse = figure.page.mouse
        for norm, depth, rate in [(0, 0, 0), (1, DEPTHS - 1, RATES - 1), (1, 1, 3), (0, 2, 5)]:
            mouse.click(*centre(figure.locator(cell_at(norm, depth, rate))))
            check(figure, pair, depth, rate)
        x, y = centre(figure.locator(cell_at(1, 1, 4)))
        mouse.move(x, y)
        mouse.down()
        check(figure, pair, 1, 4)
        mouse.move(x + 2000, y, steps=3)
        check(figure, pair, 1, RATES - 1)
        mouse.move(x - 2000, y + 2000, steps=3)
        mouse.up()
        check(figure, pair, DEPTHS - 1, 0)
        mouse.move(x, y)  # let go of
        check(figure, pair, DEPTHS - 1, 0)


def test_a_finger_chooses_a_cell(browser):
    with living(browser, "phone", has_touch=True) as figure:
        cell = figure.locator(cell_at(1, 1, 2))
        cell.scroll_into_view_if_needed()
        figure.page.touchscreen.tap(*centre(cell))
        check(figure, START[0], 1, 2)


def test_the_better_a_net_the_deeper_its_blue(browser):
    with living(browser) as figure:
        opacity = "all => all.map(rect => Number(rect.getAttribute('fill-opacity')))"
        drawn = figure.locator("g[data-norm] rect").evaluate_all(opacity)
        values = np.array([cell[3] for cell in figure.evaluate(READ)["cells"]])
        np.testing.assert_allclose(drawn, 0.04 + 0.0076 * values, atol=1e-4)
        strong = figure.locator("g[data-norm] text.bn-strong").count()
        assert strong == (values >= 50).sum()


def test_words_tell_what_is_seen(browser):
    with living(browser) as figure:
        said = figure.locator("[role=status]")
        figure.get_by_role("slider", name="Hidden layers").fill(str(DEPTHS - 1))
        figure.get_by_role("slider", name="Learning rate").fill("5")
        rate = f"{GIVEN['rates'][5]:g}"
        said.get_by_text(f"{GIVEN['depths'][-1]} hidden layers, learning rate {rate}:").wait_for()
        words = said.inner_text().replace("\u00a0", " ")
        for norm, name in enumerate(GIVEN["norms"]):
            cell = PERCENT[START[0], norm, -1, 5]
            low, high = f"{cell.min():.1f}", f"{cell.max():.1f}"
            assert f"{name} {np.median(cell):.1f} % ({low} to {high} over" in words
            count = (MEDIAN[START[0], norm, -1] >= 50).sum() or "none"
            assert f"{name} {count}" in words.partition("half of the digits right:")[2]


def test_every_control_has_a_name_and_shows_its_focus(browser):
    with living(browser) as figure:
        figure.get_by_role("combobox", name="Activation and initialization").focus()
        outline = "(style => style.outlineStyle + style.outlineWidth)"
        outline += "(getComputedStyle(document.activeElement))"
        figure.page.keyboard.press("Tab")
        for value in (f"{GIVEN['rates'][START[2]]:g}", str(GIVEN["depths"][START[1]])):
            assert figure.page.evaluate(outline) == "solid3px"
            said = figure.page.evaluate("document.activeElement.getAttribute('aria-valuetext')")
            assert said == value
            figure.page.keyboard.press("Tab")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser, size, theme):
    with living(browser, size, theme) as figure:
        rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"], "preload": False}
        figure.get_by_role("slider").last.fill("0")
        found = Axe().run(figure.page, context="#bn-trainability", options=rules)
        assert [violation["id"] for violation in found.response["violations"]] == []
        assert len(found.response["passes"]) > 8
        assert figure.evaluate(STICKING_OUT) == []
        assert figure.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        card = figure.evaluate("root => getComputedStyle(root).backgroundColor")
        assert card == {"light": "rgb(255, 255, 255)", "dark": "rgb(27, 31, 36)"}[theme]
