"""Colab, simulated: an environment without bnutils, a folder with one notebook, no network.

The repository's address is redirected to a commit of the working tree, made in a bare repository
of its own: neither this repository's index nor its HEAD is touched.
"""

import json
import os
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

from tools import notebooks

CLOSED = "http://127.0.0.1:9"  # the discard port: a proxy at which nothing answers
RUN = """
import sys
import nbformat
from nbclient import NotebookClient
path, cells = sys.argv[1], int(sys.argv[2])
notebook = nbformat.read(path, as_version=4)
if cells:
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    notebook.cells = notebook.cells[: code[cells - 1] + 1]
for cell in notebook.cells:
    if cell.cell_type == "code":
        cell.outputs = []
client = NotebookClient(notebook, timeout=600, kernel_name="python3",
                        extra_arguments=["--log-level=40"])
client.execute()
nbformat.write(notebook, path)
"""
TORCH = "import torch; print(torch.__version__, torch.__file__)"


class Colab:
    """An environment equal to the tests' own, but without bnutils, and cut off from the network."""

    def __init__(self, folder: Path, repository: Path, address: str):
        self.folder = folder
        _make_environment(folder / "env")
        self.python = folder / "env" / "bin" / "python"
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PIP_", "PYTHON", "PYTEST_", "GIT_", "JUPYTER", "MPL"))
        } | {
            "HOME": str(folder),  # neither the user's settings of pip and git nor packages there
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # pip takes a --no-… option's variable the other way round: 0 means no isolation.
            "PIP_NO_BUILD_ISOLATION": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": address,
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), CLOSED),
            "no_proxy": "",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
        """Run its Python."""
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def lacks_bnutils(self) -> bool:
        """Whether bnutils, and nothing else that it would need, is missing."""
        return "No module named 'bnutils'" in self.run("-c", "import torch, bnutils").stderr

    def packages(self) -> set[str]:
        """What ``pip freeze`` lists."""
        return set(self.run("-m", "pip", "freeze", "--all").stdout.splitlines())

    def torch(self) -> str:
        """Its torch's version and place."""
        return self.run("-c", TORCH).stdout

    def open(self, path: Path, cells: int = 0):
        """Run a notebook, or its first code cells, alone in an empty folder; return it as run."""
        alone = self.folder / path.stem
        alone.mkdir()
        copy = alone / path.name
        shutil.copyfile(path, copy)
        result = self.run("-c", RUN, path.name, str(cells), cwd=alone)
        if result.returncode:
            trace = notebooks.ANSI.sub("", result.stderr)
            raise AssertionError(f"{path.name} does not run on Colab:\n{trace[-4000:]}")
        return notebooks.read(copy)


def commit_of_the_working_tree(folder: Path, root: Path = notebooks.ROOT) -> Path:
    """A bare repository whose main branch is the working tree as it is, ignored files apart."""
    bare = folder / "repository.git"

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
        command = ["git", *identity, "--git-dir", str(bare), "--work-tree", str(root), *arguments]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        run = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=True
        )
        return run.stdout.strip()

    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    git("config", "uploadpack.allowFilter", "true")  # pip clones without the blobs of the past
    git("add", "-A")
    git("update-ref", "refs/heads/main", git("commit-tree", git("write-tree"), "-m", "as it is"))
    return bare


def _make_environment(folder: Path) -> None:
    """A virtual environment with links to all that is installed here, except bnutils."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = Path(
        subprocess.run(
            [
                folder / "bin" / "python",
                "-c",
                "import sysconfig; print(sysconfig.get_path('purelib'))",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
    for kind in ("platlib", "purelib"):
        for entry in Path(sysconfig.get_path(kind)).iterdir():
            if "bnutils" not in entry.name and not (site / entry.name).exists():
                (site / entry.name).symlink_to(entry)
    spec = {
        "argv": [
            str(folder / "bin" / "python"),
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
        ],
        "display_name": "Python 3",
        "language": "python",
    }
    kernel = folder / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps(spec))
