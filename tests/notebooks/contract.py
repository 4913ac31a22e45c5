"""What every notebook keeps to. Each rule takes a chapter and returns what is wrong with it.

The rules are plain functions, so that ``test_contract_catches.py`` can break each of them.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from nbformat import NotebookNode

from tests.notebooks.allowed_tags import ALLOWED
from tools import address, notebooks

LONGEST_CELL = 25
SHORTEST_ALT = 40
KNOWN_TAGS = {
    "setup",
    "imports",
    "exercise",
    "solution",
    "interactive",
    "hide-cell",
    "hide-input",
    "hide-output",
}
MIMETYPES = {"text/plain", "text/html", "image/png"}
RECORD_KEYS = {
    "claim": {"sentence", "bound", "because", "statistic", "estimate", "low", "high", "n"}
    | {"unit", "contract", "source", "verdict", "holds", "marks"},
    "measured": {"sentence", "unit", "values", "marks"},
    "recap": {"marks"},
}
# The marks are written by their numbers, since only bnutils/evidence.py may hold them.
OPEN, CLOSE = chr(0x27E6), chr(0x27E7)
MARKED = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
JSON_BLOCK = '<script type="application/json" class="bn-measured">'

Rule = Callable[["Chapter"], Iterator[str]]


@dataclass(frozen=True)
class Chapter:
    """A stored notebook with what it is held against."""

    path: Path
    text: str
    notebook: NotebookNode
    url: str
    branch: str
    toc: str

    @classmethod
    def load(cls, path: Path, root: Path = notebooks.ROOT) -> "Chapter":
        return cls(
            path,
            path.read_bytes().decode(),
            notebooks.read(path),
            address.current(root),
            address.branch(root),
            (root / "_toc.yml").read_text(encoding="utf-8"),
        )

    @property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def markdown(self) -> list[NotebookNode]:
        return [cell for cell in self.notebook.cells if cell.cell_type == "markdown"]


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def name(cell: NotebookNode) -> str:
    """How a message points to a cell: its id and its first line."""
    return f"cell {cell.get('id')} ({cell.source.strip().partition(chr(10))[0][:60]})"


# --- how a chapter opens -------------------------------------------------------------------------


def title(chapter: Chapter) -> Iterator[str]:
    """The first cell begins with ``# 2 · Normalizing a minibatch``, its number the file's."""
    number = re.match(r"(\d\d)_[a-z0-9_]+\.ipynb$", chapter.path.name)
    if not number:
        yield f"the file is called {chapter.path.name}; a name looks like 02_short_name.ipynb"
        return
    cells = chapter.notebook.cells
    opening = cells[0].source if cells and cells[0].cell_type == "markdown" else ""
    if not re.match(rf"# {int(number[1])} · \S.*\n\n", opening):
        yield f"the first cell does not begin with '# {int(number[1])} · Title' and an empty line"
    others = [c for c in chapter.markdown for line in _prose_lines(c.source) if line[:2] == "# "]
    if len(others) > 1:
        yield "there is more than one title (a line that begins with a single #)"


def badge(chapter: Chapter) -> Iterator[str]:
    """The Colab badge stands right below the title."""
    wanted = address.badge(chapter.path.name, chapter.url, chapter.branch)
    if chapter.notebook.cells[0].source.split("\n")[2:3] != [wanted]:
        yield f"the third line of the first cell must be the badge:\n{wanted}"


def objectives_prerequisites_and_minutes(chapter: Chapter) -> Iterator[str]:
    """Before the first code cell: what one can do afterwards, what one needs, how long it takes."""
    before = []
    for cell in chapter.notebook.cells:
        if cell.cell_type == "code":
            break
        before.append(cell.source)
    opening = "\n\n".join(before)
    if not re.search(r"(?m)^\*\*After this chapter you can\*\*.*\n\n?(?:[-*]|\d\.) \S", opening):
        yield "no paragraph begins with **After this chapter you can** and is followed by a list"
    if not re.search(r"(?m)^\*\*You need\*\*\W*\w+", opening):
        yield "no paragraph begins with **You need**"
    if not re.search(r"(?m)^\*\*Time\*\*[^\n]*\d+ minutes", opening):
        yield "no paragraph begins with **Time** and says how many minutes"


