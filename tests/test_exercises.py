"""What a check tells the learner."""

import importlib

import numpy as np
import pytest
import torch

from bnutils import exercises
from bnutils.exercises import checking
from bnutils.exercises.checking import Property, Result, close, true


@pytest.fixture
def doubling(monkeypatch):
    """Exercise 99.1: write a function that doubles an array."""
    monkeypatch.setattr(checking, "_registry", {})

    @checking.exercise("99.1", "twice as much", answer="function")
    def check(double):
        yield close("1 becomes 2", double(1.0), 2.0)
        yield close("arrays are doubled", double(np.array([1.0, 2.0])), [2.0, 4.0])


@pytest.mark.parametrize(
    "stub",
    [
        ...,
        None,
        lambda x: ...,
        lambda x: None,
        lambda x: (..., ...),
        lambda x: 2 * (... - x),
    ],
    ids=["dots", "none", "returns dots", "returns none", "returns a pair of dots", "dots within"],
)
def test_a_stub_is_not_yet_attempted(doubling, stub):
    result = exercises.check("99.1", stub)
    assert not result.attempted
    assert not result.passed
    assert repr(result).startswith("99.1 not yet attempted (twice as much): ")


def test_a_stub_that_raises_is_not_yet_attempted(doubling):
    def double(x):
        raise NotImplementedError("later")

    assert not exercises.check("99.1", double).attempted


def test_a_right_answer_passes_with_a_stable_text(doubling):
    result = exercises.check("99.1", lambda x: 2 * x)
    assert result.passed
    assert repr(result) == "99.1 passed: all 2 properties hold"


def test_a_single_property_is_told_in_the_singular():
    assert repr(Result("99.1", "", (Property("it", True),))) == (
        "99.1 passed: its one property holds"
    )


def test_a_wrong_answer_is_told_what_fails_and_by_how_much(doubling):
    result = exercises.check("99.1", lambda x: x + 1)
    assert result.attempted
    assert not result.passed
    assert repr(result) == (
        "99.1 not passed yet: 1 of 2 checked fails\n"
        "  ok     1 becomes 2\n"
        "  fails  arrays are doubled: expected 4, got 3 at index 1, largest difference 1"
    )


def test_an_exception_is_told_with_the_learners_deepest_line(doubling):
    def helper(x):
        return x["wrong"]

    def double(x):
        return helper(x)

    result = exercises.check("99.1", double)
    assert not result.passed
    detail = result.properties[-1].detail
    first = helper.__code__.co_firstlineno
    assert detail.startswith(("TypeError: ", "IndexError: "))
    assert detail.endswith(f'(line {first + 1}: return x["wrong"])')


def test_an_unusable_return_value_is_no_error_in_the_learners_code(monkeypatch):
    monkeypatch.setattr(checking, "_registry", {})

    @checking.exercise("99.1", "sum", answer="function")
    def check(function):
        yield close("sum", np.sum(function() + 1), 2)

    theirs = eval(compile("lambda: 'one'", "the learner's cell", "eval"))
    (only,) = exercises.check("99.1", theirs).properties
    assert only.name == "what you return can be used"
    assert "TypeError" in only.detail
    assert "line" not in only.detail


def test_no_function_where_one_is_asked_for(doubling):
    text = repr(exercises.check("99.1", 3))
    assert "expected a function, got 3 of type int" in text


def test_a_value_can_be_asked_for(monkeypatch):
    monkeypatch.setattr(checking, "_registry", {})

    @checking.exercise("99.2", "a number")
    def check(answer):
        yield true("it is 4", answer == 4, f"expected 4, got {answer}")

    assert not exercises.check("99.2", ...).attempted
    assert exercises.check("99.2", 4).passed
    assert "expected 4, got 5" in repr(exercises.check("99.2", 5))


@pytest.mark.parametrize(
    ("got", "expected", "says"),
    [
        ([1.0, 2.0], [1.0], "expected shape (1,), got shape (2,)"),
        ("two", 2.0, "expected numbers, got 'two'"),
        ([1.0, np.nan], [1.0, 2.0], "expected 2, got nan at index 1"),
        ([[0.0], [0.5]], [[0.0], [0.0]], "expected 0, got 0.5 at index 1, 0, largest difference"),
        (1.1, 1.0, "expected 1, got 1.1, largest difference 0.1"),
    ],
)
def test_close_says_what_differs(got, expected, says):
    found = close("it", got, expected)
    assert not found.holds
    assert says in found.detail


def test_close_accepts_what_is_close_and_tensors_with_a_graph():
    assert close("it", [1.0 + 1e-7], [1.0]).holds
    assert not close("it", [1.0 + 1e-7], [1.0], tolerance=1e-8).holds
    assert close("it", torch.ones(2, requires_grad=True), np.ones(2)).holds
    assert close("nothing", [], []).holds


def test_an_unknown_exercise_is_named_and_the_known_ones_told():
    with pytest.raises(ValueError, match="there is no exercise '02.9'; chapter 02 has 02.1, 02.2"):
        exercises.check("02.9", 1)
    for strange in ("98.1", "two", 2.1, ""):
        with pytest.raises(ValueError, match="a number looks like '02.1'"):
            exercises.check(strange, 1)


def test_a_fault_inside_a_checks_module_is_not_hidden(monkeypatch):
    def broken(name):
        raise ModuleNotFoundError("No module named 'absent'", name="absent")

    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="absent"):
        exercises.check("97.1", 1)


def test_an_exercise_is_registered_once_with_a_right_number(doubling):
    def other(answer):
        yield close("it", answer, 1)

    with pytest.raises(ValueError, match="99.1 has a check already"):
        checking.exercise("99.1", "again")(other)
    with pytest.raises(ValueError, match="'9.1' is no exercise number"):
        checking.exercise("9.1", "short")
    with pytest.raises(ValueError, match="it must be 'value' or 'function'"):
        checking.exercise("99.3", "what", answer="array")
