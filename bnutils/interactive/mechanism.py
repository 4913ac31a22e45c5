"""How an interactive figure gets into a notebook: a still picture, then one piece of HTML.

The HTML carries its script, its style and its data, and asks for nothing from outside. Measured
numbers stand in one marked block, the only part of it that the notebook tests do not compare.
"""

import html
import json
import math
import numbers
import re
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from io import BytesIO
from itertools import count

import numpy as np
from IPython.display import display
from matplotlib.figure import Figure

_STILL_NOTE = (
    "This picture stands still. It can be moved where JavaScript runs: on the course\u2019s "
    "website, and in a notebook once its cell has been run."
)
_times_shown: Counter[str] = Counter()


def show(
    name: str,
    data: Mapping,
    *,
    label: str,
    description: str,
    static: Figure,
    digits: int = 6,
) -> None:
    """Display a figure that the reader can move.

    Two outputs appear: ``static`` as a PNG, for GitHub, paper and readers without JavaScript, and
    the living figure, which hides the PNG as soon as it runs.

    Parameters
    ----------
    name
        The figure's file, without ``.js``.
    data
        What the figure draws: numbers, strings, booleans, None, arrays, tensors, and lists and
        dicts of these. Measured numbers belong here and nowhere else.
    label
        The figure's title, plain text.
    description
        What one sees and what to try, plain text without measured digits; shown below the title.
    static
        The still picture. It is closed, so that the notebook does not show it a second time.
    digits
        Significant digits kept of every float in ``data``.

    Raises
    ------
    ValueError
        If there is no such figure, if a text is empty, or if a number is NaN or infinite.
    TypeError
        If ``data`` holds something that JSON has no word for.
    """
    import matplotlib.pyplot as plt

    if not isinstance(static, Figure):
        raise TypeError(f"static must be a matplotlib Figure, not {type(static).__name__}")
    number = _times_shown[name] + 1
    figure_id = f"bn-{name}" if number == 1 else f"bn-{name}-{number}"
    living = to_html(
        name, data, label=label, description=description, figure_id=figure_id, digits=digits
    )
    picture = BytesIO()
    # No version of matplotlib in the file: the same figure gives the same bytes.
    static.savefig(picture, format="png", bbox_inches="tight", metadata={"Software": None})
    plt.close(static)
    _times_shown[name] = number
    display({"image/png": picture.getvalue(), "text/plain": f"Still picture: {label}"}, raw=True)
    display({"text/html": living, "text/plain": f"Interactive figure: {label}"}, raw=True)


def to_html(
    name: str,
    data: Mapping,
    *,
    label: str,
    description: str,
    figure_id: str | None = None,
    digits: int = 6,
) -> str:
    """The living figure as one piece of HTML; the arguments are those of :func:`show`.

    ``figure_id`` is the HTML id of the figure, ``bn-<name>`` unless given; all other ids begin
    with it.
    """
    if not label.strip() or not description.strip():
        raise ValueError("label and description must say something: they are read aloud")
    figure_id = figure_id or f"bn-{name}"
    if not re.fullmatch(r"[A-Za-z][\w-]*", figure_id):
        raise ValueError(
            f"figure_id {figure_id!r} is no HTML id: begin with a letter, then letters, digits "
            "and hyphens"
        )
    # One function around it all: two figures on a page share no names.
    script = "\n".join(
        [
            "(() => {",
            _asset("core.js"),
            _figure_script(name),
            f'start("{figure_id}", {name});',
            "})();",
        ]
    )
    return "\n".join(
        [
            # Plain elements: a page's own style for figures, captions and lists cannot reach in.
            f'<div class="bn-figure" id="{figure_id}" role="group"'
            f' aria-labelledby="{figure_id}-label" data-lm-suppress-shortcuts="true">',
            f"<style>\n{_asset('core.css')}</style>",
            f'<p class="bn-title" id="{figure_id}-label">{html.escape(label)}</p>',
            f'<p class="bn-description">{html.escape(description)}</p>',
            f'<p class="bn-still-note">{_STILL_NOTE}</p>',
            '<div class="bn-body" hidden></div>',
            '<script type="application/json" class="bn-measured">'
            f"{_to_json(data, digits)}</script>",
            f"<script>\n{script}\n</script>",
            "</div>",
        ]
    )


def _asset(filename: str) -> str:
    return (files("bnutils.interactive") / filename).read_text(encoding="utf-8")


def _figure_script(name: str) -> str:
    known = sorted(
        f.name.removesuffix(".js")
        for f in files("bnutils.interactive").iterdir()
        if f.name.endswith(".js") and f.name != "core.js"
    )
    if name not in known:
        raise ValueError(f"no interactive figure {name!r}; there are: {', '.join(known)}")
    return _asset(f"{name}.js")


def _to_json(data: Mapping, digits: int) -> str:
    """One line of JSON that no HTML parser can mistake for markup."""
    if not isinstance(data, Mapping):
        raise TypeError(f"data must be a dict of the figure's values, not {type(data).__name__}")
    text = json.dumps(_plain(data, digits, "data"), separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _plain(value, digits: int, where: str):
    """``value`` in JSON's own types, its floats rounded; ``where`` names it in errors."""
    if hasattr(value, "detach"):  # a tensor, on any device
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        if not math.isfinite(value):
            raise ValueError(
                f"{where} is {value}: a figure's data must be finite; leave the value out, or "
                "pass None and let the figure draw a gap"
            )
        rounded = float(f"{value:.{digits}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{where} has the key {key!r}: keys must be strings")
        return {key: _plain(item, digits, f"{where}[{key!r}]") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, digits, f"{where}[{i}]") for i, item in zip(count(), value)]
    raise TypeError(
        f"{where} is a {type(value).__name__}: pass numbers, strings, booleans, None, arrays, "
        "tensors, or lists and dicts of these"
    )


def float64(value) -> np.ndarray:
    """An array, a number, or a tensor on any device, with or without its graph, as float64."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value, dtype=float)
