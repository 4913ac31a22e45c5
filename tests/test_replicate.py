"""Testing claims on other seeds, and the append-only record of it."""

import subprocess

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import notebooks, replicate

# A stand-in for bnutils.evidence: the same records, no torch to load.
EVIDENCE = """
import os
from IPython.display import display

class ClaimFailed(AssertionError):
    pass

def claim(sentence, estimate, holds=True):
    record = {"kind": "claim", "sentence": sentence, "bound": "at least 0.5", "unit": "s"}
    record |= {"statistic": "median", "estimate": estimate, "low": 0.25, "high": 0.75, "n": 8}
    record |= {"verdict": "holds" if holds else "fails", "holds": holds}
    display({"text/plain": sentence}, raw=True, metadata={"bnutils": record})
    if not holds:
        raise ClaimFailed(sentence)

seed = int(os.environ["BNUTILS_SEED"])
"""
CLAIMS = [
    "claim('First, of \"one, two\".', seed / 2)",
    "claim('Second.', 0.625, holds=seed % 2 == 0)",
    "claim('Third.', None)",
]
LAST = "open('../recorded/left.txt', 'w').write('something')"


def store(root, *sources, name="02_two.ipynb"):
    """A refreshed notebook."""
    (root / "notebooks").mkdir(exist_ok=True)
    (root / "recorded").mkdir(exist_ok=True)
    path = root / "notebooks" / name
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    executed = notebooks.execute(
        notebooks.read(path), name, path.parent, environment=notebooks.kernel_environment()
    )
    notebooks.write(path, notebooks.normalize(executed))
    return path


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    store(root, EVIDENCE, *CLAIMS, "answer = 1 / (seed != 5)", CLAIMS[0].replace("First", "Last"))
    return root


@pytest.fixture
def course(stored, tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "recorded").mkdir()
    name = "notebooks/02_two.ipynb"
    (tmp_path / name).write_bytes((stored / name).read_bytes())
    return tmp_path


@pytest.fixture
def repository(course):
    """The course under version control, and a function that makes one more commit."""

    def git(*arguments):
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@b", *arguments]
        run = subprocess.run(command, cwd=course, check=True, capture_output=True, text=True)
        return run.stdout.strip()

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    return course, git


def snapshot(root):
    return {p: p.read_bytes() for p in root.rglob("*") if p.is_file() and ".git" not in p.parts}


def test_claims_are_tested_on_the_seed_and_the_tree_stays_as_it_is(course, capsys):
    store_last = notebooks.read(course / "notebooks" / "02_two.ipynb")
    store_last.cells.append(new_code_cell(LAST))
    notebooks.write(course / "notebooks" / "02_two.ipynb", notebooks.normalize(store_last))
    before = snapshot(course)
    assert replicate.main(["--seed", "8", "--only", "02"], course) == 0
    assert snapshot(course) == before
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "base seed 8",
        'ok   02 holds: First, of "one, two". median 4 s [0.25, 0.75], n = 8, bound: at least 0.5',
        "ok   02 holds: Second. median 0.625 s [0.25, 0.75], n = 8, bound: at least 0.5",
        "ok   02 holds: Third. median not finite s [0.25, 0.75], n = 8, bound: at least 0.5",
        'ok   02 holds: Last, of "one, two". median 4 s [0.25, 0.75], n = 8, bound: at least 0.5',
        "4 of 4 claims hold on base seed 8",
    ]


def test_a_claim_that_fails_is_told_and_the_rest_is_tested(course, capsys):
    assert replicate.main(["--seed", "7"], course) == 1
    said = capsys.readouterr().out
    assert "FAIL 02 fails: Second. median 0.625 s [0.25, 0.75]" in said
    assert "3 of 4 claims hold on base seed 7" in said


def test_another_error_stops_the_chapter_and_what_follows_is_not_reached(course, capsys):
    assert replicate.main(["--seed", "5"], course) == 1
    captured = capsys.readouterr()
    assert "FAIL 02 not reached: Last" in captured.out
    assert "2 of 4 claims hold" in captured.out
    assert (
        "ERROR 02_two.ipynb, cell 4 (answer = 1 / (seed != 5)): ZeroDivisionError" in captured.err
    )


def test_recording_appends_every_outcome_once_for_each_commit(repository, capsys):
    course, git = repository
    path = course / replicate.RECORDED
    codes, seeds = set(), []
    for count in (1, 2):
        commit = git("rev-parse", "HEAD")
        codes.add((replicate.main(["--record"], course), int(commit[:8], 16) % 2))
        rows = replicate.read_rows(path)
        assert len(rows) == 4 * count, "failures are recorded as well"
        seeds.append(rows[-1]["seed"])
        assert rows[-1]["seed"] == str(int(commit[:8], 16))
        assert (rows[-1]["commit"], rows[-1]["chapter"]) == (commit, "02")
        assert rows[-4]["sentence"] == 'First, of "one, two".'
        assert "torch" in rows[-1]["versions"]
        assert rows[-3]["verdict"] == ("fails" if int(commit[:8], 16) % 2 else "holds")
        assert replicate.main(["--record"], course) == 0
        assert "on record at" in capsys.readouterr().out
        assert len(replicate.read_rows(path)) == 4 * count
        git("add", "-A")
        git("commit", "-qm", "recorded")
    assert seeds[0] != seeds[1]
    assert all(code == odd for code, odd in codes)
    versions = git("log", "--format=%H", "--", replicate.RECORDED).split()
    earlier = [git("show", f"{v}:{replicate.RECORDED}") + "\n" for v in versions]
    assert replicate.faults(path.read_text(), earlier) == []


