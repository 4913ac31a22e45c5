"""Test every claim on seeds that nobody has looked at.

    python -m tools.replicate --seed 7              the course on base seed 7
    python -m tools.replicate --seed 7 --only 02    one chapter
    python -m tools.replicate --record              append the outcome to recorded/replications.csv

With --record the base seed comes from the hash of the commit under test, so nobody can choose it,
and all outcomes are appended, failures included; that file is never edited. Commit it, and the next
commit's hash is the next seed. Everything runs in a temporary copy, so the tree stays as it is.
"""

import argparse
import csv
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools import notebooks
from tools.refresh import versions

RECORDED = "recorded/replications.csv"
COLUMNS = (
    "date",
    "commit",
    "seed",
    "chapter",
    "sentence",
    "bound",
    "statistic",
    "estimate",
    "low",
    "high",
    "n",
    "verdict",
    "versions",
)
NOT_COPIED = (".git", ".venv", "_build", "node_modules", "__pycache__", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Outcome:
    """How one claim of a chapter came out; ``reached`` is False if the run stopped before it."""

    claim: notebooks.Claim
    reached: bool

    @property
    def holds(self) -> bool:
        return self.reached and bool(self.claim.record["holds"])

    def __str__(self) -> str:
        record = self.claim.record
        verdict = record["verdict"] if self.reached else "not reached"
        line = f"{'ok  ' if self.holds else 'FAIL'} {self.claim.chapter} {verdict}: "
        line += self.claim.sentence
        if not self.reached:
            return line
        numbers = [_number(record[key]) for key in ("estimate", "low", "high")]
        unit = f" {record['unit']}" if record.get("unit") else ""
        return (
            f"{line} {record['statistic']} {numbers[0]}{unit} [{numbers[1]}, {numbers[2]}], "
            f"n = {record['n']}, bound: {self.claim.bound}"
        )


def main(arguments: list[str] | None = None, root: Path = notebooks.ROOT) -> int:
    """Replicate what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.replicate")
    parser.add_argument("--only", metavar="NN", help="one chapter, such as 02")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", type=int, help="the base seed, a whole number of at least 0")
    which.add_argument("--record", action="store_true", help=f"append to {RECORDED}")
    asked = parser.parse_args(arguments)
    if not asked.record and asked.seed < 0:
        parser.error(f"the seed is {asked.seed}; it must be a whole number of at least 0")
    try:
        paths = notebooks.find(asked.only, root / "notebooks")
        if asked.record:
            return record(paths, root)
        with a_copy(root) as copy:
            return replicate(paths, copy, asked.seed)[1]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1


def replicate(paths: list[Path], copy: Path, seed: int) -> tuple[list[Outcome], int]:
    """Run chapters of ``copy`` on a base seed and print one line for each claim.

    Returns
    -------
    outcomes : list of Outcome
    code : int
        0 if every claim holds and no notebook raised anything else, else 1.
    """
    outcomes, errors = [], []
    print(f"base seed {seed}", flush=True)
    for path in paths:
        found, error = run_chapter(copy / "notebooks" / path.name, copy, seed)
        print(*found, sep="\n", flush=True)
        if error:
            print(f"ERROR {error}", file=sys.stderr, flush=True)
            errors.append(path.name)
        outcomes += found
    held = sum(outcome.holds for outcome in outcomes)
    print(f"{held} of {len(outcomes)} claims hold on base seed {seed}")
    if errors:
        print(f"stopped by an error: {', '.join(errors)}")
    return outcomes, int(held < len(outcomes) or bool(errors))


def run_chapter(path: Path, copy: Path, seed: int) -> tuple[list[Outcome], str]:
    """The outcomes of one chapter's claims, and the error that stopped it, if one did.

    A claim that fails raises, and the notebook goes on; any other exception stops it, and the
    claims that come after it, as the stored notebook has them, count as not reached.
    """
    stored, error = notebooks.read(path), ""
    environment = notebooks.kernel_environment(seed, PYTHONPATH=str(copy))
    try:
        executed = notebooks.execute(
            stored, path.name, path.parent, environment=environment, tolerate=["ClaimFailed"]
        )
    except notebooks.NotebookFailed as failure:
        executed, error = failure.notebook, str(failure)
    outcomes = [Outcome(claim, True) for claim in notebooks.claims(path, executed)]
    reached = {outcome.claim.identity for outcome in outcomes}
    missing = [c for c in notebooks.claims(path, stored) if c.identity not in reached]
    return outcomes + [Outcome(claim, False) for claim in missing], error


def record(paths: list[Path], root: Path) -> int:
    """Replicate the commit at HEAD on the seed of its hash, and append what comes out."""
    if not (root / ".git").exists():
        raise ValueError("this is no clone of the repository; recording needs a commit to name")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no").splitlines()
    changed = [line[3:] for line in changed if line[3:] != RECORDED]
    if changed:
        raise ValueError(f"commit first, since a commit is what is tested: {', '.join(changed)}")
    commit = _git(root, "rev-parse", "HEAD").strip()
    seed = int(commit[:8], 16)
    done = {row["chapter"] for row in read_rows(root / RECORDED) if row["commit"] == commit}
    code = 0
    with the_commit(root, commit) as copy:
        for path in paths:
            chapter = path.name.partition("_")[0]
            if chapter in done:
                print(f"chapter {chapter} is on record at {commit[:8]} already; commit, then again")
                continue
            if not (copy / "notebooks" / path.name).exists():
                raise ValueError(f"{path.name} is not in the commit; add and commit it first")
            outcomes, failed = replicate([path], copy, seed)
            append(root / RECORDED, outcomes, commit, seed)
            code = code or failed
    return code


def append(path: Path, outcomes: list[Outcome], commit: str, seed: int) -> None:
    """Add a row for each outcome; one that was not reached fails, without an estimate."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if not path.exists():
        writer.writeheader()
    now = datetime.now(UTC).date().isoformat()
    installed = "; ".join(f"{name} {number}" for name, number in versions().items())
    for outcome in outcomes:
        found = outcome.claim.record
        row = {
            "date": now,
            "commit": commit,
            "seed": seed,
            "chapter": outcome.claim.chapter,
            "sentence": outcome.claim.sentence,
            "bound": outcome.claim.bound,
            "statistic": found["statistic"],
            "verdict": found["verdict"] if outcome.holds else "fails",
            "versions": installed,
        }
        if outcome.reached:
            row |= {key: found[key] for key in ("estimate", "low", "high", "n")}
        writer.writerow(row)
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())


