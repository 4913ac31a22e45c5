"""The decay dial, on a page of its own: really turned, and held to NumPy.

Its chapter need not be built: the page is made from the figure's own output.
"""

from functools import partial

import living_figures
import numpy as np
import pytest
from living_figures import (
    SIZES,
    across,
    corners,
    focused,
    in_view,
    is_sound,
    outputs,
    state,
    upright,
)

from tests.test_interactive_equilibrium import FIGURE, PRODUCTS, RATES, STEPS

GIVEN = FIGURE.example
LENGTHS, ANGLES = (np.median(GIVEN[name], axis=-1) for name in ("lengths", "angles"))
STOP, RATE, AT = 1, 0, len(STEPS) - 1  # where the controls stand at first
DIAL, CLOCK = "\u03b7\u03bb, learning rate times decay", "Look after step"
living = partial(living_figures.living, FIGURE)


def check(figure, stop: int, rate: int, at: int) -> None:
    """The figure stands where it should, and shows what NumPy says it should."""
    shown = state(figure)
    assert (shown["stop"], shown["rate"], shown["at"]) == (stop, rate, at)
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
    assert outputs(figure) == [f"{PRODUCTS[stop]:g}", str(STEPS[at])]


def curves(figure, curve: str, axis: str) -> list[np.ndarray]:
    """The corners of the drawn curves of a kind."""
    return [
        corners(path) for path in figure.locator(f"[data-curve={curve}][data-axis={axis}]").all()
    ]


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
        box = in_view(figure.locator("[data-chart]"))
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
        box = in_view(figure.locator("[data-chart]"))
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
                step = across(figure)[0]
                for axis, table in (("length", LENGTHS), ("angle", np.degrees(ANGLES))):
                    value = upright(figure, axis, log=True)
                    (chosen,), (same,) = (curves(figure, c, axis) for c in (axis, "same"))
                    for drawn, j in ((chosen, rate), (same, 1 - rate)):
                        np.testing.assert_allclose(step(drawn[:, 0]), STEPS, atol=0.5)
                        found = value(drawn[:, 1])
                        np.testing.assert_allclose(found, table[stop, j], rtol=2e-3)
                    assert len(curves(figure, "other", axis)) == 4
                height = corners(figure.locator("[data-predicted]"))[0, 1]
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


def test_an_angle_that_fits_before_its_time_is_not_said_to_be_in_equilibrium(browser):
    with living(browser) as figure:
        early = STEPS.index(200)
        figure.get_by_role("slider", name=CLOCK).fill(str(early))
        ratio = ANGLES[STOP, RATE, early] / np.sqrt(2 * PRODUCTS[STOP])
        assert 0.9 < ratio < 1.1  # so that the ratio alone would let it pass
        gone = 4 * PRODUCTS[STOP] * STEPS[early]
        said = f"Close, but not settled: after {gone:.1f} of a dozen time constants"
        figure.locator("[role=status]").get_by_text(said).wait_for()


def test_every_control_has_a_name_and_shows_its_focus(browser):
    with living(browser) as figure:
        figure.get_by_role("slider", name=DIAL).focus()
        for value in ("0.008", "400"):
            control = focused(figure.page)
            assert (control["outline"], control["says"]) == ("solid3px", value)
            figure.page.keyboard.press("Tab")
        assert figure.get_by_role("radio", name="0.4").is_checked()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser, size, theme):
    with living(browser, size, theme) as figure:
        for stop in ("1", "0", "2"):
            figure.get_by_role("slider", name=DIAL).fill(stop)
            is_sound(figure, theme)
