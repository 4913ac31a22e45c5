"""The momentum dial, on a page of its own: really turned, and held to NumPy.

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

from bnutils.interactive.momentum import running_average
from tests.test_interactive_momentum import ALPHAS, FIGURE, STEPS

GIVEN = FIGURE.example
STOPS = [*ALPHAS, None]
ERRORS = np.median([*GIVEN["errors"], GIVEN["cumulative_errors"]], axis=-1)
BEST = np.median(GIVEN["best_errors"], axis=-1)
FIRST, AT = 1, STEPS.index(20)  # where the dial and the clock stand at first
WEIGHTS = "dots => dots.map(dot => Number(dot.dataset.weight))"
living = partial(living_figures.living, FIGURE)


def answers(stop: int, at: int) -> dict[str, float]:
    """NumPy's own."""
    alpha, t = STOPS[stop], STEPS[at]
    stored = running_average(GIVEN["batch_means"], alpha, GIVEN["start"])[t - 1]
    mean, sd = GIVEN["population_means"][t - 1], GIVEN["population_sds"][t - 1]
    return {
        "stored": stored,
        "off": (stored - mean) / sd,
        "start": 0 if alpha is None else 100 * (1 - alpha) ** t,
        "window": t if alpha is None else 1 / alpha,
        "error": ERRORS[stop, at],
        "best": BEST[at],
    }


def check(figure, stop: int, at: int) -> None:
    """The figure stands where it should, and shows what NumPy says it should."""
    shown = state(figure)
    weights = figure.locator("[data-batch]").evaluate_all(WEIGHTS)
    assert (shown["stop"], shown["at"]) == (stop, at)
    expected = answers(stop, at)
    assert shown["readouts"].keys() == expected.keys()
    for name, value in expected.items():
        assert shown["readouts"][name] == pytest.approx(value, rel=1e-6, abs=1e-6), name
    # What is stored is the weighted sum of the points, and of the start.
    left = expected["start"] / 100
    assert sum(weights) == pytest.approx(1 - left, abs=1e-9)
    summed = np.dot(weights, GIVEN["batch_means"]) + left * GIVEN["start"]
    assert summed == pytest.approx(expected["stored"], abs=1e-6)
    assert outputs(figure) == [
        "None" if STOPS[stop] is None else f"{STOPS[stop]:g}",
        str(STEPS[at]),
    ]


def test_every_stop_shows_what_numpy_says(browser):
    """By keyboard alone: Tab reaches the controls, arrows turn them."""
    with living(browser) as figure:
        keys = figure.page.keyboard
        check(figure, FIRST, AT)
        keys.press("Tab")
        keys.press("Home")
        for stop in range(len(STOPS)):
            check(figure, stop, AT)
            keys.press("ArrowRight")
        check(figure, len(STOPS) - 1, AT)  # there is nothing beyond
        keys.press("Tab")
        keys.press("Home")
        for at in range(len(STEPS)):
            check(figure, len(STOPS) - 1, at)
            keys.press("ArrowRight")
        keys.press("Shift+Tab")
        for stop in reversed(range(len(STOPS))):
            check(figure, stop, len(STEPS) - 1)
            keys.press("ArrowLeft")


@pytest.mark.parametrize("size", SIZES)
def test_the_mouse_moves_the_step_on_the_chart(browser, size):
    with living(browser, size) as figure:
        box = in_view(figure.locator("[data-chart]"))
        mouse = figure.page.mouse
        for at, step in enumerate(STEPS):
            mouse.click(box["x"] + box["width"] * step / 60 - 0.4, box["y"] + 30)
            check(figure, FIRST, at)
        mouse.move(box["x"] + box["width"] - 4, box["y"] + 60)
        mouse.down()
        mouse.move(box["x"] - 500, box["y"] + 60, steps=6)
        check(figure, FIRST, 0)
        mouse.move(box["x"] + 2000, box["y"] + 60, steps=3)
        mouse.up()
        check(figure, FIRST, len(STEPS) - 1)
        mouse.move(box["x"], box["y"] + 60)  # let go of
        check(figure, FIRST, len(STEPS) - 1)


