"""What the tests of the built site share."""

from __future__ import annotations

from pathlib import Path

import yaml
from playwright.sync_api import Page, Request, Response, Route

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"


def documents() -> list[str]:
    """Return the pages that `_toc.yml` lists, without suffix."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *(chapter["file"] for chapter in chapters)]


def watch(page: Page, site: str) -> list[str]:
    """Collect what a reader's browser should never meet; foreign requests are cut off.

    Returns a list that grows while the page is used.
    """
    faults: list[str] = []

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
