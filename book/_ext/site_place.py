"""Where a page stands: the book, its part, and its place in the part, in a line above its title."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

if TYPE_CHECKING:
    from sphinx_external_toc.api import SiteMap


def place(site_map: SiteMap, page: str) -> tuple[str, int, int] | None:
    """Return the caption of a page's part, its place there from 1, and the number of pages."""
    for part in site_map.root.subtrees:
        pages = [str(item).removesuffix(".md").removesuffix(".ipynb") for item in part.items]
        if page in pages and part.caption:
            return part.caption, pages.index(page) + 1, len(pages)
    return None


def on_the_map(env: BuildEnvironment, root: str, part: str) -> str | None:
    """Return the anchor of a part's heading on the front page, if it has one there."""
    for reference in env.tocs[root].findall(nodes.reference):
        if reference.astext() == part:
            return reference["anchorname"]
    return None


def add_place(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Put the line above the page's title."""
    found = place(app.env.external_site_map, pagename) if doctree else None
    if not found:
        return
    part, number, count = found
    root = app.config.root_doc
    anchor = on_the_map(app.env, root, part)
    front = app.builder.get_relative_uri(pagename, root)
    name = html.escape(part)
    part_link = f'<a href="{front}{anchor}">{name}</a>' if anchor else f"<span>{name}</span>"
    context["body"] = (
        '<nav class="bn-place d-print-none" aria-label="Breadcrumb"><ol>'
        f'<li><a href="{front}">{html.escape(app.config.html_title)}</a></li>'
        f"<li>{part_link}</li>"
        f'<li aria-current="page">{number} of {count}</li></ol></nav>\n' + context["body"]
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", add_place)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
