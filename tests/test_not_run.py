"""The list of what did not run, at the end of `make test`."""

import os
import subprocess
import sys

import pytest

from tests import not_run

ROOT = not_run.FOLDER.parent.parent
TESTS = """
import pytest

@pytest.mark.parametrize("i", range(3))
def test_gpu(i):
    pytest.skip("no CUDA here")

@pytest.mark.skip(reason="no browser: install chromium")
def test_browser(): ...

@pytest.mark.xfail(reason="known to fail")
def test_known(): assert False

def test_fine(): ...
"""


def run(folder, *arguments):
    """Pytest with the plugin, its records kept in ``folder``."""
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "__init__.py").touch()
    (folder / "tests" / "not_run.py").write_text((ROOT / "tests" / "not_run.py").read_text())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.not_run", *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take longer than the tests
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "with xdist"])
def test_skipped_tests_are_recorded_once_with_their_reason(tmp_path, capsys, workers):
    (tmp_path / "test_a.py").write_text(TESTS)
    (tmp_path / "test_b.py").write_text("import pytest\npytest.importorskip('absent_package')")
    result = run(tmp_path, *workers, "test_a.py", "test_b.py")
    assert "1 passed" in result.stdout, result.stdout + result.stderr
    records = tmp_path / "_build" / "not_run"
    found = not_run.reasons(records)
    assert found.pop("no CUDA here") == 3
    assert found.pop("no browser: install chromium") == 1
    assert found.pop("known to fail") == 1
    assert [reason for reason in found if "absent_package" in reason]
    assert sum(found.values()) == 1

    assert not_run.main([], records) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Did not run:\n  3 tests: no CUDA here\n")
    assert "  1 test: no browser: install chromium\n" in shown
    assert not_run.main(["--allow", "CUDA"], records) == 1

    run(tmp_path, *workers, "test_a.py", "test_b.py")
    assert not_run.reasons(records)["no CUDA here"] == 3, "a run repeated counts once"
    run(tmp_path, *workers, "test_a.py")
    assert not_run.reasons(records)["no CUDA here"] == 6, "another run adds to it"


def test_only_what_is_allowed_may_be_left_out(tmp_path, capsys):
    (tmp_path / "test_a.py").write_text("import pytest\ndef test_gpu(): pytest.skip('no CUDA')")
    run(tmp_path, "test_a.py")
    records = tmp_path / "_build" / "not_run"
    assert not_run.main(["--allow", "CUDA"], records) == 0
    assert not_run.main(["--allow", "network"], records) == 1
    assert not_run.main(["--clear"], records) == 0
    assert not_run.main(["--allow", "CUDA"], records) == 1, "nothing on record is no success"
    assert "no test run is on record" in capsys.readouterr().err


def test_when_everything_ran_it_says_so(tmp_path, capsys):
    (tmp_path / "test_a.py").write_text("def test_fine(): ...")
    run(tmp_path, "test_a.py")
    assert not_run.main(["--allow", "CUDA"], tmp_path / "_build" / "not_run") == 0
    assert capsys.readouterr().out == "Everything ran.\n"