def setup_cell(chapter: Chapter) -> Iterator[str]:
    """The first code cell is the one setup cell, word for word, and prints nothing."""
    wanted = address.setup_cell(chapter.url)
    if not chapter.code or chapter.code[0].source != wanted:
        yield f"the first code cell must be the setup cell:\n{wanted}"
    elif chapter.code[0].outputs:
        yield "the setup cell has outputs; it must print nothing"
    tagged = [i for i, cell in enumerate(chapter.code) if "setup" in tags(cell)]
    if tagged != [0]:
        yield "the first code cell, and no other, must be tagged setup"


def imports(chapter: Chapter) -> Iterator[str]:
    """All imports stand in the second code cell, which prints nothing."""
    tagged = [i for i, cell in enumerate(chapter.code) if "imports" in tags(cell)]
    if tagged != [1]:
        yield "the second code cell, and no other, must be tagged imports"
    elif chapter.code[1].outputs:
        yield "the imports cell has outputs; it must print nothing"
    for cell in chapter.code[2:]:
        tree = _tree(cell)
        if tree and any(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(tree)):
            yield f"{name(cell)} imports something; that belongs in the imports cell"


# --- what is stored ------------------------------------------------------------------------------


def outputs_are_stored(chapter: Chapter) -> Iterator[str]:
    """Every code cell was run, in order, without an error or a warning."""
    if not any(cell.outputs for cell in chapter.code):
        yield "no outputs are stored; run `make refresh`"
    counts = [cell.execution_count for cell in chapter.code]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the cells were not run from first to last; run `make refresh` (counts {counts})"
    for cell in chapter.code:
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{name(cell)} stores an error: {output.ename}: {output.evalue}"
            if output.get("name") == "stderr":
                yield f"{name(cell)} stores a warning: {output.text.strip()[:80]}"


def normalized(chapter: Chapter) -> Iterator[str]:
    """The file is byte for byte what `make refresh` would store."""
    if chapter.text != notebooks.to_text(notebooks.normalize(chapter.notebook)):
        yield "its metadata or layout is not as `make refresh` stores it; run that"


def plain_outputs(chapter: Chapter) -> Iterator[str]:
    """Outputs are text, HTML and PNG: what renders everywhere and what the tests can compare."""
    for cell in chapter.code:
        for output in cell.outputs:
            for foreign in set(output.get("data", {})) - MIMETYPES:
                yield f"{name(cell)} stores {foreign}; only {', '.join(sorted(MIMETYPES))} may be"
            if re.search(r" at 0x[0-9a-f]{6,}", _text(output)):
                yield f"{name(cell)} stores a memory address, which no two runs share"


def text_alternatives(chapter: Chapter) -> Iterator[str]:
    """Every figure has a text alternative of its own that says what is to be seen."""
    seen: Counter[str] = Counter()
    for cell in chapter.code:
        pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").strip()
        if pictures > 1:
            yield f"{name(cell)} shows {pictures} figures; one cell, one figure, one text"
        if pictures and not alt:
            yield f"{name(cell)} shows a figure without metadata mystnb.image.alt"
        elif alt and not pictures:
            yield f"{name(cell)} has a text alternative but shows no figure"
        elif alt:
            yield from (f"{name(cell)}: {fault}" for fault in _faults_of_alt(alt))
            seen[alt] += 1
    for cell in chapter.markdown:
        for alt in re.findall(r"!\[([^\]]*)\]\(", _without_code(cell.source)):
            if alt != "Open In Colab":
                yield from (f"{name(cell)}: {fault}" for fault in _faults_of_alt(alt))
                seen[alt] += 1
        if re.search(r"<img\b", _without_code(cell.source)):
            yield f"{name(cell)} has an <img>; write ![what is to be seen](file)"
    for alt in (alt for alt, times in seen.items() if times > 1):
        yield f"two figures share the text alternative {alt[:60]!r}"


def _faults_of_alt(alt: str) -> Iterator[str]:
    if re.fullmatch(r"\S+\.(png|svg|jpe?g)", alt):
        yield f"the text alternative is a file name ({alt})"
    elif len(alt) < SHORTEST_ALT:
        yield f"the text alternative {alt!r} says too little; {SHORTEST_ALT} characters at least"


# --- how it is written ---------------------------------------------------------------------------


def short_cells(chapter: Chapter) -> Iterator[str]:
    """No code cell is longer than 25 lines, solutions apart."""
    for cell in chapter.code:
        lines = cell.source.count("\n") + 1
        if lines > LONGEST_CELL and "solution" not in tags(cell):
            yield f"{name(cell)} has {lines} lines; {LONGEST_CELL} at most"


