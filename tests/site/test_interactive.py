"""The interactive figures of the built site, really moved: by mouse, by keys and by touch.

What they show is held against Python's own batch norm, computed from the data on the page.
"""

import json

import numpy as np
import pytest
from living_figures import CARDS, SIZES, card, centre, drag, fits, focused, is_sound, opened, swipe
from site_helpers import ROOT

from tests.moving import check_minibatch, read_minibatch

CHAPTER = "notebooks/02_normalizing_a_minibatch"
MOVED = 1e-3  # an output that moved by less would not be seen to move


@pytest.fixture
def chapter(site) -> str:
    return f"{site}/{CHAPTER}.html"


def living(page):
    """The figure, alive and in view."""
    figure = page.locator(".bn-figure#bn-minibatch[data-alive]")
    figure.wait_for()
    figure.locator("svg[role=img]").scroll_into_view_if_needed()
    return figure


def handle(figure) -> tuple[float, float]:
    """Where the large point of the upper axis is, on the screen."""
    return centre(figure.locator("[data-chosen][data-x]"))


def mates(shown: dict, moves: np.ndarray) -> np.ndarray:
    return np.delete(moves, shown["chosen"])


def drag_by_mouse(page, figure, far: float) -> None:
    x, y = handle(figure)
    drag(page, (x, y), (x + far, y + 5))


def drag_by_touch(page, figure, far: float) -> None:
    x, y = handle(figure)
    swipe(page, (x, y), (x + far, y + 6))


def press_arrows(page, figure, far: float) -> None:
    figure.get_by_role("slider", name="Its value x", exact=True).focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight" if far > 0 else "ArrowLeft")


HANDS = {"mouse": drag_by_mouse, "touch": drag_by_touch, "keys": press_arrows}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_in_train_mode_all_outputs_move_and_in_eval_mode_one(browser, chapter, size, theme):
    settings = {"viewport": SIZES[size], "color_scheme": theme, "has_touch": True}
    far = 40 if size == "desktop" else 20
    with opened(browser, chapter, **settings) as page:
        assert page.locator("html").get_attribute("data-theme") == theme
        figure = living(page)
        # A finger that goes up or down scrolls the page; one that goes sideways is the figure's.
        stage = figure.locator("svg[role=img]")
        assert stage.evaluate("svg => getComputedStyle(svg).touchAction") == "pan-y"
        for hand, move in HANDS.items():
            at_rest = read_minibatch(figure)
            assert at_rest["mode"] == "train"
            assert not check_minibatch(at_rest).any()

            move(page, figure, far)
            there = read_minibatch(figure)
            moves = check_minibatch(there)
            assert there["x"][there["chosen"]] > at_rest["x"][there["chosen"]], hand
            assert (np.abs(mates(there, moves)) > MOVED).mean() > 0.5, hand

            figure.get_by_label("eval").check()
            in_eval = read_minibatch(figure)
            moves = check_minibatch(in_eval)
            assert in_eval["mode"] == "eval"
            assert in_eval["readouts"]["moved"] == 0, hand
            assert not mates(in_eval, moves).any(), hand
            assert abs(moves[in_eval["chosen"]]) > MOVED, hand

            move(page, figure, -far)
            back = read_minibatch(figure)
            assert not mates(back, check_minibatch(back)).any(), hand
            assert back["x"][back["chosen"]] < in_eval["x"][back["chosen"]], hand

            figure.get_by_label("train").check()
            figure.get_by_label("Example to move").select_option(index=at_rest["chosen"])


def test_another_example_can_be_taken_by_hand_or_from_the_list(browser, chapter):
    with opened(browser, chapter) as page:
        figure = living(page)
        shown = read_minibatch(figure)
        lowest = int(np.argmin(shown["x"]))
        figure.get_by_label("Example to move").select_option(label=f"example {lowest + 1}")
        assert read_minibatch(figure)["chosen"] == lowest

        highest = int(np.argmax(shown["x"]))
        x, y = centre(figure.locator(f"[data-x][data-index='{highest}']"))
        drag(page, (x, y), (x + 30, y))
        shown = read_minibatch(figure)
        assert shown["x"][shown["chosen"]] > shown["data"]["x"][shown["chosen"]]
        assert shown["data"]["x"][shown["chosen"]] == max(shown["data"]["x"])
        check_minibatch(shown)


def test_far_away_the_output_stops_at_the_limit(browser, chapter):
    with opened(browser, chapter, reduced_motion="reduce") as page:
        figure = living(page)
        # With reduced motion the point is there at once.
        figure.get_by_role("button", name="Send it far away").click()
        shown = read_minibatch(figure)
        check_minibatch(shown)
        data, chosen = shown["data"], shown["chosen"]
        limit = abs(data["gamma"]) * np.sqrt(len(data["x"]) - 1)
        assert 0.99 * limit < shown["y"][chosen] - data["beta"] < limit
        assert np.ptp(np.delete(shown["y"], chosen)) < 0.05
        figure.locator("[role=status]", has_text="limit").wait_for()
        figure.get_by_role("button", name="Put it back").click()
        assert not check_minibatch(read_minibatch(figure)).any()


