"""The built site, served on this machine, and one browser for all its tests."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from site_helpers import HTML, watch

from tests.chromium import FLAGS, MISSING, find_chromium


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing: the tests say what is wrong."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that leaves a page breaks connections: no reason to print a traceback."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the built site, without a closing slash."""
    if not (HTML / "book" / "intro.html").is_file():
        pytest.fail("The site is not built: run make book first.", pytrace=False)
    handler = functools.partial(Quiet, directory=str(HTML))
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or whatever of its kind is on the PATH."""
    path = find_chromium()
    if path is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A fresh page; a foreign request, a missing file or a script error fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    faults = watch(page, site)
    yield page
    context.close()
    assert not faults, "\n".join(faults)
