"""What the tests of the built site share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from playwright.sync_api import Page, Request, Response, Route

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
EXTENSIONS = ROOT / "book" / "_ext"


def documents() -> list[str]:
    """Return the pages that `_toc.yml` lists, without suffix."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *(chapter["file"] for chapter in chapters)]


def lay_out_all(page: Page) -> None:
    """Have each page of a tab laid out whole, also far from the window.

    What is not laid out has no text and no up-to-date style for a test to read, though it has for
    a reader who comes near; `test_speed` goes through pages as they are.
    """
    page.add_init_script(
        """const sheet = new CSSStyleSheet();
           sheet.replaceSync("* { content-visibility: visible !important }");
           document.adoptedStyleSheets = [sheet];"""
    )


def watch(page: Page, site: str) -> list[str]:
    """Collect what a reader's browser should never meet; foreign requests are cut off.

    Pages are laid out whole. Returns a list that grows while the page is used.
    """
    faults: list[str] = []
    lay_out_all(page)

    def request(route: Route, request: Request) -> None:
        if request.url.startswith((site, "data:", "blob:")):
            route.continue_()
        else:
            faults.append(f"foreign request: {request.url}")
            route.abort()

    def response(response: Response) -> None:
        if response.status >= 400:
            faults.append(f"{response.status}: {response.url}")

    page.route("**/*", request)
    page.on("response", response)
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on(
        "console",
        lambda message: (
            faults.append(f"console {message.type}: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    return faults


def small_site(
    root: Path, index: str, extensions: list[str], settings: str = ""
) -> subprocess.CompletedProcess:
    """Build a site of one page, `index` in Markdown, below `root`; the pages go to `root / "h"`.

    `settings` are further lines of its conf.py.
    """
    (root / "conf.py").write_text(
        f"import sys; sys.path.insert(0, {str(EXTENSIONS)!r})\n"
        f"extensions = {extensions!r}\n"
        "myst_enable_extensions = ['amsmath', 'dollarmath']\n"
        "html_theme = 'basic'\n"
        "exclude_patterns = ['h', 'jupyter_execute']\n"
        + ("nb_execution_mode = 'off'\n" if "myst_nb" in extensions else "")
        + ("html_math_renderer = 'temml'\n" if "site_math" in extensions else "")
        + settings,
        encoding="utf-8",
    )
    page = root / "index.md"
    if not page.is_file() or page.read_text(encoding="utf-8") != index:  # else it stays as old
        page.write_text(index, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    command += [str(root), str(root / "h")]
    return subprocess.run(command, capture_output=True, text=True, check=False)
