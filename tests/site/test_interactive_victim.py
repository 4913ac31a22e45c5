"""The figure of a victim and its batch-mates, on a page of its own: moved, and held to PyTorch.

Its chapter need not be built: the page is made from the figure's own output.
"""

from functools import partial

import living_figures
import numpy as np
import pytest
from living_figures import SIZES, centre, fits, in_view, is_sound, state, upright

from tests.test_interactive_victim import EVERYBODY, FIGURE, torchs

CLASSES = 10
VICTIMS_EVAL = torchs(FIGURE.example, [], "eval")
living = partial(living_figures.living, FIGURE)
DRAWN = """root => {
    const values = kind => [...root.querySelectorAll(`[data-${kind}]`)].map(n => +n.dataset.value);
    return { bar: values("bar"), mark: values("mark") };
}"""


def inside(figure) -> list[int]:
    """Which mates are in the batch, as their buttons say."""
    pressed = figure.locator("[data-mate][aria-pressed=true]")
    return sorted(pressed.evaluate_all("all => all.map(button => Number(button.dataset.mate))"))


def check(figure, expected=None) -> np.ndarray | None:
    """What is shown is PyTorch's answer for this company; returns it, None if it is refused."""
    company = inside(figure)
    if expected is not None:
        assert company == sorted(expected)
    drawn, readouts = figure.evaluate(DRAWN), state(figure)["readouts"]
    np.testing.assert_allclose(drawn["mark"], VICTIMS_EVAL, atol=1e-6)
    assert readouts["size"] == len(company) + 1
    assert readouts["eval"] == VICTIMS_EVAL.argmax()
    if not company:
        assert drawn["bar"] == []
        assert np.isnan([readouts["train"], readouts["probability"]]).all()
        return None
    answer = torchs(FIGURE.example, company, "train")
    np.testing.assert_allclose(drawn["bar"], answer, atol=1e-6)
    assert readouts["train"] == answer.argmax()
    assert readouts["probability"] == pytest.approx(answer.max(), abs=1e-6)
    return answer


def column(c: int) -> list[int]:
    return [i for i in EVERYBODY if i % CLASSES == c]


def mate(figure, i: int):
    return figure.locator(f"[data-mate='{i}']")


@pytest.mark.parametrize("size", SIZES)
def test_clicks_let_mates_in_and_send_them_away(browser, size):
    with living(browser, size) as figure:
        check(figure, [0, 1, 2, 3])
        mouse = figure.page.mouse
        in_view(mate(figure, 0))
        for i, then in [(17, [0, 1, 2, 3, 17]), (0, [1, 2, 3, 17]), (29, [1, 2, 3, 17, 29])]:
            mouse.click(*centre(mate(figure, i)))
            check(figure, then)
        figure.get_by_role("button", name="only 7s").click()
        check(figure, column(7))
        figure.get_by_role("button", name="All of them").click()
        check(figure, EVERYBODY)


def test_every_single_mate_and_every_class_alone(browser):
    with living(browser) as figure:
        turned = set()
        for i in EVERYBODY:
            figure.get_by_role("button", name="Nobody").click()
            assert check(figure, []) is None
            mate(figure, i).click()
            turned.add(check(figure, [i]).argmax())
        for c in range(CLASSES):
            figure.get_by_role("button", name=f"only {c}s").click()
            turned.add(check(figure, column(c)).argmax())
        assert len(turned) > 2, "the example's answer hardly turns, which shows too little"


def test_companies_at_random_and_swaps(browser):
    with living(browser) as figure:
        seen = []
        for _ in range(8):
            figure.get_by_role("button", name="Four at random").click()
            check(figure)
            seen.append(inside(figure))
            assert len(seen[-1]) == 4
        assert len({tuple(company) for company in seen}) > 6
        for _ in range(8):
            before = set(inside(figure))
            figure.get_by_role("button", name="Swap one").click()
            check(figure)
            assert len(before & set(inside(figure))) == 3
        for words, stays in (("Nobody", []), ("All of them", EVERYBODY)):  # nobody to swap with
            figure.get_by_role("button", name=words).click()
            figure.get_by_role("button", name="Swap one").click()
            check(figure, stays)


