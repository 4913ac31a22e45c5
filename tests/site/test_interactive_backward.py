"""The figure of the backward pass, on a page of its own: really moved, and held to NumPy's walk.

Its chapter need not be built: the page is made from the figure's own output.
"""

from functools import partial

import living_figures
import numpy as np
import pytest
from living_figures import SIZES, centre, drag, focused, is_sound, state, swipe

from bnutils.interactive.backward import NODES, STEPS, walk
from tests.test_interactive_backward import FIGURE, GIVEN

READ = """root => {
    const of = key => {
        const found = {};
        for (const cell of root.querySelectorAll("[data-node]")) {
            if (cell.dataset[key] === undefined) continue;
            (found[cell.dataset.node] ??= [])[cell.dataset.index] = Number(cell.dataset[key]);
        }
        return found;
    };
    return {
        values: of("at"), gradients: of("gradient"),
        edges: [...new Set([...root.querySelectorAll("[data-edge]")].map(e => e.dataset.edge))],
    };
}"""
CLASHES = """root => { const cells = [...root.querySelectorAll("[data-node] rect")];
    const boxes = cells.map(cell => cell.getBoundingClientRect());
    const over = boxes.some((a, i) => boxes.some((b, j) => i < j && a.left < b.right
        && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
    const wide = [...root.querySelectorAll("[data-node] text[style]")].filter(text =>
        text.getBBox().width > text.parentNode.querySelector("rect").getBBox().width);
    return [over, wide.map(text => text.textContent)]; }"""
living = partial(living_figures.living, FIGURE)


def check(figure, step: int, x=GIVEN["x"], dy=GIVEN["dy"], eps=1.0) -> dict:
    """The figure stands where it should, and every cell shows what NumPy says it should."""
    shown = figure.evaluate(READ) | state(figure)
    assert (shown["step"], shown["eps"]) == (step, eps)
    values, gradients = walk(x, dy, GIVEN["gamma"], GIVEN["beta"], eps, step)
    for kind, expected in (("values", values), ("gradients", gradients)):
        expected = {node: numbers for node, numbers in expected.items() if node in NODES}
        assert shown[kind].keys() == expected.keys(), kind
        for node, numbers in expected.items():
            close = {"rtol": 1e-9, "atol": 1e-9, "err_msg": f"{kind} of {node}"}
            np.testing.assert_allclose(shown[kind][node], numbers, **close)
    x_hat = walk(x, dy, GIVEN["gamma"], GIVEN["beta"], eps)[0]["xhat"]
    dx = gradients.get("x", np.zeros(len(x)))
    readouts = {
        "sum": dx.sum(),
        "along": dx @ x_hat,
        "gamma": gradients.get("gamma", [0])[0],
        "beta": gradients.get("beta", [0])[0],
    }
    assert shown["readouts"] == pytest.approx(readouts, rel=1e-6, abs=1e-9)
    return shown


def cell(figure, node: str, index: int):
    return figure.locator(f"[data-node={node}][data-index='{index}'] rect")


def test_every_step_forth_and_back_shows_what_numpy_says(browser):
    """By keyboard alone: Tab reaches the buttons and the slider, Enter and arrows turn them."""
    with living(browser) as figure:
        page = figure.page
        check(figure, 0)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Next"
        for step in range(1, STEPS + 1):
            page.keyboard.press("Enter")
            check(figure, step)
        page.keyboard.press("Enter")  # there is nothing beyond
        check(figure, STEPS)
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        check(figure, STEPS - 1)
        for _ in range(3):
            page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.type") == "range"
        page.keyboard.press("ArrowLeft")
        check(figure, STEPS - 2)
        page.keyboard.press("Home")
        check(figure, 0)
        figure.get_by_role("button", name="All the way").click()
        check(figure, STEPS)


def test_arrows_go_where_the_numbers_go(browser):
    with living(browser) as figure:
        step = figure.get_by_role("slider", name="Step")
        for at, edges in [
            (0, []),
            (1, ["x-mu"]),
            (2, ["mu-c", "x-c"]),
            (8, ["c-xhat", "r-xhat"]),
            (11, ["g-y"]),
            (13, ["c-xhat", "r-xhat"]),
            (20, ["x-mu"]),
        ]:
            step.fill(str(at))
            assert sorted(check(figure, at)["edges"]) == edges
        # The last arrows point up, at x: their tips lie higher than where they come from.
        start, end = figure.locator("[data-edge]").first.evaluate(
            "path => [path.getPointAtLength(0).y, path.getPointAtLength(path.getTotalLength()).y]"
        )
        assert end < start


def test_only_the_last_arrow_makes_the_sum_zero(browser):
    with living(browser) as figure:
        figure.get_by_role("slider", name="Step").fill("19")
        assert check(figure, 19)["readouts"]["sum"] == 15
        assert figure.locator("[data-node=x]", has_text="\u2026").count() == len(GIVEN["x"])
        figure.get_by_role("button", name="Next").click()
        assert check(figure, 20)["readouts"]["sum"] == 0
        assert figure.locator("[data-node=x]", has_text="\u2026").count() == 0


