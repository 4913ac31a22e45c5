"""Refreshing notebooks in place."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebooks, refresh


def store(path, *cells, **metadata):
    """A notebook as an editor would leave it."""
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=list(cells), metadata=metadata), path)
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "notebooks"


def test_refreshing_runs_stores_and_records(folder, tmp_path, capsys):
    alt = {"image": {"alt": "A line that rises from the lower left to the upper right."}}
    path = store(
        folder / "02_two.ipynb",
        new_markdown_cell("# 2 · Two", metadata={"editable": True}),
        new_code_cell("import os\nprint('one')", metadata={"collapsed": False, "tags": ["setup"]}),
        new_code_cell("print('two')\nos.getcwd().endswith('notebooks')", id="kept"),
        new_code_cell("int(os.environ['BNUTILS_SEED']), os.environ['OMP_NUM_THREADS']"),
        new_code_cell("'plot'", metadata={"mystnb": alt, "execution": {"iopub": "2001"}}),
        widgets={"state": 1},
    )
    assert refresh.refresh([path], tmp_path / "recorded" / "provenance.json") == 0
    first = path.read_bytes()
    notebook = notebooks.read(path)
    assert notebook.metadata == notebooks.NOTEBOOK_METADATA
    _, setup, printing, environment, plot = notebook.cells
    assert setup.metadata == {"tags": ["setup"]}
    assert plot.metadata == {"mystnb": alt}
    assert printing["id"] == "kept"
    assert [o.output_type for o in printing.outputs] == ["stream", "execute_result"]
    assert printing.outputs[1].data["text/plain"] == "True"
    assert environment.outputs[0].data["text/plain"] == "(0, '1')"
    assert [c.execution_count for c in notebook.cells[1:]] == [1, 2, 3, 4]
    assert first.endswith(b"}\n")

    (entry,) = json.loads((tmp_path / "recorded" / "provenance.json").read_text()).items()
    assert entry[0] == "02_two"
    assert set(entry[1]["versions"]) == {"python", *refresh.PACKAGES}
    assert 0 < entry[1]["cpu_seconds"] < 60
    assert set(entry[1]) == {
        "date", "device", "processor", "versions", "wall_seconds", "cpu_seconds",
    }  # fmt: skip

    assert refresh.refresh([path], tmp_path / "recorded" / "provenance.json") == 0
    assert path.read_bytes() == first
    assert "unchanged" in capsys.readouterr().out


def test_a_failing_notebook_is_left_alone_named_and_does_not_stop_the_others(
    folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(refresh, "BUDGET", 0)
    bad = store(
        folder / "02_bad.ipynb",
        new_code_cell("fine = 1", outputs=[new_output("stream", name="stdout", text="old")]),
        new_code_cell("# the culprit\nfine / 0"),
    )
    before = bad.read_bytes()
    good = store(folder / "03_good.ipynb", new_code_cell("print('done')"))
    assert refresh.refresh([bad, good], tmp_path / "provenance.json") == 1
    assert bad.read_bytes() == before
    assert "done" in good.read_text()
    captured = capsys.readouterr()
    assert (
        "02_bad.ipynb, cell 1 (# the culprit): ZeroDivisionError: division by zero" in captured.err
    )
    assert "1 of 2 failed: 02_bad.ipynb" in captured.err
    assert "more than a chapter's budget" in captured.out
    assert list(json.loads((tmp_path / "provenance.json").read_text())) == ["03_good"]


def test_normalizing_twice_is_normalizing_once_and_touches_nothing_that_matters():
    card = new_output(
        "display_data",
        data={"text/plain": "x"},
        metadata={"bnutils": {"kind": "claim"}, "isolated": True},
    )
    picture = new_output(
        "display_data",
        data={"image/png": "aGk="},
        metadata={"image/png": {"width": 3, "height": 2}, "needs_background": "light"},
    )
    cells = [
        new_code_cell("a", id="same", execution_count=7, outputs=[card, picture]),
        new_code_cell("b\n\n", id="same", execution_count=3, metadata={"tags": []}),
    ]
    original = new_notebook()
    original.cells = cells  # two of them with the same id
    once = notebooks.normalize(original)
    assert notebooks.to_text(notebooks.normalize(once)) == notebooks.to_text(once)
    assert original.cells[0].execution_count == 7, "the argument is left as it is"
    first, second = once.cells
    assert first.outputs[0].metadata == {"bnutils": {"kind": "claim"}}
    assert first.outputs[1].metadata == {"image/png": {"width": 3, "height": 2}}
    assert (first["id"], first.execution_count) == ("same", 1)
    assert second["id"] != "same"
    assert (second.source, second.execution_count, second.metadata) == ("b", 2, {})


def test_chapters_are_found_by_number(folder):
    for name in ("02_two", "15_fifteen"):
        store(folder / f"{name}.ipynb")
    assert [p.stem for p in notebooks.find(None, folder)] == ["02_two", "15_fifteen"]
    assert [p.stem for p in notebooks.find("15", folder)] == ["15_fifteen"]
    assert [p.stem for p in notebooks.find("2", folder)] == ["02_two"]
    with pytest.raises(ValueError, match="no chapter '03'; the chapters are 02, 15"):
        notebooks.find("03", folder)
    with pytest.raises(ValueError, match="there is no notebook"):
        notebooks.find(None, folder / "empty")


def test_an_interrupted_write_leaves_the_old_file(folder, monkeypatch):
    path = store(folder / "02_two.ipynb", new_code_cell("1"))
    before = path.read_bytes()

    def interrupted(*_):
        raise OSError("disk full")

    monkeypatch.setattr(notebooks.os, "replace", interrupted)
    with pytest.raises(OSError, match="disk full"):
        notebooks.write(path, new_notebook(cells=[new_code_cell("2")]))
    assert path.read_bytes() == before
    assert [p.name for p in folder.iterdir()] == ["02_two.ipynb"]


def test_what_is_no_notebook_is_named(folder):
    folder.mkdir()
    (folder / "02_no.ipynb").write_text("not json")
    with pytest.raises(ValueError, match="02_no.ipynb is not a notebook"):
        notebooks.read(folder / "02_no.ipynb")


def test_missing_ids_are_made_up_the_same_way_every_time(folder):
    path = store(folder / "02_two.ipynb", new_code_cell("1"), new_code_cell("2"))
    content = json.loads(path.read_text())
    for cell in content["cells"]:
        del cell["id"]
    path.write_text(json.dumps(content | {"nbformat_minor": 4}))
    ids = [cell["id"] for cell in notebooks.read(path).cells]
    assert ids == [cell["id"] for cell in notebooks.read(path).cells]
    assert len(set(ids)) == 2
