"""What did not run, and why: collected while pytest runs, shown in one list at the end.

python -m tests.not_run --clear                 before the first run
python -m pytest -p tests.not_run ...           each run adds what it skipped
python -m tests.not_run                         shows the list
python -m tests.not_run --allow CUDA            and fails if it holds any reason but "no CUDA"
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections import Counter
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "_build" / "not_run"


class Recorder:
    """Collects the reasons of skipped tests; in xdist's controller the workers' reports arrive."""

    def __init__(self, path: Path):
        self.path = path
        self.reasons: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report):
        self._add(report)

    def pytest_collectreport(self, report):
        self._add(report)

    def _add(self, report):
        if report.skipped:
            self.reasons[_reason(report)] += 1

    def pytest_sessionfinish(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.reasons, indent=1, ensure_ascii=False) + "\n")


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return  # one of xdist's workers; its controller records
    config.pluginmanager.register(Recorder(FOLDER / f"{_run_name(config)}.json"))


def _run_name(config) -> str:
    # A run that is repeated replaces its record; another run, with other arguments, adds one.
    asked = "\n".join(map(str, config.invocation_params.args))
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


def _reason(report) -> str:
    if isinstance(report.longrepr, tuple):
        text = report.longrepr[2]
    else:
        text = getattr(report, "wasxfail", "") or str(report.longrepr)
    return text.removeprefix("Skipped: ").strip() or "no reason was given"


def reasons(folder: Path) -> Counter[str]:
    """The reasons that the runs left in ``folder``, with how many tests each kept from running.

    Raises
    ------
    FileNotFoundError
        If no run left a record.
    """
    records = sorted(folder.glob("*.json"))
    if not records:
        raise FileNotFoundError("no test run is on record; run the tests first")
    total: Counter[str] = Counter()
    for record in records:
        total.update(json.loads(record.read_text()))
    return total


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """Show the list, or clear it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.not_run")
    parser.add_argument("--clear", action="store_true", help="forget earlier runs")
    parser.add_argument("--allow", metavar="WHAT", help='fail on any reason but "no WHAT"')
    asked = parser.parse_args(arguments)
    if asked.clear:
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    try:
        found = reasons(folder)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    print("Did not run:" if found else "Everything ran.")
    for reason, count in found.most_common():
        print(f"  {count} test{'s' if count > 1 else ''}: {reason}")
    if asked.allow:
        others = [reason for reason in found if not reason.startswith(f"no {asked.allow}")]
        if others:
            print(f"Only tests that need {asked.allow} may be left out.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