@pytest.mark.parametrize("hand", ["mouse", "touch", "keys"])
@pytest.mark.parametrize("size", SIZES)
def test_dragging_an_x_or_a_dy_moves_everything_but_the_sum(browser, size, hand):
    with living(browser, size, has_touch=True) as figure:
        page = figure.page
        figure.get_by_role("button", name="All the way").click()
        x, dy = list(GIVEN["x"]), list(GIVEN["dy"])
        for node, numbers, index, far in [("x", x, 3, 30), ("y", dy, 0, -24), ("y", dy, 4, 36)]:
            before = list(numbers)
            name = "Its x" if node == "x" else "Its dy"
            slider = figure.get_by_role("slider", name=name, exact=True)
            figure.locator("svg[role=img]").scroll_into_view_if_needed()
            px, py = centre(cell(figure, node, index))
            if hand == "mouse":
                drag(page, (px, py), (px + far, py + 3))
                page.mouse.move(px + 3 * far, py)  # let go of
            elif hand == "touch":
                swipe(page, (px, py), (px + far, py))
            else:
                figure.get_by_label("Example").select_option(index=index)
                slider.focus()
                for _ in range(abs(far) // 3):
                    page.keyboard.press("ArrowRight" if far > 0 else "ArrowLeft")
            step = float(slider.get_attribute("step"))
            numbers[index] += far / 3 * step  # three pixels a step
            assert numbers[index] != before[index]
            assert figure.locator("select").input_value() == str(index)
            assert float(slider.input_value()) == pytest.approx(numbers[index])
            shown = check(figure, STEPS, x, dy)
            assert shown["readouts"]["sum"] == 0
        figure.get_by_role("button", name="Start again").click()
        check(figure, 0)


def test_nothing_reaches_x_where_dy_is_constant_or_follows_x(browser):
    with living(browser) as figure:
        figure.get_by_role("button", name="All the way").click()
        x = np.array(GIVEN["x"])
        figure.get_by_role("button", name="Make all dy equal").click()
        shown = check(figure, STEPS, dy=np.full(5, -5.0))
        assert not np.any(np.round(shown["gradients"]["x"], 9))
        figure.locator("[role=status]", has_text="Practically nothing arrives").wait_for()

        figure.get_by_role("button", name="Let dy follow x").click()
        shown = check(figure, STEPS, dy=x - x.mean())
        # With eps = 1 a ninth of it remains, with torch's next to nothing.
        np.testing.assert_allclose(shown["gradients"]["x"], (x - x.mean()) / 9)
        figure.locator("[role=status]", has_text="which add up to 0").wait_for()
        figure.get_by_label("0.00001").check()
        shown = check(figure, STEPS, dy=x - x.mean(), eps=1e-5)
        assert np.abs(shown["gradients"]["x"]).max() < 1e-4
        figure.locator("[role=status]", has_text="Practically nothing arrives").wait_for()


def test_equal_x_are_no_accident(browser):
    """All x alike: the variance is 0, and eps keeps every number finite."""
    with living(browser) as figure:
        figure.get_by_role("button", name="All the way").click()
        for index in range(5):
            figure.get_by_label("Example").select_option(index=index)
            figure.get_by_role("slider", name="Its x", exact=True).fill("5")
        check(figure, STEPS, x=[5.0] * 5)
        figure.get_by_label("0.00001").check()
        check(figure, STEPS, x=[5.0] * 5, eps=1e-5)


def test_words_tell_what_is_seen(browser):
    with living(browser) as figure:
        said = figure.locator("[role=status]")
        assert "Nothing is computed yet" in said.inner_text()
        slider = figure.get_by_role("slider", name="Step")
        for step, words in [
            (2, "Step 2 of 20, forward: c = x \u2212 \u03bc: \u22124, 2, 0, 4, \u22122."),
            (7, "forward: r = 1 / s: 0.33."),
            (18, "back through q = c\u00b2: each c gets 2c times its q\u2019s gradient on top."),
            (20, "At x: 0, \u22122, \u22123, 4, 1, which add up to 0."),
        ]:
            slider.fill(str(step))
            figure.locator("[role=status]", has_text=words).wait_for()
            assert slider.get_attribute("aria-valuetext") == f"{step} of 20"


def test_every_control_has_a_name_and_shows_its_focus(browser):
    with living(browser) as figure:
        page = figure.page
        seen = []
        for _ in range(11):
            page.keyboard.press("Tab")
            seen.append(focused(page))
        assert {control["outline"] for control in seen} == {"solid3px"}
        names = [control["name"].partition("example 1")[0] for control in seen]
        assert names == [
            *("Back", "Next", "All the way", "Step", "Example", "Its x", "Its dy", "1"),
            *("Make all dy equal", "Let dy follow x", "Start again"),
        ]


@pytest.mark.parametrize("m", [2, 5, 6])
@pytest.mark.parametrize(("size", "theme"), [("desktop", "light"), ("phone", "dark")])
def test_axe_finds_nothing_and_nothing_sticks_out(browser, size, theme, m):
    change = {"x": np.arange(m) * -1.25, "dy": np.arange(m) * 7.0}
    with living(browser, size, theme, change) as figure:
        figure.get_by_role("button", name="All the way").click()
        is_sound(figure, theme)
        # No cell lies on another, no number is wider than its cell.
        assert figure.evaluate(CLASHES) == [False, []]
