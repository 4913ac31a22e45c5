"""The colophon's tables: with what, on what, when and from which commit the book was made.

Nothing is written by hand. ``recorded/provenance.json`` tells where the stored outputs come from,
the other files of ``recorded/`` carry their own circumstances, and what builds the site is asked
for its version. The directive ``colophon`` shows one part: ``versions``, ``chapters``, ``records``
or ``replications``.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

BUILDERS = ("jupyter-book", "Sphinx", "myst-nb", "sphinx-book-theme")
SHOWN = 10  # digits of a commit

logger = logging.getLogger(__name__)


def read_provenance(root: Path) -> dict[str, dict]:
    """Where the stored outputs come from, by notebook; none without the file."""
    path = root / "recorded" / "provenance.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def read_records(root: Path) -> list[tuple[str, str, dict]]:
    """Each entry of each record: its file's name, what was measured, and the entry."""
    found = []
    for path in sorted((root / "recorded").glob("*.json")):
        if path.name == "provenance.json":
            continue
        record = json.loads(path.read_text(encoding="utf-8"))
        for entry in record.get("entries", [record]):
            found.append((path.name, record.get("what", ""), entry))
    return found


def versions_by_package(provenance: dict[str, dict]) -> dict[str, dict[str, list[str]]]:
    """For each package its versions, and for each version the chapters that it ran."""
    found: dict[str, dict[str, list[str]]] = {}
    for notebook, entry in sorted(provenance.items()):
        for package, number in entry["versions"].items():
            found.setdefault(package, {}).setdefault(number, []).append(notebook)
    return found


def device(entry: dict) -> str:
    """A record's device in words; old records name it by kind."""
    named = entry["device"]
    return named["name"] if "name" in named else ", ".join(named.values())


def short(commit: str) -> str:
    """A commit's first digits, and what was said of it."""
    digits, _, remark = commit.partition(" ")
    return f"{digits[:SHOWN]} {remark}".rstrip()


def chapter(notebook: str) -> str:
    """``"2"`` of ``"02_normalizing_a_minibatch"``."""
    return notebook.partition("_")[0].lstrip("0")


def head(root: Path) -> str:
    """The commit that the site is built from; empty where there is no git to ask."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "HEAD")
        changed = commit and git("status", "--porcelain", "--untracked-files=no")
    except OSError:
        return ""
    return short(f"{commit} with changes" if changed else commit)


class Colophon(SphinxDirective):
    """``colophon``: one part of what is known of the book's making."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # records change without this page changing
        parts = {
            "versions": self.versions,
            "chapters": self.chapters,
            "records": self.records,
            "replications": self.replications,
        }
        part = directives.choice(self.arguments[0], tuple(parts))
        return parts[part](Path(self.env.srcdir))

    def versions(self, root: Path) -> list[nodes.Node]:
        rows = []
        for package, numbers in versions_by_package(read_provenance(root)).items():
            for number, notebooks in numbers.items():
                chapters = ", ".join(map(chapter, notebooks))
                where = "all chapters" if len(numbers) == 1 else f"chapters {chapters}"
                rows.append([package, number, where])
        rows += [[package, version(package), "the site"] for package in BUILDERS]
        built = head(root)
        found = [table(["Package", "Version", "What it ran"], rows, "bn-facts")]
        if built:
            found.append(self.says(f"These pages were built from commit `{built}`."))
        return found

    def chapters(self, root: Path) -> list[nodes.Node]:
        provenance = read_provenance(root)
        rows = []
        docs = (doc for doc in sorted(self.env.found_docs) if doc.startswith("notebooks/"))
        for doc in docs:
            entry = provenance.get(name := doc.removeprefix("notebooks/"))
            if entry is None:
                logger.warning(
                    "colophon: recorded/provenance.json does not know %s; run make refresh NB=%s",
                    doc,
                    name[:2],
                    location=self.get_location(),
                )
                continue
            link = f"[{self.title(Path(self.env.doc2path(doc)))}](/{doc}.ipynb)"
            on = f"{entry['device']}, {entry['processor']}"
            rows.append([link, entry["date"], on, f"{entry['cpu_seconds']:.0f}"])
        total = sum(float(row[-1]) for row in rows)
        rows.append(["All chapters", "", "", f"{total:.0f}"])
        parsed = [[self.markdown(row[0]), *row[1:]] for row in rows]
        return [table(["Chapter", "Last run", "Device", "CPU-seconds"], parsed, "bn-facts")]

    def records(self, root: Path) -> list[nodes.Node]:
        rows = []
        for name, what, entry in read_records(root):
            seconds = entry.get("cpu seconds")
            what = what.partition(";")[0] or "made"
            made = f"{entry['date']}, torch {entry['versions']['torch']}, commit"
            rows.append(
                [
                    self.markdown(f"{what}, by `{entry['command']}`, in `recorded/{name}`"),
                    device(entry),
                    self.markdown(f"{made} `{short(entry['commit'])}`"),
                    "not counted" if seconds is None else f"{seconds:.0f}",
                ]
            )
        found = table(["Record", "Device", "Made", "CPU-seconds"], rows, "bn-records")
        found["classes"].append("bn-stack")
        return [found]

    def replications(self, root: Path) -> list[nodes.Node]:
        path = root / "recorded" / "replications.csv"
        rows = []
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
        if not rows:
            return [nodes.paragraph("", "No claim has been replicated yet.")]
        dates = sorted({row["date"] for row in rows})
        when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
        failed = sum(row["verdict"] == "fails" for row in rows)
        return [
            self.says(
                f"So far `recorded/replications.csv` holds {len(rows)} outcomes, {failed} of them "
                f"failures, on {len({row['seed'] for row in rows})} seeds, which came from "
                f"{len({row['commit'] for row in rows})} commits ({when})."
            )
        ]

    def title(self, path: Path) -> str:
        text = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        heading = re.search(r"^# +(.+)$", text, flags=re.MULTILINE)
        return heading[1].strip() if heading else path.stem

    def markdown(self, text: str) -> list[nodes.Node]:
        holder = nodes.Element()
        self.state.nested_parse(StringList([text], self.get_source_info()[0]), 0, holder)
        return holder.children

    def says(self, text: str) -> nodes.Node:
        (paragraph,) = self.markdown(text)
        return paragraph


def table(headings: list[str], rows: list[list], look: str) -> nodes.container:
    """A table of docutils; a cell is text, or nodes that were parsed already."""

    def row(cells: list) -> nodes.row:
        contents = ([nodes.paragraph("", c)] if isinstance(c, str) else c for c in cells)
        return nodes.row("", *(nodes.entry("", *content) for content in contents))

    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in headings), cols=len(headings))
    group += nodes.thead("", row(headings))
    group += nodes.tbody("", *map(row, rows))
    return nodes.container("", nodes.table("", group, classes=["colwidths-auto"]), classes=[look])


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("colophon", Colophon)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
