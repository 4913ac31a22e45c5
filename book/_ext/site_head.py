"""What a search engine, or a message with a link to a page, shows of it.

Each page gets its own description and its address, a picture and its words for previews, and the
site a sitemap. The address is where GitHub Pages publishes the repository named in ``_config.yml``.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

PREVIEW = "preview.png"  # made by tools/preview.py
PREVIEW_SIZE = (1200, 630)
PREVIEW_WORDS = "The Perils of Batch Norm: a bell curve that leans towards one example far out"
LONGEST = 200  # letters of a description; search engines cut what is longer

logger = logging.getLogger(__name__)


def published_at(repository: str) -> str:
    """Return the address at which GitHub Pages publishes a repository, with a closing slash.

    Raises
    ------
    ValueError
        If it is not the address of a repository on GitHub.
    """
    match = re.fullmatch(r"https://github\.com/([\w-]+)/([\w.-]+?)/?", repository)
    if not match:
        raise ValueError(f"{repository!r} is not like https://github.com/owner/name")
    owner, name = match.groups()
    host = f"{owner}.github.io"
    return f"https://{host}/" if name.lower() == host.lower() else f"https://{host}/{name}/"


def set_address(app: Sphinx, config: Config) -> None:
    """Give Sphinx the address of the site, unless the settings name another."""
    if config.html_baseurl:
        return
    try:
        config.html_baseurl = published_at(config.html_theme_options.get("repository_url", ""))
    except ValueError as error:
        logger.warning("head: repository.url in _config.yml: %s", error)


def words(node: nodes.Node) -> str:
    """Return what a reader reads in a node, in one line; empty if there are formulas in it."""
    if any(isinstance(part, nodes.math) for part in node.findall()):
        return ""
    node = node.deepcopy()
    for reference in list(node.findall(pending_xref)):
        if reference["refdomain"] == "cite":  # so far no more than its key
            reference.parent.remove(reference)
    return re.sub(r"\s+([,.;:])", r"\1", " ".join(node.astext().split()))


def shortened(text: str, longest: int = LONGEST) -> str:
    """Cut a text after a word, with an ellipsis, if it is too long."""
    if len(text) <= longest:
        return text
    return text[: longest - 1].rpartition(" ")[0].rstrip(" ,;:") + "\u2026"


def description(doctree: nodes.document) -> str:
    """Say what a page is about: its first paragraph, or the first thing that a chapter teaches."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = words(paragraph)
        if len(text.split()) < 4:  # a button
            continue
        follows = paragraph.next_node(descend=False, siblings=True)
        if isinstance(follows, nodes.bullet_list) and text.startswith("After this chapter"):
            taught = [item for item in map(words, follows.children) if item]
            return shortened(f"{text} {taught[0].rstrip(';.')}.") if taught else ""
        return shortened(text)
    return ""


def describe(app: Sphinx, doctree: nodes.document) -> None:
    """Put a page's own description in place of the site's; the front page keeps that."""
    own = description(doctree)
    if own and app.env.docname != app.config.root_doc:
        for meta in doctree.findall(nodes.meta):
            if meta.get("name") == "description":
                meta["content"] = own


def add_preview(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Add the words and the picture that go with a link to a page (https://ogp.me)."""
    if doctree is None:  # the search page and the index, which nobody passes on
        about = html.escape(app.config.myst_html_meta.get("description", ""))
        tag = f'<meta name="description" content="{about}">'
        context["metatags"] = context.get("metatags", "") + tag
        return
    if not app.config.html_baseurl:
        return
    about = next(
        (m["content"] for m in doctree.findall(nodes.meta) if m.get("name") == "description"), ""
    )
    front = pagename == app.config.root_doc
    width, height = PREVIEW_SIZE
    properties = {
        "og:type": "website" if front else "article",
        "og:site_name": app.config.html_title,
        "og:title": html.unescape(re.sub("<[^>]*>", "", context["title"])),
        "og:description": about,
        "og:url": app.config.html_baseurl + app.builder.get_target_uri(pagename),
        "og:image": f"{app.config.html_baseurl}_static/{PREVIEW}",
        "og:image:width": width,
        "og:image:height": height,
        "og:image:alt": PREVIEW_WORDS,
    }
    tags = [
        f'<meta property="{name}" content="{html.escape(str(value))}">'
        for name, value in properties.items()
    ]
    tags.append('<meta name="twitter:card" content="summary_large_image">')
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags, ""])


def write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    """List the pages of the book for search engines (https://www.sitemaps.org/protocol.html)."""
    if exception or app.builder.format != "html" or not app.config.html_baseurl:
        return
    addresses = (
        html.escape(app.config.html_baseurl + app.builder.get_target_uri(page))
        for page in sorted(app.env.found_docs)
    )
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
        *(f"<url><loc>{address}</loc></url>" for address in addresses),
        "</urlset>",
    ]
    (Path(app.outdir) / "sitemap.xml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not (Path(app.outdir) / "_static" / PREVIEW).is_file():
        logger.warning("head: the picture for previews is missing: %s", PREVIEW)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", set_address)
    app.connect("doctree-read", describe)
    app.connect("html-page-context", add_preview)
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
