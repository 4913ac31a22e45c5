"""A box that narrows and sorts the tables of its page, without a kernel.

The directive ``find`` marks the place and says what can be asked; ``_static/find.js``, loaded by
pages with such a box alone, does the rest. Where no script runs there is no box, and the tables
stand whole.

    ```{find}
    ---
    noun: symptoms
    prompt: What do you see?
    synonyms: |
      gpu cuda device
    filters: Contract, Verdict
    sort: Chapter, Verdict
    ---
    What to do when nothing matches, in Markdown.
    ```
"""

from __future__ import annotations

import html
import json

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

MARK = '<div class="bn-find'


def names(text: str | None) -> list[str]:
    """``"Chapter, Verdict"`` as a list."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def groups(text: str | None) -> list[list[str]]:
    """Synonyms, a line each: lower-case words that stand for each other."""
    found = [line.split() for line in (text or "").splitlines()]
    for line in found:
        for word in line:
            if not word.isalnum() or word != word.lower():
                raise ValueError(f"synonym {word!r}: give lower-case words without punctuation")
    return [line for line in found if line]


class Find(SphinxDirective):
    """``find``: the box, and below it what to say when nothing matches."""

    has_content = True
    option_spec = {
        "noun": directives.unchanged_required,  # what a row is, in the plural
        "prompt": directives.unchanged_required,  # the label of the search field
        "synonyms": groups,  # words that stand for each other, a line each
        "filters": names,  # columns to choose values of
        "sort": names,  # columns to sort by
        "order": directives.unchanged_required,  # what the rows' own order is called
        "closest": directives.flag,  # show rows that lack a word or two as well, the best first
        "apart": directives.unchanged_required,  # id of a section that is counted by itself
    }

    def run(self) -> list[nodes.Node]:
        missing = {"noun", "prompt"} - set(self.options)
        if missing or not self.content:
            what = ", ".join(sorted(missing)) or "words for when nothing matches"
            raise self.error(f"find: needs {what}")
        settings = {
            "synonyms": [],
            "filters": [],
            "sort": [],
            "order": "page order",
            "apart": "",
            "label": f"Find {self.options['noun']}",
        } | self.options
        settings["closest"] = "closest" in self.options
        many = " bn-many" if settings["filters"] else ""  # its room is kept free until it is there
        data = html.escape(json.dumps(settings, ensure_ascii=False), quote=True)
        holder = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, holder)
        return [
            nodes.raw(
                "", f'{MARK}{many}" data-find="{data}"><div class="bn-none" hidden>', format="html"
            ),
            *holder.children,
            nodes.raw("", "</div></div>", format="html"),
        ]


def load_where_needed(
    app: Sphinx, pagename: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Give the script to pages that have the box, and to no other."""
    if MARK in context.get("body", ""):
        app.add_js_file("find.js", defer="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("find", Find)
    app.connect("html-page-context", load_where_needed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
