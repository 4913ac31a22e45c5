"""What the tests of interactive figures share in a browser: a page, hands, and eyes.

A figure's chapter need not be built: its page is made from the `FIGURE` of its unit tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page
from site_helpers import lay_out_all

from tests.figures import Figure

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 740}}
CARDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(27, 31, 36)"}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"], "preload": False}
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"></head>
<body style="font-family: sans-serif"><main><h1>A page</h1>{figure}</main></body></html>"""

STATE = """root => {
    const plain = text => text.trim() === "" || isNaN(text) ? text : Number(text);
    const readouts = {};
    for (const node of root.querySelectorAll("[data-readout]"))
        readouts[node.dataset.readout] = Number(node.dataset.value);
    const own = Object.entries(root.dataset).map(([key, text]) => [key, plain(text)]);
    return { ...Object.fromEntries(own), readouts };
}"""
FOCUSED = """() => {
    const node = document.activeElement, style = getComputedStyle(node);
    return {
        name: (node.labels?.[0] ?? node).textContent.trim(),
        outline: style.outlineStyle + style.outlineWidth,
        says: node.getAttribute("aria-valuetext"),
    };
}"""
STICKING_OUT = """root => { const box = root.getBoundingClientRect();
    return [...root.querySelectorAll("*")].filter(node => node.getClientRects().length)
        .map(node => [node.tagName, node.textContent, node.getBoundingClientRect()])
        .filter(([, , r]) => r.left < box.left - 1 || r.right > box.right + 1)
        .map(([tag, text]) => `${tag} ${text}`.slice(0, 60)); }"""
# Where an axis' numbers stand, and what they say: of each horizontal axis, and of upright ones.
ACROSS = """root => [...root.querySelectorAll(".bn-axis-group")].map(axis =>
    [...axis.querySelectorAll("text")].map(tick =>
        [Number(tick.getAttribute("x")), Number(tick.textContent.replace("\u2212", "-"))]))"""
UPRIGHT = """ticks => ticks.map(tick =>
    [Number(tick.getAttribute("y")) - 4, Number(tick.dataset.value ?? tick.textContent)])"""


# Pages


@contextmanager
def opened(browser: Browser, address: str = "about:blank", **settings) -> Iterator[Page]:
    """A page in a context of its own; any script error fails the test."""
    faults = []
    context = browser.new_context(**{"viewport": SIZES["desktop"], **settings})
    try:
        page = context.new_page()
        lay_out_all(page)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.goto(address)
        yield page
    finally:
        context.close()
    assert faults == []


@contextmanager
def living(
    given: Figure,
    browser: Browser,
    size: str = "desktop",
    theme: str = "light",
    change: dict | None = None,
    **settings,
) -> Iterator[Locator]:
    """The figure, alive on a page of its own; a script error or any request fails the test.

    ``change`` replaces arguments of its example, ``settings`` those of the browser's context.
    """
    requests = []
    settings = {"viewport": SIZES[size], "reduced_motion": "reduce", **settings}
    with opened(browser, **settings) as page:
        page.on("request", lambda request: requests.append(request.url))
        page.set_content(PAGE.format(theme=theme, figure=given.html(**change or {})))
        figure = page.locator(f"#bn-{given.name}[data-alive]")
        figure.wait_for()
        yield figure
    assert [url for url in requests if not url.startswith("data:")] == []


# Hands


def centre(locator: Locator) -> tuple[float, float]:
    """The middle of what is drawn, on the screen."""
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], *path: tuple[float, float]) -> None:
    """Take hold with the mouse, go along the path and let go."""
    page.mouse.move(*start)
    page.mouse.down()
    for point in path:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """The same with a finger."""
    finger = page.context.new_cdp_session(page)
    moves = [("touchMove", point) for point in np.linspace(start, end, 7)[1:].tolist()]
    for kind, point in [("touchStart", start), *moves, ("touchEnd", None)]:
        points = [] if point is None else [{"x": point[0], "y": point[1]}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def in_view(locator: Locator) -> dict[str, float]:
    """Scroll there; returns its box on the screen."""
    locator.scroll_into_view_if_needed()
    return locator.bounding_box()


# Eyes


def state(figure: Locator) -> dict:
    """What the figure says of itself: its `data-` attributes, and its readouts by name."""
    return figure.evaluate(STATE)


def outputs(figure: Locator) -> list[str]:
    """What stands beside its sliders."""
    return [node.inner_text() for node in figure.locator("output").all()]


def focused(page: Page) -> dict:
    """The control that has the focus: its name, its outline, and its value as it is read out."""
    return page.evaluate(FOCUSED)


def corners(path: Locator) -> np.ndarray:
    """Of a drawn path, shape (n, 2), in pixels."""
    x = y = 0.0
    found = []
    for letter, numbers in re.findall(r"([MLHV])([^MLHVZ]*)", path.get_attribute("d")):
        values = [float(number) for number in numbers.split()]
        x, y = {"H": (values[0], y), "V": (x, values[0])}.get(letter, tuple(values))
        found.append((x, y))
    return np.array(found)


Scale = Callable[[np.ndarray], np.ndarray]


def scale(ticks: list[list[float]], *, log: bool = False) -> Scale:
    """From pixels to what an axis' numbers say."""
    pixels, values = np.transpose(ticks)
    values = np.log10(values) if log else values
    slope, start = np.polyfit(pixels, values, 1)
    np.testing.assert_allclose(start + slope * pixels, values, atol=1e-6 * np.ptp(values))
    return lambda x: 10 ** (start + slope * x) if log else start + slope * x


def across(figure: Locator) -> list[Scale]:
    """The scales of its horizontal axes, from the upper left on."""
    return [scale(ticks) for ticks in figure.evaluate(ACROSS)]


def upright(figure: Locator, name: str | None = None, *, log: bool = False) -> Scale:
    """The scale of its vertical axis, or of the one of that name."""
    ticks = figure.locator(f"[data-tick={name}]" if name else "[data-tick]")
    return scale(ticks.evaluate_all(UPRIGHT), log=log)


def card(figure: Locator) -> str:
    """The colour it lies on."""
    return figure.evaluate("root => getComputedStyle(root).backgroundColor")


def fits(figure: Locator) -> None:
    """Nothing sticks out of the figure, nor makes the page scroll sideways."""
    assert figure.evaluate(STICKING_OUT) == []
    assert figure.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def is_sound(figure: Locator, theme: str) -> None:
    """As it stands, axe finds nothing wrong, it fits, and its card has the theme's colour."""
    name = figure.get_attribute("id")
    found = Axe().run(figure.page, context=f"#{name}", options=RULES)
    assert [violation["id"] for violation in found.response["violations"]] == []
    assert len(found.response["passes"]) > 10, "axe had little to look at"
    fits(figure)
    assert card(figure) == CARDS[theme]