def test_with_motion_the_point_travels_and_arrives(browser, chapter):
    with opened(browser, chapter, reduced_motion="no-preference") as page:
        figure = living(page)
        figure.get_by_role("button", name="Send it far away").click()
        start = read_minibatch(figure)
        assert start["readouts"]["own"] < 0.999 * np.sqrt(len(start["x"]) - 1)
        figure.locator("path[data-x][data-chosen]").wait_for()  # the arrowhead beyond the axis
        figure.locator("[role=status]", has_text="limit").wait_for()
        check_minibatch(read_minibatch(figure))


def test_words_tell_what_is_seen(browser, chapter):
    with opened(browser, chapter) as page:
        figure = living(page)
        said = figure.locator("[role=status]")
        figure.locator("[role=status]", has_text="Nothing has moved yet").wait_for()
        slider = figure.get_by_role("slider")
        slider.focus()
        page.keyboard.press("PageUp")
        figure.locator("[role=status]", has_text="Train:").wait_for()
        moved = read_minibatch(figure)["readouts"]["moved"]
        assert f"by up to {moved:.2f}" in said.inner_text()
        assert slider.get_attribute("aria-valuetext") == figure.locator("output").inner_text()


def test_every_control_has_a_name_and_shows_its_focus(browser, chapter):
    with opened(browser, chapter) as page:
        figure = living(page)
        figure.get_by_label("train").focus()
        seen = []
        for _ in range(5):
            control = focused(page)
            seen.append((control["name"], control["outline"]))
            page.keyboard.press("Tab")
        assert all(name for name, _ in seen)
        assert {outline for _, outline in seen} == {"solid3px"}
        assert len(set(seen)) == 5


@pytest.mark.parametrize("size", SIZES)
def test_nothing_sticks_out(browser, chapter, size):
    with opened(browser, chapter, viewport=SIZES[size]) as page:
        figure = living(page)
        fits(figure)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_moved_figure(browser, chapter, theme):
    with opened(browser, chapter, viewport=SIZES["phone"], color_scheme=theme) as page:
        figure = living(page)
        press_arrows(page, figure, 1)
        is_sound(figure, theme)


def test_the_living_figure_takes_the_place_of_its_still_picture(browser, chapter):
    with opened(browser, chapter) as page:
        figure = living(page)
        cell = page.locator(".cell", has=figure)
        assert cell.locator("img").count() == 1
        assert not cell.locator("img").is_visible()
        assert not figure.locator(".bn-still-note").is_visible()


def test_without_javascript_the_still_picture_stays(browser, chapter):
    with opened(browser, chapter, java_script_enabled=False) as page:
        cell = page.locator(".cell", has=page.locator("#bn-minibatch"))
        picture = cell.locator("img")
        picture.scroll_into_view_if_needed()
        assert picture.is_visible()
        assert len(picture.get_attribute("alt")) > 40
        assert cell.get_by_text("This picture stands still.").is_visible()
        assert cell.locator("svg, input, button").count() == 0


def test_a_figure_that_fails_leaves_its_still_picture(browser, chapter):
    """A browser too old for the script, or a fault in it: the reader still has the picture."""
    context = browser.new_context(viewport=SIZES["desktop"])
    page = context.new_page()
    page.add_init_script("window.ResizeObserver = undefined")
    page.goto(chapter)
    cell = page.locator(".cell", has=page.locator("#bn-minibatch"))
    assert cell.locator("img").is_visible()
    assert not cell.locator(".bn-body").is_visible()
    context.close()


def stored_html() -> str:
    notebook = json.loads((ROOT / f"{CHAPTER}.ipynb").read_text(encoding="utf-8"))
    htmls = [
        "".join(output["data"]["text/html"])
        for cell in notebook["cells"]
        if "interactive" in cell["metadata"].get("tags", [])
        for output in cell["outputs"]
        if "text/html" in output.get("data", {})
    ]
    return next(text for text in htmls if 'id="bn-minibatch"' in text)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_alone_in_a_frame_as_on_colab(browser, theme):
    """Colab puts an output into a frame of its own, from another origin, and marks its theme."""
    with opened(browser, "about:blank", viewport={"width": 900, "height": 900}) as page:
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        page.set_content('<iframe sandbox="allow-scripts" width="800" height="820"></iframe>')
        inside = f'<html lang="en" theme="{theme}"><body><div>{stored_html()}</div></body></html>'
        page.evaluate("text => document.querySelector('iframe').srcdoc = text", inside)
        figure = living(page.frame_locator("iframe"))
        drag_by_mouse(page, figure, 60)
        shown = read_minibatch(figure)
        assert (np.abs(mates(shown, check_minibatch(shown))) > MOVED).mean() > 0.5
        press_arrows(page, figure, -1)
        check_minibatch(read_minibatch(figure))
        assert card(figure) == CARDS[theme]
        assert [url for url in requests if url != "about:srcdoc"] == []


def test_two_copies_on_a_page_move_apart(browser):
    """JupyterLab can show one output in two places, with the same ids."""
    with opened(browser, "about:blank") as page:
        page.set_content(f"<main>{stored_html()}{stored_html()}</main>")
        figures = page.locator(".bn-figure[data-alive]")
        assert figures.count() == 2
        drag_by_mouse(page, figures.nth(1), 60)
        assert not check_minibatch(read_minibatch(figures.nth(0))).any()
        assert check_minibatch(read_minibatch(figures.nth(1))).any()
