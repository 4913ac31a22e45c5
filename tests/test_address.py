"""The repository's address: stamped in one go, and the same everywhere."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import address

OLD = address.PLACEHOLDER
NEW = "https://github.com/ada/bn.course"
CONFIG = f"""title: The Perils   # kept, with its spaces
repository:
  # one place
  url: {OLD} # here
  branch: main
other:
  url: https://example.org
"""


@pytest.fixture
def course(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book").mkdir()
    (tmp_path / "_config.yml").write_bytes(CONFIG.replace("title", "\r\ntitle", 1).encode())
    (tmp_path / "README.md").write_text(
        f"git clone {OLD}.git, see {OLD}/issues or {OLD}. "
        "Not: https://github.com/OWNER/perils-of-batch-norm-data, https://github.com/torch/torch. "
        "Site: https://OWNER.github.io/perils-of-batch-norm/\n"
    )
    (tmp_path / "CITATION.cff").write_text(f'repository-code: "{OLD}"\n')
    (tmp_path / "pyproject.toml").write_text(f'Source = "{OLD}"\n')
    (tmp_path / "book" / "intro.md").write_text(f"[source]({OLD})\n")
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# 2 · Two\n\n" + address.badge("02_two.ipynb", OLD)),
            new_code_cell(address.setup_cell(OLD), metadata={"tags": ["setup"]}),
        ]
    )
    nbformat.write(notebook, tmp_path / "notebooks" / "02_two.ipynb")
    return tmp_path


def test_everything_here_agrees(capsys):
    assert address.main(["--check"]) == 0, capsys.readouterr().out


def test_stamping_changes_the_address_everywhere_and_nothing_else(course, capsys):
    before = {p: p.read_bytes() for p in course.rglob("*") if p.is_file()}
    assert address.main(["--check"], course) == 0
    assert address.main([NEW], course) == 0
    assert len(re.findall("stamped ", capsys.readouterr().out)) == 6
    assert address.main(["--check", "--repository", "Ada/bn.course"], course) == 0
    assert (course / "README.md").read_text() == (
        f"git clone {NEW}.git, see {NEW}/issues or {NEW}. "
        "Not: https://github.com/OWNER/perils-of-batch-norm-data, https://github.com/torch/torch. "
        "Site: https://ada.github.io/bn.course/\n"
    )
    assert address.main([OLD], course) == 0
    assert {p: p.read_bytes() for p in course.rglob("*") if p.is_file()} == before
    assert address.main([OLD], course) == 0
    assert "already" in capsys.readouterr().out


def test_stamping_mends_a_setup_cell_and_leaves_the_rest(course):
    path = course / "notebooks" / "02_two.ipynb"
    before = path.read_text()
    path.write_text(before.replace("Run this first.", "Start here."))
    assert address.main([OLD], course) == 0
    assert path.read_text().strip() == before.strip()


@pytest.mark.parametrize(
    "wrong",
    [
        "github.com/ada/course",
        "http://github.com/ada/course",
        "https://github.com/ada",
        "https://github.com/ada/course/",
        "https://github.com/ada/course.git",
        "https://gitlab.com/ada/course",
        "git@github.com:ada/course.git",
    ],
)
def test_a_wrong_address_is_refused_with_a_right_one_and_nothing_is_written(course, wrong, capsys):
    before = {p: p.read_bytes() for p in course.rglob("*") if p.is_file()}
    assert address.main([wrong], course) == 1
    assert f"it must look like {OLD}" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in course.rglob("*") if p.is_file()} == before


def test_nothing_is_written_when_a_file_cannot_be_read(course):
    before = (course / "_config.yml").read_bytes()
    (course / "book" / "zebra.md").write_bytes(b"\xff\xfe not UTF-8")
    with pytest.raises(UnicodeDecodeError):
        address.stamp(course, NEW)
    assert (course / "_config.yml").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("CITATION.cff", "repository-code", "repository", "lacks the line repository-code"),
        ("README.md", "OWNER/perils-of-batch-norm/issues", "eve/perils-of-batch-norm/issues",
         "README.md names eve/perils-of-batch-norm"),
        ("book/intro.md", "OWNER", "eve", "book/intro.md names eve/"),
        ("README.md", "//OWNER.github", "//eve.github", "README.md names eve/"),
        ("notebooks/02_two.ipynb", "blob/main", "blob/dev", "lacks the line [![Open In Colab]"),
        ("notebooks/02_two.ipynb", "--no-deps", "--upgrade", "is not the setup cell"),
        ("_config.yml", "OWNER", "eve", "names OWNER/perils-of-batch-norm"),
    ],
)  # fmt: skip
def test_a_disagreement_is_found(course, capsys, name, old, new, says):
    path = course / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert address.main(["--check"], course) == 1
    assert says in capsys.readouterr().out


def test_another_repository_is_told_what_to_run(course, capsys):
    assert address.main(["--check", "--repository", "eve/course"], course) == 1
    assert "make address URL=https://github.com/eve/course" in capsys.readouterr().out


def test_a_missing_address_is_told(course, capsys):
    (course / "_config.yml").write_text("title: none\n")
    assert address.main(["--check"], course) == 1
    assert "has no repository.url" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], [NEW, "--check"], [NEW, "--repository", "a/b"]])
def test_a_command_that_says_nothing_or_both_is_refused(arguments):
    with pytest.raises(SystemExit):
        address.main(arguments)
