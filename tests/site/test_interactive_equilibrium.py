"""The decay dial, on a page of its own: really turned, and held to NumPy.

Its chapter need not be built: the page is made from the figure's own output.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.test_interactive_equilibrium import PRODUCTS, RATES, STEPS, example, page_html

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 740}}
GIVEN = example()
LENGTHS, ANGLES = (np.median(GIVEN[name], axis=-1) for name in ("lengths", "angles"))
STOP, RATE, AT = 1, 0, len(STEPS) - 1  # where the controls stand at first
DIAL, CLOCK = "\u03b7\u03bb, learning rate times decay", "Look after step"
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"></head>
<body style="font-family: sans-serif"><main><h1>A page</h1>{figure}</main></body></html>"""
READ = """root => {
    const readouts = {};
    for (const node of root.querySelectorAll("[data-readout]"))
        readouts[node.dataset.readout] = Number(node.dataset.value);
    const { stop, rate, at } = root.dataset;
    return { readouts, where: [stop, rate, at].map(Number) };
}"""
TICKS = """(root, axis) => [...root.querySelectorAll(`[data-tick=${axis}]`)].map(tick =>
    [Number(tick.getAttribute("y")) - 4, Number(tick.dataset.value)])"""
STEP_AXIS = """root => [...root.querySelectorAll(".bn-axis-group:first-of-type text")].map(tick =>
    [Number(tick.getAttribute("x")), Number(tick.textContent)])"""
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
        figure = page.locator("#bn-equilibrium[data-alive]")
        figure.wait_for()
        yield figure
    finally:
        context.close()
    assert [fault for fault in faults if not fault.startswith("data:")] == []


def check(figure, stop: int, rate: int, at: int) -> None:
    """The figure stands where it should, and shows what NumPy says it should."""
    shown = figure.evaluate(READ)
    assert shown["where"] == [stop, rate, at]
    angle, predicted = np.degrees([ANGLES[stop, rate, at], np.sqrt(2 * PRODUCTS[stop])])
    expected = {
        "decay": PRODUCTS[stop] / RATES[rate],
        "length": LENGTHS[stop, rate, at],
        "time": 1 / (4 * PRODUCTS[stop]),
        "angle": angle,
        "predicted": predicted,
        "ratio": angle / predicted,
    }
    assert shown["readouts"].keys() == expected.keys()
    for name, value in expected.items():
        assert shown["readouts"][name] == pytest.approx(value, rel=1e-6), name
    words = [node.inner_text() for node in figure.locator("output").all()]
    assert words == [f"{PRODUCTS[stop]:g}", str(STEPS[at])]


def scale(ticks, log=False):
    """From pixels to what an axis' numbers say."""
    pixels, values = np.transpose(ticks)
    values = np.log10(values) if log else values
    slope, start = np.polyfit(pixels, values, 1)
    np.testing.assert_allclose(start + slope * pixels, values, atol=1e-6 * np.ptp(values))
    return lambda x: 10 ** (start + slope * x) if log else start + slope * x


def outlines(figure, curve: str, axis: str) -> list[np.ndarray]:
    """The corners of the drawn curves of a kind, shape (T, 2) each, in pixels."""
    paths = figure.locator(f"[data-curve={curve}][data-axis={axis}]").all()
    corners = [re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path.get_attribute("d")) for path in paths]
    return [np.array(each, dtype=float) for each in corners]


def test_every_stop_shows_what_numpy_says(browser):
    """By keyboard alone: Tab reaches the controls, arrows turn them."""
    with living(browser) as figure:
        keys = figure.page.keyboard
        check(figure, STOP, RATE, AT)
        keys.press("Tab")
        keys.press("Home")
        for stop in range(len(PRODUCTS)):
            check(figure, stop, RATE, AT)
            keys.press("ArrowRight")
        stop = len(PRODUCTS) - 1  # there is nothing beyond
        check(figure, stop, RATE, AT)
        keys.press("Tab")
        keys.press("Home")
        for at in range(len(STEPS)):
            check(figure, stop, RATE, at)
            keys.press("ArrowRight")
        keys.press("Tab")
        keys.press("ArrowRight")
        check(figure, stop, 1, AT)


