"""Stamp the repository's address on everything that names it, or check that all agree.

    python -m tools.address https://github.com/OWNER/perils-of-batch-norm
    python -m tools.address --check
    python -m tools.address --check --repository owner/name      (the publishing workflow)

The address stands in `_config.yml` under `repository.url`. Badges, setup cells, the citation file
and the links in the text repeat it and are held to it.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

from tools import notebooks

CONFIG = "_config.yml"
STAMPED = (
    "README.md",
    "CONTRIBUTING.md",
    "CITATION.cff",
    "pyproject.toml",
    "book/*.md",
    "notebooks/*.ipynb",
)
PLACEHOLDER = "https://github.com/OWNER/perils-of-batch-norm"

ADDRESS = re.compile(r"https://github\.com/([\w-]+)/([\w.-]+)")
IN_CONFIG = re.compile(r"(?m)^repository:\n(?:(?:[ \t].*)?\n)*?[ \t]+url:[ \t]*[\"']?([^\s\"']+)")

BADGE = (
    "[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{slug}/blob/{branch}/notebooks/{name})"
)
SETUP = """\
# Run this first. It fetches the course's helpers where they are missing, as on Colab.
try:
    import bnutils
except ModuleNotFoundError:
    import subprocess
    import sys

    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    address = "git+{address}"
    subprocess.run([*pip, address], check=True)
    import bnutils"""


def main(arguments: list[str] | None = None, root: Path = notebooks.ROOT) -> int:
    """Stamp or check, as the command line asks; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.address")
    parser.add_argument("url", nargs="?", help="the new address, https://github.com/owner/name")
    parser.add_argument("--check", action="store_true", help="change nothing, check that all agree")
    parser.add_argument("--repository", metavar="OWNER/NAME", help="check that this is stamped")
    asked = parser.parse_args(arguments)
    if asked.check == bool(asked.url) or (asked.repository and not asked.check):
        parser.error("give a URL to stamp, or --check")
    try:
        if asked.check:
            problems = disagreements(root, asked.repository)
            print("\n".join(problems) or f"all agree on {current(root)}")
            return 1 if problems else 0
        changed = stamp(root, asked.url)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(f"stamped {name}" for name in changed) or "everything had this address already")
    return 0


def current(root: Path = notebooks.ROOT) -> str:
    """The address in `_config.yml`."""
    found = IN_CONFIG.search((root / CONFIG).read_text(encoding="utf-8"))
    if not found:
        raise ValueError(f"{CONFIG} has no repository.url; write {PLACEHOLDER} there")
    return valid(found.group(1))


def valid(url: str) -> str:
    """The address itself, if it is one.

    Raises
    ------
    ValueError
        If it is not of the form https://github.com/owner/name; Colab opens no others.
    """
    if not ADDRESS.fullmatch(url) or url.endswith((".git", ".")):
        raise ValueError(
            f"{url!r} is no repository's address; it must look like {PLACEHOLDER}, without "
            "anything after the name (GitHub's, since Colab opens notebooks from there)"
        )
    return url


def slug(url: str) -> str:
    """``owner/name`` of an address."""
    return "/".join(ADDRESS.fullmatch(url).groups())


def branch(root: Path = notebooks.ROOT) -> str:
    """The branch that badges open, `repository.branch` in `_config.yml`."""
    found = re.search(r"(?m)^[ \t]+branch:[ \t]*(\S+)", (root / CONFIG).read_text(encoding="utf-8"))
    return found.group(1) if found else "main"


def badge(name: str, url: str, on_branch: str = "main") -> str:
    """The Colab badge of the notebook with this file name."""
    return BADGE.format(slug=slug(url), branch=on_branch, name=name)


def setup_cell(url: str) -> str:
    """The source of every notebook's first code cell."""
    return SETUP.format(address=url)