def test_what_was_not_reached_is_recorded_as_failed(course):
    claim = notebooks.Claim("02", "Last.", "at least 1", {"statistic": "mean", "verdict": "holds"})
    replicate.append(course / "r.csv", [replicate.Outcome(claim, False)], "0000000fab", 15)
    (row,) = replicate.read_rows(course / "r.csv")
    assert (row["verdict"], row["estimate"], row["n"]) == ("fails", "", "")


def test_recording_refuses_what_is_not_committed(repository, capsys):
    course, git = repository
    path = course / "notebooks" / "02_two.ipynb"
    path.write_text(path.read_text() + " ")
    assert replicate.main(["--record"], course) == 1
    assert "commit first" in capsys.readouterr().err
    git("checkout", "notebooks")
    (course / "notebooks" / "03_new.ipynb").write_bytes(path.read_bytes())
    assert replicate.main(["--record", "--only", "03"], course) == 1
    assert "03_new.ipynb is not in the commit" in capsys.readouterr().err
    assert not (course / replicate.RECORDED).exists()


def test_recording_needs_a_clone(course, capsys):
    assert replicate.main(["--record"], course) == 1
    assert "no clone" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["--seed", "-1"], ["--seed", "x"], ["--seed", "1", "--record"]]
)
def test_a_wrong_command_is_refused(course, arguments):
    with pytest.raises(SystemExit):
        replicate.main(arguments, course)


# --- the record itself ---------------------------------------------------------------------------

HEADER = ",".join(replicate.COLUMNS) + "\n"
ROW = "2026-11-22,0000000f00,15,02,It is so.,at least 1,median,2,1.5,2.5,16,holds,torch 2.13.0\n"
OTHER = ROW.replace("so.", "not so.")


def test_the_record_of_replications_is_append_only():
    path = notebooks.ROOT / replicate.RECORDED
    log = ["git", "log", "--format=%H", "--", replicate.RECORDED]
    earlier = []
    if (notebooks.ROOT / ".git").exists():
        for commit in _output(log).split():
            earlier.append(_output(["git", "show", f"{commit}:{replicate.RECORDED}"]))
    assert replicate.faults(path.read_text(encoding="utf-8"), earlier) == []


def _output(command):
    # Bytes, since the line ends are part of what may not change.
    run = subprocess.run(command, cwd=notebooks.ROOT, capture_output=True, check=True)
    return run.stdout.decode()


def test_a_sound_record_has_no_faults():
    assert replicate.faults(HEADER + ROW + OTHER, [HEADER, HEADER + ROW]) == []
    # Two branches that recorded on their own, and met.
    assert replicate.faults(HEADER + ROW + OTHER, [HEADER + OTHER, HEADER + ROW]) == []


@pytest.mark.parametrize(
    ("text", "earlier", "says"),
    [
        ("", [], "the first line must be"),
        (HEADER.replace("verdict,", ""), [], "the first line must be"),
        (HEADER + ROW.replace(",holds", ""), [], "line 2 has 12 columns"),
        (HEADER + ROW + ROW.replace("2.5", "2.4"), [], "recorded twice: 0000000f00, 02, It is so."),
        (HEADER + ROW.replace(",15,", ",16,"), [], "the seed 16 is not that of commit"),
        (HEADER + ROW.strip(), [], "lacks its end"),
        (HEADER + ROW, [HEADER + ROW.replace("holds", "fails")], "rows were changed"),
        (HEADER, [HEADER + ROW], "rows were changed"),
        (HEADER + OTHER + ROW, [HEADER + ROW + OTHER], "rows were changed"),
    ],
    ids=["empty", "header", "columns", "twice", "seed", "end", "changed", "deleted", "order"],
)
def test_a_fault_of_the_record_is_found(text, earlier, says):
    assert any(says in fault for fault in replicate.faults(text, earlier))


def test_only_the_records_of_claims_are_claims():
    outputs = [
        new_output("display_data", data={"text/plain": "x"}, metadata={"bnutils": record})
        for record in (
            {"kind": "claim", "sentence": "So.", "bound": "at most 1"},
            {"kind": "measured", "sentence": "It took"},
        )
    ]
    notebook = new_notebook(cells=[new_code_cell("x", outputs=outputs)])
    (found,) = notebooks.claims(notebooks.ROOT / "02_two.ipynb", notebook)
    assert found.identity == ("02", "So.", "at most 1")