def plain_python(chapter: Chapter) -> Iterator[str]:
    """Code is Python without magics, and without a closing semicolon, which nbval ignores."""
    for cell in chapter.code:
        if _tree(cell) is None:
            yield f"{name(cell)} is not plain Python (magics and shell commands are not either)"
        if cell.source.rstrip().endswith(";"):
            yield f"{name(cell)} ends with a semicolon; end a plot with plt.show()"


def plain_markdown(chapter: Chapter) -> Iterator[str]:
    """Markdown is CommonMark with $…$: nothing that only the site understands."""
    faults = {
        r"(?m)^\s*(?:`{3,}|~{3,}|:{3,})\s*\{": "a MyST directive",
        r"(?m)^\s*:{3,}": "a MyST colon fence",
        r"\{[a-z][\w:+-]*\}`": "a MyST role",
        r"(?m)^\([\w-]+\)=\s*$": "a MyST target",
        r"(?m)^\+\+\+": "a MyST block break",
        r"\[\^[\w-]+\]": "a footnote",
        r"\\\(|\\\[": r"mathematics in \( or \[; write $…$",
        r"(?i)</?(?:details|summary|script|style|iframe)\b": "HTML that hides, runs or styles",
    }
    for cell in chapter.markdown:
        prose = re.sub(r"(?<!`)`[^`\n]+`(?!`)", _keep_role_mark, cell.source)
        for pattern, what in faults.items():
            if re.search(pattern, prose):
                yield f"{name(cell)} has {what}"
        if re.search(r"\\begin\{", _without_maths(_without_code(cell.source))):
            yield f"{name(cell)} has a LaTeX environment outside $$…$$"


def _keep_role_mark(span: re.Match) -> str:
    # {role}`text` is found by the backtick that follows the brace; other code spans are emptied.
    return "``"


def no_measured_digits_in_prose(chapter: Chapter) -> Iterator[str]:
    """A decimal number or a percentage in prose stands in a paragraph that links to its source.

    Ours are measured, and appear in the output of `claim` and `measured` alone. Numbers that
    define something go into mathematics or code.
    """
    exercises = {
        found
        for cell in chapter.code
        for found in re.findall(r"exercises\.check\(\s*[\"'](\d\d\.\d+)", cell.source)
    }
    for cell in chapter.markdown:
        for paragraph in _paragraphs(cell.source):
            text = _without_maths(_without_code(paragraph))
            if re.search(r"\]\(https?://", text) or re.match(r"\s*#", text):
                continue
            text = re.sub(r"\]\([^)]*\)", "]", text)
            for found in re.findall(r"\d+[.,]\d+(?:\s?%)?|\d+\s?(?:%|per ?cent)", text):
                if found not in exercises:
                    yield (
                        f"{name(cell)} has {found!r} in its prose, without a link to its source; "
                        "what we measured appears only through claim and measured"
                    )


def allowed_tags(chapter: Chapter) -> Iterator[str]:
    """Tags are known ones; those that switch the tests off have a reason in allowed_tags.py."""
    for cell in chapter.notebook.cells:
        for tag in tags(cell):
            if tag in KNOWN_TAGS:
                continue
            reason = ALLOWED.get((chapter.path.stem, cell["id"], tag), "")
            if len(reason.split()) < 4:
                yield f"{name(cell)} has the tag {tag}, for which allowed_tags.py has no reason"
        if re.search(r"(?i)#.*(?:NBVAL_|PYTEST_VALIDATE_)", cell.source):
            yield f"{name(cell)} has a comment that switches nbval off; use a tag, with a reason"


def in_the_table_of_contents(chapter: Chapter) -> Iterator[str]:
    """The chapter is listed in `_toc.yml`, once."""
    entry = f"notebooks/{chapter.path.stem}"
    times = toc_entries(chapter.toc).count(entry)
    if times != 1:
        yield f"_toc.yml lists {entry} {times} times; it must be there once"


def chapters_are_linked(chapter: Chapter) -> Iterator[str]:
    """A chapter that can be read and is named by its number is linked somewhere in the notebook."""
    listed = [Path(entry).name for entry in toc_entries(chapter.toc)]
    written = {int(stem[:2]): stem for stem in listed if re.match(r"\d\d_", stem)}
    prose = "\n".join(_without_code(cell.source) for cell in chapter.markdown)
    named = {int(number) for number in re.findall(r"\b[Cc]hapters? (\d+)", prose)}
    for number in sorted(named & written.keys()):
        if chapter.path.stem == written[number]:
            continue
        if f"]({written[number]}.ipynb" not in prose:
            yield f"chapter {number} is named and never linked; link it where it is first named"