def stamp(root: Path, url: str) -> list[str]:
    """Put ``url`` in the place of the old address everywhere; return the names of changed files.

    Setup cells (tag ``setup``) become what `setup_cell` says now, whatever they were. Every
    file's new content is known before the first is written.
    """
    old, new = current(root), valid(url)
    config = (root / CONFIG).read_bytes().decode()
    start, end = IN_CONFIG.search(config).span(1)
    contents = {root / CONFIG: config[:start] + new + config[end:]}
    for path in _stamped(root):
        contents[path] = _restamp(path.read_bytes().decode(), old, new)
        if path.suffix == ".ipynb":
            contents[path] = _with_setup_cell(contents[path], new)
    changed = [path for path, text in contents.items() if path.read_bytes() != text.encode()]
    for path in changed:
        notebooks.replace(path, contents[path].encode())
    return [path.relative_to(root).as_posix() for path in changed]


def disagreements(root: Path, repository: str | None = None) -> list[str]:
    """What does not agree with `_config.yml`, one sentence each."""
    url = current(root)
    problems = []
    if repository and repository.lower() != slug(url).lower():
        problems.append(
            f"{CONFIG} has {url}, but this is the repository {repository}; run "
            f"`make address URL=https://github.com/{repository}` and commit"
        )
    names = {slug(url).partition("/")[2], slug(PLACEHOLDER).partition("/")[2]}
    for path in _stamped(root):
        text, place = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
        for found in sorted(_named(text) - {slug(url)}):
            if found.partition("/")[2] in names:
                problems.append(f"{place} names {found}, {CONFIG} {slug(url)}")
        if path.name == "CITATION.cff" and f'repository-code: "{url}"' not in text:
            problems.append(f'{place} lacks the line repository-code: "{url}"')
        if path.suffix == ".ipynb":
            problems += _notebook_disagreements(path, place, url, branch(root))
    return problems


def _notebook_disagreements(path: Path, place: str, url: str, on_branch: str) -> list[str]:
    cells = notebooks.read(path).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    problems = []
    if not cells or badge(path.name, url, on_branch) not in cells[0].source.split("\n"):
        problems.append(f"{place} lacks the line {badge(path.name, url, on_branch)}")
    if code[:1] != [setup_cell(url)]:
        problems.append(f"{place}: the first code cell is not the setup cell, which is\n"
                        f"{setup_cell(url)}")  # fmt: skip
    return problems


def _stamped(root: Path) -> list[Path]:
    return sorted(path for pattern in STAMPED for path in root.glob(pattern))


def _restamp(text: str, old: str, new: str) -> str:
    # The name must end where the old one does, but for ".git": a/course is not a/course-data.
    for form in (_plain, _on_colab, _on_pages):
        text = re.sub(
            re.escape(form(slug(old))) + r"(?=\.git\b|(?!\.\w)[^\w-]|$)",
            form(slug(new)).replace("\\", r"\\"),
            text,
        )
    return text


def _with_setup_cell(text: str, url: str) -> str:
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        if "setup" in cell.metadata.get("tags", []) and cell.source != setup_cell(url):
            cell.source = setup_cell(url)
            text = notebooks.to_text(notebook)
    return text


def _plain(owner_and_name: str) -> str:
    return f"github.com/{owner_and_name}"


def _on_colab(owner_and_name: str) -> str:
    return f"colab.research.google.com/github/{owner_and_name}"


def _on_pages(owner_and_name: str) -> str:
    owner, _, name = owner_and_name.partition("/")
    return f"{owner}.github.io/{name}"


def _named(text: str) -> set[str]:
    """Every repository that the text names, as owner/name."""
    found = re.findall(r"(?:github\.com|google\.com/github)/([\w-]+/[\w-]+(?:\.\w[\w-]*)*)", text)
    found += ["/".join(pair) for pair in re.findall(r"//([\w-]+)\.github\.io/([\w-]+)", text)]
    return {name.removesuffix(".git") for name in found}


if __name__ == "__main__":
    sys.exit(main())
