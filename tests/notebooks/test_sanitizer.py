"""nbval compares everything but marked digits and the data of interactive figures."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import notebooks

SANITIZER = notebooks.ROOT / "tests" / "nbval_sanitize.cfg"
IMPORTS = "from IPython.display import display\n\nfrom bnutils.evidence import claim, measured"
SHOWN = """
print("exactly", EXACT)
claim(SENTENCE, [x + SHIFT for x in range(1, 10)], at_least=0.5, because="half is half.")
measured("It took", {"first": 1.5 + SHIFT, "second": 2.5}, "s")
block = '<script type="application/json" class="bn-measured">{"x": %s}</script>' % DATA
display({"text/plain": "a figure", "text/html": "<p>Before</p>" + block + AFTER}, raw=True)
"""
STORED = {
    "SHIFT": "0",
    "SENTENCE": "'Numbers are large.'",
    "DATA": "[1, 2]",
    "AFTER": "'<p>after</p>'",
    "EXACT": "4",
}
# Each is a cell that shows what is stored but for one thing.
CHANGES = {
    "nothing": {},
    "marked digits": {"SHIFT": "1.25"},
    "a figure's data": {"DATA": "[3, 4, 5]"},
    "a sentence": {"SENTENCE": "'Numbers are big.'"},
    "an unmarked digit": {"EXACT": "5"},
    "a figure's HTML": {"AFTER": "'<p>AFTER</p>'"},
    "what follows a second block": {"AFTER": "block + '<p>after</p>'"},
    "a claim's outcome": {"SHIFT": "-8"},
}
SKIPPED = {"nothing", "marked digits", "a figure's data"}


def cell(changes):
    source = SHOWN.strip()
    for name, value in (STORED | changes).items():
        source = source.replace(name, value)
    return source


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """The names of the changes at which nbval fails."""
    path = tmp_path_factory.mktemp("nbval") / "stored.ipynb"
    environment = notebooks.kernel_environment()
    stored = new_notebook(cells=[new_code_cell(IMPORTS), new_code_cell(cell({}))])
    imports, shown = notebooks.execute(
        stored, path.name, path.parent, environment=environment
    ).cells
    changed = [
        nbformat.from_dict(shown | {"source": cell(changes), "id": f"change-{i}"})
        for i, changes in enumerate(CHANGES.values())
    ]
    notebooks.write(path, notebooks.normalize(new_notebook(cells=[imports, *changed])))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", "--nbval"]
    command += ["--nbval-current-env", "--nbval-sanitize-with", str(SANITIZER)]
    command += ["-c", os.devnull, "--rootdir", str(path.parent), str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    summary = re.findall(r"(?m)^(PASSED|FAILED) .*::Cell (\d+)", run.stdout)
    outcomes = {int(number): word for word, number in summary}
    assert len(outcomes) == 1 + len(CHANGES), run.stdout + run.stderr
    return {name for i, name in enumerate(CHANGES, start=1) if outcomes[i] == "FAILED"}


@pytest.mark.parametrize("change", CHANGES)
def test_nbval_skips_what_is_measured_and_nothing_else(failed, change):
    assert (change in failed) == (change not in SKIPPED)


def test_the_sanitizer_has_two_rules():
    text = SANITIZER.read_text(encoding="ascii")
    assert text.count("regex:") == 2