# --- exercises -----------------------------------------------------------------------------------

CHECK = re.compile(r"exercises\.check\(\"(\d\d\.\d+)\", (\w+)\)$")
SOLUTION_METADATA = {
    "tags": ["solution", "hide-cell"],
    "cellView": "form",  # Colab
    "jupyter": {"source_hidden": True},  # JupyterLab
    "mystnb": {  # the site
        "code_prompt_show": "Show the solution",
        "code_prompt_hide": "Hide the solution",
    },
}


def exercises(chapter: Chapter) -> Iterator[str]:
    """Each exercise is a stub with its check; each solution a real, collapsed cell that passes."""
    cells = {
        kind: [cell for cell in chapter.code if kind in tags(cell)]
        for kind in ("exercise", "solution")
    }
    numbers = {kind: [check_of(cell)[0] for cell in found] for kind, found in cells.items()}
    prefix = chapter.path.name[:2]
    wanted = [f"{prefix}.{i}" for i, _ in enumerate(cells["exercise"], start=1)]
    if numbers["exercise"] != wanted:
        yield f"the exercises' checks are {numbers['exercise']}; they must be {wanted}, in order"
    if numbers["solution"] != numbers["exercise"]:
        yield f"the solutions' checks are {numbers['solution']}; they must be {wanted}, in order"
    for cell in cells["exercise"]:
        if not _shown(cell).startswith(f"{check_of(cell)[0]} not yet attempted"):
            yield f"{name(cell)}: the stub must show that it is not yet attempted"
    for cell in cells["solution"]:
        number = check_of(cell)[0]
        title = f'# @title Solution {number} {{display-mode: "form"}}\n'
        if not cell.source.startswith(title):
            yield f"{name(cell)} must begin with {title.strip()}"
        if cell.metadata != SOLUTION_METADATA:
            yield f"{name(cell)} must have the metadata {SOLUTION_METADATA}"
        if not _shown(cell).startswith(f"{number} passed: "):
            yield f"{name(cell)}: the solution must show that it passed"
    for cell in chapter.code:
        if "exercises.check" in cell.source and not {"exercise", "solution"} & set(tags(cell)):
            yield f"{name(cell)} checks an exercise but is tagged neither exercise nor solution"


def check_of(cell: NotebookNode) -> tuple[str, str]:
    """The exercise's number and the answer's name, from the cell's last line."""
    found = CHECK.match(cell.source.rstrip().split("\n")[-1])
    return (found[1], found[2]) if found else ("", "")


