"""Tags that switch a test off for one cell, each with the reason why.

``(notebook, cell id, tag): "why nothing else will do"``; empty is best.
"""

ALLOWED: dict[tuple[str, str, str], str] = {}
