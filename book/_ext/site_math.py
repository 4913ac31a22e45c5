"""Mathematics, drawn while the site is built: TeX to native MathML.

Temml (a small JavaScript library, vendored beside this file) runs inside the ``quickjs`` wheel, so
neither the build nor a reader's browser needs anything from outside. Faulty TeX is a warning with
file and line, hence an error under ``-W``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import quickjs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html import HTML5Translator

TEMML = Path(__file__).parent / "temml"
VENDORED = [
    "temml.min.js",
    "LICENSE",
    "static/temml/LICENSE",
    "static/temml/Temml-Latin-Modern.css",
    "static/temml/Temml.woff2",
    "static/temml/latinmodernmath.woff2",
    "static/temml/GUST-FONT-LICENSE.txt",
]

logger = logging.getLogger(__name__)


@cache
def engine() -> Callable[[str, bool], str]:
    """Return Temml's renderer, ``(tex, display) -> MathML``; it raises on faulty TeX."""
    context = quickjs.Context()
    context.eval((TEMML / "temml.min.js").read_text(encoding="utf-8"))
    context.eval(
        """function render(tex, displayMode) {
             return temml.renderToString(tex, {displayMode, throwOnError: true, strict: true});
           }"""
    )
    return context.get("render")


def to_mathml(tex: str, display: bool = False) -> str:
    """Convert TeX to MathML; raise ``ValueError`` with Temml's own words if it cannot."""
    try:
        return engine()(tex, display)
    except quickjs.JSException as error:
        # Temml underlines the faulty spot with combining marks; a terminal shows them as noise.
        reason = str(error).split("\n    at ")[0].replace("\u0332", "")
        raise ValueError(re.sub(r"^(\w+Error:)+\s*", "", reason).strip()) from None


def place(node: nodes.Node) -> tuple[str, int] | None:
    """Return source and line of ``node`` or of the nearest ancestor that knows them."""
    while node is not None:
        if getattr(node, "source", None) and getattr(node, "line", None):
            return node.source, node.line
        node = node.parent
    return None


def rendered(node: nodes.Element, tex: str, display: bool) -> str:
    """Render one formula; report a faulty one and stand its source in for it."""
    try:
        return to_mathml(tex, display)
    except ValueError as error:
        location = place(node)
        if location and location[0].endswith(".ipynb"):
            # myst-nb counts 10000 lines a cell.
            cell, line = divmod(location[1], 10_000)
            location = f"{location[0]}, cell {cell}, line {line}"
        elif location:
            location = f"{location[0]}:{location[1]}"
        logger.warning("mathematics: %s in: %s", error, tex.strip(), location=location)
        return f"<code>{html.escape(tex)}</code>"


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(rendered(node, node.astext(), display=False))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    tex = node.astext()
    if node["number"]:
        # Sphinx numbers the equation, so Temml must not: \begin{align} -> \begin{align*}.
        tex = re.sub(r"\\(begin|end)\{(equation|align|gather|multline)\}", r"\\\1{\2*}", tex)
    self.body.append(self.starttag(node, "div", CLASS="bn-equation"))
    self.body.append(f'<div class="bn-scroll">{rendered(node, tex, display=True)}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})</span>')
    self.body.append("</div>\n")
    raise nodes.SkipNode


def check_vendored(app: Sphinx) -> None:
    missing = [name for name in VENDORED if not (TEMML / name).is_file()]
    if missing:
        raise ExtensionError(f"mathematics: missing below {TEMML}: {', '.join(missing)}")
    app.config.html_static_path.append(str(TEMML / "static"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("temml", (visit_inline, None), (visit_block, None))
    app.add_css_file("temml/Temml-Latin-Modern.css")
    app.connect("builder-inited", check_vendored)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
