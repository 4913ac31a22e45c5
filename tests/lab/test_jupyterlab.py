"""Chapter 02 in a real JupyterLab: everything runs, its figure moves, its solutions stay folded.

One visit is made, in a thread of its own because Playwright allows one driver per thread and the
site's tests hold theirs; what was seen there is then tested piece by piece.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.chromium import FLAGS, MISSING, find_chromium
from tests.moving import check_minibatch, read_minibatch

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "02_normalizing_a_minibatch.ipynb"
TRAINING = """import time
from bnutils.seeds.progress import Progress
with Progress(40) as progress:
    for i in range(40):
        time.sleep(0.1)
        progress(i + 1)
"""
NOTEBOOK_WIDGET = "window.jupyterapp.shell.currentWidget.content"


@dataclass
class Visit:
    """What was seen in JupyterLab, in the order of seeing."""

    before_running: dict = field(default_factory=dict)  # is the picture, is the figure to be seen?
    cells: list[dict] = field(default_factory=list)  # the notebook once it has run
    after_running: dict = field(default_factory=dict)
    at_rest: dict = field(default_factory=dict)  # the figure's state, as read_minibatch has it
    after_mouse: dict = field(default_factory=dict)
    after_keys: dict = field(default_factory=dict)
    after_radio: dict = field(default_factory=dict)
    cells_after_keys: list[str] = field(default_factory=list)  # their ids
    focus_after_keys: str = ""
    after_rerun: dict = field(default_factory=dict)
    moved_after_rerun: dict = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)  # theme to background colour
    solutions: list[dict] = field(default_factory=list)
    progress: str = ""  # the cell's output while a long training runs, and afterwards
    progress_afterwards: str = ""


def start_server(folder: Path) -> tuple[subprocess.Popen, str]:
    """A JupyterLab of our own in ``folder``, as a new user would have it."""
    (folder / "home").mkdir()
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(folder / "home" / "config"),
        "JUPYTER_DATA_DIR": str(folder / "home" / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "home" / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "home" / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "home" / "workspaces"),
        "IPYTHONDIR": str(folder / "home" / "ipython"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    settings = folder / "home" / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    # The question whether to fetch Jupyter's news would stand in the way.
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    with (folder / "home" / "log").open("w") as log:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--ip=127.0.0.1", "--port=0", "--IdentityProvider.token=",
                "--ServerApp.password=", f"--ServerApp.root_dir={folder / 'work'}",
                "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
                "--LabApp.expose_app_in_browser=True",
            ],
            env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    runtime = folder / "home" / "runtime"
    for _ in range(240):
        for record in runtime.glob("jpserver-*.json"):
            url = json.loads(record.read_text() or "{}").get("url")
            if url and answers(url + "api"):
                return server, url
        if server.poll() is not None:
            break
        time.sleep(0.25)
    stop(server)
    pytest.fail("JupyterLab did not start:\n" + (folder / "home" / "log").read_text()[-3000:])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def stop(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


class Lab:
    """The open notebook: JupyterLab's own model of it, and its cells on the screen."""

    def __init__(self, page):
        self.page = page

    def ask(self, expression: str):
        return self.page.evaluate(
            f"() => {{ const notebook = {NOTEBOOK_WIDGET}; return {expression}; }}"
        )

    def command(self, name: str, arguments: str = "{}") -> None:
        """Run one of JupyterLab's commands and wait until it is through."""
        self.page.evaluate(
            f"""() => {{ window.done = false;
            window.jupyterapp.commands.execute("{name}", {arguments})
                .finally(() => {{ window.done = true; }}); }}"""
        )
        self.page.wait_for_function("window.done", timeout=150_000)

    def cells(self) -> list[dict]:
        return self.ask("notebook.model.sharedModel.toJSON().cells")

    def go_to(self, index: int):
        """Make a cell the active one and bring it into view; returns it."""
        self.ask(f"void (notebook.activeCellIndex = {index}, notebook.scrollToItem({index}))")
        cell = self.page.locator(f".jp-NotebookPanel .jp-Cell[data-windowed-list-index='{index}']")
        cell.wait_for()
        return cell


def tagged(cells: list[dict], tag: str) -> list[int]:
    return [i for i, cell in enumerate(cells) if tag in cell["metadata"].get("tags", [])]


def showing(cells: list[dict], call: str) -> int:
    """Which cell shows a figure by this call."""
    return next(i for i, cell in enumerate(cells) if call in "".join(cell["source"]))


def sight(cell) -> dict:
    """Which of the two, still picture and living figure, can be seen."""
    return {
        "picture": cell.locator(".jp-RenderedImage img").first.is_visible(),
        "figure": cell.locator(".bn-figure[data-alive]").is_visible(),
    }


def drag(page, figure, far: float) -> None:
    figure.locator("svg[role=img]").scroll_into_view_if_needed()
    box = figure.locator("[data-chosen][data-x]").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + far, y, steps=6)
    page.mouse.up()