def read_rows(path: Path) -> list[dict[str, str]]:
    """The recorded replications, none if the file is not there."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def faults(text: str, earlier: list[str]) -> list[str]:
    """What speaks against ``text`` being an append-only record that grew from ``earlier`` ones."""
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or tuple(rows[0]) != COLUMNS:
        return [f"the first line must be {','.join(COLUMNS)}"]
    found = [
        f"line {number} has {len(row)} columns, not {len(COLUMNS)}"
        for number, row in enumerate(rows[1:], start=2)
        if len(row) != len(COLUMNS)
    ]
    if not text.endswith("\n"):
        found.append("the last line lacks its end")
    seen: set[tuple[str, ...]] = set()
    for row in (dict(zip(COLUMNS, row, strict=False)) for row in rows[1:]):
        key = tuple(row.get(k, "") for k in ("commit", "chapter", "sentence", "bound"))
        if key in seen:
            found.append(f"recorded twice: {', '.join(key)}")
        seen.add(key)
        if row["seed"] != str(int(row["commit"][:8], 16)):
            found.append(f"the seed {row['seed']} is not that of commit {row['commit']}")
    lines = text.splitlines()
    if not all(_in_order(version.splitlines(), lines) for version in earlier):
        found.append("an earlier version's rows are not all here in order: rows were changed")
    return found


def _in_order(some: list[str], lines: list[str]) -> bool:
    """Whether ``lines`` has all of ``some`` in their order; a merge may put rows between them."""
    rest = iter(lines)
    return all(line in rest for line in some)


@contextmanager
def a_copy(root: Path) -> Iterator[Path]:
    """A temporary copy of the working tree."""
    with tempfile.TemporaryDirectory(prefix="replicate-") as folder:
        copy = Path(folder) / "course"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
        yield copy


@contextmanager
def the_commit(root: Path, commit: str) -> Iterator[Path]:
    """A temporary copy of a commit, so that nothing uncommitted takes part."""
    with tempfile.TemporaryDirectory(prefix="replicate-") as folder:
        archive, copy = Path(folder) / "course.tar", Path(folder) / "course"
        _git(root, "archive", "--output", str(archive), commit)
        shutil.unpack_archive(archive, copy)
        yield copy


def _git(root: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    try:
        run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise ValueError("recording needs git, which is not installed") from None
    except subprocess.CalledProcessError as error:
        raise ValueError(f"{' '.join(command)} failed: {error.stderr.strip()}") from None
    return run.stdout


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