@pytest.mark.parametrize("size", SIZES)
def test_the_mouse_moves_the_step_on_the_chart(browser, size):
    with living(browser, size) as figure:
        chart = figure.locator("[data-chart]")
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        mouse = figure.page.mouse
        for at in (4, 2):
            mouse.click(box["x"] + box["width"] * STEPS[at] / STEPS[-1] - 0.4, box["y"] + 30)
            check(figure, STOP, RATE, at)
        mouse.move(box["x"] + box["width"] - 4, box["y"] + 60)
        mouse.down()
        mouse.move(box["x"] - 500, box["y"] + 60, steps=6)
        check(figure, STOP, RATE, 0)
        mouse.up()
        mouse.move(box["x"] + box["width"], box["y"] + 60)  # let go of
        check(figure, STOP, RATE, 0)


def test_a_finger_moves_the_step(browser):
    with living(browser, "phone", has_touch=True) as figure:
        chart = figure.locator("[data-chart]")
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        x = box["x"] + box["width"] * STEPS[4] / STEPS[-1]
        figure.page.touchscreen.tap(x, box["y"] + 300)
        check(figure, STOP, RATE, 4)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_drawn_lies_where_the_numbers_say(browser, size):
    with living(browser, size) as figure:
        for stop in range(len(PRODUCTS)):
            figure.get_by_role("slider", name=DIAL).fill(str(stop))
            for rate in range(len(RATES)):
                figure.get_by_role("radio").nth(rate).check()
                step = scale(figure.evaluate(STEP_AXIS))
                for axis, table in (("length", LENGTHS), ("angle", np.degrees(ANGLES))):
                    value = scale(figure.evaluate(TICKS, axis), log=True)
                    (chosen,), (same,) = (outlines(figure, c, axis) for c in (axis, "same"))
                    for corners, j in ((chosen, rate), (same, 1 - rate)):
                        np.testing.assert_allclose(step(corners[:, 0]), STEPS, atol=0.5)
                        found = value(corners[:, 1])
                        np.testing.assert_allclose(found, table[stop, j], rtol=2e-3)
                    assert len(outlines(figure, "other", axis)) == 4
                line = figure.locator("[data-predicted]").get_attribute("d")
                height = float(re.match(r"M40 ([\d.]+)H", line)[1])
                wanted = np.degrees(np.sqrt(2 * PRODUCTS[stop]))
                assert value(height) == pytest.approx(wanted, rel=1e-3)


def test_words_tell_what_is_seen(browser):
    with living(browser) as figure:
        said = figure.locator("[role=status]")
        ratio = ANGLES[STOP, RATE, AT] / np.sqrt(2 * PRODUCTS[STOP])
        assert f"{ratio:.2f} of \u221a(2\u03b7\u03bb). In equilibrium" in said.inner_text()
        figure.get_by_role("slider", name=DIAL).fill("0")
        figure.get_by_role("slider", name=CLOCK).fill("0")
        said.get_by_text("\u03b7 = 0.4 and \u03bb = 0.005, after step 10").wait_for()
        assert "Not in equilibrium: the weights are far longer" in said.inner_text()


def test_every_control_has_a_name_and_shows_its_focus(browser):
    with living(browser) as figure:
        figure.get_by_role("slider", name=DIAL).focus()
        outline = "(style => style.outlineStyle + style.outlineWidth)"
        outline += "(getComputedStyle(document.activeElement))"
        for value in ("0.008", "400"):
            assert figure.page.evaluate(outline) == "solid3px"
            said = figure.page.evaluate("document.activeElement.getAttribute('aria-valuetext')")
            assert said == value
            figure.page.keyboard.press("Tab")
        assert figure.get_by_role("radio", name="0.4").is_checked()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser, size, theme):
    with living(browser, size, theme) as figure:
        rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"], "preload": False}
        found = Axe().run(figure.page, context="#bn-equilibrium", options=rules)
        assert [violation["id"] for violation in found.response["violations"]] == []
        assert len(found.response["passes"]) > 8
        for stop in ("0", "2"):
            figure.get_by_role("slider", name=DIAL).fill(stop)
            assert figure.evaluate(STICKING_OUT) == []
            assert figure.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        card = figure.evaluate("root => getComputedStyle(root).backgroundColor")
        assert card == {"light": "rgb(255, 255, 255)", "dark": "rgb(27, 31, 36)"}[theme]