def look(address: str, chromium: str) -> Visit:
    """Open the notebook as it is stored, run it all, and play with its figure."""
    from playwright.sync_api import sync_playwright

    seen = Visit()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(30_000)
        page.goto(f"{address}lab/tree/{NOTEBOOK.name}?reset")
        page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
        page.wait_for_function(f"{NOTEBOOK_WIDGET}?.model?.cells.length > 5")
        page.wait_for_function(
            "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status == 'idle'"
        )
        lab = Lab(page)
        index = showing(lab.cells(), "interactive.minibatch(")
        cell = lab.go_to(index)
        cell.locator(".jp-RenderedImage img").first.wait_for()
        seen.before_running = sight(cell)

        lab.command("notebook:run-all-cells")
        seen.cells = lab.cells()
        cell = lab.go_to(index)
        figure = cell.locator(".bn-figure[data-alive]")
        figure.wait_for()
        seen.after_running = sight(cell)
        play(page, lab, figure, seen)

        lab.go_to(index)
        lab.command("notebook:run-cell")
        figure.wait_for()
        seen.after_rerun = sight(cell)
        drag(page, figure, 50)
        seen.moved_after_rerun = read_minibatch(figure)

        for theme in ("JupyterLab Dark", "JupyterLab Light"):
            lab.command("apputils:change-theme", json.dumps({"theme": theme}))
            light = str("Light" in theme).lower()
            page.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")
            seen.cards[theme] = figure.evaluate("root => getComputedStyle(root).backgroundColor")

        for solution in tagged(seen.cells, "solution"):
            cell = lab.go_to(solution)
            seen.solutions.append(
                {
                    "folded": cell.locator(".jp-Placeholder").first.is_visible(),
                    "source": cell.locator(".cm-content").first.is_visible(),
                }
            )
        watch_a_training(lab, seen)
        browser.close()
    return seen


def watch_a_training(lab: Lab, seen: Visit) -> None:
    lab.command("notebook:insert-cell-below")
    lab.ask(f"void notebook.activeCell.model.sharedModel.setSource({json.dumps(TRAINING)})")
    cell = lab.go_to(lab.ask("notebook.activeCellIndex"))
    lab.ask("void window.jupyterapp.commands.execute('notebook:run-cell')")
    output = cell.locator(".jp-OutputArea-output")
    output.get_by_text("step").wait_for()
    seen.progress = output.inner_text().strip()
    lab.page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status == 'idle'"
    )
    seen.progress_afterwards = cell.locator(".jp-Cell-outputArea").inner_text().strip()


def play(page, lab: Lab, figure, seen: Visit) -> None:
    """By mouse; then by keys that JupyterLab would like to have for itself."""
    seen.at_rest = read_minibatch(figure)
    drag(page, figure, 50)
    seen.after_mouse = read_minibatch(figure)
    slider = figure.get_by_role("slider")
    slider.focus()
    # Of these, JupyterLab's command mode would take all but PageUp: "a" inserts a cell, the arrows
    # wander from cell to cell.
    for key in ["ArrowRight", "ArrowUp", "a", "PageUp", "ArrowRight"]:
        page.keyboard.press(key)
    seen.focus_after_keys = page.evaluate("document.activeElement.type ?? 'nothing'")
    seen.after_keys = read_minibatch(figure)
    figure.get_by_label("train").focus()
    page.keyboard.press("ArrowDown")
    seen.after_radio = read_minibatch(figure)
    seen.cells_after_keys = [cell["id"] for cell in lab.cells()]


@pytest.fixture(scope="module")
def visit(tmp_path_factory) -> Iterator[Visit]:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("lab")
    (folder / "work").mkdir()
    shutil.copy(NOTEBOOK, folder / "work")
    server, address = start_server(folder)
    try:
        with ThreadPoolExecutor(1) as thread:
            yield thread.submit(look, address, chromium).result()
    finally:
        stop(server)


def test_every_cell_ran_without_error(visit):
    code = [cell for cell in visit.cells if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    errors = [
        f"{output['ename']}: {output['evalue']}"
        for cell in code
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
    assert errors == []


def test_before_running_there_is_the_picture_and_then_the_figure(visit):
    """JupyterLab runs no script of a notebook that it has not seen run itself."""
    assert visit.before_running == {"picture": True, "figure": False}
    assert visit.after_running == {"picture": False, "figure": True}
    assert visit.after_rerun == {"picture": False, "figure": True}


def test_the_mouse_moves_the_figure(visit):
    assert not check_minibatch(visit.at_rest).any()
    for shown in (visit.after_mouse, visit.moved_after_rerun):
        moves = check_minibatch(shown)
        assert (np.abs(np.delete(moves, shown["chosen"])) > 1e-3).mean() > 0.5


def test_keys_move_the_figure_and_leave_the_notebook_alone(visit):
    before, after = visit.after_mouse, visit.after_keys
    check_minibatch(after)
    chosen = before["chosen"]
    assert after["x"][chosen] > before["x"][chosen]
    assert visit.focus_after_keys == "range"
    assert visit.after_radio["mode"] == "eval"
    assert visit.after_radio["readouts"]["moved"] == 0
    check_minibatch(visit.after_radio)
    assert visit.cells_after_keys == [cell["id"] for cell in visit.cells]


def test_the_figure_follows_the_theme(visit):
    assert visit.cards == {
        "JupyterLab Light": "rgb(255, 255, 255)",
        "JupyterLab Dark": "rgb(27, 31, 36)",
    }


def test_solutions_are_folded(visit):
    assert visit.solutions
    assert all(solution == {"folded": True, "source": False} for solution in visit.solutions)


def test_a_long_training_shows_how_far_it_is_and_wipes_itself(visit):
    assert re.fullmatch(r"step \d+ of 40", visit.progress)
    assert visit.progress_afterwards == ""
