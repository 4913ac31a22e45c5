"""Make `.venv` and keep it in step with the requirements. Standard library only.

    python3 tools/environment.py site      what the website needs (no torch)
    python3 tools/environment.py all       what the notebooks and the tests need

Installs only when a file that it installs from has changed since the last time, so that every
make target can begin with it.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST, NEWEST = (3, 11), (3, 13)
THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"
# What to install, and the files whose change calls for installing it again.
PARTS = {
    "site": ("requirements-site.txt", ["requirements-site.txt"]),
    "all": ("requirements.txt", ["requirements.txt", "requirements-site.txt", "pyproject.toml"]),
}


def fail(sentence):
    sys.exit("\n" + sentence)


def check_python():
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        fail(
            f"This is Python {THIS}; the course needs 3.11, 3.12 or 3.13. "
            "Name one like this: make book PYTHON=python3.12"
        )


def interpreter():
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def runs_and_is_this_version(python):
    """Whether an environment is there, works, and was made by the Python that runs this."""
    code = f"import pip, sys; print(sys.version_info[:2] == {sys.version_info[:2]})"
    try:
        answer = subprocess.run([str(python), "-c", code], stdout=subprocess.PIPE, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == b"True"


def make_venv():
    if runs_and_is_this_version(interpreter()):
        return
    print(f"Making .venv with Python {THIS}", flush=True)
    try:
        venv.create(str(VENV), clear=True, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"Could not make .venv: {error}. Debian and Ubuntu need the package python3-venv.")


def fingerprint(part):
    digest = hashlib.sha256(sys.version.encode())
    for name in PARTS[part][1]:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def install(part):
    stamp = VENV / f"installed-{part}"
    wanted = fingerprint(part)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    requirements = PARTS[part][0]
    print(f"Installing {requirements} (the first time takes a few minutes)", flush=True)
    command = [str(interpreter()), "-m", "pip", "install", "--disable-pip-version-check"]
    stamp.unlink(missing_ok=True)  # a broken install must not look like a finished one
    result = subprocess.run([*command, "-r", requirements], cwd=str(ROOT), check=False)
    if result.returncode:
        fail(
            f"Installing {requirements} failed; pip's lines above say why. It needs a network. "
            "If the environment itself is broken, `make clean` and another try mend it."
        )
    stamp.write_text(wanted)
    if part == "all":  # which holds what the site needs
        (VENV / "installed-site").write_text(fingerprint("site"))


def main():
    check_python()
    if len(sys.argv) != 2 or sys.argv[1] not in PARTS:
        fail("Say what to install: python3 tools/environment.py " + "|".join(PARTS))
    make_venv()
    install(sys.argv[1])


if __name__ == "__main__":
    main()
