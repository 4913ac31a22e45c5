"""How an exercise is checked.

A check is a generator that receives the learner's answer and yields one `Property` after another::

    @exercise("02.4", "a batch large enough", answer="function")
    def batch_size(answer):
        yield close("half of σ needs a batch of 4", answer(0.5), 4)

What the learner sees is the `Result`: a stable text without measured digits when the exercise is
passed or not yet attempted, else the properties that fail. An answer that is ``...`` or ``None``,
and a function that returns nothing yet, count as not yet attempted. An exception in the learner's
code is reported with its name and line.
"""

import functools
import importlib
import linecache
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Check = Callable[[Any], Iterator["Property"]]


@dataclass(frozen=True)
class Property:
    """One thing that a right answer does: its name, whether it holds, and if not, by how much."""

    name: str
    holds: bool
    detail: str = ""


@dataclass(frozen=True)
class Result:
    """The outcome of a check; its ``repr`` is what the learner reads."""

    exercise: str
    title: str
    properties: tuple[Property, ...] = ()
    hint: str = ""

    @property
    def attempted(self) -> bool:
        """Whether there was an answer to check."""
        return bool(self.properties)

    @property
    def passed(self) -> bool:
        """Whether there was an answer and all its properties hold."""
        return self.attempted and all(p.holds for p in self.properties)

    def __repr__(self) -> str:
        total = len(self.properties)
        if not self.attempted:
            return f"{self.exercise} not yet attempted ({self.title}): {self.hint}"
        if self.passed:
            every = "its one property holds" if total == 1 else f"all {total} properties hold"
            return f"{self.exercise} passed: {every}"
        failing = [p for p in self.properties if not p.holds]
        verb = "fails" if len(failing) == 1 else "fail"
        lines = [f"{self.exercise} not passed yet: {len(failing)} of {total} checked {verb}"]
        for p in self.properties:
            lines.append(f"  ok     {p.name}" if p.holds else f"  fails  {p.name}: {p.detail}")
        return "\n".join(lines)


@dataclass(frozen=True)
class _Exercise:
    title: str
    answer: str
    check: Check


_registry: dict[str, _Exercise] = {}


class _NotAttempted(Exception):
    """The learner's function returns nothing yet."""


def exercise(number: str, title: str, *, answer: str = "value") -> Callable[[Check], Check]:
    """Register a generator of properties as the check of an exercise.

    Parameters
    ----------
    number : str
        Chapter and exercise, such as ``"02.1"``.
    title : str
        What is asked, in a few words.
    answer : {"value", "function"}
        What the learner hands in.
    """
    if not re.fullmatch(r"\d\d\.[1-9]\d*", number):
        raise ValueError(f"{number!r} is no exercise number; '02.1' would be one")
    if answer not in ("value", "function"):
        raise ValueError(f"answer is {answer!r}; it must be 'value' or 'function'")

    def register(check: Check) -> Check:
        if number in _registry and _registry[number].check.__name__ != check.__name__:
            raise ValueError(f"exercise {number} has a check already")
        _registry[number] = _Exercise(title, answer, check)
        return check

    return register


