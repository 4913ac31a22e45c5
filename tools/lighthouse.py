"""Lighthouse's marks for the built site, served as GitHub Pages serves it.

    python -m tools.lighthouse                               a page of each kind, five runs each
    python -m tools.lighthouse --runs 1 book/glossary        other pages, fewer runs

Runs the npm package ``lighthouse`` through ``npx``, on a simulated phone and on a desk, and prints
medians: single runs differ by ten points and more on a busy machine. The site must be built.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chromium import FLAGS, MISSING, find_chromium

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
VERSION = "12.8.2"  # the last that runs on Node 18
OLDEST_NODE = 18
# Beside them, the chapter with the most formulas and the one with the most markup are found.
PAGES = ("book/intro", "book/ledger", "book/symptoms", "notebooks/15_two_datasets_one_network")
FORMS = {"phone": [], "desk": ["--preset=desktop"]}
CATEGORIES = {
    "performance": "perf",
    "accessibility": "a11y",
    "best-practices": "best",
    "seo": "seo",
}
AUDITS = {
    "first-contentful-paint": "FCP",
    "largest-contentful-paint": "LCP",
    "total-blocking-time": "TBT",
    "cumulative-layout-shift": "CLS",
    "total-byte-weight": "KB",
}
# What GitHub Pages compresses; fonts and pictures are compressed as they are.
TEXT = {".html", ".css", ".js", ".json", ".svg", ".xml", ".txt", ".ipynb"}


@dataclass(frozen=True)
class Marks:
    """What one run found: categories in points, times in ms, the shift, and the weight in KB."""

    values: dict[str, float]
    faults: frozenset[str]  # audits that failed outside performance

    @classmethod
    def of(cls, report: dict) -> Marks:
        """Read a report as Lighthouse writes it; raise ``ValueError`` if the page did not load."""
        if "runtimeError" in report:
            raise ValueError(report["runtimeError"]["message"])
        values = {}
        for name, short in CATEGORIES.items():
            score = report["categories"][name]["score"]
            if score is None:
                raise ValueError(f"Lighthouse gave no mark for {name}")
            values[short] = round(100 * score)
        for name, short in AUDITS.items():
            values[short] = report["audits"][name]["numericValue"]
        values["KB"] /= 1024
        faults = {
            f"{audit['id']}: {report['audits'][audit['id']]['title']}"
            for name in CATEGORIES
            if name != "performance"
            for audit in report["categories"][name]["auditRefs"]
            if audit["weight"] and report["audits"][audit["id"]]["score"] not in (1, None)
        }
        return cls(values, frozenset(faults))


def medians(runs: Iterable[Marks]) -> dict[str, float]:
    """Return the median of each value over runs."""
    runs = list(runs)
    return {key: statistics.median(run.values[key] for run in runs) for key in runs[0].values}


def row(name: str, form: str, runs: list[Marks]) -> str:
    """Return a line of the table: medians, and the single marks for performance."""
    m = medians(runs)
    marks = " ".join(f"{m[short]:4.0f}" for short in CATEGORIES.values())
    times = " ".join(f"{m[short]:5.0f}" for short in ("FCP", "LCP", "TBT"))
    single = " ".join(f"{run.values['perf']:.0f}" for run in runs)
    return f"{name:<42} {form:<5} {marks} {times} {m['CLS']:6.3f} {m['KB']:5.0f}  ({single})"


HEAD = f"{'page':<42} {'':<5} {' '.join(f'{s:>4}' for s in CATEGORIES.values())}" + (
    f" {'FCP':>5} {'LCP':>5} {'TBT':>5} {'CLS':>6} {'KB':>5}  (perf, run by run)"
)


class Pages(http.server.SimpleHTTPRequestHandler):
    """Files as GitHub Pages sends them: text with gzip, all to be kept for ten minutes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        compress = path.suffix in TEXT and "gzip" in self.headers.get("Accept-Encoding", "")
        body = compressed(path) if compress else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        if compress:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@functools.cache
