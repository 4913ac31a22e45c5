"""The figure of two domains, on a page of its own: really moved, and held to NumPy.

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
    drag,
    focused,
    in_view,
    is_sound,
    outputs,
    state,
    upright,
)

from bnutils.evidence import interval
from bnutils.interactive.domains import RUNS
from tests.test_interactive_domains import FIGURE, STRENGTHS

LAST = len(STRENGTHS) - 1
GIVEN = FIGURE.example
living = partial(living_figures.living, FIGURE)
EPS = 1e-5
# Where a shape's left end is, frame by frame, while the switch is thrown back and forth.
CHANGE_OF_MIND = """async (root, shape) => {
    const pause = time => new Promise(done => setTimeout(done, time));
    const frame = () => new Promise(done => requestAnimationFrame(done));
    root.querySelector("input[value=stored]").click();
    await pause(150);
    root.querySelector("input[value=own]").click();
    const ends = [];
    for (const start = performance.now(); performance.now() < start + 1500; await frame())
        ends.push(parseFloat(root.querySelector(shape).getAttribute("d").slice(1)));
    return ends;
}"""


def answers(stop: int, mode: str) -> dict[str, float]:
    """NumPy's own."""
    mean, variance = GIVEN["stored_mean"][stop], GIVEN["stored_var"][stop]
    expected = {"stored-mean": mean, "stored-sd": np.sqrt(variance)}
    for name in ("a", "b"):
        x = GIVEN[name][stop]
        used = (mean, variance) if mode == "stored" else (x.mean(), x.var())
        y = (x - used[0]) / np.sqrt(used[1] + EPS)
        expected |= {f"{name}-mean": y.mean(), f"{name}-sd": y.std()}
    for i, name in enumerate(RUNS):
        expected[f"accuracy-{i}"] = np.median(GIVEN["accuracy"][name][stop])
    return expected


def check(figure, stop: int, mode: str = "stored") -> None:
    """The figure stands where it should, and shows what NumPy says it should."""
    shown = state(figure)
    assert (shown["stop"], shown["mode"]) == (stop, mode)
    expected = answers(stop, mode)
    assert shown["readouts"].keys() == expected.keys()
    for name, value in expected.items():
        assert shown["readouts"][name] == pytest.approx(value, rel=0, abs=1e-6), name
    assert figure.locator("[data-now]").get_attribute("data-now") == str(stop)
    assert figure.get_by_role("slider").input_value() == str(stop)
    assert outputs(figure) == [f"{STRENGTHS[stop]:.2f}"]


@pytest.mark.parametrize("mode", ["stored", "own"])
def test_every_stop_shows_what_numpy_says(browser, mode):
    """By keyboard alone: Tab reaches the controls, arrows turn them."""
    with living(browser) as figure:
        page = figure.page
        check(figure, 0)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.type") == "range"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.value") == "stored"
        if mode == "own":
            page.keyboard.press("ArrowRight")
        check(figure, 0, mode)
        page.keyboard.press("Shift+Tab")
        for stop in range(1, LAST + 1):
            page.keyboard.press("ArrowRight")
            check(figure, stop, mode)
        page.keyboard.press("ArrowRight")  # there is nothing beyond
        check(figure, LAST, mode)
        page.keyboard.press("Home")
        check(figure, 0, mode)


@pytest.mark.parametrize("size", SIZES)
def test_the_mouse_moves_slider_chart_and_switch(browser, size):
    with living(browser, size) as figure:
        mouse = figure.page.mouse
        track = figure.get_by_role("slider").bounding_box()
        middle = track["y"] + track["height"] / 2
        drag(figure.page, (track["x"] + 9, middle), (track["x"] + track["width"] - 5, middle))
        check(figure, LAST)

        # The chart can be taken hold of anywhere, and goes to the nearest stop.
        in_view(figure.locator("[data-chart]"))
        for stop in (1, 2):
            x, y = centre(figure.locator(f"[data-run='two passes'][data-stop='{stop}']"))
            mouse.click(x + 4, y + 20)
            check(figure, stop)
        mouse.move(x, y)
        mouse.down()
        mouse.move(x - 1000, y, steps=5)
        check(figure, 0)
        mouse.move(x + 1000, y, steps=5)
        mouse.up()
        check(figure, LAST)
        mouse.move(x - 1000, y)  # let go of
        check(figure, LAST)

        figure.get_by_text("each batch\u2019s own (training)").click()
        check(figure, LAST, "own")
        figure.get_by_text("stored statistics (evaluation)").click()
        check(figure, LAST)


def test_a_finger_moves_chart_and_switch(browser):
    with living(browser, "phone", has_touch=True) as figure:
        in_view(figure.locator("[data-chart]"))
        figure.page.touchscreen.tap(
            *centre(figure.locator("[data-run='two passes'][data-stop='2']"))
        )
        check(figure, 2)
        figure.get_by_label("each batch\u2019s own (training)").tap()
        check(figure, 2, "own")