def check(number: str, answer: Any) -> Result:
    """Check an answer.

    Parameters
    ----------
    number : str
        The exercise, such as ``"02.1"``.
    answer : object
        The learner's function or value; ``...`` and ``None`` mean that there is none yet.

    Returns
    -------
    Result
        Never raises for what the learner did, only for an exercise that does not exist.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    known = _find(number)
    if _is_missing(answer):
        return Result(
            number, known.title, hint="replace the ... by your answer, then run this cell"
        )
    if known.answer == "function" and not callable(answer):
        detail = f"expected a function, got {_show(answer)} of type {type(answer).__name__}"
        return Result(number, known.title, (Property("the answer is a function", False, detail),))

    properties: list[Property] = []
    try:
        for found in known.check(_attempt(answer) if known.answer == "function" else answer):
            properties.append(found)
    except _NotAttempted:
        hint = "the function returns nothing yet; replace its ... and return the answer"
        return Result(number, known.title, hint=hint)
    except Exception as error:  # whatever the learner's code may raise
        properties.append(_raised(error, answer))
    return Result(number, known.title, tuple(properties))


def close(
    name: str,
    got: ArrayLike,
    expected: ArrayLike,
    tolerance: float = 1e-6,
) -> Property:
    """The property that ``got`` has the shape of ``expected`` and differs by at most ``tolerance``.

    Parameters
    ----------
    name : str
        The property in words.
    got, expected : array_like
        Numbers, of any shape; tensors are taken as arrays.
    tolerance : float
        The largest absolute difference allowed, in the unit of ``expected``.
    """
    try:
        got = _array(got)
    except (TypeError, ValueError):
        return Property(name, False, f"expected numbers, got {_show(got)}")
    expected = _array(expected)
    if got.shape != expected.shape:
        return Property(name, False, f"expected shape {expected.shape}, got shape {got.shape}")
    if expected.size == 0:
        return Property(name, True)
    difference = np.abs(got - expected)
    if not np.isfinite(difference).all():
        where = np.unravel_index(np.argmax(~np.isfinite(difference)), difference.shape)
        place = _at(where)
        return Property(name, False, f"expected {expected[where]:.6g}, got {got[where]}{place}")
    where = np.unravel_index(np.argmax(difference), difference.shape)
    if difference[where] <= tolerance:
        return Property(name, True)
    return Property(
        name,
        False,
        f"expected {expected[where]:.6g}, got {got[where]:.6g}{_at(where)}, "
        f"largest difference {difference[where]:.2g}",
    )


def true(name: str, condition: bool, otherwise: str) -> Property:
    """The property that ``condition`` is true; ``otherwise`` says what was found instead."""
    return Property(name, bool(condition), "" if condition else otherwise)


def _find(number: str) -> _Exercise:
    chapter = str(number).partition(".")[0]
    if re.fullmatch(r"\d\d", chapter):
        module = f"bnutils.exercises.chapter_{chapter}"
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    if number not in _registry:
        of_chapter = sorted(key for key in _registry if key.startswith(f"{chapter}."))
        there_are = (
            f"chapter {chapter} has {', '.join(of_chapter)}"
            if of_chapter
            else ("a number looks like '02.1', chapter first")
        )
        raise ValueError(f"there is no exercise {number!r}; {there_are}")
    return _registry[number]


def _attempt(function: Callable) -> Callable:
    """The learner's function, made to say when it is still a stub."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            result = function(*args, **kwargs)
        except NotImplementedError:
            raise _NotAttempted from None
        except TypeError as error:
            if "ellipsis" in str(error).lower():  # a ... left in the middle of the code
                raise _NotAttempted from None
            raise
        if _is_missing(result):
            raise _NotAttempted
        return result

    return call


def _is_missing(value: Any) -> bool:
    if isinstance(value, tuple | list) and len(value) > 0:
        return all(_is_missing(part) for part in value)
    return value is None or value is Ellipsis


def _raised(error: Exception, answer: Any) -> Property:
    """The exception's name and message, and the line of the learner's code that raised it."""
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    filename = answer.__code__.co_filename if hasattr(answer, "__code__") else None
    number = _deepest_line(error.__traceback__, filename)
    if number is None:
        return Property("what you return can be used", False, message)
    text = linecache.getline(filename, number).strip()
    line = f"line {number}: {text}" if text else f"line {number}"
    return Property("your code runs", False, f"{message} ({line})")


def _deepest_line(traceback: TracebackType | None, filename: str | None) -> int | None:
    number = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            number = traceback.tb_lineno
        traceback = traceback.tb_next
    return number


def _array(value: ArrayLike) -> np.ndarray:
    if hasattr(value, "detach"):  # a tensor, perhaps on a GPU, perhaps with a graph
        value = value.detach().cpu()
    return np.asarray(value, dtype=float)


def _at(where: tuple[int, ...]) -> str:
    return f" at index {', '.join(str(int(i)) for i in where)}" if where else ""


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
