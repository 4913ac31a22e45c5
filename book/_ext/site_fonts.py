"""Fonts cut down to what the pages draw.

The icons go into the stylesheet. The mathematics stays a file, which pages with formulas ask for
at once, before they have read the stylesheet.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from fontTools import subset

# What browsers draw without being told: the root, brackets and bars of any height, accents, primes.
DRAWN = (
    "\u00a0\u00af\u00b4\u00b7\u00d7\u2010\u2011\u2013\u2014\u2026\u203e\u2212\u22c5\u22ef"
    "()[]{}|/\u2016\u2223\u2225\u2308\u2309\u230a\u230b\u23b4\u23b5\u23dc\u23dd\u23de\u23df\u27e8\u27e9"
    "\u221a\u221b\u221c\u2211\u220f\u222b\u2190\u2191\u2192\u2193\u2194"
    "^_`~\u02c6\u02c7\u02c9\u02d8\u02d9\u02dc"
    + "".join(map(chr, [*range(0x300, 0x310), *range(0x20D0, 0x20E2), *range(0x2032, 0x2038)]))
)
ICONS, MATHEMATICS = "icons", "mathematics"


# The fonts that stylesheets bring along; another one is the theme's news.
FACES = {
    "Font Awesome 6 Free": ICONS,
    "Font Awesome 6 Brands": ICONS,
    "Latin Modern Math": MATHEMATICS,
    "Temml": MATHEMATICS,  # primes and script capitals
}


def slanted(letter: str) -> str:
    """Return the character that browsers draw for a letter alone in ``<mi>``.

    MathML Core, https://www.w3.org/TR/mathml-core/#italic-mappings.
    """
    for first, last, start in (("A", "Z", 0x1D434), ("a", "z", 0x1D44E)):
        if first <= letter <= last:
            return "\u210e" if letter == "h" else chr(start + ord(letter) - ord(first))
    for first, last, start in (("\u0391", "\u03a9", 0x1D6E2), ("\u03b1", "\u03c9", 0x1D6FC)):
        if first <= letter <= last:
            return chr(start + ord(letter) - ord(first))
    others = "\u0131\u0237\u03f4\u2207\u2202\u03f5\u03d1\u03f0\u03d5\u03f1\u03d6"
    becomes = "\U0001d6a4\U0001d6a5\U0001d6f3\U0001d6fb\U0001d715\U0001d716\U0001d717\U0001d718"
    becomes += "\U0001d719\U0001d71a\U0001d71b"
    return dict(zip(others, becomes, strict=True)).get(letter, letter)


def letters_of_formulas(pages: Iterable[str]) -> set[str]:
    """Return the characters of all formulas on some pages, and what browsers make of them."""
    found = set(DRAWN)
    for page in pages:
        for formula in re.findall(r"<math\b.*?</math>", page, flags=re.DOTALL):
            found.update(html.unescape(re.sub(r"<[^>]*>", "", formula)))
    return found | set(map(slanted, found))


@cache
def cut(path: Path, letters: frozenset[str]) -> bytes:
    """Return a font as WOFF2 with these characters alone, and the parts they need to grow."""
    # No variants by name, such as those for exponents: Chromium asks for none of them.
    options = subset.Options(flavor="woff2", layout_features=[])
    options.recalc_timestamp = False  # the same letters give the same bytes
    options.drop_tables.append("FFTM")  # a font editor's date
    font = subset.load_font(str(path), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[ord(letter) for letter in letters])
    subsetter.subset(font)
    file = io.BytesIO()
    subset.save_font(font, file, options)
    return file.getvalue()


def as_address(font: bytes) -> str:
    """Write a font as an address that holds it."""
    return f"data:font/woff2;base64,{base64.b64encode(font).decode()}"
