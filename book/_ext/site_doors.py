"""The two pages outside the book: the site's bare address, and what a wrong address shows.

The bare address is the one that people pass on. It sends readers to the front page and, unlike
them, a messenger that asks for a title and a picture finds those of the front page. GitHub Pages
shows ``404.html`` wherever there is nothing, at any depth; hence its addresses are whole, and what
it looks like stands in it.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

# What a page says of itself in its head.
CARD = re.compile(
    r'<link\b[^>]*\brel="canonical"[^>]*>'
    r'|<meta\b[^>]*\b(?:name="description"|name="twitter:|property="og:)[^>]*>'
)
DOOR = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={front}">
<title>{title}</title>
{card}
</head>
<body><a href="{front}">{title}</a></body>
</html>
"""
LOST = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>No such page &#8212; {title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.15rem/1.6 Charter, Cambria, Georgia, serif; margin: 12vh auto; max-width: 34rem;
  padding: 0 1rem; background: light-dark(#fff, #14191d); color: light-dark(#20292f, #d9e0e4); }}
a {{ color: light-dark(#0d5f7d, #86cbe4); }}
</style>
</head>
<body>
<main>
<h1>There is no such page</h1>
<p>It may have been renamed, or the address has lost a letter.</p>
<ul>
<li><a href="{base}{front}">{title}</a>: the front page, with a map of all chapters</li>
<li><a href="{base}{symptoms}">The symptom index</a>: what you see, and what breaks</li>
<li><a href="{base}{search}">Search this book</a></li>
</ul>
</main>
</body>
</html>
"""
SYMPTOMS = "book/symptoms"

logger = logging.getLogger(__name__)


def write_doors(app: Sphinx, exception: Exception | None) -> None:
    """Write ``index.html``, unless the book has a page of that name, and ``404.html``."""
    if exception or app.builder.format != "html":
        return
    out, config = Path(app.outdir), app.config
    front, symptoms, search = map(app.builder.get_target_uri, (config.root_doc, SYMPTOMS, "search"))
    words = {
        "language": config.language,
        "title": html.escape(config.html_title),
        "base": html.escape(config.html_baseurl),
        "front": front,
        "symptoms": symptoms,
        "search": search,
    }
    for page in (front, symptoms, search):
        if not (out / page).is_file():
            logger.warning("doors: 404.html would lead to %s, which is not there", page)
    (out / "404.html").write_text(LOST.format(**words), encoding="utf-8")
    if config.root_doc == "index":
        return
    card = "\n".join(
        CARD.findall((out / front).read_text(encoding="utf-8").partition("</head>")[0])
    )
    for part in ('rel="canonical"', 'name="description"', 'property="og:image"'):
        if part not in card:
            logger.warning("doors: the front page's head has no %s to pass on", part)
    (out / "index.html").write_text(DOOR.format(card=card, **words), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", write_doors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
