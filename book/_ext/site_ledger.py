"""The claims ledger: every claim of the book, how it came out, and how it fared on other seeds.

Nothing is written by hand. The claims are read from the stored outputs of the notebooks, where
``bnutils.evidence.claim`` leaves a record in the output's metadata, and the replications from
``recorded/replications.csv``, to which ``make replicate RECORD=1`` appends. A claim is known by its
chapter, its sentence and its bound: reword one of them and it is another claim, and the former one
stays on the page with what was found of it.

The directive ``claims-ledger`` shows it all. Each sentence leads to its claim's card in the
chapter, which gets its id when that page is written.
"""

from __future__ import annotations

import csv
import hashlib
import html
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

VERDICTS = ("holds", "absent", "contested", "refuted here", "fails")
COLUMNS = "date commit seed chapter sentence bound statistic estimate low high n verdict versions"

COMMON = ("Chapter", "Claim", "Found")
CARD = '<div class="bn-claim '  # as bnutils.evidence opens it

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """A claim as it stands in a stored notebook."""

    chapter: str  # two digits, "02"
    notebook: str  # its document name, "notebooks/02_normalizing_a_minibatch"
    title: str  # its heading, "2 · Normalizing a minibatch"
    record: dict

    @property
    def key(self) -> tuple[str, str, str]:
        return self.chapter, self.record["sentence"], self.record["bound"]

    @property
    def anchor(self) -> str:
        """The id of its card, the same as long as it is the same claim."""
        return "claim-" + hashlib.sha256("\n".join(self.key).encode()).hexdigest()[:6]


@dataclass
class Replications:
    """What became of one claim on seeds that nobody had looked at."""

    rows: list[dict[str, str]] = field(default_factory=list)

    @property
    def held(self) -> int:
        return sum(row["verdict"] != "fails" for row in self.rows)

    def __str__(self) -> str:
        return f"{self.held} of {len(self.rows)}" if self.rows else "none yet"


def chapter_of(name: str) -> str:
    """Return a chapter's two digits from a number, a file name or a path."""
    match = re.match(r"(\d{1,2})", Path(name.strip()).name)
    return f"{int(match[1]):02}" if match else name.strip()


def read_claims(notebooks: Iterable[Path], root: Path) -> list[Claim]:
    """Read the claims of stored notebooks in the order in which the book makes them."""
    claims = []
    for path in sorted(notebooks):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "".join(cells[0]["source"]) if cells else ""
        heading = re.search(r"^# +(.+)$", text, flags=re.MULTILINE)
        for cell in cells:
            for output in cell.get("outputs", []):
                record = output.get("metadata", {}).get("bnutils", {})
                if record.get("kind") == "claim":
                    claims.append(
                        Claim(
                            chapter=chapter_of(path.name),
                            notebook=path.relative_to(root).with_suffix("").as_posix(),
                            title=heading[1].strip() if heading else path.stem,
                            record=record,
                        )
                    )
    return claims


def read_replications(path: Path) -> dict[tuple[str, str, str], Replications]:
    """Group the rows of ``replications.csv`` by claim; a missing file holds none."""
    found: dict[tuple[str, str, str], Replications] = {}
    if not path.is_file():
        return found
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = set(COLUMNS.split()) - set(reader.fieldnames or [])
        if missing:
            raise ValueError(
                f"{path}: columns missing: {', '.join(sorted(missing))}; "
                f"its first line must be {COLUMNS.replace(' ', ',')}"
            )
        for row in reader:
            key = chapter_of(row["chapter"]), row["sentence"], row["bound"]
            found.setdefault(key, Replications()).rows.append(row)
    return found


def number(value: float | str | None) -> str:
    """Three significant digits; a value that was not finite is said to be so."""
    try:
        return f"{float(value):.3g}"
    except (TypeError, ValueError):
        return "not finite"


def estimate(record: dict) -> str:
    """Say the estimate, its interval and the number of seeds."""
    unit = f" {record['unit']}" if record.get("unit") else ""
    low, high = number(record["low"]), number(record["high"])
    middle = f"{record['statistic']} {number(record['estimate'])}{unit}"
    return f"{middle} ({low} to {high}), n = {record['n']}"


