"""The contract's rules, each seen to catch a fault planted in a small notebook without one."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks import contract
from tools import address, notebooks

URL = address.PLACEHOLDER
ALT = "Sixteen points on a line that falls as one over the root of the batch size."


def mark(digits):
    return contract.OPEN + digits + contract.CLOSE


def card(record, *spans):
    text = f"holds: {record.get('sentence', 'All.')} " + "; ".join(map(mark, spans))
    data = {"text/plain": text, "text/html": f"<div>{text}</div>"}
    return new_output("display_data", data=data, metadata={"bnutils": record})


def result(text):
    return new_output("execute_result", data={"text/plain": text}, execution_count=1)


def claim_record(sentence="A mean is noisy."):
    keys = dict.fromkeys(contract.RECORD_KEYS["claim"], 1.0)
    words = {"kind": "claim", "sentence": sentence, "bound": "at least 0.5", "holds": True}
    return keys | words | {"marks": 1}


def good_cells():
    """The cells of a chapter without fault; the names of the variables are what the plants use."""
    opening = new_markdown_cell(
        "# 2 · Two\n\n" + address.badge("02_two.ipynb", URL) + "\n\n"
        "**After this chapter you can**\n\n- say what the mean of $m=32$ numbers is.\n\n"
        "**You need** nothing.\n\n**Time**: 20 minutes."
    )
    prose = new_markdown_cell(
        "## A rise of 3.5 %\n\nWith `eps=0.5` and $\\epsilon=0.1$ nothing happens, see 02.1."
        "\n\n[Irpan (2017)](https://example.org) saw 14.5 %, and half.\n\n"
        "$$\n\\begin{aligned}y\\end{aligned} = 0.5\n$$\n\n```python\nx = 0.25\n```"
    )
    measured = {"kind": "measured", "sentence": "It took", "unit": "s", "values": {"a": 1, "b": 2}}
    return {
        "opening": opening,
        "setup": new_code_cell(address.setup_cell(URL), metadata={"tags": ["setup"]}),
        "imports": new_code_cell("import numpy as np", metadata={"tags": ["imports"]}),
        "prose": prose,
        "claim": new_code_cell(
            "claim('A mean is noisy.', values, at_least=0.5)",
            outputs=[card(claim_record(), "0.61 (0.55 to 0.7)")],
        ),
        "measured": new_code_cell(
            "measured('It took', {'a': a, 'b': b}, 's')",
            outputs=[card(measured | {"marks": 2}, "1 s", "2 s")],
        ),
        "figure": new_code_cell(
            "plt.show()",
            metadata={"mystnb": {"image": {"alt": ALT}}},
            outputs=[new_output("display_data", data={"image/png": "aGk=", "text/plain": "<F>"})],
        ),
        "interactive": new_code_cell(
            "figure()",
            metadata={"tags": ["interactive"]},
            outputs=[
                new_output("display_data", data={"text/html": contract.JSON_BLOCK + "1</script>"})
            ],
        ),
        "exercise": new_code_cell(
            'answer = ...\n\nexercises.check("02.1", answer)',
            metadata={"tags": ["exercise"]},
            outputs=[result("02.1 not yet attempted (twice): replace the ...")],
        ),
        "solution": new_code_cell(
            '# @title Solution 02.1 {display-mode: "form"}\n'
            + "answer = 1\n" * 40
            + '\nexercises.check("02.1", answer)',
            metadata=dict(contract.SOLUTION_METADATA),
            outputs=[result("02.1 passed: all 2 properties hold")],
        ),
        "recap": new_code_cell("recap()", outputs=[card({"kind": "recap", "marks": 1}, "0.61")]),
    }


@pytest.fixture
def faults(tmp_path):
    """A function that plants a fault in the good notebook and returns what each rule says."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_config.yml").write_text(f"repository:\n  url: {URL}\n  branch: main\n")

    def plant(change, name="02_two.ipynb", toc="notebooks/02_two", normalize=True):
        (tmp_path / "_toc.yml").write_text(f"root: book/intro\nchapters:\n  - file: {toc}\n")
        cells = good_cells()
        for key, cell in cells.items():
            cell["id"] = key
        replaced = change(cells)
        notebook = new_notebook(cells=list((replaced or cells).values()))
        if normalize:
            notebook = notebooks.normalize(notebook)
        path = tmp_path / "notebooks" / name
        path.write_text(notebooks.to_text(notebook), encoding="utf-8")
        chapter = contract.Chapter.load(path, tmp_path)
        return {rule.__name__: list(rule(chapter)) for rule in contract.RULES}

    return plant


def test_the_good_notebook_keeps_to_all_rules(faults):
    assert {rule: said for rule, said in faults(lambda cells: None).items() if said} == {}


