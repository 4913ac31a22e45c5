"""The theme's faults, mended as each page is written.

Every mend is a text replacement in the theme's HTML with a ``sign``: where the sign is on a page,
the replacement must find its place, else the theme has changed, and the build says so (an error
under ``-W``). Pictures get their size, so that nothing jumps, and load when they are needed.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mend:
    """Replace ``pattern`` by ``by`` on pages that hold ``sign`` (an empty sign: on every page)."""

    fault: str
    pattern: str
    by: str
    sign: str = ""


MENDS = [
    Mend(
        "1.5 MB of script that draws icons which the stylesheet draws as well",
        r"<script[^>]*fontawesome\.js[^>]*></script>",
        "",
    ),
    Mend(
        "without scripts no theme applies",  # with them, the reader's does before anything shows
        r'(<html[^>]*) data-theme="auto"',
        r'\1 data-theme="light"',
    ),
    Mend(
        "the search button's label is not its visible text",
        r'(<button class="btn search-button-field[^>]*?) aria-label="Search"',
        r"\1",
        sign="search-button-field",
    ),
    Mend(
        "the sidebar is outside every landmark",
        r'<div id="pst-primary-sidebar" class="([^"]*)">',
        r'<div id="pst-primary-sidebar" class="\1" role="complementary" aria-label="Site">',
    ),
    Mend(
        "the label of a folded cell hides its visible text",
        r'(<summary)\s+aria-label="Toggle hidden content"',
        r"\1",
        sign='aria-label="Toggle hidden content"',
    ),
    Mend(
        "the role doc-biblioentry is deprecated",
        r'role="doc-biblioentry"',
        'role="listitem"',
        sign="doc-biblioentry",
    ),
    Mend(
        "the logo of a button that is already named is read out",
        r'<img alt="[^"]*" (src="[^"]*logo_colab\.png")',
        r'<img alt="" width="24" height="24" \1',
        sign="logo_colab.png",
    ),
]


def mended(html: str, pagename: str) -> str:
    """Return the page without the theme's faults; warn of mends that found no place."""
    for mend in MENDS:
        if mend.sign in html:
            html, count = re.subn(mend.pattern, mend.by, html)
            if not count:
                logger.warning(
                    "theme: on %s this mend finds nothing to mend, the theme must have changed: %s",
                    pagename,
                    mend.fault,
                )
    return html


def png_size(path: Path) -> tuple[int, int] | None:
    """Read width and height from a PNG's header; ``None`` if it is no PNG."""
    with path.open("rb") as file:
        head = file.read(24)
    return struct.unpack(">II", head[16:24]) if head[:8] == b"\x89PNG\r\n\x1a\n" else None


def with_sizes(html: str, app: Sphinx) -> str:
    """Give the page's own PNG pictures width, height and lazy loading."""
    sources = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}

    def sized(match: re.Match[str]) -> str:
        source = sources.get(match["name"])
        size = png_size(source) if source and source.is_file() else None
        if size is None or " width=" in match[0]:
            return match[0]
        return f'{match["start"]} width="{size[0]}" height="{size[1]}" loading="lazy"{match["end"]}'

    return re.sub(
        r'(?P<start><img\b[^>]*_images/(?P<name>[^"/]+\.png)"[^>/]*)(?P<end>\s*/?>)', sized, html
    )


def mend_pages(app: Sphinx) -> None:
    """Mend each page on its way from the template to the file."""
    if app.builder.format != "html":
        return
    templates = app.builder.templates
    render = templates.render

    def render_and_mend(template: str, context: dict) -> str:
        html = render(template, context)
        if "</html>" in html:  # the theme renders parts of pages by the same call
            html = with_sizes(mended(html, context.get("pagename", template)), app)
        return html

    templates.render = render_and_mend


def no_foreign_pictures(app: Sphinx, doctree: nodes.document) -> None:
    """Turn the Colab badge into a link of our own; report any other picture from outside."""
    for image in list(doctree.findall(nodes.image)):
        uri = image["uri"]
        if uri == COLAB_BADGE:
            image.parent["classes"].append("bn-button")
            image.replace_self(nodes.Text("Open in Colab"))
        elif "://" in uri:
            logger.warning("a picture from another host: %s", uri, location=image)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", mend_pages)
    app.connect("doctree-read", no_foreign_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
