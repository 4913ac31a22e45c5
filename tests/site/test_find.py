"""The box that narrows and sorts: on a page of our own, then on the ledger and the index."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect
from site_helpers import HTML, ROOT, lay_out_all, small_site, watch

SCRIPT = ROOT / "book" / "_static" / "find.js"
STYLE = ROOT / "book" / "_static" / "site.css"
TABLES = """
## Fruit

| What | Kind | Share |
|---|---|---|
| A *red* Apple, don't peel it | sweet | 9 of 10 |
| `Lemon_Juice` (10 drops) | sour | 1 of 2 |
| Crème améliorée pear | sweet | none yet |
| 2 · Two plums | sour | 8 of 8 |

## Vegetables

| What | Kind | Share |
|---|---|---|
| Green beans | savoury | 9 of 9 |
| The apples of the earth | savoury | 4 of 5 |

## Gone

| What | Share |
|---|---|
| An apple of yore | 0 of 1 |
"""
BOX = """
```{find}
---
noun: foods
prompt: Words
synonyms: |
  citrus lemon
  potato earth
filters: Kind
sort: What, Share
apart: gone
CLOSEST
---
Nothing. Try [fruit](#fruit).
```
"""
INDEX = "# Page\n" + BOX + "\n::::{div} bn-preamble\nBefore all.\n::::\n" + TABLES


def made(root: Path, index: str = INDEX) -> tuple[int, str]:
    """Build the small site; returns the exit code and what was said."""
    conf = "myst_enable_extensions += ['colon_fence']\nhtml_static_path = ['static']\n"
    conf += "html_css_files = ['site.css']\nmyst_heading_anchors = 3\n"
    (root / "static").mkdir(exist_ok=True)
    for file in (SCRIPT, STYLE):
        (root / "static" / file.name).write_bytes(file.read_bytes())
    run = small_site(root, index, ["myst_parser", "sphinx_design", "site_find"], conf)
    return run.returncode, run.stderr


@pytest.fixture(scope="module")
def foods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a small site: index.html with a strict box, near.html with a lenient one."""
    root = tmp_path_factory.mktemp("foods")
    (root / "near.md").write_text(":orphan:\n\n" + INDEX.replace("CLOSEST", "closest:"))
    (root / "plain.md").write_text("---\norphan: true\n---\n\n# Plain\n\nNo box.\n")
    text = (root / "near.md").read_text().replace(":orphan:", "---\norphan: true\n---")
    (root / "near.md").write_text(text)
    code, said = made(root, INDEX.replace("CLOSEST\n", ""))
    assert code == 0, said
    handler = functools.partial(Quiet, directory=str(root / "h"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def food(browser: Browser, foods: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{foods}/index.html")
    yield page
    context.close()
    assert faults == []


def rows(page: Page, table: int | None = None) -> list[str]:
    """The first cells of the rows that can be seen, in their order."""
    place = page.locator("table").nth(table) if table is not None else page
    seen = place.locator("tbody tr:visible td:first-child").all_inner_texts()
    return [re.sub(r"\s+", " ", text).strip() for text in seen]


def said(page: Page) -> str:
    return page.locator(".bn-count").inner_text()


ALL = [
    "A red Apple, don’t peel it",
    "Lemon_Juice (10 drops)",
    "Crème améliorée pear",
    "2 · Two plums",
]
ALL += ["Green beans", "The apples of the earth", "An apple of yore"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6]),
        ("apple", [0, 5, 6]),
        ("APPLE, red!", [0]),
        ("red apple", [0]),
        ("dont peel", [0]),
        ("lemon_juice", [1]),
        ("juice lemon", [1]),
        ("creme ameliore", [2]),
        ("appl", [0, 5, 6]),  # the beginning of a word will do
        ("app", []),  # if it has four letters: SWA is no beginning of swapped
        ("pple", []),  # its middle will not
        ("pears", [2]),  # another ending will
        ("dropped", [1]),
        ("lemonade", []),  # if it is one: dropout is no form of drop
        ("1", [1, 6]),  # not 10
        ("2", [1]),  # nor the number of a chapter
        ("citrus", [1]),  # the page's own synonyms
        ("my potato is in the earth", [5]),  # small words do not count
        ("the", [0, 1, 2, 3, 4, 5, 6]),
        ("savoury", [4, 5]),
        ("elephant", []),
        (".*", [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_words_find_rows(food: Page, words: str, found: list[int]) -> None:
    food.get_by_label("Words").fill(words)
    assert rows(food) == [ALL[i] for i in found]
    count = sum(i < 6 for i in found) or "None"
    assert said(food).startswith(f"{count} of 6 foods.")


def test_empty_sections_go_and_what_to_do_is_said_when_nothing_matches(food: Page) -> None:
    advice = food.get_by_text("Nothing. Try fruit.")
    expect(advice).not_to_be_visible()
    expect(food.get_by_text("Before all.")).to_be_visible()
    food.get_by_label("Words").fill("beans")
    expect(food.get_by_role("heading", name="Vegetables")).to_be_visible()
    expect(food.get_by_role("heading", name="Fruit")).not_to_be_visible()
    expect(food.get_by_text("Before all.")).not_to_be_visible()
    expect(advice).not_to_be_visible()
    food.get_by_label("Words").fill("elephant")
    assert food.locator("h2:visible").count() == 0
    expect(advice).to_be_visible()
    assert said(food) == "None of 6 foods. Gone: none of 1."
    food.get_by_role("button", name="Reset").click()
    assert rows(food) == ALL
    assert food.locator("h2:visible").count() == 3
    expect(food.get_by_label("Words")).to_be_focused()
    expect(advice).not_to_be_visible()


def test_the_nearest_rows_are_shown_the_best_of_each_table_first(food: Page, foods: str) -> None:
    food.goto(f"{foods}/near.html")
    words, advice = food.get_by_label("Words"), food.get_by_text("Nothing. Try fruit.")
    words.fill("green apple")
    assert rows(food) == [ALL[4]]  # "green" is rare and "apple" is not
    words.fill("red apple")
    assert rows(food) == [ALL[0]]
    assert said(food).startswith("1 of 6 foods. Gone")
    words.fill("two sour plums or citrus")
    assert rows(food) == [ALL[3], ALL[1]]
    words.fill("green elephants giraffes")  # what no row knows tells none of them apart
    assert rows(food) == [ALL[4]]
    assert said(food).startswith("None of 6 foods has all of these words. Close to them: 1.")
    expect(advice).to_be_visible()
    words.fill("elephants")
    assert rows(food) == []
    expect(advice).to_be_visible()


def test_a_choice_narrows_and_counts(food: Page) -> None:
    kind = food.get_by_label("Kind")
    options = kind.locator("option").all_inner_texts()
    assert options == ["all", "savoury", "sour", "sweet"]
    kind.select_option("sour")
    assert rows(food) == [ALL[1], ALL[3]]
    # A table without that column has nothing of the kind.
    assert said(food) == "2 of 6 foods. Gone: none of 1."
    food.get_by_label("Words").fill("plum")
    assert rows(food) == [ALL[3]]


def aria(page: Page) -> list[str | None]:
    heads = page.locator("table").first.locator("th")
    return heads.evaluate_all("all => all.map(head => head.getAttribute('aria-sort'))")


def test_columns_sort_by_mouse_and_by_keyboard(food: Page) -> None:
    share = food.get_by_role("button", name="Share").first
    share.click()
    # Shares go by their size; what is no share comes after them.
    ascending = [ALL[1], ALL[0], ALL[3], ALL[2]]
    assert rows(food, 0) == ascending
    assert aria(food) == [None, None, "ascending"]
    assert rows(food, 1) == [ALL[5], ALL[4]]
    assert "Sorted by Share, ascending." in said(food)
    share.press("Enter")
    assert rows(food, 0) == ascending[::-1]
    assert aria(food) == [None, None, "descending"]
    food.get_by_role("button", name="What").first.press("Space")
    assert rows(food, 0) == [ALL[3], ALL[0], ALL[2], ALL[1]]
    assert aria(food) == ["ascending", None, None]
    food.get_by_role("button", name="Reset").press("Enter")
    assert rows(food) == ALL
    assert aria(food) == [None, None, None]
    kinds = food.locator("th", has_text="Kind")
    assert kinds.locator("button").count() == 0, "nobody asked for a sort by kind"


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlparse(page.url).query)


def test_what_is_chosen_stands_in_the_address(food: Page, foods: str) -> None:
    food.goto(f"{foods}/index.html?other=x#fruit")
    food.get_by_label("Words").fill("plums & two")
    food.get_by_label("Kind").select_option("sour")
    food.get_by_role("button", name="Share").first.click()
    food.get_by_role("button", name="Share").first.click()
    food.wait_for_url("**sort=-share**")
    chosen = {"find": ["plums & two"], "kind": ["sour"], "sort": ["-share"]}
    assert asked(food) == chosen | {"other": ["x"]}
    assert food.url.endswith("#fruit")
    there = rows(food)
    food.goto("about:blank")
    food.goto(f"{foods}/index.html?find=plums&kind=sour&sort=-share")
    assert food.get_by_label("Words").input_value() == "plums"
    assert rows(food) == there == [ALL[3]]
    assert aria(food)[2] == "descending"
    food.get_by_role("button", name="Reset").click()
    food.wait_for_url(f"{foods}/index.html")


def test_an_address_that_asks_for_nonsense_shows_all(food: Page, foods: str) -> None:
    food.goto(f"{foods}/index.html?kind=heavy&sort=-weight&q=beans")
    assert rows(food) == ALL
    assert said(food) == "6 of 6 foods. Gone: 1 of 1."
    assert food.get_by_label("Kind").evaluate("list => list.selectedIndex") == 0


def test_values_are_short_in_the_address(tmp_path: Path, browser: Browser) -> None:
    """A chapter, "2 · Normalizing a minibatch", is 2 there."""
    index = INDEX.replace("CLOSEST\n", "").replace("filters: Kind", "filters: What")
    code, words = made(tmp_path, index)
    assert code == 0, words
    page = browser.new_page()
    page.goto((tmp_path / "h" / "index.html").as_uri() + "?what=2")
    assert rows(page) == ["2 · Two plums"]
    page.close()


def test_it_is_announced_and_labelled(food: Page) -> None:
    count = food.locator(".bn-count")
    assert count.get_attribute("role") == "status"
    assert count.get_attribute("aria-live") == "polite"
    expect(food.get_by_role("search", name="Find foods")).to_be_visible()
    food.get_by_label("Words").focus()
    names = []
    for _ in range(3):
        names.append(
            food.evaluate(
                "(document.activeElement.labels?.[0] ?? document.activeElement).innerText"
            )
        )
        outline = food.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", names[-1]
        food.keyboard.press("Tab")
    assert [name.split("\n")[0] for name in names] == ["Words", "Kind", "Reset"]


def test_print_shows_everything(food: Page) -> None:
    food.get_by_label("Words").fill("elephant")
    assert rows(food) == []
    food.emulate_media(media="print")
    assert rows(food) == ALL
    assert food.locator("h2:visible").count() == 3
    expect(food.get_by_label("Words")).not_to_be_visible()
    expect(food.get_by_text("Before all.")).to_be_visible()


def test_without_javascript_all_is_there_and_no_dead_control(browser: Browser, foods: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{foods}/index.html?find=beans")
    assert rows(page) == ALL
    assert page.locator("input:visible, select:visible, th button").count() == 0
    expect(page.get_by_text("Nothing. Try fruit.")).not_to_be_visible()
    context.close()


def test_the_script_goes_to_pages_that_need_it_alone(foods: str, food: Page) -> None:
    loaded = "[...document.scripts].filter(s => s.src.includes('find.js')).map(s => s.defer)"
    assert food.evaluate(loaded) == [True]
    food.goto(f"{foods}/plain.html")
    assert food.evaluate(loaded) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("noun: foods\n", ""), "find: needs noun"),
        (("prompt: Words\n", ""), "find: needs prompt"),
        (("Nothing. Try [fruit](#fruit).\n", ""), "find: needs words for when nothing matches"),
        (("citrus lemon", "Citrus lemon"), "synonym 'Citrus': give lower-case words"),
        (("citrus lemon", "citrus-fruit lemon"), "synonym 'citrus-fruit'"),
    ],
)
def test_a_box_that_lacks_something_stops_the_build(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    code, words = made(tmp_path, INDEX.replace("CLOSEST\n", "").replace(*change))
    assert code != 0
    assert says in words


# The book's own pages


def claims() -> int:
    """How many claims the stored notebooks make."""
    count = 0
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                record = output.get("metadata", {}).get("bnutils", {})
                count += record.get("kind") == "claim"
    return count


def count_of(page: Page) -> tuple[str, str]:
    return re.match(r"(\w+) of (\d+)", said(page)).groups()


def made_table(page: Page) -> Locator:
    return page.locator("#all-claims table")


def test_the_ledger_narrows_sorts_and_links(page: Page, site: str) -> None:
    page.goto(f"{site}/book/ledger.html")
    total = claims()
    assert count_of(page) == (str(total), str(total))
    assert made_table(page).locator("tbody tr:visible").count() == total
    page.get_by_label("Chapter").select_option("2")
    page.get_by_label("Contract").select_option("C1")
    page.get_by_label("Words in a claim").fill("variance kurtosis")
    shown = made_table(page).locator("tbody tr:visible")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("follows from m and the unit’s kurtosis alone")
    assert count_of(page) == ("1", str(total))
    page.wait_for_url("**chapter=2**")
    link = page.url
    page.goto(f"{site}/book/intro.html")
    page.goto(link)
    expect(made_table(page).locator("tbody tr:visible")).to_have_count(1)
    page.get_by_role("button", name="Reset").click()
    assert count_of(page) == (str(total), str(total))
    page.get_by_label("Verdict").select_option("refuted here")
    verdicts = made_table(page).locator("tbody tr:visible td:nth-child(5)").all_inner_texts()
    assert set(verdicts) == {"refuted here"}


def test_the_ledger_sorts_by_its_columns(page: Page, site: str) -> None:
    page.goto(f"{site}/book/ledger.html?sort=replications")
    cells = made_table(page).locator("tbody td:last-child").all_inner_texts()
    found = [tuple(map(int, text.split(" of "))) for text in cells if " of " in text]
    shares = [held / n for held, n in found]
    assert shares == sorted(shares)
    assert len(found) > 100
    page.get_by_role("button", name="Chapter").first.click()
    numbers = [
        int(t.split()[0])
        for t in made_table(page).locator("tbody td:first-child").all_inner_texts()
    ]
    assert numbers == sorted(numbers)
    assert numbers[0] < 10 <= numbers[-1]


def test_the_ledgers_own_links_narrow_it(page: Page, site: str) -> None:
    page.goto(f"{site}/book/ledger.html")
    page.get_by_role("link", name="claims that contradict their source").click()
    page.wait_for_url("**verdict=refuted**")
    assert 0 < int(count_of(page)[0]) < claims()


# What people type, and a chapter that is to be among those that they are led to.
PHRASINGS = """
inference on a single example is constant: 13
expected more than 1 value per channel: 13
ValueError: Expected more than 1 value per channel when training, got input size [1, 512]: 13
batch size 1: 13
accuracy drops when batch size is 1 at inference: 13
predictions all the same: 13
my model gives different outputs for same input: 13
reinforcement learning policy doesn't learn: 13
BN: 13
val worse than train: 4
val acc much lower than train acc: 4
loss fine but validation accuracy collapses: 4
eval mode much worse than train: 4
model.eval() bad results: 4
train accuracy 99% test 10%: 4
train accuracy high test accuracy low: 4
BatchNorm2d running_mean: 4
network doesn't learn: 9
the network won't train: 9
overfit: 12
fine-tuning: 14
resnet fine tune overfit: 14
pretrained: 14
frozen backbone: 14
frozen layers change: 14
transfer learning frozen backbone bn: 14
dropout: 14
mc dropout: 14
onnx: 14
GAN: 15
small batch size: 16
val loss spikes: 17
ema weights: 17
teacher EMA: 17
SWA: 17
quantization: 17
gradient accumulation: 18
layernorm: 25
multigpu: 8
DDP different results: 8
shuffling the test set changes accuracy: 19
my loss is NaN: 20
loss goes to nan after few epochs: 20
exploding gradients: 22
RNN padding: 24
"""


def test_symptoms_lead_to_chapters(page: Page, site: str) -> None:
    page.goto(f"{site}/book/symptoms.html")
    total = page.locator("article tbody tr").count()
    shown = page.locator("article tbody tr:visible td:last-child")
    faults = []
    for phrasing in PHRASINGS.strip().splitlines():
        words, _, chapter = phrasing.rpartition(": ")
        page.get_by_label("What do you see?").fill(words)
        found = shown.all_inner_texts()
        if not any(re.search(rf"\b{chapter},", text) for text in found):
            faults.append(f"{words!r} leads to {found}, not to {chapter}")
        if len(found) > total / 3:
            faults.append(f"{words!r}: {len(found)} of {total} symptoms are no help")
    assert not faults, "\n".join(faults)
    # One row that happens to have all the words must not hide the others.
    page.get_by_label("What do you see?").fill("eval mode much worse than train")
    count = r"\d+ of \d+ symptoms (has|have) all of these words\. Close to them: \d+\."
    assert re.fullmatch(count, said(page)), said(page)


NARROWED = ["ledger.html?find=noise&sort=-replications", "symptoms.html?find=loss+nan"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("address", NARROWED)
def test_narrowed_pages_are_sound(
    browser: Browser, site: str, address: str, width: int, theme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    page = context.new_page()
    faults = watch(page, site)
    page.goto(f"{site}/book/{address}", wait_until="load")
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": tags, "preload": False})
    faults += [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found.response["violations"]]
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    context.close()
    assert not faults
    assert not wide, "scrolls sideways"


@pytest.mark.parametrize("name", ["ledger", "symptoms"])
@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_jumps_when_the_box_appears(
    browser: Browser, site: str, name: str, width: int
) -> None:
    """What stands below the box keeps its place."""
    tops = []
    for on in (False, True):
        context = browser.new_context(viewport={"width": width, "height": 800})
        page = context.new_page()
        if not on:
            page.route("**/find.js*", lambda route: route.abort())
        page.goto(f"{site}/book/{name}.html")
        page.evaluate("document.fonts.ready.then(() => true)")
        tops.append(page.locator(".bn-preamble").bounding_box()["y"])
        context.close()
    assert abs(tops[1] - tops[0]) < 12, f"jumps by {tops[1] - tops[0]:.0f} px"


def test_in_print_the_ledger_is_whole_and_fits_the_paper(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 less its margins
    page.goto(f"{site}/book/ledger.html?find=noise")
    page.emulate_media(media="print")
    assert made_table(page).locator("tbody tr:visible").count() == claims()
    for box in page.locator(".pst-scrollable-table-container").all():
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth + 1")
    cut = (
        made_table(page)
        .locator("th")
        .evaluate_all(
            "all => all.filter(th => th.scrollWidth > th.clientWidth + 1).map(th => th.textContent)"
        )
    )
    assert cut == []


def test_on_a_phone_a_list_sorts(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 740}, has_touch=True)
    page = context.new_page()
    lay_out_all(page)
    page.goto(f"{site}/book/ledger.html")
    page.get_by_label("Sort by").select_option("-chapter")
    first = made_table(page).locator("tbody tr").first
    chapters = [int(path.name[:2]) for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert first.locator("td").first.inner_text().startswith(f"{max(chapters)} ·")
    assert "Verdict: " in first.evaluate(
        "row => getComputedStyle(row.cells[4], '::before').content + row.cells[4].innerText"
    )
    context.close()


def test_the_search_of_the_whole_book_still_has_q(page: Page, site: str) -> None:
    """The theme's search takes ?q= for itself; the box must leave it alone."""
    assert HTML.is_dir()
    page.goto(f"{site}/search.html?q=variance")
    expect(page.locator("#search-results li, ul.search li").first).to_be_visible()
    assert "find.js" not in page.content()
