"""Draw the picture that goes with a link to the book: ``python -m tools.preview``.

The logo and the title, 1200 by 630, drawn by Chromium. The picture is committed, so that building
the site needs no browser; draw it again when the logo changes.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.chromium import FLAGS, MISSING, find_chromium

STATIC = Path(__file__).resolve().parent.parent / "book" / "_static"
PAGE = """
<style>
  body { align-items: center; background: #f6f8f9; border-bottom: 18px solid #125a73;
         box-sizing: border-box;
         color: #20292f; display: flex; flex-direction: column; gap: 34px; height: 630px;
         justify-content: center; margin: 0; width: 1200px;
         font-family: Charter, "Bitstream Charter", "URW Palladio L", P052, "DejaVu Serif", serif; }
  svg { height: 286px; width: 520px; }
  h1 { font-size: 76px; letter-spacing: -1px; line-height: 1; margin: 0; }
  p { color: #52616b; font: 31px "DejaVu Sans", sans-serif; margin: 0; }
</style>
%s
<h1>The Perils of Batch Norm</h1>
<p>Every claim is an experiment that you can rerun</p>
"""


def main() -> int:
    """Draw and store the picture; return the exit code."""
    browser = find_chromium()
    if browser is None:
        print(MISSING, file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = window.new_page(viewport={"width": 1200, "height": 630})
        page.set_content(PAGE % (STATIC / "logo.svg").read_text(encoding="utf-8"))
        page.screenshot(path=STATIC / "preview.png")
        window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