def test_by_keyboard_alone(browser):
    """Tab reaches the buttons, then the whole grid; arrows go on from there."""
    with living(browser) as figure:
        keys = figure.page.keyboard
        for words in ("Four at random", "Swap one", "All of them", "Nobody"):
            keys.press("Tab")
            assert figure.page.evaluate("document.activeElement.textContent") == words
        keys.press("Enter")
        check(figure, [])
        keys.press("Tab")
        focused = "document.activeElement.getAttribute('aria-label')"
        assert figure.page.evaluate(focused) == "a 0, number 1"
        keys.press("Space")
        check(figure, [0])
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
            keys.press(key)
        check(figure, [0, 12])
        for key in ("ArrowUp", "ArrowUp"):
            keys.press(key)
        assert figure.page.evaluate(focused) == "only 2s"
        keys.press("ArrowUp")  # there is nothing beyond
        keys.press("Space")
        check(figure, column(2))
        style = "(style => style.outlineStyle + style.outlineWidth)"
        assert figure.page.evaluate(f"{style}(getComputedStyle(document.activeElement))") == (
            "solid3px"
        )
        keys.press("Shift+Tab")  # the grid is one stop, and is come back to where it was left
        keys.press("Tab")
        assert figure.page.evaluate(focused) == "only 2s"


def test_by_touch(browser):
    with living(browser, "phone", has_touch=True) as figure:
        in_view(mate(figure, 25))
        mate(figure, 25).tap()
        check(figure, [0, 1, 2, 3, 25])
        figure.get_by_role("button", name="only 4s").tap()
        check(figure, column(4))
        box = mate(figure, 14).bounding_box()
        assert min(box["width"], box["height"]) >= 24, "too small for a finger"


@pytest.mark.parametrize("size", SIZES)
def test_bars_and_diamonds_stand_at_their_heights(browser, size):
    with living(browser, size) as figure:
        figure.get_by_role("button", name="only 5s").click()
        answer = check(figure)
        height = upright(figure)
        top = figure.locator(".bn-stage svg").bounding_box()["y"]
        for c in range(CLASSES):
            if answer[c] > 0.02:  # a flatter bar has no box
                bar = figure.locator(f"[data-bar='{c}']").bounding_box()
                assert height(bar["y"] - top) == pytest.approx(answer[c], abs=0.01)
                assert height(bar["y"] + bar["height"] - top) == pytest.approx(0, abs=0.01)
            _, y = centre(figure.locator(f"[data-mark='{c}']"))
            assert height(y - top) == pytest.approx(VICTIMS_EVAL[c], abs=0.01)


def test_pictures_are_the_images(browser):
    pixels = "c => [...c.getContext('2d').getImageData(0, 0, 8, 8).data].filter((_, i) => !(i % 4))"
    with living(browser) as figure:
        order = np.argsort(FIGURE.example["mate_labels"], kind="stable").reshape(10, -1).T.flatten()
        for i in (0, 13, 29):
            shown = np.array(mate(figure, i).locator("canvas").evaluate(pixels))
            image = FIGURE.example["mates"][order[i]]
            np.testing.assert_allclose(shown, 255 * (1 - image), atol=1)


def test_words_tell_what_is_seen(browser):
    with living(browser) as figure:
        said = figure.locator("[role=status]")
        right = VICTIMS_EVAL.argmax()
        for c in range(CLASSES):
            figure.get_by_role("button", name=f"only {c}s").click()
            answer = check(figure)
            said.get_by_text(f"3 mates, all of them {c}s").wait_for()
            words = said.inner_text()
            assert f"answers {answer.argmax()} with probability {answer.max():.2f}" in words
            assert ("turned" in words) == (answer.argmax() != right)
        figure.get_by_role("button", name="Nobody").click()
        said.get_by_text("PyTorch refuses").wait_for()
        assert figure.locator("[data-readout=train]").inner_text() == "none"
        mate(figure, 6).click()
        said.get_by_text("one mate, a 6").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser, size, theme):
    with living(browser, size, theme) as figure:
        for words in ("only 3s", "All of them"):
            figure.get_by_role("button", name=words).click()
        is_sound(figure, theme)
        figure.get_by_role("button", name="Nobody").click()
        fits(figure)
