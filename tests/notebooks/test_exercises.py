"""Every exercise: the stub is not yet attempted, the solution passes, wrong answers fail."""

import ast
import importlib
import linecache

import pytest

from tests.notebooks import contract
from tools import notebooks

PATHS = sorted(notebooks.NOTEBOOKS.glob("*.ipynb"))


def tagged(path, tag):
    """The cells of a chapter with this tag, by the number of their exercise."""
    cells = [cell for cell in notebooks.read(path).cells if tag in contract.tags(cell)]
    return {contract.check_of(cell)[0]: cell.source for cell in cells}


def wrong_answers(path):
    module = f"tests.wrong_answers.chapter_{path.name[:2]}"
    try:
        return importlib.import_module(module).WRONG_ANSWERS
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return {}


EXERCISES = [(path, number) for path in PATHS for number in tagged(path, "exercise")]
WRONG = [
    pytest.param(path, number, source, id=f"{number}-{mistake}")
    for path in PATHS
    for number, answers in wrong_answers(path).items()
    for mistake, source in answers
]


@pytest.fixture(autouse=True)
def no_window(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")


def outcome(path, number, source):
    """Run the chapter's first two cells, then ``source``; the value of its last line."""
    setup, imports = [c for c in notebooks.read(path).cells if c.cell_type == "code"][:2]
    namespace = {}
    for cell in (setup, imports):
        exec(cell.source, namespace)  # noqa: S102
    name = f"<{number}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    *body, last = ast.parse(source).body
    exec(compile(ast.Module(body, []), name, "exec"), namespace)
    return eval(compile(ast.Expression(last.value), name, "eval"), namespace)


def last_line(source):
    return source.rstrip().split("\n")[-1]


@pytest.mark.parametrize(("path", "number"), EXERCISES, ids=[number for _, number in EXERCISES])
def test_the_stub_is_not_yet_attempted_and_the_solution_passes(path, number):
    stub = outcome(path, number, tagged(path, "exercise")[number])
    assert not stub.attempted, stub
    assert not stub.passed
    solution = outcome(path, number, tagged(path, "solution")[number])
    assert solution.passed, solution


@pytest.mark.parametrize(("path", "number", "source"), WRONG)
def test_a_wrong_answer_is_told_what_fails(path, number, source):
    check = last_line(tagged(path, "exercise")[number])
    found = outcome(path, number, f"{source.strip()}\n\n\n{check}")
    assert found.attempted, found
    assert not found.passed, found
    failing = [p for p in found.properties if not p.holds]
    assert all(len(p.detail) > 10 for p in failing), found


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_exercise_has_a_wrong_answer_and_no_other(path):
    assert list(tagged(path, "exercise")) == list(wrong_answers(path))
    assert all(wrong_answers(path).values())
