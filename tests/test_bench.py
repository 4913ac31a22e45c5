"""The bench runs, compares equal work, and records what a recorded measurement must carry."""

import json

import pytest
import torch
from torch import nn

from tools import bench


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small(monkeypatch):
    nets = {"MLP, width 4": lambda: bench.mlp(4), "CNN, 8 and 16 channels": bench.cnn}
    monkeypatch.setattr(bench, "NETS", nets)


def test_the_three_ways_do_the_same_work():
    x, y = bench.examples([1, 2], torch.device("cpu"))
    for layers in (lambda: bench.mlp(8), bench.cnn):
        losses = [way(layers, [1, 2], x, y)(5) for way in bench.WAYS.values()]
        torch.testing.assert_close(losses[0], losses[1], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(losses[0], losses[2], rtol=1e-4, atol=1e-4)


def test_unequal_work_is_no_comparison(small, monkeypatch):
    def other_seeds(layers, seeds, x, y):
        return bench.one_pass(layers, [seed + 7 for seed in seeds], x, y)

    monkeypatch.setattr(bench, "WAYS", bench.WAYS | {"loop": other_seeds})
    with pytest.raises(AssertionError, match="not close"):
        bench.compare("MLP, width 4", 2, 1, 1, torch.device("cpu"))


def test_one_way_goes_through_vmap_and_the_other_does_not():
    from bnutils.seeds import Runs
    from bnutils.seeds.stacking import Vmapped

    assert isinstance(Runs(lambda: bench.Unknown(*bench.mlp(4)), [1]).net, Vmapped)
    assert isinstance(Runs(lambda: nn.Sequential(*bench.mlp(4)), [1]).net, nn.Sequential)


def test_ratios_are_taken_pair_by_pair():
    assert bench.ratios([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]) == {
        "median": 2.0,
        "smallest": 1.0,
        "largest": 3.0,
    }


def test_the_table_and_its_record(small, monkeypatch, tmp_path, capsys):
    # The peak has a test of its own: a fresh process for each way takes seconds.
    monkeypatch.setattr(bench, "peak_on_cpu", lambda way, net, runs: None)
    path = tmp_path / "bench.json"
    arguments = ["--runs", "2", "--pairs", "1", "--steps", "1", "--record", str(path)]
    assert bench.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "2 runs in one pass" in printed
    record = json.loads(path.read_text())
    assert record["command"] == "python -m tools.bench " + " ".join(arguments)
    assert set(record) == {"command", "commit", "device", "versions", "date", "rows"}
    assert record["versions"]["torch"] == torch.__version__
    on_cpu = [row for row in record["rows"] if row["device"] == "cpu"]
    assert [(row["net"][:3], row["threads"]) for row in on_cpu] == [
        ("MLP", 1),
        ("MLP", 2),
        ("CNN", 1),
        ("CNN", 2),
    ]
    for row in record["rows"]:
        assert row["runs"] == 2
        assert row["speed-up over the loop"]["median"] > 0
        assert bench.line(row) in printed


def test_quick_and_the_defaults(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(bench, "measure", lambda *arguments: asked.append(arguments))
    assert bench.main([]) == bench.main(["--quick"]) == 0
    assert asked == [
        (list(bench.NETS), 32, 9, 30),
        (["MLP, width 32", "CNN, 8 and 16 channels"], 32, 3, 10),
    ]
    assert "of 9 pairs of 30 steps" in capsys.readouterr().out


def test_the_peak_of_a_fresh_process_is_a_plausible_number_of_mebibytes():
    peak = bench.peak_on_cpu("one pass", "MLP, width 32", 8)
    assert peak is None or 0 <= peak < 500
