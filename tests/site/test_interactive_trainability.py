"""The map of which nets train, on a page of its own: really moved, and held to the record.

Its chapter need not be built: the page is made from the figure's own output.
"""

from functools import partial

import living_figures
import numpy as np
import pytest
from living_figures import SIZES, centre, focused, in_view, is_sound, outputs, state

from bnutils.experiments.trainability import recorded_map
from tests.test_interactive_trainability import FIGURE

FOUND = recorded_map()
GIVEN = {name: getattr(FOUND, name) for name in ("pairs", "norms", "depths", "rates", "accuracy")}
GIVEN["start"] = (FOUND.pairs.index(("sigmoid", "Xavier")), 2, 6)  # as the chapter has it
PERCENT = 100 * GIVEN["accuracy"]
MEDIAN = np.median(PERCENT, axis=-1)
PAIRS, _, DEPTHS, RATES = MEDIAN.shape
START = GIVEN["start"]
living = partial(living_figures.living, FIGURE, change=GIVEN)
CELLS = """cells => cells.map(({dataset: d, textContent}) =>
    [...[d.norm, d.depth, d.rate, d.value].map(Number), textContent])"""


def cells(figure) -> list:
    """Norm, depth, rate, value and text of every cell that is drawn."""
    return figure.locator("g[data-norm]").evaluate_all(CELLS)


def check(figure, pair: int, depth: int, rate: int) -> None:
    """The figure stands where it should, and shows what the record says."""
    shown = state(figure)
    assert (shown["pair"], shown["depth"], shown["rate"]) == (pair, depth, rate)
    here = MEDIAN[pair, :, depth]
    expected = {
        "without": here[0, rate],
        "with": here[1, rate],
        "best-without": here[0].max(),
        "best-with": here[1].max(),
    }
    assert shown["readouts"] == pytest.approx(expected, rel=1e-5)
    shown_cells = cells(figure)
    assert len(shown_cells) == 2 * DEPTHS * RATES
    for norm, row, column, value, text in shown_cells:
        assert value == pytest.approx(MEDIAN[pair, norm, row, column], rel=1e-5)
        assert abs(float(text) - value) < 0.51
    assert outputs(figure) == [f"{GIVEN['rates'][rate]:g}", str(GIVEN["depths"][depth])]
    # The frame stands around the chosen cell, on both maps.
    for norm in (0, 1):
        cell = figure.locator(cell_at(norm, depth, rate)).bounding_box()
        frame = figure.locator(f"[data-chosen='{norm}']").bounding_box()
        for low, high, length in (("x", "width", "width"), ("y", "height", "height")):
            middle = cell[low] + cell[high] / 2
            assert middle == pytest.approx(frame[low] + frame[length] / 2, abs=2)


def cell_at(norm: int, depth: int, rate: int) -> str:
    return f"g[data-norm='{norm}'][data-depth='{depth}'][data-rate='{rate}'] rect"


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
        in_view(figure.locator(cell_at(1, 0, 0)))
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
        in_view(cell)
        figure.page.touchscreen.tap(*centre(cell))
        check(figure, START[0], 1, 2)


def test_the_better_a_net_the_deeper_its_blue(browser):
    with living(browser) as figure:
        opacity = "all => all.map(rect => Number(rect.getAttribute('fill-opacity')))"
        drawn = figure.locator("g[data-norm] rect").evaluate_all(opacity)
        values = np.array([cell[3] for cell in cells(figure)])
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
        figure.page.keyboard.press("Tab")
        for value in (f"{GIVEN['rates'][START[2]]:g}", str(GIVEN["depths"][START[1]])):
            control = focused(figure.page)
            assert (control["outline"], control["says"]) == ("solid3px", value)
            figure.page.keyboard.press("Tab")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser, size, theme):
    with living(browser, size, theme) as figure:
        figure.get_by_role("slider").last.fill("0")
        is_sound(figure, theme)
