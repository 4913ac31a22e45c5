"""What a page sends for before it shows: one stylesheet, small fonts, no script that it waits for.

Works on the pages once they are all written, since what the stylesheet and the fonts must hold
depends on all of them. The theme is asked for nothing: its pages are read, its stylesheets joined
(``site_css``), its fonts cut (``site_fonts``). Where a page then still has what was to go, or a
font is new, the theme has changed, and the build says so (an error under ``-W``).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import site_css
import site_fonts
import tinycss2
from sphinx.application import Sphinx
from sphinx.util import logging
from tinycss2.ast import AtRule, Declaration, Node

STYLESHEET = "book.css"
FONTS = "fonts"
# Only search.html needs these. The theme puts them on every page, 100 KB and more.
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
OPTIONS = "documentation_options.js"  # read by scripts within the page, hence put there itself
# Sheets and scripts that no page asks for any more need not be looked through.
UNUSED = ("fontawesome.js",)

# The theme lays the whole page out, far sections too, to find what scrolls; site.js takes its time.
SCROLL_SEARCH = re.compile(
    r"\b\w+\.tabIndex=\w+\.scrollWidth>\w+\.clientWidth"
    r"\|\|\w+\.scrollHeight>\w+\.clientHeight\?0:-1"
)
THEME_SCRIPT = "scripts/pydata-sphinx-theme.js"

LINK = re.compile(r'[ \t]*<link\b[^>]*\brel="stylesheet"[^>]*>\n?')
PRELOAD = re.compile(r'[ \t]*<link\b[^>]*\brel="preload"[^>]*\bas="script"[^>]*>\n?')
SCRIPT = re.compile(
    r'(?P<indent>[ \t]*)<script\b(?P<before>[^>]*?)\s+src="(?P<src>[^"]+)"'
    r"(?P<after>[^>]*)></script>"
)
# Ours, with the fonts to be fetched early behind it.
OURS = re.compile(
    rf'<link rel="stylesheet" href="(?P<static>[^"]*){STYLESHEET}[^"]*">'
    r'(?:<link rel="preload"[^>]*>)*'
)
EARLY = '<link rel="preload" href="{}" as="font" type="font/woff2" crossorigin>'

logger = logging.getLogger(__name__)


def local(address: str) -> str:
    """Return a local address without its version."""
    return address.split("?")[0]


def stylesheets(html: str) -> list[str]:
    """Return the addresses of a page's stylesheets."""
    links = LINK.findall(html)
    return [local(re.search(r'\bhref="([^"]+)"', link)[1]) for link in links]


def hastened(html: str, options: str) -> str:
    """Return a page with room for the one stylesheet, and with scripts that it need not wait for.

    Parameters
    ----------
    html
        A page as the theme writes it.
    options
        The text of documentation_options.js.
    """
    static = re.search(r'href="([^"]*_static/)', LINK.search(html)[0])[1]
    html = LINK.sub(f'  <link rel="stylesheet" href="{static}{STYLESHEET}">\n', html, count=1)
    first = OURS.search(html).end()
    html = html[:first] + PRELOAD.sub("", LINK.sub("", html[first:]))
    searches = 'id="search-results"' in html

    def deferred(match: re.Match[str]) -> str:
        name = local(match["src"]).rsplit("/", 1)[-1]
        if name in SEARCH and not searches:
            return ""
        if name == OPTIONS:
            return f"{match['indent']}<script>{options}</script>"
        others = re.sub(r'\s+(defer|async)(="[^"]*")?', "", match["before"] + match["after"])
        return f'{match["indent"]}<script defer src="{match["src"]}"{others}></script>'

    return SCRIPT.sub(deferred, html)


def faults(html: str) -> list[str]:
    """Say what a finished page still waits for."""
    found = []
    head = html.partition("</head>")[0]
    sheets = re.findall(r"<link\b[^>]*stylesheet[^>]*>", html)
    if len(sheets) != 1 or STYLESHEET not in sheets[0] or "@import" in head:
        found.append(f"its stylesheets are not one: {' '.join(sheets) or 'none'}")
    for script in re.findall(r"<script\b[^>]*\ssrc=[^>]*>", html):
        if not re.search(r"\sdefer\b", script):
            found.append(f"a script that the page waits for: {script}")
        if 'id="search-results"' not in html and any(name in script for name in SEARCH):
            found.append(f"the search index where nobody searches: {script}")
    if re.search(r'<link\b[^>]*rel="?preload"?[^>]*as="?script', html):
        found.append("a script is preloaded")
    return found


