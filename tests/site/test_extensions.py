"""The site's own extensions: mathematics drawn at build, and the theme's faults mended."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest
from site_helpers import EXTENSIONS, small_site

FORMULAS = [
    r"\hat{x}_i = \frac{x_i - \mu_{\mathcal{B}}}{\sqrt{\sigma_{\mathcal{B}}^2 + \varepsilon}}",
    r"\begin{aligned} a &= b \\ &= \sum_{i=1}^{m} x_i \end{aligned}",
    r"f(x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \begin{bmatrix} a \\ b \end{bmatrix}",
    r"\mathbb{E}[x],\ \mathcal{N}(0, 1),\ \boldsymbol{\gamma},\ \mathbf{x},\ \operatorname{Var}(x)",
    r"\bar{x}, \tilde{x}, \widehat{xy}, \overline{AB}, \vec{v}, \dot{x}, f', f''",
    r"\sqrt[3]{x} \sqrt{1 + \sqrt{x}} \binom{n}{k} \lVert w \rVert \langle u, v \rangle",
    r"\prod_{\substack{i < m \\ j < m}} \max_\theta \int_0^\infty e^{-t}\,\mathrm{d}t",
    r"\underbrace{a + b}_{n} \overbrace{x}^{k} \xrightarrow{m \to \infty} \cancel{x} \tag{7}",
]


@pytest.fixture
def mathematics(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return importlib.import_module("site_math")


@pytest.mark.parametrize("tex", FORMULAS)
def test_every_kind_of_formula_becomes_mathml(mathematics: ModuleType, tex: str) -> None:
    for display in (True, False) if "tag" not in tex else (True,):
        mathml = mathematics.to_mathml(tex, display)
        assert mathml.startswith("<math")
        assert "merror" not in mathml


def test_equations_are_numbered_once(tmp_path: Path) -> None:
    index = "# Page\n\n$$\nx = y\n$$ (one)\n\nSee {eq}`one`, and $z$.\n\n"
    index += "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n"
    run = small_site(tmp_path, index, ["myst_parser", "site_math"])
    assert run.returncode == 0, run.stderr
    html = (tmp_path / "h" / "index.html").read_text(encoding="utf-8")
    assert html.count("<math") == 3
    assert html.count('class="eqno"') == 2, "the label and the align carry Sphinx's numbers"
    assert "tml-eqn" not in html, "and no second number of Temml's"


def test_bad_tex_stops_the_build_with_file_and_line(tmp_path: Path) -> None:
    index = "# Page\n\nBad: $\\frac{1}$.\n\nBad: $\\notacommand$.\n\n$$\nx_{a\n$$\n"
    run = small_site(tmp_path, index, ["myst_parser", "site_math"])
    assert run.returncode != 0
    for line in (3, 5, 7):
        assert f"index.md:{line}: WARNING: mathematics: " in run.stderr, run.stderr


def test_a_missing_vendored_file_stops_the_build(
    mathematics: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in mathematics.VENDORED[1:]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(mathematics, "TEMML", tmp_path)
    with pytest.raises(Exception, match="mathematics: missing below .*: temml.min.js"):
        mathematics.check_vendored(None)


def test_another_theme_and_a_foreign_picture_are_noticed(tmp_path: Path) -> None:
    """Where a mend finds nothing to mend, the build fails and says which."""
    index = "# Page\n\n![a](https://example.org/a.png)\n"
    run = small_site(tmp_path, index, ["myst_parser", "site_theme"])
    assert run.returncode != 0
    for fault in ("without scripts no theme applies", "the sidebar is outside every landmark"):
        assert f"the theme must have changed: {fault}" in run.stderr
    assert "index.md:3: WARNING: a picture from another host: https://example.org" in run.stderr