def edit(key, old, new):
    """Plant by replacing a text in the source of one cell."""

    def change(cells):
        assert old in cells[key].source
        cells[key].source = cells[key].source.replace(old, new)

    change.__name__ = f"{key}: {new[:30]!r}"
    return change


def add(key, text):
    """Plant by adding a line to the source of one cell."""

    def change(cells):
        cells[key].source += "\n" + text

    change.__name__ = f"{key} + {text[:30]!r}"
    return change


def tag(key, *tags):
    def change(cells):
        cells[key].metadata["tags"] = list(tags)

    change.__name__ = f"{key} tagged {tags}"
    return change


def alt(key, text):
    def change(cells):
        cells[key].metadata["mystnb"] = {"image": {"alt": text}}

    change.__name__ = f"{key} described by {text[:20]!r}"
    return change


def out(key, output):
    """Plant by adding an output to one cell."""

    def change(cells):
        cells[key].outputs.append(output)

    change.__name__ = f"{key} shows {output.output_type} {str(output.get('data', ''))[:30]}"
    return change


def put(key, **record):
    """Plant by changing the record of one cell's output."""

    def change(cells):
        cells[key].outputs[0].metadata["bnutils"] |= record

    change.__name__ = f"{key} records {record}"
    return change


def show(key, old, new):
    """Plant by changing what one cell's output shows, text and HTML alike."""

    def change(cells):
        data = cells[key].outputs[0].data
        for mimetype, text in data.items():
            assert old in text
            data[mimetype] = text.replace(old, new, 1)

    change.__name__ = f"{key} shows {new[:30]!r}"
    return change


def drop_from_record(cells):
    del cells["claim"].outputs[0].metadata["bnutils"]["because"]


def drop_record(cells):
    del cells["claim"].outputs[0].metadata["bnutils"]


def mark_html_twice(cells):
    cells["claim"].outputs[0].data["text/html"] += mark("3")


def claim_twice(cells):
    cells["exercise"].outputs.append(card(claim_record(), "0.61"))


def no_outputs(cells):
    for cell in cells.values():
        if "outputs" in cell:
            cell.outputs = []


def two_figures_alike(cells):
    cells["exercise"].metadata["mystnb"] = cells["figure"].metadata["mystnb"]
    cells["exercise"].outputs = cells["figure"].outputs


def two_in_one(cells):
    cells["figure"].outputs *= 2


def imports_first(cells):
    return {key: cells[key] for key in ("opening", "imports", *cells)}


def without(key):
    def change(cells):
        del cells[key]

    change.__name__ = f"without {key}"
    return change


ERROR = new_output("error", ename="ValueError", evalue="bad", traceback=[])
WARNING = new_output("stream", name="stderr", text="UserWarning: careful")
PRINTED = new_output("stream", name="stdout", text="hello")
SVG = new_output("display_data", data={"image/svg+xml": "<svg/>"})
OBJECT = new_output("display_data", data={"text/plain": "<object at 0x7f02fcb62160>"})
FORGED = new_output("display_data", data={"text/plain": "the loss is " + mark("0.5")})
BLOCK = new_output("display_data", data={"text/html": contract.JSON_BLOCK + "1</script>"})
CAUGHT = "try:\n    claim('It is so.', v, at_least=1)\nexcept Exception:\n    pass"
SUPPRESSED = "with contextlib.suppress(Exception):\n    evidence.claim('It is so.', v, at_least=1)"

