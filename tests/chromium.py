"""Where Chromium is, and how it is started: headless, as root too, and silent on the network."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = f"no browser: none of {', '.join(NAMES)} is on the PATH"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Return the path of Debian's Chromium, or of whatever of its kind is on the PATH."""
    return next(filter(None, map(shutil.which, NAMES)), None)