def compressed(path: Path) -> bytes:
    """Return a file as gzip sends it."""
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)


@contextmanager
def served(root: Path) -> Iterator[str]:
    """Serve a folder on this machine; yield its address, without a closing slash."""
    handler = functools.partial(Pages, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def judge(url: str, form: str, browser: str, folder: Path) -> Marks:
    """Run Lighthouse once; raise ``ValueError`` with its own words if it fails."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    flags = " ".join(["--headless=new", *FLAGS])
    command = ["npx", "--yes", f"lighthouse@{VERSION}", url, "--quiet", "--output=json"]
    command += [f"--output-path={report}", f"--only-categories={','.join(CATEGORIES)}"]
    command += [f"--chrome-flags={flags}", *FORMS[form]]
    run = subprocess.run(
        command,
        env={**os.environ, "CHROME_PATH": browser},
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.is_file():
        raise ValueError(f"Lighthouse wrote no report for {url}:\n{run.stderr.strip()[-1500:]}")
    return Marks.of(json.loads(report.read_text(encoding="utf-8")))


def node_version(answer: str) -> int:
    """Return the major version from what ``node --version`` says, such as v20.20.2."""
    return int(answer.strip().removeprefix("v").split(".")[0])


def lacking(html: Path) -> str | None:
    """Say what this machine or the site lacks for a run, and how to come by it."""
    if not (html / "book" / "intro.html").is_file():
        return f"no site in {html}: run make book first"
    if not (shutil.which("node") and shutil.which("npx")):
        return "no node and npx on the PATH: install Node.js, https://nodejs.org"
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    if node_version(answer.stdout) < OLDEST_NODE:
        return f"Node {answer.stdout.strip()} is too old: Lighthouse needs {OLDEST_NODE} or newer"
    return None if find_chromium() else MISSING


def heaviest(html: Path) -> list[str]:
    """Return the chapter with the most formulas and the one with the most markup."""
    pages = sorted((html / "notebooks").glob("*.html"))
    formulas = max(pages, key=lambda page: page.read_text(encoding="utf-8").count("<math"))
    longest = max(pages, key=lambda page: page.stat().st_size)
    return list(dict.fromkeys(f"notebooks/{page.stem}" for page in (formulas, longest)))


def main(arguments: list[str] | None = None) -> int:
    """Judge the pages that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.lighthouse")
    parser.add_argument("pages", nargs="*", help="such as book/intro; without: one of each kind")
    parser.add_argument("--runs", type=int, default=5, help="runs for each median (5)")
    parser.add_argument("--form", choices=FORMS, help="one of the two; without: both")
    parser.add_argument("--html", type=Path, default=HTML, help="the built site")
    asked = parser.parse_args(arguments)
    if reason := lacking(asked.html):
        print(reason, file=sys.stderr)
        return 1
    pages = asked.pages or [*PAGES, *heaviest(asked.html)]
    if strangers := [page for page in pages if not (asked.html / f"{page}.html").is_file()]:
        print(f"no such page in {asked.html}: {', '.join(strangers)}", file=sys.stderr)
        return 1
    faults: dict[str, set[str]] = {}
    print(HEAD)
    with served(asked.html) as site, tempfile.TemporaryDirectory() as folder:
        for page in dict.fromkeys(pages):
            for form in [asked.form] if asked.form else FORMS:
                try:
                    runs = [
                        judge(f"{site}/{page}.html", form, find_chromium(), Path(folder))
                        for _ in range(asked.runs)
                    ]
                except ValueError as error:
                    print(error, file=sys.stderr)
                    return 1
                print(row(page, form, runs), flush=True)
                for run in runs:
                    for fault in run.faults:
                        faults.setdefault(fault, set()).add(page)
    for fault, places in sorted(faults.items()):
        print(f"{fault} ({', '.join(sorted(places))})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