PLANTS = [
    ("title", edit("opening", "# 2 · Two", "# 3 · Two"), "does not begin with '# 2 · Title'"),
    ("title", edit("opening", "# 2 · Two", "## 2 · Two"), "does not begin with"),
    ("title", add("prose", "\n# Another"), "more than one title"),
    ("badge", edit("opening", "[![Open", "[![ Open"), "must be the badge"),
    ("badge", edit("opening", "OWNER", "eve"), "must be the badge"),
    ("badge", edit("opening", "02_two.ipynb", "03_three.ipynb"), "must be the badge"),
    ("objectives_prerequisites_and_minutes", edit("opening", "you can**", "you"), "followed by a"),
    ("objectives_prerequisites_and_minutes", edit("opening", "- say", "say"), "followed by a list"),
    ("objectives_prerequisites_and_minutes", edit("opening", "You need", "Need"), "You need"),
    ("objectives_prerequisites_and_minutes", edit("opening", "20 min", "some min"), "minutes"),
    ("setup_cell", edit("setup", "--no-deps", "--upgrade"), "must be the setup cell"),
    ("setup_cell", edit("setup", "OWNER", "eve"), "must be the setup cell"),
    ("setup_cell", out("setup", PRINTED), "must print nothing"),
    ("setup_cell", tag("exercise", "setup"), "and no other, must be tagged setup"),
    ("setup_cell", imports_first, "must be the setup cell"),
    ("imports", tag("imports"), "must be tagged imports"),
    ("imports", out("imports", WARNING), "must print nothing"),
    ("imports", add("claim", "import os"), "belongs in the imports cell"),
    ("imports", add("claim", "def f():\n    from os import path"), "belongs in the imports cell"),
    ("outputs_are_stored", no_outputs, "no outputs are stored"),
    ("outputs_are_stored", out("figure", ERROR), "stores an error: ValueError: bad"),
    ("outputs_are_stored", out("figure", WARNING), "stores a warning"),
    ("plain_outputs", out("figure", SVG), "image/svg+xml"),
    ("plain_outputs", out("figure", OBJECT), "memory address"),
    ("text_alternatives", alt("figure", ""), "without metadata mystnb.image.alt"),
    ("text_alternatives", alt("figure", "A plot."), "says too little"),
    ("text_alternatives", alt("figure", "a_figure_of_the_mean_against_batch_size_m.png"), "a file"),
    ("text_alternatives", alt("exercise", ALT), "shows no figure"),
    ("text_alternatives", two_figures_alike, "share the text alternative"),
    ("text_alternatives", two_in_one, "shows 2 figures"),
    ("text_alternatives", add("prose", "![](picture.png)"), "says too little"),
    ("text_alternatives", add("prose", "<img src='picture.png'>"), "has an <img>"),
    ("short_cells", add("claim", "x = 1\n" * 25), "26 lines; 25 at most"),
    ("plain_python", add("claim", "%timeit x"), "is not plain Python"),
    ("plain_python", add("claim", "!pip install x"), "is not plain Python"),
    ("plain_python", add("figure", "plt.plot(x);"), "ends with a semicolon"),
    ("plain_markdown", add("prose", "\n```{note}\nhi\n```"), "a MyST directive"),
    ("plain_markdown", add("prose", "\n:::{note}\nhi\n:::"), "a MyST directive"),
    ("plain_markdown", add("prose", "\n:::\nhi\n:::"), "a MyST colon fence"),
    ("plain_markdown", add("prose", "see {term}`batch`"), "a MyST role"),
    ("plain_markdown", add("prose", "`a` and {cite:p}`x`"), "a MyST role"),
    ("plain_markdown", add("prose", "(label)=\n"), "a MyST target"),
    ("plain_markdown", add("prose", "+++"), "a MyST block break"),
    ("plain_markdown", add("prose", "so[^1]"), "a footnote"),
    ("plain_markdown", add("prose", r"\(x\)"), "write $…$"),
    ("plain_markdown", add("prose", "<details>hidden</details>"), "HTML that hides"),
    ("plain_markdown", add("prose", "\\begin{align}\nx\n\\end{align}"), "a LaTeX environment"),
    ("no_measured_digits_in_prose", add("prose", "\nIt was 0.53."), "has '0.53' in its prose"),
    ("no_measured_digits_in_prose", add("prose", "\nIn 17 % of runs."), "has '17 %'"),
    ("no_measured_digits_in_prose", add("prose", "\n- a third, 33.3%"), "has '33.3%'"),
    ("no_measured_digits_in_prose", add("prose", "\nSee exercise 02.9."), "has '02.9'"),
    ("no_measured_digits_in_prose", add("prose", "\nIn [there](#a) 0.5."), "has '0.5'"),
    ("allowed_tags", tag("claim", "nbval-skip"), "nbval-skip, for which allowed_tags.py"),
    ("allowed_tags", tag("claim", "raises-exception"), "raises-exception, for which"),
    ("allowed_tags", tag("claim", "nbval-ignore-output"), "nbval-ignore-output, for which"),
    ("allowed_tags", tag("claim", "hide_cell"), "hide_cell, for which"),
    ("allowed_tags", add("claim", "# NBVAL_SKIP"), "switches nbval off"),
    ("allowed_tags", add("claim", "#PYTEST_VALIDATE_IGNORE_OUTPUT"), "switches nbval off"),
    ("exercises", edit("exercise", "02.1", "02.2"), "they must be ['02.1']"),
    ("exercises", edit("exercise", "exercises.check", "check"), "they must be ['02.1']"),
    ("exercises", without("solution"), "the solutions' checks are []"),
    ("exercises", tag("exercise"), "tagged neither exercise nor solution"),
    ("exercises", edit("solution", "# @title", "# title"), "must begin with # @title Solution"),
    ("exercises", tag("solution", "solution"), "must have the metadata"),
    ("exercises", show("solution", "passed", "not passed yet"), "must show that it passed"),
    ("exercises", show("exercise", "not yet", "well"), "not yet attempted"),
    ("marks_only_in_records", add("prose", "\n" + mark("1")), "has marks in its source"),
    ("marks_only_in_records", add("claim", f"print('{contract.OPEN}')"), "marks in its source"),
    ("marks_only_in_records", out("figure", FORGED), "marks that bnutils.evidence did not make"),
    ("marks_only_in_records", drop_record, "marks that bnutils.evidence did not make"),
    ("marks_only_in_records", put("claim", marks=2), "says 2 marks, its content implies 1"),
    ("marks_only_in_records", put("measured", values={"a": 1}), "its content implies 1"),
    ("marks_only_in_records", put("recap", marks=2), "says 2 marks, its content implies 1"),
    ("marks_only_in_records", mark_html_twice, "text/html: 2 marked spans"),
    ("marks_only_in_records", show("claim", contract.CLOSE, ""), "0 marked spans"),
    ("marks_only_in_records", show("claim", "0.61 (0.55 to 0.7)", "so it is"), "holds no number"),
    ("marks_only_in_records", show("claim", "0.61", "0.61 in all" * 20), "more than numbers"),
    (
        "measured_blocks_only_in_interactive_figures",
        add("claim", f"HTML('{contract.JSON_BLOCK}')"),
        "writes a measured block itself",
    ),
    ("measured_blocks_only_in_interactive_figures", tag("interactive"), "not tagged interactive"),
    (
        "measured_blocks_only_in_interactive_figures",
        show("interactive", "bn-measured", "data"),
        "does not begin with",
    ),
    (
        "measured_blocks_only_in_interactive_figures",
        show("interactive", "1</script>", "1</script>" + contract.JSON_BLOCK),
        "2 measured blocks in one output",
    ),
    ("measured_blocks_only_in_interactive_figures", out("claim", BLOCK), "not tagged interactive"),
    ("records_are_whole", drop_from_record, "lacks because"),
    ("records_are_whole", put("claim", kind="guess"), "of the kind 'guess'"),
    ("records_are_whole", put("claim", holds=False), "a stored claim does not hold"),
    ("records_are_whole", claim_twice, "2 claims have the same sentence and bound"),
    ("claims_are_not_caught", add("claim", "evidence.ClaimFailed"), "names ClaimFailed"),
    ("claims_are_not_caught", add("claim", CAUGHT), "makes a claim inside try"),
    ("claims_are_not_caught", add("claim", SUPPRESSED), "makes a claim inside suppress"),
]


