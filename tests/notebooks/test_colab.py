"""One click on Colab: the setup cell brings in bnutils, torch stays as it was, the notebook runs.

The first chapter runs whole, the others their setup and imports cells; with COLAB_FULL=1 (`make
colab`, nightly) all run whole.
"""

import os

import pytest

from tests.notebooks.colab import Colab, commit_of_the_working_tree
from tools import address, notebooks

PATHS = sorted(notebooks.NOTEBOOKS.glob("*.ipynb"))
FULL = os.environ.get("COLAB_FULL", "") == "1"


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colab")
    return Colab(folder, commit_of_the_working_tree(folder), address.current())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_notebook_runs_on_colab(colab, path):
    first = path == PATHS[0]
    if first:
        assert colab.lacks_bnutils(), "the simulated Colab must not have bnutils yet"
        before, torch = colab.packages(), colab.torch()
        assert any(package.startswith("torch==") for package in before)

    setup, imports, *others = (
        cell
        for cell in colab.open(path, cells=0 if first or FULL else 2).cells
        if cell.cell_type == "code"
    )
    assert setup.outputs == [], "the setup cell prints something"
    assert imports.outputs == [], "the imports cell prints something"
    assert bool(others) == (first or FULL)

    if first:
        assert colab.torch() == torch, "torch is not what it was"
        (added,) = colab.packages() - before
        assert added.startswith(f"bnutils @ git+{address.current()}@")
        assert before <= colab.packages()