class Ledger(SphinxDirective):
    """``claims-ledger``: all claims of the stored notebooks, then those that left the book.

    Its content, such as the box that narrows the tables, comes between the sum and the tables.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # notebooks and replications change without this page changing
        root = Path(self.env.srcdir)
        present = [doc for doc in sorted(self.env.found_docs) if doc.startswith("notebooks/")]
        claims = read_claims(
            (path for doc in present if (path := Path(self.env.doc2path(doc))).suffix == ".ipynb"),
            root,
        )
        try:
            replications = read_replications(root / "recorded" / "replications.csv")
        except ValueError as error:
            logger.warning("ledger: %s", error, location=self.get_location())
            replications = {}
        current = {claim.key for claim in claims}
        former = {key: found for key, found in replications.items() if key not in current}
        return [
            self.summary(claims, replications),
            *self.parsed(self.content),
            self.made(claims, replications),
            self.departed(former, {claim.chapter: claim for claim in claims}),
        ]

    def parsed(self, content: StringList) -> list[nodes.Node]:
        holder = nodes.Element()
        self.state.nested_parse(content, self.content_offset, holder)
        return holder.children

    def markdown(self, text: str) -> list[nodes.Node]:
        return self.parsed(StringList([text], self.get_source_info()[0]))

    def summary(self, claims: list[Claim], replications: dict) -> nodes.paragraph:
        counts = Counter(claim.record["verdict"] for claim in claims)
        verdicts = ", ".join(f"{v} {counts[v]}" for v in VERDICTS if counts[v])
        again = sum(claim.key in replications for claim in claims)
        if not claims:
            return nodes.paragraph("", "No chapter makes a claim yet.")
        noun = "claim" if len(claims) == 1 else "claims"
        return nodes.paragraph(
            "", f"{len(claims)} {noun}: {verdicts}. Replicated on other seeds: {again}."
        )

    def made(self, claims: list[Claim], replications: dict) -> nodes.section:
        section = nodes.section(ids=["all-claims"])
        section += nodes.title("", "All claims")
        rows, seen = [], set()
        for claim in claims:
            record = claim.record
            row = self.row(
                self.chapter(claim),
                self.sentence(claim),
                [
                    nodes.paragraph("", f"{estimate(record)}."),
                    nodes.paragraph("", f"Bound: {record['bound']}."),
                ],
                text(record.get("contract") or "none"),
                verdict(record["verdict"]),
                text(str(replications.get(claim.key, Replications()))),
            )
            if claim.chapter not in seen:  # where an address such as ledger.html#claims-02 leads
                row["ids"].append(f"claims-{claim.chapter}")
            seen.add(claim.chapter)
            rows.append(row)
        section += table([*COMMON, "Contract", "Verdict", "Replications"], rows, "bn-made")
        return section

    def chapter(self, claim: Claim) -> list[nodes.Node]:
        return self.markdown(f"[{claim.title}](/{claim.notebook}.ipynb)")

    def sentence(self, claim: Claim) -> list[nodes.Node]:
        record = claim.record
        page = self.env.app.builder.get_relative_uri(self.env.docname, claim.notebook)
        link = nodes.reference("", record["sentence"], refuri=f"{page}#{claim.anchor}")
        link["internal"] = True
        found = [
            nodes.paragraph("", "", link),
            nodes.paragraph("", f"Why this bound: {record['because'].rstrip('.')}."),
        ]
        if record.get("source"):
            found += self.markdown(f"First said by {record['source']}.")
        return found

    def departed(
        self, former: dict[tuple[str, str, str], Replications], chapters: dict[str, Claim]
    ) -> nodes.section:
        section = nodes.section(ids=["claims-no-longer-made"])
        section += nodes.title("", "Claims no longer made")
        if not former:
            section += nodes.paragraph(
                "", "None: every claim that was ever replicated is still in the book."
            )
            return section
        section += nodes.paragraph(
            "",
            "Dropped or rewritten, for whatever reason. What was found of them stays listed, "
            "failures included; the verdict is that of the last replication.",
        )
        rows = []
        for (digits, sentence, bound), found in sorted(former.items()):
            last = found.rows[-1]
            words = f"Last found, on seed {last['seed']} ({last['date']}): {estimate(last)}."
            rows.append(
                self.row(
                    self.chapter(chapters[digits]) if digits in chapters else text(digits),
                    [nodes.paragraph("", sentence)],
                    [nodes.paragraph("", words), nodes.paragraph("", f"Bound: {bound}.")],
                    verdict(last["verdict"]),
                    text(str(found)),
                )
            )
        section += table([*COMMON, "Verdict", "Replications"], rows)
        return section

    def row(self, *cells: list[nodes.Node]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", *cell) for cell in cells))


def text(words: str) -> list[nodes.Node]:
    return [nodes.paragraph("", words)]


def verdict(words: str) -> list[nodes.Node]:
    classes = ["bn-verdict", f"bn-{words.split()[0]}"]
    return [nodes.paragraph("", "", nodes.inline("", words, classes=classes))]


def table(headings: list[str], rows: list[nodes.row], *looks: str) -> nodes.container:
    """A table of docutils, in a container that makes a stack of cards of it on a phone."""
    columns = [nodes.colspec(colwidth=1) for _ in headings]
    head = nodes.row("", *(nodes.entry("", *text(heading)) for heading in headings))
    group = nodes.tgroup("", *columns, cols=len(headings))
    group += nodes.thead("", head)
    group += nodes.tbody("", *rows)
    found = nodes.table("", group, classes=["colwidths-auto"])
    return nodes.container("", found, classes=["bn-stack", "bn-ledger", *looks])


def name_cards(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Give the claims' cards on a chapter's page their ids."""
    path = Path(app.env.doc2path(pagename)) if doctree else Path()
    if path.suffix != ".ipynb":
        return
    claims = read_claims([path], Path(app.srcdir))
    before, *cards = context["body"].split(CARD)
    sentences = [claim.record["sentence"] for claim in claims]
    if len(cards) != len(claims) or any(
        sentence not in html.unescape(card) for sentence, card in zip(sentences, cards, strict=True)
    ):
        logger.warning("ledger: the cards on %s are not those of its claims", pagename)
        return
    named = (
        f'<div id="{claim.anchor}"{CARD.removeprefix("<div")}{card}'
        for claim, card in zip(claims, cards, strict=True)
    )
    context["body"] = "".join([before, *named])


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("claims-ledger", Ledger)
    app.connect("html-page-context", name_cards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
