"""Checks that tell a learner which property of an answer fails, and by how much.

In a notebook::

    from bnutils import exercises

    exercises.check("02.1", batch_norm)

The checks of a chapter stand in ``chapter_NN.py`` beside this file and are imported when first
asked for. How to write one is told in `bnutils.exercises.checking`.
"""

from bnutils.exercises.checking import Property, Result, check, close, exercise, true

__all__ = ["Property", "Result", "check", "close", "exercise", "true"]