def test_what_is_drawn_lies_where_the_numbers_say(browser):
    with living(browser) as figure:
        for stop in range(LAST + 1):
            figure.get_by_role("slider").fill(str(stop))
            for mode in ("stored", "own"):
                figure.locator(f"input[value={mode}]").check()
                before, after, _ = across(figure)
                expected = answers(stop, mode)
                gaussian = corners(figure.locator("[data-stored]"))
                top = gaussian[gaussian[:, 1].argmin(), 0]
                assert before(top) == pytest.approx(GIVEN["stored_mean"][stop], abs=0.02)
                for name in ("a", "b"):
                    x = GIVEN[name][stop]
                    bins = corners(figure.locator(f"[data-where=in][data-domain={name}]"))[:, 0]
                    assert before(bins.min()) <= x.min() <= x.max() <= before(bins.max())
                    bin_width = (before(bins.max()) - before(bins.min())) / len(set(bins))
                    assert before(bins.max()) - before(bins.min()) < np.ptp(x) + 3 * bin_width
                    # The outputs are the same shape, shifted and stretched.
                    out = corners(figure.locator(f"[data-where=out][data-domain={name}]"))[:, 0]
                    stretch = expected[f"{name}-sd"] / x.std()
                    shifted = expected[f"{name}-mean"] + stretch * (before(bins) - x.mean())
                    np.testing.assert_allclose(after(out), shifted, atol=0.02)


def test_own_statistics_lay_one_domain_on_the_other_and_stored_ones_do_not(browser):
    """B is A shifted and stretched here, so that their outputs are equal once each has its own."""
    with living(browser) as figure:
        figure.get_by_role("slider").fill(str(LAST))
        a, b = (f"[data-where=out][data-domain={name}]" for name in "ab")
        stored_a, stored_b = corners(figure.locator(a)), corners(figure.locator(b))
        assert np.abs(stored_a - stored_b).max() > 20
        assert figure.locator("[data-stored=used]").count() == 1
        figure.locator("input[value=own]").check()
        np.testing.assert_allclose(corners(figure.locator(a)), corners(figure.locator(b)), atol=0.5)
        assert figure.locator("[data-stored=unused]").count() == 1


@pytest.mark.parametrize("size", SIZES)
def test_the_accuracies_stand_at_their_heights(browser, size):
    with living(browser, size) as figure:
        height = upright(figure)
        at = across(figure)[2]
        figure.get_by_role("slider").fill("1")
        stage = figure.locator(".bn-stage svg").bounding_box()
        for name in RUNS:
            for stop, strength in enumerate(STRENGTHS):
                point = figure.locator(f"[data-run='{name}'][data-stop='{stop}']")
                median = np.median(GIVEN["accuracy"][name][stop])
                assert float(point.get_attribute("data-value")) == pytest.approx(median, abs=1e-6)
                x, y = centre(point)
                assert height(y - stage["y"]) == pytest.approx(median, abs=0.1)
                assert at(x - stage["x"]) == pytest.approx(strength, abs=0.002)
            sizes = [
                figure.locator(f"[data-run='{name}'][data-stop='{stop}']").bounding_box()["width"]
                for stop in range(LAST + 1)
            ]
            assert np.argmax(sizes) == 1, "the dial's stop stands out"


def test_with_motion_the_outputs_travel_and_arrive(browser):
    with living(browser, reduced_motion="no-preference") as figure:
        figure.get_by_role("slider").fill(str(LAST))
        shape = "[data-where=out][data-domain=b]"
        start = corners(figure.locator(shape))
        figure.locator("input[value=own]").check()
        check(figure, LAST, "own")  # the numbers do not wait for the picture
        figure.page.wait_for_timeout(1500)
        there = corners(figure.locator(shape))
        assert np.abs(there - start).max() > 20
        np.testing.assert_allclose(
            there, corners(figure.locator("[data-where=out][data-domain=a]")), atol=0.5
        )
        # A change of mind on the way: straight on to the latest choice, without a flicker.
        ends = np.array(figure.evaluate(CHANGE_OF_MIND, shape))
        steps = np.diff(ends)
        assert np.all(steps <= 0) or np.all(steps >= 0)
        np.testing.assert_array_equal(corners(figure.locator(shape)), there)


def test_words_tell_what_is_seen(browser):
    with living(browser) as figure:
        said = figure.locator("[role=status]")
        figure.get_by_role("slider").fill(str(LAST))
        figure.locator("[role=status]", has_text="Strength 0.40, by the stored").wait_for()
        numbers = answers(LAST, "stored")
        words = said.inner_text().replace("\u2212", "-").replace("\u00a0", " ")
        for name in "ab":
            mean, sd = numbers[f"{name}-mean"], numbers[f"{name}-sd"]
            assert f"{name.upper()} comes out with mean {mean:.2f} and sd {sd:.2f}" in words
        for name in RUNS:
            median, low, high = interval(GIVEN["accuracy"][name][LAST])
            assert f"{name} {median:.1f} % ({low:.1f} to {high:.1f})" in words
        figure.locator("input[value=own]").check()
        figure.locator("[role=status]", has_text="each batch by its own").wait_for()
        assert figure.get_by_role("slider").get_attribute("aria-valuetext") == "0.40"


def test_every_control_has_a_name_and_shows_its_focus(browser):
    with living(browser) as figure:
        figure.get_by_role("slider", name="Strength: how far B is from A", exact=True).focus()
        for _ in range(2):
            assert focused(figure.page)["outline"] == "solid3px"
            figure.page.keyboard.press("Tab")
        assert figure.get_by_role("group", name="Normalize by").get_by_role("radio").count() == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser, size, theme):
    with living(browser, size, theme) as figure:
        figure.get_by_role("slider").fill("2")
        for mode in ("stored", "own"):
            figure.locator(f"input[value={mode}]").check()
            is_sound(figure, theme)