def _shown(cell: NotebookNode) -> str:
    texts = [o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    return "".join(texts)


# --- evidence ------------------------------------------------------------------------------------


def marks_only_in_records(chapter: Chapter) -> Iterator[str]:
    """Marked digits come from `bnutils.evidence`, as many as the records say and imply."""
    claimed: set[str] = set()
    for cell in chapter.notebook.cells:
        if OPEN in cell.source or CLOSE in cell.source:
            yield f"{name(cell)} has marks in its source"
        for output in cell.get("outputs", []):
            record = output.get("metadata", {}).get("bnutils")
            data = output.get("data", {})
            if record is None:
                if OPEN in _text(output) or CLOSE in _text(output):
                    yield f"{name(cell)} shows marks that bnutils.evidence did not make"
                continue
            if record.get("kind") == "claim":
                claimed.add(record.get("sentence"))
            wanted = record.get("marks")
            implied = {
                "claim": 1,
                "measured": len(record.get("values", {})),
                "recap": len(claimed),
            }.get(record.get("kind"))
            if wanted != implied or not wanted:
                yield f"{name(cell)}: the record says {wanted} marks, its content implies {implied}"
            for mimetype in ("text/plain", "text/html"):
                yield from (
                    f"{name(cell)}, {mimetype}: {fault}"
                    for fault in _faults_of_marks(data.get(mimetype, ""), wanted)
                )


def _faults_of_marks(text: str, wanted: int | None) -> Iterator[str]:
    spans = MARKED.findall(text)
    if len(spans) != wanted or text.count(OPEN) != wanted or text.count(CLOSE) != wanted:
        yield f"{len(spans)} marked spans, but the record says {wanted}"
    for span in spans:
        if not re.search(r"\d|not finite", span) or len(span) > 80:
            yield f"a marked span holds no number, or more than numbers: {span[:60]!r}"


def measured_blocks_only_in_interactive_figures(chapter: Chapter) -> Iterator[str]:
    """The JSON block that the tests skip occurs in cells tagged interactive, once an output."""
    for cell in chapter.notebook.cells:
        if JSON_BLOCK in cell.source:
            yield f"{name(cell)} writes a measured block itself; bnutils.interactive does that"
        for output in cell.get("outputs", []):
            blocks = _text(output).count(JSON_BLOCK)
            if _text(output).count("application/json") != blocks:
                yield f"{name(cell)} holds a JSON block that does not begin with {JSON_BLOCK}"
            if blocks and "interactive" not in tags(cell):
                yield f"{name(cell)} holds a measured block but is not tagged interactive"
            if blocks > 1:
                yield f"{name(cell)} holds {blocks} measured blocks in one output; one at most"


def records_are_whole(chapter: Chapter) -> Iterator[str]:
    """Records have all their parts, stored claims hold, and no two claims are the same."""
    for record in notebooks.records(chapter.notebook):
        kind = record.get("kind")
        if kind not in RECORD_KEYS:
            yield f"a record is of the kind {kind!r}; known are {', '.join(RECORD_KEYS)}"
            continue
        missing = RECORD_KEYS[kind] - set(record)
        if missing:
            yield f"the record of {record.get('sentence')!r} lacks {', '.join(sorted(missing))}"
        if kind == "claim" and record.get("holds") is not True:
            yield f"a stored claim does not hold: {record.get('sentence')}"
    made = [r for r in notebooks.records(chapter.notebook) if r.get("kind") == "claim"]
    for identity, times in Counter((r.get("sentence"), r.get("bound")) for r in made).items():
        if times > 1:
            yield f"{times} claims have the same sentence and bound: {identity[0]}"


def claims_are_not_caught(chapter: Chapter) -> Iterator[str]:
    """A claim that fails stops the notebook: nothing catches `ClaimFailed`."""
    for cell in chapter.code:
        if "ClaimFailed" in cell.source:
            yield f"{name(cell)} names ClaimFailed; a claim that fails is to be seen"
        tree = _tree(cell)
        for node in ast.walk(tree) if tree and "setup" not in tags(cell) else ():
            if isinstance(node, ast.Try | ast.TryStar) and _calls(node, "claim"):
                yield f"{name(cell)} makes a claim inside try; a claim that fails is to be seen"
            if isinstance(node, ast.With) and _calls(node, "claim") and _calls(node, "suppress"):
                yield f"{name(cell)} makes a claim inside suppress; a failure is to be seen"


RULES: tuple[Rule, ...] = (
    title,
    badge,
    objectives_prerequisites_and_minutes,
    setup_cell,
    imports,
    outputs_are_stored,
    normalized,
    plain_outputs,
    text_alternatives,
    short_cells,
    plain_python,
    plain_markdown,
    no_measured_digits_in_prose,
    allowed_tags,
    in_the_table_of_contents,
    chapters_are_linked,
    exercises,
    marks_only_in_records,
    measured_blocks_only_in_interactive_figures,
    records_are_whole,
    claims_are_not_caught,
)


def toc_entries(toc: str) -> list[str]:
    """Every ``file`` of a table of contents, in order."""

    def walk(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if "file" in node:
                yield node["file"].removesuffix(".ipynb")
            node = list(node.values())
        if isinstance(node, list):
            for part in node:
                yield from walk(part)

    return list(walk(yaml.safe_load(toc)))


def _tree(cell: NotebookNode) -> ast.Module | None:
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return None


def _calls(node: ast.AST, function: str) -> bool:
    called = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
    return any(function in (getattr(f, "id", ""), getattr(f, "attr", "")) for f in called)


def _text(output: NotebookNode) -> str:
    """All the text of an output, whatever its kind."""
    data = output.get("data", {})
    texts = [value for key, value in data.items() if not key.startswith("image/")]
    return "\n".join(map(str, [output.get("text", ""), *texts]))


def _without_code(markdown: str) -> str:
    fenced = r"(?ms)^(\s*)(`{3,}|~{3,}).*?^\s*\2\s*$"
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "``", re.sub(fenced, "", markdown))


def _without_maths(markdown: str) -> str:
    return re.sub(r"(?s)\$\$.*?\$\$|(?<!\\)\$[^$\n]+?(?<!\\)\$", "$$", markdown)


def _prose_lines(markdown: str) -> list[str]:
    return _without_code(markdown).split("\n")


def _paragraphs(markdown: str) -> list[str]:
    """Paragraphs, list items and table rows: what a source's link has to stand in."""
    return re.split(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.) )", markdown)