@pytest.mark.parametrize(
    ("rule", "change", "says"),
    PLANTS,
    ids=[f"{rule}-{change.__name__}" for rule, change, _ in PLANTS],
)
def test_a_planted_fault_is_caught(faults, rule, change, says):
    said = faults(change)[rule]
    assert any(says in fault for fault in said), f"{rule} said {said}"


def test_a_wrong_file_name_is_caught(faults):
    assert "a name looks like" in faults(lambda cells: None, name="2-two.ipynb")["title"][0]


def test_a_missing_entry_in_the_table_of_contents_is_caught(faults):
    said = faults(lambda cells: None, toc="notebooks/03_three")["in_the_table_of_contents"]
    assert "0 times" in said[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("See chapter 4.", 1),
        ("Chapters 4 and 9 go on.", 1),
        ("[Chapter 4](04_four.ipynb#a-place) goes on, and chapter 4 ends it.", 0),
        ("This is chapter 2; chapter 9 is not written yet.", 0),
    ],
)
def test_a_chapter_that_is_named_and_not_linked_is_caught(faults, words, said):
    toc = "notebooks/02_two\n  - file: notebooks/04_four"
    found = faults(add("prose", words), toc=toc)["chapters_are_linked"]
    assert len(found) == said
    assert all(fault.startswith("chapter 4 is named") for fault in found)


@pytest.mark.parametrize("metadata", [{"collapsed": True}, {"execution": {"iopub": "now"}}])
def test_metadata_that_an_editor_left_is_caught(faults, metadata):
    def change(cells):
        cells["prose"].metadata |= metadata

    assert "run that" in faults(change, normalize=False)["normalized"][0]


def test_cells_run_out_of_order_are_caught(faults):
    def change(cells):
        cells["claim"].execution_count = 7

    assert "from first to last" in faults(change, normalize=False)["outputs_are_stored"][0]


def test_every_rule_has_a_plant():
    planted = {rule for rule, _, _ in PLANTS}
    planted |= {"in_the_table_of_contents", "chapters_are_linked", "normalized"}
    assert planted == {rule.__name__ for rule in contract.RULES}
