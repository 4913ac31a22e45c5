"""The batch-size dial, on a page of its own: really turned, and held to NumPy.

Its chapter need not be built: the page is made from the figure's own output.
"""

from functools import partial

import living_figures
import numpy as np
import pytest
from living_figures import (
    SIZES,
    across,
    centre,
    corners,
    focused,
    in_view,
    is_sound,
    outputs,
    scale,
    state,
    upright,
)

from bnutils.interactive.batch_size import drawn, statistics
from tests.test_interactive_batch_size import FIGURE

GIVEN = FIGURE.example
UNITS = list(GIVEN["units"])
M = GIVEN["sizes"]
START = M.index(GIVEN["start"])
DIAL, UNIT, OTHERS = "Batch size m", "Unit", "Draw other batches"
living = partial(living_figures.living, FIGURE)
POINTS = """all => all.map(({ dataset: d }) => [Number(d.mean), Number(d.sd)])"""
PLACES = """all => all.map(node => ["cx", "cy"].map(name => Number(node.getAttribute(name))))"""
TICKS = """all => all.map(node => [Number(node.getAttribute("x")), Number(node.textContent)])"""


def found(size: int, unit: int, turn: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """NumPy's own: what each batch has for mean, standard deviation and largest value."""
    values = GIVEN["units"][UNITS[unit]]
    picks = drawn(GIVEN["seed"], len(values), GIVEN["batches"], M[-1], turn)
    return statistics(values, picks[:, : M[size]], eps=1e-5)


def check(figure, size: int, unit: int, turn: int = 0) -> None:
    """The figure stands where it should, and shows what NumPy says it should."""
    shown, m = state(figure), M[size]
    assert (shown["m"], shown["unit"], shown["round"]) == (m, unit, turn)
    means, sds, largest = found(size, unit, turn)
    expected = {
        "noise": np.sqrt(np.mean(means**2)),
        "noise-predicted": m**-0.5,
        "spread": np.sqrt(np.mean(sds**2)),
        "spread-predicted": (1 - 1 / m) ** 0.5,
        "largest": largest.max(),
        "ceiling": (m - 1) ** 0.5,
    }
    assert shown["readouts"] == pytest.approx(expected, rel=1e-6)
    points = figure.locator("[data-mean]").evaluate_all(POINTS)
    np.testing.assert_allclose(points, np.transpose([means, sds]), rtol=1e-5, atol=1e-8)
    below = figure.locator("[data-largest]").evaluate_all("all => all.map(n => +n.dataset.largest)")
    np.testing.assert_allclose(below, largest, rtol=1e-5, atol=1e-8)
    assert outputs(figure) == [str(m)]


def test_every_stop_of_every_unit_shows_what_numpy_says(browser):
    """By keyboard alone: Tab reaches the controls, arrows turn them."""
    with living(browser) as figure:
        keys = figure.page.keyboard
        check(figure, START, 0)
        for unit in range(len(UNITS)):
            figure.get_by_role("slider", name=DIAL).focus()
            keys.press("Home")
            for size in range(len(M)):
                check(figure, size, unit)
                keys.press("ArrowRight")
            last = len(M) - 1  # there is nothing beyond
            check(figure, last, unit)
            keys.press("Tab")
            keys.press("ArrowDown")
        check(figure, last, len(UNITS) - 1)
        keys.press("Tab")
        for turn in (1, 2):
            keys.press("Enter")
            check(figure, last, len(UNITS) - 1, turn)


def test_a_smaller_batch_is_the_beginning_of_a_larger_one():
    """What the description says, and what NumPy's and the browser's agreement rests on."""
    picks = drawn(GIVEN["seed"], 90, 60, 64)
    values = GIVEN["units"][UNITS[0]]
    small = statistics(values, picks[:, :2], 1e-5)
    np.testing.assert_array_equal(small, found(0, 0))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_drawn_lies_where_the_numbers_say(browser, size):
    with living(browser, size) as figure:
        for at, m in enumerate(M):
            figure.get_by_role("slider", name=DIAL).fill(str(at))
            to_mean, to_sd = across(figure)[0], upright(figure, "sd")
            means, sds, largest = found(at, 0)
            inside = (np.abs(means) <= 2.5) & (sds <= 2.5)
            points = np.array(figure.locator("circle[data-mean]").evaluate_all(PLACES))
            np.testing.assert_allclose(to_mean(points[:, 0]), means[inside], atol=0.02)
            np.testing.assert_allclose(to_sd(points[:, 1]), sds[inside], atol=0.02)
            # What is predicted, and what was measured, on the same axes.
            band = corners(figure.locator("path[data-law=sd]"))
            assert to_sd(band[0, 1]) == pytest.approx((1 - 1 / m) ** 0.5, abs=0.02)
            box = figure.locator("rect[data-law=mean]")
            left, width = (float(box.get_attribute(name)) for name in ("x", "width"))
            np.testing.assert_allclose(
                to_mean(np.array([left, left + width])), [-(m**-0.5), m**-0.5], atol=0.02
            )
            noise = np.sqrt(np.mean(means**2))
            bracket = to_mean(corners(figure.locator("[data-measured=mean]"))[:, 0])
            np.testing.assert_allclose(bracket, noise * np.array([-1, -1, 1, 1]), atol=0.02)
            # Below, the axis is one of square roots.
            ticks = figure.locator("[data-tick=largest]").evaluate_all(TICKS)
            root = scale([[x, value**0.5] for x, value in ticks])
            dots = np.array(figure.locator("[data-largest]").evaluate_all(PLACES))
            np.testing.assert_allclose(root(dots[:, 0]) ** 2, largest, atol=0.05)
            ceiling = corners(figure.locator("path[data-law=largest]"))[0, 0]
            assert root(ceiling) ** 2 == pytest.approx((m - 1) ** 0.5, abs=0.05)


def test_batches_at_their_ceiling_are_marked(browser):
    """Where one image alone has ink, real data stand exactly on the bound."""
    with living(browser) as figure:
        for unit, name in enumerate(UNITS):
            figure.get_by_label(UNIT).select_option(name)
            for at, m in enumerate(M):
                figure.get_by_role("slider", name=DIAL).fill(str(at))
                largest = found(at, unit)[2]
                assert np.all(largest <= (m - 1) ** 0.5)
                marked = figure.locator("[data-largest][fill='var(--bn-vermilion)']").count()
                assert marked == (largest > 0.99 * (m - 1) ** 0.5).sum()
        assert (found(2, 1)[2] > 0.99 * 15**0.5).sum() > 5


def test_what_lies_beyond_the_frame_is_drawn_at_its_edge(browser):
    values = np.where(np.arange(90) % 45, 0.0, 1.0)
    with living(browser, change={"start": 2, "units": {"two of ninety": values}}) as figure:
        picks = drawn(GIVEN["seed"], 90, 60, 64)[:, :2]
        means, sds, _ = statistics(values, picks, 1e-5)
        beyond = ((np.abs(means) > 2.5) | (sds > 2.5)).sum()
        assert beyond == figure.locator("path[data-mean]").count() > 0
        figure.get_by_text(f"{beyond} lie beyond the frame").wait_for()
        living_figures.fits(figure)


@pytest.mark.parametrize("size", SIZES)
def test_mouse_and_finger_turn_the_dial(browser, size):
    with living(browser, size, has_touch=True) as figure:
        dial = figure.get_by_role("slider", name=DIAL)
        box = in_view(dial)
        x, y = centre(dial)
        living_figures.drag(figure.page, (x, y), (box["x"] + box["width"] - 2, y))
        check(figure, len(M) - 1, 0)
        figure.page.touchscreen.tap(box["x"] + 3, y)
        check(figure, 0, 0)
        figure.get_by_role("button", name=OTHERS).tap()
        check(figure, 0, 0, turn=1)


def test_words_tell_what_is_seen(browser):
    with living(browser) as figure:
        said = figure.locator("[role=status]")
        figure.get_by_label(UNIT).select_option(UNITS[1])
        figure.get_by_role("slider", name=DIAL).fill("1")
        means, sds, largest = found(1, 1)
        noise = np.sqrt(np.mean(means**2))
        said.get_by_text(f"m = 4: batch means scatter by {noise:.3f}").wait_for()
        words = said.inner_text().replace("\u00a0", " ")
        assert "1/\u221am is 0.500" in words
        touching = (largest > 0.99 * 3**0.5).sum()
        assert f"Of 60 batches, {touching} come within 1 % of the ceiling." in words
        assert f"In {(sds == 0).sum()} all values are equal" in words


def test_every_control_has_a_name_and_shows_its_focus(browser):
    with living(browser) as figure:
        figure.get_by_role("slider", name=DIAL).focus()
        seen = []
        for _ in range(3):
            control = focused(figure.page)
            seen.append(control["name"].split("\n")[0])
            assert control["outline"] == "solid3px"
            figure.page.keyboard.press("Tab")
        assert seen[0] == DIAL
        assert seen[1].startswith(UNIT)
        assert seen[2] == OTHERS


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser, size, theme):
    with living(browser, size, theme) as figure:
        for stop in (0, len(M) - 1):
            figure.get_by_role("slider", name=DIAL).fill(str(stop))
            is_sound(figure, theme)
