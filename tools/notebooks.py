"""Reading, running and normalizing the course's notebooks: what the maintainers' tools share.

A stored notebook has one form only (`normalize`, `to_text`), so that running it again on the same
machine changes no byte, and a difference under version control is a difference that matters.
"""

import copy
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"

# Jupyter's own keys for "collapsed" and Colab's, the site's (image.alt stands in mystnb), and tags.
KEPT_CELL_METADATA = ("tags", "mystnb", "jupyter", "cellView")
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
TIMEOUT = 600  # seconds for one cell; a whole chapter is to take 45
ANSI = re.compile(r"\x1b\[[\d;]*m")


class NotebookFailed(Exception):
    """A notebook's execution stopped; the message names notebook, cell and exception."""


@dataclass(frozen=True)
class Claim:
    """A claim's identity in the ledger, and its record."""

    chapter: str
    sentence: str
    bound: str
    record: dict

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.chapter, self.sentence, self.bound


def find(only: str | None = None, folder: Path = NOTEBOOKS) -> list[Path]:
    """The notebooks, in order; with ``only="02"`` that chapter alone.

    Raises
    ------
    ValueError
        If no notebook is found.
    """
    paths = sorted(folder.glob("*.ipynb"))
    if not only:
        if not paths:
            raise ValueError(f"there is no notebook in {folder.name}/")
        return paths
    number = only.zfill(2)
    found = [path for path in paths if path.name.startswith(f"{number}_")]
    if not found:
        there_are = ", ".join(path.name.partition("_")[0] for path in paths) or "none"
        raise ValueError(f"there is no chapter {only!r}; the chapters are {there_are}")
    return found


def read(path: Path) -> NotebookNode:
    """The notebook at ``path``, with an error that names the file if it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["nbformat"] == 4:
            content["nbformat_minor"] = 5
            give_ids(content["cells"])  # before nbformat gives random ones
        return nbformat.reads(json.dumps(content), as_version=4)
    except Exception as error:  # errors of JSON, of keys, of the schema
        raise ValueError(f"{path.name} is not a notebook: {error}") from None


def to_text(notebook: NotebookNode) -> str:
    """The notebook as it is stored: UTF-8, keys sorted, one newline at the end."""
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def write(path: Path, notebook: NotebookNode) -> bool:
    """Store the notebook, all of it or nothing; return whether the file changed."""
    nbformat.validate(notebook)
    new = to_text(notebook).encode()
    if path.exists() and path.read_bytes() == new:
        return False
    replace(path, new)
    return True


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of the file's, all of it or nothing."""
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def normalize(notebook: NotebookNode) -> NotebookNode:
    """A copy in the one form that is stored.

    Keeps sources, tags, text alternatives and outputs; drops times, versions, editors' leavings and
    widget state; numbers the executed cells from 1; gives cells without an id a stable one.
    """
    notebook = copy.deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(copy.deepcopy(NOTEBOOK_METADATA))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    give_ids(notebook.cells)
    count = 0
    for cell in notebook.cells:
        cell.source = cell.source.rstrip()
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in KEPT_CELL_METADATA if cell.metadata.get(key)}
        )
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                _normalize_output(output, count)
    return notebook


def give_ids(cells: list[dict]) -> None:
    """Give the cells without an id, or with another's, one that depends on nothing random.

    An id that is there stays: links and reviews hold on to it.
    """
    taken: set[str] = set()
    for index, cell in enumerate(cells):
        if cell.get("id", "") in taken | {""}:
            source = "".join(cell["source"])
            cell["id"] = hashlib.sha256(f"{index} {source}".encode()).hexdigest()[:8]
        taken.add(cell["id"])


def execute(
    notebook: NotebookNode,
    name: str,
    folder: Path,
    *,
    environment: dict[str, str],
    tolerate: Iterable[str] = (),
) -> NotebookNode:
    """Run every cell in a fresh kernel.

    Parameters
    ----------
    notebook : NotebookNode
        Left as it is; the executed copy is returned.
    name : str
        How to call the notebook in an error.
    folder : Path
        The kernel's working directory.
    environment : dict
        The kernel's environment variables, see `kernel_environment`.
    tolerate : iterable of str
        Names of exceptions that do not stop the run.

    Raises
    ------
    NotebookFailed
        If a cell raised another exception, took too long, or the kernel died. The exception's
        ``notebook`` holds what was run so far.
    """
    notebook = without_outputs(notebook)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        allow_error_names=list(tolerate),
        extra_arguments=["--log-level=40"],  # errors; the kernel warns of sockets on this machine
        record_timing=False,
        coalesce_streams=True,
    )
    try:
        client.execute(env=environment)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        failure = NotebookFailed(_explain(notebook, name, error, tolerate))
        failure.notebook = notebook
        raise failure from None
    return notebook


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """A copy without outputs and execution counts."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def kernel_environment(seed: int = 0, **more: str) -> dict[str, str]:
    """Environment variables of a kernel: the CPU, one thread, a base seed, no foreign backend."""
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    return environment | {
        "BNUTILS_SEED": str(seed),
        "CUDA_VISIBLE_DEVICES": "",  # the stored outputs are the CPU's
        "OMP_NUM_THREADS": "1",
        **more,
    }


def claims(path: Path, notebook: NotebookNode) -> list[Claim]:
    """The claims among the notebook's outputs, in order."""
    chapter = path.name.partition("_")[0]
    return [
        Claim(chapter, record["sentence"], record["bound"], record)
        for record in records(notebook)
        if record.get("kind") == "claim"
    ]


def records(notebook: NotebookNode) -> Iterator[dict]:
    """What `bnutils.evidence` left in the outputs' metadata, in order."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "bnutils" in output.get("metadata", {}):
                yield output.metadata["bnutils"]


def _normalize_output(output: NotebookNode, count: int) -> None:
    if "execution_count" in output:
        output.execution_count = count
    if "metadata" in output:
        kept = {}
        for key, value in output.metadata.items():
            if key == "bnutils":
                kept[key] = value
            elif key.startswith("image/"):  # the size in CSS pixels of a picture at twice that
                size = {side: value[side] for side in ("width", "height") if side in value}
                kept |= {key: size} if size else {}
        output.metadata = nbformat.from_dict(kept)


def _explain(notebook: NotebookNode, name: str, error: Exception, tolerate: Iterable[str]) -> str:
    index, cell = _where_it_stopped(notebook, tolerate)
    where = f"{name}, cell {index}"
    first_line = cell.source.strip().partition("\n")[0] if cell else ""
    if first_line:
        where += f" ({first_line})"
    if isinstance(error, CellTimeoutError):
        return f"{where}: took longer than {TIMEOUT} s"
    if isinstance(error, DeadKernelError):
        return f"{where}: the kernel died"
    for output in cell.get("outputs", []):
        if output.output_type == "error" and output.ename not in tolerate:
            trace = "\n".join(ANSI.sub("", line) for line in output.traceback)
            return f"{where}: {output.ename}: {output.evalue}\n{trace}"
    return f"{where}: {error}"


def _where_it_stopped(
    notebook: NotebookNode, tolerate: Iterable[str]
) -> tuple[int, NotebookNode | None]:
    # nbclient gives a cell its count when it is done or failed; the first without one is at work.
    last = 0, None
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        last = index, cell
        errors = [o for o in cell.outputs if o.output_type == "error" and o.ename not in tolerate]
        if errors or cell.execution_count is None:
            break
    return last