def test_a_finger_moves_the_step(browser):
    with living(browser, "phone", has_touch=True) as figure:
        box = in_view(figure.locator("[data-chart]"))
        figure.page.touchscreen.tap(box["x"] + box["width"] * 40 / 60, box["y"] + 300)
        check(figure, FIRST, STEPS.index(40))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_drawn_lies_where_the_numbers_say(browser, size):
    with living(browser, size) as figure:
        dial = figure.get_by_role("slider").first
        for stop, alpha in enumerate(STOPS):
            dial.fill(str(stop))
            step = across(figure)[0]
            mean = upright(figure, "mean")
            error = upright(figure, "error", log=True)
            stored = running_average(GIVEN["batch_means"], alpha, GIVEN["start"])
            drawn = {
                "stored": ([0, *range(1, 61)], [GIVEN["start"], *stored], mean),
                "population": (range(1, 61), GIVEN["population_means"], mean),
                "error": (STEPS, ERRORS[stop], error),
                "best": (STEPS, BEST, error),
            }
            for name, (x, y, value) in drawn.items():
                drawn_at = corners(figure.locator(f"[data-curve={name}]"))
                np.testing.assert_allclose(step(drawn_at[:, 0]), x, atol=0.05)
                np.testing.assert_allclose(value(drawn_at[:, 1]), y, rtol=2e-3, atol=2e-3)


def test_the_fuller_points_are_those_that_weigh_more(browser):
    with living(browser) as figure:
        fills = "all => all.map(dot => Number(dot.getAttribute('fill-opacity')))"
        points = figure.locator("[data-batch]")
        full = np.array(points.evaluate_all(fills))
        t = STEPS[AT]
        np.testing.assert_allclose(full[:t], 0.9 ** np.arange(t)[::-1], atol=1e-3)
        assert not full[t:].any()
        figure.get_by_role("slider").first.fill("3")
        assert set(np.array(points.evaluate_all(fills))[:t]) == {1}


def test_words_tell_what_is_seen(browser):
    with living(browser) as figure:
        said = figure.locator("[role=status]")
        assert "No stop of the dial does better" in said.inner_text()
        figure.get_by_role("slider", name="Momentum \u03b1, as PyTorch counts").fill("0")
        said.get_by_text("With momentum 0.01, stopped after step 20").wait_for()
        words = said.inner_text()
        lost = ERRORS[0, AT] - BEST[AT]
        assert f"errs on {ERRORS[0, AT]:.1f} %, {lost:.1f} points more" in words
        assert f"Of the start, {100 * 0.99**20:.0f} % is left." in words
        assert "Best at this step: 0.1." in words
        figure.get_by_role("slider", name="Stop and evaluate after step").fill("6")
        said.get_by_text("stopped after step 60").wait_for()
        figure.get_by_role("slider").first.fill("3")
        said.get_by_text("It remembers every batch since the first.").wait_for()
        figure.get_by_role("slider").first.fill("2")
        figure.get_by_role("slider").last.fill("3")
        said.get_by_text("as noisy as they are").wait_for()


def test_without_a_stop_for_none_the_dial_ends_at_the_largest_momentum(browser):
    """As chapter 17 shows it, on weights that never come to rest."""
    with living(browser, change={"cumulative_errors": None}) as figure:
        dial = figure.get_by_role("slider").first
        dial.focus()
        figure.page.keyboard.press("End")
        check(figure, len(ALPHAS) - 1, AT)
        figure.locator("[role=status]").get_by_text("With momentum 1, stopped").wait_for()
        figure.page.keyboard.press("ArrowRight")
        check(figure, len(ALPHAS) - 1, AT)


def test_every_control_has_a_name_and_shows_its_focus(browser):
    with living(browser) as figure:
        figure.get_by_role("slider", name="Momentum \u03b1, as PyTorch counts").focus()
        for value in ("0.1", "20"):
            control = focused(figure.page)
            assert (control["outline"], control["says"]) == ("solid3px", value)
            figure.page.keyboard.press("Tab")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser, size, theme):
    with living(browser, size, theme) as figure:
        for stop in ("0", "3"):
            figure.get_by_role("slider").first.fill(stop)
            is_sound(figure, theme)
