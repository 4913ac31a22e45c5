"""Every notebook keeps to the contract (the rules stand in contract.py)."""

import re

import pytest

from tests.notebooks import contract
from tests.notebooks.allowed_tags import ALLOWED
from tools import notebooks

PATHS = sorted(notebooks.NOTEBOOKS.glob("*.ipynb"))


def test_there_are_notebooks():
    assert PATHS, "notebooks/ holds no notebook"


@pytest.mark.parametrize("rule", contract.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_contract(path, rule):
    faults = list(rule(contract.Chapter.load(path)))
    assert not faults, f"{path.name}: {rule.__doc__}\n" + "\n".join(f"  - {f}" for f in faults)


def test_the_table_of_contents_lists_the_notebooks_that_are_there_in_order():
    toc = (notebooks.ROOT / "_toc.yml").read_text(encoding="utf-8")
    listed = [e for e in contract.toc_entries(toc) if e.startswith("notebooks/")]
    assert listed == [f"notebooks/{path.stem}" for path in PATHS]


def test_chapters_have_numbers_of_their_own():
    numbers = [path.name.partition("_")[0] for path in PATHS]
    assert len(set(numbers)) == len(numbers)


def sources():
    """The text of all that may emit outputs: bnutils, tools, and the notebooks' cells."""
    texts = {
        path.relative_to(notebooks.ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in ("bnutils", "tools")
        for path in (notebooks.ROOT / folder).rglob("*")
        if path.suffix in (".py", ".js", ".css", ".html")
    }
    cells = {path.name: [cell.source for cell in notebooks.read(path).cells] for path in PATHS}
    return texts | {name: "\n".join(lines) for name, lines in cells.items()}


def test_only_evidence_emits_the_marks():
    marks = re.compile(r"(?i)[\u27e6\u27e7]|27e[67]\b|WHITE SQUARE BRACKET")
    assert [name for name, text in sources().items() if marks.search(text)] == [
        "bnutils/evidence.py"
    ]


def test_only_interactive_figures_emit_measured_blocks():
    emitting = [name for name, text in sources().items() if "application/json" in text]
    assert all(name.startswith("bnutils/interactive/") for name in emitting), emitting


def test_reasons_are_for_cells_that_exist():
    """A reason whose cell or tag is gone is to go, too."""
    tagged = {
        (path.stem, cell["id"], tag)
        for path in PATHS
        for cell in notebooks.read(path).cells
        for tag in contract.tags(cell)
    }
    assert set(ALLOWED) <= tagged