def with_fonts_cut(sheet: list[Node], static: Path, pages: list[str]) -> list[str]:
    """Cut the fonts of a stylesheet, in place; return the addresses of those to be fetched early.

    Icons are written into the stylesheet, the others below ``static``.
    """
    strings = (
        token.value for rule in sheet for token in site_css.tokens(rule) if token.type == "string"
    )
    letters = {
        site_fonts.ICONS: frozenset(string for string in strings if len(string) == 1),
        site_fonts.MATHEMATICS: frozenset(site_fonts.letters_of_formulas(pages)),
    }
    early, seen = [], set()
    for face in (node for node in sheet if is_face(node)):
        declarations = tinycss2.parse_blocks_contents(
            face.content, skip_comments=True, skip_whitespace=True
        )
        values = {d.lower_name: d for d in declarations if isinstance(d, Declaration)}
        family = "".join(
            token.value if token.type in ("string", "ident") else " "
            for token in values["font-family"].value
        ).strip()
        source = re.search(r'url\("?([^")]+\.woff2)', tinycss2.serialize(values["src"].value))
        kind = site_fonts.FACES.get(family)
        if kind is None or source is None:
            logger.warning("speed: a font that site_fonts does not know: %s", family)
            continue
        seen.add(family)
        font = site_fonts.cut(static / source[1], letters[kind])
        if kind == site_fonts.ICONS:
            address, display = site_fonts.as_address(font), "block"
        else:
            # A late font would move the lines of a page that is being read: in time or not at all.
            address, display = store(static / FONTS / Path(source[1]).name, font), "optional"
            early.append(address)
        kept = [d for name, d in values.items() if name not in ("src", "font-display")]
        text = f'{site_css.serialized(kept)}src:url("{address}") format("woff2");'
        face.content = tinycss2.parse_component_value_list(f"{text}font-display:{display}")
    for family in sorted(site_fonts.FACES.keys() - seen):
        logger.warning("speed: no stylesheet brings the font %s any more", family)
    return early


def is_face(node: Node) -> bool:
    return isinstance(node, AtRule) and node.lower_at_keyword == "font-face"


def store(path: Path, content: bytes) -> str:
    """Write a file; return its address in the folder of static files, with its version."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    folder = f"{FONTS}/" if path.parent.name == FONTS else ""
    return f"{folder}{path.name}?v={hashlib.sha256(content).hexdigest()[:8]}"


def without_scroll_search(script: Path) -> None:
    """Take from the theme's script what ``SCROLL_SEARCH`` finds."""
    text = script.read_text(encoding="utf-8") if script.is_file() else ""
    text, count = SCROLL_SEARCH.subn("0", text)
    if count != 1:
        logger.warning("speed: %s has changed: what looked for scrollers is not there", script.name)
        return
    script.write_text(text, encoding="utf-8")


def hasten(app: Sphinx, exception: Exception | None) -> None:
    """Join the stylesheets, cut the fonts, and see to every page that was written."""
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    paths = [path for path in out.rglob("*.html") if "_static" not in path.parts]
    pages = {path: path.read_text(encoding="utf-8") for path in paths}
    # Where a page only sends the reader on, there is nothing to see to.
    pages = {path: html for path, html in pages.items() if LINK.search(html)}
    fresh = {path: html for path, html in pages.items() if not OURS.search(html)}
    if not fresh:
        return
    sheets = list(
        dict.fromkeys(
            (path.parent / address).resolve()
            for path, html in fresh.items()
            for address in stylesheets(html)
        )
    )
    without_scroll_search(static / THEME_SCRIPT)
    options = (static / OPTIONS).read_text(encoding="utf-8")
    pages |= {path: hastened(html, options) for path, html in fresh.items()}

    scripts = [
        path.read_text(encoding="utf-8")
        for path in static.rglob("*.js")
        if path.name not in UNUSED and "locales" not in path.parts
    ]
    words = site_css.Words.of(pages.values(), scripts)
    try:
        sheet = [rule for path in sheets for rule in site_css.read(path, static.resolve())]
    except (OSError, ValueError) as error:
        logger.warning("speed: the stylesheets cannot be joined: %s", error)
        return
    sheet = site_css.without_idle_properties(site_css.purged(sheet, words), words)
    early = with_fonts_cut(sheet, static, list(pages.values()))
    names = " ".join(path.relative_to(static.resolve()).as_posix() for path in sheets)
    text = f"/* What the pages use of {names} */\n{site_css.serialized(sheet)}"
    address = store(static / STYLESHEET, text.encode())

    for path, html in pages.items():
        fonts = early if "<math" in html else []

        def links(match: re.Match[str], fonts: list[str] = fonts) -> str:
            ours = f'<link rel="stylesheet" href="{match["static"]}{address}">'
            return ours + "".join(EARLY.format(match["static"] + font) for font in fonts)

        html = OURS.sub(links, html)
        for fault in faults(html):
            logger.warning("speed: %s: %s", path.relative_to(out), fault)
        path.write_text(html, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    # After the theme, which writes pygments.css at this event.
    app.connect("build-finished", hasten, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
