"""Lighthouse's reports are read rightly, the site is served with gzip, and what lacks is named."""

import gzip
import urllib.error
import urllib.request

import pytest

from tools import lighthouse


def report(performance=0.9, contrast=1, **more):
    """A report as Lighthouse writes it, as far as it is read."""
    names = ["accessibility", "best-practices", "seo"]
    return {
        "categories": {
            "performance": {"score": performance, "auditRefs": [{"id": "slow", "weight": 1}]},
            **{
                name: {"score": 1, "auditRefs": [{"id": "contrast", "weight": 3}]} for name in names
            },
        },
        "audits": {
            "slow": {"score": 0, "title": "Slow"},
            "contrast": {"score": contrast, "title": "Too faint"},
            **{name: {"score": 1, "numericValue": 2048} for name in lighthouse.AUDITS},
        },
        **more,
    }


def test_marks_are_points_times_and_kilobytes():
    marks = lighthouse.Marks.of(report(performance=0.57))
    assert marks.values["perf"] == 57
    assert marks.values["seo"] == 100
    assert marks.values["LCP"] == 2048
    assert marks.values["KB"] == 2
    assert marks.faults == frozenset(), "a slow page is judged by its mark alone"


def test_a_fault_is_named():
    assert lighthouse.Marks.of(report(contrast=0)).faults == {"contrast: Too faint"}
    assert not lighthouse.Marks.of(report(contrast=None)).faults, "an audit that does not apply"


def test_a_run_that_failed_is_no_mark():
    with pytest.raises(ValueError, match="no page"):
        lighthouse.Marks.of(report(runtimeError={"message": "no page"}))
    with pytest.raises(ValueError, match="no mark for performance"):
        lighthouse.Marks.of(report(performance=None))


def test_a_row_holds_medians_and_every_run():
    runs = [lighthouse.Marks.of(report(performance=mark)) for mark in (0.99, 0.5, 0.91)]
    assert lighthouse.medians(runs)["perf"] == 91
    row = lighthouse.row("book/intro", "phone", runs)
    assert row.startswith("book/intro")
    assert row.endswith("(99 50 91)")
    assert " 91  100  100  100 " in row


def test_the_site_is_served_as_github_pages_serves_it(tmp_path):
    text = "<p>text</p>" * 100
    (tmp_path / "index.html").write_text(text)
    (tmp_path / "font.woff2").write_bytes(b"font")
    with lighthouse.served(tmp_path) as site:
        asked = urllib.request.Request(f"{site}/", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked) as answer:
            body = answer.read()
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Content-Type"] == "text/html"
            assert len(body) < 100
            assert gzip.decompress(body).decode() == text
        with urllib.request.urlopen(f"{site}/index.html") as answer:
            assert answer.read().decode() == text
        asked = urllib.request.Request(f"{site}/font.woff2", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked) as answer:
            assert answer.headers["Content-Encoding"] is None
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{site}/missing.html")


def test_the_heaviest_chapters_are_found(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name, text in {"a": "<math" * 3, "b": "<math" + "long " * 99, "c": "short"}.items():
        (tmp_path / "notebooks" / f"{name}.html").write_text(text)
    assert lighthouse.heaviest(tmp_path) == ["notebooks/a", "notebooks/b"]


@pytest.mark.parametrize("program", ["node", "npx"])
def test_without_node_a_sentence_says_so(tmp_path, monkeypatch, capsys, program):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "intro.html").touch()
    monkeypatch.setattr(lighthouse.shutil, "which", lambda name: name != program)
    assert lighthouse.main(["--html", str(tmp_path)]) == 1
    assert "install Node.js" in capsys.readouterr().err


def test_an_old_node_is_named(tmp_path, monkeypatch):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "intro.html").touch()
    monkeypatch.setattr(lighthouse.shutil, "which", lambda name: name)
    answer = lighthouse.subprocess.CompletedProcess([], 0, stdout="v16.3.0\n")
    monkeypatch.setattr(lighthouse.subprocess, "run", lambda *_, **__: answer)
    assert "Node v16.3.0 is too old: Lighthouse needs 18" in lighthouse.lacking(tmp_path)
    answer.stdout = "v20.20.2\n"
    monkeypatch.setattr(lighthouse, "find_chromium", lambda: None)
    assert "no browser: none of chromium" in lighthouse.lacking(tmp_path)
    monkeypatch.setattr(lighthouse, "find_chromium", lambda: "/usr/bin/chromium")
    assert lighthouse.lacking(tmp_path) is None


def test_without_a_site_or_a_page_a_sentence_says_so(tmp_path, monkeypatch, capsys):
    assert lighthouse.main(["--html", str(tmp_path)]) == 1
    assert "run make book first" in capsys.readouterr().err
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "intro.html").touch()
    monkeypatch.setattr(lighthouse, "lacking", lambda html: None)
    assert lighthouse.main(["--html", str(tmp_path), "book/nothing"]) == 1
    assert "no such page" in capsys.readouterr().err


def test_a_run_without_a_report_tells_what_was_said(tmp_path, monkeypatch):
    said = lighthouse.subprocess.CompletedProcess([], 1, stderr="npm: no network")
    monkeypatch.setattr(lighthouse.subprocess, "run", lambda *_, **__: said)
    with pytest.raises(ValueError, match="npm: no network"):
        lighthouse.judge("http://127.0.0.1/", "phone", "chromium", tmp_path)
